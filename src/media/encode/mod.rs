//! Encoding audio files: one file a format, all behind one trait.

mod aiff;
#[cfg(feature = "flac")]
mod flac;
#[cfg_attr(
    not(all(feature = "vorbis", feature = "opus", feature = "aac")),
    allow(dead_code) // Each of them uses some of it.
)]
mod layout;
#[cfg(feature = "aac")]
mod m4a;
#[cfg(feature = "mp3")]
mod mp3;
#[cfg(feature = "mp3")]
mod mp3_info;
#[cfg(feature = "opus")]
mod opus;
mod quantise;
#[cfg(feature = "vorbis")]
mod vorbis;
mod wav;

use std::io::{self, Seek, Write};

use super::decode::AudioInfo;
use super::format::{BitDepth, Format, OutputOptions};
use crate::options::SAMPLE_RATE;
use crate::warning::Warning;

/// A block of interleaved samples; full scale of floats is 1.0.
#[derive(Debug, Clone, Copy)]
pub enum Samples<'a> {
    /// 16-bit integers.
    Int16(&'a [i16]),
    /// 32-bit floats.
    Float32(&'a [f32]),
}

impl<'a> Samples<'a> {
    /// Samples of all channels together.
    pub fn len(self) -> usize {
        match self {
            Self::Int16(samples) => samples.len(),
            Self::Float32(samples) => samples.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The first `len` samples, or all if there are fewer, and the rest.
    pub fn split_at(self, len: usize) -> (Self, Self) {
        match self {
            Self::Int16(samples) => {
                let (first, rest) = samples.split_at(len.min(samples.len()));
                (Self::Int16(first), Self::Int16(rest))
            }
            Self::Float32(samples) => {
                let (first, rest) = samples.split_at(len.min(samples.len()));
                (Self::Float32(first), Self::Float32(rest))
            }
        }
    }

    /// The block in parts of at most `len` samples.
    pub fn chunks(self, len: usize) -> impl Iterator<Item = Self> {
        let (integers, floats): (&'a [i16], &'a [f32]) = match self {
            Self::Int16(samples) => (samples, &[]),
            Self::Float32(samples) => (&[], samples),
        };
        let integers = integers.chunks(len).map(Self::Int16);
        integers.chain(floats.chunks(len).map(Self::Float32))
    }
}

/// Where encoded bytes go.
pub trait Sink: Write + Seek + Send {}
impl<T: Write + Seek + Send> Sink for T {}

/// Writes one file's audio from start to end.
pub trait Encoder: Send {
    /// Encodes a block of whole frames.
    ///
    /// # Errors
    /// Where writing fails or the format cannot hold more.
    fn write(&mut self, samples: Samples<'_>) -> Result<(), EncodeError>;

    /// Writes all that is left and completes the header.
    ///
    /// # Errors
    /// Where writing fails.
    fn finish(self: Box<Self>) -> Result<Encoded, EncodeError>;
}

/// What an encoder has written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Encoded {
    /// Frames in the file, at the file's sample rate.
    pub frames: u64,
    /// Samples that lay beyond full scale and were limited.
    pub clipped_samples: u64,
}

/// What a format can hold; each format's file has its own.
struct Limits {
    /// The most channels.
    channels: usize,
    /// Sample types and depths, the smallest first; none for lossy formats.
    depths: &'static [BitDepth],
    /// The rate in Hz that audio of a rate is to be brought to: itself wherever it can be held.
    sample_rate: fn(u32) -> u32,
    /// The speakers of 1, 2 and more channels, where the format fixes them.
    layouts: &'static [&'static [u32]],
}

impl Limits {
    fn of(format: Format) -> Result<Self, EncodeError> {
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

    /// The depth itself wherever it can be held, or the largest there is.
    fn nearest_depth(&self, wanted: BitDepth) -> BitDepth {
        match self.depths {
            [.., largest] if !self.depths.contains(&wanted) => *largest,
            _ => wanted,
        }
    }
}

/// Why audio cannot be encoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The output cannot be written.
    #[error("cannot write the output")]
    Io(#[from] io::Error),
    /// The format's encoder was left out when this was built.
    #[error(
        "this build cannot write {}: build with the feature {:?}, or choose another --format",
        format.name(),
        format.feature().unwrap_or_default()
    )]
    NotBuiltIn {
        /// The output format.
        format: Format,
    },
    /// The format has no place for that many channels.
    #[error(
        "{} holds at most {most} channels and the audio has {channels}; choose another --format",
        format.name()
    )]
    TooManyChannels {
        /// The output format.
        format: Format,
        /// Channels that the format can hold.
        most: usize,
        /// Channels of the audio.
        channels: usize,
    },
    /// A specification that [`EncodeSpec::new`] would not have made.
    #[error("{} cannot be written with {value} as the {field}", format.name())]
    InvalidSpec {
        /// The output format.
        format: Format,
        /// The field of [`EncodeSpec`].
        field: &'static str,
        /// What it holds.
        value: String,
    },
    /// The audio is longer than a file of the format can be.
    #[error(
        "{} files hold at most {most_bytes} bytes and the audio needs more; choose another \
         --format, such as flac or wav",
        format.name()
    )]
    TooLong {
        /// The output format.
        format: Format,
        /// Bytes that a file of the format can have.
        most_bytes: u64,
    },
    /// The encoder refuses.
    #[error(
        "the {} encoder cannot encode this audio; choose another --format, --bitrate or --quality",
        format.name()
    )]
    Codec {
        /// The output format.
        format: Format,
        /// What the encoder says, for developers.
        message: String,
    },
}

/// More than any lossy format can take, in kbit/s; up to here, each takes the nearest it can.
const MAX_BITRATE_KBPS: u32 = 100_000;

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
}

impl EncodeSpec {
    /// Decides how audio of a source is encoded: what the options leave open is as in the source,
    /// and what the format cannot hold is converted with a warning.
    ///
    /// `sample_rate` is the rate asked for in Hz, 0 for that of the source.
    ///
    /// # Errors
    /// Where the format cannot hold the audio and no conversion is sensible.
    pub fn new(
        source: &AudioInfo,
        format: Format,
        options: &OutputOptions,
        sample_rate: u32,
    ) -> Result<(Self, Vec<Warning>), EncodeError> {
        let wanted_rate = match sample_rate {
            0 => source.sample_rate,
            rate => rate,
        };
        let limits = Limits::of(format)?;
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
            warnings.push(Warning::resampled(format, wanted_rate, sample_rate));
        }
        if let (Some(mask), Some(layout)) = (
            source.channel_mask,
            limits.layouts.get(source.channels.wrapping_sub(1)),
        ) && !layout::fits(layout, mask)
        {
            warnings.push(Warning::speakers_changed(format, source.channels));
        }
        let wanted_depth = options.bit_depth.unwrap_or(match source.bits_per_sample {
            Some(17..=24) if !source.is_float => BitDepth::Int24,
            Some(25..) => BitDepth::Float32,
            _ if source.is_float => BitDepth::Float32,
            _ => BitDepth::Int16,
        });
        let bit_depth = limits.nearest_depth(wanted_depth);
        if bit_depth != wanted_depth {
            warnings.push(Warning::bit_depth_reduced(format, wanted_depth, bit_depth));
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
        };
        Ok((spec, warnings))
    }

    /// Starts a file in `sink`, which the encoder buffers itself.
    ///
    /// # Errors
    /// Where the encoder refuses the specification or writing fails.
    pub fn start<'a>(&self, sink: impl Sink + 'a) -> Result<Box<dyn Encoder + 'a>, EncodeError> {
        self.validate()?;
        Ok(match self.format {
            Format::Wav => Box::new(wav::WavEncoder::new(self, sink)?),
            Format::Aiff => Box::new(aiff::AiffEncoder::new(self, sink)?),
            #[cfg(feature = "mp3")]
            Format::Mp3 => Box::new(mp3::Mp3Encoder::new(self, sink)?),
            #[cfg(feature = "flac")]
            Format::Flac => Box::new(flac::FlacEncoder::new(self, sink)?),
            #[cfg(feature = "vorbis")]
            Format::Ogg => Box::new(vorbis::VorbisEncoder::new(self, sink)?),
            #[cfg(feature = "opus")]
            Format::Opus => Box::new(opus::OpusEncoder::new(self, sink)?),
            #[cfg(feature = "aac")]
            Format::M4a | Format::M4b => Box::new(m4a::M4aEncoder::new(self, sink)?),
            #[allow(unreachable_patterns)] // Where all are built in.
            format => return Err(EncodeError::NotBuiltIn { format }),
        })
    }
}

impl EncodeSpec {
    /// Checks that the format can hold what the fields say.
    fn validate(&self) -> Result<(), EncodeError> {
        let limits = Limits::of(self.format)?;
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
}

/// The bit rate for a lossless source in kbit/s: 96 a channel, half of it up to 24 kHz.
fn default_bitrate_kbps(sample_rate: u32, channels: usize) -> u32 {
    let per_channel = if sample_rate <= 24_000 { 48 } else { 96 };
    per_channel * channels as u32
}
