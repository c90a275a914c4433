//! Finds silent gaps block by block.

use super::options::StretchOptions;
use super::sample::EngineSample;

/// Consecutive blocks that must be quiet before the middle one counts as a gap.
pub(crate) const QUIET_BLOCKS: u32 = 3;

/// Splits audio into blocks and decides for each whether it lies within a gap.
///
/// A block is decided once the block after it is complete, so up to two blocks are buffered.
pub(crate) struct GapDetector<T> {
    channels: usize,
    block_len: usize,
    threshold_db: f64,
    current: Vec<T>,
    /// The block before `current`, not yet decided.
    waiting: Vec<T>,
    quiet_run: u32,
    gap_frames: u64,
}

impl<T: EngineSample> GapDetector<T> {
    /// Creates a detector for the blocks and the threshold that the options ask for.
    pub(crate) fn new(channels: usize, options: &StretchOptions, sample_rate: u32) -> Self {
        let block_len = block_frames(options, sample_rate) * channels;
        Self {
            channels,
            block_len,
            threshold_db: f64::from(options.threshold_gap_db),
            current: Vec::with_capacity(block_len),
            waiting: Vec::with_capacity(block_len),
            quiet_run: 1,
            gap_frames: 0,
        }
    }

    /// Returns the number of frames found to lie in gaps so far.
    pub(crate) fn gap_frames(&self) -> u64 {
        self.gap_frames
    }

    fn reset(&mut self) {
        self.current.clear();
        self.waiting.clear();
        self.quiet_run = 1;
    }

    /// Consumes interleaved audio, and calls `judged` for every decided block.
    pub(crate) fn process(&mut self, mut input: &[T], mut judged: impl FnMut(&[T], bool)) {
        while !input.is_empty() {
            let room = self.block_len - self.current.len();
            let (now, later) = input.split_at(room.min(input.len()));
            self.current.extend_from_slice(now);
            input = later;
            if self.current.len() == self.block_len {
                self.complete_block(&mut judged);
            }
        }
    }

    /// Decides the remaining blocks; the last one may be short.
    pub(crate) fn finish(&mut self, mut judged: impl FnMut(&[T], bool)) {
        if !self.current.is_empty() {
            self.complete_block(&mut judged);
        }
        self.judge_waiting(&mut judged);
        self.reset();
    }

    fn complete_block(&mut self, judged: &mut impl FnMut(&[T], bool)) {
        self.quiet_run = if self.is_quiet() {
            self.quiet_run + 1
        } else {
            0
        };
        self.judge_waiting(judged);
        std::mem::swap(&mut self.current, &mut self.waiting);
        self.current.clear();
    }

    fn judge_waiting(&mut self, judged: &mut impl FnMut(&[T], bool)) {
        let is_gap = self.quiet_run >= QUIET_BLOCKS;
        if is_gap {
            self.gap_frames += (self.waiting.len() / self.channels) as u64;
        }
        if !self.waiting.is_empty() {
            judged(&self.waiting, is_gap);
        }
    }

    /// Returns whether the level of the current block, relative to a full-scale sine, is at or
    /// below the threshold.
    fn is_quiet(&self) -> bool {
        level_db(&self.current, self.channels) <= self.threshold_db
    }
}

/// Returns the frames of a block of [`StretchOptions::buffer_ms`].
pub(crate) fn block_frames(options: &StretchOptions, sample_rate: u32) -> usize {
    (f64::from(sample_rate) * f64::from(options.buffer_ms) / 1000.0) as usize
}

/// Returns the level in dB of the mean of the channels of interleaved samples; a full-scale sine
/// has 0 dB.
pub(crate) fn level_db<T: EngineSample>(samples: &[T], channels: usize) -> f64 {
    let frames = samples.chunks_exact(channels);
    let count = frames.len().max(1) as f64;
    let energy: f64 = frames
        .map(|frame| {
            let sum: f64 = frame.iter().map(|value| value.to_16_bit_scale()).sum();
            let mean = sum / channels as f64;
            mean * mean
        })
        .sum();
    10.0 * (energy / count / (32768.0 * 32767.0 / 2.0)).log10()
}
