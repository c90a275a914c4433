//! One stretcher: ratios from 0.5 to 2.0.

use super::period::PeriodSearch;
use crate::sample::{EngineSample, cross_fade};
use crate::time_map::TimePoint;

/// One TDHS stretcher over a sliding window of interleaved audio.
pub(crate) struct Stage<T> {
    channels: usize,
    longest_period: usize,
    fast: bool,
    /// In values: history before `tail`, unread audio from `tail` to `head`, then free space.
    window: Vec<T>,
    tail: usize,
    head: usize,
    /// The number of values by which the output is longer than the ratio requires.
    surplus: f32,
    search: PeriodSearch,
    /// Frames consumed and frames written so far.
    position: TimePoint,
    /// The positions after every step, if recorded.
    points: Option<Vec<TimePoint>>,
}

impl<T: EngineSample> Stage<T> {
    /// Creates a stretcher for periods between two lengths in frames. If `points` is given, time
    /// points are recorded in it.
    pub(crate) fn new(
        channels: usize,
        (shortest, longest): (usize, usize),
        fast: bool,
        points: Option<Vec<TimePoint>>,
    ) -> Self {
        // History, the input of one step, and space to add input without moving the window every
        // step.
        let frames = longest + 3 * longest + (6 * longest).max(4096);
        Self {
            channels,
            longest_period: longest,
            fast,
            window: vec![T::default(); frames * channels],
            tail: longest * channels,
            head: longest * channels,
            surplus: 0.0,
            search: PeriodSearch::new(channels, shortest, longest, fast),
            position: TimePoint::default(),
            points,
        }
    }

    /// Resets the stretcher to its initial state; recorded time points are kept.
    pub(crate) fn reset(&mut self) {
        self.tail = self.longest_period * self.channels;
        self.head = self.tail;
        self.window[..self.tail].fill(T::default());
        self.surplus = 0.0;
        self.position = TimePoint::default();
    }

    /// Returns the time points recorded since they were last cleared.
    pub(crate) fn points(&mut self) -> Option<&mut Vec<TimePoint>> {
        self.points.as_mut()
    }

    /// Consumes `input` and appends the output that is ready to `output`, both interleaved.
    pub(crate) fn process(&mut self, mut input: &[T], ratio: f32, output: &mut Vec<T>) {
        while !input.is_empty() {
            let room = self.window.len() - self.head;
            let (now, later) = input.split_at(room.min(input.len()));
            self.window[self.head..self.head + now.len()].copy_from_slice(now);
            self.head += now.len();
            input = later;
            self.run(ratio, output);
            self.make_room();
        }
        if ratio == 1.0 && self.surplus == 0.0 {
            self.drain(output);
        }
    }

    /// Writes the remaining input unchanged.
    pub(crate) fn drain(&mut self, output: &mut Vec<T>) {
        let start = output.len();
        output.extend_from_slice(&self.window[self.tail..self.head]);
        let consumed = self.head - self.tail;
        self.advance(consumed, output.len() - start);
    }

    fn run(&mut self, ratio: f32, output: &mut Vec<T>) {
        let periods = if self.fast { 3 } else { 2 };
        let needed = periods * self.longest_period * self.channels;
        while self.head - self.tail >= needed {
            let audio = &self.window[self.tail..self.head];
            let period = if ratio == 1.0 && self.surplus == 0.0 {
                self.longest_period
            } else {
                self.search.find(audio)
            };
            self.step(period * self.channels, ratio, output);
        }
    }

    /// Writes one cut at a period of `n` values.
    fn step(&mut self, n: usize, ratio: f32, output: &mut Vec<T>) {
        let wide = f64::from(ratio);
        // Output periods for every two input periods: 1, 2, 3 or 4.
        let halves = if self.surplus == 0.0 {
            (2.0 * wide + 0.5).floor()
        } else if self.surplus > 0.0 {
            (2.0 * wide).floor()
        } else {
            (2.0 * wide).ceil()
        } as u32;
        let times = if halves == 4 && self.fast { 2 } else { 1 };
        for _ in 0..times {
            let start = output.len();
            let x = &self.window[self.tail..];
            let consumed = match halves {
                1 => {
                    cross_fade(&x[..n], &x[n..2 * n], output);
                    2 * n
                }
                2 => {
                    output.extend_from_slice(&x[..2 * n]);
                    2 * n
                }
                3 => {
                    output.extend_from_slice(&x[..n]);
                    cross_fade(&x[n..2 * n], &x[..n], output);
                    output.extend_from_slice(&x[n..2 * n]);
                    2 * n
                }
                _ => {
                    let back = &self.window[self.tail - n..];
                    cross_fade(&x[..2 * n], &back[..2 * n], output);
                    n
                }
            };
            let written = output.len() - start;
            self.surplus = if halves == 2 && ratio == 1.0 {
                0.0
            } else {
                (f64::from(self.surplus) + (written as f64 - consumed as f64 * wide)) as f32
            };
            self.advance(consumed, written);
        }
    }

    fn advance(&mut self, consumed: usize, written: usize) {
        self.tail += consumed;
        self.position.input += (consumed / self.channels) as u64;
        self.position.output += (written / self.channels) as u64;
        if let Some(points) = &mut self.points
            && consumed > 0
        {
            points.push(self.position);
        }
    }

    /// Moves the history and the unread audio to the front of the window.
    fn make_room(&mut self) {
        let history = self.longest_period * self.channels;
        let start = self.tail - history;
        self.window.copy_within(start..self.head, 0);
        self.tail = history;
        self.head -= start;
    }
}
