//! The Xing or Info header in the first frame of an MP3 file: how much audio the file should hold.
//!
//! Layout as in the LAME project's description of the "mp3 info tag".

use std::io::{self, Read, Seek, SeekFrom};

use super::audio_start::frame_len;

/// What the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Xing {
    /// MPEG frames after the header's own.
    pub mpeg_frames: u32,
    /// Length of the header's own frame in bytes.
    pub own_bytes: u64,
    /// Where in the file the last of them ends, in bytes from the start, if it is said.
    pub end: Option<u64>,
}

impl Xing {
    /// Reads the header of a file that starts with its audio; the position afterwards is anywhere.
    ///
    /// # Errors
    /// Where reading fails.
    pub(crate) fn scan<R: Read + Seek>(source: &mut R) -> io::Result<Option<Self>> {
        source.seek(SeekFrom::Start(0))?;
        let mut frame = Vec::new();
        (&mut *source).take(192).read_to_end(&mut frame)?;
        Ok(Self::parse(&frame))
    }

    fn parse(frame: &[u8]) -> Option<Self> {
        let header = u32::from_be_bytes(frame.first_chunk().copied()?);
        // Sync, and layer III.
        if header >> 21 != 0x7ff || header >> 17 & 3 != 1 {
            return None;
        }
        let is_mpeg1 = header >> 19 & 3 == 3;
        let is_mono = header >> 6 & 3 == 3;
        // The tag follows the side information.
        let tag_at = 4 + match (is_mpeg1, is_mono) {
            (true, false) => 32,
            (true, true) | (false, false) => 17,
            (false, true) => 9,
        };
        let mut tag = frame.get(tag_at..)?;
        if ![b"Xing", b"Info"].contains(&tag.first_chunk()?) {
            return None;
        }
        tag = &tag[4..];
        let mut field = || {
            let (value, rest) = tag.split_first_chunk()?;
            tag = rest;
            Some(u32::from_be_bytes(*value))
        };
        let flags = field()?;
        let mpeg_frames = if flags & 1 != 0 { field()? } else { 0 };
        let bytes = if flags & 2 != 0 { field()? } else { 0 };
        (mpeg_frames > 0).then_some(Self {
            mpeg_frames,
            own_bytes: frame_len(frame)?,
            end: (bytes > 0).then(|| u64::from(bytes)),
        })
    }
}
