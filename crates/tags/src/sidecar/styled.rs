//! Advanced SubStation Alpha (`.ass`) and SubStation Alpha (`.ssa`): lines of
//! `Dialogue: 0,0:00:01.00,0:00:02.50,...`.

use super::{Broken, parse_time, split_millis};
use crate::clock::Clock;

/// Returns the text with every time moved, without lines that lie outside the clock's part.
pub(super) fn moved(text: &str, clock: &mut Clock<'_>) -> Result<String, Broken> {
    let (mut moved, mut lines) = (String::with_capacity(text.len()), 0);
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let event = ["Dialogue:", "Comment:"]
            .into_iter()
            .find(|kind| line.starts_with(kind));
        if event.is_none() {
            moved.push_str(line);
            continue;
        }
        let fields: Vec<&str> = line.splitn(4, ',').collect();
        let time = |text: &str| parse_time(text.trim(), &['.']);
        let parsed = match fields[..] {
            [head, start, end, rest] => time(start).zip(time(end)).map(|times| (head, times, rest)),
            _ => None,
        };
        let (head, (start, end), rest) = parsed.ok_or(Broken::Line(number))?;
        if let Some((start, end)) = clock.span(start, end, 1000) {
            let (start, end) = (written(start), written(end));
            moved.push_str(&format!("{head},{start},{end},{rest}"));
        }
        lines += 1;
    }
    if lines == 0 {
        return Err(Broken::NoTimes);
    }
    Ok(moved)
}

/// Returns a time in hundredths.
fn written(millis: u64) -> String {
    let (hours, minutes, seconds, millis) = split_millis((millis + 5) / 10 * 10);
    format!("{hours}:{minutes:02}:{seconds:02}.{:02}", millis / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_the_times_stays() {
        let text = "[Script Info]\r\nTitle: x\r\n\r\n[Events]\r\nFormat: Layer, Start, End, Text\r\n\
                    Dialogue: 0,0:00:01.00,0:01:02.59,Default,,0,0,0,,{\\i1}Hé, you\r\n\
                    Comment: Marked=0,1:00:00.10,1:00:00.20,note\r\n";
        assert_eq!(moved(text, &mut Clock::asking(1000)).as_deref(), Ok(text));
    }

    #[test]
    fn without_events_or_with_a_broken_one_it_is_refused() {
        for (text, why) in [
            ("[Script Info]\n", Broken::NoTimes),
            ("[Events]\nDialogue: 0,0:00:01.00\n", Broken::Line(2)),
            ("Dialogue: 0,0:00:x,0:00:02.00,a\n", Broken::Line(1)),
        ] {
            assert_eq!(moved(text, &mut Clock::asking(1000)), Err(why), "{text}");
        }
    }
}
