//! Reports of runs, as values for programs and as files for later reading.
//!
//! A [`Report`] is written as [`json`], which can be read back, and for continuous integration as
//! [`junit`] and [`markdown`], and to look at as [`html`].

mod escape;
mod event;
mod file;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod merge;
mod path;
mod plan;
mod settings;

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::batch::Plan;

pub use crate::pipeline::picture::{Picture, PictureChapter, Waveform};
pub use escape::visible;
pub use event::EventReport;
pub use file::{
    ChapterReport, DONE_BEFORE, ErrorReport, FileReport, GIVEN_UP, OUTPUT_EXISTS, ResultReport,
    SidecarReport, SourceReport, Status, UP_TO_DATE, WarningReport,
};
pub use path::PathText;
pub use plan::{LeftOutFile, PlanCounts, PlanReport, PlannedAction, PlannedFile, PlannedSource};
pub use settings::{JobReport, RuleReport, SettingReport, SettingsReport, by_part};

/// Version of the report's structure. It increases when readers have to change.
pub const SCHEMA_VERSION: u32 = 1;

/// The exit code of a run that could not write its results: the output folder was lost, or a report
/// could not be written.
pub const NOT_WRITTEN: u8 = 3;

/// The report of a whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// `audiostretchy`.
    pub tool: String,
    /// The version of the program.
    pub version: String,
    /// The command line, starting with the program's name; empty if there was none.
    pub command: Vec<PathText>,
    /// When the run started (RFC 3339, UTC); 1970 if the clock is set to an earlier time.
    pub started: String,
    /// Duration of the run in seconds.
    pub elapsed_seconds: f64,
    /// The part of the inputs that this run had, if not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<PartitionReport>,
    /// Seconds of work of all workers, if several runs were merged: they ran at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_seconds: Option<f64>,
    /// The outcome of the run.
    pub outcome: RunOutcome,
    /// The exit code of the program.
    pub exit_code: u8,
    /// The settings used, with the source of each.
    pub settings: SettingsReport,
    /// The jobs of a project file, each with its own settings; `settings` has none then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<JobReport>,
    /// The number of files by status.
    pub counts: Counts,
    /// Seconds of audio read, over all files that are done.
    pub audio_seconds: f64,
    /// Warnings about the run as a whole.
    #[serde(default)]
    pub warnings: Vec<WarningReport>,
    /// Outputs that were removed because their source no longer exists; sorted.
    #[serde(default)]
    pub pruned: Vec<PathText>,
    /// The files, sorted by input path.
    pub files: Vec<FileReport>,
}

/// The outcome of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunOutcome {
    /// Every file is done or up to date.
    Success,
    /// Some file failed.
    Failure,
    /// The run was interrupted.
    Interrupted,
    /// The run goes on, or was killed: this report was written at its start.
    Running,
}

impl RunOutcome {
    /// Returns the outcome in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Interrupted => "interrupted",
            Self::Running => "running",
        }
    }
}

/// The part of the inputs that a run had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionReport {
    /// The number of the partition, from 1.
    pub number: u64,
    /// How many partitions there are.
    pub count: u64,
    /// Files of this partition.
    pub files: usize,
    /// Files of all partitions.
    pub all_files: usize,
}

/// The number of files by status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All files.
    pub total: usize,
    /// Stretched in this run.
    pub done: usize,
    /// Skipped.
    pub skipped: usize,
    /// Failed.
    pub failed: usize,
    /// Not run.
    pub not_run: usize,
}

impl Report {
    /// Creates a report over `files` for a run that started at `started` and ends now.
    pub fn new(
        started: SystemTime,
        elapsed: Duration,
        settings: SettingsReport,
        mut files: Vec<FileReport>,
    ) -> Self {
        // In place: a stable sort would allocate memory for half of them.
        files.sort_unstable_by(|a, b| (&a.input, &a.output).cmp(&(&b.input, &b.output)));
        let counts = Counts::of(&files);
        let outcome = match counts.failed {
            0 => RunOutcome::Success,
            _ => RunOutcome::Failure,
        };
        let done = files.iter().filter_map(|file| file.source.as_ref());
        Self {
            schema_version: SCHEMA_VERSION,
            tool: env!("CARGO_PKG_NAME").into(),
            version: env!("CARGO_PKG_VERSION").into(),
            command: Vec::new(),
            started: humantime::format_rfc3339_seconds(started.max(SystemTime::UNIX_EPOCH))
                .to_string(),
            elapsed_seconds: elapsed.as_secs_f64(),
            partition: None,
            worker_seconds: None,
            outcome,
            exit_code: u8::from(outcome == RunOutcome::Failure),
            settings,
            jobs: Vec::new(),
            counts,
            audio_seconds: done.map(|source| source.seconds).sum(),
            warnings: Vec::new(),
            pruned: Vec::new(),
            files,
        }
    }

    /// Creates the report of a run that is about to begin, for whoever finds it if that is killed:
    /// what is to be done was not run.
    pub fn at_start(plan: &Plan, settings: SettingsReport) -> Self {
        let files = plan.jobs.iter().map(|job| {
            let (input, output) = (job.input.as_path(), job.output.as_path());
            let file = match job.is_to_stretch() {
                true => FileReport::not_run(input, output, "the run had not come to it"),
                false => FileReport::skipped(input, output, UP_TO_DATE),
            };
            file.part_of(job)
        });
        Self {
            outcome: RunOutcome::Running,
            exit_code: 1,
            partition: plan.partition,
            ..Self::new(SystemTime::now(), Duration::ZERO, settings, files.collect())
        }
    }

    /// Marks the run as interrupted. Its exit code becomes 1; a program that was stopped by a
    /// signal has an exit code of its own.
    #[must_use]
    pub fn interrupted(self) -> Self {
        Self {
            outcome: RunOutcome::Interrupted,
            exit_code: 1,
            ..self
        }
    }

    /// Marks the run as one whose output folder was removed or replaced, so that the outputs are
    /// not where they should be.
    pub(crate) fn output_lost(self) -> Self {
        Self {
            outcome: RunOutcome::Failure,
            exit_code: NOT_WRITTEN,
            ..self
        }
    }

    /// Returns the files that failed.
    pub fn failures(&self) -> impl Iterator<Item = &FileReport> {
        self.with_status(Status::Failed)
    }

    /// Returns the files with the given status.
    pub fn with_status(&self, status: Status) -> impl Iterator<Item = &FileReport> {
        self.files.iter().filter(move |file| file.status == status)
    }

    /// Returns the number of warnings of the run and its files.
    pub fn warning_count(&self) -> usize {
        let of_files = self.files.iter().map(|file| file.warnings.len());
        self.warnings.len() + of_files.sum::<usize>()
    }

    /// Returns the seconds of audio per second of the run, or `None` if nothing was processed.
    pub fn speed(&self) -> Option<f64> {
        let speed = quotient(self.audio_seconds, self.elapsed_seconds);
        speed.filter(|_| self.counts.done > 0)
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

/// Returns a quotient, or `None` if it is not finite, as JSON has no infinity.
fn quotient(dividend: f64, divisor: f64) -> Option<f64> {
    Some(dividend / divisor).filter(|quotient| quotient.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_before_1970_stands_still() {
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        let report = Report::new(
            before,
            Duration::ZERO,
            SettingsReport::default(),
            Vec::new(),
        );
        assert_eq!(report.started, "1970-01-01T00:00:00Z");
    }

    #[test]
    fn what_cannot_be_divided_is_left_out() {
        assert_eq!(quotient(1.0, 2.0), Some(0.5));
        assert_eq!(quotient(0.0, 0.0), None);
        assert_eq!(quotient(1.0, 0.0), None);
    }
}
