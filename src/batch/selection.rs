//! Which files of a folder are taken.

use std::ffi::OsStr;
use std::path::Path;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::left_out::Filter;

/// Extensions of the audio files that are looked for in folders, in lower case.
pub const AUDIO_EXTENSIONS: [&str; 24] = [
    "aac", "aif", "aifc", "aiff", "au", "caf", "flac", "m4a", "m4b", "mka", "mp2", "mp3", "mp4",
    "oga", "ogg", "opus", "rf64", "snd", "spx", "w64", "wav", "wave", "weba", "webm",
];

/// Returns whether an extension, without its dot and in any case, is one of [`AUDIO_EXTENSIONS`].
pub(super) fn is_audio(extension: &OsStr) -> bool {
    let is_known = |known: &str| extension.eq_ignore_ascii_case(known);
    AUDIO_EXTENSIONS.into_iter().any(is_known)
}

/// Which files of an input folder are taken. A file named by itself is always taken.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Extensions without the dot; any case counts.
    pub extensions: Vec<String>,
    /// Patterns of which one must match, if there are any.
    pub globs: Globs,
    /// Patterns of which none may match; a folder that matches is not entered.
    pub excludes: Globs,
    /// How many folders deep; 1 takes the files right in the input folder only.
    pub max_depth: Option<usize>,
    /// Whether hidden files and folders, with a name that begins with a dot, are taken.
    pub hidden: bool,
    /// Whether symbolic links are followed.
    pub follow: bool,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            extensions: AUDIO_EXTENSIONS.map(String::from).to_vec(),
            globs: Globs::default(),
            excludes: Globs::default(),
            max_depth: None,
            hidden: false,
            follow: false,
        }
    }
}

impl Selection {
    /// Returns whether a file of that name has one of the extensions.
    pub(super) fn takes_extension(&self, path: &Path) -> bool {
        let extension = path.extension().unwrap_or_default();
        let is_known = |known: &String| extension.eq_ignore_ascii_case(known);
        self.extensions.iter().any(is_known)
    }

    /// Returns whether files that hold video are left out: unless somebody has asked for
    /// extensions.
    pub(super) fn leaves_out_video(&self) -> bool {
        self.extensions == AUDIO_EXTENSIONS
    }

    /// Returns whether a file, at a path relative to the input folder, is taken; else what leaves
    /// it out.
    pub(super) fn takes_file(&self, relative: &Path) -> Result<(), Filter> {
        if !self.takes_extension(relative) {
            Err(Filter::Extension)
        } else if !self.globs.is_empty() && !self.globs.matches(relative) {
            Err(Filter::Glob)
        } else if self.excludes.matches(relative) {
            Err(Filter::Exclude)
        } else {
            Ok(())
        }
    }

    /// Returns whether a file or folder of that name and relative path is looked at; else what
    /// leaves it out, if that is anybody's choice.
    pub(super) fn looks_at(&self, name: &OsStr, relative: &Path) -> Result<(), Option<Filter>> {
        let name = name.as_encoded_bytes();
        // What macOS leaves on foreign disks beside every file, named like the file.
        if name.starts_with(b"._") {
            Err(None)
        } else if !self.hidden && name.starts_with(b".") {
            Err(Some(Filter::Hidden))
        } else if self.excludes.matches(relative) {
            Err(Some(Filter::Exclude))
        } else {
            Ok(())
        }
    }
}

/// A set of patterns like those of a shell: `*` and `?` stay within a name, `**` crosses folders.
///
/// A pattern without a slash is held against the name alone, any other against the path relative
/// to the input folder.
#[derive(Debug, Clone, Default)]
pub struct Globs {
    names: GlobSet,
    paths: GlobSet,
}

/// A pattern that cannot be understood; the message names it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct GlobError(String);

impl GlobError {
    fn new(error: globset::Error) -> Self {
        Self(error.to_string())
    }
}

impl Globs {
    /// A set of patterns.
    ///
    /// # Errors
    /// Names the first pattern that cannot be understood.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, GlobError> {
        let (mut names, mut paths) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        for pattern in patterns {
            let glob = GlobBuilder::new(pattern.trim_start_matches('/'))
                .literal_separator(true)
                .build()
                .map_err(GlobError::new)?;
            if pattern.contains('/') {
                paths.add(glob);
            } else {
                names.add(glob);
            }
        }
        Ok(Self {
            names: names.build().map_err(GlobError::new)?,
            paths: paths.build().map_err(GlobError::new)?,
        })
    }

    fn is_empty(&self) -> bool {
        self.names.is_empty() && self.paths.is_empty()
    }

    pub(super) fn matches(&self, relative: &Path) -> bool {
        let name = relative.file_name().unwrap_or_default();
        self.names.is_match(name) || self.paths.is_match(relative)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(globs: &[&str], excludes: &[&str]) -> Selection {
        Selection {
            globs: Globs::new(globs.iter().copied()).unwrap(),
            excludes: Globs::new(excludes.iter().copied()).unwrap(),
            ..Selection::default()
        }
    }

    #[test]
    fn extensions_count_in_any_case() {
        let all = selection(&[], &[]);
        for (name, taken) in [("a.MP3", true), ("b.txt", false), ("mp3", false)] {
            assert_eq!(all.takes_file(Path::new(name)).is_ok(), taken, "{name}");
        }
    }

    #[test]
    fn patterns_with_a_slash_are_held_against_the_path() {
        let some = selection(&["*.wav", "talks/**/x*.mp3"], &["draft*", "old/*"]);
        let taken = [
            ("a/b.wav", true),
            ("a/b.mp3", false),
            ("talks/x.mp3", true),
            ("talks/1/2/x1.mp3", true),
            ("talks/1/y.mp3", false),
            ("a/draft.wav", false),
            ("old/a.wav", false),
            ("old/er/a.wav", true),
        ];
        for (path, taken) in taken {
            assert_eq!(some.takes_file(Path::new(path)).is_ok(), taken, "{path}");
        }
    }

    #[test]
    fn hidden_files_are_taken_on_demand_and_resource_forks_never() {
        let mut selection = Selection::default();
        let looks_at = |selection: &Selection, name: &str| {
            selection.looks_at(name.as_ref(), name.as_ref()).is_ok()
        };
        assert!(!looks_at(&selection, ".a.wav"));
        selection.hidden = true;
        assert!(looks_at(&selection, ".a.wav"));
        assert!(!looks_at(&selection, "._a.wav"));
    }
}
