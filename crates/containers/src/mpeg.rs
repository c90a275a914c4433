//! The headers of MPEG audio and ADTS frames.

use symphonia_core::codecs::audio::AudioCodecId;
use symphonia_core::codecs::audio::well_known::{CODEC_ID_MP1, CODEC_ID_MP2, CODEC_ID_MP3};

/// Bytes of a frame's header that tell its length: 4 in MPEG audio, 6 in ADTS.
pub const FRAME_HEAD: usize = 6;

/// Layer III in the layer field of a header: 3 is layer I, 2 is layer II.
const LAYER_3: u32 = 1;

/// Bit rates in kbit/s by index from 1 (ISO/IEC 11172-3 and 13818-3, 2.4.2.3): MPEG-1 layers I, II
/// and III, MPEG-2 layer I, MPEG-2 layers II and III.
const KBPS: [[u32; 14]; 5] = [
    [
        32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448,
    ],
    [
        32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384,
    ],
    [
        32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
    ],
    [
        32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256,
    ],
    [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

/// Sampling frequency index of AAC to Hz (ISO/IEC 14496-3, table 1.18).
pub const AAC_SAMPLE_RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];

/// The header of a frame of MPEG audio (ISO/IEC 11172-3 and 13818-3, 2.4.1.3), free bit rates left
/// out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MpegHeader {
    bits: u32,
}

impl MpegHeader {
    /// The header at the start of some bytes; `None` if there is none.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let header = Self {
            bits: u32::from_be_bytes(*bytes.first_chunk()?),
        };
        let is_mpeg = header.bits >> 21 == 0x7FF && header.version() != 1 && header.layer() != 0;
        (is_mpeg && header.field(10, 3) != 3 && header.kbps_or_free().is_some()).then_some(header)
    }

    /// The header of a layer III frame, whatever else it says; `None` if there is none.
    pub fn parse_layer_3(bytes: &[u8]) -> Option<Self> {
        let header = Self {
            bits: u32::from_be_bytes(*bytes.first_chunk()?),
        };
        (header.bits >> 21 == 0x7FF && header.layer() == LAYER_3).then_some(header)
    }

    fn field(self, shift: u32, mask: u32) -> u32 {
        self.bits >> shift & mask
    }

    /// 3 is MPEG-1, 2 is MPEG-2, 0 is MPEG-2.5.
    fn version(self) -> u32 {
        self.field(19, 3)
    }

    fn layer(self) -> u32 {
        self.field(17, 3)
    }

    fn kbps_or_free(self) -> Option<u32> {
        let row = match (self.is_mpeg_1(), self.layer()) {
            (true, layer) => 3 - layer as usize,
            (false, 3) => 3,
            (false, _) => 4,
        };
        let index = (self.field(12, 15) as usize).checked_sub(1)?;
        KBPS[row].get(index).copied()
    }

    /// Returns whether it is of MPEG-1, which has sample rates from 32 kHz up.
    pub fn is_mpeg_1(self) -> bool {
        self.version() == 3
    }

    /// Number of channels, 1 or 2.
    pub fn channels(self) -> usize {
        if self.field(6, 3) == 3 { 1 } else { 2 }
    }

    /// Returns whether a checksum of two bytes follows the header.
    pub fn has_crc(self) -> bool {
        self.field(16, 1) == 0
    }

    /// Sample rate in Hz.
    fn sample_rate(self) -> u32 {
        let halvings = [2, 0, 1, 0][self.version() as usize];
        [44_100, 48_000, 32_000, 0][self.field(10, 3) as usize] >> halvings
    }

    /// Length of the frame in bytes.
    fn frame_len(self) -> u64 {
        let kbps = u64::from(self.kbps_or_free().unwrap_or(0));
        let sample_rate = u64::from(self.sample_rate());
        let padding = u64::from(self.field(9, 1));
        match self.layer() {
            3 => (12_000 * kbps / sample_rate + padding) * 4,
            LAYER_3 if !self.is_mpeg_1() => 72_000 * kbps / sample_rate + padding,
            _ => 144_000 * kbps / sample_rate + padding,
        }
    }

    /// Length of a layer III frame's side information in bytes.
    pub fn side_info_len(self) -> usize {
        side_info_len(self.is_mpeg_1(), self.channels())
    }
}

/// Length of a layer III frame's side information in bytes (ISO/IEC 11172-3 and 13818-3, 2.4.1.7).
pub fn side_info_len(is_mpeg_1: bool, channels: usize) -> usize {
    match (is_mpeg_1, channels) {
        (true, 1) => 17,
        (true, _) => 32,
        (false, 1) => 9,
        (false, _) => 17,
    }
}

/// Returns where each frame of MPEG audio begins, one right behind the other, up to what is none.
pub fn frames(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let place = next;
        let header = MpegHeader::parse(bytes.get(place..)?)?;
        next += header.frame_len() as usize;
        Some(place)
    })
}

/// Bit rates of layer III in kbit/s, by index from 1.
pub fn layer_3_bitrates(is_mpeg_1: bool) -> [u32; 14] {
    KBPS[if is_mpeg_1 { 2 } else { 4 }]
}

/// What the header of a frame of MPEG audio says of its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MpegSpec {
    /// Of the layer.
    pub codec: AudioCodecId,
    /// Sample rate in Hz.
    pub rate: u32,
    /// One or two.
    pub channels: usize,
}

impl MpegSpec {
    /// The format of a frame; `None` if it is not one of MPEG audio.
    pub fn of(frame: &[u8]) -> Option<Self> {
        let header = MpegHeader::parse(frame)?;
        Some(Self {
            codec: [CODEC_ID_MP3, CODEC_ID_MP2, CODEC_ID_MP1][header.layer() as usize - 1],
            rate: header.sample_rate(),
            channels: header.channels(),
        })
    }
}

/// A frame of MPEG audio or ADTS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// What all frames of a file have in common.
    pub kind: u32,
    /// Length in bytes.
    pub len: u64,
}

/// Returns the frame that a header begins; `None` if it is none, or of a free bit rate.
pub fn frame(head: &[u8]) -> Option<Frame> {
    if let Some(header) = MpegHeader::parse(head) {
        return Some(Frame {
            // Sync, version, layer and sample rate.
            kind: header.bits & 0xFFFE_0C00,
            len: header.frame_len(),
        });
    }
    let bits = u32::from_be_bytes(*head.first_chunk()?);
    // ADTS (ISO/IEC 13818-7, 6.2): 13 bits of length, across the fourth to the sixth byte.
    let is_adts = bits >> 20 == 0xFFF && bits >> 17 & 3 == 0;
    let len = u64::from(bits & 3) << 11 | u64::from(*head.get(4)?) << 3;
    let len = len | u64::from(*head.get(5)?) >> 5;
    (is_adts && bits >> 10 & 15 < 13 && len > 7).then_some(Frame {
        kind: bits & 0xFFFF_FC00,
        len,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_all_kinds_have_their_length() {
        for (head, len) in [
            (b"\xFF\xFB\x90\0\0\0", 417),
            (b"\xFF\xFB\x92\0\0\0", 418),
            (b"\xFF\xF3\x40\0\0\0", 104),
            (b"\xFF\xFD\xA4\0\0\0", 576),
            (b"\xFF\xF1\x50\x80\x02\x7F", 19),
        ] {
            assert_eq!(frame(head).unwrap().len, len, "{head:X?}");
        }
        assert!(frame(b"\xFF\xFE\x41\0\0\0").is_none_or(|frame| frame.len > 0));
    }

    #[test]
    fn no_header_makes_trouble() {
        for bits in (0xFFE0_0000..=u32::MAX).step_by(0x61) {
            let bytes = [&bits.to_be_bytes()[..], &[0xFF, 0xFF]].concat();
            let found = frame(&bytes);
            let spec = MpegSpec::of(&bytes);
            assert!(found.is_none_or(|frame| frame.len > 0), "{bits:X}");
            assert!(spec.is_none_or(|spec| spec.rate >= 8000), "{bits:X}");
        }
    }
}
