//! What Symphonia leaves unread in Matroska and WebM files: how much to trim from the start and
//! the end of a track, whether the file is whole, and chapters, for which it refuses files whose
//! editions have no number of their own, as FFmpeg writes them. And what it had better not be shown:
//! tables so large that they would take much memory, each entry being more than its bytes.
//!
//! Elements are as in RFC 9559 (Matroska) and RFC 8794 (EBML).

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use crate::ebml::{self, Vint};
use crate::limits::{MAX_TAG_BYTES, absurd};
use crate::unsupported;

const EBML: u32 = 0x1a45_dfa3;
const SEGMENT: u32 = 0x1853_8067;
const TRACKS: u32 = 0x1654_ae6b;
const TRACK_ENTRY: u32 = 0xae;
const CODEC_PRIVATE: u32 = 0x63a2;
const TRACK_NUMBER: u32 = 0xd7;
const TRACK_TYPE: u32 = 0x83;
const CODEC_ID: u32 = 0x86;
const CODEC_DELAY: u32 = 0x56aa;
const CONTENT_ENCODINGS: u32 = 0x6d80;
const CONTENT_ENCODING: u32 = 0x6240;
const CONTENT_COMPRESSION: u32 = 0x5034;
const COMPRESSION_ALGORITHM: u32 = 0x4254;
const COMPRESSION_SETTINGS: u32 = 0x4255;
const CLUSTER: u32 = 0x1f43_b675;
const BLOCK_GROUP: u32 = 0xa0;
const BLOCK: u32 = 0xa1;
const SIMPLE_BLOCK: u32 = 0xa3;
const DISCARD_PADDING: u32 = 0x75a2;
const CHAPTERS: u32 = 0x1043_a770;
const SEEK_HEAD: u32 = 0x114d_9b74;
const CUES: u32 = 0x1c53_bb6b;
const TAGS: u32 = 0x1254_c367;
const ATTACHMENTS: u32 = 0x1941_a469;
const ATTACHED_FILE: u32 = 0x61a7;
const VOID: u8 = 0xec;

/// Elements looked at before giving up: enough for five days of audio in one-second clusters.
const MAX_ELEMENTS: u32 = 450_000;

/// Bytes read at a time: small elements in a row cost little, and large ones are passed over.
const BUFFER: usize = 512;

/// Elements within each other; a block's padding is in the fourth.
const MAX_DEPTH: u32 = 8;

/// Bytes of the name of a codec.
const MAX_CODEC_ID: u64 = 32;
const AUDIO: u64 = 2;

/// Tracks, and elements to be hidden, that are noted.
const MAX_NOTED: usize = 64;

/// The most bytes of what codecs need to know: with FLAC that may include pictures.
const MAX_PRIVATE: u64 = 16 << 20;

/// The most bytes that frames start with and that are left out; real ones are a few.
const MAX_STRIPPED: u64 = 64;

/// Files attached that are shown; pictures are.
const MAX_ATTACHED: u32 = 1000;

/// Returns the most bytes of all elements of a kind that are shown.
fn most_shown(id: u32) -> u64 {
    match id {
        ATTACHMENTS => MAX_TAG_BYTES,
        CUES => 4 << 20,
        _ => 1 << 20,
    }
}

/// What was found in a file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Mkv {
    /// Per track.
    pub tracks: Vec<MkvTrack>,
    /// The file ends within one of its elements.
    pub cut_short: bool,
    /// Recorded or sent live: the header does not give a length.
    pub is_live: bool,
    /// Where another file starts that was appended to this one.
    pub next: Option<u64>,
    /// Where its chapters are.
    pub chapters: Vec<Element>,
    /// Where there is more of a kind than is shown.
    pub excessive: Vec<Element>,
    /// If there are tags or pictures among that, how many bytes of the kind are shown at most.
    pub most_tags: Option<u64>,
}

/// Where an element of a file is, in bytes from the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Of its header.
    pub at: u64,
    /// Of its content.
    pub body: u64,
    /// Behind its content.
    pub end: u64,
}

impl Element {
    /// Where bytes are to be put, and which, to make it an empty space of the same length.
    pub fn as_void(&self) -> (u64, Vec<u8>) {
        // The number of bytes that the size takes is free.
        let size_len = (self.body - self.at - 1).min(8);
        let size = self.end - self.at - 1 - size_len;
        let size = size | 1 << (7 * size_len);
        let size = size.to_be_bytes();
        (self.at, [&[VOID], &size[8 - size_len as usize..]].concat())
    }
}

/// What was found of a track.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct MkvTrack {
    /// Track number.
    pub number: u64,
    /// Nanoseconds to drop from the start.
    pub codec_delay: u64,
    /// Nanoseconds to drop from the end of the track's last block.
    pub discard_padding: u64,
    /// Frames are compressed, in a way that cannot be undone.
    pub is_compressed: bool,
    /// What every frame starts with and was left out of all.
    pub stripped: Vec<u8>,
    /// Whether it is audio.
    is_audio: bool,
    /// The name of its codec, up to [`MAX_CODEC_ID`] bytes of it.
    codec: String,
}

impl Mkv {
    /// Walks through the elements of a file from its start; the position afterwards is anywhere.
    ///
    /// Only headers are read, and within clusters only those of the last one: a long file costs
    /// one small read a cluster. Returns `None` if it is not such a file.
    ///
    /// # Errors
    /// Returns an error if reading fails for another reason than the end of the file.
    pub fn scan<R: Read + Seek>(source: &mut R, len: u64) -> io::Result<Option<Self>> {
        source.seek(SeekFrom::Start(0))?;
        let mut magic = [0; 4];
        if source.read_exact(&mut magic).is_err() || magic != [0x1a, 0x45, 0xdf, 0xa3] {
            return Ok(None);
        }
        source.seek(SeekFrom::Start(0))?;
        let mut walk = Walk {
            source: BufReader::with_capacity(BUFFER, source),
            position: 0,
            len,
            elements_left: MAX_ELEMENTS,
            depth_left: MAX_DEPTH,
            last_cluster: None,
            block_track: None,
            shown: BTreeMap::new(),
            attached: 0,
            private: 0,
            seek_heads: Vec::new(),
            has_clusters: false,
            found: Self::default(),
        };
        let mut walked = walk.children(0, len);
        if walk.elements_left == 0 {
            if !walk.has_clusters {
                return Err(absurd("Matroska: too many elements before the audio"));
            }
            // Long live streams come to this. What was not looked at is not to be gone to either.
            walk.found.excessive.append(&mut walk.seek_heads);
        }
        if let (Ok(()), Some((at, end))) = (&walked, walk.last_cluster) {
            walked = walk.children(at, end);
        }
        match walked {
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
            Err(_) => {
                walk.found.cut_short = true;
                Ok(Some(walk.found))
            }
            Ok(()) => Ok(Some(walk.found)),
        }
    }

    /// Returns the name of the first audio track's codec if it is known not to be decoded.
    pub fn unsupported(&self) -> Option<&'static str> {
        let track = self.tracks.iter().find(|track| track.is_audio)?;
        unsupported::matroska(&track.codec)
    }

    /// Returns the track of a number.
    pub fn track(&self, number: u32) -> Option<&MkvTrack> {
        let number = u64::from(number);
        self.tracks.iter().find(|track| track.number == number)
    }
}

fn note(elements: &mut Vec<Element>, element: Element) -> io::Result<()> {
    if elements.len() == MAX_NOTED {
        return Err(absurd("Matroska: too many tables of a kind"));
    }
    elements.push(element);
    Ok(())
}

struct Walk<'a, R> {
    source: BufReader<&'a mut R>,
    /// In bytes from the start.
    position: u64,
    len: u64,
    elements_left: u32,
    depth_left: u32,
    /// Where the content of the last cluster starts and ends.
    last_cluster: Option<(u64, u64)>,
    /// Index of the track that the last block belongs to.
    block_track: Option<usize>,
    /// Bytes of each kind of element so far.
    shown: BTreeMap<u32, u64>,
    /// Files attached so far.
    attached: u32,
    /// Bytes of what codecs need to know so far.
    private: u64,
    seek_heads: Vec<Element>,
    has_clusters: bool,
    found: Mkv,
}

impl<R: Read + Seek> Walk<'_, R> {
    /// Visits the elements from `at` to `end`, but those nested deeper than any real ones are.
    fn children(&mut self, at: u64, end: u64) -> io::Result<()> {
        let Some(depth_left) = self.depth_left.checked_sub(1) else {
            return Ok(());
        };
        self.depth_left = depth_left;
        let visited = self.siblings(at, end);
        self.depth_left += 1;
        visited
    }

    fn siblings(&mut self, mut at: u64, end: u64) -> io::Result<()> {
        while at < end && self.elements_left > 0 {
            self.elements_left -= 1;
            self.go_to(at)?;
            let (id, size) = (self.number()?, self.number()?);
            let body = at + u64::from(id.len + size.len);
            // All ones: the size is not known, as in a live stream. Such a segment or cluster
            // goes on until something follows that cannot be in it: its children are taken as
            // siblings.
            let (is_unknown, size) = (size.is_unknown_size(), size.value());
            let next = if is_unknown {
                body
            } else {
                body.saturating_add(size)
            };
            if next > self.len {
                self.found.cut_short = true;
            }
            let next = next.min(end);
            if next < body {
                break;
            }
            let element = Element {
                at,
                body,
                end: next,
            };
            let id = u32::try_from(id.with_marker).unwrap_or(0);
            match id {
                EBML if at > 0 && self.depth_left + 1 == MAX_DEPTH => {
                    self.found.next = Some(at);
                    return Ok(());
                }
                SEGMENT if is_unknown => self.found.is_live = true,
                SEEK_HEAD | TRACKS | CUES | TAGS | ATTACHMENTS | CHAPTERS if is_unknown => {
                    return Err(absurd("Matroska: a table of unknown size"));
                }
                SEEK_HEAD | TRACKS | CUES | TAGS | ATTACHMENTS => self.table(id, element)?,
                ATTACHED_FILE => self.attached += 1,
                SEGMENT | BLOCK_GROUP if !is_unknown => self.children(body, next)?,
                TRACK_ENTRY if self.found.tracks.len() < MAX_NOTED => {
                    self.found.tracks.push(MkvTrack::default());
                    self.children(body, next)?;
                }
                CLUSTER => {
                    self.has_clusters = true;
                    if !is_unknown {
                        self.last_cluster = Some((body, next));
                    }
                }
                CONTENT_ENCODINGS | CONTENT_ENCODING if !is_unknown => self.children(body, next)?,
                CONTENT_COMPRESSION if !is_unknown => {
                    // Unless it says otherwise below.
                    if let Some(track) = self.found.tracks.last_mut() {
                        track.is_compressed = true;
                    }
                    self.children(body, next)?;
                }
                COMPRESSION_ALGORITHM => {
                    let is_stripping = self.integer(size)? == 3;
                    if let Some(track) = self.found.tracks.last_mut() {
                        track.is_compressed = !is_stripping;
                    }
                }
                COMPRESSION_SETTINGS => {
                    let mut bytes = vec![0; size.min(MAX_STRIPPED) as usize];
                    self.read(&mut bytes)?;
                    if let Some(track) = self.found.tracks.last_mut() {
                        track.stripped = bytes;
                    }
                }
                CODEC_PRIVATE => self.private += next - at,
                TRACK_NUMBER => {
                    let number = self.integer(size)?;
                    if let Some(track) = self.found.tracks.last_mut() {
                        track.number = number;
                    }
                }
                TRACK_TYPE => {
                    let kind = self.integer(size)?;
                    if let Some(track) = self.found.tracks.last_mut() {
                        track.is_audio = kind == AUDIO;
                    }
                }
                CODEC_ID => {
                    let mut name = vec![0; size.min(MAX_CODEC_ID) as usize];
                    self.read(&mut name)?;
                    if let Some(track) = self.found.tracks.last_mut() {
                        track.codec = String::from_utf8_lossy(&name).into_owned();
                    }
                }
                CODEC_DELAY => {
                    let delay = self.integer(size)?;
                    if let Some(track) = self.found.tracks.last_mut() {
                        track.codec_delay = delay;
                    }
                }
                CHAPTERS => note(&mut self.found.chapters, element)?,
                BLOCK | SIMPLE_BLOCK => self.block()?,
                DISCARD_PADDING => {
                    // Signed; a negative one would trim the start, which nothing writes.
                    let padding = self.integer(size)?;
                    let is_negative = size > 0 && padding >> (8 * size.min(8) - 1) != 0;
                    if let Some(index) = self.block_track
                        && !is_negative
                    {
                        self.found.tracks[index].discard_padding = padding;
                    }
                }
                _ => {}
            }
            at = next;
        }
        Ok(())
    }

    /// Looks at a table, and sees to it that it is hidden if there is too much of its kind.
    fn table(&mut self, id: u32, table: Element) -> io::Result<()> {
        let mut bytes = table.end - table.at;
        if id == TRACKS {
            let before = self.private;
            self.children(table.body, table.end)?;
            bytes = bytes.saturating_sub(self.private - before);
        }
        let shown = self.shown.entry(id).or_default();
        *shown = shown.saturating_add(bytes);
        let mut is_too_much = *shown > most_shown(id);
        if id == TRACKS && (is_too_much || self.private > MAX_PRIVATE) {
            return Err(absurd("Matroska: too large a table of tracks"));
        }
        if id == ATTACHMENTS && !is_too_much {
            self.children(table.body, table.end)?;
            is_too_much = self.attached > MAX_ATTACHED;
        }
        if is_too_much {
            if id == TAGS || id == ATTACHMENTS {
                self.found.most_tags = Some(most_shown(id));
            }
            note(&mut self.found.excessive, table)
        } else if id == SEEK_HEAD {
            note(&mut self.seek_heads, table)
        } else {
            Ok(())
        }
    }

    fn go_to(&mut self, at: u64) -> io::Result<()> {
        // No file is so long that this is not so.
        let by = i64::try_from(at).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        self.source
            .seek_relative(by - self.position.cast_signed())?;
        self.position = at;
        Ok(())
    }

    fn read(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.source.read_exact(bytes)?;
        self.position += bytes.len() as u64;
        Ok(())
    }

    /// Notes whose block this is; only what the last block of a track says counts.
    fn block(&mut self) -> io::Result<()> {
        let number = self.number()?.value();
        let tracks = &mut self.found.tracks;
        self.block_track = tracks.iter().position(|track| track.number == number);
        if let Some(index) = self.block_track {
            tracks[index].discard_padding = 0;
        }
        Ok(())
    }

    /// A number of variable length.
    fn number(&mut self) -> io::Result<Vint> {
        let number = Vint::read(&mut self.source)?;
        self.position += u64::from(number.len);
        Ok(number)
    }

    fn integer(&mut self, size: u64) -> io::Result<u64> {
        let mut bytes = [0; 8];
        let bytes = &mut bytes[..size.min(8) as usize];
        self.read(bytes)?;
        Ok(ebml::unsigned(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_as_a_void_keeps_its_length() {
        for size_len in [1, 2, 4, 8] {
            let body = 104 + size_len;
            let (at, header) = Element {
                at: 100,
                body,
                end: body + 50,
            }
            .as_void();
            let size = Vint::read(&mut &header[1..]).unwrap().value();
            assert_eq!((at, header[0]), (100, VOID));
            assert_eq!(100 + header.len() as u64 + size, body + 50);
        }
    }
}
