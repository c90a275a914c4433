//! What happened, as a value: for programs, and for people who come back later.

pub mod json;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::media::decode::AudioInfo;
use crate::pipeline::Outcome;
use crate::warning::Warning;

/// Version of the report's structure; it changes when a reader would have to.
pub const SCHEMA_VERSION: u32 = 1;

/// A whole run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// `audiostretchy`.
    pub tool: &'static str,
    /// The version of the program.
    pub version: &'static str,
    /// When the run began (RFC 3339, UTC).
    pub started: String,
    /// How long it took, in seconds.
    pub elapsed_seconds: f64,
    /// How it went.
    pub outcome: RunOutcome,
    /// What the program returns to its caller.
    pub exit_code: u8,
    /// The settings used and where each came from.
    pub settings: Value,
    /// How many files ended how.
    pub counts: Counts,
    /// Seconds of audio read from files that are done.
    pub audio_seconds: f64,
    /// The files, sorted by input path.
    pub files: Vec<FileReport>,
}

/// How a run went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Every file is done or up to date.
    Success,
    /// Some file failed.
    Failure,
    /// The run was asked to stop.
    Interrupted,
}

/// How many files ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All files.
    pub total: usize,
    /// Stretched in this run.
    pub done: usize,
    /// Left as they were.
    pub skipped: usize,
    /// Failed.
    pub failed: usize,
    /// Not taken up.
    pub not_run: usize,
}

/// How a file ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Stretched in this run.
    Done,
    /// Left as it was.
    Skipped,
    /// Failed; nothing was written.
    Failed,
    /// Not taken up.
    NotRun,
}

/// One file.
#[derive(Debug, Clone, Serialize)]
pub struct FileReport {
    /// The file read.
    pub input: PathText,
    /// The file written, or that would have been.
    pub output: Option<PathText>,
    /// How it ended.
    pub status: Status,
    /// Why it was skipped or not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// What was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceReport>,
    /// What was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<ResultReport>,
    /// What went other than asked.
    pub warnings: Vec<Warning>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorReport>,
    /// How long it took, in seconds.
    pub elapsed_seconds: f64,
    /// Seconds of input audio per second of work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed: Option<f64>,
}

/// A path; where it is not UTF-8, its bytes stand beside the readable form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PathText {
    /// A path that is UTF-8.
    Text(String),
    /// A path that is not.
    Bytes {
        /// The readable form, with replacement characters.
        text: String,
        /// The bytes of the path.
        bytes: Vec<u8>,
    },
}

impl From<&Path> for PathText {
    fn from(path: &Path) -> Self {
        match path.to_str() {
            Some(text) => Self::Text(text.to_owned()),
            None => Self::Bytes {
                text: path.to_string_lossy().into_owned(),
                bytes: path.as_os_str().as_encoded_bytes().to_vec(),
            },
        }
    }
}

impl PathText {
    /// The path.
    pub fn to_path_buf(&self) -> PathBuf {
        match self {
            Self::Text(text) => text.into(),
            #[cfg(unix)]
            Self::Bytes { bytes, .. } => {
                use std::os::unix::ffi::OsStrExt;
                std::ffi::OsStr::from_bytes(bytes).into()
            }
            // Elsewhere there is no safe way back from the bytes.
            #[cfg(not(unix))]
            Self::Bytes { text, .. } => text.into(),
        }
    }
}

/// The audio that was read.
#[derive(Debug, Clone, Serialize)]
pub struct SourceReport {
    /// Container, codec, sample rate in Hz, channels, bits, frames and bit rate of the header.
    #[serde(flatten)]
    pub info: AudioInfo,
    /// Frames read.
    pub decoded_frames: u64,
    /// The same in seconds.
    pub seconds: f64,
    /// Seconds of it found to lie in gaps.
    pub gap_seconds: f64,
}

/// The audio that was written.
#[derive(Debug, Clone, Serialize)]
pub struct ResultReport {
    /// Name of the format.
    pub format: &'static str,
    /// Sample rate in Hz.
    pub sample_rate: u32,
    /// Number of channels.
    pub channels: usize,
    /// Sample type and depth; `None` for lossy formats.
    pub bit_depth: Option<&'static str>,
    /// Frames written.
    pub frames: u64,
    /// The same in seconds.
    pub seconds: f64,
    /// Output length divided by input length, as it came out.
    pub ratio: f64,
    /// Samples beyond full scale that were limited.
    pub clipped_samples: u64,
}

/// Why a file failed.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorReport {
    /// A stable code, in kebab case.
    pub code: &'static str,
    /// The error in one sentence.
    pub message: String,
    /// What caused it, outermost first.
    pub causes: Vec<String>,
}

impl ErrorReport {
    /// An error with its causes.
    pub fn new(code: &'static str, error: &dyn std::error::Error) -> Self {
        let causes = std::iter::successors(error.source(), |&cause| cause.source());
        Self {
            code,
            message: error.to_string(),
            causes: causes.map(ToString::to_string).collect(),
        }
    }
}

impl std::fmt::Display for ErrorReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        for cause in &self.causes {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl FileReport {
    /// A file that nothing has been done with.
    pub fn new(input: &Path, output: Option<&Path>, status: Status) -> Self {
        Self {
            input: input.into(),
            output: output.map(PathText::from),
            status,
            reason: None,
            source: None,
            result: None,
            warnings: Vec::new(),
            error: None,
            elapsed_seconds: 0.0,
            speed: None,
        }
    }

    /// A file that is done.
    pub fn done(input: &Path, output: &Path, outcome: Outcome, elapsed: Duration) -> Self {
        let input_rate = f64::from(outcome.source.sample_rate);
        let seconds = outcome.input_frames as f64 / input_rate;
        let result_seconds = outcome.encoded.frames as f64 / f64::from(outcome.spec.sample_rate);
        let elapsed_seconds = elapsed.as_secs_f64();
        let lossless = outcome.spec.format.is_lossless();
        Self {
            source: Some(SourceReport {
                info: outcome.source,
                decoded_frames: outcome.input_frames,
                seconds,
                gap_seconds: outcome.gap_frames as f64 / input_rate,
            }),
            result: Some(ResultReport {
                format: outcome.spec.format.name(),
                sample_rate: outcome.spec.sample_rate,
                channels: outcome.spec.channels,
                bit_depth: lossless.then(|| outcome.spec.bit_depth.name()),
                frames: outcome.encoded.frames,
                seconds: result_seconds,
                ratio: result_seconds / seconds,
                clipped_samples: outcome.encoded.clipped_samples,
            }),
            warnings: outcome.warnings,
            elapsed_seconds,
            speed: Some(seconds / elapsed_seconds),
            ..Self::new(input, Some(output), Status::Done)
        }
    }

    /// A file that failed.
    pub fn failed(
        input: &Path,
        output: Option<&Path>,
        error: ErrorReport,
        elapsed: Duration,
    ) -> Self {
        Self {
            error: Some(error),
            elapsed_seconds: elapsed.as_secs_f64(),
            ..Self::new(input, output, Status::Failed)
        }
    }
}

impl Report {
    /// A report over `files` of a run that began at `started` and ends now.
    pub fn new(
        started: SystemTime,
        elapsed: Duration,
        settings: Value,
        mut files: Vec<FileReport>,
    ) -> Self {
        files.sort_by(|a, b| a.input.cmp(&b.input));
        let counts = Counts::of(&files);
        let outcome = match counts.failed {
            0 => RunOutcome::Success,
            _ => RunOutcome::Failure,
        };
        let done = files.iter().filter_map(|file| file.source.as_ref());
        Self {
            schema_version: SCHEMA_VERSION,
            tool: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            started: humantime::format_rfc3339_seconds(started).to_string(),
            elapsed_seconds: elapsed.as_secs_f64(),
            outcome,
            exit_code: u8::from(outcome == RunOutcome::Failure),
            settings,
            counts,
            audio_seconds: done.map(|source| source.seconds).sum(),
            files,
        }
    }

    /// The files that failed.
    pub fn failures(&self) -> impl Iterator<Item = &FileReport> {
        let failed = |file: &&FileReport| file.status == Status::Failed;
        self.files.iter().filter(failed)
    }
}

impl Counts {
    fn of(files: &[FileReport]) -> Self {
        let mut counts = Self {
            total: files.len(),
            ..Self::default()
        };
        for file in files {
            match file.status {
                Status::Done => counts.done += 1,
                Status::Skipped => counts.skipped += 1,
                Status::Failed => counts.failed += 1,
                Status::NotRun => counts.not_run += 1,
            }
        }
        counts
    }
}
