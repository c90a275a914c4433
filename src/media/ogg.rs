//! The last page of an Ogg file, whose timestamp is the length of the audio.
//!
//! Symphonia gives up on it when it meets a damaged page on the way there. Pages are as in
//! RFC 3533, section 6.

use std::io::{self, Read, Seek, SeekFrom};

/// The largest page: header, 255 segments, 255 bytes in each.
const MAX_PAGE: u64 = 27 + 255 + 255 * 255;

/// The timestamp of the last page of a file, if that page is whole, marked as the stream's last,
/// and of the same stream as the first one. The position afterwards is anywhere.
///
/// # Errors
/// Where reading fails.
pub(crate) fn last_granule<R: Read + Seek>(source: &mut R, len: u64) -> io::Result<Option<u64>> {
    let mut first = [0; 18];
    source.seek(SeekFrom::Start(0))?;
    if source.read_exact(&mut first).is_err() || first[..4] != *b"OggS" {
        return Ok(None);
    }
    let serial = &first[14..18];
    source.seek(SeekFrom::Start(len.saturating_sub(MAX_PAGE)))?;
    let mut end = Vec::new();
    source.take(MAX_PAGE).read_to_end(&mut end)?;
    let starts = end.windows(4).enumerate().rev();
    let last = starts
        .filter(|(_, bytes)| bytes == b"OggS")
        .find_map(|(at, _)| granule(&end[at..], serial));
    Ok(last)
}

/// The timestamp of the page at the start of some bytes, if its checksum is right.
fn granule(bytes: &[u8], serial: &[u8]) -> Option<u64> {
    let header = bytes.get(..27)?;
    let segments = bytes.get(27..27 + usize::from(header[26]))?;
    let len = 27 + segments.len() + segments.iter().map(|&len| usize::from(len)).sum::<usize>();
    let mut page = bytes.get(..len)?.to_vec();
    page[22..26].fill(0);
    let is_last = header[5] & 4 != 0;
    if !is_last || header[14..18] != *serial || crc32(&page).to_le_bytes() != header[22..26] {
        return None;
    }
    let granule = u64::from_le_bytes(header[6..14].try_into().ok()?);
    // All ones: no packet ends on this page.
    i64::try_from(granule).ok().map(i64::cast_unsigned)
}

/// The checksum of a page: polynomial 0x04c11db7, not reflected, starting at 0.
fn crc32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte) << 24, |crc: u32, _| {
            crc << 1 ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 }
        })
    })
}
