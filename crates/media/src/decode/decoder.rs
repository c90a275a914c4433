//! A decoder for one file, from start to end.

use std::path::Path;

use audiostretchy_containers::input::Input;
use audiostretchy_containers::limits::{Limits, Meter};
use symphonia_core::formats::Track;
use symphonia_core::formats::probe::Hint;
use symphonia_core::packet::Packet;

use super::convert::{Converter, Spec};
use super::demux::{self, default_track, picture_bytes, trims_by_packet};
use super::error::{DecodeError, guarded};
use super::extent::ticks_to_frames;
use super::info::{AudioInfo, Damage};
use super::packets::Packets;
use super::registry;
use super::sampling::Sampling;
use crate::samples::MediaSample;

/// The fewest bytes that a second of audio takes, in any codec. A file cannot have lost more
/// audio than would fit into it at this rate; what claims to be more is a broken timestamp.
const MIN_BYTES_PER_SECOND: u64 = 500;

/// Reads one file's audio from start to end.
pub struct Decoder {
    pub(super) packets: Packets,
    pub(super) info: AudioInfo,
    /// The packets' decoder holds a decoded packet that was not given out yet.
    pub(super) primed: bool,
    /// Frames of silence still to be given out.
    pub(super) silence: u64,
    /// Frames of silence that may still be put in, see [`MIN_BYTES_PER_SECOND`].
    pub(super) silence_allowed: u64,
    /// Frames that may be given out, see [`Limits`].
    pub(super) max_frames: u64,
    limits: Limits,
    pub(super) frames: u64,
    /// Set where not the whole file is wanted.
    pub(super) sampling: Option<Sampling>,
    /// Sample rate and channels of what is decoded at present.
    pub(super) spec: Spec,
    /// Converts it to those of what was decoded first; `None` if they are the same.
    pub(super) converter: Option<Converter>,
    /// Samples to be converted, interleaved.
    pub(super) native: Vec<f32>,
    /// Samples that were converted and not given out yet, interleaved.
    pub(super) converted: Vec<f32>,
}

impl Decoder {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// Returns an error if the file cannot be opened, is no audio, has no decoder, or holds not a
    /// single frame.
    pub fn open(path: &Path) -> Result<Self, DecodeError> {
        Self::from_input(&Input::open(path)?)
    }

    /// Reads the header of an input, from its start, and decodes its first packet: what a header
    /// says of channels and sample rate is not always so.
    ///
    /// # Errors
    /// Returns the same errors as [`open`](Self::open).
    pub fn from_input(input: &Input) -> Result<Self, DecodeError> {
        Self::from_input_within(input, &Limits::default())
    }

    /// As [`from_input`](Self::from_input), within limits of one's own.
    ///
    /// # Errors
    /// Returns the same errors as [`open`](Self::open).
    pub fn from_input_within(input: &Input, limits: &Limits) -> Result<Self, DecodeError> {
        let mut hint = Hint::new();
        if let Some(extension) = input.hint() {
            hint.with_extension(extension);
        }
        guarded(|| Self::start(input.reopen(), &hint, limits))
    }

    fn start(input: Input, hint: &Hint, limits: &Limits) -> Result<Self, DecodeError> {
        let meter = Meter::new(limits);
        let source = Box::new(input.reopen());
        let (mut reader, scan) = demux::open(source, hint, &meter)?;
        let hidden_bytes = picture_bytes(reader.as_mut()) + scan.hidden_bytes;
        let container = reader.format_info().short_name;
        let track = default_track(reader.as_ref());
        let track = track.map_err(|error| scan.refuse(|| error))?.clone();
        scan.check_compression(&track)?;
        let params = registry::audio_params(&track, scan.pcm(&track))?;
        registry::check(&params)?;
        let codec = registry::make_decoder(&params, trims_by_packet(container, &track));
        let codec = codec.map_err(|error| scan.refuse(|| error))?;
        let media_duration = reader.media_info().duration;
        let media_time_base = reader.media_info().time_base;
        let mut this = Self {
            info: AudioInfo {
                container: if scan.is_framed_wav {
                    "wave"
                } else {
                    container
                },
                codec: codec.codec_info().short_name,
                sample_rate: 0,
                channels: 0,
                channel_mask: None,
                bits_per_sample: registry::bits_per_sample(&params, codec.as_ref()),
                is_float: registry::is_float(params.codec),
                frames: None,
                bitrate_kbps: None,
            },
            packets: Packets::new(reader, codec, scan, &track, input, meter),
            primed: false,
            silence: 0,
            silence_allowed: 0,
            max_frames: 0,
            limits: *limits,
            frames: 0,
            sampling: None,
            spec: Spec::default(),
            converter: None,
            native: Vec::new(),
            converted: Vec::new(),
        };
        this.prime(&track)?;
        let rate = this.info.sample_rate;
        this.info.frames = this.packets.stream.extent.frames.or_else(|| {
            let duration = media_duration.filter(|_| container != "isomp4")?.get();
            Some(ticks_to_frames(duration, media_time_base, rate)).filter(|&frames| frames > 0)
        });
        let bytes = this.packets.scan.byte_len;
        this.info.bitrate_kbps = bytes
            .zip(this.info.seconds())
            .map(|(bytes, seconds)| bytes.saturating_sub(hidden_bytes) as f64 * 8e-3 / seconds)
            .map(|kbps| kbps.round() as u32);
        Ok(this)
    }

    /// The limits that it was opened within.
    pub fn limits(&self) -> &Limits {
        &self.limits
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
        self.packets.damage
    }

    /// Puts the next block into `block`, interleaved, channels in WAVE order; false at the end.
    ///
    /// Packets that cannot be decoded and frames that are missing are replaced by silence and
    /// counted in [`damage`](Self::damage). After a change of sample rate or channels, what follows is
    /// converted to the first ones.
    ///
    /// # Errors
    /// Returns an error if reading fails, the file is truncated, holds no audio, or changes its
    /// sample rate or channel count in a way that cannot be followed.
    pub fn next_block<T: DecodedSample>(
        &mut self,
        block: &mut Vec<T>,
    ) -> Result<bool, DecodeError> {
        if self.frames > self.max_frames {
            return Err(self.too_long());
        }
        guarded(|| T::read_block(self, block))
    }

    /// From now on gives out short parts from all over the file, first the beginning, then the
    /// middle, the quarters and so on: for measurements. Ends when the file does, or after some
    /// hundred parts.
    ///
    /// Damage is passed over, and where the demuxer cannot seek, all goes on in order.
    pub fn start_sampling(&mut self) {
        self.sampling = Some(Sampling::new(&self.info));
        // The first packet was decoded to learn of the file.
        self.primed = false;
        self.packets.ahead = None;
        self.silence = 0;
    }

    /// Notes the sample rate and the channels of what is decoded from now on.
    pub(super) fn set_spec(&mut self, spec: Spec) {
        self.spec = spec;
        self.packets.decoded_rate = spec.rate;
    }

    /// Returns the next packet; `None` at the end. Frames missing before it are made up for by
    /// silence.
    pub(super) fn next_packet(&mut self) -> Result<Option<Packet>, DecodeError> {
        let packet = self.packets.next()?;
        let late = std::mem::take(&mut self.packets.late);
        self.lose(late);
        Ok(packet)
    }

    /// Decodes up to the first frames to learn what the header does not tell, or tells wrongly.
    fn prime(&mut self, track: &Track) -> Result<(), DecodeError> {
        let mut first_pts = None;
        let mut last_error = None;
        while let Some(packet) = self.next_packet()? {
            let codec = self.packets.codec.codec_params().codec;
            if let Some(layer) = registry::other_layer(codec, &packet.data) {
                let params = registry::audio_params(track, Some(layer))?;
                self.packets.codec = registry::make_decoder(&params, true)?;
                self.info.codec = self.packets.codec.codec_info().short_name;
            }
            match self.packets.decode(&packet) {
                Ok(0) => {}
                Ok(frames) => {
                    let audio = self.packets.codec.last_decoded();
                    let spec = Spec::of(&audio);
                    let rate = spec.rate;
                    registry::check_spec(rate, spec.channels)?;
                    self.info.sample_rate = rate;
                    self.info.channels = spec.channels;
                    self.info.channel_mask = registry::channel_mask(audio.spec().channels());
                    self.set_spec(spec);
                    self.max_frames = self.limits.max_frames(rate, self.packets.scan.byte_len);
                    self.primed = true;
                    if self.packets.is_silenced(&packet) {
                        self.packets.damage.lost_frames += frames;
                    }
                    self.packets.start_first_stream(track, &packet, frames);
                    self.silence_allowed = match self.packets.scan.byte_len {
                        Some(bytes) => bytes.saturating_mul(rate.into()) / MIN_BYTES_PER_SECOND,
                        None => u64::from(rate) * 600,
                    };
                    // From the first packet that is damaged to the first that is not.
                    if self.packets.kind == "flac" {
                        first_pts.get_or_insert(0);
                    }
                    let lost = packet
                        .pts
                        .get()
                        .saturating_sub(first_pts.unwrap_or(i64::MAX));
                    let lost = u64::try_from(lost).unwrap_or(0);
                    self.lose(self.packets.stream.extent.late);
                    self.lose(self.packets.stream.frames_of(lost, rate));
                    if self.packets.stream.extent.tail > 0 {
                        self.packets.ahead = self.packets.read(false)?;
                    }
                    return Ok(());
                }
                Err(error) => {
                    first_pts.get_or_insert(packet.pts.get());
                    last_error = Some(error);
                }
            }
        }
        let rate = self.packets.stream.header_rate;
        let extent = self
            .packets
            .scan
            .extent(self.packets.kind, track, rate.unwrap_or(0));
        Err(match (last_error, extent.frames) {
            (Some(error), _) => DecodeError::Damaged(error.to_string()),
            (None, Some(expected)) if extent.is_exact && expected > 0 => self.truncated(expected),
            _ if self.packets.is_cut_short => DecodeError::CutShort { found: 0 },
            _ => DecodeError::Empty,
        })
    }
}

/// A type of sample that files are decoded to: `i16` or `f32`.
///
/// Implemented for each type apart, decoding is compiled in this crate and at its level of
/// optimisation, and not anew wherever a decoder is used.
pub trait DecodedSample: MediaSample {
    /// See [`Decoder::next_block`].
    #[doc(hidden)]
    fn read_block(decoder: &mut Decoder, block: &mut Vec<Self>) -> Result<bool, DecodeError>;
}

impl DecodedSample for i16 {
    fn read_block(decoder: &mut Decoder, block: &mut Vec<Self>) -> Result<bool, DecodeError> {
        decoder.read_block(block)
    }
}

impl DecodedSample for f32 {
    fn read_block(decoder: &mut Decoder, block: &mut Vec<Self>) -> Result<bool, DecodeError> {
        decoder.read_block(block)
    }
}
