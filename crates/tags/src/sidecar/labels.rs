//! Audacity labels (`.txt`): start and end in seconds and a title, separated by tabs.

use super::{Broken, to_units};
use crate::clock::Clock;

/// Time units per second: Audacity writes six digits.
const PER_SECOND: u64 = 1_000_000;

/// Returns the text with every time moved, without labels that lie outside the clock's part.
pub(super) fn moved(text: &str, clock: &mut Clock<'_>) -> Result<String, Broken> {
    let mut moved = String::with_capacity(text.len());
    let (mut labels, mut is_outside) = (0, false);
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() || line.starts_with('\\') {
            // The second line of a spectral label gives frequencies.
            if !is_outside {
                moved.push_str(line);
                moved.push('\n');
            }
            continue;
        }
        let fields: Vec<&str> = line.splitn(3, '\t').collect();
        let time = |text: &str| to_units(text.trim().replace(',', ".").parse().ok()?, PER_SECOND);
        let parsed = match fields[..] {
            [start, end, title] => time(start).zip(time(end)).map(|times| (times, title)),
            _ => None,
        };
        let ((start, end), title) = parsed.ok_or(Broken::Line(number))?;
        let span = clock.span(start, end, PER_SECOND);
        is_outside = span.is_none();
        if let Some((start, end)) = span {
            moved.push_str(&format!("{}\t{}\t{title}\n", written(start), written(end)));
        }
        labels += 1;
    }
    if labels == 0 {
        return Err(Broken::NoTimes);
    }
    Ok(moved)
}

fn written(units: u64) -> String {
    format!("{}.{:06}", units / PER_SECOND, units % PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_label_track_is_taken() {
        let labels = "1.000000\t1.500000\tIntro\n2.250000\t2.250000\t\n";
        let same = moved(labels, &mut Clock::asking(1_000_000));
        assert_eq!(same.as_deref(), Ok(labels));
        for (other, why) in [
            ("", Broken::NoTimes),
            ("Notes on the show\n", Broken::Line(1)),
            ("1.0\t2.0\tIntro\nand more\n", Broken::Line(2)),
        ] {
            assert_eq!(moved(other, &mut Clock::asking(1000)), Err(why));
        }
    }
}
