//! The report of a plan: what a run would do, and which problems it would meet.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{
    ErrorReport, JobReport, PathText, Report, SCHEMA_VERSION, SettingsReport, Status, UP_TO_DATE,
    WarningReport,
};
use crate::batch::{Action, Foreseen, Job, Plan, PlanEstimate, Why};
use audiostretchy_media::decode::AudioInfo;

/// The report of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanReport {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// `audiostretchy`.
    pub tool: String,
    /// The version of the program.
    pub version: String,
    /// The command line, starting with the program's name; empty if there was none.
    pub command: Vec<PathText>,
    /// The exit code of the program: 1 if any file would fail.
    pub exit_code: u8,
    /// The settings, with the source of each.
    pub settings: SettingsReport,
    /// The jobs of a project file, each with its own settings; `settings` has none then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<JobReport>,
    /// The number of files by planned action.
    pub counts: PlanCounts,
    /// Seconds of audio to stretch, as far as known.
    pub audio_seconds: f64,
    /// Estimated processing time in seconds.
    pub processing_seconds: f64,
    /// Warnings about the run as a whole.
    pub warnings: Vec<WarningReport>,
    /// The files, sorted by input path.
    pub files: Vec<PlannedFile>,
    /// Files that look like inputs but are not included.
    pub left_out: Vec<LeftOutFile>,
    /// Outputs that would be removed because their source no longer exists.
    pub to_prune: Vec<PathText>,
}

/// The number of files by planned action.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanCounts {
    /// All files.
    pub total: usize,
    /// Files to stretch.
    pub to_stretch: usize,
    /// Files to skip.
    pub to_skip: usize,
    /// Files that would fail.
    pub would_fail: usize,
}

/// What a run would do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PlannedAction {
    /// Stretch the file.
    Stretch,
    /// Skip the file.
    Skip,
    /// The file would fail.
    Fail,
}

/// The plan for one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedFile {
    /// The input file, or a folder that cannot be read.
    pub input: PathText,
    /// The output file; `None` for a folder that cannot be read.
    pub output: Option<PathText>,
    /// The job of the project file that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// The rule of that job that it fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The outputs of single chapters, where the file is to be split; `output` is the first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chapters: Vec<PathText>,
    /// The planned action.
    pub action: PlannedAction,
    /// Why it is stretched or skipped, in a few words; a file that would fail has an error instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'static, str>>,
    /// The audio according to the input's header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<PlannedSource>,
    /// Estimated length of the output in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_seconds: Option<f64>,
    /// Warnings that can be predicted.
    pub warnings: Vec<WarningReport>,
    /// Why the file would fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorReport>,
}

/// The audio according to an input's header.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedSource {
    /// Short name of the codec, such as `pcm_s16le` or `mp3`.
    pub codec: Cow<'static, str>,
    /// Sample rate in Hz.
    pub sample_rate: u32,
    /// Number of channels.
    pub channels: usize,
    /// Length in seconds, if the header gives it.
    pub seconds: Option<f64>,
}

/// A file that looks like an input but is not included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOutFile {
    /// The file.
    pub path: PathText,
    /// Why it is not included.
    pub reason: Cow<'static, str>,
}

impl PlanReport {
    /// Creates the report of a probed plan. `foreseen` is the result of [`Plan::foresee`], and
    /// `last` the report of the previous run, if there was one.
    pub fn new(
        plan: &Plan,
        foreseen: Vec<Foreseen>,
        expected: &PlanEstimate,
        settings: SettingsReport,
        last: Option<&Report>,
    ) -> Self {
        let failed: Vec<&PathText> = (last.into_iter())
            .flat_map(|last| last.with_status(Status::Failed))
            .filter_map(|file| file.output.as_ref())
            .collect();
        let jobs = plan.jobs.iter().zip(foreseen);
        let jobs = jobs.map(|(job, foreseen)| {
            let has_failed = || failed.contains(&&PathText::from(&job.output));
            PlannedFile::new(job, foreseen, expected, has_failed)
        });
        let unreadable = plan.unreadable.iter().map(|part| PlannedFile {
            input: (&part.path).into(),
            output: None,
            job: None,
            rule: None,
            chapters: Vec::new(),
            action: PlannedAction::Fail,
            reason: None,
            source: None,
            output_seconds: None,
            warnings: Vec::new(),
            error: Some(ErrorReport::new("unreadable", &part.source)),
        });
        let mut files: Vec<PlannedFile> = unreadable.chain(jobs).collect();
        files.sort_by(|a, b| (&a.input, &a.output).cmp(&(&b.input, &b.output)));
        let counts = PlanCounts::of(&files);
        let to_stretch = files
            .iter()
            .filter(|file| file.action == PlannedAction::Stretch);
        let seconds = to_stretch.filter_map(|file| file.source.as_ref()?.seconds);
        Self {
            schema_version: SCHEMA_VERSION,
            tool: env!("CARGO_PKG_NAME").into(),
            version: env!("CARGO_PKG_VERSION").into(),
            command: Vec::new(),
            exit_code: u8::from(counts.would_fail > 0),
            settings,
            jobs: Vec::new(),
            counts,
            audio_seconds: seconds.fold(0.0, |sum, seconds| sum + seconds),
            processing_seconds: expected.processing.as_secs_f64(),
            warnings: plan.warnings.iter().cloned().map(Into::into).collect(),
            files,
            left_out: (plan.left_out.iter())
                .map(|left_out| LeftOutFile {
                    path: (&left_out.path).into(),
                    reason: left_out.why.name().into(),
                })
                .collect(),
            to_prune: plan.to_prune.iter().map(PathText::from).collect(),
        }
    }
}

impl PlannedFile {
    fn new(
        job: &Job,
        foreseen: Foreseen,
        expected: &PlanEstimate,
        has_failed: impl FnOnce() -> bool,
    ) -> Self {
        let (action, reason) = match (&foreseen.error, job.action) {
            (Some(_), _) => (PlannedAction::Fail, None),
            (None, Action::Stretch(Why::New)) if has_failed() => {
                (PlannedAction::Stretch, Some("failed before"))
            }
            (None, Action::Stretch(why)) => (PlannedAction::Stretch, Some(why.name())),
            (None, Action::SkipExisting) => (PlannedAction::Skip, Some(super::OUTPUT_EXISTS)),
            (None, Action::SkipDone) => (PlannedAction::Skip, Some(super::DONE_BEFORE)),
            (None, Action::SkipChanged) => (
                PlannedAction::Skip,
                Some("up to date, but changed since it was made"),
            ),
            (None, Action::SkipUpToDate | Action::Refuse) => {
                (PlannedAction::Skip, Some(UP_TO_DATE))
            }
        };
        let audio = job.audio.as_ref();
        Self {
            input: (&job.input).into(),
            output: Some((&job.output).into()),
            job: job.request_name(),
            rule: job.rule_name(),
            chapters: match job.is_split() {
                true => job.outputs().map(PathText::from).collect(),
                false => Vec::new(),
            },
            action,
            reason: reason.map(Into::into),
            source: audio.map(|audio| PlannedSource {
                codec: audio.codec.into(),
                sample_rate: audio.sample_rate,
                channels: audio.channels,
                seconds: AudioInfo::seconds(audio),
            }),
            output_seconds: expected.output_seconds(job),
            warnings: foreseen.warnings.into_iter().map(Into::into).collect(),
            error: foreseen.error,
        }
    }
}

impl PlanCounts {
    fn of(files: &[PlannedFile]) -> Self {
        let count = |action| files.iter().filter(|file| file.action == action).count();
        Self {
            total: files.len(),
            to_stretch: count(PlannedAction::Stretch),
            to_skip: count(PlannedAction::Skip),
            would_fail: count(PlannedAction::Fail),
        }
    }
}
