//! What all encoders have in common.

use std::io::{self, Seek, Write};

use audiostretchy_containers::warning::Warning;

use crate::format::Format;
use crate::samples::Samples;

/// Where encoded bytes go.
pub trait Sink: Write + Seek + Send {}
impl<T: Write + Seek + Send> Sink for T {}

/// Writes one file's audio from start to end.
pub trait Encoder: Send {
    /// Encodes a block of whole frames.
    ///
    /// # Errors
    /// Returns an error if writing fails or the format cannot hold more.
    fn write(&mut self, samples: Samples<'_>) -> Result<(), EncodeError>;

    /// Writes all that is left and completes the header.
    ///
    /// # Errors
    /// Returns an error if writing fails.
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

impl Encoded {
    /// Returns the warning that samples were limited, if any were.
    pub fn clipping(&self) -> Option<Warning> {
        let message = match self.clipped_samples {
            0 => return None,
            1 => "1 sample beyond full scale was limited".into(),
            many => format!("{many} samples beyond full scale were limited"),
        };
        Some(Warning::new("clipped", message))
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
    /// A specification that [`EncodeSpec::new`](super::EncodeSpec::new) would not have made.
    #[error("{} cannot be written with {value} as the {field}", format.name())]
    InvalidSpec {
        /// The output format.
        format: Format,
        /// The field of [`EncodeSpec`](super::EncodeSpec).
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
