//! SubRip (`.srt`) and WebVTT (`.vtt`) subtitles: lines of `start --> end`. YouTube's (`.sbv`):
//! `start,end`.

use super::{Broken, parse_time, split_millis, split_soon, written_clock};
use crate::clock::Clock;

/// The format of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `00:00:01,000`
    Srt,
    /// `00:00:01.000`, with times of single words in the text as `<00:00:01.500>`.
    Vtt,
}

/// Returns the text with every time moved, without cues that lie outside the clock's part.
pub(super) fn moved(text: &str, dialect: Dialect, clock: &mut Clock<'_>) -> Result<String, Broken> {
    if dialect == Dialect::Vtt && !text.trim_start_matches('\u{feff}').starts_with("WEBVTT") {
        return Err(Broken::Line(1));
    }
    let (mut moved, mut cues) = (String::with_capacity(text.len()), 0);
    let mut in_note = false;
    let mut block = Block::default();
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let content = line.trim_end_matches(['\r', '\n']);
        let broken = || Broken::Line(number);
        let to = &mut block.text;
        in_note = !content.is_empty()
            && (in_note || (dialect == Dialect::Vtt && content.starts_with("NOTE")));
        if !in_note && let Some((start, rest)) = content.split_once("-->") {
            let rest = rest.trim_start();
            let (end, settings) =
                rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
            let start = parse_time(start.trim(), &[',', '.']).ok_or_else(broken)?;
            let end = parse_time(end, &[',', '.']).ok_or_else(broken)?;
            match clock.span(start, end, 1000) {
                Some((start, end)) => {
                    let (start, end) = (written(start, dialect), written(end, dialect));
                    to.push_str(&format!("{start} --> {end}{settings}"));
                    to.push_str(&line[content.len()..]);
                }
                None => block.is_outside = true,
            }
            cues += 1;
        } else if dialect == Dialect::Vtt && !in_note {
            push_with_word_times(to, line, clock);
        } else {
            to.push_str(line);
        }
        if content.is_empty() {
            block.end(&mut moved);
        }
    }
    block.end(&mut moved);
    if cues == 0 {
        return Err(Broken::NoTimes);
    }
    Ok(moved)
}

/// Lines up to an empty one, with that.
#[derive(Default)]
struct Block {
    text: String,
    /// Whether its cue lies outside the part of the audio that is asked for.
    is_outside: bool,
}

impl Block {
    /// Hands it over, unless it lies outside, and begins the next.
    fn end(&mut self, to: &mut String) {
        if !std::mem::take(&mut self.is_outside) {
            to.push_str(&self.text);
        }
        self.text.clear();
    }
}

/// Returns the text of an `.sbv` file with every time moved, without cues that lie outside the
/// clock's part.
pub(super) fn moved_sbv(text: &str, clock: &mut Clock<'_>) -> Result<String, Broken> {
    let mut moved = String::with_capacity(text.len());
    let (mut is_first, mut cues) = (true, 0);
    let mut block = Block::default();
    let lines = text.trim_start_matches('\u{feff}').split_inclusive('\n');
    for (number, line) in (1..).zip(lines) {
        let content = line.trim_end_matches(['\r', '\n']);
        if is_first && !content.is_empty() {
            let time = |text: &str| parse_time(text.trim(), &['.']);
            let times = content.split_once(',');
            let times = times.and_then(|(start, end)| Some((time(start)?, time(end)?)));
            let (start, end) = times.ok_or(Broken::Line(number))?;
            match clock.span(start, end, 1000) {
                Some((start, end)) => {
                    let (start, end) = (written_sbv(start), written_sbv(end));
                    block.text.push_str(&format!("{start},{end}"));
                    block.text.push_str(&line[content.len()..]);
                }
                None => block.is_outside = true,
            }
            cues += 1;
        } else {
            block.text.push_str(line);
        }
        is_first = content.is_empty();
        if is_first {
            block.end(&mut moved);
        }
    }
    block.end(&mut moved);
    if cues == 0 {
        return Err(Broken::NoTimes);
    }
    Ok(moved)
}

fn written_sbv(millis: u64) -> String {
    let (hours, minutes, seconds, millis) = split_millis(millis);
    format!("{hours}:{minutes:02}:{seconds:02}.{millis:03}")
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
    let mark = match dialect {
        Dialect::Srt => ',',
        Dialect::Vtt => '.',
    };
    written_clock(millis, mark)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::halved;

    #[test]
    fn subtitles_keep_everything_but_their_times() {
        let positions = halved(10_000);
        let text = "1\r\n00:00:01,000 --> 00:00:02,500 X1:40\r\nHé --  <i>you</i>\r\n\r\n";
        let moved = moved(text, Dialect::Srt, &mut Clock::moving(&positions)).unwrap();
        let expected = text.replace("01,000", "00,500").replace("02,500", "01,250");
        assert_eq!(moved, expected);
    }

    #[test]
    fn words_within_webvtt_move_too() {
        let positions = halved(10_000);
        let text = "WEBVTT\n\nNOTE 00:01 --> x\n\n00:01.000 --> 00:02.000 align:start\na <00:01.500><c>b</c>\n";
        let moved = moved(text, Dialect::Vtt, &mut Clock::moving(&positions)).unwrap();
        assert!(moved.contains("00:00:00.500 --> 00:00:01.000 align:start\na <00:00:00.750><c>b"));
        assert!(moved.contains("NOTE 00:01 --> x\n"));
    }

    #[test]
    fn malformed_subtitles_are_refused() {
        for (text, why) in [
            ("", Broken::NoTimes),
            ("1\n00:00:01 -> 2\n", Broken::NoTimes),
            ("1\n00:xx:01,000 --> 00:00:02,000\n", Broken::Line(2)),
        ] {
            assert_eq!(
                moved(text, Dialect::Srt, &mut Clock::asking(1000)),
                Err(why)
            );
        }
        let headless = "00:01.000 --> 00:02.000\n";
        assert_eq!(
            moved(headless, Dialect::Vtt, &mut Clock::asking(1000)),
            Err(Broken::Line(1))
        );
    }

    #[test]
    fn the_first_line_of_each_sbv_cue_has_its_times() {
        let positions = halved(10_000);
        let text = "0:00:01.000,0:00:02.500\nOne, two\n0:00,1\n\n0:00:04.000,0:00:05.000\nx\n";
        let moved = moved_sbv(text, &mut Clock::moving(&positions)).unwrap();
        let expected = "0:00:00.500,0:00:01.250\nOne, two\n0:00,1\n\n0:00:02.000,0:00:02.500\nx\n";
        assert_eq!(moved, expected);
        for (wrong, why) in [
            ("", Broken::NoTimes),
            ("Hello\n", Broken::Line(1)),
            (
                "0:00:01.000,0:00:02.000\nx\n\n0:00:03.000\nx\n",
                Broken::Line(4),
            ),
        ] {
            assert_eq!(moved_sbv(wrong, &mut Clock::asking(1000)), Err(why));
        }
    }

    #[test]
    fn a_part_has_its_own_cues_alone() {
        let positions = halved(10_000);
        let text = "1\n00:00:01,000 --> 00:00:02,000\none\n\n2\n00:00:02,500 --> 00:00:03,500\n\
                    two\n\n3\n00:00:04,000 --> 00:00:05,000\nthree\n";
        let part = |part| {
            moved(
                text,
                Dialect::Srt,
                &mut Clock::moving_to_part(&positions, part),
            )
        };
        assert_eq!(
            part(0..1500).unwrap(),
            "1\n00:00:00,500 --> 00:00:01,000\none\n\n2\n00:00:01,250 --> 00:00:01,500\ntwo\n\n"
        );
        assert_eq!(
            part(1500..u64::MAX).unwrap(),
            "2\n00:00:00,000 --> 00:00:00,250\ntwo\n\n3\n00:00:00,500 --> 00:00:01,000\nthree\n"
        );
    }
}
