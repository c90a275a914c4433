//! Changing the sample rate of streamed audio.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler as _};

/// Frames given to the resampler at a time.
const CHUNK: usize = 1024;

/// Converts interleaved audio from one sample rate to another.
///
/// The output is exactly `ceil(input * to / from)` frames long and in step with the input: the
/// resampler's delay is cut off.
pub struct Resampler {
    inner: Fft<f32>,
    channels: usize,
    rates: (u64, u64),
    /// Input that does not fill a chunk yet.
    pending: Vec<f32>,
    scratch: Vec<f32>,
    /// Output frames still to be dropped, the resampler's delay.
    skip: usize,
    input_frames: u64,
    output_frames: u64,
}

/// A pair of sample rates that the resampler does not take.
#[derive(Debug, thiserror::Error)]
#[error("cannot convert from {from} Hz to {to} Hz")]
pub struct ResampleError {
    from: u32,
    to: u32,
    source: rubato::ResamplerConstructionError,
}

impl Resampler {
    /// A resampler between two rates in Hz.
    ///
    /// # Errors
    /// If a rate is 0.
    pub fn new(from: u32, to: u32, channels: usize) -> Result<Self, ResampleError> {
        let (input_rate, output_rate) = (from as usize, to as usize);
        let inner = Fft::new(input_rate, output_rate, CHUNK, channels, FixedSync::Input)
            .map_err(|source| ResampleError { from, to, source })?;
        Ok(Self {
            channels,
            rates: (from.into(), to.into()),
            pending: Vec::with_capacity(2 * CHUNK * channels),
            scratch: vec![0.0; inner.output_frames_max() * channels],
            skip: inner.output_delay(),
            input_frames: 0,
            output_frames: 0,
            inner,
        })
    }

    /// Takes in audio and appends to `output` what is ready, both interleaved.
    pub fn process(&mut self, input: &[f32], output: &mut Vec<f32>) {
        self.input_frames += (input.len() / self.channels) as u64;
        self.pending.extend_from_slice(input);
        let mut used = 0;
        loop {
            let needed = self.inner.input_frames_next();
            let left = (self.pending.len() - used) / self.channels;
            if left < needed {
                break;
            }
            used += self.convert(used, None, output) * self.channels;
        }
        self.pending.drain(..used);
    }

    /// Appends to `output` all that is left.
    pub fn finish(&mut self, output: &mut Vec<f32>) {
        let (from, to) = self.rates;
        self.finish_at((self.input_frames * to).div_ceil(from), output);
    }

    /// As [`finish`](Self::finish), with the length of the whole output given in frames: it differs
    /// from that of the input by less than a few frames of the lower rate.
    pub fn finish_at(&mut self, total: u64, output: &mut Vec<f32>) {
        let before = output.len() as u64 / self.channels as u64;
        let mut left = self.pending.len() / self.channels;
        let missing = total.saturating_sub(self.output_frames);
        while self.output_frames < total {
            self.convert(0, Some(left), output);
            self.pending.clear();
            left = 0;
        }
        output.truncate((before + missing) as usize * self.channels);
    }

    /// Converts one chunk of `pending` from value `start` on, or a partial one of `partial` frames;
    /// returns the frames consumed.
    fn convert(&mut self, start: usize, partial: Option<usize>, output: &mut Vec<f32>) -> usize {
        let frames = self.inner.input_frames_next();
        if partial.is_some() {
            self.pending.resize(start + frames * self.channels, 0.0);
        }
        let input = &self.pending[start..start + frames * self.channels];
        let input = InterleavedSlice::new(input, self.channels, frames).expect("size is right");
        let room = self.scratch.len() / self.channels;
        let mut scratch = InterleavedSlice::new_mut(&mut self.scratch, self.channels, room)
            .expect("size is right");
        let indexing = Indexing {
            partial_len: partial,
            ..Indexing::default()
        };
        let (consumed, written) = self
            .inner
            .process_into_buffer(&input, &mut scratch, Some(&indexing))
            .expect("buffers have the size that the resampler asks for");
        let skipped = self.skip.min(written);
        self.skip -= skipped;
        output.extend_from_slice(&self.scratch[skipped * self.channels..written * self.channels]);
        self.output_frames += (written - skipped) as u64;
        consumed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resample(input: &[f32], from: u32, to: u32, block: usize) -> Vec<f32> {
        let mut resampler = Resampler::new(from, to, 1).unwrap();
        let mut output = Vec::new();
        for part in input.chunks(block) {
            resampler.process(part, &mut output);
        }
        resampler.finish(&mut output);
        output
    }

    fn tone(rate: u32, frames: usize) -> Vec<f32> {
        let step = 440.0 * std::f64::consts::TAU / f64::from(rate);
        (0..frames)
            .map(|i| (0.5 * (i as f64 * step).sin()) as f32)
            .collect()
    }

    #[test]
    fn the_length_is_exact_for_any_rates_and_lengths() {
        for (from, to) in [
            (44_100, 48_000),
            (48_000, 44_100),
            (8_000, 48_000),
            (96_000, 8_000),
        ] {
            for frames in [0, 1, 5, 1023, 1024, 1025, 30_000] {
                let output = resample(&vec![0.1; frames], from, to, 777);
                let expected = (frames as u64 * u64::from(to)).div_ceil(u64::from(from));
                assert_eq!(
                    output.len() as u64,
                    expected,
                    "{frames} from {from} to {to}"
                );
            }
        }
    }

    #[test]
    fn a_tone_keeps_its_pitch_and_place() {
        for (from, to) in [(44_100, 48_000), (48_000, 16_000), (22_050, 44_100)] {
            let output = resample(&tone(from, from as usize), from, to, 500);
            let expected = tone(to, output.len());
            let middle = output.len() / 10..output.len() * 9 / 10;
            let worst = middle
                .map(|i| (output[i] - expected[i]).abs())
                .fold(0.0, f32::max);
            assert!(worst < 1e-4, "off by {worst} from {from} to {to}");
        }
    }

    #[test]
    fn the_block_size_does_not_matter() {
        let input = tone(44_100, 10_000);
        let whole = resample(&input, 44_100, 48_000, input.len());
        assert_eq!(resample(&input, 44_100, 48_000, 1), whole);
    }
}
