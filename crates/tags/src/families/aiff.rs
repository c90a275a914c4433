//! The AIFF chunks that hold text and times (Apple, "Audio Interchange File Format 1.3").

use std::io::{self, Read, Seek, SeekFrom};

use lofty::tag::{ItemKey, Tag};

use crate::chapter::{Chapter, MAX_CHAPTERS};
use crate::splice::TagFile;
use audiostretchy_containers::limits::{MAX_CHUNKS, MAX_TAG_BYTES};
use audiostretchy_containers::riff::decode_text;

/// The longest marker name in bytes: its length field is a byte.
const MAX_NAME: usize = 255;

/// The contents of an AIFF file other than its audio.
#[derive(Default)]
pub(crate) struct AiffChunks {
    /// The bytes of an ID3v2 tag.
    pub id3: Option<Vec<u8>>,
    /// The text chunks as common fields.
    pub text: Option<Tag>,
    /// The markers, in order of time.
    pub markers: Vec<Chapter>,
}

/// Reads the chunks of an AIFF file.
///
/// # Errors
/// Returns an error if reading fails.
pub(crate) fn read(file: &mut (impl Read + Seek)) -> io::Result<AiffChunks> {
    let file_end = file.seek(SeekFrom::End(0))?;
    let mut chunks = AiffChunks::default();
    let mut text = Tag::new(lofty::tag::TagType::AiffText);
    let (mut position, mut kept) = (12, 0);
    for _ in 0..MAX_CHUNKS {
        if position + 8 > file_end {
            break;
        }
        file.seek(SeekFrom::Start(position))?;
        let mut head = [0; 8];
        file.read_exact(&mut head)?;
        let size = u64::from(u32::from_be_bytes([head[4], head[5], head[6], head[7]]));
        position += 8 + size.next_multiple_of(2);
        let id = &head[..4];
        let key = match id {
            b"NAME" => Some(ItemKey::TrackTitle),
            b"AUTH" => Some(ItemKey::TrackArtist),
            b"(c) " => Some(ItemKey::CopyrightMessage),
            b"ANNO" => Some(ItemKey::Comment),
            _ => None,
        };
        let wanted = key.is_some() || [b"ID3 ", b"MARK"].iter().any(|name| *name == id);
        kept += size;
        if !wanted || position > file_end + 1 || kept > MAX_TAG_BYTES {
            kept -= size;
            continue;
        }
        let mut bytes = vec![0; size as usize];
        file.read_exact(&mut bytes)?;
        match key {
            Some(key) => crate::fields::set(&mut text, key, decode_text(&bytes)),
            None if id == b"MARK" => chunks.markers = parse_markers(&bytes),
            None => chunks.id3 = Some(bytes),
        }
    }
    chunks.text = (text.item_count() > 0).then_some(text);
    Ok(chunks)
}

fn parse_markers(bytes: &[u8]) -> Vec<Chapter> {
    let Some((_, mut rest)) = bytes.split_at_checked(2) else {
        return Vec::new();
    };
    let mut markers = Vec::new();
    while let Some((head, after)) = rest.split_at_checked(7)
        && let Some(name) = after.get(..usize::from(head[6]))
        && markers.len() < MAX_CHAPTERS
    {
        let position = u32::from_be_bytes([head[2], head[3], head[4], head[5]]);
        markers.push(Chapter::new(position.into(), decode_text(name)));
        // The length byte and the name together take an even number of bytes.
        let length = (1 + name.len()).next_multiple_of(2);
        rest = rest.get(6 + length..).unwrap_or_default();
    }
    markers.sort_by_key(|marker| marker.start);
    markers
}

/// Returns a chunk of markers for chapters. Those beyond the range of its fields are left out.
pub(crate) fn marker_chunk(chapters: &[Chapter]) -> Vec<u8> {
    let (mut count, mut body) = (0u16, vec![0; 2]);
    for chapter in chapters.iter().take(i16::MAX as usize) {
        let Ok(position) = u32::try_from(chapter.start) else {
            continue;
        };
        count += 1;
        let mut end = chapter.title.len().min(MAX_NAME);
        while !chapter.title.is_char_boundary(end) {
            end -= 1;
        }
        body.extend(count.to_be_bytes());
        body.extend(position.to_be_bytes());
        body.push(end as u8);
        body.extend(&chapter.title.as_bytes()[..end]);
        if end.is_multiple_of(2) {
            body.push(0);
        }
    }
    body[..2].copy_from_slice(&count.to_be_bytes());
    let mut chunk = Vec::new();
    if count > 0 {
        push_chunk(&mut chunk, *b"MARK", &body);
    }
    chunk
}

/// Returns the text chunks for common fields.
pub(crate) fn text_chunks(common: &Tag) -> Vec<u8> {
    let mut chunks = Vec::new();
    for (id, key) in [
        (b"NAME", ItemKey::TrackTitle),
        (b"AUTH", ItemKey::TrackArtist),
        (b"(c) ", ItemKey::CopyrightMessage),
        (b"ANNO", ItemKey::Comment),
    ] {
        if let Some(text) = common.get_string(key) {
            push_chunk(&mut chunks, *id, text.as_bytes());
        }
    }
    chunks
}

/// Appends a chunk, padded to an even length.
pub(crate) fn push_chunk(to: &mut Vec<u8>, id: [u8; 4], body: &[u8]) {
    to.extend(id);
    to.extend((body.len() as u32).to_be_bytes());
    to.extend(body);
    if !body.len().is_multiple_of(2) {
        to.push(0);
    }
}

/// Appends complete chunks to a finished file and updates its size. Returns `false`, with the file
/// unchanged, if the size would not fit its header.
///
/// # Errors
/// Returns an error if the file cannot be read or written.
pub(crate) fn append(file: &mut dyn TagFile, chunks: &[u8]) -> io::Result<bool> {
    let end = file.seek(SeekFrom::End(0))?;
    let padding = end % 2;
    let Ok(size) = u32::try_from(end + padding + chunks.len() as u64 - 8) else {
        return Ok(false);
    };
    file.write_all(&[0][..padding as usize])?;
    file.write_all(chunks)?;
    file.seek(SeekFrom::Start(4))?;
    file.write_all(&size.to_be_bytes())?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_read_as_they_were_written() {
        let chapters = ["", "Intro", "Ende"].map(|title| Chapter::new(title.len() as u64, title));
        let chunk = marker_chunk(&chapters);
        let mut read = parse_markers(&chunk[8..]);
        read.sort_by_key(|marker| marker.title.len());
        assert_eq!(read[0], chapters[0]);
        assert_eq!(read.len(), 3);
        assert!(parse_markers(&chunk[8..20]).len() < 3);
    }
}
