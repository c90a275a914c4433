//! The TDHS engine: one stretcher, or two in cascade.

use self::stage::Stage;
use crate::options::StretchOptions;
use crate::sample::EngineSample;
use crate::time_map::{Cascade, TimePoint};

mod period;
mod stage;

/// Frames fed to the first stretcher at a time. Bounds the buffer between two in cascade.
const FEED_FRAMES: usize = 4096;

/// One stretcher, or two in cascade.
pub(crate) struct Tdhs<T> {
    first: Stage<T>,
    second: Option<Stage<T>>,
    /// Output of the first stretcher that the second has not consumed yet.
    middle: Vec<T>,
    /// Values fed to the first stretcher at a time. Always whole frames, as a stretcher that passes
    /// its input straight through would otherwise stop within a frame.
    feed_len: usize,
    cascade: Cascade,
    points: Vec<TimePoint>,
}

impl<T: EngineSample> Tdhs<T> {
    /// Creates a stretcher for valid options. If `record` is set, time points are recorded.
    pub(crate) fn new(
        options: &StretchOptions,
        sample_rate: u32,
        channels: usize,
        record: bool,
    ) -> Self {
        let cascade = options.uses_cascade();
        let (shortest, longest) = options.periods(sample_rate);
        // The most frames that one feed can release: its own, and those that were too few to search
        // in.
        let free_frames = FEED_FRAMES + 3 * longest;
        let most_cuts = if record { free_frames / shortest } else { 0 };
        let stage = || {
            Stage::new(
                channels,
                (shortest, longest),
                options.uses_fast_detection(sample_rate),
                record.then(|| Vec::with_capacity(most_cuts)),
            )
        };
        // A step at most doubles the length.
        let middle_frames = if cascade { 2 * free_frames } else { 0 };
        Self {
            first: stage(),
            second: cascade.then(stage),
            middle: Vec::with_capacity(middle_frames * channels),
            feed_len: FEED_FRAMES * channels,
            cascade: Cascade::with_capacity(most_cuts),
            points: Vec::with_capacity(most_cuts),
        }
    }

    /// Consumes interleaved `input`, and appends the output that is ready to `output`.
    pub(crate) fn process(&mut self, input: &[T], ratio: f32, output: &mut Vec<T>) {
        let (ratio, rest) = match self.second {
            None => (ratio, 1.0),
            Some(_) => split_ratio(ratio),
        };
        for part in input.chunks(self.feed_len) {
            match &mut self.second {
                None => self.first.process(part, ratio, output),
                Some(second) => {
                    self.middle.clear();
                    self.first.process(part, ratio, &mut self.middle);
                    second.process(&self.middle, rest, output);
                }
            }
            self.collect_points();
        }
    }

    /// Appends all remaining output, and resets the stretcher for the next piece of audio.
    pub(crate) fn finish(&mut self, output: &mut Vec<T>) {
        match &mut self.second {
            None => self.first.drain(output),
            Some(second) => {
                self.middle.clear();
                self.first.drain(&mut self.middle);
                second.process(&self.middle, 1.0, output);
                second.drain(output);
                second.reset();
            }
        }
        self.first.reset();
        self.collect_points();
        self.cascade.reset();
    }

    /// Returns the time points recorded since they were last cleared.
    pub(crate) fn points(&mut self) -> &mut Vec<TimePoint> {
        &mut self.points
    }

    fn collect_points(&mut self) {
        let Some(first) = self.first.points() else {
            return;
        };
        match self.second.as_mut().and_then(Stage::points) {
            None => self.points.append(first),
            Some(second) => self.cascade.join(first, second, &mut self.points),
        }
    }
}

/// Splits a ratio into the part that the first stretcher can do and the rest for the second.
fn split_ratio(ratio: f32) -> (f32, f32) {
    let first = ratio.clamp(0.5, 2.0);
    let rest = f64::from(ratio) / f64::from(first);
    (first, rest as f32)
}
