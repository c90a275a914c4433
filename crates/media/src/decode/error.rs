//! Why a file cannot be decoded.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use audiostretchy_containers::input::InputError;
use audiostretchy_containers::limits;

/// Why a file cannot be decoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The file cannot be opened or read.
    #[error("cannot read the file")]
    Io(#[from] io::Error),
    /// The path is a folder or something else that is not a file.
    #[error("not a regular file")]
    NotAFile,
    /// The file was written to while it was read.
    #[error("the file was changed while it was read; run again once nothing writes to it")]
    ChangedWhileRead,
    /// The content is not audio of a known format; what it is instead, if that is known.
    #[error("{}", not_audio(*.0))]
    Unrecognised(Option<&'static str>),
    /// There is no audio track in the file.
    #[error("the file holds no audio track")]
    NoAudioTrack,
    /// The format or codec of this name has no decoder.
    #[error("not supported: {}{}", .0, mend(.0))]
    UnsupportedCodec(String),
    /// The file is of a known format but too damaged to go on. What the decoder says of it is for
    /// developers.
    #[error("the file is too damaged to be decoded; copy or download it again")]
    Damaged(String),
    /// The file ends before the length that its header gives.
    #[error(
        "the file is truncated: {found} of {expected} frames are there; copy or download it again"
    )]
    Truncated {
        /// Frames decoded.
        found: u64,
        /// Frames that the header promises.
        expected: u64,
    },
    /// An MP4 file whose table is whole ends before its audio does.
    #[error(
        "the file is truncated: the moov is whole, {} % of the audio is there ({found} of \
         {expected} frames are there); copy or download it again",
        100 * u128::from(*found) / u128::from(*expected).max(1)
    )]
    TruncatedMp4 {
        /// Frames decoded.
        found: u64,
        /// Frames that the table promises.
        expected: u64,
    },
    /// An MP4 file ends before the table that tells where its audio is.
    #[error(
        "the file is cut short: its moov is missing, without which none of the audio can be \
         found; copy or download it again, or have it recorded anew"
    )]
    NoMoov,
    /// The file ends before its header, or before the end mark that its format asks for; how much
    /// is missing is not known.
    #[error("the file is cut short{}; copy or download it again", where_cut(*.found))]
    CutShort {
        /// Frames decoded.
        found: u64,
    },
    /// There is not a single frame in the file.
    #[error("the file is empty: it holds 0 frames of audio")]
    Empty,
    /// Channels or sample rate that no audio has.
    #[error(
        "the file claims {channels} channels at {rate} Hz: up to {} channels and {} Hz can be read",
        limits::MAX_CHANNELS,
        limits::MAX_SAMPLE_RATE
    )]
    Impossible {
        /// Channels.
        channels: usize,
        /// Sample rate in Hz.
        rate: u32,
    },
    /// The packets of the file are larger than those of any audio.
    #[error("the file claims {frames} frames a packet in {channels} channels, which no audio has")]
    PacketTooLarge {
        /// Frames in a packet.
        frames: u64,
        /// Channels.
        channels: usize,
    },
    /// The tag of an Ogg file has more fields than any tag.
    #[error(
        "the file claims {fields} tag fields: up to {} can be read",
        limits::MAX_FIELDS
    )]
    TooManyFields {
        /// Fields claimed.
        fields: u32,
    },
    /// The file goes on for longer than allowed, or than its size can justify.
    #[error(
        "the file holds more than {} of audio, which is longer than --max-duration-per-file \
         allows or than its size can justify",
        humantime::format_duration(Duration::from_secs(*allowed))
    )]
    TooLong {
        /// What would have been allowed, in seconds.
        allowed: u64,
    },
    /// The decoder failed on the file. What it says is for developers.
    #[error("the decoder failed on the file; please report it with the file")]
    Panic(String),
    /// Sample rate or channel count change within the file, too often or too oddly to be converted.
    #[error(
        "the audio changes from {from_channels} channels at {from_rate} Hz to {to_channels} \
         channels at {to_rate} Hz within the file, which cannot be converted; split it there first"
    )]
    Changed {
        /// Channels at the start.
        from_channels: usize,
        /// Sample rate at the start, in Hz.
        from_rate: u32,
        /// Channels after the change.
        to_channels: usize,
        /// Sample rate after the change, in Hz.
        to_rate: u32,
    },
}

impl From<InputError> for DecodeError {
    fn from(error: InputError) -> Self {
        match error {
            InputError::Io(error) => Self::Io(error),
            _ => Self::NotAFile,
        }
    }
}

/// Makes a panic in code that is not ours an error of the file.
pub(super) fn guarded<T>(read: impl FnOnce() -> Result<T, DecodeError>) -> Result<T, DecodeError> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|panic| Err(DecodeError::Panic(panic_message(panic.as_ref()))))
}

/// What a panic says.
pub fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic".into())
}

impl DecodeError {
    /// A stable code, in kebab case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "unreadable",
            Self::NotAFile => "not-a-file",
            Self::ChangedWhileRead => "changed-while-read",
            Self::Unrecognised(_) => "not-audio",
            Self::NoAudioTrack => "no-audio-track",
            Self::UnsupportedCodec(_) => "unsupported-codec",
            Self::Damaged(_) => "damaged",
            Self::Truncated { .. }
            | Self::TruncatedMp4 { .. }
            | Self::NoMoov
            | Self::CutShort { .. } => "truncated",
            Self::Empty => "empty",
            Self::Changed { .. } => "format-changes",
            Self::Impossible { .. } | Self::PacketTooLarge { .. } | Self::TooManyFields { .. } => {
                "over-limit"
            }
            Self::TooLong { .. } => "too-long",
            Self::Panic(_) => "panic",
        }
    }

    /// Returns whether the file cannot be read at all, whatever is in it.
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Self::Io(_) | Self::NotAFile | Self::ChangedWhileRead)
    }

    /// Returns whether the file may be whole and is nothing that can be decoded.
    pub fn is_unsupported(&self) -> bool {
        matches!(
            self,
            Self::Unrecognised(_)
                | Self::NoAudioTrack
                | Self::UnsupportedCodec(_)
                | Self::Changed { .. }
                | Self::Impossible { .. }
                | Self::PacketTooLarge { .. }
                | Self::TooManyFields { .. }
                | Self::TooLong { .. }
        )
    }
}

/// What to do about audio of that name; nothing helps where there is none, or it is encrypted.
fn mend(name: &str) -> &'static str {
    match name.contains(", which ") || name.contains("(DRM)") {
        true => "",
        false => "; convert it to FLAC, WAV or another format that can be read",
    }
}

fn where_cut(found: u64) -> String {
    match found {
        0 => " before its audio can be read".into(),
        _ => format!(", after {found} frames"),
    }
}

fn not_audio(what: Option<&str>) -> String {
    match what {
        Some(what) => format!("not audio but {what}"),
        None => "not audio in a format that can be read".into(),
    }
}
