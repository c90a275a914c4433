//! How files are converted, and rules that give some of them settings of their own.

use std::ffi::OsString;
use std::sync::Arc;

use serde_json::json;

use super::selection::Globs;
use crate::pipeline::file_state;
use crate::pipeline::keep::Keep;
use audiostretchy_engine::StretchOptions;
use audiostretchy_media::format::{Format, OutputOptions};

/// How a file is converted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FileSettings {
    /// How the audio is stretched.
    pub stretch: StretchOptions,
    /// How the output is encoded.
    pub encoding: OutputOptions,
    /// What is kept beside the audio.
    pub keep: Keep,
    /// Put between the name of the output and its extension.
    pub suffix: OsString,
    /// Write an output for each chapter, into a folder of the input's name in the output folder.
    pub split_chapters: bool,
    /// Give the output the modification time of its input.
    pub keep_mtime: bool,
    /// Do nothing that was not asked for: no damage is filled up with silence, no audio that
    /// changes its format midway is converted (those files fail), and no format takes the place of
    /// one that cannot be written (the plan is refused).
    pub strict: bool,
}

/// Settings of its own for some of the files of a request.
#[derive(Debug, Clone)]
pub struct Rule {
    /// What stands for it in reports, such as its patterns.
    pub name: Arc<str>,
    /// The files: a pattern without a slash is held against the name, any other against the path
    /// below the input folder, or as it stands in a list.
    pub globs: Globs,
    /// How they are converted.
    pub settings: FileSettings,
}

impl FileSettings {
    /// Stands for all settings that act on files written in `format`.
    pub(super) fn fingerprint(&self, format: Format, keeps_format: bool) -> String {
        file_state::fingerprint(&json!({
            "engine": self.stretch.engine.version(),
            "stretch": self.stretch.effective(),
            "format": format,
            "keeps_format": keeps_format,
            "encoding": self.encoding.effective(format),
            "keep": self.keep,
            "strict": self.strict,
            "keep_mtime": self.keep_mtime,
        }))
    }
}
