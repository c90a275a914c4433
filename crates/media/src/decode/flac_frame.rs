//! The headers of FLAC frames.

use audiostretchy_containers::crc::crc8;

/// The header of a frame (RFC 9639, section 9.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    /// In bytes.
    pub len: usize,
    pub is_variable: bool,
    /// Of the frame, or of its first sample.
    pub number: u64,
    /// Frames of audio in it.
    pub block: u32,
    /// In Hz, if said.
    pub rate: Option<u32>,
    pub channels: usize,
    /// Bits per sample, if said.
    pub bits: Option<u32>,
}

impl Header {
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let &[0xFF, sync @ 0xF8..=0xF9, sizes, kinds, first, ..] = bytes else {
            return None;
        };
        let mut at = 5;
        let mut read = |count: usize| {
            let field = bytes.get(at..at + count)?;
            at += count;
            Some(
                field
                    .iter()
                    .fold(0, |sum, &byte| sum << 8 | u64::from(byte)),
            )
        };
        let more = first.leading_ones().saturating_sub(1) as usize;
        if first.leading_ones() == 1 || first == 0xFF || kinds & 1 != 0 {
            return None;
        }
        let mut number = u64::from(first) & (0x7F_u64 >> first.leading_ones());
        for _ in 0..more {
            let byte = read(1)?;
            if byte >> 6 != 0b10 {
                return None;
            }
            number = number << 6 | byte & 0x3F;
        }
        let block = match sizes >> 4 {
            0 => return None,
            1 => 192,
            size @ 2..=5 => 576 << (size - 2),
            6 => read(1)? as u32 + 1,
            7 => read(2)? as u32 + 1,
            size => 256 << (size - 8),
        };
        const RATES: [u32; 11] = [
            88_200, 176_400, 192_000, 8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000,
        ];
        let rate = match sizes & 15 {
            0 => None,
            12 => Some(read(1)? as u32 * 1000),
            13 => Some(read(2)? as u32),
            14 => Some(read(2)? as u32 * 10),
            15 => return None,
            index => Some(RATES[usize::from(index) - 1]),
        };
        let channels = match kinds >> 4 {
            count @ 0..=7 => usize::from(count) + 1,
            8..=10 => 2,
            _ => return None,
        };
        let bits = match kinds >> 1 & 7 {
            0 => None,
            3 => return None,
            index => Some([8, 12, 0, 16, 20, 24, 32][usize::from(index) - 1]),
        };
        let crc = read(1)?;
        let is_right = crc == u64::from(crc8(&bytes[..at - 1]));
        (is_right && block < 0x1_0000 && rate != Some(0)).then_some(Self {
            len: at,
            is_variable: sync & 1 != 0,
            number,
            block,
            rate,
            channels,
            bits,
        })
    }
}
