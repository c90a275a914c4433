//! The frames of an ID3v2 tag as bytes (id3.org: "ID3v2.4.0 structure" and its predecessors).
//!
//! lofty rejects a whole tag for one bad frame, or loses all frames after one that it does not read
//! to its end; it follows nested chapters to any depth, and fails on tables of contents with more
//! entries than their count, a byte, can hold, which FFmpeg writes. So this module splits tags into
//! frames first.

use std::collections::HashSet;

use super::id3_bodies;
use crate::chapter::MAX_CHAPTERS;

/// Bytes of a tag header.
const HEAD_LEN: usize = 10;
const UNSYNCHRONISED: u8 = 0x80;
const HAS_EXTENDED_HEADER: u8 = 0x40;
/// The most entries of a table of contents: their count is a byte.
const TOC_ENTRIES: usize = 255;
/// The most frames of a tag that are kept: as many as there may be chapters, and 1000 others.
const MAX_FRAMES: usize = MAX_CHAPTERS + 1000;
/// The most embedded frames of a chapter or table of contents that are kept.
const MAX_CHILDREN: usize = 64;
/// Bytes of a chapter's times and offsets.
const CHAPTER_TIMES: usize = 16;
/// The most bytes of all frames together, without pictures and other objects. The parser needs far
/// more memory than that for each entry of a list.
const MAX_TEXT_BYTES: usize = 4 << 20;
/// The most values of all text frames together.
const MAX_VALUES: usize = 50_000;
/// The longest element ID of a chapter or table of contents, in bytes.
const MAX_ELEMENT: usize = 255;
/// Objects: frames that are kept unparsed.
const OBJECTS: [&[u8]; 5] = [b"APIC", b"PIC\0", b"GEOB", b"GEO\0", b"PRIV"];
/// Frame flags in version 2.4.
const FRAME_UNSYNCHRONISED: u8 = 2;
const HAS_LENGTH: u8 = 1;
/// Prefixes of the IDs of frames that most tags contain.
const USUAL: [&[u8]; 12] = [
    b"T", b"W", b"APIC", b"PIC", b"COM", b"USLT", b"ULT", b"CHAP", b"CTOC", b"SYLT", b"PRIV",
    b"POPM",
];
/// Flags of a table of contents.
const TOP_LEVEL: u8 = 2;

/// A tag split into frames.
pub(crate) struct RawTag {
    /// Major version: 2, 3 or 4.
    pub version: u8,
    /// The frames, in the order of the tag.
    pub frames: Vec<RawFrame>,
    /// Whether the tag contains bytes that are not valid in a tag.
    pub is_damaged: bool,
}

/// A frame, with its body as in a tag without unsynchronisation.
#[derive(Clone)]
pub(crate) struct RawFrame {
    /// Frame ID; ends in a zero byte in version 2.2.
    pub id: [u8; 4],
    flags: [u8; 2],
    /// The bytes after the frame header.
    pub body: Vec<u8>,
}

impl RawTag {
    /// Splits a tag, header included, into frames. Returns `None` if its version is unknown.
    pub(crate) fn parse(tag: &[u8]) -> Option<Self> {
        let (head, body) = tag.split_at_checked(HEAD_LEN)?;
        let (version, mut flags) = (head[3], head[5]);
        if !head.starts_with(b"ID3") || !(2..=4).contains(&version) {
            return None;
        }
        let mut body = body.get(..syncsafe(&head[6..])).unwrap_or(body).to_vec();
        let undefined: u8 = [0x3F, 0x1F, 0x0F][usize::from(version - 2)];
        let mut is_damaged = flags & undefined != 0;
        if is_damaged {
            flags = 0;
        }
        if version < 4 && flags & UNSYNCHRONISED != 0 {
            body = synchronise(&body);
        }
        let mut skip = 0;
        if version > 2 && flags & HAS_EXTENDED_HEADER != 0 {
            let head = body.first_chunk::<4>().copied().unwrap_or_default();
            skip = match version {
                3 => (u32::from_be_bytes(head) as usize).saturating_add(4),
                _ => syncsafe(&head),
            };
        }
        let (mut frames, mut is_whole) = split(body.get(skip..).unwrap_or_default(), version);
        if version == 4 {
            for frame in &mut frames {
                frame.make_plain(flags & UNSYNCHRONISED != 0);
            }
        }
        for frame in &mut frames {
            is_damaged |= !id3_bodies::mend(&frame.id, &mut frame.body);
        }
        let mut room = Room::default();
        let before = frames.len();
        frames.retain(|frame| frame.is_parent() || room.takes(frame, version));
        is_whole &= frames.len() == before;
        is_damaged |= !is_whole || skip > body.len();
        let mut this = Self {
            version,
            frames,
            is_damaged,
        };
        this.mend_contents();
        for frame in &mut this.frames {
            this.is_damaged |= !frame.mend_children(version, &mut room);
        }
        Some(this)
    }

    /// Splits tables of contents with more entries than their count can hold into nested ones.
    fn mend_contents(&mut self) {
        let elements = self.frames.iter().filter_map(|frame| frame.element());
        let known: HashSet<Vec<u8>> = elements.map(<[u8]>::to_vec).collect();
        let frames = std::mem::take(&mut self.frames);
        self.frames = (frames.into_iter())
            .flat_map(|frame| frame.nested_contents(&known).unwrap_or(vec![frame]))
            .collect();
    }
}

/// Returns the bytes of a tag with the given frames.
pub(crate) fn tag_of(frames: &[&RawFrame], version: u8) -> Vec<u8> {
    let frames = frames.iter().map(|frame| frame.bytes(version));
    let body = frames.collect::<Vec<_>>().concat();
    let mut tag = vec![b'I', b'D', b'3', version, 0, 0];
    tag.extend(to_syncsafe(body.len() as u32).to_be_bytes());
    tag.extend(body);
    tag
}

/// What is left of the size limits of a tag.
struct Room {
    bytes: usize,
    values: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            bytes: MAX_TEXT_BYTES,
            values: MAX_VALUES,
        }
    }
}

impl Room {
    /// Returns whether a frame fits, and if so subtracts its size. Compressed frames do not fit,
    /// because their real size is unknown.
    fn takes(&mut self, frame: &RawFrame, version: u8) -> bool {
        let is_object = OBJECTS.contains(&frame.id.as_slice());
        let bytes = if is_object { 0 } else { frame.body.len() };
        let values = frame.values();
        let is_compressed = match version {
            3 => frame.flags[1] & 0x80 != 0,
            4 => frame.flags[1] & 0x08 != 0,
            _ => false,
        };
        if is_compressed || bytes > self.bytes || values > self.values {
            return false;
        }
        self.bytes -= bytes;
        self.values -= values;
        true
    }
}

impl RawFrame {
    /// Creates a frame without flags.
    pub(crate) fn plain(id: [u8; 4], body: &[u8]) -> Self {
        Self {
            id,
            flags: [0; 2],
            body: body.to_vec(),
        }
    }

    /// Returns whether most tags contain frames of this kind.
    pub(crate) fn is_usual(&self) -> bool {
        USUAL.iter().any(|id| self.id.starts_with(id))
    }

    /// Splits a chapter or table of contents into its element ID, its times or entries, and its
    /// embedded frames. Returns `None` for other frames.
    pub(crate) fn parts(&self, version: u8) -> Option<(&[u8], &[u8], Vec<Self>)> {
        let (element, rest) = until_zero(&self.body).filter(|_| self.is_parent())?;
        let children = match &self.id {
            b"CHAP" => rest.get(CHAPTER_TIMES..)?,
            _ => after_entries(rest)?,
        };
        let own = &rest[..rest.len() - children.len()];
        Some((element, own, split(children, version).0))
    }

    /// Returns whether it is a chapter or a table of contents.
    fn is_parent(&self) -> bool {
        matches!(&self.id, b"CHAP" | b"CTOC")
    }

    /// Returns the number of values of a text frame, which are separated by zero characters.
    fn values(&self) -> usize {
        let Some((encoding, text)) = self.body.split_first() else {
            return 0;
        };
        if !matches!(self.id[0], b'T' | b'W' | b'I') {
            return 0;
        }
        match encoding {
            1 | 2 => text.as_chunks().0.iter().filter(|&&c| c == [0; 2]).count(),
            _ => text.iter().filter(|&&byte| byte == 0).count(),
        }
    }

    fn new(head: &[u8], body: &[u8], version: u8) -> Self {
        let id_len = id_len(version);
        let mut id = [0; 4];
        id[..id_len].copy_from_slice(&head[..id_len]);
        let flags = head.get(8..10).map_or([0; 2], |flags| [flags[0], flags[1]]);
        Self {
            id,
            flags,
            body: body.to_vec(),
        }
    }

    /// Undoes frame-level unsynchronisation and other flags of version 2.4, except compression and
    /// encryption.
    fn make_plain(&mut self, is_unsynchronised: bool) {
        if is_unsynchronised || self.flags[1] & FRAME_UNSYNCHRONISED != 0 {
            self.body = synchronise(&self.body);
            self.flags[1] &= !FRAME_UNSYNCHRONISED;
        }
        if self.flags[1] == HAS_LENGTH && self.body.len() >= 4 {
            self.body.drain(..4);
            self.flags[1] = 0;
        }
    }

    /// Returns the element ID, by which others refer to a chapter or table of contents.
    fn element(&self) -> Option<&[u8]> {
        let is_element = self.is_parent() && self.flags[1] == 0;
        until_zero(&self.body)
            .filter(|(id, _)| is_element && id.len() <= MAX_ELEMENT)
            .map(|(id, _)| id)
    }

    /// Returns the bytes of the frame with its header.
    fn bytes(&self, version: u8) -> Vec<u8> {
        let size = self.body.len() as u32;
        let head = match version {
            2 => [&self.id[..3], &size.to_be_bytes()[1..]].concat(),
            _ => {
                let size = if version == 4 {
                    to_syncsafe(size)
                } else {
                    size
                };
                [&self.id, &size.to_be_bytes()[..], &self.flags].concat()
            }
        };
        [head, self.body.clone()].concat()
    }

    /// Removes embedded frames that are not valid in a chapter or table of contents. Returns
    /// `false` if there were any.
    fn mend_children(&mut self, version: u8, room: &mut Room) -> bool {
        let rest = match &self.id {
            b"CHAP" => until_zero(&self.body).and_then(|(_, rest)| rest.get(CHAPTER_TIMES..)),
            b"CTOC" => until_zero(&self.body).and_then(|(_, rest)| after_entries(rest)),
            _ => return true,
        };
        let Some(rest) = rest.filter(|_| self.flags[1] == 0) else {
            // This cannot be parsed: without a body, the parser leaves the frame out.
            self.body.clear();
            return false;
        };
        let (mut children, mut is_whole) = split(rest, version);
        let before = children.len();
        children.truncate(MAX_CHILDREN);
        children.retain(|child| !child.is_parent() && room.takes(child, version));
        is_whole &= children.len() == before;
        let own = self.body.len() - rest.len();
        self.body.truncate(own);
        for mut child in children {
            if version == 4 {
                child.make_plain(false);
            }
            is_whole &= id3_bodies::mend(&child.id, &mut child.body);
            self.body.extend(child.bytes(version));
        }
        is_whole
    }

    /// Splits a table of contents with too many entries into nested ones of valid size. Returns
    /// `None` for other frames and tables that need no change. `known` are the IDs of all elements
    /// of the tag.
    fn nested_contents(&self, known: &HashSet<Vec<u8>>) -> Option<Vec<Self>> {
        let id = self.element().filter(|_| &self.id == b"CTOC")?;
        let (flags, rest) = self.body[id.len() + 1..].split_first()?;
        let (count, mut rest) = rest.split_first()?;
        let mut found = Vec::new();
        while let Some((entry, after)) = until_zero(rest)
            && known.contains(entry)
        {
            if found.len() == MAX_CHAPTERS {
                return None;
            }
            found.push(entry);
            rest = after;
        }
        if found.len() <= TOC_ENTRIES || found.len() % 256 != usize::from(*count) {
            return None;
        }
        let parts: Vec<_> = found.chunks(TOC_ENTRIES).collect();
        let names = (0..parts.len()).map(|index| [id, format!("-{index}").as_bytes()].concat());
        let names: Vec<_> = names.collect();
        let table = |id: &[u8], flags: u8, entries: &[&[u8]], children: &[u8]| {
            let mut body = [id, &[0, flags, entries.len() as u8]].concat();
            for entry in entries {
                body.extend([*entry, &[0]].concat());
            }
            body.extend(children);
            Self {
                id: self.id,
                flags: self.flags,
                body,
            }
        };
        let all: Vec<_> = names.iter().map(Vec::as_slice).collect();
        let mut tables = vec![table(id, *flags, &all, rest)];
        let parts = names.iter().zip(parts);
        tables.extend(parts.map(|(name, part)| table(name, flags & !TOP_LEVEL, part, &[])));
        Some(tables)
    }
}

/// Returns the bytes after the flags and entries of a table of contents.
fn after_entries(table: &[u8]) -> Option<&[u8]> {
    let (_, mut rest) = table.split_first()?;
    for _ in 0..*rest.split_off_first()? {
        (_, rest) = until_zero(rest)?;
    }
    Some(rest)
}

fn until_zero(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&byte| byte == 0)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

/// Splits the bytes after a header into frames, and returns whether there is nothing else but
/// padding.
///
/// After damaged bytes, continues with the next frame of a usual kind.
fn split(mut bytes: &[u8], version: u8) -> (Vec<RawFrame>, bool) {
    let (mut frames, mut is_whole) = (Vec::new(), true);
    while bytes.first().is_some_and(|&byte| byte != 0) {
        if frames.len() == MAX_FRAMES {
            return (frames, false);
        }
        if let Some((head, body, after)) = first_frame(bytes, version) {
            frames.push(RawFrame::new(head, body, version));
            bytes = after;
            continue;
        }
        is_whole = false;
        let is_usual = |at: &usize| {
            let rest = &bytes[*at..];
            USUAL.iter().any(|id| rest.starts_with(id))
                && first_frame(rest, version)
                    .is_some_and(|(_, _, after)| is_start(after, id_len(version)))
        };
        bytes = (1..bytes.len())
            .find(is_usual)
            .map_or(&[], |at| &bytes[at..]);
    }
    (frames, is_whole && bytes.iter().all(|&byte| byte == 0))
}

/// Returns the header and body of the frame that starts here, and the bytes after it.
fn first_frame(bytes: &[u8], version: u8) -> Option<(&[u8], &[u8], &[u8])> {
    let id_len = id_len(version);
    let head_len = if version == 2 { 6 } else { 10 };
    let (head, rest) = bytes.split_at_checked(head_len)?;
    let plain = head[id_len..].iter().take(id_len);
    let plain = plain.fold(0, |sum, &byte| sum << 8 | usize::from(byte));
    let mut size = plain;
    if version == 4 {
        size = syncsafe(&head[4..8]);
        // Some programs write sizes as plain instead of syncsafe integers.
        let follows = |size| rest.get(size..).is_some_and(|rest| is_start(rest, id_len));
        if plain != size && !follows(size) && follows(plain) {
            size = plain;
        }
    }
    let (body, after) = rest.split_at_checked(size)?;
    is_start(head, id_len).then_some((head, body, after))
}

fn id_len(version: u8) -> usize {
    if version == 2 { 3 } else { 4 }
}

/// Returns whether a frame or padding starts here, or the bytes end here.
fn is_start(bytes: &[u8], id_len: usize) -> bool {
    let is_id = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    match bytes.get(..id_len) {
        // IDs of version 2.2 in later versions end in a zero or a space.
        Some([first @ .., last]) => {
            first.iter().all(is_id) && (is_id(last) || id_len == 4 && [0, b' '].contains(last))
                || bytes[0] == 0
        }
        _ => bytes.iter().all(|&byte| byte == 0),
    }
}

/// Decodes a syncsafe integer: four bytes with seven bits each.
fn syncsafe(bytes: &[u8]) -> usize {
    let bytes = bytes.iter().take(4);
    bytes.fold(0, |sum, &byte| sum << 7 | usize::from(byte & 0x7F))
}

fn to_syncsafe(size: u32) -> u32 {
    (0..4).fold(0, |sum, index| {
        sum | (size >> (7 * index) & 0x7F) << (8 * index)
    })
}

/// Removes the zero bytes that unsynchronisation inserted after each 0xFF.
fn synchronise(bytes: &[u8]) -> Vec<u8> {
    let mut last = 0;
    let kept = bytes.iter().filter(|&&byte| {
        let keep = last != 0xFF || byte != 0;
        last = byte;
        keep
    });
    kept.copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(id: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let size = (body.len() as u32).to_be_bytes();
        [id, &size[..], &[0, 0], body].concat()
    }

    fn tag(version: u8, body: &[u8]) -> Vec<u8> {
        let size = to_syncsafe(body.len() as u32).to_be_bytes();
        [b"ID3", &[version, 0, 0][..], &size, body].concat()
    }

    fn bytes(tag: &RawTag) -> Vec<u8> {
        tag_of(&tag.frames.iter().collect::<Vec<_>>(), tag.version)
    }

    fn chapter(id: &str, children: &[u8]) -> Vec<u8> {
        let body = [id.as_bytes(), &[0], &[0; CHAPTER_TIMES], children].concat();
        frame(b"CHAP", &body)
    }

    #[test]
    fn frames_are_put_together_as_they_were() {
        let whole = tag(3, &[frame(b"TIT2", b"\0One"), chapter("a", &[])].concat());
        let raw = RawTag::parse(&whole).unwrap();
        assert_eq!((bytes(&raw), raw.is_damaged), (whole, false));
        assert_eq!(raw.frames.len(), 2);
    }

    #[test]
    fn what_is_before_and_behind_the_damage_is_kept() {
        let mut broken = tag(
            3,
            &[frame(b"TIT2", b"\0One"), frame(b"TALB", b"\0Two")].concat(),
        );
        broken[10 + 14 + 4] = 0x7F;
        let raw = RawTag::parse(&broken).unwrap();
        assert_eq!((raw.frames.len(), raw.is_damaged), (1, true));
        broken[14] = 0x7F;
        broken[10 + 14 + 4] = 0;
        let raw = RawTag::parse(&broken).unwrap();
        assert_eq!((&raw.frames[0].id, raw.is_damaged), (b"TALB", true));
    }

    #[test]
    fn a_table_of_contents_that_ran_over_is_nested() {
        let ids: Vec<_> = (0..300).map(|index| format!("ch{index}")).collect();
        let list: String = ids.iter().map(|id| format!("{id}\0")).collect();
        let title = frame(b"TIT2", b"\0All");
        let table = [b"toc\0\x03\x2C", list.as_bytes(), &title].concat();
        let chapters: Vec<_> = ids.iter().flat_map(|id| chapter(id, &[])).collect();
        let raw = RawTag::parse(&tag(3, &[frame(b"CTOC", &table), chapters].concat())).unwrap();
        let tables = raw.frames.iter().filter(|frame| &frame.id == b"CTOC");
        let tables: Vec<_> = tables.map(|frame| &frame.body).collect();
        assert_eq!(tables.len(), 3);
        assert_eq!(
            **tables[0],
            [&b"toc\0\x03\x02toc-0\0toc-1\0"[..], &title].concat()
        );
        assert!(tables[1].starts_with(b"toc-0\0\x01\xFFch0\0"));
        assert!(tables[2].starts_with(b"toc-1\0\x01\x2Dch255\0"));
        assert!(!raw.is_damaged);
    }

    #[test]
    fn chapters_within_chapters_are_left_out() {
        for inner in [chapter("b", &[]), chapter("b", &[])[..20].to_vec()] {
            let children = [frame(b"TIT2", b"\0One"), inner].concat();
            let raw = RawTag::parse(&tag(3, &chapter("a", &children))).unwrap();
            let expected = tag(3, &chapter("a", &frame(b"TIT2", b"\0One")));
            assert_eq!((bytes(&raw), raw.is_damaged), (expected, true));
        }
    }

    #[test]
    fn sizes_that_are_not_synchsafe_are_understood() {
        let body = [&[0][..], &[b'x'; 300]].concat();
        let plain = tag(
            4,
            &[frame(b"TIT2", &body), frame(b"TALB", b"\0Two")].concat(),
        );
        let raw = RawTag::parse(&plain).unwrap();
        assert_eq!((raw.frames.len(), raw.is_damaged), (2, false));
    }
}
