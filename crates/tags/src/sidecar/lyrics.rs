//! LRC lyrics: `[mm:ss.xx]` before lines, `<mm:ss.xx>` before words.

use super::{Broken, parse_time, split_millis, split_soon};
use crate::clock::Clock;

/// Returns the text with every time moved, without lines that lie outside the clock's part.
///
/// An `[offset:]` shifts all times against the audio; it is applied to them and removed.
/// `[length:]` is replaced.
pub(super) fn moved(text: &str, clock: &mut Clock<'_>) -> Result<String, Broken> {
    let offset = offset(text)?;
    let (mut moved, mut times) = (String::with_capacity(text.len()), 0);
    for line in text.split_inclusive('\n') {
        if field(line, "offset").is_some() {
            continue;
        }
        if field(line, "length").is_some() {
            if let Some(end) = clock.output_end() {
                let seconds = end / u64::from(clock.output_rate().max(1));
                moved.push_str(&format!(
                    "[length:{:02}:{:02}]\n",
                    seconds / 60,
                    seconds % 60
                ));
            }
            continue;
        }
        let (mut rest, mut written, mut outside, mut inside) = (line, String::new(), 0, 0);
        while let Some(at) = rest.find(['[', '<']) {
            let open = rest.as_bytes()[at];
            let close = if open == b'[' { ']' } else { '>' };
            let (before, inner) = rest.split_at(at + 1);
            written.push_str(before);
            rest = inner;
            if let Some((inner, after)) = split_soon(inner, close)
                && inner.contains(':')
                && let Some(time) = parse_time(inner, &['.'])
            {
                // A positive offset shows lines earlier.
                let time = time.saturating_add_signed(-offset);
                times += 1;
                let Some((moved, _)) = clock.span(time, time, 1000) else {
                    // One of several times of a line; of a line without any, nothing is written.
                    written.pop();
                    outside += 1;
                    rest = after;
                    continue;
                };
                inside += 1;
                let (hours, minutes, seconds, millis) = split_millis(moved);
                let minutes = hours * 60 + minutes;
                // Players expect hundredths; thousandths are written only where the input has them.
                let precise = inner
                    .split_once('.')
                    .is_some_and(|(_, part)| part.len() > 2);
                let fraction = match precise {
                    true => format!("{millis:03}"),
                    false => format!("{:02}", millis / 10),
                };
                written.push_str(&format!("{minutes:02}:{seconds:02}.{fraction}{close}"));
                rest = after;
            }
        }
        if inside > 0 || outside == 0 {
            moved.push_str(&written);
            moved.push_str(rest);
        }
    }
    if times == 0 {
        return Err(Broken::NoTimes);
    }
    Ok(moved)
}

/// Returns the value of a line such as `[offset:+500]`.
fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let inner = line.trim().strip_prefix('[')?.strip_suffix(']')?;
    let (key, value) = inner.split_once(':')?;
    key.trim()
        .eq_ignore_ascii_case(name)
        .then_some(value.trim())
}

/// Returns the offset in milliseconds, 0 if there is none.
fn offset(text: &str) -> Result<i64, Broken> {
    let mut lines = (1..).zip(text.lines());
    match lines.find_map(|(number, line)| Some((number, field(line, "offset")?))) {
        Some((number, value)) => {
            let value = value.parse::<i64>().ok();
            let value = value.filter(|value| value.abs() < 100_000_000);
            value.ok_or(Broken::Line(number))
        }
        None => Ok(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_the_times_stays() {
        let text = "[ar:Someone]\n[00:12.00][01:15.50]La <00:12.50>la\n[02:00.123]End [sic]\n";
        assert_eq!(moved(text, &mut Clock::asking(1000)).as_deref(), Ok(text));
        let shifted = moved("[offset:500]\n[00:12.00]La\n", &mut Clock::asking(1000));
        assert_eq!(shifted.as_deref(), Ok("[00:11.50]La\n"));
    }

    #[test]
    fn text_without_times_is_not_lyrics() {
        assert_eq!(
            moved("La la la\n[Chorus]\n", &mut Clock::asking(1000)),
            Err(Broken::NoTimes)
        );
        assert_eq!(
            moved(
                "[ar:y]\n[offset:x]\n[00:12.00]La\n",
                &mut Clock::asking(1000)
            ),
            Err(Broken::Line(2))
        );
    }
}
