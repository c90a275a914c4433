//! The formats that can be written, and how output is to be encoded.

use serde::Serialize;

/// A file format that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
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
}

impl Format {
    /// All formats that can be written.
    pub const ALL: [Self; 7] = [
        Self::Wav,
        Self::Mp3,
        Self::Flac,
        Self::Aiff,
        Self::Ogg,
        Self::Opus,
        Self::M4a,
    ];

    /// The name used in options, presets and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Mp3 => "mp3",
            Self::Flac => "flac",
            Self::Aiff => "aiff",
            Self::Ogg => "ogg",
            Self::Opus => "opus",
            Self::M4a => "m4a",
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
        }
    }

    /// The format that a file name extension (any case, without the dot) stands for.
    pub fn from_extension(extension: &str) -> Option<Self> {
        let lower = extension.to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|format| format.extensions().contains(&lower.as_str()))
    }

    /// The format of a [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Whether decoding gives back what was encoded, to the last bit.
    pub fn is_lossless(self) -> bool {
        matches!(self, Self::Wav)
    }
}

/// The sample type and depth of lossless output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
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

    /// The name used in options, presets and reports.
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

/// How output is to be encoded; what is `None` is taken from the source.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct OutputOptions {
    /// The file format.
    pub format: Option<Format>,
    /// Sample type and depth, for formats that have a choice.
    pub bit_depth: Option<BitDepth>,
    /// Bit rate of lossy formats in kbit/s, 8 to 512.
    pub bitrate_kbps: Option<u32>,
    /// Quality of lossy formats at a variable bit rate, from 0 (smallest) to 10 (best).
    pub quality: Option<f32>,
    /// Whether to add triangular dither when samples are reduced to 16 bits; they are rounded
    /// otherwise.
    pub dither: bool,
}

impl OutputOptions {
    /// These options with those that have no effect on a format at their defaults.
    pub fn effective(&self, format: Format) -> Self {
        let mut options = self.clone();
        options.format = Some(format);
        if format.is_lossless() {
            options.bitrate_kbps = None;
            options.quality = None;
        } else {
            options.bit_depth = None;
        }
        options
    }
}
