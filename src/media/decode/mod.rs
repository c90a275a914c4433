//! Decoding audio files, packet by packet, with Symphonia.

mod codecs;
mod info;
mod link;
mod source;
mod tour;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use symphonia::core::audio::conv::ConvertibleSample;
use symphonia::core::codecs::audio::AudioDecoder;
use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatReader, Track, TrackType};
use symphonia::core::io::MediaSource;
use symphonia::core::packet::Packet;

use super::input::Input;
use super::limits::{self, Limits, Meter};
pub use info::{AudioInfo, Damage, DecodeError};
use link::Link;
use source::{Scan, ticks_to_frames};
use tour::Tour;

/// Frames of silence given out at a time where audio is missing.
const SILENCE_BLOCK: u64 = 4096;

/// The fewest bytes that a second of audio takes, in any codec. A file cannot have lost more
/// audio than would fit into it at this rate; what claims to be more is a broken timestamp.
const MIN_BYTES_PER_SECOND: u64 = 500;

/// Frames in an MPEG-1 layer III frame; in later versions there are half as many.
const MPEG_FRAME: u64 = 1152;

/// Errors of a demuxer in a row after which it is taken to be stuck.
const MAX_DEMUX_ERRORS: u32 = 1000;

/// Reads one file's audio from start to end.
pub struct Decoder {
    /// Always there, but for a moment between two files in one.
    reader: Option<Box<dyn FormatReader>>,
    decoder: Box<dyn AudioDecoder>,
    info: AudioInfo,
    scan: Scan,
    link: Link,
    /// The packet that comes next, where the last one must be known as such.
    ahead: Option<Packet>,
    /// The decoder holds a decoded packet that was not given out yet.
    primed: bool,
    /// The demuxer met the end of the file where it did not expect it.
    is_cut_short: bool,
    /// Frames of silence still to be given out.
    silence: u64,
    /// Frames of silence that may still be put in, see [`MIN_BYTES_PER_SECOND`].
    silence_allowed: u64,
    /// Frames that may be given out, see [`Limits`].
    max_frames: u64,
    limits: Limits,
    meter: Meter,
    frames: u64,
    /// Bytes of all packets so far.
    packet_bytes: u64,
    damage: Damage,
    /// Set where not the whole file is wanted.
    tour: Option<Tour>,
}

impl Decoder {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// Where the file cannot be opened, is no audio, or has no decoder.
    pub fn open(path: &Path) -> Result<Self, DecodeError> {
        Self::from_input(&Input::open(path)?)
    }

    /// Reads the header of an input, from its start.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_input(input: &Input) -> Result<Self, DecodeError> {
        Self::from_input_within(input, &Limits::default())
    }

    /// As [`from_input`](Self::from_input), within limits of one's own.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_input_within(input: &Input, limits: &Limits) -> Result<Self, DecodeError> {
        let mut hint = Hint::new();
        if let Some(extension) = input.hint() {
            hint.with_extension(extension);
        }
        Self::new_within(Box::new(input.reopen()), &hint, limits)
    }

    /// Reads the header of any source of bytes, and decodes its first packet: what a header says
    /// of channels and sample rate is not always so.
    ///
    /// # Errors
    /// Where the source cannot be read, is no audio, has no decoder, or holds not a single frame.
    pub fn new(source: Box<dyn MediaSource>, hint: &Hint) -> Result<Self, DecodeError> {
        Self::new_within(source, hint, &Limits::default())
    }

    /// As [`new`](Self::new), within limits of one's own.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn new_within(
        source: Box<dyn MediaSource>,
        hint: &Hint,
        limits: &Limits,
    ) -> Result<Self, DecodeError> {
        guarded(|| Self::start(source, hint, limits))
    }

    fn start(
        source: Box<dyn MediaSource>,
        hint: &Hint,
        limits: &Limits,
    ) -> Result<Self, DecodeError> {
        let meter = Meter::new(limits);
        let (mut reader, scan) = source::open(source, hint, &meter)?;
        let hidden_bytes = picture_bytes(reader.as_mut()) + scan.hidden_bytes;
        let container = reader.format_info().short_name;
        let track = default_track(reader.as_ref());
        let track = track.map_err(|error| scan.refuse(|| error))?.clone();
        let params = codecs::audio_params(&track, scan.pcm(&track))?;
        codecs::check(&params)?;
        let decoder = codecs::make_decoder(&params, trims_by_packet(container, &track));
        let decoder = decoder.map_err(|error| scan.refuse(|| error))?;
        let media_duration = reader.media_info().duration;
        let media_time_base = reader.media_info().time_base;
        let mut this = Self {
            info: AudioInfo {
                container,
                codec: decoder.codec_info().short_name,
                sample_rate: 0,
                channels: 0,
                channel_mask: None,
                bits_per_sample: codecs::bits_per_sample(&params, decoder.as_ref()),
                is_float: codecs::is_float(params.codec),
                frames: None,
                bitrate_kbps: None,
            },
            link: Link::new(&scan, container, &track),
            reader: Some(reader),
            decoder,
            ahead: None,
            primed: false,
            is_cut_short: scan.is_cut_short(),
            silence: 0,
            silence_allowed: 0,
            max_frames: 0,
            limits: *limits,
            meter,
            frames: 0,
            packet_bytes: 0,
            damage: Damage::default(),
            tour: None,
            scan,
        };
        this.prime(&track)?;
        let rate = this.info.sample_rate;
        this.info.frames = this.link.extent.frames.or_else(|| {
            let duration = media_duration?.get();
            Some(ticks_to_frames(duration, media_time_base, rate)).filter(|&frames| frames > 0)
        });
        let bytes = this.scan.byte_len;
        this.info.bitrate_kbps = bytes
            .zip(this.info.seconds())
            .map(|(bytes, seconds)| bytes.saturating_sub(hidden_bytes) as f64 * 8e-3 / seconds)
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

    /// Puts the next block into `block`, interleaved, channels in WAVE order; false at the end.
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
        if self.frames > self.max_frames {
            return Err(self.too_long());
        }
        guarded(|| self.read_block(block))
    }

    fn too_long(&self) -> DecodeError {
        DecodeError::TooLong {
            allowed: self.max_frames / u64::from(self.info.sample_rate.max(1)),
        }
    }

    fn read_block<T: ConvertibleSample>(
        &mut self,
        block: &mut Vec<T>,
    ) -> Result<bool, DecodeError> {
        block.clear();
        if let Some(tour) = self.tour.take() {
            return self.next_block_of(tour, block);
        }
        loop {
            if self.silence > 0 {
                let frames = self.silence.min(SILENCE_BLOCK);
                self.silence -= frames;
                let (_, kept) = self.link.take(frames);
                if kept > 0 {
                    block.resize(kept * self.info.channels, T::MID);
                    self.frames += kept as u64;
                    return Ok(true);
                }
                continue;
            }
            if !std::mem::take(&mut self.primed) {
                let Some(packet) = self.next_packet()? else {
                    if self.end()? {
                        continue;
                    }
                    return Ok(false);
                };
                let rate = self.info.sample_rate;
                let missing = self.link.missing_before(&packet, rate);
                // A broken timestamp must not lead beyond the end.
                let room = self.info.frames.map_or(missing, |total| {
                    total.saturating_sub(self.link.frames + self.silence)
                });
                self.lose(missing.min(room));
                if !self.decode(&packet) {
                    continue;
                }
                if self.silence > 0 {
                    // The missing frames come first.
                    self.primed = true;
                    continue;
                }
            }
            let audio = self.decoder.last_decoded();
            let tail = if self.ahead.is_none() {
                self.link.extent.tail
            } else {
                0
            };
            let decoded = (audio.frames() as u64).saturating_sub(tail);
            if decoded == 0 {
                continue;
            }
            self.info.check_unchanged(&audio)?;
            let (start, kept) = self.link.take(decoded);
            if kept > 0 {
                audio.copy_to_vec_interleaved(block);
                let channels = self.info.channels;
                block.truncate((start + kept) * channels);
                block.drain(..start * channels);
                self.frames += kept as u64;
                return Ok(true);
            }
        }
    }

    /// The track's next packet; `None` at the end.
    fn next_packet(&mut self) -> Result<Option<Packet>, DecodeError> {
        let packet = match self.ahead.take() {
            Some(packet) => Some(packet),
            None => self.read_packet()?,
        };
        if packet.is_some() && self.link.extent.tail > 0 {
            self.ahead = self.read_packet()?;
        }
        Ok(packet)
    }

    fn read_packet(&mut self) -> Result<Option<Packet>, DecodeError> {
        let mut errors = 0;
        loop {
            self.meter.check_time()?;
            self.meter.allow(limits::MAX_PACKET_BYTES);
            if self.link.mpeg_frames_left == Some(0) && !self.open_next_mp3()? {
                return Ok(None);
            }
            let Some(reader) = &mut self.reader else {
                return Ok(None);
            };
            match reader.next_packet() {
                Ok(Some(packet)) if packet.track_id == self.link.track_id => {
                    if let Some(left) = &mut self.link.mpeg_frames_left {
                        *left -= 1;
                    }
                    self.packet_bytes += packet.data.len() as u64;
                    return Ok(Some(packet));
                }
                Ok(Some(_)) => {}
                Ok(None) => return Ok(None),
                Err(SymphoniaError::IoError(error))
                    if error.kind() == io::ErrorKind::UnexpectedEof =>
                {
                    // Formats that are mere packets, one after the other, may end anywhere.
                    self.is_cut_short |= !is_headerless(self.info.container);
                    return Ok(None);
                }
                Err(SymphoniaError::IoError(error)) => return Err(error.into()),
                // The next link of a chained Ogg file.
                Err(SymphoniaError::ResetRequired) => {
                    let track = default_track(reader.as_ref())?.clone();
                    self.scan.ogg_frames = None;
                    self.start_link(&track)?;
                }
                // A demuxer that lost its way often finds it again further on.
                Err(error) => {
                    errors += 1;
                    if errors > MAX_DEMUX_ERRORS {
                        return Err(DecodeError::Damaged(error));
                    }
                }
            }
        }
    }

    /// Goes on to an MP3 file that was appended to the one that ends here; false if none was.
    ///
    /// The demuxer alone would drop all that follows after the length that the first file gives.
    fn open_next_mp3(&mut self) -> Result<bool, DecodeError> {
        self.reader = self.reader.take().and_then(source::open_next_mp3);
        let Some(reader) = &self.reader else {
            return Ok(false);
        };
        let track = default_track(reader.as_ref())?.clone();
        self.scan.xing = None;
        self.start_link(&track)?;
        Ok(true)
    }

    fn start_link(&mut self, track: &Track) -> Result<(), DecodeError> {
        let params = codecs::audio_params(track, None)?;
        codecs::check(&params)?;
        let container = self.info.container;
        self.decoder = codecs::make_decoder(&params, trims_by_packet(container, track))?;
        self.link = Link::new(&self.scan, container, track);
        self.link
            .set_extent(&self.scan, container, track, self.info.sample_rate);
        self.lose(self.link.extent.late);
        Ok(())
    }

    /// Decodes a packet; false if it is damaged and silence is to take its place.
    fn decode(&mut self, packet: &Packet) -> bool {
        let rate = self.info.sample_rate;
        if let Ok(frames) = codecs::decode(self.decoder.as_mut(), packet) {
            self.link.note_decoded(packet, frames, rate);
            return true;
        }
        let frames = self.link.frames_of(packet.dur.get(), rate);
        self.link.note_decoded(packet, frames, rate);
        self.lose(frames);
        false
    }

    /// Puts silence in the place of lost frames, but never more than the file can have held.
    fn lose(&mut self, frames: u64) {
        let extent = &self.link.extent;
        let room = match extent.frames.filter(|_| extent.is_exact) {
            Some(total) => total
                .saturating_add(extent.skip)
                .saturating_sub(self.link.decoded + self.silence),
            None => frames,
        };
        let frames = frames.min(room).min(self.silence_allowed);
        self.silence_allowed -= frames;
        self.silence += frames;
        self.damage.lost_frames += frames;
    }

    /// Checks at the end of the packets that all is there; true if silence is still to come.
    fn end(&mut self) -> Result<bool, DecodeError> {
        let container = self.info.container;
        let extent = self.link.extent;
        let missing = match extent.frames.filter(|_| extent.is_exact) {
            Some(expected) => expected.saturating_sub(self.link.frames),
            None if self.is_cut_short && self.frames > 0 => {
                return Err(DecodeError::CutShort { found: self.frames });
            }
            None => 0,
        };
        // Some encoders count the frame that holds the count.
        let is_miscount = container == "mp3" && missing <= MPEG_FRAME;
        if missing > 0 && !is_miscount {
            // MP3 and Ogg demuxers pass over what is damaged; what is whole at its end but short
            // of frames has lost them on the way.
            let is_whole = !self.is_cut_short && ["mp3", "ogg"].contains(&container);
            if is_whole && container == "mp3" && !self.has_room_for(missing) {
                self.damage.miscounted_frames = missing;
                return Ok(false);
            }
            if is_whole {
                self.lose(missing);
            }
            if self.silence > 0 {
                return Ok(true);
            }
            return Err(self.truncated(self.frames + missing));
        }
        if self.frames == 0 {
            return Err(DecodeError::Empty);
        }
        self.damage.checksum_mismatch = self.decoder.finalize().verify_ok == Some(false);
        Ok(false)
    }

    /// Whether frames that are missing can have been among the bytes that were passed over.
    fn has_room_for(&self, missing: u64) -> bool {
        let bytes = self.scan.byte_len.unwrap_or(u64::MAX);
        let passed_over = bytes.saturating_sub(self.scan.hidden_bytes + self.packet_bytes);
        let needed = u128::from(missing) * u128::from(self.packet_bytes)
            / u128::from(self.link.decoded.max(1));
        // Packets are of any size where the bit rate varies, and tags may be at the end.
        needed <= 2 * u128::from(passed_over)
    }

    fn truncated(&self, expected: u64) -> DecodeError {
        let found = self.frames;
        match &self.scan.mp4 {
            Some(mp4) if mp4.cut_short => DecodeError::TruncatedMp4 { found, expected },
            _ => DecodeError::Truncated { found, expected },
        }
    }

    /// Decodes up to the first frames to learn what the header does not tell, or tells wrongly.
    fn prime(&mut self, track: &Track) -> Result<(), DecodeError> {
        let mut first_pts = None;
        let mut last_error = None;
        while let Some(packet) = self.next_packet()? {
            let codec = self.decoder.codec_params().codec;
            if let Some(layer) = codecs::other_layer(codec, &packet.data) {
                let params = codecs::audio_params(track, Some(layer))?;
                self.decoder = codecs::make_decoder(&params, true)?;
                self.info.codec = self.decoder.codec_info().short_name;
            }
            match codecs::decode(self.decoder.as_mut(), &packet) {
                Ok(0) => {}
                Ok(frames) => {
                    let audio = self.decoder.last_decoded();
                    let rate = audio.spec().rate();
                    let channels = audio.spec().channels();
                    check_spec(rate, channels.count())?;
                    self.max_frames = self.limits.max_frames(rate, self.scan.byte_len);
                    self.info.sample_rate = rate;
                    self.info.channels = channels.count();
                    self.info.channel_mask = codecs::channel_mask(channels);
                    self.primed = true;
                    let container = self.info.container;
                    self.link.set_extent(&self.scan, container, track, rate);
                    self.link.note_decoded(&packet, frames, rate);
                    self.silence_allowed = match self.scan.byte_len {
                        Some(bytes) => bytes.saturating_mul(rate.into()) / MIN_BYTES_PER_SECOND,
                        None => u64::from(rate) * 600,
                    };
                    // From the first packet that is damaged to the first that is not.
                    let lost = packet
                        .pts
                        .get()
                        .saturating_sub(first_pts.unwrap_or(i64::MAX));
                    let lost = u64::try_from(lost).unwrap_or(0);
                    self.lose(self.link.extent.late);
                    self.lose(self.link.frames_of(lost, rate));
                    if self.link.extent.tail > 0 {
                        self.ahead = self.read_packet()?;
                    }
                    return Ok(());
                }
                Err(error) => {
                    first_pts.get_or_insert(packet.pts.get());
                    last_error = Some(error);
                }
            }
        }
        let rate = self.link.header_rate;
        let extent = self
            .scan
            .extent(self.info.container, track, rate.unwrap_or(0));
        Err(match (last_error, extent.frames) {
            (Some(error), _) => DecodeError::Damaged(error),
            (None, Some(expected)) if extent.is_exact && expected > 0 => self.truncated(expected),
            _ if self.is_cut_short => DecodeError::CutShort { found: 0 },
            _ => DecodeError::Empty,
        })
    }
}

/// Makes a panic in code that is not ours an error of the file.
fn guarded<T>(read: impl FnOnce() -> Result<T, DecodeError>) -> Result<T, DecodeError> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|panic| Err(DecodeError::Panic(panic_message(panic.as_ref()))))
}

/// What a panic says.
pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic".into())
}

/// Refuses audio that no decoder is made for: buffers are as large as these say.
fn check_spec(rate: u32, channels: usize) -> Result<(), DecodeError> {
    let is_possible = (1..=limits::MAX_SAMPLE_RATE).contains(&rate)
        && (1..=limits::MAX_CHANNELS).contains(&channels);
    match is_possible {
        true => Ok(()),
        false => Err(DecodeError::Impossible { channels, rate }),
    }
}

fn default_track(reader: &dyn FormatReader) -> Result<&Track, DecodeError> {
    let track = reader.default_track(TrackType::Audio);
    track.ok_or(DecodeError::NoAudioTrack)
}

/// Whether the decoder is to drop what the demuxer marks as delay and padding.
///
/// Not for MP3 without a LAME tag: the mark then rests on an estimate of the length.
fn trims_by_packet(container: &str, track: &Track) -> bool {
    container != "mp3" || track.delay.is_some()
}

/// Formats that are packets and nothing around them.
fn is_headerless(container: &str) -> bool {
    ["mp3", "mp2", "mp1", "aac"].contains(&container)
}

/// Size of the pictures in a file's tags, in bytes.
fn picture_bytes(reader: &mut dyn FormatReader) -> u64 {
    let mut metadata = reader.metadata();
    metadata.skip_to_latest().map_or(0, |revision| {
        let visuals = &revision.media.visuals;
        visuals.iter().map(|visual| visual.data.len() as u64).sum()
    })
}
