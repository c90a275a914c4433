//! Where the audio starts in a file that begins with ID3v2 tags, be they whole or broken.
//!
//! Symphonia refuses a file whose tag it cannot parse, so it is never shown one: a broken tag must
//! not cost the audio. A tag's size is believed if something follows that begins as audio does;
//! else the first frames of audio that follow each other are looked for.

use std::io::{self, Read, Seek};
use std::ops::Range;

use crate::mpeg::{FRAME_HEAD, frame};
use crate::source::read_at;
use crate::unsupported;

/// Bytes of a tag's header, and of its footer.
const HEAD_LEN: u64 = 10;
const HAS_FOOTER: u8 = 0x10;
/// First bytes of what may follow a tag, beside MPEG audio.
const MAGIC: [[u8; 4]; 6] = [*b"fLaC", *b"OggS", *b"RIFF", *b"FORM", *b"RF64", *b"caff"];
/// Frames in a row that are taken for audio.
const FRAMES: usize = 4;
/// How far audio is looked for.
const MAX_SEARCH: u64 = 64 << 20;
const BLOCK: usize = 1 << 16;
/// Bytes that may be in front of frames without a tag around them.
const MAX_JUNK: u64 = 1 << 20;
/// Places that look as if audio might start there which are looked at closely.
const MAX_PLACES: u32 = 100_000;
/// Tags in a row that are taken for tags.
const MAX_TAGS: usize = 64;

/// Where the tags and the audio of a file are, in bytes from its start.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct AudioStart {
    /// The ID3v2 tags, headers included.
    pub tags: Vec<Range<u64>>,
    /// Where what follows them starts.
    pub at: u64,
    /// Whether a tag does not end where it says.
    pub is_damaged: bool,
}

impl AudioStart {
    /// Looks at the start of a source of a length in bytes; the position afterwards is anywhere.
    ///
    /// # Errors
    /// Returns an error if reading fails.
    pub fn find<R: Read + Seek>(source: &mut R, len: u64) -> io::Result<Self> {
        let mut start = Self::default();
        while start.tags.len() < MAX_TAGS
            && let Some(end) = claimed_end(source, start.at)?
        {
            let tag_at = start.at;
            start.at = if end <= len && is_start(source, end)? {
                end
            } else {
                match search(source, tag_at + HEAD_LEN, true)? {
                    Some(found) => {
                        start.is_damaged |= found < end;
                        found
                    }
                    None => end.min(len),
                }
            };
            start.tags.push(tag_at..end.min(start.at));
        }
        if start.at == 0
            && let Some(end) = disguised_end(source)?
            && is_start(source, end)?
        {
            start.tags.push(0..end);
            start.at = end;
            start.is_damaged = true;
        }
        Ok(start)
    }
}

/// Where an ID3v2 tag says that it ends; `None` where there is no tag.
fn claimed_end<R: Read + Seek>(source: &mut R, at: u64) -> io::Result<Option<u64>> {
    let head = read_at(source, at, HEAD_LEN as usize)?;
    let [b'I', b'D', b'3', _, _, flags, size @ ..] = head.as_slice() else {
        return Ok(None);
    };
    if size.len() < 4 {
        return Ok(None);
    }
    // Four bytes of seven bits.
    let size = size.iter();
    let size = size.fold(0, |sum, byte| sum << 7 | u64::from(byte & 0x7F));
    let footer = if flags & HAS_FOOTER != 0 { HEAD_LEN } else { 0 };
    Ok(Some(at + HEAD_LEN + size + footer))
}

/// Where a tag at the start ends of whose name a byte is wrong, and nothing else in its header.
fn disguised_end<R: Read + Seek>(source: &mut R) -> io::Result<Option<u64>> {
    let mut head = read_at(source, 0, HEAD_LEN as usize)?;
    let right = head.iter().zip(b"ID3").filter(|(byte, name)| byte == name);
    if right.count() != 2 || head.len() < HEAD_LEN as usize {
        return Ok(None);
    }
    let is_tag = (2..=4).contains(&head[3])
        && head[4] == 0
        && head[5] & 0x0F == 0
        && head[6..].iter().all(|&byte| byte < 0x80);
    head[..3].copy_from_slice(b"ID3");
    match is_tag {
        true => claimed_end(&mut io::Cursor::new(head), 0),
        false => Ok(None),
    }
}

/// Returns whether a tag, a known file or a frame of MPEG audio starts at a place.
fn is_start<R: Read + Seek>(source: &mut R, at: u64) -> io::Result<bool> {
    let head = read_at(source, at, unsupported::HEAD)?;
    let is_file = is_magic(&head) || unsupported::recognise(&head).is_some();
    Ok(head.starts_with(b"ID3") || is_file || frame(&head).is_some())
}

/// Where frames of MPEG audio or ADTS start, from a place on; `None` if that is not so, or too far.
///
/// # Errors
/// Returns an error if reading fails.
pub fn find_frames<R: Read + Seek>(source: &mut R, at: u64) -> io::Result<Option<u64>> {
    if frame(&read_at(source, at, FRAME_HEAD)?).is_some() {
        return Ok(Some(at));
    }
    let found = search(source, at, false)?;
    Ok(found.filter(|found| found - at <= MAX_JUNK))
}

fn is_magic(head: &[u8]) -> bool {
    MAGIC.iter().any(|magic| head.starts_with(magic))
}

/// Returns the first place from `from` on where frames of audio follow each other, or FLAC or Ogg
/// starts if `takes_containers`: they may follow a broken tag, but not just anything.
fn search<R: Read + Seek>(
    source: &mut R,
    from: u64,
    takes_containers: bool,
) -> io::Result<Option<u64>> {
    let (mut at, mut places) = (from, 0);
    while places < MAX_PLACES && at < from + MAX_SEARCH {
        let block = read_at(source, at, BLOCK)?;
        if block.len() < FRAME_HEAD {
            break;
        }
        let windows = block.windows(FRAME_HEAD);
        let steps = windows.len() as u64;
        for (place, window) in (at..).zip(windows) {
            let is_found = match window[0] {
                0xFF if places < MAX_PLACES && frame(window).is_some() => {
                    places += 1;
                    frames_follow(source, place)?
                }
                _ => {
                    takes_containers
                        && (window.starts_with(b"fLaC") || window.starts_with(b"OggS\0"))
                }
            };
            if is_found {
                return Ok(Some(place));
            }
        }
        at += steps;
    }
    Ok(None)
}

/// Returns whether frames of one kind follow each other, to the end of the source if it comes
/// first.
fn frames_follow<R: Read + Seek>(source: &mut R, mut at: u64) -> io::Result<bool> {
    let mut kind = None;
    for index in 0..FRAMES {
        let head = read_at(source, at, FRAME_HEAD)?;
        if head.is_empty() {
            return Ok(index > 1);
        }
        match frame(&head) {
            Some(found) if kind.is_none_or(|kind| kind == found.kind) => {
                kind = Some(found.kind);
                at += found.len;
            }
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// Returns whether a source of frames, of a length in bytes, ends within one of them. The position
/// afterwards is anywhere.
///
/// # Errors
/// Returns an error if reading fails.
pub fn ends_within_frame<R: Read + Seek>(source: &mut R, len: u64) -> io::Result<bool> {
    let end = read_at(source, len.saturating_sub(BLOCK as u64), BLOCK)?;
    let (mut kind, mut in_row, mut at) = (None, 0, 0);
    while at < end.len() {
        let rest = &end[at..];
        // So few frames in a row that they may be none tell nothing.
        let is_sure = in_row >= FRAMES;
        match frame(rest) {
            Some(frame) if kind.is_some_and(|kind| kind != frame.kind) => {
                (kind, in_row) = (None, 0);
            }
            Some(frame) if frame.len as usize <= rest.len() => {
                (kind, in_row) = (Some(frame.kind), in_row + 1);
                at += frame.len as usize;
            }
            Some(_) if is_sure => return Ok(true),
            None if is_sure && rest.len() < FRAME_HEAD && rest[0] == 0xFF => return Ok(true),
            _ => {
                (kind, in_row) = (None, 0);
                at += 1;
            }
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// A tag of 300 bytes that holds the start of a frame, and frames of 417 bytes behind it.
    fn file() -> Vec<u8> {
        let mut file = b"ID3\x04\0\0\0\0\x02\x2C".to_vec();
        file.extend(b"\xFF\xFB\x90\0");
        file.resize(310, 0);
        for _ in 0..6 {
            file.extend(b"\xFF\xFB\x90\0");
            file.resize(file.len() + 413, 7);
        }
        file
    }

    fn find(file: &[u8]) -> AudioStart {
        AudioStart::find(&mut Cursor::new(file), file.len() as u64).unwrap()
    }

    #[test]
    fn audio_starts_behind_a_whole_tag() {
        let start = find(&file());
        assert_eq!((start.at, start.is_damaged), (310, false));
        assert_eq!((start.tags.len(), start.tags[0].clone()), (1, 0..310));
        let two = [&file()[..310], &file()].concat();
        assert_eq!(find(&two).tags, [0..310, 310..620]);
        assert_eq!(find(&file()[310..]), AudioStart::default());
    }

    #[test]
    fn audio_is_found_whatever_the_size_says() {
        for size in [
            [0, 0, 0, 1],
            [0, 0, 2, 0x2D],
            [0, 0, 9, 0],
            [0x7F; 4],
            [0xFF; 4],
        ] {
            let mut file = file();
            file[6..10].copy_from_slice(&size);
            assert_eq!(find(&file).at, 310, "{size:?}");
        }
    }

    #[test]
    fn audio_is_found_behind_a_tag_with_a_wrong_name() {
        for at in 0..3 {
            let mut file = file();
            file[at] = 0xFF;
            let start = find(&file);
            assert_eq!((start.at, start.is_damaged), (310, true), "{at}");
        }
    }
}
