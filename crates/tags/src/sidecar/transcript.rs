//! Podcast transcripts and chapters in JSON (the Podcasting 2.0 namespace): `segments` or
//! `chapters` with `startTime` and `endTime` in seconds. Whisper's: `segments` with `start` and `end`.

use serde_json::{Map, Value};

use super::{Broken, to_units};
use crate::clock::Clock;

const PER_SECOND: u64 = 1000;

/// Returns the text with every time moved, without what lies outside the clock's part.
pub(super) fn moved(text: &str, clock: &mut Clock<'_>) -> Result<String, Broken> {
    let json = serde_json::from_str(text.trim_start_matches('\u{feff}'));
    let mut json: Value = json.map_err(|error| Broken::Line(error.line()))?;
    let list = ["segments", "chapters"]
        .into_iter()
        .find(|list| json.get(list).is_some_and(Value::is_array));
    let items = list.and_then(|list| json.get_mut(list)?.as_array_mut());
    let items = items
        .filter(|items| !items.is_empty())
        .ok_or(Broken::NoTimes)?;
    let mut kept = Vec::with_capacity(items.len());
    for (number, mut item) in (1..).zip(std::mem::take(items)) {
        if move_item(&mut item, clock).ok_or(Broken::Item(number))? {
            kept.push(item);
        }
    }
    *items = kept;
    let text = serde_json::to_string_pretty(&json);
    Ok(text.map_err(|error| Broken::Line(error.line()))? + "\n")
}

/// Moves the times of a segment: `startTime` and `endTime`, or `start` and `end` as Whisper has them,
/// also of each of its `words`. Returns whether it lies in the clock's part, or `None` if it has no
/// time.
fn move_item(item: &mut Value, clock: &mut Clock<'_>) -> Option<bool> {
    let item = item.as_object_mut()?;
    let (start, end) = match item.contains_key("startTime") {
        true => ("startTime", "endTime"),
        false => ("start", "end"),
    };
    let time =
        |item: &Map<String, Value>, key: &str| to_units(item.get(key)?.as_f64()?, PER_SECOND);
    let from = time(item, start)?;
    let has_end = item.contains_key(end);
    let to = match has_end {
        true => time(item, end)?,
        false => from,
    };
    let Some((from, to)) = clock.span(from, to, PER_SECOND) else {
        return Some(false);
    };
    let seconds = |units: u64| Value::from(units as f64 / PER_SECOND as f64);
    item.insert(start.to_owned(), seconds(from));
    if has_end {
        item.insert(end.to_owned(), seconds(to));
    }
    if let Some(words) = item.get_mut("words").and_then(Value::as_array_mut) {
        let mut kept = Vec::with_capacity(words.len());
        for mut word in std::mem::take(words) {
            // Words that could not be aligned have no times.
            if word.get("start").is_none() || move_item(&mut word, clock)? {
                kept.push(word);
            }
        }
        *words = kept;
    }
    Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lists_with_times_are_taken() {
        let transcript =
            r#"{"version":"1.0.0","segments":[{"startTime":0.5,"endTime":1,"body":"Hi"}]}"#;
        let same = moved(transcript, &mut Clock::asking(1000)).unwrap();
        let value: Value = serde_json::from_str(&same).unwrap();
        assert_eq!(value["segments"][0]["startTime"], 0.5);
        assert_eq!(value["segments"][0]["body"], "Hi");
        for (other, why) in [
            ("{}", Broken::NoTimes),
            ("[1]", Broken::NoTimes),
            (
                r#"{"segments":[{"start":1},{"body":"x"}]}"#,
                Broken::Item(2),
            ),
            ("{\n no json", Broken::Line(2)),
        ] {
            assert_eq!(moved(other, &mut Clock::asking(1000)), Err(why));
        }
    }
}
