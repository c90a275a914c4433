//! Packets of audio, and the decoder for them: one stream after the other where a file holds several.

use std::io;

use audiostretchy_containers::input::Input;
use audiostretchy_containers::limits::{self, Meter};
use audiostretchy_containers::mpeg::MpegSpec;
use audiostretchy_containers::source::Window;
use symphonia_core::codecs::audio::AudioDecoder;
use symphonia_core::errors::Error as SymphoniaError;
use symphonia_core::formats::probe::Hint;
use symphonia_core::formats::{FormatReader, SeekMode, SeekTo, SeekedTo, Track};
use symphonia_core::packet::Packet;
use symphonia_core::units::Time;

use super::demux::{self, Scan, default_track, is_headerless, trims_by_packet};
use super::error::DecodeError;
use super::info::Damage;
use super::registry;
use super::stream::Stream;

/// Frames in an MPEG-1 layer III frame; in later versions there are half as many.
const MPEG_FRAME: u64 = 1152;

/// Errors of a demuxer in a row after which it is taken to be stuck.
const MAX_DEMUX_ERRORS: u32 = 1000;

/// The packets of a file's audio.
pub(super) struct Packets {
    /// Always there, but for a moment between two files in one.
    pub reader: Option<Box<dyn FormatReader>>,
    /// The decoder for the packets of the stream at present.
    pub codec: Box<dyn AudioDecoder>,
    /// Short name of the format that the demuxer reads.
    pub kind: &'static str,
    pub scan: Scan,
    pub stream: Stream,
    /// The packet that comes next, where the last one must be known as such.
    pub ahead: Option<Packet>,
    /// A packet that was read to see whether the format really changes.
    pub after_next: Option<Packet>,
    /// The demuxer met the end of the file where it did not expect it.
    pub is_cut_short: bool,
    pub meter: Meter,
    /// Bytes of all packets so far.
    pub bytes: u64,
    /// Sample rate in Hz of what was decoded last.
    pub decoded_rate: u32,
    /// Frames missing before the first packet of streams that have started.
    pub late: u64,
    pub damage: Damage,
    /// The bytes.
    input: Input,
    /// Where in them another file starts that was appended.
    pub next_file: Option<u64>,
}

impl Packets {
    /// The packets of a track of an opened file, none of which was read yet.
    pub(super) fn new(
        reader: Box<dyn FormatReader>,
        codec: Box<dyn AudioDecoder>,
        scan: Scan,
        track: &Track,
        input: Input,
        meter: Meter,
    ) -> Self {
        let kind = reader.format_info().short_name;
        Self {
            stream: Stream::new(&scan, kind, track),
            reader: Some(reader),
            codec,
            kind,
            ahead: None,
            after_next: None,
            is_cut_short: scan.is_cut_short(),
            meter,
            bytes: 0,
            decoded_rate: 0,
            late: 0,
            damage: Damage::default(),
            input,
            next_file: scan.next_file(),
            scan,
        }
    }

    /// Notes how many frames the first packet was decoded to, which tells how the container's word
    /// on the stream is to be understood.
    pub(super) fn start_first_stream(&mut self, track: &Track, packet: &Packet, frames: u64) {
        let (scan, rate) = (&self.scan, self.decoded_rate);
        self.stream.set_extent(scan, self.kind, track, rate, frames);
        self.stream.note_decoded(packet, frames, rate);
    }

    /// Returns the track's next packet; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Packet>, DecodeError> {
        let packet = match self.ahead.take() {
            Some(packet) => Some(packet),
            None => self.read(true)?,
        };
        if packet.is_some() && self.stream.extent.tail > 0 {
            self.ahead = self.read(false)?;
        }
        Ok(packet)
    }

    /// Reads on to the track's next packet; `crosses` allows it to be of another stream.
    pub(super) fn read(&mut self, crosses: bool) -> Result<Option<Packet>, DecodeError> {
        let mut errors = 0;
        loop {
            self.meter.check_time()?;
            self.meter.allow(limits::MAX_PACKET_BYTES);
            if self.stream.mpeg_frames_left == Some(0) && !self.open_next_mp3()? {
                return Ok(None);
            }
            let Some(reader) = &mut self.reader else {
                return Ok(None);
            };
            let next = match self.after_next.take() {
                Some(packet) => Ok(Some(packet)),
                None => reader.next_packet(),
            };
            match next {
                Ok(Some(mut packet)) if packet.track_id == self.stream.track_id => {
                    let stripped = self.scan.stripped(packet.track_id);
                    if !stripped.is_empty() {
                        packet.data = [stripped, &packet.data].concat().into();
                    }
                    self.follow_mpeg(&packet)?;
                    self.stream.packets += 1;
                    self.bytes += packet.data.len() as u64;
                    if let Some(left) = &mut self.stream.mpeg_frames_left {
                        *left -= 1;
                    }
                    return Ok(Some(packet));
                }
                Ok(Some(_)) => {}
                Ok(None) => match crosses && self.open_next_file()? {
                    true => {}
                    false => return Ok(None),
                },
                Err(SymphoniaError::IoError(error))
                    if error.kind() == io::ErrorKind::UnexpectedEof =>
                {
                    if crosses && self.open_next_file()? {
                        continue;
                    }
                    // Formats that are mere packets, one after the other, may end anywhere, and of
                    // Matroska it was seen before whether it is whole.
                    let container = self.kind;
                    self.is_cut_short |= !is_headerless(container) && container != "matroska";
                    return Ok(None);
                }
                Err(SymphoniaError::IoError(error)) => return Err(error.into()),
                // The next stream of a chained Ogg file.
                Err(SymphoniaError::ResetRequired) => {
                    let track = default_track(reader.as_ref())?.clone();
                    self.scan.ogg_frames = None;
                    self.start_stream(&track)?;
                }
                // A demuxer that lost its way often finds it again further on.
                Err(error) => {
                    errors += 1;
                    if errors > MAX_DEMUX_ERRORS {
                        return Err(DecodeError::Damaged(error.to_string()));
                    }
                }
            }
        }
    }

    /// Goes on to an MP3 file that was appended to the one that ends here; false if none was.
    ///
    /// The demuxer alone would drop all that follows after the length that the first file gives.
    fn open_next_mp3(&mut self) -> Result<bool, DecodeError> {
        self.reader = self.reader.take().and_then(demux::open_next_mp3);
        let Some(reader) = &self.reader else {
            return Ok(false);
        };
        let track = default_track(reader.as_ref())?.clone();
        self.scan.xing = None;
        self.start_stream(&track)?;
        Ok(true)
    }

    /// Goes on to a Matroska file that was appended to the one that ends here; false if none was.
    fn open_next_file(&mut self) -> Result<bool, DecodeError> {
        let Some(at) = self.next_file.take() else {
            return Ok(false);
        };
        let rest = Window::new(self.input.reopen(), at..self.input.byte_len())?;
        self.meter.allow(limits::MAX_HEADER_BYTES);
        let Ok((reader, scan)) = demux::open(Box::new(rest), &Hint::new(), &self.meter) else {
            self.damage.cut_short = true;
            return Ok(false);
        };
        self.next_file = scan.next_file().map(|next| at + next);
        self.is_cut_short |= scan.is_cut_short();
        self.scan = scan;
        let track = default_track(reader.as_ref())?.clone();
        self.reader = Some(reader);
        self.start_stream(&track)?;
        Ok(true)
    }

    /// Starts a new stream where the headers of MPEG audio frames change to others, which is where
    /// files were joined; a single such frame is a damaged one.
    fn follow_mpeg(&mut self, packet: &Packet) -> Result<(), DecodeError> {
        if !["mp1", "mp2", "mp3"].contains(&self.kind) {
            return Ok(());
        }
        let Some(found) = MpegSpec::of(&packet.data) else {
            return Ok(());
        };
        let known = *self.stream.mpeg.get_or_insert(found);
        let Some(reader) = self.reader.as_mut().filter(|_| found != known) else {
            return Ok(());
        };
        self.after_next = reader.next_packet().ok().flatten();
        let next = self.after_next.as_ref();
        if next.and_then(|next| MpegSpec::of(&next.data)) == Some(found) {
            let track = default_track(reader.as_ref())?.clone();
            let mut params = registry::audio_params(&track, None)?;
            params.for_codec(found.codec).with_sample_rate(found.rate);
            params.channels = None;
            self.codec = registry::make_decoder(&params, false)?;
            self.stream.mpeg = Some(found);
            self.stream.change_rate(found.rate);
        }
        Ok(())
    }

    /// Sample rate of what comes next, in Hz.
    pub(super) fn rate(&self) -> u32 {
        self.stream.rate.unwrap_or(self.decoded_rate)
    }

    fn start_stream(&mut self, track: &Track) -> Result<(), DecodeError> {
        self.scan.check_compression(track)?;
        let params = registry::audio_params(track, None)?;
        registry::check(&params)?;
        let container = self.kind;
        self.finish_checksum();
        // The file that ends here may have been cut before another was appended.
        self.damage.cut_short |= self.stream.missing() > self.miscount();
        self.codec = registry::make_decoder(&params, trims_by_packet(container, track))?;
        let rate = self.codec.codec_params().sample_rate;
        let rate = rate.unwrap_or(self.decoded_rate);
        self.stream = Stream::new(&self.scan, container, track);
        self.stream.rate = Some(rate);
        self.stream
            .set_extent(&self.scan, container, track, rate, 0);
        self.late += self.stream.extent.late;
        Ok(())
    }

    /// Decodes a packet; returns the number of frames.
    pub(super) fn decode(&mut self, packet: &Packet) -> Result<u64, SymphoniaError> {
        registry::decode(self.codec.as_mut(), packet)
    }

    /// Returns whether a packet was decoded to silence because it cannot be decoded right.
    pub(super) fn is_silenced(&self, packet: &Packet) -> bool {
        registry::is_silenced(self.codec.as_ref(), packet)
    }

    /// Notes whether what was decoded so far matches the checksum that the file has of it.
    pub(super) fn finish_checksum(&mut self) {
        self.damage.checksum_mismatch |= self.codec.finalize().verify_ok == Some(false);
    }

    /// Goes to about a time. The packet that comes next may be of any time where that fails.
    pub(super) fn seek(&mut self, time: Time) -> Result<SeekedTo, SymphoniaError> {
        let to = SeekTo::Time {
            time,
            track_id: Some(self.stream.track_id),
        };
        let Some(reader) = &mut self.reader else {
            return Err(SymphoniaError::ResetRequired);
        };
        let sought = reader.seek(SeekMode::Coarse, to)?;
        self.codec.reset();
        self.after_next = None;
        self.stream.mpeg_frames_left = None;
        Ok(sought)
    }

    /// Frames of audio, counted once, in MPEG frames that an MP3 file counts and of which only bytes
    /// are there that no frame was found in.
    pub(super) fn take_lost_mpeg_frames(&mut self) -> u64 {
        let xing = self.scan.xing.filter(|_| !self.is_cut_short);
        let found = xing.map(|xing| xing.own_bytes + self.bytes);
        match xing.and_then(|xing| xing.end).zip(found) {
            Some((end, found)) if found < end => {
                self.stream.mpeg_frames_left.take().unwrap_or(0) * self.stream.packet_frames
            }
            _ => 0,
        }
    }

    /// Returns whether frames that are missing can have been among the bytes that were passed over.
    pub(super) fn has_room_for(&self, missing: u64, frames: u64) -> bool {
        let bytes = self.scan.byte_len.unwrap_or(u64::MAX);
        let passed_over = bytes.saturating_sub(self.scan.hidden_bytes + self.bytes);
        let needed = u128::from(missing) * u128::from(self.bytes) / u128::from(frames.max(1));
        // Packets are of any size where the bit rate varies, and tags may be at the end.
        needed <= 2 * u128::from(passed_over)
    }

    /// By how much lengths are wrong: some encoders count the frame that holds the count.
    pub(super) fn miscount(&self) -> u64 {
        if self.kind == "mp3" { MPEG_FRAME } else { 0 }
    }
}
