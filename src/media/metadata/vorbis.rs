//! Vorbis comments (Ogg Vorbis, Opus, FLAC), with chapters as CHAPTERxxx (wiki.xiph.org,
//! "Chapter Extension").

use std::collections::BTreeMap;

use lofty::ogg::tag::VorbisComments;
use lofty::tag::{Tag, TagType};

use super::chapter::{Chapter, MAX_CHAPTERS};
use super::clock::rescale;
use super::fields::{self, Custom};

/// Takes out what does not outlive a new encoding, and chapters, which are kept apart.
pub fn clean(comments: &mut VorbisComments) {
    let items: Vec<_> = comments.take_items().collect();
    for (key, value) in items {
        if !fields::is_dropped(&key) && chapter_key(&key).is_none() {
            comments.push(key, value);
        }
    }
    comments.set_vendor(String::new());
}

/// What comments say in terms that all families know, and their free text.
pub fn to_common(comments: &VorbisComments) -> (Tag, Custom) {
    let mut common = Tag::from(comments.clone());
    fields::clean(&mut common);
    let mut custom = Custom::new();
    for (key, value) in comments.items() {
        if lofty::tag::ItemKey::from_key(TagType::VorbisComments, key).is_none() {
            fields::add_free_text(&mut common, &mut custom, key, value);
        }
    }
    (common, custom)
}

/// Moves what depends on length and tempo.
pub fn retime(comments: &mut VorbisComments, tempo: f64, seconds: f64) {
    let scaled = (comments.get("BPM")).and_then(|text| fields::scale_tempo(text, tempo));
    if let Some(scaled) = scaled {
        comments.insert("BPM".into(), scaled);
    }
    if comments.get("LENGTH").is_some() {
        comments.insert("LENGTH".into(), format!("{:.0}", seconds * 1000.0));
    }
}

/// Number of a chapter field and what it tells: `CHAPTER001`, `CHAPTER001NAME`.
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

/// The chapters in comments, in order of time, for audio of a sample rate in Hz.
pub fn chapters(comments: &VorbisComments, rate: u32) -> Vec<Chapter> {
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
    let timed = numbered.into_values().filter_map(|(millis, chapter)| {
        let start = rescale(millis?, 1000, rate.into());
        Some(Chapter { start, ..chapter })
    });
    let mut chapters: Vec<_> = timed.collect();
    chapters.sort_by_key(|chapter| chapter.start);
    chapters
}

/// Milliseconds of `HH:MM:SS.mmm`.
fn parse_time(text: &str) -> Option<u64> {
    let mut parts = text.trim().split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    let (hours, minutes): (u64, u64) = (hours.parse().ok()?, minutes.parse().ok()?);
    let seconds: f64 = seconds.parse().ok()?;
    let valid = parts.next().is_none() && hours < 100_000 && (0.0..3600.0).contains(&seconds);
    valid.then(|| (hours * 60 + minutes % 60_000) * 60_000 + (seconds * 1000.0).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chapter_times_are_hours_minutes_and_seconds() {
        assert_eq!(parse_time("01:02:03.456"), Some(3_723_456));
        assert_eq!(parse_time("00:00:00"), Some(0));
        assert_eq!(parse_time("12:30"), None);
        assert_eq!(parse_time("00:00:-1"), None);
    }
}
