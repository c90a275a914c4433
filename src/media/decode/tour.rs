//! A look at a file here and there: what its beginning tells of the rest is often wrong.

use symphonia::core::audio::conv::ConvertibleSample;
use symphonia::core::errors::{Error as SymphoniaError, SeekErrorKind};
use symphonia::core::formats::{SeekMode, SeekTo};
use symphonia::core::units::Time;

use super::convert::Spec;
use super::{DecodeError, Decoder, codecs};

/// Seconds of audio given out of each part.
const PART_SECONDS: u64 = 2;
/// The most parts.
const MAX_PARTS: u32 = 256;

/// How far a decoder has got on its tour.
pub(super) struct Tour {
    parts: u32,
    frames_left: u64,
    can_seek: bool,
}

impl Decoder {
    /// From now on gives out short parts from all over the file, first the beginning, then the
    /// middle, the quarters and so on: for measurements. Ends when the file does, or after some
    /// hundred parts.
    ///
    /// Damage is passed over, and where the demuxer cannot seek, all goes on in order.
    pub(crate) fn start_tour(&mut self) {
        self.tour = Some(Tour {
            parts: 1,
            frames_left: PART_SECONDS * u64::from(self.info.sample_rate),
            can_seek: self.info.frames.is_some(),
        });
        // The first packet was decoded to learn of the file.
        self.primed = false;
        self.ahead = None;
        self.silence = 0;
    }

    pub(super) fn next_block_of<T: ConvertibleSample>(
        &mut self,
        mut tour: Tour,
        block: &mut Vec<T>,
    ) -> Result<bool, DecodeError> {
        loop {
            if tour.frames_left == 0 && tour.can_seek {
                if tour.parts == MAX_PARTS {
                    return Ok(false);
                }
                if !self.go_to_next(&mut tour) {
                    return Ok(false);
                }
            }
            let packet = match self.read_packet(true) {
                Ok(Some(packet)) => packet,
                Err(error) if self.frames == 0 => return Err(error),
                _ if tour.can_seek => {
                    tour.frames_left = 0;
                    continue;
                }
                _ => return Ok(false),
            };
            let Ok(frames @ 1..) = codecs::decode(self.decoder.as_mut(), &packet) else {
                continue;
            };
            let audio = self.decoder.last_decoded();
            if Spec::of(&audio) != self.spec {
                continue;
            }
            audio.copy_to_vec_interleaved(block);
            self.frames += frames;
            tour.frames_left = tour.frames_left.saturating_sub(frames);
            self.tour = Some(tour);
            return Ok(true);
        }
    }

    /// Goes to the next part; false if the demuxer has lost its way, as some do after the end.
    fn go_to_next(&mut self, tour: &mut Tour) -> bool {
        // Its bits in reverse order spread the parts ever more densely over the file.
        let fraction = f64::from(tour.parts.reverse_bits()) / f64::from(u32::MAX);
        tour.parts += 1;
        tour.frames_left = PART_SECONDS * u64::from(self.info.sample_rate);
        let seconds = self.info.seconds().unwrap_or(0.0) * fraction;
        let (Some(reader), Some(time)) = (&mut self.reader, Time::try_from_secs_f64(seconds))
        else {
            return false;
        };
        let to = SeekTo::Time {
            time,
            track_id: Some(self.link.track_id),
        };
        match reader.seek(SeekMode::Coarse, to) {
            Ok(_) => {
                self.decoder.reset();
                self.after_next = None;
                self.link.mpeg_frames_left = None;
                true
            }
            Err(SymphoniaError::SeekError(SeekErrorKind::Unseekable)) => {
                tour.can_seek = false;
                true
            }
            Err(_) => false,
        }
    }
}
