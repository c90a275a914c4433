//! Fields that all tag families share, and fields that must not be copied to a new encoding.

use lofty::tag::{ItemKey, ItemValue, Tag, TagItem, TagType};

/// The name of this program in tags.
pub const ENCODER: &str = concat!("audiostretchy ", env!("CARGO_PKG_VERSION"));

/// Keys of free-text fields (TXXX, Vorbis comments, MP4 freeform), in lower case, that describe the
/// old encoding or that this program keeps in a form of its own.
const DROPPED_KEYS: [&str; 17] = [
    "encoder",
    "encoder_options",
    "encodersettings",
    "encoder settings",
    "encoding params",
    "itunsmpb",
    "itunnorm",
    "itunpgap",
    "replaygain_album_peak",
    "replaygain_track_peak",
    "mp3gain_minmax",
    "mp3gain_album_minmax",
    "mp3gain_undo",
    "waveformatextensible_channel_mask",
    "metadata_block_picture",
    "coverart",
    "coverartmime",
];

/// Returns whether a free-text field must not be copied to a new encoding.
pub(crate) fn is_dropped(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    DROPPED_KEYS.contains(&key.as_str())
}

/// Removes fields that the old encoder wrote about itself.
pub(crate) fn clean(tag: &mut Tag) {
    tag.retain(|item| {
        !matches!(
            item.key(),
            ItemKey::EncoderSoftware
                | ItemKey::EncoderSettings
                | ItemKey::EncodingTime
                | ItemKey::ReplayGainAlbumPeak
                | ItemKey::ReplayGainTrackPeak
        )
    });
}

/// Sets a field, whether or not the tag's own family supports it.
pub(crate) fn set(tag: &mut Tag, key: ItemKey, text: String) {
    tag.insert_unchecked(TagItem::new(key, ItemValue::Text(text)));
}

/// Splits values such as `3/7` into number and total, which not all families do themselves.
pub(crate) fn split_numbers(tag: &mut Tag) {
    for (number, total) in [
        (ItemKey::TrackNumber, ItemKey::TrackTotal),
        (ItemKey::DiscNumber, ItemKey::DiscTotal),
    ] {
        let Some((first, second)) = tag.get_string(number).and_then(|text| text.split_once('/'))
        else {
            continue;
        };
        let (first, second) = (first.trim().to_owned(), second.trim().to_owned());
        set(tag, number, first);
        if tag.get_string(total).is_none() {
            set(tag, total, second);
        }
    }
}

/// Adds a date made from the year, which old tags have instead, if there is no date yet.
pub(crate) fn make_date(tag: &mut Tag) {
    let Some(year) = tag.get_string(ItemKey::Year).map(str::to_owned) else {
        return;
    };
    let date = tag.get_string(ItemKey::RecordingDate).map(str::to_owned);
    if date.as_ref().is_none_or(|date| date.starts_with(&year)) {
        tag.remove_key(ItemKey::Year);
        set(tag, ItemKey::RecordingDate, date.unwrap_or(year));
    }
}

/// Free-text fields with no equivalent among the common ones, as pairs of key and value.
pub(crate) type Custom = Vec<(String, String)>;

/// Adds the values of a free-text field. If its key corresponds to a common field that is not set
/// yet, the values go there instead.
pub(crate) fn add_free_texts<'a>(
    tag: &mut Tag,
    custom: &mut Custom,
    key: &str,
    values: impl IntoIterator<Item = &'a str>,
) {
    let known = ItemKey::from_key(TagType::VorbisComments, key);
    if is_dropped(key) || known.is_some_and(|known| tag.get(known).is_some()) {
        return;
    }
    for value in values.into_iter().filter(|value| !value.is_empty()) {
        match known {
            Some(known) => {
                tag.push_unchecked(TagItem::new(known, ItemValue::Text(value.to_owned())));
            }
            None => custom.push((key.to_owned(), value.to_owned())),
        }
    }
}

/// Separates the fields that a family supports from the rest, which become free text.
///
/// Lyrics have two common keys; a family may support only one of them.
pub(crate) fn for_family(tag: &Tag, family: TagType) -> (Tag, Custom) {
    let mut kept = Tag::new(family);
    let mut rest = Vec::new();
    for item in tag.items() {
        let key = match item.key() {
            ItemKey::Lyrics | ItemKey::UnsyncLyrics => lyrics_key(family),
            key => key,
        };
        let mut item = item.clone();
        if key != item.key() {
            let value = item.value().clone();
            item = TagItem::new(key, value);
        }
        if key.map_key(family).is_some() {
            kept.push_unchecked(item);
        } else if let (Some(name), Some(text)) = (free_text_key(key), item.value().text()) {
            rest.push((name.to_owned(), text.to_owned()));
        }
    }
    (kept, rest)
}

fn lyrics_key(family: TagType) -> ItemKey {
    match family {
        TagType::Id3v2 => ItemKey::UnsyncLyrics,
        _ => ItemKey::Lyrics,
    }
}

/// Returns a common field's name as free text, or `None` if it has no meaning as free text.
fn free_text_key(key: ItemKey) -> Option<&'static str> {
    match key {
        ItemKey::Popularimeter => None,
        _ => key.map_key(TagType::VorbisComments),
    }
}

/// Scales a number of beats per minute.
pub(crate) fn scale_tempo(text: &str, tempo: f64) -> Option<String> {
    let bpm: f64 = text.trim().parse().ok()?;
    let scaled = bpm * tempo;
    if !(scaled.is_finite() && scaled > 0.0) {
        return None;
    }
    Some(match text.contains('.') {
        true => format!("{scaled:.2}"),
        false => format!("{scaled:.0}"),
    })
}

/// Updates the fields that depend on length and tempo; `seconds` is the length of the output.
pub(crate) fn retime(tag: &mut Tag, tempo: f64, seconds: f64) {
    for key in [ItemKey::Bpm, ItemKey::IntegerBpm] {
        let scaled = (tag.get_string(key)).and_then(|text| scale_tempo(text, tempo));
        if let Some(scaled) = scaled {
            set(tag, key, scaled);
        }
    }
    if tag.get(ItemKey::Length).is_some() {
        tag.remove_key(ItemKey::Length);
        let millis = format!("{:.0}", seconds * 1000.0);
        set(tag, ItemKey::Length, millis);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tempo_keeps_its_notation() {
        assert_eq!(scale_tempo("120", 1.25).as_deref(), Some("150"));
        assert_eq!(scale_tempo("99.5", 0.5).as_deref(), Some("49.75"));
        assert_eq!(scale_tempo("fast", 0.5), None);
    }

    #[test]
    fn what_the_old_encoder_said_is_not_free_text() {
        let (mut tag, mut custom) = (Tag::new(TagType::VorbisComments), Vec::new());
        for key in ["ENCODER", "iTunSMPB", "Mine", "title"] {
            add_free_texts(&mut tag, &mut custom, key, ["x", "y"]);
        }
        let mine = ["x", "y"].map(|value| ("Mine".to_owned(), value.to_owned()));
        assert_eq!(custom, mine);
        assert!(tag.get_strings(ItemKey::TrackTitle).eq(["x", "y"]));
    }
}
