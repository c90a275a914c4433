//! Whether there is video in a file, as its header tells; pictures that stand still are none.
//!
//! Boxes are as in ISO/IEC 14496-12, elements as in RFC 9559 (Matroska).

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use crate::ebml::Vint;
use crate::input::open_file;

/// Extensions of files that may hold video as well as audio alone, in lower case.
const EXTENSIONS: [&str; 7] = ["3g2", "3gp", "m4v", "mkv", "mov", "mp4", "webm"];

/// Boxes or elements looked at before giving up.
const MAX_PARTS: u32 = 10_000;

/// Boxes or elements within each other; what is looked for is in the sixth.
const MAX_DEPTH: u32 = 6;

/// Bytes read at a time: what is looked at is small, and far between.
const BUFFER: usize = 512;

/// Boxes that an MP4 or QuickTime file may begin with.
const FIRST_BOXES: [&[u8; 4]; 7] = [
    b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot",
];

const EBML: u64 = 0x1a45_dfa3;
const SEGMENT: u64 = 0x1853_8067;
const TRACKS: u64 = 0x1654_ae6b;
const TRACK_ENTRY: u64 = 0xae;
const TRACK_TYPE: u64 = 0x83;
const FLAG_ENABLED: u64 = 0xb9;
const CODEC_ID: u64 = 0x86;
const CLUSTER: u64 = 0x1f43_b675;

/// Returns whether a file, whose extension leaves that open, holds a video track; not if it cannot
/// be read or is of an unknown kind.
pub fn is_in(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    let is_known = |known: &str| extension.eq_ignore_ascii_case(known);
    if !EXTENSIONS.into_iter().any(is_known) {
        return false;
    }
    let Ok(Some(file)) = open_file(path) else {
        return false;
    };
    is_in_source(file).unwrap_or(false)
}

fn is_in_source(source: impl Read + Seek) -> io::Result<bool> {
    let mut source = BufReader::with_capacity(BUFFER, source);
    let end = source.seek(SeekFrom::End(0))?;
    let mut walk = Walk {
        source,
        parts_left: MAX_PARTS,
        depth: 0,
    };
    walk.go_to(0)?;
    let start = walk.bytes::<8>()?;
    if FIRST_BOXES.iter().any(|name| start[4..] == **name) {
        walk.within(Walk::boxes, 0, end, &mut Track::default())
    } else if start[..4] == EBML.to_be_bytes()[4..] {
        walk.within(Walk::elements, 0, end, &mut Track::default())
    } else {
        Ok(false)
    }
}

/// What tells video from pictures.
#[derive(Debug)]
struct Track {
    is_visual: bool,
    /// Pictures of chapters are in a track that players do not show.
    is_enabled: bool,
    /// A cover is a single picture.
    is_picture: bool,
}

impl Default for Track {
    fn default() -> Self {
        Self {
            is_visual: false,
            is_enabled: true,
            is_picture: false,
        }
    }
}

impl Track {
    fn is_video(&self) -> bool {
        self.is_visual && self.is_enabled && !self.is_picture
    }
}

struct Walk<R> {
    source: BufReader<R>,
    parts_left: u32,
    depth: u32,
}

impl<R: Read + Seek> Walk<R> {
    /// Looks at what is within a box or an element, unless that lies deeper than in any real file.
    fn within(
        &mut self,
        look: fn(&mut Self, u64, u64, &mut Track) -> io::Result<bool>,
        at: u64,
        end: u64,
        track: &mut Track,
    ) -> io::Result<bool> {
        if self.depth == MAX_DEPTH {
            return Ok(false);
        }
        self.depth += 1;
        let found = look(self, at, end, track);
        self.depth -= 1;
        found
    }

    /// Returns whether there is video in the boxes from `at` to `end`, which are those of `track`.
    fn boxes(&mut self, mut at: u64, end: u64, track: &mut Track) -> io::Result<bool> {
        while at.saturating_add(8) <= end && self.is_allowed() {
            self.go_to(at)?;
            let mut body = at + 8;
            let size = u64::from(u32::from_be_bytes(self.bytes()?));
            let name = self.bytes::<4>()?;
            let size = match size {
                0 => end - at,
                1 => {
                    body += 8;
                    u64::from_be_bytes(self.bytes()?)
                }
                size => size,
            };
            let next = at.saturating_add(size).min(end);
            if next < body {
                break;
            }
            match &name {
                b"moov" => return self.within(Self::boxes, body, next, track),
                b"trak" => {
                    let mut track = Track::default();
                    self.within(Self::boxes, body, next, &mut track)?;
                    if track.is_video() {
                        return Ok(true);
                    }
                }
                b"mdia" | b"minf" | b"stbl" => _ = self.within(Self::boxes, body, next, track)?,
                b"tkhd" => track.is_enabled = self.bytes::<4>()?[3] & 1 == 1,
                // That of `minf` tells how data are found.
                b"hdlr" if !track.is_visual => {
                    let fields = self.bytes::<12>()?;
                    track.is_visual = fields[8..] == *b"vide";
                }
                b"stsz" | b"stz2" => {
                    let fields = self.bytes::<12>()?;
                    track.is_picture = fields[8..] == 1_u32.to_be_bytes();
                }
                _ => {}
            }
            at = next;
        }
        Ok(false)
    }

    /// Returns whether there is video in the elements from `at` to `end`, which are those of
    /// `track`.
    fn elements(&mut self, mut at: u64, end: u64, track: &mut Track) -> io::Result<bool> {
        while at < end && self.is_allowed() {
            self.go_to(at)?;
            let id = Vint::read(&mut self.source)?;
            let size = Vint::read(&mut self.source)?;
            let body = at + u64::from(id.len + size.len);
            let next = match size.is_unknown_size() {
                true => end,
                false => body.saturating_add(size.value()).min(end),
            };
            match id.with_marker {
                SEGMENT | TRACKS => return self.within(Self::elements, body, next, track),
                TRACK_ENTRY => {
                    let mut track = Track::default();
                    self.within(Self::elements, body, next, &mut track)?;
                    if track.is_video() {
                        return Ok(true);
                    }
                }
                TRACK_TYPE => track.is_visual = self.bytes()? == [1],
                FLAG_ENABLED => track.is_enabled = self.bytes()? != [0],
                CODEC_ID => {
                    let codec = self.bytes::<5>()?;
                    track.is_picture = [b"V_MJP", b"V_PNG"].contains(&&codec);
                }
                CLUSTER => break,
                _ => {}
            }
            at = next;
        }
        Ok(false)
    }

    fn is_allowed(&mut self) -> bool {
        let is_allowed = self.parts_left > 0;
        self.parts_left = self.parts_left.saturating_sub(1);
        is_allowed
    }

    fn go_to(&mut self, at: u64) -> io::Result<()> {
        self.source.seek(SeekFrom::Start(at)).map(drop)
    }

    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.source.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn mp4_box(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(content.len() + 8).unwrap();
        [&size.to_be_bytes()[..], name, content].concat()
    }

    fn mp4(handler: &[u8; 4], flags: u8, samples: u32) -> Vec<u8> {
        let sizes = [&[0; 8][..], &samples.to_be_bytes()].concat();
        let table = mp4_box(b"stbl", &mp4_box(b"stsz", &sizes));
        let data_handler = mp4_box(b"hdlr", b"\0\0\0\0dhlralis");
        let handler = mp4_box(b"hdlr", &[&[0; 8][..], handler].concat());
        let media = [handler, mp4_box(b"minf", &[data_handler, table].concat())].concat();
        let header = mp4_box(b"tkhd", &[0, 0, 0, flags]);
        let track = [header, mp4_box(b"mdia", &media)].concat();
        let movie = mp4_box(b"moov", &mp4_box(b"trak", &track));
        [mp4_box(b"ftyp", b"isom"), mp4_box(b"mdat", &[7; 99]), movie].concat()
    }

    fn matroska(kind: u8, codec: &[u8]) -> Vec<u8> {
        let element = |id: u64, content: &[u8]| {
            let id = id.to_be_bytes().into_iter().skip_while(|&byte| byte == 0);
            let size = 0x80 | u8::try_from(content.len()).unwrap();
            let header: Vec<u8> = id.chain([size]).collect();
            [&header, content].concat()
        };
        let parts = [element(TRACK_TYPE, &[kind]), element(CODEC_ID, codec)];
        let mut segment = element(TRACKS, &element(TRACK_ENTRY, &parts.concat()));
        segment.extend(element(CLUSTER, b"audio"));
        // Of unknown size, as in a live stream.
        let mut file = element(EBML, b"header");
        file.extend_from_slice(&[&SEGMENT.to_be_bytes()[4..], &[0xff]].concat());
        file.extend(segment);
        file
    }

    #[test]
    fn video_is_told_from_sound_and_from_pictures() {
        for (file, expected) in [
            (mp4(b"vide", 3, 250), true),
            (mp4(b"vide", 3, 0), true),
            (mp4(b"vide", 3, 1), false),
            (mp4(b"vide", 2, 250), false),
            (mp4(b"soun", 3, 250), false),
            (matroska(1, b"V_MPEG4/ISO/AVC"), true),
            (matroska(1, b"V_MJPEG"), false),
            (matroska(2, b"A_OPUS"), false),
            (b"RIFF....WAVEfmt ".to_vec(), false),
        ] {
            assert_eq!(is_in_source(Cursor::new(file)).unwrap(), expected);
        }
    }

    #[test]
    fn boxes_without_end_end() {
        let mut nested = Vec::new();
        for _ in 0..20_000 {
            nested.extend_from_slice(b"\0\0\0\0mdia");
        }
        let nested = [mp4_box(b"ftyp", b""), mp4_box(b"moov", &nested)].concat();
        assert!(!is_in_source(Cursor::new(nested)).unwrap());
    }
}
