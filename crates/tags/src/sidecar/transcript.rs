//! Podcast transcripts and chapters in JSON (the Podcasting 2.0 namespace): `segments` or
//! `chapters` with `startTime` and `endTime` in seconds. Whisper's: `segments` with `start` and `end`.

use serde_json::{Map, Value};

use super::moved_seconds;
use crate::clock::Clock;

const PER_SECOND: u64 = 1000;

/// Returns the text with every time moved, or `None` if it is neither a transcript nor a list of
/// chapters.
pub(super) fn moved(text: &str, clock: &mut Clock<'_>) -> Option<String> {
    let mut json: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    let list = ["segments", "chapters"]
        .into_iter()
        .find(|list| json.get(list).is_some_and(Value::is_array))?;
    let items = json.get_mut(list)?.as_array_mut()?;
    if items.is_empty() {
        return None;
    }
    for item in items {
        move_item(item, clock)?;
    }
    let mut text = serde_json::to_string_pretty(&json).ok()?;
    text.push('\n');
    Some(text)
}

/// Moves the times of a segment: `startTime` and `endTime`, or `start` and `end` as Whisper has them,
/// also of each of its `words`.
fn move_item(item: &mut Value, clock: &mut Clock<'_>) -> Option<()> {
    let item = item.as_object_mut()?;
    let (start, end) = match item.contains_key("startTime") {
        true => ("startTime", "endTime"),
        false => ("start", "end"),
    };
    move_time(item, start, clock)?;
    if item.contains_key(end) {
        move_time(item, end, clock)?;
    }
    if let Some(words) = item.get_mut("words").and_then(Value::as_array_mut) {
        // Words that could not be aligned have no times.
        let timed = words.iter_mut().filter(|word| word.get("start").is_some());
        for word in timed {
            move_item(word, clock)?;
        }
    }
    Some(())
}

fn move_time(item: &mut Map<String, Value>, key: &str, clock: &mut Clock<'_>) -> Option<()> {
    let seconds = item.get(key)?.as_f64()?;
    let moved = moved_seconds(seconds, PER_SECOND, clock)?;
    item.insert(key.to_owned(), (moved as f64 / PER_SECOND as f64).into());
    Some(())
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
        for other in ["{}", "[1]", r#"{"segments":[{"body":"x"}]}"#, "no json"] {
            assert_eq!(moved(other, &mut Clock::asking(1000)), None);
        }
    }
}
