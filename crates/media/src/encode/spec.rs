//! How a file is to be encoded.

use crate::format::{BitDepth, EncoderEffort, Format};

/// Everything that an encoder needs to know before the first block.
#[derive(Debug, Clone, PartialEq)]
pub struct EncodeSpec {
    /// The file format.
    pub format: Format,
    /// Sample rate of the output in Hz: audio must come at this rate.
    pub sample_rate: u32,
    /// Number of channels.
    pub channels: usize,
    /// Speaker positions as in WAVE_FORMAT_EXTENSIBLE, if known.
    pub channel_mask: Option<u32>,
    /// Sample type and depth of lossless formats.
    pub bit_depth: BitDepth,
    /// Bit rate of lossy formats in kbit/s.
    pub bitrate_kbps: u32,
    /// Quality of lossy formats, 0 to 10, instead of the bit rate.
    pub quality: Option<f32>,
    /// Whether floats are dithered when they become 16-bit integers.
    pub dither: bool,
    /// How much time the encoder takes.
    pub encoder_effort: EncoderEffort,
}
