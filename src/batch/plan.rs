//! What is to be done: every input with its output, checked before anything is written.

use std::path::PathBuf;

use rayon::prelude::*;

use super::job::Job;
use super::walk::Unreadable;
use super::workers;
use crate::media::decode::Decoder;
use crate::media::format::OutputOptions;
use crate::options::{Keep, StretchOptions};
use crate::warning::Warning;

/// Everything a run will do.
#[derive(Debug)]
pub struct Plan {
    /// The files, longest first once [`probe`](Self::probe) has been called.
    pub jobs: Vec<Job>,
    /// Parts of input folders that cannot be read.
    pub unreadable: Vec<Unreadable>,
    /// The output folder; `None` where a single file is written.
    pub folder: Option<PathBuf>,
    /// How audio is to be stretched.
    pub stretch: StretchOptions,
    /// How output is to be encoded.
    pub encoding: OutputOptions,
    /// What is kept beside the audio.
    pub keep: Keep,
    /// Where the time map of a single file goes.
    pub time_map: Option<PathBuf>,
    /// Give outputs the modification time of their inputs.
    pub keep_mtime: bool,
    /// Make damaged inputs fail instead of filling them up with silence.
    pub strict: bool,
    /// What goes other than asked, of the run as a whole.
    pub warnings: Vec<Warning>,
}

impl Plan {
    /// What is kept of each file beside the audio.
    pub(super) fn keep(&self) -> Keep {
        Keep {
            time_map: self.time_map.is_some(),
            ..self.keep
        }
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
    }

    /// The files to be stretched.
    pub fn to_stretch(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter().filter(|job| job.is_to_stretch())
    }
}
