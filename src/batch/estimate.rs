//! How long outputs will be, and how long that will take on this machine.

use std::collections::HashMap;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::file::{self, FileError};
use super::job::Job;
use super::plan::Plan;
use super::workers;
use crate::engine::Stretcher;
use crate::media::decode::Decoder;
use crate::media::format::{Format, OutputOptions};
use crate::media::input::Input;
use crate::options::StretchOptions;
use crate::pipeline::{Pipeline, PipelineError};

/// Seconds of audio from which on a file is looked at here and there instead of in order.
const LONG: f64 = 20.0;

/// Longest time spent on a trial.
const TRIAL: Duration = Duration::from_millis(300);

/// What stretching a file will give, and how long that will take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Length of the input in frames.
    pub input_frames: u64,
    /// Length of the input in seconds.
    pub input_seconds: f64,
    /// Length of the output in frames, at its own sample rate.
    pub output_frames: u64,
    /// Length of the output in seconds.
    pub output_seconds: f64,
    /// Time that this machine will take for the file alone.
    pub processing: Duration,
}

impl Estimate {
    /// The estimate for an input, parts of which are stretched in memory.
    ///
    /// # Errors
    /// As [`Pipeline::open`], and where those parts cannot be decoded.
    pub(crate) fn new(
        input: &Input,
        stretch: &StretchOptions,
        format: Format,
        encoding: &OutputOptions,
    ) -> Result<Self, PipelineError> {
        let pipeline = Pipeline::open_input(input, stretch, format, encoding)?;
        let source = pipeline.source().clone();
        let output_rate = f64::from(pipeline.spec().sample_rate);
        let trial = Trial::run(input, pipeline, stretch)?;
        let input_frames = match source.frames {
            Some(frames) => frames,
            None => count_frames(input)?,
        };
        let input_seconds = input_frames as f64 / f64::from(source.sample_rate);
        let output_seconds = input_seconds * trial.ratio;
        Ok(Self {
            input_frames,
            input_seconds,
            output_frames: (output_seconds * output_rate).round() as u64,
            output_seconds,
            processing: Duration::from_secs_f64(input_seconds * trial.cost),
        })
    }
}

/// What was learned from parts of a file, or all of it if it is short.
#[derive(Debug, Clone, Copy)]
struct Trial {
    /// Seconds of work per second of audio.
    cost: f64,
    /// Output length divided by input length.
    ratio: f64,
}

impl Trial {
    fn run(
        input: &Input,
        pipeline: Pipeline,
        stretch: &StretchOptions,
    ) -> Result<Self, PipelineError> {
        let rate = f64::from(pipeline.source().sample_rate);
        let is_long = pipeline
            .source()
            .seconds()
            .is_some_and(|length| length > LONG);
        let pipeline = if is_long {
            pipeline.on_tour()
        } else {
            pipeline
        };
        let clock = Instant::now();
        let mut done = 0;
        let result = pipeline.run(Cursor::new(Vec::new()), &mut |frames| {
            done = frames;
            match clock.elapsed() < TRIAL {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        });
        let elapsed = clock.elapsed().as_secs_f64();
        match result {
            Ok(_) | Err(PipelineError::Cancelled) => {}
            Err(error) => return Err(error),
        }
        Ok(Self {
            cost: elapsed / (done.max(1) as f64 / rate),
            ratio: match stretch.has_gap_ratio() {
                true => ratio_with_gaps(input, stretch, is_long)?,
                false => stretch.ratio.into(),
            },
        })
    }
}

/// The ratio that parts of a file get, gaps and all.
fn ratio_with_gaps(
    input: &Input,
    stretch: &StretchOptions,
    is_long: bool,
) -> Result<f64, PipelineError> {
    let mut decoder = Decoder::from_input(input)?;
    if is_long {
        decoder.start_tour();
    }
    let (rate, channels) = (decoder.info().sample_rate, decoder.info().channels);
    let mut stretcher = Stretcher::<f32>::new(stretch, rate, channels)?;
    let (mut block, mut output, mut output_len) = (Vec::new(), Vec::new(), 0);
    let clock = Instant::now();
    while clock.elapsed() < TRIAL && decoder.next_block(&mut block)? {
        stretcher.process(&block, &mut output);
        output_len += std::mem::take(&mut output).len();
    }
    stretcher.finish(&mut output);
    output_len += output.len();
    Ok(output_len as f64 / (decoder.frames().max(1) as usize * channels) as f64)
}

fn count_frames(input: &Input) -> Result<u64, PipelineError> {
    let mut decoder = Decoder::from_input(input)?;
    let mut block = Vec::<f32>::new();
    while decoder.next_block(&mut block)? {}
    Ok(decoder.frames())
}

/// Files that are alike: codec in, format out, sample rate, channels.
type Kind = (&'static str, Format, u32, usize);

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
        let trial = trials
            .entry(kind)
            .or_insert_with(|| try_out(plan, job).ok());
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
    Some((audio.codec, job.format, audio.sample_rate, audio.channels))
}

/// A file on which a decoder or encoder panics gives no estimate; so will its run.
fn try_out(plan: &Plan, job: &Job) -> Result<Trial, FileError> {
    file::guarded(|| {
        let input = Input::open(&job.input).map_err(PipelineError::from)?;
        let pipeline = Pipeline::open_input(&input, &plan.stretch, job.format, &plan.encoding)?;
        Ok(Trial::run(&input, pipeline, &plan.stretch)?)
    })
}
