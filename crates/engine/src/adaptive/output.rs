//! What has been rendered, and where each part of it came from.

use crate::time_map::TimePoint;

/// The output from a moving start on, interleaved, and its time map.
///
/// Positions are in frames from the start of the output.
pub(super) struct Output {
    channels: usize,
    start: i64,
    samples: Vec<f32>,
    /// What has been passed on.
    released: i64,
    /// Points not passed on yet, in rising order, if they are recorded.
    points: Option<Vec<TimePoint>>,
    last: TimePoint,
}

impl Output {
    /// Creates an empty output with room for `most` frames.
    pub(super) fn new(channels: usize, most: usize, record: bool) -> Self {
        Self {
            channels,
            start: 0,
            samples: Vec::with_capacity(most * channels),
            released: 0,
            // Two for each splice, and splices are some milliseconds apart.
            points: record.then(|| Vec::with_capacity(most / 16)),
            last: TimePoint::default(),
        }
    }

    pub(super) fn reset(&mut self) {
        self.start = 0;
        self.samples.clear();
        self.released = 0;
        self.last = TimePoint::default();
        if let Some(points) = &mut self.points {
            points.clear();
        }
    }

    /// Returns whether time points are recorded.
    pub(super) fn records(&self) -> bool {
        self.points.is_some()
    }

    /// Returns the position after the last frame.
    pub(super) fn end(&self) -> i64 {
        self.start + (self.samples.len() / self.channels) as i64
    }

    /// Returns the samples, to append whole frames to.
    pub(super) fn samples(&mut self) -> &mut Vec<f32> {
        &mut self.samples
    }

    /// Returns `frames` frames from a position on.
    pub(super) fn frames(&self, position: i64, frames: usize) -> &[f32] {
        let index = (position - self.start) as usize * self.channels;
        &self.samples[index..index + frames * self.channels]
    }

    /// As [`frames`](Self::frames), to change them: they must not have been passed on.
    pub(super) fn frames_mut(&mut self, position: i64, frames: usize) -> &mut [f32] {
        let index = (position - self.start) as usize * self.channels;
        &mut self.samples[index..index + frames * self.channels]
    }

    /// Returns the position up to which frames have been passed on.
    pub(super) fn released(&self) -> i64 {
        self.released
    }

    /// Returns the position of the first frame held.
    pub(super) fn start(&self) -> i64 {
        self.start
    }

    /// Removes everything from a position on.
    pub(super) fn truncate(&mut self, position: i64) {
        let index = (position - self.start) as usize * self.channels;
        self.samples.truncate(index);
        if let Some(points) = &mut self.points {
            while points
                .last()
                .is_some_and(|last| last.output > position as u64)
            {
                points.pop();
            }
            self.last = points.last().copied().unwrap_or(self.last);
        }
    }

    /// Notes that the output from one position on, up to another, is the input from a position on,
    /// at its own speed. What of it has been heard before is left out.
    pub(super) fn note_copy(&mut self, input: i64, output: i64, end: i64) {
        let heard = (self.last.input as i64 - input).max(0);
        if self.points.is_some() && output + heard < end {
            self.note(input + heard, output + heard);
            self.note(input + end - output, end);
        }
    }

    /// Notes that an input position went to an output position, unless that would lead back.
    pub(super) fn note(&mut self, input: i64, output: i64) {
        let Some(points) = &mut self.points else {
            return;
        };
        let point = TimePoint {
            input: input.max(0) as u64,
            output: output.max(0) as u64,
        };
        if point.input >= self.last.input && point.output > self.last.output {
            points.push(point);
            self.last = point;
        }
    }

    /// Passes on all frames before a position that have not been passed on, and their points.
    pub(super) fn release<T>(
        &mut self,
        position: i64,
        output: &mut Vec<T>,
        points: &mut Vec<TimePoint>,
        convert: impl Fn(f32) -> T,
    ) {
        if position <= self.released {
            return;
        }
        let frames = (position - self.released) as usize;
        let released = self.frames(self.released, frames).iter();
        output.extend(released.map(|&sample| convert(sample)));
        self.released = position;
        if let Some(own) = &mut self.points {
            let passed = own.partition_point(|point| point.output <= position as u64);
            points.extend(own.drain(..passed));
        }
    }

    /// Drops the frames before a position, which must have been passed on.
    pub(super) fn keep_from(&mut self, position: i64) {
        let dead = (position.min(self.released) - self.start).max(0) as usize;
        // Moving the rest takes time, so it is not done often.
        if dead * self.channels * 2 > self.samples.len() {
            self.samples.drain(..dead * self.channels);
            self.start += dead as i64;
        }
    }
}
