//! The comment header of finished Ogg files (RFC 3533) with Vorbis or Opus, and the headers of
//! FLAC.

use std::io::{self, Read, SeekFrom};

use audiostretchy_containers::limits::MAX_TAG_BYTES;
use audiostretchy_containers::ogg_page::{Page, paginate};

use crate::splice::{self, TagFile};

const VORBIS_COMMENT: &[u8] = b"\x03vorbis";
const OPUS_COMMENT: &[u8] = b"OpusTags";

/// Returns the start of a FLAC file as it would be without Ogg around it (RFC 9639, section 10.1):
/// all metadata blocks. Returns `None` if the file holds another codec.
///
/// # Errors
/// Returns an error if the file cannot be read or its headers do not end.
pub(crate) fn flac_headers(file: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    // A version and the number of headers come first.
    const START: usize = 9;
    const LAST_BLOCK: u8 = 0x80;
    let Some(first) = Page::read(file)? else {
        return Ok(None);
    };
    let mut headers = match first.body().get(START..) {
        Some(headers) if first.body().starts_with(b"\x7FFLAC") => headers.to_vec(),
        _ => return Ok(None),
    };
    let mut packets = vec![Vec::new()];
    while let Some(page) = Page::read(file)? {
        if page.header().serial() != first.header().serial() {
            continue;
        }
        page.append_packets(&mut packets);
        let unfinished = packets.pop().unwrap_or_default();
        for packet in packets.drain(..) {
            headers.extend(&packet);
            if packet.first().is_some_and(|first| first & LAST_BLOCK != 0) {
                return Ok(Some(headers));
            }
        }
        packets.push(unfinished);
        if (headers.len() + packets[0].len()) as u64 > MAX_TAG_BYTES {
            break;
        }
    }
    let message = "the headers do not end";
    Err(io::Error::new(io::ErrorKind::InvalidData, message))
}

/// Replaces the comment header of a finished file. `make` receives the vendor string of its encoder
/// and returns the bytes from the vendor on.
///
/// # Errors
/// Returns an error if the file cannot be read or written, or is not Vorbis or Opus in Ogg.
pub(crate) fn write(file: &mut dyn TagFile, make: impl FnOnce(&str) -> Vec<u8>) -> io::Result<()> {
    let invalid = |message: &str| io::Error::new(io::ErrorKind::InvalidData, message);
    file.seek(SeekFrom::Start(0))?;
    let first = Page::read(file)?.ok_or_else(|| invalid("empty"))?;
    let (prefix, wanted) = match first.body() {
        body if body.starts_with(b"\x01vorbis") => (VORBIS_COMMENT, 2),
        body if body.starts_with(b"OpusHead") => (OPUS_COMMENT, 1),
        _ => return Err(invalid("neither Vorbis nor Opus")),
    };
    let (start, mut old_len, mut old_pages) = (first.len() as u64, 0, 0);
    let mut packets = vec![Vec::new()];
    while packets.len() <= wanted {
        let page = Page::read(file)?.ok_or_else(|| invalid("a header is missing"))?;
        old_len += page.len() as u64;
        old_pages += 1;
        page.append_packets(&mut packets);
        if old_len > MAX_TAG_BYTES {
            return Err(invalid("the headers are larger than those of any audio"));
        }
    }
    packets.truncate(wanted);
    let old = packets[0].strip_prefix(prefix).unwrap_or_default();
    let mut comment = [prefix, &make(&vendor(old))].concat();
    if prefix == VORBIS_COMMENT {
        // The framing bit.
        comment.push(1);
    }
    // Padding after the fields is ignored; the header must not become shorter.
    comment.resize(comment.len().max(packets[0].len()), 0);
    packets[0] = comment;
    let serial = first.header().serial();
    let mut pages = paginate(&packets, serial);
    let new_len: usize = pages.iter().map(Page::len).sum();
    if (new_len as u64) < old_len {
        // The same content takes fewer pages, so pad for their missing headers as well.
        let missing = old_len as usize - new_len;
        let filled = packets[0].len() + missing;
        packets[0].resize(filled, 0);
        pages = paginate(&packets, serial);
    }
    let new_pages = pages.len() as u32;
    let bytes: Vec<u8> = pages.iter().flat_map(Page::to_bytes).collect();
    splice::replace(file, start, old_len, &bytes)?;
    if new_pages != old_pages {
        renumber(file, start + bytes.len() as u64, new_pages + 1)?;
    }
    Ok(())
}

fn vendor(comment: &[u8]) -> String {
    let vendor = comment
        .split_first_chunk::<4>()
        .and_then(|(length, rest)| rest.get(..u32::from_le_bytes(*length) as usize));
    String::from_utf8_lossy(vendor.unwrap_or_default()).into_owned()
}

/// Renumbers all pages from offset `at`, starting with `first`.
fn renumber(file: &mut dyn TagFile, mut at: u64, first: u32) -> io::Result<()> {
    for sequence in first.. {
        file.seek(SeekFrom::Start(at))?;
        let Some(mut page) = Page::read(file)? else {
            break;
        };
        if page.sequence() != sequence {
            page.set_sequence(sequence);
            file.seek(SeekFrom::Start(at))?;
            file.write_all(&page.to_bytes())?;
        }
        at += page.len() as u64;
    }
    Ok(())
}
