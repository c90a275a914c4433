//! A source of bytes without the parts that would make Symphonia refuse the audio.
//!
//! ID3v2 tags at the start are left out, and Matroska's chapters are replaced by empty space; other
//! code reads both. For decoding, the tags of FLAC, MP4 and AIFF files become empty space too: a
//! broken tag must not cost the audio, and a demuxer needs far more memory for tags than their size.
//! Tables of Matroska files and APE tags that are larger than in any real file are always hidden.

use std::io::{self, Read, Seek, SeekFrom};

use symphonia_core::io::MediaSource;

use crate::aiff;
use crate::leading_tags::{AudioStart, find_frames};
use crate::limits::{MAX_APE_ITEMS, MAX_CHUNKS, Meter, absurd};
use crate::matroska::{Element, Mkv};
use crate::mp4::Mp4;
use crate::ogg;
use crate::source::{self, Window};
use crate::unsupported;
use crate::wav_codec::WavCodec;

/// The only kind of FLAC's metadata blocks (RFC 9639, section 8.1) that the decoder has use for.
const FLAC_STREAM_INFO: u8 = 0;
const FLAC_PADDING: u8 = 1;
const FLAC_PICTURE: u8 = 6;
const FLAC_LAST: u8 = 0x80;

/// Metadata blocks of a FLAC file looked at.
const MAX_FLAC_BLOCKS: u32 = 1000;

/// The most packets of a CAF file, each of which takes 32 bytes: half a day of AAC.
const MAX_CAF_PACKETS: i64 = 2_000_000;

/// An APE tag's header, which is repeated as its footer, and the place of the count of items in it.
const APE_HEADER: u64 = 32;
const APE_COUNT: u64 = 16;

/// APE tags in a row at the start of a file that are looked at.
const MAX_APE_TAGS: u32 = 64;

/// First bytes of containers that can be read, but MP4, which starts with a size.
pub const MAGIC: [[u8; 4]; 11] = [
    *b"RIFF",
    *b"RIFX",
    *b"RF64",
    *b"BW64",
    *b"riff",
    *b".snd",
    *b"FORM",
    *b"caff",
    *b"fLaC",
    *b"OggS",
    [0x1A, 0x45, 0xDF, 0xA3],
];

fn is_container(start: &[u8]) -> bool {
    MAGIC.iter().any(|magic| start.starts_with(magic)) || start.get(4..8) == Some(b"ftyp")
}

/// A source without its first bytes and with other bytes in the place of some.
pub struct SanitizedSource {
    inner: Box<dyn MediaSource>,
    /// What is left out at the start.
    start: AudioStart,
    /// Where bytes are replaced, in the inner source, and by what.
    patches: Vec<(u64, Vec<u8>)>,
    /// Where the inner source stands.
    position: u64,
    /// What was found of a Matroska file.
    mkv: Option<Mkv>,
    /// What was found of an MP4 file.
    mp4: Option<Mp4>,
    /// What was found of a WAV file.
    wav: Option<WavCodec>,
    /// Limits what is read.
    meter: Meter,
    /// Bytes of hidden pictures, and of APE tags at the end.
    hidden_bytes: u64,
    hides_ape_items: bool,
    /// Where the APE tags at the start end.
    ape_end: u64,
}

impl SanitizedSource {
    /// The source as Symphonia is to see it; one that cannot be sought in is left as it is.
    ///
    /// # Errors
    /// Returns an error if reading fails.
    pub fn new(mut inner: Box<dyn MediaSource>, meter: Meter) -> io::Result<Self> {
        let (mut start, mut mkv) = (AudioStart::default(), None);
        let len = inner.byte_len().filter(|_| inner.is_seekable());
        if let Some(len) = len {
            start = AudioStart::find(&mut inner, len)?;
            if start.at == 0 {
                mkv = Mkv::scan(&mut inner, len)?;
            }
            // A file that was appended is read on its own.
            if let Some(next) = mkv.as_ref().and_then(|mkv| mkv.next) {
                inner = Box::new(Window::new(inner, 0..next)?);
            }
        }
        let hidden = (mkv.iter()).flat_map(|mkv| mkv.chapters.iter().chain(&mkv.excessive));
        let mut this = Self {
            patches: hidden.map(Element::as_void).collect(),
            inner,
            position: start.at,
            ape_end: start.at,
            start,
            mkv,
            mp4: None,
            wav: None,
            meter,
            hidden_bytes: 0,
            hides_ape_items: false,
        };
        if let Some(len) = len.and(this.inner.byte_len()) {
            this.hide_ape_items(len)?;
            this.inner.seek(SeekFrom::Start(this.position))?;
        }
        Ok(this)
    }

    /// The source as the decoder is to see it: without tags that the demuxer would read.
    ///
    /// # Errors
    /// Returns an error if reading fails, or the file is of more parts than any real one.
    pub fn for_decoding(mut self) -> io::Result<Self> {
        let Some(len) = self.inner.byte_len().filter(|_| self.is_seekable()) else {
            return Ok(self);
        };
        // The probe looks for audio behind them, but not for long.
        self.start.at = self.ape_end;
        self.position = self.ape_end;
        if self.start.at == 0 {
            self.mp4 = Mp4::scan(&mut self.inner, len)?;
            let hidden = self.mp4.iter().flat_map(Mp4::hidden);
            self.patches
                .extend(hidden.map(|name| (name, b"free".to_vec())));
            let others = self.mp4.iter().flat_map(|mp4| &mp4.patches);
            self.patches.extend(others.cloned());
            self.hidden_bytes += self.mp4.as_ref().map_or(0, |mp4| mp4.picture_bytes);
        }
        self.hide_flac_tags()?;
        self.wav = WavCodec::scan(&mut self.inner, self.start.at)?;
        if let Some(wav) = self.wav.as_ref().filter(|wav| wav.is_frames()) {
            // A size of 0 or beyond the end is one that was not known.
            let data = wav.data.clone();
            let end = if data.is_empty() {
                len
            } else {
                data.end.min(len)
            };
            self.start.at = data.start.min(len);
            self.position = self.start.at;
            let window = Window::new(
                std::mem::replace(&mut self.inner, Box::new(io::Cursor::new([]))),
                0..end,
            )?;
            self.inner = Box::new(window);
        }
        self.patches
            .extend(aiff::patches(&mut self.inner, self.start.at, len)?);
        self.check_caf_chunks(len)?;
        ogg::check_streams(&mut self.inner, self.start.at)?;
        self.skip_junk()?;
        self.inner.seek(SeekFrom::Start(self.position))?;
        Ok(self)
    }

    /// Goes on to the first frames of MPEG audio or ADTS of a file that starts like none that can be
    /// read.
    fn skip_junk(&mut self) -> io::Result<()> {
        let start = source::read_at(&mut self.inner, self.start.at, unsupported::HEAD)?;
        if !is_container(&start)
            && unsupported::recognise(&start).is_none()
            && let Some(at) = find_frames(&mut self.inner, self.start.at)?
        {
            self.start.at = at;
            self.position = at;
        }
        Ok(())
    }

    /// Returns the bytes at a place in the inner source; `None` behind its end.
    fn peek<const N: usize>(&mut self, at: u64) -> io::Result<Option<[u8; N]>> {
        source::peek(&mut self.inner, at)
    }

    /// Makes padding of all that is not needed to decode a FLAC file.
    fn hide_flac_tags(&mut self) -> io::Result<()> {
        if self.peek(self.start.at)? != Some(*b"fLaC") {
            return Ok(());
        }
        let mut at = self.start.at + 4;
        for _ in 0..MAX_FLAC_BLOCKS {
            let Some(mut head) = self.peek::<4>(at)? else {
                return Ok(());
            };
            let (kind, last) = (head[0] & !FLAC_LAST, head[0] & FLAC_LAST);
            head[0] = 0;
            let size = u64::from(u32::from_be_bytes(head));
            if kind != FLAC_STREAM_INFO {
                self.patches.push((at, vec![last | FLAC_PADDING]));
            }
            if kind == FLAC_PICTURE {
                self.hidden_bytes += size;
            }
            at += 4 + size;
            if last != 0 {
                return Ok(());
            }
        }
        Err(absurd(format!(
            "FLAC: more than {MAX_FLAC_BLOCKS} blocks of metadata"
        )))
    }

    /// Refuses a CAF file with more packets than there is room for, and puts in the size of audio of
    /// which it is not said: such audio goes on to the end of the file.
    fn check_caf_chunks(&mut self, len: u64) -> io::Result<()> {
        if self.peek(self.start.at)? != Some(*b"caff") {
            return Ok(());
        }
        let mut at = self.start.at + 8;
        for _ in 0..MAX_CHUNKS {
            let Some(head) = self.peek::<12>(at)? else {
                return Ok(());
            };
            let (name, size) = head.split_at(4);
            let size = size
                .first_chunk()
                .map_or(0, |size| i64::from_be_bytes(*size));
            let body = at + 12;
            if name == b"pakt" {
                let packets = self.peek(body)?.map_or(0, i64::from_be_bytes);
                if packets > MAX_CAF_PACKETS {
                    return Err(absurd(format!("CAF: more than {MAX_CAF_PACKETS} packets")));
                }
            }
            let Ok(size) = u64::try_from(size) else {
                if name == b"data" {
                    let size = len.saturating_sub(body);
                    self.patches.push((at + 4, size.to_be_bytes().to_vec()));
                }
                return Ok(());
            };
            at = body.saturating_add(size);
        }
        Err(absurd(format!("CAF: more than {MAX_CHUNKS} chunks")))
    }

    /// Empties APE tags of more items than any real one, and notes where those at the start end.
    fn hide_ape_items(&mut self, len: u64) -> io::Result<()> {
        let mut at = self.start.at;
        for _ in 0..MAX_APE_TAGS {
            let Some(size) = self.hide_items_of_ape_tag(at)? else {
                break;
            };
            at = at.saturating_add(APE_HEADER + size);
        }
        if at < len {
            self.ape_end = at;
        }
        // The last 128 bytes may be an ID3v1 tag.
        for behind in [0, 128] {
            if let Some(at) = len.checked_sub(APE_HEADER + behind)
                && let Some(size) = self.hide_items_of_ape_tag(at)?
            {
                self.hidden_bytes += size;
                break;
            }
        }
        Ok(())
    }

    /// Returns the size in the header of an APE tag, if there is one.
    fn hide_items_of_ape_tag(&mut self, at: u64) -> io::Result<Option<u64>> {
        let header = self.peek::<{ APE_HEADER as usize }>(at)?;
        let Some(header) = header.filter(|header| header.starts_with(b"APETAGEX")) else {
            return Ok(None);
        };
        let number =
            |at| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        if number(APE_COUNT as usize) > MAX_APE_ITEMS {
            self.patches.push((at + APE_COUNT, vec![0; 4]));
            self.hides_ape_items = true;
        }
        Ok(Some(number(12).into()))
    }

    /// What is left out at the start.
    pub fn audio_start(&self) -> &AudioStart {
        &self.start
    }

    /// Bytes of hidden pictures, and of APE tags at the end: what is not audio.
    pub fn hidden_bytes(&self) -> u64 {
        self.hidden_bytes
    }

    /// Returns whether an APE tag was emptied.
    pub fn hides_ape_items(&self) -> bool {
        self.hides_ape_items
    }

    /// What was found of an MP4 file, once.
    pub fn take_mp4(&mut self) -> Option<Mp4> {
        self.mp4.take()
    }

    /// What was found of a WAV file.
    pub fn wav(&self) -> Option<&WavCodec> {
        self.wav.as_ref()
    }

    /// What was found of a Matroska file, once.
    pub fn take_mkv(&mut self) -> Option<Mkv> {
        self.mkv.take()
    }
}

impl Read for SanitizedSource {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.meter.count(count)?;
        let from = self.position;
        self.position += count as u64;
        let end = self.position;
        let is_here = |(at, bytes): &&(u64, Vec<u8>)| *at < end && from < at + bytes.len() as u64;
        for (at, bytes) in self.patches.iter().filter(is_here) {
            for (place, byte) in (*at..).zip(bytes) {
                if (from..self.position).contains(&place) {
                    buffer[(place - from) as usize] = *byte;
                }
            }
        }
        Ok(count)
    }
}

impl Seek for SanitizedSource {
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

impl MediaSource for SanitizedSource {
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
        let mut source = SanitizedSource {
            inner: Box::new(Cursor::new((0..20).collect::<Vec<u8>>())),
            start: AudioStart {
                at: 5,
                ..AudioStart::default()
            },
            patches: vec![(8, vec![100, 101, 102])],
            position: 0,
            mkv: None,
            mp4: None,
            wav: None,
            meter: Meter::default(),
            hidden_bytes: 0,
            hides_ape_items: false,
            ape_end: 5,
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
