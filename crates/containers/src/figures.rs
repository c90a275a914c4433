//! Figures as people read them: lengths, times, sizes, counts.

/// A length of audio, as on a player: `1:02:03`, `12:03`, or `0:07.5` below a minute.
pub fn length(seconds: f64) -> String {
    let seconds = sane(seconds);
    if seconds < 60.0 {
        return format!("0:{:04.1}", (seconds * 10.0).floor() / 10.0);
    }
    clock(seconds.round())
}

/// A place in audio that moves on, in whole seconds: `1:02:03`, `12:03`, `0:07`.
pub fn clock(seconds: f64) -> String {
    let whole = sane(seconds) as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// A time that was measured: `40 ms`, `50.8 s`, `8 min 11 s`, `2 h 5 min`.
pub fn duration(seconds: f64) -> String {
    let seconds = sane(seconds);
    if seconds < 0.9995 {
        return format!("{:.0} ms", seconds * 1000.0);
    }
    if seconds < 59.95 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    match whole {
        0..3600 => parts(whole / 60, "min", whole % 60, "s"),
        _ => parts(whole / 3600, "h", whole / 60 % 60, "min"),
    }
}

/// A time that is a guess, in one or two figures: `5 s`, `40 s`, `7 min`, `2 h 10 min`.
pub fn rough(seconds: f64) -> String {
    let whole = sane(seconds).ceil() as u64;
    match whole {
        0..10 => format!("{} s", whole.max(1)),
        10..60 => format!("{} s", whole.next_multiple_of(5)),
        60..3600 => format!("{} min", whole.div_ceil(60)),
        _ => {
            let minutes = whole.div_ceil(600) * 10;
            parts(minutes / 60, "h", minutes % 60, "min")
        }
    }
}

/// A number of bytes: `0 B`, `1.5 kB`, `30.1 MB`.
pub fn size(bytes: u64) -> String {
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64 / 1000.0;
    let mut units = ["kB", "MB", "GB", "TB", "PB", "EB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    // What would be rounded to 1000.0 is one of the next unit.
    while size >= 999.95 {
        let Some(next) = units.next() else { break };
        (size, unit) = (size / 1000.0, next);
    }
    format!("{size:.1} {unit}")
}

/// A number of things: `1 file`, `2 files`.
pub fn count(number: u64, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}

/// How many times as fast as it plays: `0.8x`, `64x`.
pub fn times(speed: f64) -> String {
    let speed = sane(speed);
    match speed < 9.95 {
        true => format!("{speed:.1}x"),
        false => format!("{speed:.0}x"),
    }
}

/// Two units; the second is left out where it would be 0.
fn parts(first: u64, unit: &str, second: u64, smaller: &str) -> String {
    match second {
        0 => format!("{first} {unit}"),
        _ => format!("{first} {unit} {second} {smaller}"),
    }
}

/// Neither below zero, -0 included, nor endless: a sum of nothing is -0, and a quotient may be
/// anything.
fn sane(number: f64) -> f64 {
    match number.is_finite() && number > 0.0 {
        true => number.min(1e15),
        false => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_read_as_on_a_player() {
        for (seconds, expected) in [
            (0.0, "0:00.0"),
            (7.55, "0:07.5"),
            (59.99, "0:59.9"),
            (60.0, "1:00"),
            (3599.6, "1:00:00"),
            (36_000.0, "10:00:00"),
        ] {
            assert_eq!(length(seconds), expected);
        }
    }

    #[test]
    fn a_clock_counts_whole_seconds() {
        let shown = [0.0, 7.9, 59.99, 60.0, 3723.0].map(clock);
        assert_eq!(shown, ["0:00", "0:07", "0:59", "1:00", "1:02:03"]);
    }

    #[test]
    fn a_length_that_is_none_is_zero() {
        let sum_of_nothing: f64 = std::iter::empty::<f64>().sum();
        for seconds in [sum_of_nothing, -0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(length(seconds), "0:00.0");
            assert_eq!(duration(seconds), "0 ms");
            assert_eq!(rough(seconds), "1 s");
            assert_eq!(times(seconds), "0.0x");
        }
        assert!(length(f64::MAX).ends_with(":40"));
    }

    #[test]
    fn times_are_told_in_the_units_of_their_size() {
        for (seconds, expected) in [
            (0.0412, "41 ms"),
            (0.9996, "1.0 s"),
            (50.84, "50.8 s"),
            (59.96, "1 min"),
            (490.9, "8 min 11 s"),
            (3599.7, "1 h"),
            (7530.0, "2 h 5 min"),
        ] {
            assert_eq!(duration(seconds), expected);
        }
    }

    #[test]
    fn a_guess_pretends_no_precision() {
        for (seconds, expected) in [
            (0.2, "1 s"),
            (7.2, "8 s"),
            (36.1, "40 s"),
            (55.1, "60 s"),
            (60.0, "1 min"),
            (490.9, "9 min"),
            (3601.0, "1 h 10 min"),
            (7200.0, "2 h"),
        ] {
            assert_eq!(rough(seconds), expected);
        }
    }

    #[test]
    fn sizes_have_three_digits_or_so() {
        for (bytes, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (30_140_000, "30.1 MB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
    }

    #[test]
    fn one_thing_is_not_plural() {
        let counted = [0, 1, 2].map(|number| count(number, "sample"));
        assert_eq!(counted, ["0 samples", "1 sample", "2 samples"]);
    }

    #[test]
    fn speeds_have_a_decimal_where_it_counts() {
        let shown = [0.04, 1.26, 9.96, 63.7, 1043.2].map(times);
        assert_eq!(shown, ["0.0x", "1.3x", "10x", "64x", "1043x"]);
    }
}
