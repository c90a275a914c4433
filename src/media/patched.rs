//! A source of bytes as Symphonia can take it: without what would make it refuse the audio.
//!
//! ID3v2 tags at the start are left out, and Matroska's chapters are shown as an empty space, as are
//! FLAC's comments, cue sheets and pictures to the decoder. All are read elsewhere.

use std::io::{self, Read, Seek, SeekFrom};

use symphonia::core::io::MediaSource;

use super::audio_start::AudioStart;
use super::limits::Meter;
use super::mkv::{Element, Mkv};

/// The kinds of FLAC's metadata blocks (RFC 9639, section 8.1) that the decoder has no use for:
/// comments, cue sheets and pictures, any of which, if broken, would cost the audio.
const FLAC_TAGS: std::ops::RangeInclusive<u8> = 4..=6;
const FLAC_PADDING: u8 = 1;
const FLAC_PICTURE: u8 = 6;
const FLAC_LAST: u8 = 0x80;

/// Metadata blocks of a FLAC file looked at.
const MAX_FLAC_BLOCKS: u32 = 1000;

/// A source without its first bytes and with other bytes in the place of some.
pub(crate) struct PatchedSource {
    inner: Box<dyn MediaSource>,
    /// What is left out at the start.
    start: AudioStart,
    /// Where bytes are replaced, in the inner source, and by what.
    patches: Vec<(u64, Vec<u8>)>,
    /// Where the inner source stands.
    position: u64,
    /// What was found of a Matroska file.
    mkv: Option<Mkv>,
    /// Limits what is read.
    meter: Meter,
    /// Bytes of the pictures that are left out.
    picture_bytes: u64,
}

impl PatchedSource {
    /// The source as Symphonia is to see it; one that cannot be sought in is left as it is.
    ///
    /// # Errors
    /// Where reading fails.
    pub(crate) fn new(mut inner: Box<dyn MediaSource>, meter: Meter) -> io::Result<Self> {
        let (mut start, mut patches, mut mkv) = (AudioStart::default(), Vec::new(), None);
        if let Some(len) = inner.byte_len().filter(|_| inner.is_seekable()) {
            start = AudioStart::find(&mut inner, len)?;
            if start.at == 0 {
                mkv = Mkv::scan(&mut inner, len)?;
            }
            let chapters = mkv.iter().flat_map(|mkv| &mkv.chapters);
            patches.extend(chapters.map(Element::as_void));
            inner.seek(SeekFrom::Start(start.at))?;
        }
        Ok(Self {
            inner,
            position: start.at,
            start,
            patches,
            mkv,
            meter,
            picture_bytes: 0,
        })
    }

    /// The source as the decoder is to see it: a FLAC file's tags are padding.
    ///
    /// # Errors
    /// Where reading fails.
    pub(crate) fn without_flac_tags(mut self) -> io::Result<Self> {
        if !self.is_seekable() {
            return Ok(self);
        }
        let (mut at, mut head) = (self.start.at + 4, [0; 4]);
        self.inner.seek(SeekFrom::Start(self.start.at))?;
        let is_flac = self.inner.read_exact(&mut head).is_ok() && head == *b"fLaC";
        for _ in 0..if is_flac { MAX_FLAC_BLOCKS } else { 0 } {
            self.inner.seek(SeekFrom::Start(at))?;
            if self.inner.read_exact(&mut head).is_err() {
                break;
            }
            let (kind, last) = (head[0] & !FLAC_LAST, head[0] & FLAC_LAST);
            head[0] = 0;
            let size = u64::from(u32::from_be_bytes(head));
            if FLAC_TAGS.contains(&kind) {
                self.patches.push((at, vec![last | FLAC_PADDING]));
            }
            if kind == FLAC_PICTURE {
                self.picture_bytes += size;
            }
            at += 4 + size;
            if last != 0 {
                break;
            }
        }
        self.inner.seek(SeekFrom::Start(self.position))?;
        Ok(self)
    }

    /// What is left out at the start.
    pub(crate) fn audio_start(&self) -> &AudioStart {
        &self.start
    }

    /// Bytes of the pictures that are left out.
    pub(crate) fn picture_bytes(&self) -> u64 {
        self.picture_bytes
    }

    /// What was found of a Matroska file, once.
    pub(crate) fn take_mkv(&mut self) -> Option<Mkv> {
        self.mkv.take()
    }
}

impl Read for PatchedSource {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.meter.count(count)?;
        let from = self.position;
        self.position += count as u64;
        for (at, bytes) in &self.patches {
            for (place, byte) in (*at..).zip(bytes) {
                if (from..self.position).contains(&place) {
                    buffer[(place - from) as usize] = *byte;
                }
            }
        }
        Ok(count)
    }
}

impl Seek for PatchedSource {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.meter.check_time()?;
        let to = match to {
            SeekFrom::Start(at) => SeekFrom::Start(at.saturating_add(self.start.at)),
            other => other,
        };
        self.position = self.inner.seek(to)?;
        (self.position.checked_sub(self.start.at)).ok_or_else(|| io::ErrorKind::InvalidInput.into())
    }
}

impl MediaSource for PatchedSource {
    fn is_seekable(&self) -> bool {
        self.inner.is_seekable()
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.inner.byte_len()?.saturating_sub(self.start.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn bytes_are_replaced_however_they_are_read() {
        let mut source = PatchedSource {
            inner: Box::new(Cursor::new((0..20).collect::<Vec<u8>>())),
            start: AudioStart {
                at: 5,
                ..AudioStart::default()
            },
            patches: vec![(8, vec![100, 101, 102])],
            position: 0,
            mkv: None,
            meter: Meter::default(),
            picture_bytes: 0,
        };
        let expected = [5, 6, 7, 100, 101, 102, 11, 12];
        for step in 1..=expected.len() {
            assert_eq!(source.seek(SeekFrom::Start(0)).unwrap(), 0);
            let mut read = Vec::new();
            while read.len() < expected.len() {
                let mut block = vec![0; step.min(expected.len() - read.len())];
                source.read_exact(&mut block).unwrap();
                read.extend(block);
            }
            assert_eq!(read, expected);
        }
        assert_eq!(source.seek(SeekFrom::End(-1)).unwrap(), 14);
        assert_eq!(source.byte_len(), Some(15));
    }
}
