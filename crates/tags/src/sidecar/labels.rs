//! Audacity labels (`.txt`): start and end in seconds and a title, separated by tabs.

use super::moved_seconds;
use crate::clock::Clock;

/// Time units per second: Audacity writes six digits.
const PER_SECOND: u64 = 1_000_000;

/// Returns the text with every time moved, or `None` if a line is not part of a label track.
pub(super) fn moved(text: &str, clock: &mut Clock<'_>) -> Option<String> {
    let mut moved = String::with_capacity(text.len());
    for line in text.lines() {
        if line.trim().is_empty() || line.starts_with('\\') {
            // The second line of a spectral label gives frequencies.
            moved.push_str(line);
        } else {
            let mut fields = line.splitn(3, '\t');
            let mut time = || -> Option<String> {
                let seconds: f64 = fields.next()?.trim().replace(',', ".").parse().ok()?;
                let units = moved_seconds(seconds, PER_SECOND, clock)?;
                Some(format!("{}.{:06}", units / PER_SECOND, units % PER_SECOND))
            };
            let (start, end) = (time()?, time()?);
            moved.push_str(&format!("{start}\t{end}\t{}", fields.next()?));
        }
        moved.push('\n');
    }
    (!moved.trim().is_empty()).then_some(moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_label_track_is_taken() {
        let labels = "1.000000\t1.500000\tIntro\n2.250000\t2.250000\t\n";
        let same = moved(labels, &mut Clock::asking(1_000_000));
        assert_eq!(same.as_deref(), Some(labels));
        for other in ["", "Notes on the show\n", "1.0\t2.0\tIntro\nand more\n"] {
            assert_eq!(moved(other, &mut Clock::asking(1000)), None);
        }
    }
}
