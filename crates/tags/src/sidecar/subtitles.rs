//! SubRip (`.srt`) and WebVTT (`.vtt`) subtitles: lines of `start --> end`. YouTube's (`.sbv`):
//! `start,end`.

use super::{parse_time, split_millis, split_soon};
use crate::clock::Clock;

/// The format of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `00:00:01,000`
    Srt,
    /// `00:00:01.000`, with times of single words in the text as `<00:00:01.500>`.
    Vtt,
}

/// Returns the text with every time moved, or `None` if it has no times or one cannot be parsed.
pub(super) fn moved(text: &str, dialect: Dialect, clock: &mut Clock<'_>) -> Option<String> {
    if dialect == Dialect::Vtt && !text.trim_start_matches('\u{feff}').starts_with("WEBVTT") {
        return None;
    }
    let (mut moved, mut cues) = (String::with_capacity(text.len()), 0);
    let mut in_note = false;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\r', '\n']);
        in_note = !content.is_empty()
            && (in_note || (dialect == Dialect::Vtt && content.starts_with("NOTE")));
        if !in_note && let Some((start, rest)) = content.split_once("-->") {
            let rest = rest.trim_start();
            let (end, settings) =
                rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
            let start = clock.millis(parse_time(start.trim(), &[',', '.'])?);
            let end = clock.millis(parse_time(end, &[',', '.'])?);
            let (start, end) = (written(start, dialect), written(end, dialect));
            moved.push_str(&format!("{start} --> {end}{settings}"));
            moved.push_str(&line[content.len()..]);
            cues += 1;
        } else if dialect == Dialect::Vtt && !in_note {
            push_with_word_times(&mut moved, line, clock);
        } else {
            moved.push_str(line);
        }
    }
    (cues > 0).then_some(moved)
}

/// Returns the text of an `.sbv` file with every time moved, or `None` if a cue has none.
pub(super) fn moved_sbv(text: &str, clock: &mut Clock<'_>) -> Option<String> {
    let mut moved = String::with_capacity(text.len());
    let (mut is_first, mut cues) = (true, 0);
    for line in text.trim_start_matches('\u{feff}').split_inclusive('\n') {
        let content = line.trim_end_matches(['\r', '\n']);
        if is_first && !content.is_empty() {
            let (start, end) = content.split_once(',')?;
            let mut time = |text: &str| {
                let millis = clock.millis(parse_time(text.trim(), &['.'])?);
                let (hours, minutes, seconds, millis) = split_millis(millis);
                Some(format!("{hours}:{minutes:02}:{seconds:02}.{millis:03}"))
            };
            moved.push_str(&format!("{},{}", time(start)?, time(end)?));
            moved.push_str(&line[content.len()..]);
            cues += 1;
        } else {
            moved.push_str(line);
        }
        is_first = content.is_empty();
    }
    (cues > 0).then_some(moved)
}

fn push_with_word_times(to: &mut String, mut line: &str, clock: &mut Clock<'_>) {
    while let Some((before, after)) = line.split_once('<') {
        to.push_str(before);
        to.push('<');
        line = after;
        if let Some((inner, rest)) = split_soon(after, '>')
            && inner.contains(':')
            && let Some(time) = parse_time(inner, &['.'])
        {
            to.push_str(&written(clock.millis(time), Dialect::Vtt));
            to.push('>');
            line = rest;
        }
    }
    to.push_str(line);
}

fn written(millis: u64, dialect: Dialect) -> String {
    let (hours, minutes, seconds, millis) = split_millis(millis);
    let mark = match dialect {
        Dialect::Srt => ',',
        Dialect::Vtt => '.',
    };
    format!("{hours:02}:{minutes:02}:{seconds:02}{mark}{millis:03}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::MovedPositions;
    use audiostretchy_engine::TimePoint;

    fn halved() -> MovedPositions {
        let points = (0..10_000).map(|input| TimePoint {
            input,
            output: input / 2,
        });
        MovedPositions {
            points: points.collect(),
            end: TimePoint {
                input: 10_000,
                output: 5000,
            },
            input_rate: 1000,
            output_rate: 1000,
        }
    }

    #[test]
    fn subtitles_keep_everything_but_their_times() {
        let positions = halved();
        let text = "1\r\n00:00:01,000 --> 00:00:02,500 X1:40\r\nHé --  <i>you</i>\r\n\r\n";
        let moved = moved(text, Dialect::Srt, &mut Clock::moving(&positions)).unwrap();
        let expected = text.replace("01,000", "00,500").replace("02,500", "01,250");
        assert_eq!(moved, expected);
    }

    #[test]
    fn words_within_webvtt_move_too() {
        let positions = halved();
        let text = "WEBVTT\n\nNOTE 00:01 --> x\n\n00:01.000 --> 00:02.000 align:start\na <00:01.500><c>b</c>\n";
        let moved = moved(text, Dialect::Vtt, &mut Clock::moving(&positions)).unwrap();
        assert!(moved.contains("00:00:00.500 --> 00:00:01.000 align:start\na <00:00:00.750><c>b"));
        assert!(moved.contains("NOTE 00:01 --> x\n"));
    }

    #[test]
    fn malformed_subtitles_are_refused() {
        for text in [
            "",
            "1\n00:00:01 -> 2\n",
            "1\n00:xx:01,000 --> 00:00:02,000\n",
        ] {
            assert_eq!(moved(text, Dialect::Srt, &mut Clock::asking(1000)), None);
        }
        let headless = "00:01.000 --> 00:02.000\n";
        assert_eq!(
            moved(headless, Dialect::Vtt, &mut Clock::asking(1000)),
            None
        );
    }

    #[test]
    fn the_first_line_of_each_sbv_cue_has_its_times() {
        let positions = halved();
        let text = "0:00:01.000,0:00:02.500\nOne, two\n0:00,1\n\n0:00:04.000,0:00:05.000\nx\n";
        let moved = moved_sbv(text, &mut Clock::moving(&positions)).unwrap();
        let expected = "0:00:00.500,0:00:01.250\nOne, two\n0:00,1\n\n0:00:02.000,0:00:02.500\nx\n";
        assert_eq!(moved, expected);
        for wrong in ["", "Hello\n", "0:00:01.000\nx\n"] {
            assert_eq!(moved_sbv(wrong, &mut Clock::asking(1000)), None);
        }
    }
}
