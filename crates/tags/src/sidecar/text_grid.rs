//! Praat's TextGrid files in their long form: lines such as `xmin = 0.5`.

use super::{Broken, to_units};
use crate::clock::Clock;

/// Time units per second.
const PER_SECOND: u64 = 1_000_000;
/// What times are called: of intervals and tiers, and of points.
const NAMES: [&str; 4] = ["xmin", "xmax", "number", "time"];

/// Returns the text with every time moved.
pub(super) fn moved(text: &str, clock: &mut Clock<'_>) -> Result<String, Broken> {
    let mut head = text.lines().take(4);
    if !head.any(|line| line.contains("\"TextGrid\"")) {
        return Err(Broken::Line(1));
    }
    let (mut moved, mut times) = (String::with_capacity(text.len()), 0);
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let time = line.split_once('=').filter(|(name, value)| {
            // Labels are in quotes.
            NAMES.contains(&name.trim()) && !value.contains('"')
        });
        let Some((name, value)) = time else {
            moved.push_str(line);
            continue;
        };
        let seconds = value.trim().parse().ok();
        let units = seconds.and_then(|seconds| to_units(seconds, PER_SECOND));
        let units = clock.units(units.ok_or(Broken::Line(number))?, PER_SECOND);
        let seconds = units as f64 / PER_SECOND as f64;
        let ending = &line[line.trim_end().len()..];
        moved.push_str(&format!("{name}= {seconds}{ending}"));
        times += 1;
    }
    if times == 0 {
        return Err(Broken::Other(
            "is in Praat's short form: save it as a text file",
        ));
    }
    Ok(moved)
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
        assert_eq!(same.as_deref(), Ok(text));
        let why = |text| moved(text, &mut Clock::asking(1000)).unwrap_err();
        assert_eq!(why(""), Broken::Line(1));
        assert_eq!(why("xmin = 1\n"), Broken::Line(1));
        assert_eq!(why("\"TextGrid\"\nxmin = x\n"), Broken::Line(2));
        assert!(matches!(why("\"TextGrid\"\n0\n1\n"), Broken::Other(_)));
    }
}
