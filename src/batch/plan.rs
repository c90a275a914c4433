//! What is to be done: every input with its output, checked before anything is written.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rayon::prelude::*;

use super::job::{Action, Job};
use super::left_out::LeftOut;
use super::walk::Unreadable;
use super::workers;
use crate::pipeline::PipelineError;
use crate::pipeline::file::{self, FileError};
use crate::report::{ErrorReport, PartitionReport};
use audiostretchy_containers::input::Input;
use audiostretchy_containers::limits::Limits;
use audiostretchy_containers::warning::Warning;
use audiostretchy_media::decode::Decoder;

/// Everything a run will do.
#[derive(Debug, Default)]
pub struct Plan {
    /// The files, longest first once [`probe`](Self::probe) has been called.
    pub jobs: Vec<Job>,
    /// Parts of input folders that cannot be read.
    pub unreadable: Vec<Unreadable>,
    /// Files that look as if they should be taken and are not.
    pub left_out: Vec<LeftOut>,
    /// The output folders; none where a single file is written.
    pub folders: Vec<PathBuf>,
    /// What all jobs of a request have in common.
    pub(super) requests: Vec<PlannedRequest>,
    /// The part of the inputs that these files are, if not all.
    pub partition: Option<PartitionReport>,
    /// Files that are removed once all else went well.
    pub to_prune: Vec<PathBuf>,
    /// Warnings about the run as a whole.
    pub warnings: Vec<Warning>,
}

/// What all jobs of a request have in common.
#[derive(Debug)]
pub(super) struct PlannedRequest {
    /// The number of its output folder; `None` where it writes a single file.
    pub(super) folder: Option<usize>,
    /// Where the time map of a single file goes.
    pub(super) time_map: Option<PathBuf>,
    /// Where outputs are written until they are whole, if not beside their names.
    pub(super) temp_dir: Option<PathBuf>,
    /// Remove outputs whose source is gone.
    pub(super) prune: bool,
}

/// What a run would find of a file.
#[derive(Debug, Clone)]
pub struct Foreseen {
    /// Warnings that the run would give.
    pub warnings: Vec<Warning>,
    /// Why it would fail.
    pub error: Option<ErrorReport>,
}

impl Plan {
    /// Returns whether there is nothing to do and nothing to tell of.
    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty() && self.unreadable.is_empty()
    }

    /// Returns what a job has in common with the others of its request.
    pub(super) fn request_of(&self, job: &Job) -> &PlannedRequest {
        &self.requests[job.request]
    }

    /// Returns the folder that a job's output is in, by itself or in a folder there; `None` where it
    /// is a single file.
    pub fn folder_of(&self, job: &Job) -> Option<&Path> {
        let number = self.request_of(job).folder?;
        Some(&self.folders[number])
    }

    /// Reads the headers of the files to be stretched, on all processors, and puts the longest
    /// first. What cannot be read stays in the plan and will fail with its reason.
    pub fn probe(&mut self) {
        let probe = |job: &mut Job| {
            let decoder = Decoder::open(&job.input);
            job.audio = decoder.ok().map(|decoder| decoder.info().clone());
        };
        let jobs = &mut self.jobs;
        workers::in_parallel(|| {
            let jobs = jobs.par_iter_mut().filter(|job| job.is_to_stretch());
            jobs.for_each(probe);
        });
        jobs.sort_by(|a, b| b.seconds().total_cmp(&a.seconds()));
        let is_dull = |job: &Job| {
            job.is_to_stretch()
                && job.audio.as_ref().is_some_and(|audio| {
                    let encoding = &job.settings.encoding;
                    let channels = encoding.channels.count(audio.channels);
                    let rate = encoding.sample_rate.unwrap_or(audio.sample_rate);
                    encoding.asks_for_dull_sound(job.format, channels, rate)
                })
        };
        if jobs.iter().any(is_dull) {
            self.warnings.push(low_bitrate());
        }
    }

    /// What a run would find of each job, in their order, as far as the inputs' headers tell.
    ///
    /// `max_duration` is that of [`RunOptions`](super::RunOptions::max_duration).
    pub fn foresee(&self, max_duration: Option<Duration>) -> Vec<Foreseen> {
        let limits = Limits {
            max_duration: max_duration.unwrap_or(Limits::MAX_DURATION),
            ..Limits::default()
        };
        let foresee = |job: &Job| {
            let result = file::guarded(|| match job.action {
                Action::Refuse => Err(FileError::OutputChanged(job.output.clone())),
                Action::Stretch(_) => {
                    let input = Input::open(&job.input).map_err(PipelineError::from)?;
                    let pipeline = job.pipeline(&input, &limits)?;
                    pipeline.check_length()?;
                    Ok(pipeline.warnings().to_vec())
                }
                _ => Ok(Vec::new()),
            });
            let mut warnings = job.warnings.clone();
            let error = match result {
                Ok(more) => {
                    warnings.extend(more);
                    None
                }
                Err(error) => Some(ErrorReport::new(error.code(), &error)),
            };
            Foreseen { warnings, error }
        };
        workers::in_parallel(|| self.jobs.par_iter().map(foresee).collect())
    }

    /// Returns the files to be stretched.
    pub fn to_stretch(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter().filter(|job| job.is_to_stretch())
    }
}

/// Warns that M4A is asked for at a bit rate at which other formats sound better.
fn low_bitrate() -> Warning {
    let message = "stereo M4A below 160 kbit/s sounds dull: choose --bitrate 160 or more, or --format \
                   opus or mp3";
    Warning::new("low-bitrate", message)
}
