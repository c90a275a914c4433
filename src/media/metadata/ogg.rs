//! The comment header of finished Ogg files (RFC 3533): Vorbis and Opus; and the headers of FLAC.

use std::io::{self, Read, SeekFrom};

use super::{MAX_TAG_BYTES, TagFile, place};

const HEAD_LEN: usize = 27;
const MAX_SEGMENTS: usize = 255;
const CONTINUED: u8 = 1;
const VORBIS_COMMENT: &[u8] = b"\x03vorbis";
const OPUS_COMMENT: &[u8] = b"OpusTags";

/// A page: its header with the segment table, and its body.
struct Page {
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Page {
    /// The next page; `None` at the end.
    fn read(file: &mut (impl Read + ?Sized)) -> io::Result<Option<Self>> {
        let mut head = vec![0; HEAD_LEN];
        let mut got = 0;
        while got < HEAD_LEN {
            match file.read(&mut head[got..])? {
                0 if got == 0 => return Ok(None),
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => got += count,
            }
        }
        if &head[..4] != b"OggS" {
            let message = "an Ogg page does not start where it should";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        head.resize(HEAD_LEN + usize::from(head[26]), 0);
        file.read_exact(&mut head[HEAD_LEN..])?;
        let length = head[HEAD_LEN..].iter().map(|&lace| usize::from(lace)).sum();
        let mut body = vec![0; length];
        file.read_exact(&mut body)?;
        Ok(Some(Self { head, body }))
    }

    fn len(&self) -> u64 {
        (self.head.len() + self.body.len()) as u64
    }

    fn sequence(&self) -> u32 {
        u32::from_le_bytes([self.head[18], self.head[19], self.head[20], self.head[21]])
    }

    fn set_sequence(&mut self, sequence: u32) {
        self.head[18..22].copy_from_slice(&sequence.to_le_bytes());
        self.head[22..26].fill(0);
        let crc = crc(crc(0, &self.head), &self.body);
        self.head[22..26].copy_from_slice(&crc.to_le_bytes());
    }
}

/// The start of a FLAC file as it would be without Ogg around it (RFC 9639, section 10.1): all blocks
/// of metadata. `None` if the file holds another codec.
///
/// # Errors
/// Where the file cannot be read or its headers do not end.
pub fn flac_headers(file: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    // A version and the number of headers come first.
    const START: usize = 9;
    const LAST_BLOCK: u8 = 0x80;
    let Some(first) = Page::read(file)? else {
        return Ok(None);
    };
    let mut headers = match first.body.get(START..) {
        Some(headers) if first.body.starts_with(b"\x7FFLAC") => headers.to_vec(),
        _ => return Ok(None),
    };
    let mut packet = Vec::new();
    while let Some(page) = Page::read(file)? {
        if page.head[14..18] != first.head[14..18] {
            continue;
        }
        let mut body = &page.body[..];
        for &lace in &page.head[HEAD_LEN..] {
            let (segment, rest) = body.split_at(usize::from(lace));
            body = rest;
            packet.extend_from_slice(segment);
            if lace < 255 {
                headers.extend(&packet);
                if packet.first().is_some_and(|first| first & LAST_BLOCK != 0) {
                    return Ok(Some(headers));
                }
                packet.clear();
            }
        }
        if (headers.len() + packet.len()) as u64 > MAX_TAG_BYTES {
            break;
        }
    }
    let message = "the headers do not end";
    Err(io::Error::new(io::ErrorKind::InvalidData, message))
}

/// Replaces the comment header of a finished file: `make` is given the vendor that its encoder
/// has named and returns the bytes from the vendor on.
///
/// # Errors
/// Where the file cannot be read or written or is not Vorbis or Opus in Ogg.
pub fn write(file: &mut dyn TagFile, make: impl FnOnce(&str) -> Vec<u8>) -> io::Result<()> {
    let invalid = |message: &str| io::Error::new(io::ErrorKind::InvalidData, message);
    file.seek(SeekFrom::Start(0))?;
    let first = Page::read(file)?.ok_or_else(|| invalid("empty"))?;
    let (prefix, wanted) = match &first.body {
        body if body.starts_with(b"\x01vorbis") => (VORBIS_COMMENT, 2),
        body if body.starts_with(b"OpusHead") => (OPUS_COMMENT, 1),
        _ => return Err(invalid("neither Vorbis nor Opus")),
    };
    let (start, mut old_len, mut old_pages) = (first.len(), 0, 0);
    let mut packets = vec![Vec::new()];
    while packets.len() <= wanted {
        let page = Page::read(file)?.ok_or_else(|| invalid("a header is missing"))?;
        old_len += page.len();
        old_pages += 1;
        let mut body = &page.body[..];
        for &lace in &page.head[HEAD_LEN..] {
            let (segment, rest) = body.split_at(usize::from(lace));
            body = rest;
            if let Some(packet) = packets.last_mut() {
                packet.extend_from_slice(segment);
            }
            if lace < 255 {
                packets.push(Vec::new());
            }
        }
        if old_len > MAX_TAG_BYTES {
            return Err(invalid("headers beyond all measure"));
        }
    }
    packets.truncate(wanted);
    let old = packets[0].strip_prefix(prefix).unwrap_or_default();
    let mut comment = [prefix, &make(&vendor(old))].concat();
    if prefix == VORBIS_COMMENT {
        // The framing bit.
        comment.push(1);
    }
    // What follows the fields means nothing; the header must not become shorter.
    comment.resize(comment.len().max(packets[0].len()), 0);
    packets[0] = comment;
    let serial = &first.head[14..18];
    let mut bytes = join(&paginate(&packets, serial));
    if (bytes.len() as u64) < old_len {
        // Fewer pages for the same content: their headers are made up for as well.
        let missing = old_len as usize - bytes.len();
        let filled = packets[0].len() + missing;
        packets[0].resize(filled, 0);
        bytes = join(&paginate(&packets, serial));
    }
    let new_pages = count_pages(&bytes);
    place::replace(file, start, old_len, &bytes)?;
    if new_pages != old_pages {
        renumber(file, start + bytes.len() as u64, new_pages + 1)?;
    }
    Ok(())
}

fn join(pages: &[Page]) -> Vec<u8> {
    let pages = pages.iter();
    pages
        .flat_map(|page| [&page.head[..], &page.body[..]].concat())
        .collect()
}

fn count_pages(mut bytes: &[u8]) -> u32 {
    let mut count = 0;
    while let Ok(Some(_)) = Page::read(&mut bytes) {
        count += 1;
    }
    count
}

fn vendor(comment: &[u8]) -> String {
    let vendor = comment
        .split_first_chunk::<4>()
        .and_then(|(length, rest)| rest.get(..u32::from_le_bytes(*length) as usize));
    String::from_utf8_lossy(vendor.unwrap_or_default()).into_owned()
}

/// Pages, numbered from 1, for header packets that follow each other.
fn paginate(packets: &[Vec<u8>], serial: &[u8]) -> Vec<Page> {
    let mut laces = Vec::new();
    for packet in packets {
        laces.extend(std::iter::repeat_n(255u8, packet.len() / 255));
        laces.push((packet.len() % 255) as u8);
    }
    let all = packets.concat();
    let (mut body, mut continued) = (&all[..], false);
    let mut pages = Vec::new();
    for (number, laces) in (1..).zip(laces.chunks(MAX_SEGMENTS)) {
        let length = laces.iter().map(|&lace| usize::from(lace)).sum();
        let (content, rest) = body.split_at(length);
        body = rest;
        // A page on which no packet ends has no position.
        let granule = match laces.iter().any(|&lace| lace < 255) {
            true => 0u64,
            false => u64::MAX,
        };
        let mut head = b"OggS\0".to_vec();
        head.push(if continued { CONTINUED } else { 0 });
        head.extend(granule.to_le_bytes());
        head.extend(serial);
        head.extend([0; 8]);
        head.push(laces.len() as u8);
        head.extend(laces);
        let mut page = Page {
            head,
            body: content.to_vec(),
        };
        page.set_sequence(number);
        pages.push(page);
        continued = laces.last() == Some(&255);
    }
    pages
}

/// Numbers all pages from a place on, from `first` up.
fn renumber(file: &mut dyn TagFile, mut at: u64, first: u32) -> io::Result<()> {
    for sequence in first.. {
        file.seek(SeekFrom::Start(at))?;
        let Some(mut page) = Page::read(file)? else {
            break;
        };
        if page.sequence() != sequence {
            page.set_sequence(sequence);
            file.seek(SeekFrom::Start(at))?;
            file.write_all(&[&page.head[..], &page.body[..]].concat())?;
        }
        at += page.len();
    }
    Ok(())
}

/// The checksum of pages: polynomial 0x04C11DB7, not reflected (RFC 3533, section 6).
fn crc(crc: u32, bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    bytes.iter().fold(crc, |crc, &byte| {
        crc << 8 ^ TABLE[(crc >> 24) as usize ^ usize::from(byte)]
    })
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut value = (index as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            value = value << 1 ^ if value >> 31 == 1 { 0x04C1_1DB7 } else { 0 };
            bit += 1;
        }
        table[index] = value;
        index += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_come_back_from_their_pages() {
        for length in [0, 254, 255, 256, 255 * 255, 255 * 255 + 1, 200_000] {
            let packets = [vec![7; length], vec![9; 300]];
            let pages = paginate(&packets, &[1, 2, 3, 4]);
            let body: Vec<u8> = pages.iter().flat_map(|page| page.body.clone()).collect();
            assert_eq!(body, packets.concat());
            assert_eq!(count_pages(&join(&pages)) as usize, pages.len());
        }
    }

    #[test]
    fn the_checksum_is_that_of_ogg() {
        // CRC-32/MPEG-2 without its start value.
        assert_eq!(crc(0xFFFF_FFFF, b"123456789"), 0x0376_E6E7);
    }
}
