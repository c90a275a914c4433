//! Decoding audio files, packet by packet, with Symphonia.

use std::fs::File;
use std::io;
use std::path::Path;

use serde::Serialize;
use symphonia::core::audio::conv::ConvertibleSample;
use symphonia::core::audio::{Channels, GenericAudioBufferRef};
use symphonia::core::codecs::audio::{
    AudioCodecParameters, AudioDecoder, AudioDecoderOptions, well_known as codec,
};
use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;
use symphonia::core::units::TimeBase;

/// Frames of silence given out at a time where audio is missing.
const SILENCE_BLOCK: u64 = 4096;

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
    /// The content is not audio of a known format.
    #[error("not audio in a format that can be read")]
    Unrecognised(#[source] SymphoniaError),
    /// There is no audio track in the file.
    #[error("the file holds no audio track")]
    NoAudioTrack,
    /// The audio's codec has no decoder.
    #[error("no decoder for the audio's codec")]
    UnsupportedCodec(#[source] SymphoniaError),
    /// The file is of a known format but too damaged to go on.
    #[error("the file is damaged")]
    Damaged(#[source] SymphoniaError),
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
    /// There is not a single frame in the file.
    #[error("the file holds no audio: 0 frames")]
    Empty,
    /// Sample rate or channel count change within the file.
    #[error(
        "the audio changes from {from_channels} channels at {from_rate} Hz to {to_channels} \
         channels at {to_rate} Hz within the file; split it there first"
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

/// Reads one file's audio from start to end.
pub struct Decoder {
    reader: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track_id: u32,
    info: AudioInfo,
    /// Whether `info.frames` can be trusted to tell a truncated file.
    frames_are_exact: bool,
    /// The decoder holds a decoded packet that was not given out yet.
    primed: bool,
    /// Timestamp, in frames, that the next packet should have.
    expected_pts: Option<i64>,
    /// Frames of silence still to be given out.
    silence: u64,
    frames: u64,
    damage: Damage,
}

impl Decoder {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// Where the file cannot be opened, is no audio, or has no decoder.
    pub fn open(path: &Path) -> Result<Self, DecodeError> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(DecodeError::NotAFile);
        }
        let mut hint = Hint::new();
        if let Some(extension) = path.extension().and_then(|name| name.to_str()) {
            hint.with_extension(extension);
        }
        Self::new(Box::new(file), &hint)
    }

    /// Reads the header of any source of bytes.
    ///
    /// # Errors
    /// Where the source cannot be read, is no audio, or has no decoder.
    pub fn new(source: Box<dyn MediaSource>, hint: &Hint) -> Result<Self, DecodeError> {
        let byte_len = source.byte_len();
        let stream = MediaSourceStream::new(source, Default::default());
        let mut reader = symphonia::default::get_probe()
            .probe(
                hint,
                stream,
                FormatOptions::default(),
                MetadataOptions::default(),
            )
            .map_err(|error| match error {
                SymphoniaError::IoError(io) if io.kind() != io::ErrorKind::UnexpectedEof => {
                    DecodeError::Io(io)
                }
                other => DecodeError::Unrecognised(other),
            })?;
        let picture_bytes = picture_bytes(reader.as_mut());
        let container = reader.format_info().short_name;
        let track = reader
            .default_track(TrackType::Audio)
            .ok_or(DecodeError::NoAudioTrack)?
            .clone();
        let params = audio_params(&track)?;
        let decoder = make_decoder(params)?;
        let mut this = Self {
            decoder,
            track_id: track.id,
            info: AudioInfo {
                container,
                codec: "",
                sample_rate: params.sample_rate.unwrap_or(0),
                channels: params.channels.as_ref().map_or(0, Channels::count),
                channel_mask: params.channels.as_ref().and_then(channel_mask),
                bits_per_sample: params.bits_per_sample,
                is_float: is_float(params),
                frames: track.num_frames.filter(|&frames| frames > 0),
                bitrate_kbps: None,
            },
            frames_are_exact: frames_are_exact(container, &track),
            primed: false,
            expected_pts: None,
            silence: 0,
            frames: 0,
            damage: Damage::default(),
            reader,
        };
        this.info.codec = this.decoder.codec_info().short_name;
        if this.info.sample_rate == 0 || this.info.channels == 0 {
            this.prime()?;
        }
        this.info.bitrate_kbps = byte_len
            .zip(this.info.seconds())
            .map(|(bytes, seconds)| bytes.saturating_sub(picture_bytes) as f64 * 8e-3 / seconds)
            .map(|kbps| kbps.round() as u32);
        Ok(this)
    }

    /// What the header told.
    pub fn info(&self) -> &AudioInfo {
        &self.info
    }

    /// Frames given out so far.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// What was found wrong so far; complete once all is read.
    pub fn damage(&self) -> Damage {
        self.damage
    }

    /// Puts the next block into `block`, interleaved; false at the end.
    ///
    /// Packets that cannot be decoded and frames that are missing are replaced by silence and
    /// counted in [`damage`](Self::damage).
    ///
    /// # Errors
    /// Where reading fails, the file is truncated, holds no audio, or changes its sample rate or
    /// channel count.
    pub fn next_block<T: ConvertibleSample>(
        &mut self,
        block: &mut Vec<T>,
    ) -> Result<bool, DecodeError> {
        block.clear();
        loop {
            if self.silence > 0 {
                let frames = self.silence.min(SILENCE_BLOCK);
                block.resize(frames as usize * self.info.channels, T::MID);
                self.silence -= frames;
                self.frames += frames;
                return Ok(true);
            }
            if !std::mem::take(&mut self.primed) {
                let Some(packet) = self.next_packet()? else {
                    return self.end().map(|()| false);
                };
                self.note_missing_frames(&packet);
                if !self.decode(&packet) {
                    continue;
                }
            }
            let audio = self.decoder.last_decoded();
            if audio.frames() > 0 {
                self.info.check_unchanged(&audio)?;
                audio.copy_to_vec_interleaved(block);
                self.frames += audio.frames() as u64;
                return Ok(true);
            }
        }
    }

    /// The track's next packet; `None` at the end.
    fn next_packet(&mut self) -> Result<Option<Packet>, DecodeError> {
        loop {
            match self.reader.next_packet() {
                Ok(Some(packet)) if packet.track_id == self.track_id => return Ok(Some(packet)),
                Ok(Some(_)) => {}
                Ok(None) => return Ok(None),
                Err(SymphoniaError::IoError(error))
                    if error.kind() == io::ErrorKind::UnexpectedEof =>
                {
                    return Ok(None);
                }
                Err(SymphoniaError::IoError(error)) => return Err(error.into()),
                // The next link of a chained Ogg file.
                Err(SymphoniaError::ResetRequired) => {
                    let track = self.reader.default_track(TrackType::Audio);
                    let track = track.ok_or(DecodeError::NoAudioTrack)?;
                    self.decoder = make_decoder(audio_params(track)?)?;
                    self.track_id = track.id;
                    self.expected_pts = None;
                    self.frames_are_exact = false;
                }
                Err(error) => return Err(DecodeError::Damaged(error)),
            }
        }
    }

    /// Decodes a packet; false if it is damaged and silence is to take its place.
    fn decode(&mut self, packet: &Packet) -> bool {
        if self.decoder.decode(packet).is_ok() {
            return true;
        }
        self.lose(packet.dur.get());
        false
    }

    /// Looks for frames missing before a packet, which some demuxers drop without a word.
    fn note_missing_frames(&mut self, packet: &Packet) {
        let per_frame = TimeBase::try_from_recip(self.info.sample_rate);
        let track = self.reader.tracks().iter().find(|t| t.id == self.track_id);
        if per_frame.is_none() || track.and_then(|track| track.time_base) != per_frame {
            return;
        }
        let pts = packet.pts.get();
        if let Some(missing) = self
            .expected_pts
            .map(|expected| pts.saturating_sub(expected))
            && missing > 0
        {
            self.lose(missing as u64);
        }
        self.expected_pts = Some(pts.saturating_add_unsigned(packet.block_dur().get()));
    }

    /// Puts silence in the place of lost frames, but never more than the header's length allows.
    fn lose(&mut self, frames: u64) {
        let room = match self.info.frames {
            Some(total) => total.saturating_sub(self.frames + self.silence),
            None => frames,
        };
        self.silence += frames.min(room);
        self.damage.lost_frames += frames.min(room);
    }

    fn end(&mut self) -> Result<(), DecodeError> {
        self.damage.checksum_mismatch = self.decoder.finalize().verify_ok == Some(false);
        match self.info.frames {
            Some(expected) if self.frames_are_exact && self.frames < expected => {
                Err(DecodeError::Truncated {
                    found: self.frames,
                    expected,
                })
            }
            _ if self.frames == 0 => Err(DecodeError::Empty),
            _ => Ok(()),
        }
    }

    /// Decodes the first good packet to learn what the header does not tell.
    fn prime(&mut self) -> Result<(), DecodeError> {
        while let Some(packet) = self.next_packet()? {
            let Ok(audio) = self.decoder.decode(&packet) else {
                continue;
            };
            let spec = audio.spec();
            self.info.sample_rate = spec.rate();
            self.info.channels = spec.channels().count();
            self.info.channel_mask = channel_mask(spec.channels());
            self.primed = true;
            return Ok(());
        }
        Err(DecodeError::Empty)
    }
}

impl AudioInfo {
    fn check_unchanged(&self, audio: &GenericAudioBufferRef<'_>) -> Result<(), DecodeError> {
        let (rate, channels) = (audio.spec().rate(), audio.spec().channels().count());
        if (rate, channels) == (self.sample_rate, self.channels) {
            return Ok(());
        }
        Err(DecodeError::Changed {
            from_channels: self.channels,
            from_rate: self.sample_rate,
            to_channels: channels,
            to_rate: rate,
        })
    }
}

fn make_decoder(params: &AudioCodecParameters) -> Result<Box<dyn AudioDecoder>, DecodeError> {
    symphonia::default::get_codecs()
        .make_audio_decoder(params, &AudioDecoderOptions::default().verify(true))
        .map_err(DecodeError::UnsupportedCodec)
}

fn audio_params(track: &Track) -> Result<&AudioCodecParameters, DecodeError> {
    let params = track.codec_params.as_ref();
    params
        .and_then(|params| params.audio())
        .ok_or(DecodeError::NoAudioTrack)
}

/// The WAVE channel mask of positioned channels: Symphonia's position bits are the same.
fn channel_mask(channels: &Channels) -> Option<u32> {
    match channels {
        Channels::Positioned(positions) => u32::try_from(positions.bits()).ok(),
        _ => None,
    }
}

fn is_float(params: &AudioCodecParameters) -> bool {
    [
        codec::CODEC_ID_PCM_F32LE,
        codec::CODEC_ID_PCM_F32BE,
        codec::CODEC_ID_PCM_F64LE,
        codec::CODEC_ID_PCM_F64BE,
    ]
    .contains(&params.codec)
}

/// Whether a file of this kind that ends before its stated length has lost something.
///
/// Elsewhere the length is an estimate: ADTS, MP3 without a LAME tag, the ALAC packets of CAF.
fn frames_are_exact(container: &str, track: &Track) -> bool {
    match container {
        "wave" | "aiff" | "flac" => true,
        "mp3" => track.delay.is_some(),
        _ => false,
    }
}

fn picture_bytes(reader: &mut dyn FormatReader) -> u64 {
    let mut metadata = reader.metadata();
    metadata.skip_to_latest().map_or(0, |revision| {
        let visuals = &revision.media.visuals;
        visuals.iter().map(|visual| visual.data.len() as u64).sum()
    })
}
