//! Words for people: durations, paths, errors.

use std::error::Error;
use std::path::Path;

pub use audiostretchy::report::visible as escape;

/// A path, safe to print.
pub fn path(path: &Path) -> String {
    escape(&path.to_string_lossy())
}

/// An error and its causes on one line, safe to print.
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    for cause in std::iter::successors(error.source(), |&cause| cause.source()) {
        let cause = cause.to_string();
        // Some messages repeat what caused them.
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    escape(&text)
}

/// A length of audio: `1:02:03`, or `0:07.5` below a minute.
pub fn length(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("0:{:04.1}", (seconds * 10.0).floor() / 10.0);
    }
    let whole = seconds.round() as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// A number of things: `1 file`, `2 files`.
pub fn count(number: usize, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_read_as_on_a_player() {
        let shown = [0.0, 7.55, 59.99, 60.0, 3599.6, 36_000.0].map(length);
        assert_eq!(
            shown,
            ["0:00.0", "0:07.5", "0:59.9", "1:00", "1:00:00", "10:00:00"]
        );
    }
}
