//! WAV files of compressed audio: what codec it is, and where it is.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use crate::limits::MAX_CHUNKS;
use crate::unsupported;

/// Format tags of what is read as the MPEG or ADTS frames that it is.
const FRAMES: [u16; 4] = [0x50, 0x55, 0xFF, 0x1600];

/// Format tags of PCM: integers, floats, A-law and µ-law.
const PCM: [u16; 4] = [1, 3, 6, 7];

/// Format tags of ADPCM that can be read: Microsoft's and IMA's.
const ADPCM: [u16; 2] = [2, 0x11];

/// The format tag of formats whose own tag is further behind, and where it is.
const EXTENSIBLE: u16 = 0xFFFE;
const EXTENSIBLE_TAG: usize = 24;

/// What a WAV file says of its audio.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct WavCodec {
    is_big_endian: bool,
    tag: Option<u16>,
    /// Where the audio is, in bytes from the start; empty if it was not found.
    pub data: Range<u64>,
}

impl WavCodec {
    /// Reads the chunks of a WAV file that starts at a place, up to its audio. The position
    /// afterwards is anywhere.
    ///
    /// Returns `None` where it is none.
    ///
    /// # Errors
    /// Returns an error if reading fails for another reason than the end of the file.
    pub fn scan<R: Read + Seek>(source: &mut R, at: u64) -> io::Result<Option<Self>> {
        let mut found = Self::default();
        match found.read_chunks(source, at) {
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
            _ => Ok(found.tag.is_some().then_some(found)),
        }
    }

    fn read_chunks<R: Read + Seek>(&mut self, source: &mut R, mut at: u64) -> io::Result<()> {
        let mut head = [0; 12];
        source.seek(SeekFrom::Start(at))?;
        source.read_exact(&mut head)?;
        self.is_big_endian = head.starts_with(b"RIFX");
        let is_riff = [b"RIFF", b"RIFX", b"RF64", b"BW64"]
            .iter()
            .any(|name| head.starts_with(*name));
        if !is_riff || !head.ends_with(b"WAVE") {
            return Ok(());
        }
        at += 12;
        for _ in 0..MAX_CHUNKS {
            let mut head = [0; 8];
            source.seek(SeekFrom::Start(at))?;
            source.read_exact(&mut head)?;
            let [a, b, c, d, size @ ..] = head;
            let size = match self.is_big_endian {
                true => u32::from_be_bytes(size),
                false => u32::from_le_bytes(size),
            };
            let body = at + 8;
            match &[a, b, c, d] {
                b"fmt " => {
                    let mut bytes = Vec::new();
                    (&mut *source)
                        .take(EXTENSIBLE_TAG as u64 + 2)
                        .read_to_end(&mut bytes)?;
                    self.tag = self.tag_at(&bytes, 0);
                    if self.tag == Some(EXTENSIBLE) {
                        self.tag = self.tag_at(&bytes, EXTENSIBLE_TAG);
                    }
                }
                b"data" => {
                    self.data = body..body + u64::from(size);
                    return Ok(());
                }
                _ => {}
            }
            at = body + u64::from(size) + u64::from(size % 2);
        }
        Ok(())
    }

    fn tag_at(&self, format: &[u8], at: usize) -> Option<u16> {
        let bytes = *format.get(at..)?.first_chunk()?;
        Some(match self.is_big_endian {
            true => u16::from_be_bytes(bytes),
            false => u16::from_le_bytes(bytes),
        })
    }

    /// Returns whether the audio is frames of MPEG audio or ADTS.
    pub fn is_frames(&self) -> bool {
        self.data.start > 0 && self.tag.is_some_and(|tag| FRAMES.contains(&tag))
    }

    /// What the codec is called, or its number, if it cannot always be read.
    pub fn unsupported(&self) -> Option<String> {
        let tag = self.tag?;
        let is_pcm = PCM.contains(&tag);
        let other = (self.is_big_endian && !is_pcm).then_some("compressed audio in RIFX");
        let is_read = is_pcm || FRAMES.contains(&tag) || ADPCM.contains(&tag);
        let number = (!is_read).then(|| format!("WAV format 0x{tag:04X}"));
        let named = unsupported::wave_tag(tag).or(other);
        named.map(str::to_owned).or(number)
    }
}
