//! Presets: named settings in TOML files that can be layered.
//!
//! Settings come in layers. From bottom to top, these are the defaults, the preset that the
//! requested one extends, the requested preset, and the command line; for each key, the highest
//! layer wins. Four pairs of keys are alternatives for the same setting (`ratio` and `speed`,
//! `gap_ratio` and `gap_scale`, `bitrate_kbps` and `quality`, `fast_detection` and
//! `normal_detection`): a layer that sets one of
//! them removes the other from the layers below, and one layer cannot set both.
//!
//! A preset file is a flat table:
//!
//! ```toml
//! description = "Lectures, half as fast again"
//! extends = "speech"      # a preset's name, or a path to a .toml file from this file's folder
//! speed = 1.5             # or ratio = 0.667
//! format = "mp3"          # or "keep"
//! bitrate_kbps = 96
//! ```
//!
//! [`PresetStore`] finds presets and resolves them:
//!
//! ```
//! use audiostretchy::preset::{Layer, PresetStore};
//!
//! let mut command_line = Layer::command_line();
//! command_line.set("speed", 1.5)?;
//! let resolved = PresetStore::new([]).resolve(Some("speech".as_ref()), &command_line)?;
//! assert_eq!(resolved.settings.stretch.upper_freq, 300);
//! assert_eq!(resolved.entry("upper_freq").unwrap().source.to_string(), "built-in preset speech, line 2");
//! assert_eq!(resolved.entry("ratio").unwrap().source.to_string(), "the command line");
//! # Ok::<(), audiostretchy::preset::PresetError>(())
//! ```

mod error;
mod file;
mod keys;
mod layer;
mod store;
mod suggest;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

pub use error::PresetError;
pub use layer::{Layer, Value};
pub use store::{Listed, PresetStore};

// What project files have in common with presets.
#[cfg(feature = "cli")]
pub(crate) use {
    file::{line_of, simple},
    keys::names as key_names,
    store::read_bytes,
    suggest::nearest,
};

use audiostretchy_engine::StretchOptions;
use audiostretchy_media::format::OutputOptions;

/// The settings for processing a file: how it is stretched and how the result is encoded.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Settings {
    /// How the audio is stretched.
    pub stretch: StretchOptions,
    /// How the output is encoded.
    pub output: OutputOptions,
}

/// The settings after all layers are applied, with the source of each.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Resolved {
    /// The name of the requested preset (for a file: its name without `.toml`), if there was one.
    pub preset: Option<String>,
    /// That preset's own description; it is not inherited from a preset that it extends.
    pub description: Option<String>,
    /// The settings; [`StretchOptions::validate`] accepts them.
    pub settings: Settings,
    /// Every key with its value and source, in the order of the documentation. `speed` and
    /// `gap_scale` are listed only where they were given, and what only another engine has is not.
    pub entries: Vec<Entry>,
}

impl Resolved {
    /// Returns the entry of a key in snake case.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

/// A key with its resolved value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// The key, in snake case.
    pub key: &'static str,
    /// The value as given, or the default; `None` if it is taken from the input.
    pub value: Option<Value>,
    /// The layer that set the value. If `speed` was given, this is also the source of `ratio`,
    /// and if `gap_scale` was, of `gap_ratio`.
    pub source: Source,
}

/// The source of a value. Its `Display` is short: `presets/lecture.toml:3`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "from", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Source {
    /// The default.
    Default,
    /// A preset.
    Preset {
        /// The preset's name.
        name: String,
        /// Its file as it was found; `None` for a built-in preset. In JSON, bytes that are not
        /// UTF-8 are replaced.
        #[serde(serialize_with = "readable_path_or_none")]
        file: Option<PathBuf>,
        /// The line in the preset, starting at 1.
        line: usize,
    },
    /// A project file.
    Project {
        /// The file.
        #[serde(serialize_with = "readable_path")]
        file: PathBuf,
        /// The line, starting at 1.
        line: usize,
    },
    /// The command line (or a caller that fills [`Layer::command_line`] itself).
    CommandLine,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the default"),
            Self::CommandLine => f.write_str("the command line"),
            Self::Project { file, line } => write!(f, "{}:{line}", file.display()),
            Self::Preset { name, file, line } => match file {
                Some(file) => write!(f, "{}:{line}", file.display()),
                None => write!(f, "built-in preset {name}, line {line}"),
            },
        }
    }
}

/// Serde rejects paths that are not UTF-8, but a report must not fail because of one.
fn readable_path<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    path.to_string_lossy().serialize(serializer)
}

fn readable_path_or_none<S: Serializer>(
    path: &Option<PathBuf>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let path = path.as_deref().map(Path::to_string_lossy);
    path.serialize(serializer)
}
