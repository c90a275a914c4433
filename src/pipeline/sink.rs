//! The way of stretched audio into the encoder.

use audiostretchy_media::encode::{EncodeError, EncodeSpec, Sink};
use audiostretchy_media::resample::{ResampleError, Resampler};
use audiostretchy_media::samples::MediaSample;

use super::parts::Parts;

/// From the stretcher to the encoder: straight, or through a resampler.
pub(super) struct OutputPath {
    resampler: Option<Resampler>,
    floats: Vec<f32>,
    resampled: Vec<f32>,
}

impl OutputPath {
    /// Creates the way from stretched audio of a sample rate in Hz to an encoder.
    pub(super) fn new(sample_rate: u32, spec: &EncodeSpec) -> Result<Self, ResampleError> {
        let resampler = match sample_rate == spec.sample_rate {
            true => None,
            false => Some(Resampler::new(
                sample_rate,
                spec.sample_rate,
                spec.channels,
            )?),
        };
        Ok(Self {
            resampler,
            floats: Vec::new(),
            resampled: Vec::new(),
        })
    }

    pub(super) fn write<'a, T: MediaSample, S: Sink + 'a>(
        &mut self,
        block: &[T],
        parts: &mut Parts<'a, S>,
    ) -> Result<(), EncodeError> {
        let Some(resampler) = &mut self.resampler else {
            return parts.write(T::as_samples(block));
        };
        self.floats.clear();
        self.floats
            .extend(block.iter().map(|&sample| sample.to_f32()));
        self.resampled.clear();
        resampler.process(&self.floats, &mut self.resampled);
        parts.write(self.resampled[..].into())
    }

    /// Writes the rest; `frames` is the exact length of the whole, if there is one.
    pub(super) fn finish<'a, S: Sink + 'a>(
        &mut self,
        frames: Option<u64>,
        parts: &mut Parts<'a, S>,
    ) -> Result<(), EncodeError> {
        let Some(resampler) = &mut self.resampler else {
            return Ok(());
        };
        self.resampled.clear();
        match frames {
            Some(frames) => resampler.finish_at(frames, &mut self.resampled),
            None => resampler.finish(&mut self.resampled),
        }
        parts.write(self.resampled[..].into())
    }
}
