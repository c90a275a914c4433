//! From packets to blocks of audio: one link after the other, silence where audio is missing.

use std::io;

use symphonia::core::audio::conv::ConvertibleSample;
use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::Track;
use symphonia::core::formats::probe::Hint;
use symphonia::core::packet::Packet;

use super::convert::{Converter, Spec};
use super::link::Link;
use super::{
    DecodeError, Decoder, MPEG_FRAME, codecs, default_track, is_headerless, source, trims_by_packet,
};
use crate::media::audio_start::MpegSpec;
use crate::media::limits;
use crate::media::window::Window;

/// Frames of silence given out at a time where audio is missing.
const SILENCE_BLOCK: u64 = 4096;

/// Frames converted at a time, which may become many more.
const CONVERTED_FRAMES: usize = 4096;

/// Errors of a demuxer in a row after which it is taken to be stuck.
const MAX_DEMUX_ERRORS: u32 = 1000;

/// Changes of the format within a file that are followed.
const MAX_CHANGES: u32 = 1000;

impl Decoder {
    /// See [`Decoder::next_block`].
    pub(super) fn read_block<T: ConvertibleSample>(
        &mut self,
        block: &mut Vec<T>,
    ) -> Result<bool, DecodeError> {
        block.clear();
        if let Some(tour) = self.tour.take() {
            return self.next_block_of(tour, block);
        }
        loop {
            let more = self.read_native_block(block)?;
            if !more && let Some(converter) = self.converter.take() {
                converter.finish(&mut self.converted);
            }
            block.extend(self.converted.drain(..).map(T::from_sample));
            self.frames += (block.len() / self.info.channels) as u64;
            if !more || !block.is_empty() {
                return Ok(!block.is_empty());
            }
        }
    }

    /// Puts what comes next into `block` if it is of the file's first format, else what it is
    /// converted to into `converted`; false at the end.
    fn read_native_block<T: ConvertibleSample>(
        &mut self,
        block: &mut Vec<T>,
    ) -> Result<bool, DecodeError> {
        loop {
            if let Some(converter) = &mut self.converter
                && !self.native.is_empty()
            {
                let most = CONVERTED_FRAMES * self.spec.channels;
                let samples = self.native.len().min(most);
                converter.process(&self.native[..samples], &mut self.converted);
                self.native.drain(..samples);
                return Ok(true);
            }
            if self.silence > 0 {
                let frames = self.silence.min(SILENCE_BLOCK);
                self.silence -= frames;
                let (_, kept) = self.link.take(frames);
                let samples = kept * self.spec.channels;
                match &mut self.converter {
                    Some(converter) => converter.process(&vec![0.0; samples], &mut self.converted),
                    None => block.resize(samples, T::MID),
                }
                return Ok(true);
            }
            if !std::mem::take(&mut self.primed) {
                let Some(packet) = self.next_packet()? else {
                    if self.end()? {
                        continue;
                    }
                    return Ok(false);
                };
                let rate = self.rate();
                let missing = self.link.missing_before(&packet, rate);
                // A broken timestamp must not lead beyond the end.
                let room = self.info.frames.map_or(missing, |total| {
                    total.saturating_sub(self.link.frames + self.silence)
                });
                self.lose(missing.min(room));
                let pause = self.link.pause_before(&packet, rate);
                self.fill(pause);
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
            let spec = Spec::of(&audio);
            if spec != self.spec {
                self.change_to(spec)?;
            }
            let audio = self.decoder.last_decoded();
            let (start, kept) = self.link.take(decoded);
            let (start, end) = (start * spec.channels, (start + kept) * spec.channels);
            if self.converter.is_some() || !self.converted.is_empty() {
                audio.copy_to_vec_interleaved(&mut self.native);
                self.native.truncate(end);
                self.native.drain(..start);
                // What is left of a part that was converted comes first.
                if self.converter.is_none() {
                    self.converted.append(&mut self.native);
                }
            } else if kept > 0 {
                audio.copy_to_vec_interleaved(block);
                block.truncate(end);
                block.drain(..start);
            }
            return Ok(true);
        }
    }

    /// From now on converts what is decoded to the file's first format.
    fn change_to(&mut self, spec: Spec) -> Result<(), DecodeError> {
        super::check_spec(spec.rate, spec.channels)?;
        if let Some(converter) = self.converter.take() {
            converter.finish(&mut self.converted);
        }
        let first = Spec {
            rate: self.info.sample_rate,
            channels: self.info.channels,
        };
        if self.damage.format_changes == MAX_CHANGES {
            return Err(Converter::refusal(spec, first));
        }
        self.damage.format_changes += 1;
        self.spec = spec;
        self.link.rate = Some(spec.rate);
        if spec != first {
            self.converter = Some(Converter::new(spec, first)?);
        }
        Ok(())
    }

    pub(super) fn too_long(&self) -> DecodeError {
        DecodeError::TooLong {
            allowed: self.max_frames / u64::from(self.info.sample_rate.max(1)),
        }
    }

    /// The track's next packet; `None` at the end.
    pub(super) fn next_packet(&mut self) -> Result<Option<Packet>, DecodeError> {
        let packet = match self.ahead.take() {
            Some(packet) => Some(packet),
            None => self.read_packet(true)?,
        };
        if packet.is_some() && self.link.extent.tail > 0 {
            self.ahead = self.read_packet(false)?;
        }
        Ok(packet)
    }

    /// Reads on to the track's next packet; `crosses` allows it to be of another link.
    pub(super) fn read_packet(&mut self, crosses: bool) -> Result<Option<Packet>, DecodeError> {
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
            let next = match self.after_next.take() {
                Some(packet) => Ok(Some(packet)),
                None => reader.next_packet(),
            };
            match next {
                Ok(Some(mut packet)) if packet.track_id == self.link.track_id => {
                    let stripped = self.scan.stripped(packet.track_id);
                    if !stripped.is_empty() {
                        packet.data = [stripped, &packet.data].concat().into();
                    }
                    self.follow_mpeg(&packet)?;
                    self.link.packets += 1;
                    self.packet_bytes += packet.data.len() as u64;
                    if let Some(left) = &mut self.link.mpeg_frames_left {
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

    /// Goes on to a Matroska file that was appended to the one that ends here; false if none was.
    fn open_next_file(&mut self) -> Result<bool, DecodeError> {
        let Some((input, at)) = self.input.as_ref().zip(self.next_file.take()) else {
            return Ok(false);
        };
        let rest = Window::new(input.reopen(), at..input.byte_len())?;
        self.meter.allow(limits::MAX_HEADER_BYTES);
        let Ok((reader, scan)) = source::open(Box::new(rest), &Hint::new(), &self.meter) else {
            self.damage.cut_short = true;
            return Ok(false);
        };
        self.next_file = scan.next_file().map(|next| at + next);
        self.is_cut_short |= scan.is_cut_short();
        self.scan = scan;
        let track = default_track(reader.as_ref())?.clone();
        self.reader = Some(reader);
        self.start_link(&track)?;
        Ok(true)
    }

    /// Starts a new link where the headers of MPEG audio frames change to others, which is where
    /// files were joined; a single such frame is a damaged one.
    fn follow_mpeg(&mut self, packet: &Packet) -> Result<(), DecodeError> {
        if !["mp1", "mp2", "mp3"].contains(&self.kind) {
            return Ok(());
        }
        let Some(found) = MpegSpec::of(&packet.data) else {
            return Ok(());
        };
        let known = *self.link.mpeg.get_or_insert(found);
        let Some(reader) = self.reader.as_mut().filter(|_| found != known) else {
            return Ok(());
        };
        self.after_next = reader.next_packet().ok().flatten();
        let next = self.after_next.as_ref();
        if next.and_then(|next| MpegSpec::of(&next.data)) == Some(found) {
            let track = default_track(reader.as_ref())?.clone();
            let mut params = codecs::audio_params(&track, None)?;
            params.for_codec(found.codec).with_sample_rate(found.rate);
            params.channels = None;
            self.decoder = codecs::make_decoder(&params, false)?;
            self.link.mpeg = Some(found);
            self.link.change_rate(found.rate);
        }
        Ok(())
    }

    /// The sample rate of what comes next, in Hz.
    fn rate(&self) -> u32 {
        self.link.rate.unwrap_or(self.spec.rate)
    }

    fn start_link(&mut self, track: &Track) -> Result<(), DecodeError> {
        self.scan.check_compression(track)?;
        let params = codecs::audio_params(track, None)?;
        codecs::check(&params)?;
        let container = self.kind;
        self.finish_checksum();
        // The file that ends here may have been cut before another was appended.
        self.damage.cut_short |= self.missing() > self.miscount();
        self.decoder = codecs::make_decoder(&params, trims_by_packet(container, track))?;
        let rate = self.decoder.codec_params().sample_rate;
        let rate = rate.unwrap_or(self.spec.rate);
        self.link = Link::new(&self.scan, container, track);
        self.link.rate = Some(rate);
        self.link.set_extent(&self.scan, container, track, rate, 0);
        self.lose(self.link.extent.late);
        Ok(())
    }

    /// Decodes a packet; false if it is damaged and silence is to take its place.
    fn decode(&mut self, packet: &Packet) -> bool {
        let rate = self.rate();
        if let Ok(frames) = codecs::decode(self.decoder.as_mut(), packet) {
            self.link.note_decoded(packet, frames, rate);
            if codecs::is_silenced(self.decoder.as_ref(), packet) {
                self.damage.lost_frames += frames;
            }
            return true;
        }
        let frames = self.link.frames_of(packet.dur.get(), rate);
        self.link.note_decoded(packet, frames, rate);
        self.lose(frames);
        false
    }

    /// Puts silence in the place of lost frames, and counts them.
    pub(super) fn lose(&mut self, frames: u64) {
        self.damage.lost_frames += self.fill(frames);
    }

    /// Puts in silence, but never more than the file can have held; gives how many frames it is.
    fn fill(&mut self, frames: u64) -> u64 {
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
        frames
    }

    /// Checks at the end of the packets that all is there; true if silence is still to come.
    fn end(&mut self) -> Result<bool, DecodeError> {
        let container = self.kind;
        let extent = self.link.extent;
        let missing = match extent.frames.filter(|_| extent.is_exact) {
            Some(_) => self.missing(),
            // A recording that was broken off.
            None if self.is_cut_short
                && self.frames > 0
                && (self.scan.is_live() || container == "flac") =>
            {
                self.damage.cut_short = true;
                0
            }
            None if self.is_cut_short && self.frames > 0 => {
                return Err(DecodeError::CutShort { found: self.frames });
            }
            None => 0,
        };
        let lost = self.take_lost_mpeg_frames();
        if lost > 0 {
            // In place of some, padding from the end was given out.
            self.lose(missing);
            self.damage.lost_frames += lost.saturating_sub(missing);
            if self.silence > 0 {
                return Ok(true);
            }
        }
        if missing > self.miscount() {
            // MP3 and Ogg demuxers pass over what is damaged; what is whole at its end but short
            // of frames has lost them on the way.
            let is_whole = !self.is_cut_short && ["mp3", "ogg"].contains(&container);
            let is_miscounted = is_whole && container == "mp3" && !self.has_room_for(missing);
            if is_miscounted {
                self.damage.miscounted_frames = missing;
            } else if is_whole {
                self.lose(missing);
            }
            if self.silence > 0 {
                return Ok(true);
            }
            if !is_miscounted {
                return Err(self.truncated(self.frames + missing));
            }
        }
        if self.frames == 0 {
            return Err(DecodeError::Empty);
        }
        self.finish_checksum();
        self.damage.cut_short |= is_headerless(container) && self.scan.ends_within_frame;
        Ok(false)
    }

    /// Frames that the stream should have and has not.
    fn missing(&self) -> u64 {
        let extent = &self.link.extent;
        match extent.frames.filter(|_| extent.is_exact) {
            Some(expected) if !self.link.is_complete() => expected.saturating_sub(self.link.frames),
            _ => 0,
        }
    }

    /// Frames of audio, counted once, in MPEG frames that an MP3 file counts and of which only bytes
    /// are there that no frame was found in.
    fn take_lost_mpeg_frames(&mut self) -> u64 {
        let xing = self.scan.xing.filter(|_| !self.is_cut_short);
        let found = xing.map(|xing| xing.own_bytes + self.packet_bytes);
        match xing.and_then(|xing| xing.end).zip(found) {
            Some((end, found)) if found < end => {
                self.link.mpeg_frames_left.take().unwrap_or(0) * self.link.packet_frames
            }
            _ => 0,
        }
    }

    /// Whether frames that are missing can have been among the bytes that were passed over.
    fn has_room_for(&self, missing: u64) -> bool {
        let bytes = self.scan.byte_len.unwrap_or(u64::MAX);
        let passed_over = bytes.saturating_sub(self.scan.hidden_bytes + self.packet_bytes);
        let needed =
            u128::from(missing) * u128::from(self.packet_bytes) / u128::from(self.frames.max(1));
        // Packets are of any size where the bit rate varies, and tags may be at the end.
        needed <= 2 * u128::from(passed_over)
    }

    /// The error of a file with fewer frames than its header promises.
    pub(super) fn truncated(&self, expected: u64) -> DecodeError {
        let found = self.frames;
        match &self.scan.mp4 {
            Some(mp4) if mp4.cut_short => DecodeError::TruncatedMp4 { found, expected },
            _ => DecodeError::Truncated { found, expected },
        }
    }

    /// By how much lengths are wrong: some encoders count the frame that holds the count.
    fn miscount(&self) -> u64 {
        if self.kind == "mp3" { MPEG_FRAME } else { 0 }
    }

    fn finish_checksum(&mut self) {
        self.damage.checksum_mismatch |= self.decoder.finalize().verify_ok == Some(false);
    }
}
