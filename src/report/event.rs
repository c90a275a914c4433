//! What happens during a run, as it is written: see `schema/events.schema.json`.

use serde::Serialize;

use super::{Counts, FileReport, PathText, Report, RunOutcome, SCHEMA_VERSION};
use crate::batch::{Event, Job, Plan};
use audiostretchy_media::decode::AudioInfo;

/// An event, to be serialised.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EventReport<'a> {
    /// The run begins.
    RunStarted {
        /// Version of the schema.
        schema_version: u32,
        /// The program.
        tool: &'a str,
        /// Its version.
        version: &'a str,
        /// Files to stretch.
        files: usize,
        /// Seconds of audio in them, as far as known.
        audio_seconds: f64,
    },
    /// A worker takes up a file.
    FileStarted {
        /// The file's place in the plan.
        index: usize,
        /// The input.
        input: PathText,
        /// The output.
        output: PathText,
        /// Seconds of audio, if known.
        audio_seconds: Option<f64>,
    },
    /// More of a file has been read.
    FileProgress {
        /// The file's place in the plan.
        index: usize,
        /// The input.
        input: PathText,
        /// Seconds of audio read so far.
        seconds: f64,
        /// Seconds of audio in all, if known.
        audio_seconds: Option<f64>,
    },
    /// A file is done with, well or not.
    FileFinished {
        /// The file's place in the plan.
        index: usize,
        /// The input.
        input: &'a PathText,
        /// What became of it.
        file: &'a FileReport,
    },
    /// The run is over.
    RunFinished {
        /// How it ended.
        outcome: RunOutcome,
        /// The program's exit code.
        exit_code: u8,
        /// How long it took.
        elapsed_seconds: f64,
        /// Files by what became of them.
        counts: Counts,
        /// Seconds of audio that were stretched.
        audio_seconds: f64,
    },
}

impl<'a> EventReport<'a> {
    /// Returns what is written of an event in a run of `plan`.
    pub fn new(event: Event<'a>, plan: &Plan) -> Self {
        let input = |index: usize| PathText::from(&plan.jobs[index].input);
        match event {
            Event::RunStarted {
                files,
                audio_seconds,
            } => Self::RunStarted {
                schema_version: SCHEMA_VERSION,
                tool: env!("CARGO_PKG_NAME"),
                version: env!("CARGO_PKG_VERSION"),
                files,
                audio_seconds,
            },
            Event::FileStarted { index, job } => Self::FileStarted {
                index,
                input: input(index),
                output: (&job.output).into(),
                audio_seconds: length(job),
            },
            Event::FileProgress { index, seconds, .. } => Self::FileProgress {
                index,
                input: input(index),
                seconds,
                audio_seconds: length(&plan.jobs[index]),
            },
            Event::FileFinished { index, report } => Self::FileFinished {
                index,
                input: &report.input,
                file: report,
            },
            Event::RunFinished { report } => report.into(),
        }
    }
}

impl From<&Report> for EventReport<'_> {
    fn from(report: &Report) -> Self {
        Self::RunFinished {
            outcome: report.outcome,
            exit_code: report.exit_code,
            elapsed_seconds: report.elapsed_seconds,
            counts: report.counts,
            audio_seconds: report.audio_seconds,
        }
    }
}

fn length(job: &Job) -> Option<f64> {
    job.audio.as_ref().and_then(AudioInfo::seconds)
}
