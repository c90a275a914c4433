//! The Xing or Info header in the first frame of an MP3 file: how much audio the file should hold.
//!
//! Layout as in the LAME project's description of the "mp3 info tag".

use std::io::{self, Read, Seek};

use crate::mpeg::{self, MpegHeader};
use crate::source::read_at;

/// What the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Xing {
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
    /// Returns an error if reading fails.
    pub fn scan<R: Read + Seek>(source: &mut R) -> io::Result<Option<Self>> {
        Ok(Self::parse(&read_at(source, 0, 192)?))
    }

    fn parse(frame: &[u8]) -> Option<Self> {
        // The tag follows the side information.
        let tag_at = 4 + MpegHeader::parse_layer_3(frame)?.side_info_len();
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
            own_bytes: mpeg::frame(frame)?.len,
            end: (bytes > 0).then(|| u64::from(bytes)),
        })
    }
}
