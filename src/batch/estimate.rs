//! How long outputs will be, and how long that will take on this machine.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::job::Job;
use super::plan::Plan;
use super::workers;
use crate::pipeline::estimate::Trial;
use crate::pipeline::file::{self, FileError};
use crate::pipeline::{Pipeline, PipelineError};
use audiostretchy_containers::input::Input;
use audiostretchy_media::format::Format;

/// Files that are alike: codec in, format out, sample rate, channels, where their settings are.
type Kind = (&'static str, Format, u32, usize, usize);

/// How long a plan's outputs will be, and how long it will take.
#[derive(Debug, Clone)]
pub struct PlanEstimate {
    /// Time that the whole plan will take.
    pub processing: Duration,
    trials: HashMap<Kind, Option<Trial>>,
}

impl PlanEstimate {
    /// About how many seconds the output of a job will last, if the length of its input is known.
    pub fn output_seconds(&self, job: &Job) -> Option<f64> {
        let duration = job.stretch().duration;
        if duration != 0.0 {
            return Some(duration);
        }
        let trial = self.trials.get(&kind(job)?)?.as_ref()?;
        Some(job.audio.as_ref()?.seconds()? * trial.ratio)
    }
}

/// What a probed plan will give and take with `jobs` files at a time (0: one a processor).
///
/// Parts of one file of each kind are stretched in memory to learn this machine's speed.
pub fn estimate(plan: &Plan, jobs: usize) -> PlanEstimate {
    let jobs = workers::jobs_at_a_time(jobs);
    let mut trials = HashMap::new();
    let mut total = 0.0;
    let mut longest: f64 = 0.0;
    for job in plan.to_stretch() {
        let Some(kind) = kind(job) else { continue };
        let trial = trials.entry(kind).or_insert_with(|| try_out(job).ok());
        let cost = trial.map_or(0.0, |trial| trial.cost) * job.seconds();
        total += cost;
        longest = longest.max(cost);
    }
    PlanEstimate {
        processing: Duration::from_secs_f64((total / jobs as f64).max(longest)),
        trials,
    }
}

fn kind(job: &Job) -> Option<Kind> {
    let audio = job.audio.as_ref()?;
    let settings = Arc::as_ptr(&job.settings).addr();
    Some((
        audio.codec,
        job.format,
        audio.sample_rate,
        audio.channels,
        settings,
    ))
}

/// A file on which a decoder or encoder panics gives no estimate; so will its run.
fn try_out(job: &Job) -> Result<Trial, FileError> {
    file::guarded(|| {
        let input = Input::open(&job.input).map_err(PipelineError::from)?;
        let stretch = job.stretch();
        let pipeline = Pipeline::open(&input, &stretch, job.format, &job.settings.encoding)?;
        Ok(Trial::run(&input, pipeline, &stretch)?)
    })
}
