//! Layer III frames of MPEG audio with mixed blocks, which Symphonia decodes to noise.
//!
//! Side information is as in ISO/IEC 11172-3 and 13818-3, section 2.4.1.7.

use audiostretchy_containers::mpeg::MpegHeader;

/// Returns the frame without its spectrum, if it has mixed blocks: silence, after which those that
/// follow are decoded as if nothing had been wrong.
pub(crate) fn without_mixed_blocks(frame: &[u8]) -> Option<Box<[u8]>> {
    let header = MpegHeader::parse_layer_3(frame)?;
    let channels = header.channels();
    let start = 8 * if header.has_crc() { 6 } else { 4 };
    // Behind the start of the main data, private bits and what granules share.
    let (granules, first, scale_bits, flag_bits) = match (header.is_mpeg_1(), channels) {
        (true, 1) => (2, 9 + 5 + 4, 4, 3),
        (true, _) => (2, 9 + 3 + 8, 4, 3),
        (false, 1) => (1, 8 + 1, 9, 2),
        (false, _) => (1, 8 + 2, 9, 2),
    };
    let head = 12 + 9 + 8 + scale_bits;
    let len = head + 1 + 22 + flag_bits;
    let places = || (0..granules * channels).map(|index| start + first + index * len);
    let is_mixed = |at: usize| {
        // Window switching, short blocks, mixed.
        Some(bits(frame, at + head, 4)? == 0b1101)
    };
    places()
        .map(is_mixed)
        .collect::<Option<Vec<_>>>()?
        .contains(&true)
        .then(|| {
            let mut silent: Box<[u8]> = frame.into();
            for at in places() {
                clear(&mut silent, at, 12 + 9);
                clear(&mut silent, at + 12 + 9 + 8, scale_bits);
            }
            silent
        })
}

fn bits(bytes: &[u8], at: usize, count: usize) -> Option<u32> {
    (at..at + count).try_fold(0, |sum, at| {
        let byte = bytes.get(at / 8)?;
        Some(sum << 1 | u32::from(byte >> (7 - at % 8) & 1))
    })
}

fn clear(bytes: &mut [u8], at: usize, count: usize) {
    for at in at..at + count {
        bytes[at / 8] &= !(0x80 >> (at % 8));
    }
}
