//! Timed text markup (`.ttml`, W3C TTML2): XML with `begin`, `end` and `dur` attributes, which count
//! from the begin of the element around them.

use std::ops::Range;

use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::{Broken, to_units, written_clock};
use crate::clock::Clock;

/// Times are written to the millisecond.
const PER_SECOND: u64 = 1000;

/// An element that is open, with times in milliseconds.
#[derive(Clone, Copy, Default)]
struct Element {
    /// Its begin in the input, from the start of the audio.
    begin: u64,
    /// Its begin in the output.
    moved: u64,
}

/// What a number of frames or ticks stands for.
struct Rates {
    frame_rate: f64,
    frame_rate_multiplier: f64,
    tick_rate: Option<f64>,
}

/// Returns the text with every time moved, without paragraphs and spans that lie outside the clock's
/// part.
pub(super) fn moved(text: &str, clock: &mut Clock<'_>) -> Result<String, Broken> {
    let mut reader = Reader::from_str(text);
    let mut work = Work {
        text,
        clock,
        rates: Rates {
            frame_rate: 30.0,
            frame_rate_multiplier: 1.0,
            tick_rate: None,
        },
        edits: Vec::new(),
        times: 0,
    };
    let mut open: Vec<Element> = Vec::new();
    // The depth and the place of an element that is left out.
    let mut outside: Option<(usize, usize)> = None;
    let mut depth = 0;
    loop {
        let start = reader.buffer_position() as usize;
        let event = reader
            .read_event()
            .map_err(|_| work.broken_at(reader.error_position() as usize))?;
        let end = reader.buffer_position() as usize;
        match event {
            Event::Start(tag) => {
                depth += 1;
                if outside.is_none() {
                    match work.visit(&tag, open.last().copied().unwrap_or_default(), start)? {
                        Some(element) => open.push(element),
                        None => outside = Some((depth, start)),
                    }
                }
            }
            Event::Empty(tag) if outside.is_none() => {
                let parent = open.last().copied().unwrap_or_default();
                if work.visit(&tag, parent, start)?.is_none() {
                    work.edits.push((start..end, String::new()));
                }
            }
            Event::End(_) => {
                match outside {
                    Some((at, from)) if at == depth => {
                        work.edits.push((from..end, String::new()));
                        outside = None;
                    }
                    Some(_) => {}
                    None => _ = open.pop(),
                }
                depth -= 1;
            }
            Event::Eof if depth > 0 => return Err(work.broken_at(text.len())),
            Event::Eof => break,
            _ => {}
        }
    }
    if work.times == 0 {
        return Err(Broken::NoTimes);
    }
    Ok(work.edited())
}

struct Work<'a, 'b, 'c> {
    text: &'a str,
    clock: &'b mut Clock<'c>,
    rates: Rates,
    /// What takes the place of parts of the text, in their order.
    edits: Vec<(Range<usize>, String)>,
    times: usize,
}

impl Work<'_, '_, '_> {
    /// Moves the times of an element within another; `None` if it lies outside the clock's part.
    fn visit(
        &mut self,
        tag: &BytesStart<'_>,
        parent: Element,
        at: usize,
    ) -> Result<Option<Element>, Broken> {
        let (mut begin, mut end, mut duration) = (None, None, None);
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|_| self.broken_at(at))?;
            let value = &*attribute.value;
            let place = match attribute.key.local_name().as_ref() {
                "begin" => &mut begin,
                "end" => &mut end,
                "dur" => &mut duration,
                "timeContainer" if value == "seq" => {
                    return Err(Broken::Other("counts times one after another"));
                }
                "timeBase" if value != "media" => {
                    return Err(Broken::Other(
                        "does not count times from the start of the audio",
                    ));
                }
                name => {
                    if !self.rates.read(name, value) {
                        return Err(self.broken_at(at));
                    }
                    continue;
                }
            };
            let time = self
                .rates
                .time(value)
                .and_then(|time| to_units(time, PER_SECOND));
            let time = time.ok_or_else(|| self.broken_at(at))?;
            *place = Some((time, self.place_of(&attribute)));
        }
        let start = parent.begin + begin.as_ref().map_or(0, |(time, _)| *time);
        let ends = [
            end.as_ref().map(|(time, _)| parent.begin + time),
            duration.as_ref().map(|(time, _)| start + time),
        ];
        if begin.is_none() && end.is_none() && duration.is_none() {
            return Ok(Some(parent));
        }
        let last = ends.into_iter().flatten().min().unwrap_or(start).max(start);
        let is_text = ["p", "span"].contains(&tag.local_name().as_ref());
        if self.clock.span(start, last, PER_SECOND).is_none() && is_text {
            return Ok(None);
        }
        let element = Element {
            begin: start,
            moved: match begin {
                Some(_) => self.clock.units(start, PER_SECOND),
                None => parent.moved,
            },
        };
        let mut edits = Vec::new();
        if let Some((_, place)) = begin {
            edits.push((place, element.moved.saturating_sub(parent.moved)));
        }
        if let Some((time, place)) = end {
            let moved = self.clock.units(parent.begin + time, PER_SECOND);
            edits.push((place, moved.saturating_sub(parent.moved)));
        }
        if let Some((time, place)) = duration {
            let moved = self.clock.units(start + time, PER_SECOND);
            edits.push((place, moved.saturating_sub(element.moved)));
        }
        edits.sort_by_key(|(place, _)| place.start);
        self.times += edits.len();
        let edits = edits.into_iter();
        self.edits
            .extend(edits.map(|(place, time)| (place, written_clock(time, '.'))));
        Ok(Some(element))
    }

    /// Returns where an attribute's value is in the text.
    fn place_of(&self, attribute: &Attribute<'_>) -> Range<usize> {
        let start = attribute.value.as_ptr() as usize - self.text.as_ptr() as usize;
        start..start + attribute.value.len()
    }

    fn broken_at(&self, at: usize) -> Broken {
        let before = &self.text.as_bytes()[..at.min(self.text.len())];
        Broken::Line(1 + before.iter().filter(|&&byte| byte == b'\n').count())
    }

    /// Returns the text with all edits made.
    fn edited(self) -> String {
        let mut edited = String::with_capacity(self.text.len());
        let mut done = 0;
        for (place, with) in self.edits {
            // What lies within an element that is left out goes with it.
            if place.start < done {
                continue;
            }
            edited.push_str(&self.text[done..place.start]);
            edited.push_str(&with);
            done = place.end;
        }
        edited + &self.text[done..]
    }
}

impl Rates {
    /// Takes in what an attribute says of frames and ticks; returns whether it could be read.
    fn read(&mut self, name: &str, value: &str) -> bool {
        let positive = |text: &str| text.trim().parse().ok().filter(|rate: &f64| *rate > 0.0);
        match name {
            "frameRate" => positive(value).map(|rate| self.frame_rate = rate).is_some(),
            "tickRate" => positive(value)
                .map(|rate| self.tick_rate = Some(rate))
                .is_some(),
            "frameRateMultiplier" => {
                let parts = value.trim().split_once([' ', ':']);
                let (top, bottom) = parts.unwrap_or((value, "1"));
                let rate = positive(top).zip(positive(bottom));
                rate.map(|(top, bottom)| self.frame_rate_multiplier = top / bottom)
                    .is_some()
            }
            _ => true,
        }
    }

    /// Returns a time in seconds: `01:02:03.5`, `01:02:03:12` (frames), `3.5s` and the like.
    fn time(&self, text: &str) -> Option<f64> {
        let text = text.trim();
        let number = |text: &str| {
            let is_plain = text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.');
            text.parse::<f64>().ok().filter(|_| is_plain)
        };
        let frames = self.frame_rate * self.frame_rate_multiplier;
        if text.contains(':') {
            let parts: Option<Vec<f64>> = text.split(':').map(number).collect();
            let parts = parts?;
            let (hours, minutes, seconds) = match parts[..] {
                [hours, minutes, seconds] | [hours, minutes, seconds, _] => {
                    (hours, minutes, seconds)
                }
                _ => return None,
            };
            let rest = parts.get(3).map_or(0.0, |count| count / frames);
            return Some(hours * 3600.0 + minutes * 60.0 + seconds + rest);
        }
        let (number_part, unit) = text.split_at(text.find(char::is_alphabetic)?);
        let seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            "f" => 1.0 / frames,
            "t" => 1.0 / self.tick_rate.unwrap_or(frames),
            _ => return None,
        };
        Some(number(number_part)? * seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::halved;

    const TEXT: &str = r#"<?xml version="1.0"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="x" ttp:frameRate="25" ttp:tickRate="1000">
 <body><div begin="2s">
  <p xml:id="a" begin="00:00:00.000" end='1s'>One &amp; <span begin="500ms">two</span></p>
  <p begin="00:00:02:05" dur="800t"/>
  <p begin="4s" end="00:00:05">end="no"</p>
 </div></body>
</tt>
"#;

    #[test]
    fn times_count_from_the_element_around_them() {
        let positions = halved(20_000);
        let moved = moved(TEXT, &mut Clock::moving(&positions)).unwrap();
        let expected = TEXT
            .replace("div begin=\"2s\"", "div begin=\"00:00:01.000\"")
            .replace("end='1s'", "end='00:00:00.500'")
            .replace("500ms", "00:00:00.250")
            .replace("00:00:02:05", "00:00:01.100")
            .replace("800t", "00:00:00.400")
            .replace(
                "begin=\"4s\" end=\"00:00:05\"",
                "begin=\"00:00:02.000\" end=\"00:00:02.500\"",
            );
        assert_eq!(moved, expected);
    }

    #[test]
    fn a_part_has_its_own_paragraphs_alone() {
        let positions = halved(20_000);
        let part = |part| moved(TEXT, &mut Clock::moving_to_part(&positions, part)).unwrap();
        let first = part(0..1600);
        assert!(
            first.contains("One &amp;") && !first.contains("<p begin"),
            "{first}"
        );
        let second = part(1600..u64::MAX);
        assert!(!second.contains("One"), "{second}");
        // 2 s + 2.2 s in, which is 2.1 s out, which is 0.5 s after the start of the part.
        assert!(
            second.contains(r#"<p begin="00:00:00.500" dur="00:00:00.400"/>"#),
            "{second}"
        );
    }

    #[test]
    fn broken_ones_tell_their_line() {
        let why = |text: &str| moved(text, &mut Clock::asking(1000)).unwrap_err();
        assert_eq!(why(""), Broken::NoTimes);
        assert_eq!(why("<tt>\n<p begin=\"x\">a</p></tt>"), Broken::Line(2));
        assert_eq!(why("<tt>\n\n<p begin=\"1s\">a</q></tt>"), Broken::Line(3));
        assert_eq!(why("<tt>\n<p begin=\"1s\">"), Broken::Line(2));
        assert_eq!(why("<tt><p begin=\"1\">a</p></tt>"), Broken::Line(1));
        let seq = "<tt><body timeContainer=\"seq\"><p dur=\"1s\"/></body></tt>";
        assert!(matches!(why(seq), Broken::Other(_)));
    }
}
