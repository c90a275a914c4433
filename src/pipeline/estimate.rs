//! How long an output will be, and how long that will take on this machine.

use std::io::Cursor;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use audiostretchy_containers::input::Input;
use audiostretchy_engine::{StretchOptions, Stretcher};
use audiostretchy_media::decode::Decoder;
use audiostretchy_media::format::{Format, OutputOptions};

use super::{Pipeline, PipelineError, count_frames};

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
    /// Returns the same errors as [`Pipeline::open`], and where those parts cannot be decoded.
    pub(crate) fn new(
        input: &Input,
        stretch: &StretchOptions,
        format: Format,
        encoding: &OutputOptions,
    ) -> Result<Self, PipelineError> {
        let pipeline = Pipeline::open(input, stretch, format, encoding)?;
        let source = pipeline.source().clone();
        let output_rate = f64::from(pipeline.spec().sample_rate);
        let trial = Trial::run(input, pipeline, stretch)?;
        let input_frames = match source.frames {
            Some(frames) => frames,
            None => count_frames(Decoder::from_input(input)?, || ControlFlow::Continue(()))?,
        };
        stretch.for_input(input_frames, source.sample_rate)?;
        let input_seconds = input_frames as f64 / f64::from(source.sample_rate);
        let output_seconds = match stretch.duration {
            0.0 => input_seconds * trial.ratio,
            duration => duration,
        };
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
pub(crate) struct Trial {
    /// Seconds of work per second of audio.
    pub cost: f64,
    /// Output length divided by input length.
    pub ratio: f64,
}

impl Trial {
    pub(crate) fn run(
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
            pipeline.sampled()
        } else {
            pipeline
        };
        let clock = Instant::now();
        let mut done = 0;
        let result = pipeline.run(vec![Cursor::new(Vec::new())], &mut |progress| {
            done = progress.frames;
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
            ratio: match stretch.finds_pauses() {
                true => ratio_with_gaps(input, stretch, is_long)?,
                false => stretch.ratio,
            },
        })
    }
}

/// Returns the ratio that parts of a file get, gaps and all.
fn ratio_with_gaps(
    input: &Input,
    stretch: &StretchOptions,
    is_long: bool,
) -> Result<f64, PipelineError> {
    let mut decoder = Decoder::from_input(input)?;
    if is_long {
        decoder.start_sampling();
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
