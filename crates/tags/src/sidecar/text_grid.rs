//! Praat's TextGrid files in their long form: lines such as `xmin = 0.5`.

use super::moved_seconds;
use crate::clock::Clock;

/// Time units per second.
const PER_SECOND: u64 = 1_000_000;
/// What times are called: of intervals and tiers, and of points.
const NAMES: [&str; 4] = ["xmin", "xmax", "number", "time"];

/// Returns the text with every time moved, or `None` if it is no TextGrid of the long form.
pub(super) fn moved(text: &str, clock: &mut Clock<'_>) -> Option<String> {
    text.lines()
        .take(4)
        .find(|line| line.contains("\"TextGrid\""))?;
    let (mut moved, mut times) = (String::with_capacity(text.len()), 0);
    for line in text.split_inclusive('\n') {
        let time = line.split_once('=').filter(|(name, value)| {
            // Labels are in quotes.
            NAMES.contains(&name.trim()) && !value.contains('"')
        });
        let Some((name, value)) = time else {
            moved.push_str(line);
            continue;
        };
        let seconds: f64 = value.trim().parse().ok()?;
        let units = moved_seconds(seconds, PER_SECOND, clock)?;
        let seconds = units as f64 / PER_SECOND as f64;
        let ending = &line[line.trim_end().len()..];
        moved.push_str(&format!("{name}= {seconds}{ending}"));
        times += 1;
    }
    (times > 0).then_some(moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_the_times_stays() {
        let text = "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\nxmin = 0\n\
                    xmax = 2.5\ntiers? <exists>\nsize = 1\nitem []:\n    item [1]:\n        \
                    class = \"IntervalTier\"\n        xmin = 0\n        intervals [1]:\n            \
                    xmin = 0.25\n            xmax = 1.123456\n            text = \"time = 3\"\n";
        let same = moved(text, &mut Clock::asking(1_000_000));
        assert_eq!(same.as_deref(), Some(text));
        for other in [
            "",
            "xmin = 1\n",
            "\"TextGrid\"\nxmin = x\n",
            "\"TextGrid\"\n0\n1\n",
        ] {
            assert_eq!(moved(other, &mut Clock::asking(1000)), None, "{other}");
        }
    }
}
