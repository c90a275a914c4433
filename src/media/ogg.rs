//! The last page of an Ogg file, whose timestamp is the length of the audio, and the start of its
//! comments.
//!
//! Symphonia gives up on the last page when it meets a damaged one on the way there. Pages are as in
//! RFC 3533, section 6.

use std::io::{self, Read, Seek, SeekFrom};

use super::limits::absurd;

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

/// Streams side by side in a file.
const MAX_STREAMS: u32 = 64;
const STARTS_STREAM: u8 = 2;

/// Refuses a file of more streams side by side than any has. The position afterwards is anywhere.
///
/// # Errors
/// Where there are more, or reading fails.
pub(crate) fn check_streams<R: Read + Seek>(source: &mut R, mut at: u64) -> io::Result<()> {
    for _ in 0..=MAX_STREAMS {
        let mut page = Vec::new();
        source.seek(SeekFrom::Start(at))?;
        source.by_ref().take(27 + 255).read_to_end(&mut page)?;
        if page.len() < 27 || !page.starts_with(b"OggS") || page[5] & STARTS_STREAM == 0 {
            return Ok(());
        }
        let segments = page[27..].iter().take(page[26].into());
        let body: u64 = segments.map(|&len| u64::from(len)).sum();
        at += 27 + u64::from(page[26]) + body;
    }
    Err(absurd(format!("Ogg: more than {MAX_STREAMS} streams")))
}

/// Bytes at the start of a file in which the comments have to begin.
const START: u64 = 1 << 17;

/// How many fields the comments of a file claim to hold; `None` where there are none to be seen.
/// The position afterwards is anywhere.
///
/// # Errors
/// Where reading fails.
pub(crate) fn comment_fields<R: Read + Seek>(source: &mut R) -> io::Result<Option<u32>> {
    source.seek(SeekFrom::Start(0))?;
    let mut start = Vec::new();
    source.take(START).read_to_end(&mut start)?;
    Ok(claimed_fields(&start))
}

fn claimed_fields(mut start: &[u8]) -> Option<u32> {
    let mut packets = Vec::new();
    let mut head_len = None;
    while start.starts_with(b"OggS") {
        let segments = start.get(27..27 + usize::from(*start.get(26)?))?;
        let len: usize = segments.iter().map(|&len| usize::from(len)).sum();
        let body = &start[27 + segments.len()..];
        packets.extend_from_slice(&body[..len.min(body.len())]);
        // The first page holds the first header alone.
        head_len.get_or_insert(packets.len());
        start = body.get(len..).unwrap_or_default();
    }
    let comments = packets.get(head_len?..)?;
    let comments = match comments {
        [b'O', b'p', b'u', b's', b'T', b'a', b'g', b's', rest @ ..]
        | [3, b'v', b'o', b'r', b'b', b'i', b's', rest @ ..]
        // FLAC: a metadata block, with its size.
        | [4 | 0x84, _, _, _, rest @ ..] => rest,
        _ => return None,
    };
    let (vendor, rest) = comments.split_first_chunk()?;
    let vendor = u32::from_le_bytes(*vendor);
    if u64::from(vendor) > START / 2 {
        // No encoder has such a name: the number is to be hidden behind it.
        return Some(u32::MAX);
    }
    let fields = rest.get(vendor as usize..)?.first_chunk()?;
    Some(u32::from_le_bytes(*fields))
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
