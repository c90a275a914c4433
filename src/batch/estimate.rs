//! How long a plan will take on this machine.

use std::collections::HashMap;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::plan::{Job, Plan};
use crate::media::format::Format;
use crate::pipeline::Pipeline;

/// Longest time spent on one kind of file.
const TRIAL: Duration = Duration::from_millis(300);

/// Files that cost about the same per second: codec in, format out, sample rate, channels.
type Kind = (&'static str, Format, u32, usize);

/// The time that a probed plan will take with `jobs` files at a time (0: one a processor).
///
/// The beginning of one file of each kind is stretched in memory to learn this machine's speed.
pub fn estimate(plan: &Plan, jobs: usize) -> Duration {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = if jobs == 0 { processors } else { jobs };
    let mut costs: HashMap<Kind, f64> = HashMap::new();
    let mut total = 0.0;
    let mut longest: f64 = 0.0;
    for job in plan.to_stretch() {
        let Some(audio) = &job.audio else { continue };
        let kind = (audio.codec, job.format, audio.sample_rate, audio.channels);
        let cost = costs
            .entry(kind)
            .or_insert_with(|| cost_per_second(plan, job));
        let cost = *cost * job.seconds();
        total += cost;
        longest = longest.max(cost);
    }
    Duration::from_secs_f64((total / jobs as f64).max(longest))
}

/// Seconds of work per second of audio; 0 if the file fails.
fn cost_per_second(plan: &Plan, job: &Job) -> f64 {
    let opened = Pipeline::open(&job.input, &plan.stretch, job.format, &plan.encoding);
    let Ok(pipeline) = opened else { return 0.0 };
    let rate = f64::from(pipeline.source().sample_rate);
    let clock = Instant::now();
    let mut done = 0;
    let result = pipeline.run(Cursor::new(Vec::new()), &mut |frames| {
        done = frames;
        match clock.elapsed() < TRIAL {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    });
    match result {
        Err(crate::pipeline::PipelineError::Cancelled) | Ok(_) if done > 0 => {
            clock.elapsed().as_secs_f64() / (done as f64 / rate)
        }
        _ => 0.0,
    }
}
