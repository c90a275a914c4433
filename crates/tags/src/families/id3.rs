//! ID3v2: keeps whole tags frame by frame, and moves the times in CHAP, SYLT, ETCO and TLEN.
//!
//! Frames that hold byte positions, sizes or tempo maps of the old stream are dropped.

use std::borrow::Cow;
use std::collections::HashSet;

use lofty::TextEncoding;
use lofty::config::WriteOptions;
use lofty::id3::v2::{
    AttachedPictureFrame, BinaryFrame, ChapterFrame, ChapterTableOfContentsFrame, CtocFlags,
    ExtendedTextFrame, ExtendedUrlFrame, Frame, FrameFlags, FrameId, FrameList, Id3v2Tag,
    Id3v2TagFlags, Id3v2Version, SynchronizedTextFrame, TextInformationFrame, TimestampFormat,
};
use lofty::tag::{ItemKey, Tag, TagExt, TagType};

use super::id3_bodies;
use super::id3_parse::add;
pub(crate) use super::id3_parse::{parse, parse_options};
use crate::chapter::{self, Chapter};
use crate::clock::{Clock, rescale};
use crate::fields::{self, Custom};

/// Frames with encoder settings, sizes, seek tables or tempo maps of the old stream.
const DROPPED_FRAMES: [&str; 9] = [
    "TSSE", "TDEN", "TSIZ", "MLLT", "ASPI", "SEEK", "POSS", "SYTC", "RBUF",
];

/// The byte offset of a chapter that means: use the time instead.
const NO_OFFSET: u32 = u32::MAX;

/// The most entries of a table of contents: their count is a byte.
const TOC_ENTRIES: usize = 255;

/// Adds the frames of one tag to another.
pub(crate) fn merge(to: &mut Id3v2Tag, tag: Id3v2Tag) {
    for frame in tag {
        to.insert(frame);
    }
}

/// Removes frames that do not apply to a new encoding or are encrypted, and resets all flags.
pub(crate) fn clean(tag: &mut Id3v2Tag) {
    tag.set_flags(Id3v2TagFlags::default());
    tag.retain_mut(|frame| {
        let dropped = match &*frame {
            Frame::UserText(text) => fields::is_dropped(&text.description),
            Frame::Comment(comment) => fields::is_dropped(&comment.description),
            other => DROPPED_FRAMES.contains(&other.id_str()),
        };
        let keep = !dropped && frame.flags().encryption.is_none();
        frame.set_flags(FrameFlags::default());
        keep
    });
}

/// Moves all times of a tag. Removes chapters that start at or after the end of the audio, and
/// returns how many were removed.
pub(crate) fn visit(tag: &mut Id3v2Tag, clock: &mut Clock<'_>) -> usize {
    let mut gone = HashSet::new();
    tag.retain_mut(|frame| {
        match frame {
            Frame::Chapter(chapter) => {
                let start = rescale(chapter.times.start.into(), 1000, clock.input_rate().into());
                if clock.is_past_end(start) {
                    gone.insert(chapter.id.to_string());
                    return false;
                }
                chapter.times.start = millis(clock, chapter.times.start);
                chapter.times.end = millis(clock, chapter.times.end);
                chapter.offsets = NO_OFFSET..NO_OFFSET;
            }
            Frame::EventTimingCodes(codes) => {
                let format = codes.timestamp_format;
                for event in codes.events.to_mut() {
                    event.timestamp = timestamp(clock, format, event.timestamp);
                }
                codes.timestamp_format = TimestampFormat::MS;
            }
            Frame::Binary(binary) if binary.id().as_str() == "SYLT" => {
                return match moved_lyrics(&binary.data, clock) {
                    Some(data) => {
                        binary.data = Cow::Owned(data);
                        true
                    }
                    None => false,
                };
            }
            _ => {}
        }
        true
    });
    if !gone.is_empty() {
        tag.retain_mut(|frame| {
            if let Frame::TableOfContents(toc) = frame {
                toc.entries.to_mut().retain(|id| !gone.contains(&**id));
            }
            true
        });
    }
    gone.len()
}

fn millis(clock: &mut Clock<'_>, time: u32) -> u32 {
    u32::try_from(clock.millis(time.into())).unwrap_or(u32::MAX)
}

fn timestamp(clock: &mut Clock<'_>, format: TimestampFormat, time: u32) -> u32 {
    match format {
        TimestampFormat::MS => millis(clock, time),
        TimestampFormat::MPEG => {
            // The length of an MPEG layer III frame: 1152 samples, or 576 below 32 kHz.
            let rate = clock.input_rate();
            let samples = if rate < 32_000 { 576 } else { 1152 };
            let moved = clock.frames(u64::from(time) * samples);
            let millis = rescale(moved, clock.output_rate().into(), 1000);
            u32::try_from(millis).unwrap_or(u32::MAX)
        }
    }
}

fn moved_lyrics(data: &[u8], clock: &mut Clock<'_>) -> Option<Vec<u8>> {
    let mut lyrics = SynchronizedTextFrame::parse(data, FrameFlags::default()).ok()?;
    let asking = clock.output_end().is_none();
    for (time, _) in &mut lyrics.content {
        *time = timestamp(clock, lyrics.timestamp_format, *time);
    }
    if asking {
        return Some(data.to_vec());
    }
    lyrics.timestamp_format = TimestampFormat::MS;
    lyrics.as_bytes(WriteOptions::new()).ok()
}

/// Updates the frames that depend on length and tempo.
pub(crate) fn retime(tag: &mut Id3v2Tag, tempo: f64, seconds: f64) {
    tag.retain_mut(|frame| {
        if let Frame::Text(text) = frame {
            match text.id().as_str() {
                "TLEN" => text.value = format!("{:.0}", seconds * 1000.0).into(),
                "TBPM" => {
                    if let Some(scaled) = fields::scale_tempo(&text.value, tempo) {
                        text.value = scaled.into();
                    }
                }
                _ => {}
            }
        }
        true
    });
}

/// Returns the chapters in order of time, with those of nested tables among the others.
pub(crate) fn chapters(tag: &Id3v2Tag, rate: u32) -> Vec<Chapter> {
    let position = |millis: u32| rescale(millis.into(), 1000, rate.into());
    let frames = tag.into_iter().filter_map(|frame| match frame {
        Frame::Chapter(frame) => Some(frame),
        _ => None,
    });
    let mut chapters: Vec<_> = frames
        .map(|frame| {
            let mut chapter = Chapter::new(
                position(frame.times.start),
                frame.title().unwrap_or_default(),
            );
            chapter.end = Some(position(frame.times.end)).filter(|&end| end > chapter.start);
            for child in frame.children.iter() {
                match child {
                    Frame::UserUrl(url) => chapter.url = Some(url.content.to_string()),
                    Frame::Url(url) => chapter.url = Some(url.url().to_owned()),
                    Frame::Picture(picture) => {
                        chapter.picture = Some(picture.picture.clone().into_owned());
                    }
                    _ => {}
                }
            }
            chapter
        })
        .collect();
    chapters.sort_by_key(|chapter| chapter.start);
    chapters
}

/// Converts a tag to common fields and free text.
pub(crate) fn to_common(tag: &Id3v2Tag) -> (Tag, Custom) {
    let mut common = Tag::from(tag.clone());
    let mut custom = Custom::new();
    for frame in tag {
        if let Frame::UserText(text) = frame
            && ItemKey::from_key(TagType::Id3v2, &text.description).is_none()
        {
            let values = text.content.split('\0');
            let values = values.map(|value| value.trim_start_matches('\u{FEFF}'));
            fields::add_free_texts(&mut common, &mut custom, &text.description, values);
        }
    }
    (common, custom)
}

/// Creates an ID3v2.4 tag from common fields, free text, pictures and chapters.
pub(crate) fn from_common(
    common: &Tag,
    custom: &Custom,
    pictures: &[lofty::picture::Picture],
) -> Id3v2Tag {
    let (common, rest) = fields::for_family(common, TagType::Id3v2);
    let mut frames: Vec<Frame<'static>> = Id3v2Tag::from(common).into_iter().collect();
    // lofty's order is random, but the same input must produce the same bytes.
    frames.sort_by_cached_key(|frame| format!("{} {frame:?}", frame.id_str()));
    let own = rest.iter().chain(custom).map(|(key, value)| {
        let text = ExtendedTextFrame::new(TextEncoding::UTF8, key.clone(), value.clone());
        Frame::UserText(text)
    });
    let mut tag = Id3v2Tag::new();
    for frame in frames.into_iter().chain(own) {
        add(&mut tag, frame);
    }
    for picture in pictures {
        tag.insert(Frame::Picture(AttachedPictureFrame::new(
            TextEncoding::UTF8,
            picture.clone(),
        )));
    }
    tag
}

/// Adds the common fields for which the tag has no frame.
pub(crate) fn fill_gaps(tag: &mut Id3v2Tag, common: &Tag) {
    let ids = (&*tag).into_iter().map(|frame| frame.id_str().to_owned());
    let ids: HashSet<String> = ids.collect();
    for frame in from_common(common, &Custom::new(), &[]) {
        if frame.id_str() != "TXXX" && !ids.contains(frame.id_str()) {
            tag.insert(frame);
        }
    }
}

/// Adds chapters and their table of contents to a tag that has none. `end` is the length of the
/// audio in frames at `rate` Hz.
pub(crate) fn add_chapters(tag: &mut Id3v2Tag, chapters: &[Chapter], end: u64, rate: u32) {
    let millis =
        |position: u64| u32::try_from(rescale(position, rate.into(), 1000)).unwrap_or(u32::MAX);
    let id = |index: usize| Cow::Owned(format!("chp{index}"));
    for (index, (chapter, end)) in (chapters.iter().zip(chapter::ends(chapters, end))).enumerate() {
        let mut children = FrameList::new();
        children.insert(Frame::Text(text("TIT2", &chapter.title)));
        if let Some(url) = &chapter.url {
            let link = ExtendedUrlFrame::new(TextEncoding::UTF8, "chapter url", url.clone());
            children.insert(Frame::UserUrl(link));
        }
        if let Some(picture) = &chapter.picture {
            let picture = AttachedPictureFrame::new(TextEncoding::UTF8, picture.clone());
            children.insert(Frame::Picture(picture));
        }
        let times = millis(chapter.start)..millis(end);
        let frame = ChapterFrame::new(id(index), times, NO_OFFSET..NO_OFFSET, children);
        tag.insert(Frame::Chapter(frame));
    }
    let mut toc = |id: String, top_level: bool, entries: Vec<Cow<'static, str>>| {
        let flags = CtocFlags {
            top_level,
            ordered: true,
        };
        let toc = ChapterTableOfContentsFrame::new(id, flags, entries, FrameList::new());
        tag.insert(Frame::TableOfContents(toc));
    };
    let ids: Vec<_> = (0..chapters.len()).map(id).collect();
    if ids.is_empty() {
        return;
    }
    if ids.len() <= TOC_ENTRIES {
        return toc("toc".into(), true, ids);
    }
    let parts: Vec<_> = ids.chunks(TOC_ENTRIES).collect();
    let part = |index: usize| format!("toc{index}");
    let names = (0..parts.len()).map(|index| Cow::Owned(part(index)));
    toc("toc".into(), true, names.collect());
    for (index, entries) in parts.into_iter().enumerate() {
        toc(part(index), false, entries.to_vec());
    }
}

fn text(id: &'static str, value: &str) -> TextInformationFrame<'static> {
    let id = FrameId::Valid(Cow::Borrowed(id));
    TextInformationFrame::new(id, TextEncoding::UTF8, value.to_owned())
}

/// Returns the bytes of a tag in its original version, with this program's name as the encoder, and
/// the number of frames that could not be written.
pub(crate) fn to_bytes(tag: &Id3v2Tag) -> (Vec<u8>, usize) {
    let is_2_4 = tag.original_version() == Id3v2Version::V4;
    let mut tag = tag.clone();
    tag.insert(Frame::Text(text("TSSE", fields::ENCODER)));
    let options = WriteOptions::new().preferred_padding(0).use_id3v23(!is_2_4);
    tag.retain_mut(|frame| {
        make_bytes(frame, options);
        true
    });
    let dump = |tag: &Id3v2Tag| {
        let mut bytes = Vec::new();
        tag.dump_to(&mut bytes, options).map(|()| bytes)
    };
    if let Ok(bytes) = dump(&tag) {
        return (bytes, 0);
    }
    let before = tag.len();
    tag.retain(|frame| {
        let mut single = Id3v2Tag::new();
        single.insert(frame.clone());
        dump(&single).is_ok()
    });
    let left_out = before - tag.len();
    (dump(&tag).unwrap_or_default(), left_out)
}

/// Serializes a frame here if lofty would write it wrongly or reject it.
fn make_bytes(frame: &mut Frame<'static>, options: WriteOptions) {
    let bytes = match frame {
        Frame::EventTimingCodes(events) => events.as_bytes(),
        Frame::Ownership(owner) => owner.as_bytes(options),
        // lofty would write the link in the encoding of the description.
        Frame::UserUrl(link) => Ok(id3_bodies::own_link(&link.description, &link.content)),
        Frame::Chapter(ChapterFrame { children, .. })
        | Frame::TableOfContents(ChapterTableOfContentsFrame { children, .. }) => {
            return children.retain_mut(|child| {
                make_bytes(child, options);
                true
            });
        }
        _ => return,
    };
    if let Ok(bytes) = bytes {
        let id = FrameId::Valid(Cow::Owned(frame.id_str().to_owned()));
        *frame = Frame::Binary(BinaryFrame::new(id, bytes));
    }
}

/// Returns whether a tag contains chapters.
pub(crate) fn has_chapters(tag: &Id3v2Tag) -> bool {
    tag.into_iter()
        .any(|frame| matches!(frame, Frame::Chapter(_)))
}

/// Removes all that tells times: chapters, lyrics and events.
pub(crate) fn remove_timed(tag: &mut Id3v2Tag) {
    remove_chapters(tag);
    tag.retain(|frame| !matches!(frame.id_str(), "SYLT" | "ETCO"));
}

/// Removes all chapters and tables of contents.
pub(crate) fn remove_chapters(tag: &mut Id3v2Tag) {
    tag.retain(|frame| !matches!(frame, Frame::Chapter(_) | Frame::TableOfContents(_)));
}

/// Removes all chapters but the first `most`.
pub(crate) fn truncate_chapters(tag: &mut Id3v2Tag, most: usize) {
    let mut seen = 0;
    tag.retain(|frame| {
        seen += usize::from(matches!(frame, Frame::Chapter(_)));
        seen <= most || !matches!(frame, Frame::Chapter(_))
    });
}
