//! The frame at the head of an MP3 file that tells its exact length.
//!
//! Without it players give out the encoder's delay and padding as silence. A seek table is in it at
//! a variable bit rate alone: at a low constant one it would not fit, nor is it needed there. Layout:
//! the "MP3 Info Tag" of the LAME project, revision 1.

use audiostretchy_containers::crc::crc16_arc;
use audiostretchy_containers::mpeg;

/// Frames (at the sample rate) that the encoder puts before the audio.
const ENCODER_DELAY: u64 = 576;
/// "Info" or "Xing", flags, frames, bytes, and LAME's extension.
const TAG_LEN: usize = 16 + LAME_LEN;
/// The seek table, and the quality.
const VBR_LEN: usize = SEEK_POINTS + 4;
const SEEK_POINTS: usize = 100;
const LAME_LEN: usize = 36;
const HEADER_LEN: usize = 4;

/// The info frame of a file; all its forms have the same length.
#[derive(Debug, Clone, Copy)]
pub(super) struct InfoFrame {
    pub(super) sample_rate: u32,
    pub(super) channels: usize,
    /// LAME's setting of a variable bit rate, 0 (best) to 9.
    pub(super) vbr: Option<u8>,
}

impl InfoFrame {
    fn is_mpeg_1(self) -> bool {
        self.sample_rate >= 32_000
    }

    fn side_info_len(self) -> usize {
        mpeg::side_info_len(self.is_mpeg_1(), self.channels)
    }

    pub(super) fn samples_per_frame(self) -> u64 {
        if self.is_mpeg_1() { 1152 } else { 576 }
    }

    /// Index and frame length in bytes of the lowest bit rate whose frames hold the tag.
    fn bitrate(self) -> (u8, usize) {
        let bits_per_kbps = self.samples_per_frame() as usize / 8 * 1000;
        let length = |kbps| bits_per_kbps * kbps as usize / self.sample_rate as usize;
        let tag = TAG_LEN + if self.vbr.is_some() { VBR_LEN } else { 0 };
        (1..)
            .zip(mpeg::layer_3_bitrates(self.is_mpeg_1()).map(length))
            .find(|&(_, length)| length >= HEADER_LEN + self.side_info_len() + tag)
            .expect("the highest bit rate holds the tag at every sample rate")
    }

    /// Length of the frame in bytes.
    pub(super) fn len(self) -> usize {
        self.bitrate().1
    }

    /// Returns the frame for `frames` frames of audio encoded to `bytes` bytes, of which MP3 frames
    /// begin at `places`, at a variable bit rate.
    pub(super) fn bytes(self, frames: u64, bytes: u64, places: &[u32]) -> Vec<u8> {
        let (bitrate_index, length) = self.bitrate();
        let per_frame = self.samples_per_frame();
        // LAME fills the last frame up, and adds one if the decoder's delay would not fit.
        let encoded = ENCODER_DELAY + frames;
        let mut padding = per_frame - encoded % per_frame;
        if padding < ENCODER_DELAY {
            padding += per_frame;
        }
        let mpeg_frames = (encoded + padding) / per_frame;

        let mut frame = self.header(bitrate_index).to_vec();
        frame.resize(HEADER_LEN + self.side_info_len(), 0);
        let total = bytes as u32 + length as u32;
        frame.extend(match self.vbr {
            Some(_) => b"Xing\0\0\0\x0F",
            None => b"Info\0\0\0\x03",
        });
        frame.extend((mpeg_frames as u32).to_be_bytes());
        frame.extend(total.to_be_bytes());
        if let Some(vbr) = self.vbr {
            frame.extend(seek_table(length as u32, total, places));
            frame.extend((100 - 10 * u32::from(vbr)).to_be_bytes());
        }
        let extension = frame.len();
        // Encoder, then revision 0 and method 1, constant bit rate, or 4, variable; lowpass and gain
        // are unknown.
        frame.extend(b"LAME3.100");
        frame.push(if self.vbr.is_some() { 4 } else { 1 });
        frame.resize(extension + 21, 0);
        frame.extend(&((ENCODER_DELAY << 12 | padding) as u32).to_be_bytes()[1..]);
        frame.resize(extension + 28, 0);
        frame.extend(total.to_be_bytes());
        frame.extend([0, 0]);
        frame.extend(crc16_arc(&frame).to_be_bytes());
        frame.resize(length, 0);
        frame
    }

    /// An MPEG audio frame header without CRC and padding (ISO 11172-3, 2.4.1.3).
    fn header(self, bitrate_index: u8) -> [u8; HEADER_LEN] {
        let version = match self.sample_rate {
            32_000.. => 0xFB,
            16_000.. => 0xF3,
            _ => 0xE3,
        };
        let rate_index = match self.sample_rate {
            44_100 | 22_050 | 11_025 => 0,
            48_000 | 24_000 | 12_000 => 1,
            _ => 2,
        };
        let mode = if self.channels == 1 { 0xC0 } else { 0x40 };
        [0xFF, version, bitrate_index << 4 | rate_index << 2, mode]
    }
}

/// Returns where each hundredth of the frames begins, in 256ths of the file.
fn seek_table(head: u32, total: u32, places: &[u32]) -> [u8; SEEK_POINTS] {
    std::array::from_fn(|point| {
        let place = places.get(point * places.len() / SEEK_POINTS);
        let place = place.map_or(total, |place| head + place);
        (u64::from(place) * 256 / u64::from(total.max(1))).min(255) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_has_the_length_its_header_says() {
        for sample_rate in [8000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000] {
            for (channels, vbr) in [(1, None), (2, None), (1, Some(9)), (2, Some(0))] {
                let info = InfoFrame {
                    sample_rate,
                    channels,
                    vbr,
                };
                assert_eq!(info.bytes(1000, 5000, &[0, 2000]).len(), info.len());
            }
        }
    }
}
