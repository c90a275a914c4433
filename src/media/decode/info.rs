//! What the decoder tells of a file: its format, its damage, and why it cannot be read.

use std::io;
use std::time::Duration;

use serde::Serialize;
use symphonia::core::errors::Error as SymphoniaError;

use crate::media::limits;

/// What a file holds, as far as its header tells.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AudioInfo {
    /// Short name of the container, such as `wave` or `mp3`.
    pub container: &'static str,
    /// Short name of the codec, such as `pcm_s16le` or `mp3`.
    pub codec: &'static str,
    /// Sample rate in Hz.
    pub sample_rate: u32,
    /// Number of channels.
    pub channels: usize,
    /// Speaker positions as in WAVE_FORMAT_EXTENSIBLE, if the file gives them.
    #[serde(skip)]
    pub channel_mask: Option<u32>,
    /// Bits per sample; `None` for lossy codecs.
    pub bits_per_sample: Option<u32>,
    /// Whether the samples are floating point.
    pub is_float: bool,
    /// Length in frames, if the header gives it. A hint: damaged and streamed files may be wrong.
    pub frames: Option<u64>,
    /// Mean bit rate in kbit/s of the file without its pictures, if the length is known.
    pub bitrate_kbps: Option<u32>,
}

impl AudioInfo {
    /// Length in seconds, if the header gives it.
    pub fn seconds(&self) -> Option<f64> {
        Some(self.frames? as f64 / f64::from(self.sample_rate))
    }

    /// Whether 16-bit integers hold every sample exactly.
    pub fn fits_16_bits(&self) -> bool {
        !self.is_float && self.bits_per_sample.is_some_and(|bits| bits <= 16)
    }
}

/// What was wrong with a file that could be decoded all the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Damage {
    /// Frames that could not be decoded and were replaced by silence.
    pub lost_frames: u64,
    /// The decoded audio does not match the checksum in the file.
    pub checksum_mismatch: bool,
    /// The file ends within a packet, or within a recording that was broken off.
    pub cut_short: bool,
    /// How often the sample rate or the channels change; what follows was converted to the first.
    pub format_changes: u32,
    /// Frames that the header promises and the file has no room for: its count is wrong.
    pub miscounted_frames: u64,
}

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
    Damaged(SymphoniaError),
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
