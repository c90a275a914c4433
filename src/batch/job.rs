//! One input of a plan, with its output and all that is to be written beside that.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::file_settings::FileSettings;
use crate::pipeline::atomic_file::Replace;
use crate::pipeline::file::FileError;
use crate::pipeline::file_state::FileState;
use crate::pipeline::parts::Part;
use crate::pipeline::{Pipeline, PipelineError};
use audiostretchy_containers::input::Input;
use audiostretchy_containers::limits::Limits;
use audiostretchy_containers::warning::Warning;
use audiostretchy_engine::StretchOptions;
use audiostretchy_media::decode::{AudioInfo, Decoder};
use audiostretchy_media::format::Format;

/// One input and its output.
#[derive(Debug, Clone)]
pub struct Job {
    /// The file to read.
    pub input: PathBuf,
    /// The file to write.
    pub output: PathBuf,
    /// The output's format, as far as names and options tell.
    pub format: Format,
    /// Whether that is the input's own, so that its content has a say in it.
    pub keeps_format: bool,
    /// Length of the output in seconds, if this one has its own.
    pub duration: Option<f64>,
    /// How it is converted.
    pub settings: Arc<FileSettings>,
    /// The request that it comes from, and the rule, if those have names.
    pub part_of: Option<Arc<PartOf>>,
    /// What is to be done.
    pub action: Action,
    /// Warnings that are known before the run.
    pub warnings: Vec<Warning>,
    /// What the input's header tells, once probed; `None` if it cannot be read.
    pub audio: Option<AudioInfo>,
    /// The number of its request, from 0.
    pub(super) request: usize,
    /// Where the input was found.
    pub(super) origin: Origin,
    /// Whether a file in the output's place may be replaced.
    pub(super) replace: Replace,
    /// The chapters that become outputs of their own; none where there is one output. The first of
    /// these is `output`.
    pub(super) parts: Vec<PartJob>,
    /// Text files beside the input, to be written beside the output with their times moved.
    pub(super) sidecars: Vec<SidecarJob>,
    /// Text files that an earlier run wrote beside the output and this one does not: their times
    /// would be wrong. They go, unless they have changed by then.
    pub(super) obsolete: Vec<(PathBuf, FileState)>,
    /// Stands for all settings that act on the file.
    pub(super) fingerprint: Arc<str>,
    /// Compare contents instead of modification times.
    pub(super) checksum: bool,
}

impl Job {
    pub(super) fn new(input: PathBuf, output: PathBuf, format: Format) -> Self {
        Self {
            input,
            output,
            format,
            keeps_format: false,
            duration: None,
            settings: Arc::default(),
            part_of: None,
            action: Action::Stretch(Why::New),
            warnings: Vec::new(),
            audio: None,
            request: 0,
            origin: Origin::default(),
            replace: Replace::Never,
            parts: Vec::new(),
            sidecars: Vec::new(),
            obsolete: Vec::new(),
            fingerprint: Arc::default(),
            checksum: false,
        }
    }

    /// Returns the path by which partitions are told apart: below the input folder, or as it stands in
    /// a list, or the name of a file that was given by itself.
    pub(super) fn path_in_input(&self) -> &Path {
        match (&self.origin.folder, self.origin.is_listed) {
            (Some(_), _) => &self.origin.path,
            (None, true) => &self.input,
            (None, false) => Path::new(self.input.file_name().unwrap_or_default()),
        }
    }

    /// Returns the name of its request.
    pub(crate) fn request_name(&self) -> Option<String> {
        Some(self.part_of.as_ref()?.request.to_string())
    }

    /// Returns the name of the rule that the file fits.
    pub(crate) fn rule_name(&self) -> Option<String> {
        Some(self.part_of.as_ref()?.rule.as_ref()?.to_string())
    }

    /// Returns whether each chapter becomes an output.
    pub fn is_split(&self) -> bool {
        !self.parts.is_empty()
    }

    /// Returns all outputs: several where the input is split.
    pub fn outputs(&self) -> impl Iterator<Item = &PathBuf> {
        let others = self.parts.iter().skip(1).map(|part| &part.output);
        std::iter::once(&self.output).chain(others)
    }

    /// Length of the input in seconds, as far as known; else 0.
    pub fn seconds(&self) -> f64 {
        let audio = self.audio.as_ref();
        audio.and_then(AudioInfo::seconds).unwrap_or(0.0)
    }

    /// Returns how the audio is stretched.
    pub(super) fn stretch(&self) -> Cow<'_, StretchOptions> {
        let stretch = &self.settings.stretch;
        match self.duration {
            None => Cow::Borrowed(stretch),
            Some(duration) => Cow::Owned(StretchOptions {
                duration,
                ..stretch.clone()
            }),
        }
    }

    /// Returns the job's pipeline, without what is kept beside the audio.
    pub(super) fn pipeline(&self, input: &Input, limits: &Limits) -> Result<Pipeline, FileError> {
        let start = match self.keeps_format {
            true => Pipeline::of_to_keep,
            false => Pipeline::of,
        };
        let decoder = Decoder::from_input_within(input, limits).map_err(PipelineError::from)?;
        let encoding = &self.settings.encoding;
        let pipeline = start(input, decoder, &self.stretch(), self.format, encoding);
        Ok(pipeline?)
    }

    /// Returns whether the file is to be stretched.
    pub fn is_to_stretch(&self) -> bool {
        matches!(self.action, Action::Stretch(_))
    }
}

/// Which part of a plan of several requests a job belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartOf {
    /// The name of the request.
    pub request: Arc<str>,
    /// The name of the rule that the file fits.
    pub rule: Option<Arc<str>>,
}

/// Where an input was found.
#[derive(Debug, Clone, Default)]
pub(super) struct Origin {
    /// The input folder, from the root; `None` of a file that was named by itself.
    pub(super) folder: Option<Arc<Path>>,
    /// The path below that folder; else from the root.
    pub(super) path: PathBuf,
    /// Whether a list names it.
    pub(super) is_listed: bool,
}

/// A chapter and its output.
#[derive(Debug, Clone)]
pub(super) struct PartJob {
    pub(super) part: Part,
    pub(super) output: PathBuf,
    /// Whether a file in the output's place may be replaced; of the first part, the job tells.
    pub(super) replace: Replace,
}

/// A text file beside an input and its counterpart beside the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SidecarJob {
    pub(super) source: PathBuf,
    /// The number of the chapter whose times it tells, from 0, where the input is split.
    pub(super) part: Option<usize>,
    pub(super) output: PathBuf,
    /// Whether a file in the counterpart's place may be replaced; `None` where the counterpart
    /// would take the place of a source, or cannot be divided among chapters, and is not written.
    pub(super) replace: Option<Replace>,
}

/// What a run does with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Stretch the file.
    Stretch(Why),
    /// Leave it: the output exists.
    SkipExisting,
    /// Leave it: an earlier run has made the output, and nothing has changed since.
    SkipUpToDate,
    /// Leave it: an earlier run has made it from the same source, whatever became of that since.
    SkipDone,
    /// Leave it: an earlier run has made the output from what is there now, and somebody has
    /// changed the output since. That is kept, with a warning.
    SkipChanged,
    /// Fail: the output would have to be made again, and what is in its place is not as an earlier
    /// run has left it.
    Refuse,
}

/// Why a file is stretched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// There is no output yet.
    New,
    /// The output, or a text file beside it, is gone.
    OutputMissing,
    /// The source, or a text file beside it, has changed.
    SourceChanged,
    /// Settings that act on the file have changed.
    SettingsChanged,
    /// A run was stopped in the very moment in which the output was to get its name.
    Unfinished,
    /// Outputs are to be replaced whatever they are.
    Overwrite,
}

impl Why {
    /// Returns the reason in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::OutputMissing => "output missing",
            Self::SourceChanged => "source changed",
            Self::SettingsChanged => "settings changed",
            Self::Unfinished => "not finished",
            Self::Overwrite => "to be replaced",
        }
    }
}
