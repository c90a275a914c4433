//! Parses the bytes of an ID3v2 tag into frames, each separately: a bad frame is left out and does
//! not affect the others.

use std::borrow::Cow;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use lofty::config::{ParseOptions, ParsingMode};
use lofty::file::AudioFile;
use lofty::id3::v2::{
    ChapterFrame, ChapterTableOfContentsFrame, CtocFlags, Frame, FrameList, Id3v2Tag,
};
use lofty::iff::wav::WavFile;

use super::id3_frames::{RawFrame, RawTag, tag_of};

/// Frames that version 2.4 merged into one, `TDRC`.
const DATE_PARTS: [&[u8; 4]; 3] = [b"TYER", b"TDAT", b"TIME"];
/// Prefixes of the IDs of text frames that often have several values.
const LISTS: [&str; 8] = ["TPE", "TCO", "TEXT", "TOPE", "TOLY", "TPUB", "TLAN", "TMOO"];

/// The most comments or lyrics with the same description that are kept.
const MAX_TEXTS: usize = 16;

/// Returns options that read as much of a damaged tag as possible.
pub(crate) fn parse_options() -> ParseOptions {
    ParseOptions::new()
        .read_properties(false)
        // Tags are found and split before they reach lofty.
        .max_junk_bytes(0)
        .parsing_mode(ParsingMode::Relaxed)
}

/// Parses a tag. Returns `None` if nothing could be read, and whether something was left out.
pub(crate) fn parse(bytes: &[u8]) -> (Option<Id3v2Tag>, bool) {
    let Some(raw) = RawTag::parse(bytes) else {
        return (None, true);
    };
    let version = raw.version;
    let Some(mut tag) = empty(version) else {
        return (None, true);
    };
    let mut is_partial = raw.is_damaged;
    let (dates, others): (Vec<_>, Vec<_>) =
        (raw.frames.iter()).partition(|frame| version == 3 && DATE_PARTS.contains(&&frame.id));
    let dates = parse_whole(&tag_of(&dates, version));
    for frame in dates.into_iter().flatten() {
        add(&mut tag, frame);
    }
    for frame in others {
        match parse_frame(frame, version, &mut is_partial) {
            Some(frame) => add(&mut tag, frame),
            // Version 2.2 has frames that have no equivalent in later versions.
            None => is_partial |= !frame.body.is_empty() && (version > 2 || frame.is_usual()),
        }
    }
    (Some(tag), is_partial)
}

/// Returns an empty tag of the given version.
fn empty(version: u8) -> Option<Id3v2Tag> {
    let id = if version == 2 { *b"TT2\0" } else { *b"TIT2" };
    let mut tag = parse_whole(&tag_of(&[&RawFrame::plain(id, b"\0x")], version))?;
    tag.retain(|_| false);
    Some(tag)
}

fn parse_frame(frame: &RawFrame, version: u8, is_partial: &mut bool) -> Option<Frame<'static>> {
    if let Some((element, own, children)) = frame.parts(version) {
        let mut list = FrameList::new();
        for child in &children {
            match parse_single(child, version) {
                Some(child) => drop(list.insert(child)),
                None => *is_partial |= !child.body.is_empty(),
            }
        }
        return match &frame.id {
            b"CHAP" => {
                let (numbers, _) = own.as_chunks::<4>();
                let [start, end, from, to] = <[_; 4]>::try_from(numbers).ok()?;
                let [start, end] = [start, end].map(u32::from_be_bytes);
                let offsets = u32::from_be_bytes(from)..u32::from_be_bytes(to);
                let chapter = ChapterFrame::new(latin1(element), start..end, offsets, list);
                Some(Frame::Chapter(chapter))
            }
            _ => {
                let (flags, entries) = own.split_first()?;
                let flags = CtocFlags {
                    top_level: flags & 2 != 0,
                    ordered: flags & 1 != 0,
                };
                let entries = entries.get(1..)?.split_inclusive(|&byte| byte == 0);
                let entries = entries.map(|entry| latin1(&entry[..entry.len() - 1]));
                let id = latin1(element);
                let table =
                    ChapterTableOfContentsFrame::new(id, flags, entries.collect::<Vec<_>>(), list);
                Some(Frame::TableOfContents(table))
            }
        };
    }
    parse_single(frame, version)
}

fn latin1(text: &[u8]) -> Cow<'static, str> {
    let text: String = text.iter().map(|&byte| char::from(byte)).collect();
    text.into()
}

/// Parses a single frame on its own.
fn parse_single(frame: &RawFrame, version: u8) -> Option<Frame<'static>> {
    // In version 2.3, lofty would read a full date as only a year and lose the rest.
    let version = if &frame.id == b"TDRC" { 4 } else { version };
    let tag = parse_whole(&tag_of(&[frame], version))?;
    let mut frames = tag.into_iter();
    let parsed = frames.next()?;
    frames.next().is_none().then_some(parsed)
}

fn parse_whole(bytes: &[u8]) -> Option<Id3v2Tag> {
    // lofty only reads tags from files, so build a file around the tag.
    let padded = bytes.len().next_multiple_of(2);
    let mut file = Vec::with_capacity(padded + 20);
    file.extend(b"RIFF");
    file.extend((padded as u32 + 12).to_le_bytes());
    file.extend(b"WAVEid3 ");
    file.extend((bytes.len() as u32).to_le_bytes());
    file.extend(bytes);
    file.resize(padded + 20, 0);
    let parse = || WavFile::read_from(&mut Cursor::new(file), parse_options());
    let wav = catch_unwind(AssertUnwindSafe(parse)).ok()?.ok()?;
    wav.id3v2().cloned()
}

/// Adds a frame to a tag. If the tag may hold only one frame of that kind, the values are joined,
/// separated by zeros. There may be several comments and lyrics, with different descriptions.
pub(crate) fn add(tag: &mut Id3v2Tag, mut frame: Frame<'static>) {
    match frame {
        Frame::Comment(_) | Frame::UnsynchronizedText(_) => return add_texts(tag, frame),
        Frame::UserText(_) => {}
        Frame::Text(_) if LISTS.iter().any(|list| frame.id_str().starts_with(list)) => {}
        _ => return drop(tag.insert(frame)),
    }
    if let Some(mut old) = same(tag, &frame) {
        let (Some((old, _)), Some((new, _))) = (text_of(&mut old), text_of(&mut frame)) else {
            return;
        };
        if !old.split('\0').any(|value| value == *new) {
            old.to_mut().push('\0');
            old.to_mut().push_str(new);
        }
        *new = std::mem::take(old);
    }
    tag.insert(frame);
}

/// Adds comments or lyrics as one frame per value: readers would show a list as a single text, or
/// only its first value.
fn add_texts(tag: &mut Id3v2Tag, mut frame: Frame<'static>) {
    let Some((text, Some(own))) = text_of(&mut frame) else {
        return;
    };
    let (text, own) = (std::mem::take(text), own.clone());
    for value in text
        .splitn(MAX_TEXTS, '\0')
        .map(|value| value.trim_start_matches('\u{FEFF}'))
    {
        let mut single = frame.clone();
        for number in 1..=MAX_TEXTS {
            if let Some((text, Some(description))) = text_of(&mut single) {
                *text = value.to_owned().into();
                if number > 1 {
                    *description = format!("{own} {number}").trim().to_owned().into();
                }
            }
            let Some(mut old) = same(tag, &single) else {
                tag.insert(single);
                break;
            };
            let old_text = text_of(&mut old).map(|(text, _)| text.to_string());
            if value.is_empty() || old_text.as_deref() == Some(value) {
                break;
            }
        }
    }
}

/// Returns the frame of a tag that `frame` would replace.
fn same(tag: &Id3v2Tag, frame: &Frame<'static>) -> Option<Frame<'static>> {
    tag.into_iter().find(|old| *old == frame).cloned()
}

/// Returns the text of a text frame, and the description that identifies it, if it has one.
fn text_of<'a>(
    frame: &'a mut Frame<'static>,
) -> Option<(&'a mut Cow<'static, str>, Option<&'a mut Cow<'static, str>>)> {
    Some(match frame {
        Frame::Text(text) => (&mut text.value, None),
        Frame::UserText(text) => (&mut text.content, Some(&mut text.description)),
        Frame::Comment(text) => (&mut text.content, Some(&mut text.description)),
        Frame::UnsynchronizedText(text) => (&mut text.content, Some(&mut text.description)),
        _ => return None,
    })
}
