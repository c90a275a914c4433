//! Metadata from the demuxer, for formats whose tags lofty does not read: Matroska and others.

use std::collections::HashMap;

use lofty::picture::{MimeType, Picture, PictureType};
use lofty::tag::{ItemKey, ItemValue, Tag, TagItem, TagType};
use symphonia::core::errors::Error;
use symphonia::core::formats::FormatOptions;
use symphonia::core::formats::probe::Hint;
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::{ChapterGroup, ChapterGroupItem, MetadataOptions, StandardTag};

use super::matroska;
use crate::chapter::{Chapter, MAX_CHAPTERS};
use crate::fields::{self, Custom};
use audiostretchy_containers::input::Input;
use audiostretchy_containers::limits::{Limits, Meter};
use audiostretchy_containers::sanitize::SanitizedSource;

/// Metadata found in a file.
pub(crate) struct Found {
    /// The fields that all families share.
    pub common: Tag,
    /// Other fields.
    pub custom: Custom,
    /// Pictures.
    pub pictures: Vec<Picture>,
    /// Chapters in order of time.
    pub chapters: Vec<Chapter>,
    /// The limit in bytes that was exceeded, if the file has more tags or pictures than are read.
    pub most_tags: Option<u64>,
}

/// Reads tags, pictures and chapters of a file, given its audio's sample rate in Hz.
///
/// # Errors
/// Returns an error if the demuxer cannot open the file.
pub(crate) fn read(mut input: Input, rate: u32) -> Result<Found, Error> {
    let meter = Meter::new(&Limits::default());
    let mut source = SanitizedSource::new(Box::new(input.reopen()), meter)?;
    let mkv = source.take_mkv().unwrap_or_default();
    let chapters = matroska::chapters(&mut input, &mkv, rate)?;
    let stream = MediaSourceStream::new(Box::new(source), Default::default());
    let mut reader = symphonia::default::get_probe().probe(
        &Hint::new(),
        stream,
        FormatOptions::default(),
        MetadataOptions::default(),
    )?;
    let mut found = Found {
        common: Tag::new(TagType::VorbisComments),
        custom: Custom::new(),
        pictures: Vec::new(),
        chapters,
        most_tags: mkv.most_tags,
    };
    if let Some(group) = reader.chapters() {
        collect(group, rate, &mut found.chapters);
        found.chapters.sort_by_key(|chapter| chapter.start);
    }
    let mut metadata = reader.metadata();
    if let Some(revision) = metadata.skip_to_latest() {
        // Fields of the same name are several values of it. If different names map to the same
        // common field, the last name counts.
        let mut named: Vec<(&str, Option<ItemKey>, Vec<String>)> = Vec::new();
        let mut places = HashMap::new();
        for tag in &revision.media.tags {
            let (name, value) = (own_name(&tag.raw.key), tag.raw.value.to_string());
            let place = *places.entry(name).or_insert(named.len());
            if place == named.len() {
                named.push((name, tag.std.as_ref().and_then(item_key), Vec::new()));
            }
            named[place].2.push(value);
        }
        for (name, key, values) in named {
            let Found { common, custom, .. } = &mut found;
            match key {
                Some(key) => {
                    common.remove_key(key);
                    for value in values {
                        common.push_unchecked(TagItem::new(key, ItemValue::Text(value)));
                    }
                }
                None if is_plain(name) => {
                    let values = values.iter().map(String::as_str);
                    fields::add_free_texts(common, custom, name, values);
                }
                None => {}
            }
        }
        for visual in &revision.media.visuals {
            let mime = visual.media_type.as_deref().unwrap_or_default();
            let picture = Picture::unchecked(visual.data.to_vec())
                .pic_type(PictureType::CoverFront)
                .mime_type(MimeType::from_str(mime))
                .build();
            found.pictures.push(picture);
        }
    }
    Ok(found)
}

/// Returns a field's name without its target, which Symphonia prefixes to names from Matroska.
fn own_name(key: &str) -> &str {
    match key.split_once('@') {
        Some((target, name)) if target.bytes().all(|byte| byte.is_ascii_uppercase()) => name,
        _ => key,
    }
}

/// Returns whether a key is valid in Vorbis comments and is not one of the muxer's statistics.
fn is_plain(key: &str) -> bool {
    let plain = |byte: u8| (0x20..0x7E).contains(&byte) && byte != b'=';
    let measured = ["BPS", "DURATION", "NUMBER_OF_FRAMES", "NUMBER_OF_BYTES"];
    key.bytes().all(plain) && !key.starts_with('_') && !measured.contains(&key)
}

fn item_key(tag: &StandardTag) -> Option<ItemKey> {
    Some(match tag {
        StandardTag::Album(_) => ItemKey::AlbumTitle,
        StandardTag::AlbumArtist(_) => ItemKey::AlbumArtist,
        StandardTag::Artist(_) => ItemKey::TrackArtist,
        StandardTag::Comment(_) => ItemKey::Comment,
        StandardTag::Composer(_) => ItemKey::Composer,
        StandardTag::Conductor(_) => ItemKey::Conductor,
        StandardTag::Copyright(_) => ItemKey::CopyrightMessage,
        StandardTag::Description(_) => ItemKey::Description,
        StandardTag::DiscNumber(_) => ItemKey::DiscNumber,
        StandardTag::DiscTotal(_) => ItemKey::DiscTotal,
        StandardTag::EncodedBy(_) => ItemKey::EncodedBy,
        StandardTag::Encoder(_) => ItemKey::EncoderSoftware,
        StandardTag::EncoderSettings(_) => ItemKey::EncoderSettings,
        StandardTag::Genre(_) => ItemKey::Genre,
        StandardTag::IdentIsrc(_) => ItemKey::Isrc,
        StandardTag::Language(_) => ItemKey::Language,
        StandardTag::Lyrics(_) => ItemKey::Lyrics,
        StandardTag::Lyricist(_) => ItemKey::Lyricist,
        StandardTag::Performer(_) => ItemKey::Performer,
        StandardTag::RecordingDate(_) | StandardTag::ReleaseDate(_) => ItemKey::RecordingDate,
        StandardTag::TrackNumber(_) => ItemKey::TrackNumber,
        StandardTag::TrackTitle(_) => ItemKey::TrackTitle,
        StandardTag::TrackTotal(_) => ItemKey::TrackTotal,
        _ => return None,
    })
}

fn collect(group: &ChapterGroup, rate: u32, chapters: &mut Vec<Chapter>) {
    for item in &group.items {
        if chapters.len() > MAX_CHAPTERS {
            return;
        }
        match item {
            ChapterGroupItem::Group(group) => collect(group, rate, chapters),
            ChapterGroupItem::Chapter(chapter) => {
                let position = |seconds: f64| (seconds.max(0.0) * f64::from(rate)).round() as u64;
                let title = chapter.tags.iter().find_map(|tag| match &tag.std {
                    Some(StandardTag::ChapterTitle(title)) => Some(title.to_string()),
                    _ => None,
                });
                let start = position(chapter.start_time.as_secs_f64());
                let end = chapter.end_time.map(|time| position(time.as_secs_f64()));
                let mut found = Chapter::new(start, title.unwrap_or_default());
                found.end = end.filter(|&end| end > start);
                chapters.push(found);
            }
        }
    }
}
