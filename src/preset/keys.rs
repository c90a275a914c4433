//! The table of keys: the values that each accepts, and the setting that it writes.

use std::fmt;
use std::ops::RangeInclusive;

use super::suggest::nearest;
use super::{Settings, Value};
use crate::time;
use audiostretchy_engine::options::{
    BUFFER_MS, DURATION, Engine, MAX_PAUSE, MIN_LOWER_FREQ, MIN_UPPER_FREQ, RATIO, SAMPLE_RATE,
    Style, THRESHOLD_GAP_DB,
};
use audiostretchy_media::format::{BitDepth, EncoderEffort, Format, OutputChannels};

/// Allowed bit rates in kbit/s, as in
/// [`OutputOptions`](audiostretchy_media::format::OutputOptions).
const BITRATE_KBPS: RangeInclusive<u32> = 8..=512;
/// Allowed quality values for variable bit rates, as in the same options.
const QUALITY: RangeInclusive<f32> = 0.0..=10.0;

/// Allowed ratios of pauses to that of the rest.
const GAP_SCALE: RangeInclusive<f64> = 0.1..=1.0;

/// A key of a preset.
#[derive(Debug)]
pub(super) struct Key {
    /// Name, in snake case.
    pub name: &'static str,
    /// The equivalent command-line option.
    pub option: &'static str,
    /// The expected type, for messages.
    pub expects: &'static str,
    /// The keys that set the same thing in another way.
    pub rivals: &'static [&'static str],
    /// The only engine that the key is for, if it is not for all.
    pub engine: Option<Engine>,
    /// Checks a value and writes it to the settings.
    pub write: fn(&mut Settings, &Value) -> Result<(), Refused>,
    /// Returns the value from the settings, or `None` if there is none.
    pub read: fn(&Settings) -> Option<Value>,
}

/// Why a value cannot be used.
#[derive(Debug)]
pub(super) enum Refused {
    /// It is not of the expected type.
    Type,
    /// It is of the expected type but out of range; holds the allowed values.
    Range(String),
}

/// Keys of a preset that are not settings.
const ABOUT: [&str; 2] = ["description", "extends"];

const NUMBER: &str = "a number";
const WHOLE: &str = "a whole number";
const LENGTH: &str = "seconds, or a time in quotes such as \"1:30\" or \"1h2m\"";
const NAME: &str = "a name in quotes";
const FLAG: &str = "true or false";

/// Every setting, in the order of the documentation.
pub(super) static KEYS: [Key; 24] = [
    Key {
        name: "engine",
        option: "--engine",
        expects: NAME,
        rivals: &[],
        engine: None,
        write: |s, v| {
            one_of(v, Engine::ALL.map(Engine::name)).map(|i| s.stretch.engine = Engine::ALL[i])
        },
        read: |s| Some(s.stretch.engine.name().into()),
    },
    Key {
        name: "style",
        option: "--style",
        expects: NAME,
        rivals: &[],
        engine: Some(Engine::Adaptive),
        write: |s, v| {
            one_of(v, Style::ALL.map(Style::name)).map(|i| s.stretch.style = Style::ALL[i])
        },
        read: |s| Some(s.stretch.style.name().into()),
    },
    Key {
        name: "ratio",
        option: "--ratio",
        expects: NUMBER,
        rivals: &["speed", "duration"],
        engine: None,
        write: |s, v| number(v, RATIO, "").map(|x| s.stretch.ratio = x),
        read: |s| Some(s.stretch.ratio.into()),
    },
    Key {
        name: "speed",
        option: "--speed",
        expects: NUMBER,
        rivals: &["ratio", "duration"],
        engine: None,
        // The range of ratios is its own inverse.
        write: |s, v| number(v, RATIO, "").map(|x| s.stretch.ratio = 1.0 / x),
        read: |_| None,
    },
    Key {
        name: "duration",
        option: "--duration",
        expects: LENGTH,
        rivals: &["ratio", "speed"],
        engine: None,
        write: |s, v| length(v, DURATION, "").map(|x| s.stretch.duration = x),
        read: |_| None,
    },
    Key {
        name: "exact_length",
        option: "--exact-length",
        expects: FLAG,
        rivals: &[],
        engine: None,
        write: |s, v| flag(v).map(|on| s.stretch.exact_length = on),
        read: |s| Some(s.stretch.exact_length.into()),
    },
    Key {
        name: "gap_ratio",
        option: "--gap-ratio",
        expects: NUMBER,
        rivals: &["gap_scale"],
        engine: None,
        write: |s, v| number_or_off(v, RATIO, ", or 0 for off").map(|x| s.stretch.gap_ratio = x),
        read: |s| Some(s.stretch.gap_ratio.into()),
    },
    Key {
        name: "max_pause",
        option: "--max-pause",
        expects: LENGTH,
        rivals: &[],
        engine: None,
        write: |s, v| {
            let seconds = match zero(v) {
                true => 0.0,
                false => length(v, MAX_PAUSE, ", or 0 for off")?,
            };
            s.stretch.max_pause = seconds;
            Ok(())
        },
        read: |s| Some(s.stretch.max_pause.into()),
    },
    Key {
        name: "gap_scale",
        option: "--gap-scale",
        expects: NUMBER,
        rivals: &["gap_ratio"],
        engine: None,
        // The ratio that it is multiplied by may change yet.
        write: |_, v| number(v, GAP_SCALE, "").map(|_| ()),
        read: |_| None,
    },
    Key {
        name: "upper_freq",
        option: "--upper-freq",
        expects: WHOLE,
        rivals: &[],
        engine: Some(Engine::Tdhs),
        write: |s, v| {
            let range = MIN_UPPER_FREQ..=highest_freq();
            whole(v, range, " Hz").map(|x| s.stretch.upper_freq = x)
        },
        read: |s| Some(s.stretch.upper_freq.into()),
    },
    Key {
        name: "lower_freq",
        option: "--lower-freq",
        expects: WHOLE,
        rivals: &[],
        engine: Some(Engine::Tdhs),
        write: |s, v| {
            let range = MIN_LOWER_FREQ..=highest_freq() / 2;
            whole(v, range, " Hz").map(|x| s.stretch.lower_freq = x)
        },
        read: |s| Some(s.stretch.lower_freq.into()),
    },
    Key {
        name: "buffer_ms",
        option: "--buffer-ms",
        expects: NUMBER,
        rivals: &[],
        engine: None,
        write: |s, v| number(v, BUFFER_MS, " ms").map(|x| s.stretch.buffer_ms = x as f32),
        read: |s| Some(s.stretch.buffer_ms.into()),
    },
    Key {
        name: "threshold_gap_db",
        option: "--threshold-gap-db",
        expects: NUMBER,
        rivals: &[],
        engine: None,
        write: |s, v| {
            let level = number(v, THRESHOLD_GAP_DB, " dB")?;
            s.stretch.threshold_gap_db = level as f32;
            Ok(())
        },
        read: |s| Some(s.stretch.threshold_gap_db.into()),
    },
    Key {
        name: "double_range",
        option: "--double-range",
        expects: FLAG,
        rivals: &[],
        engine: Some(Engine::Tdhs),
        write: |s, v| flag(v).map(|on| s.stretch.double_range = on),
        read: |s| Some(s.stretch.double_range.into()),
    },
    Key {
        name: "fast_detection",
        option: "--fast-detection",
        expects: FLAG,
        rivals: &["normal_detection"],
        engine: Some(Engine::Tdhs),
        write: |s, v| flag(v).map(|on| s.stretch.fast_detection = on),
        read: |s| Some(s.stretch.fast_detection.into()),
    },
    Key {
        name: "normal_detection",
        option: "--normal-detection",
        expects: FLAG,
        rivals: &["fast_detection"],
        engine: Some(Engine::Tdhs),
        write: |s, v| flag(v).map(|on| s.stretch.normal_detection = on),
        read: |s| Some(s.stretch.normal_detection.into()),
    },
    Key {
        name: "sample_rate",
        option: "--sample-rate",
        expects: WHOLE,
        rivals: &[],
        engine: None,
        write: |s, v| {
            s.output.sample_rate = match v {
                Value::Whole(0) => None,
                _ => Some(whole(v, SAMPLE_RATE, " Hz, or 0 to keep the input's")?),
            };
            Ok(())
        },
        read: |s| Some(s.output.sample_rate.unwrap_or(0).into()),
    },
    Key {
        name: "channels",
        option: "--channels",
        expects: NAME,
        rivals: &[],
        engine: None,
        write: |s, v| {
            let choices = OutputChannels::ALL;
            one_of(v, choices.map(OutputChannels::name)).map(|i| s.output.channels = choices[i])
        },
        read: |s| Some(s.output.channels.name().into()),
    },
    Key {
        name: "format",
        option: "--format",
        expects: NAME,
        rivals: &[],
        engine: None,
        write: |s, v| match v {
            Value::Text(name) => {
                let names = Format::ALL.iter().map(|format| format.name());
                keep_or(name, names, Format::from_name).map(|format| s.output.format = format)
            }
            _ => Err(Refused::Type),
        },
        read: |s| Some(s.output.format.map_or("keep", Format::name).into()),
    },
    Key {
        name: "bit_depth",
        option: "--bit-depth",
        expects: "a name in quotes, or 16 or 24",
        rivals: &[],
        engine: None,
        write: |s, v| {
            let name = match v {
                Value::Text(name) => name,
                Value::Whole(bits) => &bits.to_string(),
                _ => return Err(Refused::Type),
            };
            let names = BitDepth::ALL.iter().map(|depth| depth.name());
            keep_or(name, names, BitDepth::from_name).map(|depth| s.output.bit_depth = depth)
        },
        read: |s| Some(s.output.bit_depth.map_or("keep", BitDepth::name).into()),
    },
    Key {
        name: "bitrate_kbps",
        option: "--bitrate",
        expects: WHOLE,
        rivals: &["quality"],
        engine: None,
        write: |s, v| {
            let rate = whole(v, BITRATE_KBPS, " kbit/s")?;
            s.output.bitrate_kbps = Some(rate);
            Ok(())
        },
        read: |s| s.output.bitrate_kbps.map(Value::from),
    },
    Key {
        name: "quality",
        option: "--quality",
        expects: NUMBER,
        rivals: &["bitrate_kbps"],
        engine: None,
        write: |s, v| number(v, QUALITY, "").map(|x| s.output.quality = Some(x as f32)),
        read: |s| s.output.quality.map(Value::from),
    },
    Key {
        name: "dither",
        option: "--dither",
        expects: FLAG,
        rivals: &[],
        engine: None,
        write: |s, v| flag(v).map(|on| s.output.dither = on),
        read: |s| Some(s.output.dither.into()),
    },
    Key {
        name: "encoder_effort",
        option: "--encoder-effort",
        expects: NAME,
        rivals: &[],
        engine: None,
        write: |s, v| {
            let efforts = EncoderEffort::ALL;
            one_of(v, efforts.map(EncoderEffort::name))
                .map(|i| s.output.encoder_effort = efforts[i])
        },
        read: |s| Some(s.output.encoder_effort.name().into()),
    },
];

/// Returns the setting with this name in snake case.
pub(super) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// Returns all keys that are allowed in a preset.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|key| key.name).chain(ABOUT)
}

/// Returns the highest frequency of the pitch search in Hz: half the highest sample rate.
fn highest_freq() -> u32 {
    SAMPLE_RATE.end() / 2
}

fn zero(value: &Value) -> bool {
    match value {
        Value::Number(number) => *number == 0.0,
        Value::Whole(whole) => *whole == 0,
        _ => false,
    }
}

/// Checks a number against a range. Compares as `f64`: the bounds are exact in both types, and a
/// value within them stays so as `f32`.
fn number<T: Into<f64> + fmt::Display + Copy>(
    value: &Value,
    range: RangeInclusive<T>,
    note: &str,
) -> Result<f64, Refused> {
    let number = value.number().ok_or(Refused::Type)?;
    let (low, high) = range.into_inner();
    if (low.into()..=high.into()).contains(&number) {
        // Turns -0.0 into 0.0, so that equal settings are also written equally.
        return Ok(number + 0.0);
    }
    Err(Refused::Range(format!("from {low} to {high}{note}")))
}

/// Reads a length in seconds: a number, or text as [`time::parse_seconds`] takes it.
fn length(value: &Value, range: RangeInclusive<f64>, note: &str) -> Result<f64, Refused> {
    let value = match value {
        Value::Text(text) => Value::Number(time::parse_seconds(text).map_err(Refused::Range)?),
        value => value.clone(),
    };
    number(&value, range, &format!(" s{note}"))
}

/// As [`number`], where 0 stands for off.
fn number_or_off(value: &Value, range: RangeInclusive<f64>, note: &str) -> Result<f64, Refused> {
    match zero(value) {
        true => Ok(0.0),
        false => number(value, range, note),
    }
}

fn whole(value: &Value, range: RangeInclusive<u32>, note: &str) -> Result<u32, Refused> {
    let Value::Whole(whole) = value else {
        return Err(Refused::Type);
    };
    let (low, high) = (range.start(), range.end());
    (u32::try_from(*whole).ok().filter(|x| range.contains(x)))
        .ok_or_else(|| Refused::Range(format!("from {low} to {high}{note}")))
}

fn flag(value: &Value) -> Result<bool, Refused> {
    match value {
        Value::Flag(on) => Ok(*on),
        _ => Err(Refused::Type),
    }
}

/// Parses `keep` into `None`, or else one of `names`.
fn keep_or<T>(
    name: &str,
    names: impl Iterator<Item = &'static str>,
    from_name: fn(&str) -> Option<T>,
) -> Result<Option<T>, Refused> {
    if name == "keep" {
        return Ok(None);
    }
    let names = std::iter::once("keep").chain(names);
    (from_name(name).map(Some)).ok_or_else(|| no_such_name(name, names))
}

/// Returns the index of a value among names.
fn one_of<const N: usize>(value: &Value, names: [&'static str; N]) -> Result<usize, Refused> {
    let Value::Text(name) = value else {
        return Err(Refused::Type);
    };
    (names.iter().position(|known| known == name)).ok_or_else(|| no_such_name(name, names))
}

fn no_such_name(name: &str, names: impl IntoIterator<Item = &'static str>) -> Refused {
    let names: Vec<&str> = names.into_iter().collect();
    let mut allowed = format!("one of \"{}\"", names.join("\", \""));
    if let Some(near) = nearest(name, names) {
        allowed += &format!(" (did you mean \"{near}\"?)");
    }
    Refused::Range(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_engine_and_output_option_has_a_key() {
        // What has its default in most files is written only where it has another value.
        let mut settings = Settings::default();
        settings.stretch.engine = Engine::Adaptive;
        settings.stretch.style = Style::Music;
        settings.stretch.max_pause = 1.0;
        settings.stretch.duration = 1.0;
        settings.stretch.exact_length = true;
        settings.output.channels = OutputChannels::Mono;
        settings.output.encoder_effort = EncoderEffort::Best;
        let settings = serde_json::to_value(settings).unwrap();
        let fields = |part: &str| -> Vec<String> {
            let fields = settings[part].as_object().unwrap();
            fields.keys().cloned().collect()
        };
        // Two keys set what others set in another way.
        let others = vec!["speed".into(), "gap_scale".into()];
        let mut options = [fields("stretch"), fields("output"), others].concat();
        options.sort();
        let mut keys: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
        keys.sort_unstable();
        assert_eq!(keys, options);
    }

    #[test]
    fn every_default_is_a_value_that_can_be_given() {
        let default = Settings::default();
        for key in &KEYS {
            if let Some(value) = (key.read)(&default) {
                let mut settings = Settings::default();
                assert!((key.write)(&mut settings, &value).is_ok(), "{}", key.name);
                assert_eq!(settings, default, "{}", key.name);
            }
        }
    }

    #[test]
    fn rivals_name_each_other() {
        for key in &KEYS {
            for rival in key.rivals {
                assert!(find(rival).unwrap().rivals.contains(&key.name));
            }
        }
    }
}
