//! Short parts from all over a file, for measurements: what its beginning tells of the rest is
//! often wrong.

use symphonia_core::errors::{Error as SymphoniaError, SeekErrorKind};
use symphonia_core::units::Time;

use super::convert::Spec;
use super::error::DecodeError;
use super::info::AudioInfo;
use super::packets::Packets;
use crate::samples::MediaSample;

/// Seconds of audio given out of each part.
const PART_SECONDS: u64 = 2;
/// The most parts.
const MAX_PARTS: u32 = 256;

/// How far the sampling of a file has got.
pub(super) struct Sampling {
    spec: Spec,
    /// Length of the file in seconds, if it is known.
    seconds: f64,
    parts: u32,
    frames_left: u64,
    can_seek: bool,
}

impl Sampling {
    pub(super) fn new(info: &AudioInfo) -> Self {
        Self {
            spec: Spec {
                rate: info.sample_rate,
                channels: info.channels,
            },
            seconds: info.seconds().unwrap_or(0.0),
            parts: 1,
            frames_left: PART_SECONDS * u64::from(info.sample_rate),
            can_seek: info.frames.is_some(),
        }
    }

    /// Decodes a packet into `block`, interleaved; returns the number of frames, 0 at the end.
    ///
    /// # Errors
    /// Returns an error if nothing can be read at the very start (`is_start`); later, damage is
    /// passed over.
    pub(super) fn next_block<T: MediaSample>(
        &mut self,
        packets: &mut Packets,
        is_start: bool,
        block: &mut Vec<T>,
    ) -> Result<u64, DecodeError> {
        loop {
            if self.frames_left == 0
                && self.can_seek
                && (self.parts == MAX_PARTS || !self.go_to_next_part(packets))
            {
                return Ok(0);
            }
            let packet = match packets.read(true) {
                Ok(Some(packet)) => packet,
                Err(error) if is_start => return Err(error),
                _ if self.can_seek => {
                    self.frames_left = 0;
                    continue;
                }
                _ => return Ok(0),
            };
            let Ok(frames @ 1..) = packets.decode(&packet) else {
                continue;
            };
            let audio = packets.codec.last_decoded();
            if Spec::of(&audio) != self.spec {
                continue;
            }
            audio.copy_to_vec_interleaved(block);
            self.frames_left = self.frames_left.saturating_sub(frames);
            return Ok(frames);
        }
    }

    /// Goes to the next part; false if the demuxer has lost its way, as some do after the end.
    fn go_to_next_part(&mut self, packets: &mut Packets) -> bool {
        // Its bits in reverse order spread the parts ever more densely over the file.
        let fraction = f64::from(self.parts.reverse_bits()) / f64::from(u32::MAX);
        self.parts += 1;
        self.frames_left = PART_SECONDS * u64::from(self.spec.rate);
        let Some(time) = Time::try_from_secs_f64(self.seconds * fraction) else {
            return false;
        };
        match packets.seek(time) {
            Ok(_) => true,
            Err(SymphoniaError::SeekError(SeekErrorKind::Unseekable)) => {
                self.can_seek = false;
                true
            }
            Err(_) => false,
        }
    }
}
