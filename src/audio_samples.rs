//! Samples in memory, of either type.

use crate::engine::{PositionMapper, Sample, Stretcher, level_db};
use crate::media::encode::Samples;
use crate::options::{OptionError, StretchOptions};

/// Frames worked on at a time.
pub const BLOCK_FRAMES: usize = 4096;

/// Samples in memory, interleaved.
#[derive(Debug, Clone, PartialEq)]
pub enum AudioSamples {
    /// 16-bit integers: what 16-bit sources are kept as.
    Int16(Vec<i16>),
    /// 32-bit floats with full scale at 1.0: what all other sources are kept as.
    Float32(Vec<f32>),
}

impl From<Vec<i16>> for AudioSamples {
    fn from(samples: Vec<i16>) -> Self {
        Self::Int16(samples)
    }
}

impl From<Vec<f32>> for AudioSamples {
    fn from(samples: Vec<f32>) -> Self {
        Self::Float32(samples)
    }
}

impl AudioSamples {
    /// The samples as encoders take them.
    pub fn as_samples(&self) -> Samples<'_> {
        match self {
            Self::Int16(samples) => Samples::Int16(samples),
            Self::Float32(samples) => Samples::Float32(samples),
        }
    }

    /// Stretches them; `rate` is in Hz, and `mapper` is told where its positions go, if it has any.
    pub(crate) fn stretched(
        &self,
        options: &StretchOptions,
        rate: u32,
        channels: usize,
        mapper: Option<&mut PositionMapper>,
    ) -> Result<Self, OptionError> {
        Ok(match self {
            Self::Int16(samples) => stretch(samples, options, rate, channels, mapper)?.into(),
            Self::Float32(samples) => stretch(samples, options, rate, channels, mapper)?.into(),
        })
    }

    /// Level in dB of the mean of the channels, 0 being a sine at full scale.
    pub(crate) fn level_db(&self, channels: usize) -> f64 {
        match self {
            Self::Int16(samples) => level_db(samples, channels),
            Self::Float32(samples) => level_db(samples, channels),
        }
    }
}

fn stretch<T: Sample>(
    samples: &[T],
    options: &StretchOptions,
    rate: u32,
    channels: usize,
    mut mapper: Option<&mut PositionMapper>,
) -> Result<Vec<T>, OptionError> {
    let mut stretcher = match mapper {
        Some(_) => Stretcher::with_time_map(options, rate, channels)?,
        None => Stretcher::new(options, rate, channels)?,
    };
    let mut output = Vec::new();
    let mut blocks = samples.chunks(BLOCK_FRAMES * channels);
    loop {
        let block = blocks.next();
        match block {
            Some(block) => stretcher.process(block, &mut output),
            None => stretcher.finish(&mut output),
        }
        if let Some(mapper) = &mut mapper {
            mapper.advance(stretcher.drain_time_points());
        }
        if block.is_none() {
            return Ok(output);
        }
    }
}
