//! The result for a single file.

use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{PathText, Picture, quotient, visible};
use crate::batch::Job;
use crate::pipeline::{Outcome, SidecarOutcome};
use audiostretchy_containers::figures;
use audiostretchy_containers::warning::Warning;
use audiostretchy_media::encode::Encoded;

/// Reason for a skipped file: an earlier run made its output.
pub const UP_TO_DATE: &str = "up to date";
/// Reason for a skipped file: an earlier run processed it, and only new files were requested.
pub const DONE_BEFORE: &str = "done before";
/// Reason for a skipped file: the output path already exists.
pub const OUTPUT_EXISTS: &str = "the output exists";
/// Reason for a file that was not run: it was started, but aborted when the run was stopped.
pub const GIVEN_UP: &str = "given up when the run was stopped";

/// The final status of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// Stretched in this run.
    Done,
    /// Skipped; nothing was written.
    Skipped,
    /// Failed; nothing was written.
    Failed,
    /// Not started, or aborted when the run was stopped; nothing was written.
    NotRun,
}

impl Status {
    /// Returns the status in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::NotRun => "not run",
        }
    }
}

/// The report on one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileReport {
    /// The input file, or a folder that could not be read.
    pub input: PathText,
    /// The output file, written or planned; `None` for a folder that could not be read.
    pub output: Option<PathText>,
    /// The job of the project file that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// The rule of that job that it fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The final status.
    pub status: Status,
    /// Why the file was skipped or not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'static, str>>,
    /// The audio that was read, if the file is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceReport>,
    /// The audio that was written, if the file is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<ResultReport>,
    /// The outputs of single chapters, where the file was split; `output` is the first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chapters: Vec<ChapterReport>,
    /// Text files next to the input, if the file is done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sidecars: Vec<SidecarReport>,
    /// Warnings about this file.
    pub warnings: Vec<WarningReport>,
    /// Why the file failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorReport>,
    /// What a page draws of it, if that was asked for; of a file that is up to date, what was drawn
    /// when it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<Picture>,
    /// Seconds from the start of the run to that of the file, if it was taken up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_seconds: Option<f64>,
    /// The number of the worker that took it up, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<usize>,
    /// Processing time in seconds.
    pub elapsed_seconds: f64,
    /// Seconds of input audio per second of processing, if the file is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<f64>,
}

/// The audio that was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceReport {
    /// Short name of the container, such as `wave` or `mp3`.
    pub container: Cow<'static, str>,
    /// Short name of the codec, such as `pcm_s16le` or `mp3`.
    pub codec: Cow<'static, str>,
    /// Sample rate in Hz.
    pub sample_rate: u32,
    /// Number of channels.
    pub channels: usize,
    /// Bits per sample; `None` for lossy codecs.
    pub bits_per_sample: Option<u32>,
    /// Whether the samples are floating point.
    pub is_float: bool,
    /// Mean bit rate in kbit/s, if known.
    pub bitrate_kbps: Option<u32>,
    /// Length in frames according to the header, if it gives one.
    pub header_frames: Option<u64>,
    /// Number of frames read.
    pub frames: u64,
    /// Length read, in seconds.
    pub seconds: f64,
    /// Seconds of the audio found to lie in gaps.
    pub gap_seconds: f64,
    /// Seconds left out of long pauses.
    #[serde(default)]
    pub cut_seconds: f64,
    /// Damaged frames that were replaced by silence.
    #[serde(default)]
    pub lost_frames: u64,
    /// Size of the file in bytes, if known.
    #[serde(default)]
    pub bytes: Option<u64>,
}

/// The audio that was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResultReport {
    /// Name of the format.
    pub format: Cow<'static, str>,
    /// Sample rate in Hz.
    pub sample_rate: u32,
    /// Number of channels.
    pub channels: usize,
    /// Sample type and depth; `None` for lossy formats.
    pub bit_depth: Option<Cow<'static, str>>,
    /// Number of frames written.
    pub frames: u64,
    /// Length written, in seconds.
    pub seconds: f64,
    /// Actual output length divided by input length; `None` if there was no audio.
    pub ratio: Option<f64>,
    /// Seconds saved by pauses, which were cut or have a ratio of their own; less than 0 if they
    /// became longer.
    #[serde(default)]
    pub pauses_saved_seconds: f64,
    /// Seconds saved by the speed; less than 0 where audio is slowed down.
    #[serde(default)]
    pub speed_saved_seconds: f64,
    /// Samples beyond full scale that were clipped.
    pub clipped_samples: u64,
    /// Size of the file in bytes, if known.
    #[serde(default)]
    pub bytes: Option<u64>,
}

/// The output of one chapter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChapterReport {
    /// The output file.
    pub output: PathText,
    /// The chapter's title.
    pub title: String,
    /// Where it begins in the whole output, in seconds.
    pub start_seconds: f64,
    /// Number of frames written.
    pub frames: u64,
    /// Length written, in seconds.
    pub seconds: f64,
    /// Size of the file in bytes, if known.
    pub bytes: Option<u64>,
}

/// What became of a text file next to an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SidecarReport {
    /// The text file.
    pub input: PathText,
    /// Where it was written with its times moved; `None` if it was left behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<PathText>,
    /// Why it was left behind, said of the file: `cannot be read in line 3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl From<SidecarOutcome> for SidecarReport {
    fn from(outcome: SidecarOutcome) -> Self {
        let SidecarOutcome { input, result } = outcome;
        let (output, reason) = match result {
            Ok(output) => (Some((&output).into()), None),
            Err(reason) => (None, Some(reason)),
        };
        Self {
            input: (&input).into(),
            output,
            reason,
        }
    }
}

/// A warning: the result differs in some way from what was requested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarningReport {
    /// A stable code, in kebab case.
    pub code: Cow<'static, str>,
    /// What happened, in one sentence.
    pub message: String,
}

impl From<Warning> for WarningReport {
    fn from(warning: Warning) -> Self {
        Self {
            code: warning.code.into(),
            message: warning.message,
        }
    }
}

/// Why a file failed. Its `Display` is the message with all causes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorReport {
    /// A stable code, in kebab case.
    pub code: Cow<'static, str>,
    /// The error message, in one sentence.
    pub message: String,
    /// The causes, outermost first.
    pub causes: Vec<String>,
}

impl ErrorReport {
    /// Creates a report of an error with its causes.
    pub fn new(code: &'static str, error: &dyn std::error::Error) -> Self {
        let causes = std::iter::successors(error.source(), |&cause| cause.source());
        Self {
            code: code.into(),
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
    /// Creates the report for a file that has not been processed.
    pub fn new(input: &Path, output: Option<&Path>, status: Status) -> Self {
        Self {
            input: input.into(),
            output: output.map(PathText::from),
            job: None,
            rule: None,
            status,
            reason: None,
            source: None,
            result: None,
            chapters: Vec::new(),
            sidecars: Vec::new(),
            warnings: Vec::new(),
            error: None,
            picture: None,
            started_seconds: None,
            worker: None,
            elapsed_seconds: 0.0,
            speed: None,
        }
    }

    /// Adds the names of a job's request and rule.
    #[must_use]
    pub(crate) fn part_of(self, job: &Job) -> Self {
        Self {
            job: job.request_name(),
            rule: job.rule_name(),
            ..self
        }
    }

    /// Creates the report for a skipped file.
    pub fn skipped(input: &Path, output: &Path, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            reason: Some(reason.into()),
            ..Self::new(input, Some(output), Status::Skipped)
        }
    }

    /// Creates the report for a file that was not started.
    pub fn not_run(input: &Path, output: &Path, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            reason: Some(reason.into()),
            ..Self::new(input, Some(output), Status::NotRun)
        }
    }

    /// Creates the report for a finished file; reads the sizes of both files.
    pub fn done(input: &Path, output: &Path, outcome: Outcome, elapsed: Duration) -> Self {
        let Outcome { source, spec, .. } = outcome;
        let input_rate = f64::from(source.sample_rate);
        let seconds = outcome.input_frames as f64 / input_rate;
        let result_seconds = outcome.encoded.frames as f64 / f64::from(spec.sample_rate);
        let pauses_saved_seconds = outcome.pause_frames_saved / input_rate;
        let elapsed_seconds = elapsed.as_secs_f64();
        let lossless = spec.format.is_lossless();
        Self {
            source: Some(SourceReport {
                container: source.container.into(),
                codec: source.codec.into(),
                sample_rate: source.sample_rate,
                channels: source.channels,
                bits_per_sample: source.bits_per_sample,
                is_float: source.is_float,
                bitrate_kbps: source.bitrate_kbps,
                header_frames: source.frames,
                frames: outcome.input_frames,
                seconds,
                gap_seconds: outcome.gap_frames as f64 / input_rate,
                cut_seconds: outcome.cut_frames as f64 / input_rate,
                lost_frames: outcome.damage.lost_frames,
                bytes: bytes(input),
            }),
            result: Some(ResultReport {
                format: spec.format.name().into(),
                sample_rate: spec.sample_rate,
                channels: spec.channels,
                bit_depth: lossless.then(|| spec.bit_depth.name().into()),
                frames: outcome.encoded.frames,
                seconds: result_seconds,
                ratio: quotient(result_seconds, seconds),
                pauses_saved_seconds,
                speed_saved_seconds: seconds - result_seconds - pauses_saved_seconds,
                clipped_samples: outcome.encoded.clipped_samples,
                bytes: bytes(output),
            }),
            sidecars: outcome
                .sidecar_outcomes
                .into_iter()
                .map(Into::into)
                .collect(),
            picture: outcome.picture,
            warnings: outcome.warnings.into_iter().map(Into::into).collect(),
            elapsed_seconds,
            speed: quotient(seconds, elapsed_seconds),
            ..Self::new(input, Some(output), Status::Done)
        }
    }

    /// Adds the outputs of single chapters: their paths, titles, first frames in the whole and what
    /// was written to each, at a rate in Hz.
    pub(crate) fn with_chapters<'a>(
        mut self,
        chapters: impl Iterator<Item = (&'a Path, &'a str, (u64, Encoded))>,
        sample_rate: u32,
    ) -> Self {
        let seconds = |frames| frames as f64 / f64::from(sample_rate);
        let chapters = chapters.map(|(output, title, (start, encoded))| ChapterReport {
            output: output.into(),
            title: title.to_owned(),
            start_seconds: seconds(start),
            frames: encoded.frames,
            seconds: seconds(encoded.frames),
            bytes: bytes(output),
        });
        self.chapters = chapters.collect();
        if let Some(result) = &mut self.result {
            result.bytes = self.chapters.iter().map(|chapter| chapter.bytes).sum();
        }
        self
    }

    /// Creates the report for a failed file.
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

    /// Returns what else was written of the file, and what was left behind, a line each, safe to show.
    pub fn beside(&self) -> impl Iterator<Item = String> {
        let chapters = self.chapters.iter().map(|chapter| {
            let length = figures::length(chapter.seconds);
            format!("chapter {}: {length}", chapter.output)
        });
        let sidecars = self.sidecars.iter().map(|sidecar| {
            let input = &sidecar.input;
            match (&sidecar.output, &sidecar.reason) {
                (Some(output), _) => format!("moved {input} to {output}"),
                (None, reason) => {
                    let reason = visible(reason.as_deref().unwrap_or_default());
                    format!("left {input}: it {reason}")
                }
            }
        });
        chapters.chain(sidecars)
    }

    /// Returns why the file is not done: its error with all causes, or the reason; empty if it is
    /// done.
    pub fn explanation(&self) -> String {
        match (&self.error, &self.reason) {
            (Some(error), _) => error.to_string(),
            (None, Some(reason)) => reason.to_string(),
            (None, None) => String::new(),
        }
    }
}

fn bytes(file: &Path) -> Option<u64> {
    file.metadata().ok().map(|metadata| metadata.len())
}
