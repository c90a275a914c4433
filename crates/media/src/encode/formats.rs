//! Which format has which encoder, and how a file of it is encoded: the only place that knows all
//! formats.

use std::sync::Arc;

use audiostretchy_containers::warning::Warning;
use audiostretchy_engine::options::SAMPLE_RATE;

use super::encoder::{EncodeError, Encoder, Sink};
#[cfg(feature = "flac")]
use super::flac;
use super::in_order::Workers;
use super::limits::Limits;
#[cfg(feature = "aac")]
use super::m4a;
#[cfg(feature = "mp3")]
use super::mp3;
#[cfg(feature = "opus")]
use super::opus;
use super::spec::EncodeSpec;
#[cfg(feature = "vorbis")]
use super::vorbis;
use super::{aiff, wav};
use crate::channels;
use crate::decode::AudioInfo;
use crate::format::{BitDepth, Format, OutputOptions};

/// More than any lossy format can take, in kbit/s; up to here, each takes the nearest it can.
const MAX_BITRATE_KBPS: u32 = 100_000;

/// What a format can hold.
///
/// # Errors
/// Returns an error if its encoder is not built in.
fn limits_of(format: Format) -> Result<Limits, EncodeError> {
    Ok(match format {
        Format::Wav => wav::LIMITS,
        Format::Aiff => aiff::LIMITS,
        #[cfg(feature = "mp3")]
        Format::Mp3 => mp3::LIMITS,
        #[cfg(feature = "flac")]
        Format::Flac => flac::LIMITS,
        #[cfg(feature = "vorbis")]
        Format::Ogg => vorbis::LIMITS,
        #[cfg(feature = "opus")]
        Format::Opus => opus::LIMITS,
        #[cfg(feature = "aac")]
        Format::M4a | Format::M4b => m4a::LIMITS,
        #[allow(unreachable_patterns)] // Where all are built in.
        _ => return Err(EncodeError::NotBuiltIn { format }),
    })
}

impl EncodeSpec {
    /// Decides how audio of a source is encoded: what the options leave open is as in the source,
    /// and what the format cannot hold is converted with a warning.
    ///
    /// # Errors
    /// Returns an error if the format cannot hold the audio and no conversion is sensible.
    pub fn new(
        source: &AudioInfo,
        format: Format,
        options: &OutputOptions,
    ) -> Result<(Self, Vec<Warning>), EncodeError> {
        let wanted_rate = options.sample_rate.unwrap_or(source.sample_rate);
        let limits = limits_of(format)?;
        if source.channels > limits.channels {
            return Err(EncodeError::TooManyChannels {
                format,
                most: limits.channels,
                channels: source.channels,
            });
        }
        let mut warnings = Vec::new();
        let sample_rate = (limits.sample_rate)(wanted_rate);
        if sample_rate != wanted_rate {
            warnings.push(resampled(format, wanted_rate, sample_rate));
        }
        if let (Some(mask), Some(layout)) = (
            source.channel_mask,
            limits.layouts.get(source.channels.wrapping_sub(1)),
        ) && !channels::fits(layout, mask)
        {
            warnings.push(speakers_changed(format, source.channels));
        }
        let wanted_depth = options.bit_depth.unwrap_or(match source.bits_per_sample {
            Some(17..=24) if !source.is_float => BitDepth::Int24,
            Some(25..) => BitDepth::Float32,
            _ if source.is_float => BitDepth::Float32,
            _ => BitDepth::Int16,
        });
        let bit_depth = limits.nearest_depth(wanted_depth);
        if bit_depth != wanted_depth {
            warnings.push(bit_depth_reduced(format, wanted_depth, bit_depth));
        }
        let source_kbps = match source.bits_per_sample {
            None => source.bitrate_kbps,
            Some(_) => None,
        };
        let spec = Self {
            format,
            sample_rate,
            channels: source.channels,
            channel_mask: source.channel_mask,
            bit_depth,
            bitrate_kbps: options
                .bitrate_kbps
                .or(source_kbps)
                .map(|kbps| kbps.min(MAX_BITRATE_KBPS))
                .unwrap_or_else(|| default_bitrate_kbps(sample_rate, source.channels)),
            quality: options.quality,
            dither: options.dither,
            encoder_effort: options.encoder_effort,
        };
        Ok((spec, warnings))
    }

    /// Checks that the format can hold what the fields say.
    fn validate(&self) -> Result<(), EncodeError> {
        let limits = limits_of(self.format)?;
        let invalid = |field, value| EncodeError::InvalidSpec {
            format: self.format,
            field,
            value,
        };
        if !(1..=limits.channels).contains(&self.channels) {
            return Err(invalid("channels", self.channels.to_string()));
        }
        let is_rate = SAMPLE_RATE.contains(&self.sample_rate)
            && (limits.sample_rate)(self.sample_rate) == self.sample_rate;
        if !is_rate {
            return Err(invalid("sample_rate", self.sample_rate.to_string()));
        }
        if !self.format.is_lossless() && self.bitrate_kbps > MAX_BITRATE_KBPS {
            return Err(invalid("bitrate_kbps", self.bitrate_kbps.to_string()));
        }
        if limits.nearest_depth(self.bit_depth) != self.bit_depth {
            return Err(invalid("bit_depth", self.bit_depth.name().to_owned()));
        }
        Ok(())
    }

    /// Starts a file in `sink`, which the encoder buffers itself.
    ///
    /// # Errors
    /// Returns an error if the encoder refuses the specification or writing fails.
    pub fn start<'a>(&self, sink: impl Sink + 'a) -> Result<Box<dyn Encoder + 'a>, EncodeError> {
        self.start_with(sink, None)
    }

    /// As [`start`](Self::start); `workers` encode parts of the stream where the format can be
    /// encoded in parts. The bytes are the same.
    ///
    /// # Errors
    /// Returns the same errors as [`start`](Self::start).
    pub fn start_with<'a>(
        &self,
        sink: impl Sink + 'a,
        workers: Option<Arc<dyn Workers>>,
    ) -> Result<Box<dyn Encoder + 'a>, EncodeError> {
        self.validate()?;
        // The formats that are always there are not encoded in parts.
        let _ = &workers;
        Ok(match self.format {
            Format::Wav => Box::new(wav::WavEncoder::new(self, sink)?),
            Format::Aiff => Box::new(aiff::AiffEncoder::new(self, sink)?),
            #[cfg(feature = "mp3")]
            Format::Mp3 => Box::new(mp3::Mp3Encoder::new(self, sink, workers)?),
            #[cfg(feature = "flac")]
            Format::Flac => Box::new(flac::FlacEncoder::new(self, sink, workers)?),
            #[cfg(feature = "vorbis")]
            Format::Ogg => Box::new(vorbis::VorbisEncoder::new(self, sink)?),
            #[cfg(feature = "opus")]
            Format::Opus => Box::new(opus::OpusEncoder::new(self, sink, workers)?),
            #[cfg(feature = "aac")]
            Format::M4a | Format::M4b => Box::new(m4a::M4aEncoder::new(self, sink, workers)?),
            #[allow(unreachable_patterns)] // Where all are built in.
            format => return Err(EncodeError::NotBuiltIn { format }),
        })
    }
}

/// Returns the bit rate for a lossless source in kbit/s: 96 a channel, half of it up to 24 kHz.
fn default_bitrate_kbps(sample_rate: u32, channels: usize) -> u32 {
    let per_channel = if sample_rate <= 24_000 { 48 } else { 96 };
    per_channel * channels as u32
}

/// Warns that the format cannot hold the sample rate (both in Hz).
fn resampled(format: Format, from: u32, to: u32) -> Warning {
    let name = format.name();
    let message = format!("{name} cannot hold {from} Hz: converted to {to} Hz");
    Warning::new("resampled", message)
}

/// Warns that the format cannot hold the sample type and depth.
fn bit_depth_reduced(format: Format, from: BitDepth, to: BitDepth) -> Warning {
    let (name, from, to) = (format.name(), from.name(), to.name());
    let message = format!("{name} cannot hold samples of {from} bits: converted to {to} bits");
    Warning::new("bit-depth-reduced", message)
}

/// Warns that the format fixes the speakers for this number of channels, and the source has others.
fn speakers_changed(format: Format, channels: usize) -> Warning {
    let name = format.name();
    let message = format!(
        "{name} cannot hold the source's choice of {channels} speakers: players will use the usual \
         ones"
    );
    Warning::new("speakers-changed", message)
}
