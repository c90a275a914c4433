//! Metadata blocks of FLAC files (RFC 9639, section 8).

use std::io::{self, Read, Seek, SeekFrom};

use crate::chapter::Chapter;
use crate::clock::Clock;
use crate::splice::{self, TagFile};
use audiostretchy_containers::limits::MAX_TAG_BYTES;

const MARKER: &[u8; 4] = b"fLaC";
const PADDING: u8 = 1;
const VORBIS_COMMENT: u8 = 4;
const CUE_SHEET: u8 = 5;
const PICTURE: u8 = 6;
const HEAD_LEN: usize = 4;
/// The longest block in bytes: its length field has 24 bits.
pub(crate) const MAX_BLOCK: usize = (1 << 24) - 1;
/// Bytes of padding added for later changes when a header has to grow.
const FREE: usize = 4096;

/// Offsets of fields in a cue sheet block.
const CUE_LEAD_IN: std::ops::Range<usize> = 128..136;
const CUE_FLAGS: usize = 136;
const CUE_TRACKS: usize = 396;
const TRACK_LEN: usize = 36;
const INDEX_LEN: usize = 12;
/// Numbers of the lead-out track: on a CD, and on other media.
const LEAD_OUT: [u8; 2] = [170, 255];

/// A metadata block: its type and content.
pub(crate) type Block = (u8, Vec<u8>);

/// Reads the metadata blocks of a file. Returns them with their total length in bytes, the stream
/// marker included.
///
/// # Errors
/// Returns an error if reading fails or the file is not FLAC.
pub(crate) fn read_blocks(file: &mut (impl Read + Seek + ?Sized)) -> io::Result<(Vec<Block>, u64)> {
    file.seek(SeekFrom::Start(0))?;
    let mut marker = [0; 4];
    file.read_exact(&mut marker)?;
    if &marker != MARKER {
        let message = "no FLAC marker at the start";
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    let (mut blocks, mut length) = (Vec::new(), MARKER.len() as u64);
    loop {
        let mut head = [0; HEAD_LEN];
        file.read_exact(&mut head)?;
        let size = u32::from_be_bytes([0, head[1], head[2], head[3]]) as usize;
        let mut content = vec![0; size];
        file.read_exact(&mut content)?;
        blocks.push((head[0] & 0x7F, content));
        length += (HEAD_LEN + size) as u64;
        if head[0] & 0x80 != 0 {
            return Ok((blocks, length));
        }
        if length > MAX_TAG_BYTES {
            let message = "the metadata blocks are larger than those of any audio";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
    }
}

/// Returns the content of the cue sheet block, if it is complete.
pub(crate) fn cue_sheet(blocks: &[Block]) -> Option<Vec<u8>> {
    let (_, sheet) = blocks.iter().find(|(kind, _)| *kind == CUE_SHEET)?;
    let mut copy = sheet.clone();
    visit_cue_sheet(&mut copy, &mut Clock::asking(44_100))?;
    Some(copy)
}

/// Returns the vendor and the channel mask that an encoder wrote into its comments.
pub(crate) fn encoder_comments(blocks: &[Block]) -> (String, Option<String>) {
    const MASK: &str = "WAVEFORMATEXTENSIBLE_CHANNEL_MASK=";
    let comments = blocks.iter().find(|(kind, _)| *kind == VORBIS_COMMENT);
    let mut fields = comments.map(|(_, bytes)| comment_fields(bytes));
    let Some(fields) = &mut fields else {
        return (String::new(), None);
    };
    let vendor = fields.next().unwrap_or_default();
    (vendor, fields.find(|field| field.starts_with(MASK)))
}

/// Returns how many fields the comments claim to hold.
pub(crate) fn comment_count(blocks: &[Block]) -> u32 {
    let comments = blocks.iter().find(|(kind, _)| *kind == VORBIS_COMMENT);
    let count = comments.and_then(|(_, bytes)| {
        let (vendor, rest) = bytes.split_first_chunk()?;
        let rest = rest.get(u32::from_le_bytes(*vendor) as usize..)?;
        rest.first_chunk().copied().map(u32::from_le_bytes)
    });
    count.unwrap_or(0)
}

/// Returns the vendor and then the fields of a comment header, as far as they are complete.
fn comment_fields(mut bytes: &[u8]) -> impl Iterator<Item = String> {
    let mut index = 0;
    std::iter::from_fn(move || {
        // The number of fields follows the vendor.
        if index == 1 {
            bytes = bytes.get(4..)?;
        }
        index += 1;
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (field, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        bytes = rest;
        Some(String::from_utf8_lossy(field).into_owned())
    })
}

/// Writes comments, pictures and a cue sheet into a finished file, in place of the existing ones.
///
/// # Errors
/// Returns an error if the file cannot be read or written.
pub(crate) fn write(
    file: &mut dyn TagFile,
    old: (Vec<Block>, u64),
    comments: Vec<u8>,
    pictures: Vec<Vec<u8>>,
    cue_sheet: Option<Vec<u8>>,
) -> io::Result<()> {
    let (blocks, old_len) = old;
    let replaced = [PADDING, VORBIS_COMMENT, PICTURE, CUE_SHEET];
    let mut blocks: Vec<Block> = blocks
        .into_iter()
        .filter(|(kind, _)| !replaced.contains(kind))
        .collect();
    blocks.push((VORBIS_COMMENT, comments));
    blocks.extend(pictures.into_iter().map(|picture| (PICTURE, picture)));
    blocks.extend(cue_sheet.map(|sheet| (CUE_SHEET, sheet)));
    let mut header = MARKER.to_vec();
    for (kind, content) in &blocks {
        push_block(&mut header, *kind, content);
    }
    let room = (old_len as usize).checked_sub(header.len() + HEAD_LEN);
    push_block(&mut header, PADDING | 0x80, &vec![0; room.unwrap_or(FREE)]);
    splice::replace(file, 0, old_len, &header)
}

fn push_block(header: &mut Vec<u8>, kind: u8, content: &[u8]) {
    header.push(kind);
    header.extend(&(content.len() as u32).to_be_bytes()[1..]);
    header.extend(content);
}

/// Moves the tracks and indices of a cue sheet. Returns `None` if it is incomplete.
///
/// The result is no longer marked as that of a CD, whose sectors are 588 frames long.
pub(crate) fn visit_cue_sheet(sheet: &mut [u8], clock: &mut Clock<'_>) -> Option<()> {
    let end = clock.output_end();
    if end.is_some() {
        sheet.get_mut(CUE_LEAD_IN)?.fill(0);
        *sheet.get_mut(CUE_FLAGS)? &= 0x7F;
    }
    let (head, mut tracks) = sheet.split_at_mut_checked(CUE_TRACKS)?;
    for _ in 0..head[CUE_TRACKS - 1] {
        let (track, rest) = tracks.split_at_mut_checked(TRACK_LEN)?;
        let offset = u64::from_be_bytes(*track.first_chunk()?);
        let is_lead_out = LEAD_OUT.contains(&track[8]);
        let moved = match end {
            Some(end) if is_lead_out => end,
            _ => clock.frames(offset),
        };
        track[..8].copy_from_slice(&moved.to_be_bytes());
        if is_lead_out && end.is_some() {
            track[8] = LEAD_OUT[1];
        }
        let count = usize::from(track[TRACK_LEN - 1]);
        let (indices, rest) = rest.split_at_mut_checked(count * INDEX_LEN)?;
        for index in indices.chunks_exact_mut(INDEX_LEN) {
            let within = u64::from_be_bytes(*index.first_chunk()?);
            let position = clock.frames(offset.saturating_add(within));
            if end.is_some() {
                let within = position.saturating_sub(moved);
                index[..8].copy_from_slice(&within.to_be_bytes());
            }
        }
        tracks = rest;
    }
    Some(())
}

/// Returns the tracks of a cue sheet as chapters. Each starts at its index 1.
pub(crate) fn cue_chapters(sheet: &[u8]) -> Vec<Chapter> {
    let mut chapters = Vec::new();
    let (Some(count), Some(mut tracks)) = (sheet.get(CUE_TRACKS - 1), sheet.get(CUE_TRACKS..))
    else {
        return chapters;
    };
    for _ in 0..*count {
        let Some((track, rest)) = tracks.split_at_checked(TRACK_LEN) else {
            break;
        };
        let indices = usize::from(track[TRACK_LEN - 1]) * INDEX_LEN;
        let Some((indices, rest)) = rest.split_at_checked(indices) else {
            break;
        };
        tracks = rest;
        let number = track[8];
        if LEAD_OUT.contains(&number) {
            continue;
        }
        let offset = |bytes: &[u8]| bytes.first_chunk().map_or(0, |b| u64::from_be_bytes(*b));
        let mut indices = indices.chunks_exact(INDEX_LEN);
        let first = indices.find(|index| index[8] == 1).map_or(0, offset);
        let start = offset(track).saturating_add(first);
        chapters.push(Chapter::new(start, format!("Track {number:02}")));
    }
    chapters.sort_by_key(|chapter| chapter.start);
    chapters
}
