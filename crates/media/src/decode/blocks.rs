//! From packets to blocks of audio: one stream after the other, silence where audio is missing.

use symphonia_core::packet::Packet;

use super::convert::{Converter, Spec};
use super::decoder::Decoder;
use super::demux::is_headerless;
use super::error::DecodeError;
use super::registry;
use crate::samples::MediaSample;

/// Frames of silence given out at a time where audio is missing.
const SILENCE_BLOCK: u64 = 4096;

/// Frames converted at a time, which may become many more.
const CONVERTED_FRAMES: usize = 4096;

/// Changes of the format within a file that are followed.
const MAX_CHANGES: u32 = 1000;

impl Decoder {
    /// See [`Decoder::next_block`].
    pub(super) fn read_block<T: MediaSample>(
        &mut self,
        block: &mut Vec<T>,
    ) -> Result<bool, DecodeError> {
        block.clear();
        if let Some(sampling) = &mut self.sampling {
            let is_start = self.frames == 0;
            let frames = sampling.next_block(&mut self.packets, is_start, block)?;
            self.frames += frames;
            return Ok(frames > 0);
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
    fn read_native_block<T: MediaSample>(
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
                let (_, kept) = self.packets.stream.take(frames);
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
                let rate = self.packets.rate();
                let missing = self.packets.stream.missing_before(&packet, rate);
                // A broken timestamp must not lead beyond the end.
                let room = self.info.frames.map_or(missing, |total| {
                    total.saturating_sub(self.packets.stream.frames + self.silence)
                });
                self.lose(missing.min(room));
                let pause = self.packets.stream.pause_before(&packet, rate);
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
            let audio = self.packets.codec.last_decoded();
            let tail = if self.packets.ahead.is_none() {
                self.packets.stream.extent.tail
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
            let audio = self.packets.codec.last_decoded();
            let (start, kept) = self.packets.stream.take(decoded);
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
        registry::check_spec(spec.rate, spec.channels)?;
        if let Some(converter) = self.converter.take() {
            converter.finish(&mut self.converted);
        }
        let first = Spec {
            rate: self.info.sample_rate,
            channels: self.info.channels,
        };
        if self.packets.damage.format_changes == MAX_CHANGES {
            return Err(Converter::refusal(spec, first));
        }
        self.packets.damage.format_changes += 1;
        self.set_spec(spec);
        self.packets.stream.rate = Some(spec.rate);
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

    /// Decodes a packet; false if it is damaged and silence is to take its place.
    fn decode(&mut self, packet: &Packet) -> bool {
        let rate = self.packets.rate();
        if let Ok(frames) = self.packets.decode(packet) {
            self.packets.stream.note_decoded(packet, frames, rate);
            if self.packets.is_silenced(packet) {
                self.packets.damage.lost_frames += frames;
            }
            return true;
        }
        let frames = self.packets.stream.frames_of(packet.dur.get(), rate);
        self.packets.stream.note_decoded(packet, frames, rate);
        self.lose(frames);
        false
    }

    /// Puts silence in the place of lost frames, and counts them.
    pub(super) fn lose(&mut self, frames: u64) {
        self.packets.damage.lost_frames += self.fill(frames);
    }

    /// Puts in silence, but never more than the file can have held; returns how many frames it is.
    fn fill(&mut self, frames: u64) -> u64 {
        let extent = &self.packets.stream.extent;
        let room = match extent.frames.filter(|_| extent.is_exact) {
            Some(total) => total
                .saturating_add(extent.skip)
                .saturating_sub(self.packets.stream.decoded + self.silence),
            None => frames,
        };
        let frames = frames.min(room).min(self.silence_allowed);
        self.silence_allowed -= frames;
        self.silence += frames;
        frames
    }

    /// Checks at the end of the packets that all is there; true if silence is still to come.
    fn end(&mut self) -> Result<bool, DecodeError> {
        let container = self.packets.kind;
        let extent = self.packets.stream.extent;
        let missing = match extent.frames.filter(|_| extent.is_exact) {
            Some(_) => self.packets.stream.missing(),
            // A recording that was broken off.
            None if self.packets.is_cut_short
                && self.frames > 0
                && (self.packets.scan.is_live() || container == "flac") =>
            {
                self.packets.damage.cut_short = true;
                0
            }
            None if self.packets.is_cut_short && self.frames > 0 => {
                return Err(DecodeError::CutShort { found: self.frames });
            }
            None => 0,
        };
        let lost = self.packets.take_lost_mpeg_frames();
        if lost > 0 {
            // In place of some, padding from the end was given out.
            self.lose(missing);
            self.packets.damage.lost_frames += lost.saturating_sub(missing);
            if self.silence > 0 {
                return Ok(true);
            }
        }
        if missing > self.packets.miscount() {
            // MP3 and Ogg demuxers pass over what is damaged; what is whole at its end but short
            // of frames has lost them on the way.
            let is_whole = !self.packets.is_cut_short && ["mp3", "ogg"].contains(&container);
            let is_miscounted =
                is_whole && container == "mp3" && !self.packets.has_room_for(missing, self.frames);
            if is_miscounted {
                self.packets.damage.miscounted_frames = missing;
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
        self.packets.finish_checksum();
        self.packets.damage.cut_short |=
            is_headerless(container) && self.packets.scan.ends_within_frame;
        Ok(false)
    }

    /// Returns the error of a file with fewer frames than its header promises.
    pub(super) fn truncated(&self, expected: u64) -> DecodeError {
        let found = self.frames;
        match &self.packets.scan.mp4 {
            Some(mp4) if mp4.cut_short => DecodeError::TruncatedMp4 { found, expected },
            _ => DecodeError::Truncated { found, expected },
        }
    }
}
