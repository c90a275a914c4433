//! Pages of Ogg files (RFC 3533, section 6).

use std::io::{self, Read};

use crate::crc::crc32_ogg;

/// The first bytes of every page.
pub const MAGIC: &[u8; 4] = b"OggS";
/// Bytes of a header without its segment table.
pub const HEAD_LEN: usize = 27;
/// The most segments of a page, each of at most 255 bytes.
pub const MAX_SEGMENTS: usize = 255;
/// The most bytes of a page.
pub const MAX_LEN: usize = HEAD_LEN + MAX_SEGMENTS + MAX_SEGMENTS * 255;

const CONTINUED: u8 = 1;
const FIRST: u8 = 2;
const LAST: u8 = 4;

/// The header of a page, with its segment table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageHeader<'a>(&'a [u8]);

impl<'a> PageHeader<'a> {
    /// The header at the start of some bytes; `None` if there is none, or not all of it.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let segments = usize::from(*bytes.get(HEAD_LEN - 1)?);
        let header = bytes.get(..HEAD_LEN + segments)?;
        header.starts_with(MAGIC).then_some(Self(header))
    }

    /// Length of the header in bytes.
    #[expect(clippy::len_without_is_empty, reason = "no header is empty")]
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// Lengths of the segments in bytes. A packet goes on from one of 255 bytes to the next.
    pub fn segments(self) -> &'a [u8] {
        &self.0[HEAD_LEN..]
    }

    /// Length of the page's content in bytes.
    pub fn body_len(self) -> usize {
        self.segments().iter().map(|&len| usize::from(len)).sum()
    }

    /// Returns whether the page is the first of its stream.
    pub fn is_first(self) -> bool {
        self.0[5] & FIRST != 0
    }

    /// Returns whether the page is the last of its stream.
    pub fn is_last(self) -> bool {
        self.0[5] & LAST != 0
    }

    /// Where the last packet that ends on the page ends, in the codec's own unit; `None` where no
    /// packet does.
    pub fn granule(self) -> Option<u64> {
        let granule = i64::from_le_bytes(self.bytes(6));
        u64::try_from(granule).ok()
    }

    /// Which stream the page is of.
    pub fn serial(self) -> [u8; 4] {
        self.bytes(14)
    }

    fn bytes<const N: usize>(self, at: usize) -> [u8; N] {
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.0[at..at + N]);
        bytes
    }

    /// Returns whether the checksum is that of the page with this header and some content.
    pub fn is_checksum_of(self, body: &[u8]) -> bool {
        let [before, after] = [&self.0[..22], &self.0[26..]];
        let parts = [before, &[0; 4], after, body];
        let crc = parts.iter().fold(0, |crc, part| crc32_ogg(crc, part));
        self.bytes(22) == crc.to_le_bytes()
    }
}

/// A whole page in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Page {
    /// Reads the next page; `None` at the end.
    ///
    /// # Errors
    /// Returns an error if reading fails, the page is cut off, or there is something else.
    pub fn read(file: &mut (impl Read + ?Sized)) -> io::Result<Option<Self>> {
        let mut head = Vec::with_capacity(HEAD_LEN + MAX_SEGMENTS);
        Read::take(&mut *file, HEAD_LEN as u64).read_to_end(&mut head)?;
        match head.len() {
            0 => return Ok(None),
            HEAD_LEN => {}
            _ => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
        if !head.starts_with(MAGIC) {
            let message = "an Ogg page does not start where it should";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        head.resize(HEAD_LEN + usize::from(head[HEAD_LEN - 1]), 0);
        file.read_exact(&mut head[HEAD_LEN..])?;
        let mut page = Self {
            head,
            body: Vec::new(),
        };
        page.body.resize(page.header().body_len(), 0);
        file.read_exact(&mut page.body)?;
        Ok(Some(page))
    }

    /// Returns the page's header.
    pub fn header(&self) -> PageHeader<'_> {
        PageHeader(&self.head)
    }

    /// Length of the page in bytes.
    #[expect(clippy::len_without_is_empty, reason = "no page is empty")]
    pub fn len(&self) -> usize {
        self.head.len() + self.body.len()
    }

    /// Returns the page's content.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the page as it stands in a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.head[..], &self.body].concat()
    }

    /// Appends the packets on the page to `packets`, the first one to the last of them, so that the
    /// last one is what the next page goes on with.
    pub fn append_packets(&self, packets: &mut Vec<Vec<u8>>) {
        let mut body = &self.body[..];
        for &lace in self.header().segments() {
            let (segment, rest) = body.split_at(usize::from(lace));
            body = rest;
            if let Some(packet) = packets.last_mut() {
                packet.extend_from_slice(segment);
            }
            if lace < 255 {
                packets.push(Vec::new());
            }
        }
    }

    /// Returns the page's number in its stream.
    pub fn sequence(&self) -> u32 {
        u32::from_le_bytes(self.header().bytes(18))
    }

    /// Returns the page another number in its stream, and the checksum that belongs to it.
    pub fn set_sequence(&mut self, sequence: u32) {
        self.head[18..22].copy_from_slice(&sequence.to_le_bytes());
        self.head[22..26].fill(0);
        let crc = crc32_ogg(crc32_ogg(0, &self.head), &self.body);
        self.head[22..26].copy_from_slice(&crc.to_le_bytes());
    }
}

/// Makes pages, numbered from 1, of header packets that follow each other; `serial` is that of
/// their stream.
pub fn paginate(packets: &[Vec<u8>], serial: [u8; 4]) -> Vec<Page> {
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
        let mut head = MAGIC.to_vec();
        head.extend([0, if continued { CONTINUED } else { 0 }]);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_come_back_from_their_pages() {
        for length in [0, 254, 255, 256, 255 * 255, 255 * 255 + 1, 200_000] {
            let packets = [vec![7; length], vec![9; 300]];
            let pages = paginate(&packets, [1, 2, 3, 4]);
            let bytes: Vec<u8> = pages.iter().flat_map(Page::to_bytes).collect();
            let (mut rest, mut found) = (&bytes[..], vec![Vec::new()]);
            for page in &pages {
                let read = Page::read(&mut rest).unwrap().unwrap();
                assert_eq!(&read, page);
                assert!(read.header().is_checksum_of(read.body()));
                read.append_packets(&mut found);
            }
            assert!(Page::read(&mut rest).unwrap().is_none());
            assert_eq!(found, [&packets[..], &[Vec::new()]].concat());
        }
    }

    #[test]
    fn a_page_that_is_cut_off_is_an_error() {
        let bytes = paginate(&[vec![7; 300]], [0; 4])[0].to_bytes();
        for len in 1..bytes.len() {
            assert!(Page::read(&mut &bytes[..len]).is_err(), "{len}");
        }
    }
}
