//! The last page of an Ogg file, whose timestamp is the length of the audio, and the start of its
//! comments.
//!
//! Symphonia gives up on the last page when it meets a damaged one on the way there. Pages are as in
//! RFC 3533, section 6.

use std::io::{self, Read, Seek};

use crate::limits::absurd;
use crate::ogg_page::{self, HEAD_LEN, MAX_SEGMENTS, PageHeader};
use crate::source::read_at;

/// Returns the timestamp of the last page of a file, if that page is whole, marked as the stream's
/// last, and of the same stream as the first one. The position afterwards is anywhere.
///
/// # Errors
/// Returns an error if reading fails.
pub fn last_granule<R: Read + Seek>(source: &mut R, len: u64) -> io::Result<Option<u64>> {
    let first = read_at(source, 0, HEAD_LEN + MAX_SEGMENTS)?;
    let Some(first) = PageHeader::parse(&first) else {
        return Ok(None);
    };
    let most = ogg_page::MAX_LEN;
    let end = read_at(source, len.saturating_sub(most as u64), most)?;
    let mut starts = (0..end.len()).rev();
    Ok(starts.find_map(|at| granule(&end[at..], first.serial())))
}

/// Streams side by side in a file.
const MAX_STREAMS: u32 = 64;

/// Refuses a file of more streams side by side than any has. The position afterwards is anywhere.
///
/// # Errors
/// Returns an error if there are more, or reading fails.
pub fn check_streams<R: Read + Seek>(source: &mut R, mut at: u64) -> io::Result<()> {
    for _ in 0..=MAX_STREAMS {
        let head = read_at(source, at, HEAD_LEN + MAX_SEGMENTS)?;
        match PageHeader::parse(&head) {
            Some(page) if page.is_first() => at += (page.len() + page.body_len()) as u64,
            _ => return Ok(()),
        }
    }
    Err(absurd(format!("Ogg: more than {MAX_STREAMS} streams")))
}

/// Bytes at the start of a file in which the comments have to begin.
const START: usize = 1 << 17;

/// How many fields the comments of a file claim to hold; `None` where there are none to be seen.
/// The position afterwards is anywhere.
///
/// # Errors
/// Returns an error if reading fails.
pub fn comment_fields<R: Read + Seek>(source: &mut R) -> io::Result<Option<u32>> {
    Ok(claimed_fields(&read_at(source, 0, START)?))
}

fn claimed_fields(mut start: &[u8]) -> Option<u32> {
    let mut packets = Vec::new();
    let mut head_len = None;
    while let Some(page) = PageHeader::parse(start) {
        let (len, body) = (page.body_len(), &start[page.len()..]);
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
    if vendor as usize > START / 2 {
        // No encoder has such a name: the number is to be hidden behind it.
        return Some(u32::MAX);
    }
    let fields = rest.get(vendor as usize..)?.first_chunk()?;
    Some(u32::from_le_bytes(*fields))
}

/// The timestamp of the page at the start of some bytes, if it is the last of the stream with that
/// serial number and its checksum is right.
fn granule(bytes: &[u8], serial: [u8; 4]) -> Option<u64> {
    let page = PageHeader::parse(bytes)?;
    let body = bytes.get(page.len()..page.len() + page.body_len())?;
    let is_last = page.is_last() && page.serial() == serial && page.is_checksum_of(body);
    is_last.then(|| page.granule()).flatten()
}
