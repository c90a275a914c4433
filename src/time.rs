//! Lengths of time as people write them.

/// Reads a length of time: seconds (`5.6`), a clock (`1:30`, `1:02:03.5`) or units (`90s`, `1h2m`,
/// `1.5 min`, `200ms`). Returns seconds.
///
/// # Errors
/// Returns what is allowed, to follow "it must be", if the text is none of these.
pub fn parse_seconds(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let seconds = match text.contains(':') {
        true => clock(text),
        false => plain(text).or_else(|| units(text)),
    };
    let allowed = "a length of time such as 5.6 (seconds), 1:30, 90s or 1h2m";
    seconds
        .filter(|seconds| seconds.is_finite())
        .ok_or_else(|| allowed.into())
}

/// Reads digits with at most one point, and nothing else that Rust takes for a number.
fn plain(text: &str) -> Option<f64> {
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|_| is_plain)
}

/// Reads hours, minutes and seconds, of which hours may be left out; only the first may be 60 or
/// more.
fn clock(text: &str) -> Option<f64> {
    let parts: Vec<&str> = text.split(':').collect();
    if parts.len() > 3 {
        return None;
    }
    let mut total = 0.0;
    for (index, part) in parts.iter().enumerate() {
        let is_last = index + 1 == parts.len();
        let value = plain(part).filter(|_| is_last || !part.contains('.'))?;
        if index > 0 && value >= 60.0 {
            return None;
        }
        total = total * 60.0 + value;
    }
    Some(total)
}

/// Reads numbers with units, from the longest unit down, each at most once.
fn units(text: &str) -> Option<f64> {
    let mut total = 0.0;
    let mut longest = f64::INFINITY;
    let mut rest = text;
    while !rest.is_empty() {
        let (number, after) = split_at_end(rest, |c| c.is_ascii_digit() || c == '.');
        let (unit, after) = split_at_end(after.trim_start(), char::is_alphabetic);
        let unit = match unit {
            "d" | "day" | "days" => 86_400.0,
            "h" | "hr" | "hour" | "hours" => 3600.0,
            "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
            "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
            "ms" => 0.001,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        if unit >= longest {
            return None;
        }
        total += plain(number)? * unit;
        longest = unit;
        rest = after.trim_start();
    }
    (longest < f64::INFINITY).then_some(total)
}

fn split_at_end(text: &str, is_part: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !is_part(c)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_write_times_in_many_ways() {
        for (text, seconds) in [
            ("5.6", 5.6),
            ("0", 0.0),
            (".5", 0.5),
            ("90", 90.0),
            ("1:30", 90.0),
            ("0:05.25", 5.25),
            ("1:02:03.5", 3723.5),
            ("100:00", 6000.0),
            ("90s", 90.0),
            ("1h2m", 3720.0),
            ("1h 2m 3s", 3723.0),
            ("1.5h", 5400.0),
            ("5 min", 300.0),
            ("200ms", 0.2),
            ("2 days", 172_800.0),
            (" 3 ", 3.0),
        ] {
            assert_eq!(parse_seconds(text), Ok(seconds), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "", " ", "abc", "-1", "+1", "1e3", "inf", "NaN", "1,5", "1:60", "1:2:3:4", "1.5:00",
            ":30", "1:", "5x", "5 5", "1m1h", "1s1s", "h", "1h2", "1..5", ".", "5m30",
        ] {
            assert!(parse_seconds(text).is_err(), "{text:?}");
        }
    }
}
