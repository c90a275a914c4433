//! What the values of options may be.

use std::time::Duration;

use audiostretchy::time::parse_seconds;
use audiostretchy::{BitDepth, EncoderEffort, Engine, Format, OutputChannels, Style};

/// A number; what people write for one is told how to write it here.
pub(super) fn number(text: &str) -> Result<f64, String> {
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let is_number = |text: &str| text.parse::<f64>().is_ok();
    let with_point = text.replacen(',', ".", 1);
    let without_x = text.trim_end_matches(['x', 'X']);
    Err(if is_number(&with_point) {
        format!("it must be a number with a point: {with_point}")
    } else if is_number(without_x) {
        format!("it must be a number alone: {without_x}")
    } else {
        "it must be a number, such as 0.8".into()
    })
}

/// A length of time, in seconds.
pub(super) fn seconds(text: &str) -> Result<f64, String> {
    parse_seconds(text).map_err(|allowed| format!("it must be {allowed}"))
}

/// A length of time that is not 0.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let time = Duration::try_from_secs_f64(seconds(text)?).map_err(|error| error.to_string())?;
    match time.is_zero() {
        true => Err("it must be more than 0 seconds".into()),
        false => Ok(time),
    }
}

/// A whole number.
pub(super) fn whole_number(text: &str) -> Result<i64, &'static str> {
    text.parse().map_err(|_| "it must be a whole number")
}

/// A sample rate; a number that can only be a speed is told the option for that.
pub(super) fn sample_rate(text: &str) -> Result<i64, String> {
    /// No sample rate is lower, and no speed as high.
    const SPEEDS: std::ops::RangeInclusive<f64> = 0.1..=100.0;
    match (text.parse(), text.replacen(',', ".", 1).parse::<f64>()) {
        (_, Ok(speed)) if SPEEDS.contains(&speed) => Err(format!(
            "it is a sample rate in Hz; for a speed, use --speed {speed}"
        )),
        (Ok(rate), _) => Ok(rate),
        (Err(_), _) => Err("it must be a whole number of Hz, such as 16000".into()),
    }
}

/// How many files at a time.
pub(super) fn file_count(text: &str) -> Result<usize, &'static str> {
    let allowed = "it must be a whole number, or 0 for one file a processor";
    text.parse().map_err(|_| allowed)
}

/// Returns the names of formats that this build writes.
pub(super) fn formats() -> impl Iterator<Item = &'static str> {
    let built_in = Format::ALL
        .into_iter()
        .filter(|format| format.is_built_in());
    std::iter::once("keep").chain(built_in.map(Format::name))
}

/// Returns the names of engines.
pub(super) fn engines() -> impl Iterator<Item = &'static str> {
    Engine::ALL.into_iter().map(Engine::name)
}

/// Returns the names of choices of channels.
pub(super) fn channels() -> impl Iterator<Item = &'static str> {
    OutputChannels::ALL.into_iter().map(OutputChannels::name)
}

/// Returns the names of encoder efforts.
pub(super) fn efforts() -> impl Iterator<Item = &'static str> {
    EncoderEffort::ALL.into_iter().map(EncoderEffort::name)
}

/// Returns the names of styles.
pub(super) fn styles() -> impl Iterator<Item = &'static str> {
    Style::ALL.into_iter().map(Style::name)
}

/// Returns the names of sample types.
pub(super) fn bit_depths() -> impl Iterator<Item = &'static str> {
    std::iter::once("keep").chain(BitDepth::ALL.map(BitDepth::name))
}

/// A count that cannot be 0.
pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("it must be 1 or more".into()),
        Ok(number) => Ok(number),
        Err(_) => Err("it must be a whole number".into()),
    }
}
