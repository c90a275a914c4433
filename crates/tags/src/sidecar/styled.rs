//! Advanced SubStation Alpha (`.ass`) and SubStation Alpha (`.ssa`): lines of
//! `Dialogue: 0,0:00:01.00,0:00:02.50,...`.

use super::{parse_time, split_millis};
use crate::clock::Clock;

/// Returns the text with every time moved, or `None` if it has no times or one cannot be parsed.
pub(super) fn moved(text: &str, clock: &mut Clock<'_>) -> Option<String> {
    let (mut moved, mut lines) = (String::with_capacity(text.len()), 0);
    for line in text.split_inclusive('\n') {
        let event = ["Dialogue:", "Comment:"]
            .into_iter()
            .find(|kind| line.starts_with(kind));
        if event.is_none() {
            moved.push_str(line);
            continue;
        }
        let mut fields = line.splitn(4, ',');
        let head = fields.next()?;
        let mut time = || {
            Some(written(
                clock.millis(parse_time(fields.next()?.trim(), &['.'])?),
            ))
        };
        let (start, end) = (time()?, time()?);
        moved.push_str(&format!("{head},{start},{end},{}", fields.next()?));
        lines += 1;
    }
    (lines > 0).then_some(moved)
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
        assert_eq!(moved(text, &mut Clock::asking(1000)).as_deref(), Some(text));
    }

    #[test]
    fn without_events_or_with_a_broken_one_it_is_refused() {
        for text in [
            "[Script Info]\n",
            "Dialogue: 0,0:00:01.00\n",
            "Dialogue: 0,0:00:x,0:00:02.00,a\n",
        ] {
            assert_eq!(moved(text, &mut Clock::asking(1000)), None, "{text}");
        }
    }
}
