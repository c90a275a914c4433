//! The WAV chunks that hold text and times, in RIFF, RF64 and BW64 files.
//!
//! Chunks whose times cannot be moved (`plst`, `acid`, `iXML`, `cart`) are left out.

use std::io::{self, Read, Seek, SeekFrom};

use lofty::iff::wav::RiffInfoList;
use lofty::tag::{Tag, TagType};

use crate::clock::Clock;
use crate::families::bext;
use crate::families::cue::CueSheet;
use crate::fields;
use crate::splice::TagFile;
use audiostretchy_containers::limits::{MAX_CHUNKS, MAX_TAG_BYTES};
use audiostretchy_containers::riff::{decode_text, push_chunk, sub_chunks, terminated, u32_at};

/// The most LIST INFO fields that are kept; only some dozens are defined.
const MAX_FIELDS: usize = 1000;

/// The offset of the 64-bit size of an RF64 file (EBU Tech 3306).
const DS64_RIFF_SIZE: u64 = 20;

/// The contents of a WAV file other than its audio.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct RiffChunks {
    /// The LIST INFO fields: four-character names and values.
    pub info: Vec<([u8; 4], String)>,
    /// The bytes of an ID3v2 tag.
    pub id3: Option<Vec<u8>>,
    /// Cue points with labels and regions.
    pub cues: CueSheet,
    /// A broadcast extension chunk (EBU Tech 3285).
    pub bext: Option<Vec<u8>>,
    /// A sampler chunk with its loops.
    pub smpl: Option<Vec<u8>>,
    /// Whether chunks were left out because they were too large.
    pub too_large: bool,
}

/// Reads the chunks of a WAV file.
///
/// # Errors
/// Returns an error if reading fails or the file is not a WAV file.
pub(crate) fn read(file: &mut (impl Read + Seek)) -> io::Result<RiffChunks> {
    let mut head = [0; 12];
    file.read_exact(&mut head)?;
    let is_64 = matches!(&head[..4], b"RF64" | b"BW64");
    if !(is_64 || &head[..4] == b"RIFF") || &head[8..] != b"WAVE" {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not a WAV file"));
    }
    let file_end = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(12))?;
    let (mut chunks, mut data_size, mut kept) = (RiffChunks::default(), None, 0);
    let (mut cue, mut adtl) = (Vec::new(), Vec::new());
    let mut position = 12;
    for _ in 0..MAX_CHUNKS {
        if position + 8 > file_end {
            break;
        }
        file.seek(SeekFrom::Start(position))?;
        let mut head = [0; 8];
        file.read_exact(&mut head)?;
        let id = [head[0], head[1], head[2], head[3]];
        let mut size = u64::from(u32_at(&head, 4));
        let body = position + 8;
        if &id == b"data" && size == u64::from(u32::MAX) {
            size = data_size.unwrap_or(file_end - body);
        }
        // A size of 0 is left by programs that write to pipes: the audio extends to the end of the
        // file.
        if &id == b"data" && size == 0 && body + 8 > file_end {
            break;
        }
        position = body + size.next_multiple_of(2);
        let wanted = [
            b"LIST", b"id3 ", b"ID3 ", b"cue ", b"bext", b"smpl", b"ds64",
        ]
        .contains(&&id);
        if !wanted || body + size > file_end {
            continue;
        }
        kept += size;
        if kept > MAX_TAG_BYTES {
            chunks.too_large = true;
            break;
        }
        let mut bytes = vec![0; size as usize];
        file.read_exact(&mut bytes)?;
        match &id {
            b"ds64" if bytes.len() >= 16 => {
                data_size = bytes[8..16].try_into().ok().map(u64::from_le_bytes);
            }
            b"LIST" if bytes.starts_with(b"INFO") => {
                let room = MAX_FIELDS.saturating_sub(chunks.info.len());
                chunks.info.extend(parse_info(&bytes[4..]).take(room));
            }
            b"LIST" if bytes.starts_with(b"adtl") => adtl.extend_from_slice(&bytes[4..]),
            b"id3 " | b"ID3 " => chunks.id3 = Some(bytes),
            b"cue " => cue = bytes,
            b"bext" if bytes.len() >= bext::BEXT_LEN => chunks.bext = Some(bytes),
            b"smpl" => chunks.smpl = Some(bytes),
            _ => {}
        }
    }
    chunks.cues = CueSheet::parse(&cue, &adtl);
    Ok(chunks)
}

fn parse_info(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], String)> {
    let fields = sub_chunks(bytes).map(|(id, body)| (id, decode_text(body)));
    fields.filter(|(_, text)| !text.is_empty())
}

impl RiffChunks {
    /// Returns the text fields as common fields.
    pub(crate) fn to_common(&self) -> Tag {
        let mut info = RiffInfoList::new();
        for (id, value) in &self.info {
            if let Ok(id) = std::str::from_utf8(id) {
                info.insert(id.to_owned(), value.clone());
            }
        }
        let mut tag = Tag::from(info);
        if let Some(bext) = &self.bext {
            bext::describe_bext(bext, &mut tag);
        }
        tag
    }

    /// Moves all times.
    pub(crate) fn visit(&mut self, clock: &mut Clock<'_>) {
        self.cues.visit(clock);
        if let Some(bext) = &mut self.bext {
            bext::move_bext(bext, clock);
        }
        if let Some(smpl) = &mut self.smpl {
            bext::move_loops(smpl, clock);
        }
    }
}

/// Returns the LIST INFO fields for common fields.
pub(crate) fn info_of(common: &Tag) -> Vec<([u8; 4], String)> {
    let items = common.items().filter_map(|item| {
        let id = item.key().map_key(TagType::RiffInfo)?.as_bytes();
        Some((id.try_into().ok()?, item.value().text()?.to_owned()))
    });
    items.collect()
}

/// Returns a LIST INFO chunk of the fields, with this program's name as the software.
pub(crate) fn info_chunk(fields: &[([u8; 4], String)]) -> Vec<u8> {
    let mut list = b"INFO".to_vec();
    let others = fields.iter().filter(|(id, _)| id != b"ISFT");
    for (id, text) in others {
        push_chunk(&mut list, *id, &terminated(text));
    }
    push_chunk(&mut list, *b"ISFT", &terminated(fields::ENCODER));
    let mut chunk = Vec::new();
    push_chunk(&mut chunk, *b"LIST", &list);
    chunk
}

/// Appends complete chunks to a finished WAV file and updates its size. Returns `false`, with the
/// file unchanged, if the size would not fit its header.
///
/// lofty would read the whole file into memory for that.
///
/// # Errors
/// Returns an error if the file cannot be read or written.
pub(crate) fn append(file: &mut dyn TagFile, chunks: &[u8]) -> io::Result<bool> {
    let mut id = [0; 4];
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(&mut id)?;
    let end = file.seek(SeekFrom::End(0))?;
    let size = end + chunks.len() as u64 - 8;
    if &id == b"RF64" {
        file.write_all(chunks)?;
        file.seek(SeekFrom::Start(DS64_RIFF_SIZE))?;
        file.write_all(&size.to_le_bytes())?;
    } else {
        let Ok(size) = u32::try_from(size) else {
            return Ok(false);
        };
        file.write_all(chunks)?;
        file.seek(SeekFrom::Start(4))?;
        file.write_all(&size.to_le_bytes())?;
    }
    Ok(true)
}
