//! The part of the input that the engine still needs, and its mix to one channel.

use std::collections::VecDeque;

use super::Frames;

/// Samples are limited to this magnitude, so that no sum of squares overflows.
const LIMIT: f32 = 1e6;

/// The energy of the mean of all channels, relative to the mean of their energies, below which the
/// channels are taken to cancel out; and the level from which on they no longer do.
const CANCELS: (f64, f64) = (0.01, 0.02);

/// Blocks that are kept longer than needed, before all are dropped at once.
const DEAD_BLOCKS: usize = 16;

/// Blocks over which energies are compared.
const ENERGY_BLOCKS: usize = 6;

/// Returns a sample without what would make sums meaningless: not a number, infinite or huge.
pub(super) fn limited(value: f32) -> f32 {
    if value.is_nan() {
        0.0
    } else {
        value.clamp(-LIMIT, LIMIT)
    }
}

/// The input from a moving start to the last complete block, interleaved, and its mix.
///
/// Positions are in frames from the start of the audio. Before it, and after its end, are zeros.
pub(super) struct Input {
    channels: usize,
    block: usize,
    /// The position of the first frame held.
    start: i64,
    samples: Vec<f32>,
    /// One value per frame, on which all decisions are based. It is complete up to the last whole
    /// block; the frames after it are not visible yet.
    mono: Vec<f32>,
    mix: Mix,
    history: usize,
}

impl Input {
    /// Creates an input whose audio becomes visible in blocks of `block` frames, with `history`
    /// frames of zeros before it, and room for `ahead` frames after it.
    pub(super) fn new(channels: usize, block: usize, history: usize, ahead: usize) -> Self {
        let most = history + ahead + (DEAD_BLOCKS + 2) * block;
        let mut input = Self {
            channels,
            block,
            start: 0,
            samples: Vec::with_capacity(most * channels),
            mono: Vec::with_capacity(most),
            mix: Mix::new(channels),
            history,
        };
        input.reset();
        input
    }

    /// Forgets the audio.
    pub(super) fn reset(&mut self) {
        self.start = -(self.history as i64);
        self.samples.clear();
        self.samples.resize(self.history * self.channels, 0.0);
        self.mono.clear();
        self.mono.resize(self.history, 0.0);
        self.mix.reset();
    }

    /// Returns the number of channels.
    pub(super) fn channels(&self) -> usize {
        self.channels
    }

    /// Returns how many frames can be added before a block is complete.
    pub(super) fn room(&self) -> usize {
        let added = self.samples.len() / self.channels - self.mono.len();
        self.block - added
    }

    /// Adds interleaved samples, at most [`room`](Self::room) frames. Returns whether a block has
    /// become visible.
    pub(super) fn push(&mut self, samples: impl Iterator<Item = f32>) -> bool {
        self.samples.extend(samples.map(limited));
        let is_full = self.room() == 0;
        if is_full {
            self.mix.add(
                &self.samples[self.mono.len() * self.channels..],
                &mut self.mono,
            );
        }
        is_full
    }

    /// Fills the current block with zeros, and adds at least `frames` more.
    pub(super) fn pad(&mut self, frames: usize) {
        let blocks = 1 + frames.div_ceil(self.block);
        for _ in 0..blocks {
            let zeros = self.room() * self.channels;
            self.push(std::iter::repeat_n(0.0, zeros));
        }
    }

    /// Returns the position after the last visible frame.
    pub(super) fn end(&self) -> i64 {
        self.start + self.mono.len() as i64
    }

    /// Drops what lies before a position.
    pub(super) fn keep_from(&mut self, position: i64) {
        let dead = (position - self.start).max(0) as usize;
        // Moving the rest takes time, so it is not done often.
        if dead < DEAD_BLOCKS * self.block {
            return;
        }
        self.samples.drain(..dead * self.channels);
        self.mono.drain(..dead);
        self.start += dead as i64;
    }

    fn index(&self, position: i64) -> usize {
        debug_assert!(position >= self.start, "{position} is no longer held");
        (position - self.start) as usize
    }

    /// Returns `frames` values of the mix from a position on.
    pub(super) fn mono(&self, position: i64, frames: usize) -> &[f32] {
        let index = self.index(position);
        &self.mono[index..index + frames]
    }

    /// Returns `frames` frames from a position on, interleaved.
    pub(super) fn frames(&self, position: i64, frames: usize) -> Frames<'_> {
        let index = self.index(position) * self.channels;
        &self.samples[index..index + frames * self.channels]
    }

    /// Returns the share of each channel in the mix of the newest block.
    pub(super) fn weights(&self) -> &[f32] {
        &self.mix.weights
    }
}

/// Mixes the channels to one: their mean, or the loudest channel where they cancel out.
struct Mix {
    weights: Vec<f32>,
    next: Vec<f32>,
    /// For each of the last blocks, the energy of each channel and of their mean.
    energies: VecDeque<f64>,
    /// The channel that stands for all, while they cancel out.
    loudest: Option<usize>,
}

impl Mix {
    fn new(channels: usize) -> Self {
        Self {
            weights: vec![1.0 / channels as f32; channels],
            next: vec![0.0; channels],
            energies: VecDeque::with_capacity((ENERGY_BLOCKS + 1) * (channels + 1)),
            loudest: None,
        }
    }

    fn reset(&mut self) {
        let share = 1.0 / self.weights.len() as f32;
        self.weights.fill(share);
        self.energies.clear();
        self.loudest = None;
    }

    /// Appends the mix of a block to `mono`. Where the weights change, they do so gradually over
    /// the block.
    fn add(&mut self, block: Frames<'_>, mono: &mut Vec<f32>) {
        let channels = self.weights.len();
        match channels {
            1 => return mono.extend_from_slice(block),
            _ => self.choose(block),
        }
        let frames = block.len() / channels;
        let start = mono.len();
        mono.resize(start + frames, 0.0);
        let mono = &mut mono[start..];
        for (channel, (weight, next)) in self.weights.iter_mut().zip(&self.next).enumerate() {
            let slope = (next - *weight) / frames as f32;
            let values = block[channel..].iter().step_by(channels);
            for ((mixed, value), i) in mono.iter_mut().zip(values).zip(1..) {
                *mixed += (*weight + slope * i as f32) * value;
            }
            *weight = *next;
        }
    }

    /// Sets the weights to be reached at the end of a block.
    fn choose(&mut self, block: Frames<'_>) {
        let channels = self.weights.len();
        let energy = |channel: usize| -> f64 {
            let values = block[channel..].iter().step_by(channels);
            values
                .map(|&value| f64::from(value) * f64::from(value))
                .sum()
        };
        self.energies.extend((0..channels).map(energy));
        let means = block.chunks_exact(channels).map(|frame| {
            let mean = frame.iter().map(|&value| f64::from(value)).sum::<f64>() / channels as f64;
            mean * mean
        });
        self.energies.push_back(means.sum());
        if self.energies.len() > ENERGY_BLOCKS * (channels + 1) {
            self.energies.drain(..=channels);
        }
        let total = |channel: usize| -> f64 {
            self.energies
                .iter()
                .skip(channel)
                .step_by(channels + 1)
                .sum()
        };
        let energy = (0..channels).map(total).sum::<f64>() / channels as f64;
        let level = match self.loudest {
            None => CANCELS.0,
            Some(_) => CANCELS.1,
        };
        if total(channels) >= level * energy {
            self.loudest = None;
        } else if self.loudest.is_none() {
            self.loudest = (0..channels).max_by(|&a, &b| total(a).total_cmp(&total(b)));
        }
        match self.loudest {
            None => self.next.fill(1.0 / channels as f32),
            Some(loudest) => {
                self.next.fill(0.0);
                self.next[loudest] = 1.0;
            }
        }
    }
}
