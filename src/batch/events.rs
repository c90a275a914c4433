//! What a run tells while it goes on.

use super::job::Job;
use crate::report::{FileReport, Report};

/// Something that happened in a run. `index` is the job's place in the plan.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The run begins.
    RunStarted {
        /// Files to stretch.
        files: usize,
        /// Seconds of audio in them, as far as known.
        audio_seconds: f64,
    },
    /// A worker takes up a file.
    FileStarted {
        /// The job's place in the plan.
        index: usize,
        /// The job.
        job: &'a Job,
    },
    /// More of a file has been read.
    FileProgress {
        /// The job's place in the plan.
        index: usize,
        /// Seconds of its audio read so far.
        seconds: f64,
        /// Seconds of its audio in all, if its header tells.
        total_seconds: Option<f64>,
    },
    /// A file is done with, well or not.
    FileFinished {
        /// The job's place in the plan.
        index: usize,
        /// What became of it.
        report: &'a FileReport,
    },
    /// The run is over.
    RunFinished {
        /// Everything that happened.
        report: &'a Report,
    },
}
