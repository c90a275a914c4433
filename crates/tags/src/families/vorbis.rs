//! Vorbis comments (Ogg Vorbis, Opus, FLAC), with chapters as CHAPTERxxx (wiki.xiph.org,
//! "Chapter Extension").

use std::collections::BTreeMap;

use lofty::ogg::tag::VorbisComments;
use lofty::picture::{Picture, PictureInformation};
use lofty::tag::{Tag, TagType};

use crate::chapter::{Chapter, MAX_CHAPTERS};
use crate::clock::rescale;
use crate::fields::{self, Custom};

/// Removes fields that do not apply to a new encoding, and chapters, which are kept separately.
pub(crate) fn clean(comments: &mut VorbisComments) {
    let items: Vec<_> = comments.take_items().collect();
    for (key, value) in items {
        if !fields::is_dropped(&key) && chapter_key(&key).is_none() {
            comments.push(key, value);
        }
    }
    comments.set_vendor(String::new());
}

/// Converts comments to common fields and free text.
pub(crate) fn to_common(comments: &VorbisComments) -> (Tag, Custom) {
    let mut common = Tag::from(comments.clone());
    fields::clean(&mut common);
    let mut custom = Custom::new();
    for (key, value) in comments.items() {
        if lofty::tag::ItemKey::from_key(TagType::VorbisComments, key).is_none() {
            fields::add_free_texts(&mut common, &mut custom, key, [value]);
        }
    }
    (common, custom)
}

/// Returns empty comments.
pub(crate) fn empty() -> VorbisComments {
    VorbisComments::new()
}

/// Creates comments from common fields and free text.
pub(crate) fn from_common(common: &Tag, custom: &Custom) -> VorbisComments {
    let (common, rest) = fields::for_family(common, TagType::VorbisComments);
    let mut comments = VorbisComments::from(common);
    for (key, value) in rest.into_iter().chain(custom.iter().cloned()) {
        comments.push(key, value);
    }
    comments.set_vendor(String::new());
    comments
}

/// Updates the fields that depend on length and tempo.
pub(crate) fn retime(comments: &mut VorbisComments, tempo: f64, seconds: f64) {
    let scaled = (comments.get("BPM")).and_then(|text| fields::scale_tempo(text, tempo));
    if let Some(scaled) = scaled {
        comments.insert("BPM".into(), scaled);
    }
    if comments.get("LENGTH").is_some() {
        comments.insert("LENGTH".into(), format!("{:.0}", seconds * 1000.0));
    }
}

/// Parses a key such as `CHAPTER001` or `CHAPTER001NAME` into the chapter's number and field.
fn chapter_key(key: &str) -> Option<(u32, ChapterField)> {
    let prefix = key.get(..7)?;
    if !prefix.eq_ignore_ascii_case("CHAPTER") {
        return None;
    }
    let rest = &key[7..];
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let number = rest[..digits].parse().ok()?;
    let field = match rest[digits..].to_ascii_uppercase().as_str() {
        "" => ChapterField::Start,
        "NAME" => ChapterField::Name,
        "URL" => ChapterField::Url,
        _ => return None,
    };
    Some((number, field))
}

enum ChapterField {
    Start,
    Name,
    Url,
}

/// Returns the chapters in order of time, for audio of a sample rate in Hz, and the number of
/// further chapters whose time could not be parsed.
pub(crate) fn chapters(comments: &VorbisComments, rate: u32) -> (Vec<Chapter>, usize) {
    let mut numbered: BTreeMap<u32, (Option<u64>, Chapter)> = BTreeMap::new();
    for (key, value) in comments.items() {
        let Some((number, field)) = chapter_key(key) else {
            continue;
        };
        if numbered.len() > MAX_CHAPTERS && !numbered.contains_key(&number) {
            continue;
        }
        let empty = || (None, Chapter::new(0, ""));
        let (start, chapter) = numbered.entry(number).or_insert_with(empty);
        match field {
            ChapterField::Start => *start = parse_time(value),
            ChapterField::Name => chapter.title = value.to_owned(),
            ChapterField::Url => chapter.url = Some(value.to_owned()),
        }
    }
    let all = numbered.len();
    let timed = numbered.into_values().filter_map(|(millis, chapter)| {
        let start = rescale(millis?, 1000, rate.into());
        Some(Chapter { start, ..chapter })
    });
    let mut chapters: Vec<_> = timed.collect();
    chapters.sort_by_key(|chapter| chapter.start);
    let unclear = all - chapters.len();
    (chapters, unclear)
}

/// Parses `HH:MM:SS.mmm` into milliseconds. Only the seconds are required; the decimal separator
/// may be a comma.
fn parse_time(text: &str) -> Option<u64> {
    let mut parts = text.trim().rsplit(':');
    let seconds = parts.next()?.trim().replace(',', ".");
    let is_plain = seconds.starts_with(|c: char| c.is_ascii_digit())
        && seconds.chars().all(|c| c.is_ascii_digit() || c == '.');
    let seconds: f64 = seconds.parse().ok().filter(|_| is_plain)?;
    let mut number = || {
        parts
            .next()
            .map_or(Some(0), |part| part.trim().parse().ok())
    };
    let (minutes, hours): (u32, u32) = (number()?, number()?);
    if parts.next().is_some() || hours >= 100_000 || minutes >= 6_000_000 || seconds >= 1e9 {
        return None;
    }
    let minutes = u64::from(hours) * 60 + u64::from(minutes);
    Some(minutes * 60_000 + (seconds * 1000.0).round() as u64)
}

/// Adds chapters, with positions in frames at a sample rate in Hz.
pub(crate) fn add_chapters(comments: &mut VorbisComments, chapters: &[Chapter], rate: u32) {
    for (number, chapter) in (1..).zip(chapters) {
        let millis = rescale(chapter.start, rate.into(), 1000);
        let (seconds, millis) = (millis / 1000, millis % 1000);
        let (minutes, seconds) = (seconds / 60, seconds % 60);
        let (hours, minutes) = (minutes / 60, minutes % 60);
        let key = format!("CHAPTER{number:03}");
        comments.push(
            key.clone(),
            format!("{hours:02}:{minutes:02}:{seconds:02}.{millis:03}"),
        );
        comments.push(format!("{key}NAME"), chapter.title.clone());
        if let Some(url) = &chapter.url {
            comments.push(format!("{key}URL"), url.clone());
        }
    }
}

/// Returns the bytes of a comment header without its container's framing: vendor, then the fields.
///
/// `pictures` are added as METADATA_BLOCK_PICTURE; FLAC has separate blocks for them.
pub(crate) fn to_bytes(comments: &VorbisComments, pictures: &[Picture], vendor: &str) -> Vec<u8> {
    let mut fields: Vec<Vec<u8>> = Vec::new();
    let ours = std::iter::once(("ENCODER", fields::ENCODER));
    for (key, value) in comments.items().chain(ours) {
        fields.push([key.as_bytes(), b"=", value.as_bytes()].concat());
    }
    for picture in pictures {
        let mut field = b"METADATA_BLOCK_PICTURE=".to_vec();
        field.extend(picture.as_flac_bytes(information(picture), true));
        fields.push(field);
    }
    let mut bytes = Vec::new();
    bytes.extend((vendor.len() as u32).to_le_bytes());
    bytes.extend(vendor.as_bytes());
    bytes.extend((fields.len() as u32).to_le_bytes());
    for field in fields {
        bytes.extend((field.len() as u32).to_le_bytes());
        bytes.extend(field);
    }
    bytes
}

/// Returns the size and colour depth of a picture, as far as its header gives them.
pub(crate) fn information(picture: &Picture) -> PictureInformation {
    PictureInformation::from_picture(picture).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chapter_times_are_understood_as_programs_write_them() {
        for (text, millis) in [
            ("01:02:03.456", 3_723_456),
            ("00:00:00", 0),
            (" 1:02:03,5 ", 3_723_500),
            ("12:30", 750_000),
            ("75:30.25", 4_530_250),
            ("90.5", 90_500),
        ] {
            assert_eq!(parse_time(text), Some(millis), "{text}");
        }
        for text in [
            "",
            "00:00:-1",
            "1:2:3:4",
            "00:00:1e3",
            "12m",
            "a:30",
            "00:00:inf",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn chapters_are_read_as_they_were_written() {
        let mut chapters = vec![
            Chapter::new(0, ""),
            Chapter::new(160_000_000, "Kapitel Zwei"),
        ];
        chapters[1].url = Some("https://example.org/?a=b".into());
        let mut comments = VorbisComments::new();
        add_chapters(&mut comments, &chapters, 44_100);
        let (read, unclear) = super::chapters(&comments, 44_100);
        assert_eq!((read.len(), unclear), (2, 0));
        assert!(read[1].start.abs_diff(160_000_000) <= 22);
        assert_eq!(
            (&read[1].title, &read[1].url),
            (&chapters[1].title, &chapters[1].url)
        );
        clean(&mut comments);
        assert_eq!(comments.items().len(), 0);
    }
}
