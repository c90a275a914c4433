//! WAV files of compressed audio: what codec it is, and where it is.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use super::limits::MAX_CHUNKS;

/// Format tags of what is read as the MPEG or ADTS frames that it is.
const FRAMES: [u16; 4] = [0x50, 0x55, 0xFF, 0x1600];

/// Format tags of what cannot be read, or not always, and what they stand for.
const NAMES: [(u16, &str); 27] = [
    (0x50, "MPEG audio"),
    (0x55, "MP3"),
    (0xFF, "AAC without ADTS"),
    (0x1600, "AAC"),
    (0x05, "IBM CVSD"),
    (0x10, "OKI ADPCM"),
    (0x14, "G.723 ADPCM"),
    (0x16, "Dialogic ADPCM"),
    (0x20, "Yamaha ADPCM"),
    (0x22, "TrueSpeech"),
    (0x31, "GSM 6.10"),
    (0x40, "G.721 ADPCM"),
    (0x42, "G.723.1"),
    (0x45, "G.726 ADPCM"),
    (0x64, "G.726 ADPCM"),
    (0x65, "G.722 ADPCM"),
    (0x92, "AC-3"),
    (0x130, "ACELP.net"),
    (0x160, "Windows Media"),
    (0x161, "Windows Media"),
    (0x162, "Windows Media"),
    (0x163, "Windows Media"),
    (0x270, "ATRAC3"),
    (0x2000, "AC-3"),
    (0x2001, "DTS"),
    (0x5756, "WavPack"),
    (0xF1AC, "FLAC in WAV"),
];

/// What a WAV file says of its audio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WavCodec {
    tag: u16,
    /// Where the audio is, in bytes from the start.
    pub data: Range<u64>,
}

impl WavCodec {
    /// Reads the chunks of a WAV file that starts at a place, up to its audio. The position
    /// afterwards is anywhere.
    ///
    /// Returns `None` where it is none, or its audio is not found.
    ///
    /// # Errors
    /// Where reading fails for another reason than the end of the file.
    pub(crate) fn scan<R: Read + Seek>(source: &mut R, at: u64) -> io::Result<Option<Self>> {
        match Self::chunks(source, at) {
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
            found => Ok(found.unwrap_or(None)),
        }
    }

    fn chunks<R: Read + Seek>(source: &mut R, mut at: u64) -> io::Result<Option<Self>> {
        let mut head = [0; 12];
        source.seek(SeekFrom::Start(at))?;
        source.read_exact(&mut head)?;
        let is_big_endian = head.starts_with(b"RIFX");
        if !(is_big_endian || head.starts_with(b"RIFF")) || !head.ends_with(b"WAVE") {
            return Ok(None);
        }
        at += 12;
        let mut tag = None;
        for _ in 0..MAX_CHUNKS {
            let mut head = [0; 8];
            source.seek(SeekFrom::Start(at))?;
            source.read_exact(&mut head)?;
            let [a, b, c, d, size @ ..] = head;
            let size = match is_big_endian {
                true => u32::from_be_bytes(size),
                false => u32::from_le_bytes(size),
            };
            let body = at + 8;
            match &[a, b, c, d] {
                b"fmt " => {
                    let mut bytes = [0; 2];
                    source.read_exact(&mut bytes)?;
                    tag = Some(match is_big_endian {
                        true => u16::from_be_bytes(bytes),
                        false => u16::from_le_bytes(bytes),
                    });
                }
                b"data" => {
                    let data = body..body + u64::from(size);
                    return Ok(tag.map(|tag| Self { tag, data }));
                }
                _ => {}
            }
            at = body + u64::from(size.next_multiple_of(2).max(size));
        }
        Ok(None)
    }

    /// Whether the audio is frames of MPEG audio or ADTS.
    pub(crate) fn is_frames(&self) -> bool {
        FRAMES.contains(&self.tag)
    }

    /// What the codec is called, if it is known and cannot always be read.
    pub(crate) fn name(&self) -> Option<&'static str> {
        let known = NAMES.iter().find(|(tag, _)| *tag == self.tag);
        known.map(|&(_, name)| name)
    }
}
