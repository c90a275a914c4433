//! The formats that can be written, and how output is to be encoded.

use audiostretchy_engine::OptionError;
use audiostretchy_engine::options::SAMPLE_RATE;
use serde::Serialize;

/// A file format that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Format {
    /// WAV: PCM of 16 or 24 bits, or 32-bit float.
    Wav,
    /// MP3 (MPEG audio layer III).
    Mp3,
    /// FLAC: 16 or 24 bits, lossless.
    Flac,
    /// AIFF: PCM of 16 or 24 bits, or AIFF-C with 32-bit float.
    Aiff,
    /// Ogg Vorbis.
    Ogg,
    /// Ogg Opus.
    Opus,
    /// M4A: AAC-LC in MP4.
    M4a,
    /// M4B: the same for audio books, which players keep the place in.
    M4b,
}

impl Format {
    /// All formats that can be written.
    pub const ALL: [Self; 8] = [
        Self::Wav,
        Self::Mp3,
        Self::Flac,
        Self::Aiff,
        Self::Ogg,
        Self::Opus,
        Self::M4a,
        Self::M4b,
    ];

    /// Returns the name used in options, presets and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Mp3 => "mp3",
            Self::Flac => "flac",
            Self::Aiff => "aiff",
            Self::Ogg => "ogg",
            Self::Opus => "opus",
            Self::M4a => "m4a",
            Self::M4b => "m4b",
        }
    }

    /// File name extensions of the format, in lower case; the first is given to new files.
    pub fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Wav => &["wav", "wave"],
            Self::Mp3 => &["mp3"],
            Self::Flac => &["flac"],
            Self::Aiff => &["aiff", "aif"],
            Self::Ogg => &["ogg", "oga"],
            Self::Opus => &["opus"],
            Self::M4a => &["m4a"],
            Self::M4b => &["m4b"],
        }
    }

    /// The format that a file name extension (any case, without the dot) stands for.
    pub fn from_extension(extension: &str) -> Option<Self> {
        let lower = extension.to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|format| format.extensions().contains(&lower.as_str()))
    }

    /// The format in which an input with a file name extension (any case, without the dot) is kept.
    ///
    /// Beside a format's own extensions, those of its relatives that differ in size or sample type
    /// alone. There is none where the container cannot be written, nor for `mp4`, which may hold
    /// pictures that would be lost.
    pub fn kept_from_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "rf64" => Some(Self::Wav),
            "aifc" => Some(Self::Aiff),
            lower => Self::from_extension(lower),
        }
    }

    /// The format that is nearest to files whose own cannot be written: the one that holds a codec
    /// of that short name, such as `aac` or `pcm_s16le`, as far as this build writes it.
    pub fn nearest_to_codec(codec: &str) -> Self {
        let format = match codec {
            "aac" => Self::M4a,
            "alac" | "flac" => Self::Flac,
            "opus" => Self::Opus,
            "vorbis" => Self::Ogg,
            "mp1" | "mp2" | "mp3" => Self::Mp3,
            _ => Self::Wav,
        };
        match format.is_built_in() {
            true => format,
            false => Self::Wav,
        }
    }

    /// The format of a [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Returns the Cargo feature that builds the format's encoder in; `None` if it is always there.
    pub fn feature(self) -> Option<&'static str> {
        match self {
            Self::Wav | Self::Aiff => None,
            Self::Mp3 => Some("mp3"),
            Self::Flac => Some("flac"),
            Self::Ogg => Some("vorbis"),
            Self::Opus => Some("opus"),
            Self::M4a | Self::M4b => Some("aac"),
        }
    }

    /// Returns whether the format's encoder is in this build. Reading needs no features.
    pub fn is_built_in(self) -> bool {
        match self {
            Self::Wav | Self::Aiff => true,
            Self::Mp3 => cfg!(feature = "mp3"),
            Self::Flac => cfg!(feature = "flac"),
            Self::Ogg => cfg!(feature = "vorbis"),
            Self::Opus => cfg!(feature = "opus"),
            Self::M4a | Self::M4b => cfg!(feature = "aac"),
        }
    }

    /// Returns whether decoding gives back the samples that were encoded, to the last bit.
    pub fn is_lossless(self) -> bool {
        matches!(self, Self::Wav | Self::Flac | Self::Aiff)
    }
}

/// The sample type and depth of lossless output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub enum BitDepth {
    /// 16-bit integers.
    #[serde(rename = "16")]
    Int16,
    /// 24-bit integers.
    #[serde(rename = "24")]
    Int24,
    /// 32-bit floating point.
    #[serde(rename = "32f")]
    Float32,
}

impl BitDepth {
    /// All depths that can be written.
    pub const ALL: [Self; 3] = [Self::Int16, Self::Int24, Self::Float32];

    /// Returns the name used in options, presets and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Int16 => "16",
            Self::Int24 => "24",
            Self::Float32 => "32f",
        }
    }

    /// The depth of a [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|depth| depth.name() == name)
    }
}

/// How much time encoders take to make files smaller or better.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EncoderEffort {
    /// MP3 at LAME's quality 5, with about a quarter less time and a little more noise; FLAC looks
    /// for one predictor a block; Opus at complexity 5.
    Fast,
    /// MP3 at LAME's quality 3; FLAC tries three predictors; Opus at complexity 9.
    #[default]
    Default,
    /// MP3 at LAME's quality 2; FLAC tries five predictors; Opus at complexity 10.
    Best,
}

impl EncoderEffort {
    /// All efforts.
    pub const ALL: [Self; 3] = [Self::Fast, Self::Default, Self::Best];

    /// Returns the name used in options, presets and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Default => "default",
            Self::Best => "best",
        }
    }
}

/// How many channels an output has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputChannels {
    /// As many as the input.
    #[default]
    Keep,
    /// One: the mean of all but the one for low frequencies.
    Mono,
    /// Two: mixed down as in ITU-R BS.775, or the same on both sides.
    Stereo,
}

impl OutputChannels {
    /// All choices.
    pub const ALL: [Self; 3] = [Self::Keep, Self::Mono, Self::Stereo];

    /// Returns the name used in options, presets and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Mono => "mono",
            Self::Stereo => "stereo",
        }
    }

    /// Returns the number for an input of so many channels.
    pub fn count(self, channels: usize) -> usize {
        match self {
            Self::Keep => channels,
            Self::Mono => 1,
            Self::Stereo => 2,
        }
    }
}

/// How output is to be encoded; what is `None` is taken from the source.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct OutputOptions {
    /// The file format.
    pub format: Option<Format>,
    /// Sample rate in Hz, 8,000 to 384,000.
    pub sample_rate: Option<u32>,
    /// Number of channels. They are mixed before they are stretched.
    #[serde(skip_serializing_if = "is_default")]
    pub channels: OutputChannels,
    /// Sample type and depth, for formats that have a choice.
    pub bit_depth: Option<BitDepth>,
    /// Bit rate of lossy formats in kbit/s, 8 to 512.
    pub bitrate_kbps: Option<u32>,
    /// Quality of lossy formats at a variable bit rate, from 0 (smallest) to 10 (best).
    pub quality: Option<f32>,
    /// Whether to add triangular dither when samples are reduced to 16 bits; they are rounded
    /// otherwise.
    pub dither: bool,
    /// How much time MP3, FLAC and Opus encoders take.
    #[serde(skip_serializing_if = "is_default")]
    pub encoder_effort: EncoderEffort,
}

impl OutputOptions {
    /// Checks everything that can be checked without knowing the audio.
    ///
    /// # Errors
    /// Names the first option that is out of range, its value and the range.
    pub fn validate(&self) -> Result<(), OptionError> {
        match self.sample_rate {
            Some(rate) if !SAMPLE_RATE.contains(&rate) => Err(OptionError::out_of_range(
                "sample_rate",
                rate,
                "from 8000 to 384000 Hz, or 0 to keep the input's",
            )),
            _ => Ok(()),
        }
    }

    /// Returns whether these options ask for so low a bit rate that music sounds dull: AAC in stereo
    /// below 160 kbit/s, where this encoder leaves out much of what is above 7 kHz.
    pub fn asks_for_dull_sound(&self, format: Format, channels: usize, sample_rate: u32) -> bool {
        let kbps = match self.quality {
            Some(quality) => Some(m4a_kbps(quality) * channels as f32),
            None => self.bitrate_kbps.map(|kbps| kbps as f32),
        };
        matches!(format, Format::M4a | Format::M4b)
            && channels == 2
            && sample_rate > 24_000
            && kbps.is_some_and(|kbps| kbps < 160.0)
    }

    /// These options with those that have no effect on a format at their defaults.
    pub fn effective(&self, format: Format) -> Self {
        let mut options = self.clone();
        options.format = Some(format);
        if format.is_lossless() {
            options.bitrate_kbps = None;
            options.quality = None;
            // Unless another depth is named, the source's may turn out to be 16 bits.
            options.dither &= options
                .bit_depth
                .is_none_or(|depth| depth == BitDepth::Int16);
        } else {
            options.bit_depth = None;
            options.dither = false;
        }
        if !matches!(format, Format::Mp3 | Format::Flac | Format::Opus) {
            options.encoder_effort = EncoderEffort::Default;
        }
        options
    }
}

/// Returns whether a value is its type's default, which is not part of what outputs are known by.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Returns the bit rate of a channel of M4A in kbit/s at a quality from 0 to 10: from 16 to 160 in
/// even steps.
pub(crate) fn m4a_kbps(quality: f32) -> f32 {
    16.0 + 14.4 * quality
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dither_counts_only_where_samples_may_become_16_bits() {
        for (format, bit_depth, counts) in [
            (Format::Wav, None, true),
            (Format::Flac, Some(BitDepth::Int16), true),
            (Format::Aiff, Some(BitDepth::Int24), false),
            (Format::Wav, Some(BitDepth::Float32), false),
            (Format::Mp3, None, false),
        ] {
            let options = OutputOptions {
                bit_depth,
                dither: true,
                ..OutputOptions::default()
            };
            assert_eq!(options.effective(format).dither, counts, "{format:?}");
        }
    }

    #[test]
    fn the_depth_counts_in_all_lossless_formats() {
        let options = OutputOptions {
            bit_depth: Some(BitDepth::Int24),
            ..OutputOptions::default()
        };
        for format in [Format::Wav, Format::Flac, Format::Aiff] {
            let effective = options.effective(format);
            assert_eq!(effective.bit_depth, options.bit_depth, "{format:?}");
        }
    }

    #[test]
    fn containers_that_cannot_be_written_are_not_kept() {
        for extension in ["aac", "au", "caf", "mka", "mp2", "mp4", "w64", "webm"] {
            assert_eq!(Format::kept_from_extension(extension), None, "{extension}");
        }
        assert_eq!(Format::kept_from_extension("RF64"), Some(Format::Wav));
        assert_eq!(Format::kept_from_extension("m4b"), Some(Format::M4b));
    }
}
