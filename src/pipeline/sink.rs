//! The way of stretched audio into the encoder.

use audiostretchy_media::decode::AudioInfo;
use audiostretchy_media::encode::{EncodeError, Encoder};
use audiostretchy_media::resample::{ResampleError, Resampler};
use audiostretchy_media::samples::MediaSample;

/// From the stretcher to the encoder: straight, or through a resampler.
pub(super) struct OutputPath {
    resampler: Option<Resampler>,
    floats: Vec<f32>,
    resampled: Vec<f32>,
}

impl OutputPath {
    pub(super) fn new(source: &AudioInfo, rate: u32) -> Result<Self, ResampleError> {
        let resampler = match rate == source.sample_rate {
            true => None,
            false => Some(Resampler::new(source.sample_rate, rate, source.channels)?),
        };
        Ok(Self {
            resampler,
            floats: Vec::new(),
            resampled: Vec::new(),
        })
    }

    pub(super) fn write<T: MediaSample>(
        &mut self,
        block: &[T],
        encoder: &mut dyn Encoder,
    ) -> Result<(), EncodeError> {
        let Some(resampler) = &mut self.resampler else {
            return encoder.write(T::as_samples(block));
        };
        self.floats.clear();
        self.floats
            .extend(block.iter().map(|&sample| sample.to_f32()));
        self.resampled.clear();
        resampler.process(&self.floats, &mut self.resampled);
        encoder.write(self.resampled[..].into())
    }

    pub(super) fn finish(&mut self, encoder: &mut dyn Encoder) -> Result<(), EncodeError> {
        let Some(resampler) = &mut self.resampler else {
            return Ok(());
        };
        self.resampled.clear();
        resampler.finish(&mut self.resampled);
        encoder.write(self.resampled[..].into())
    }
}
