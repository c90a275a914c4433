//! `--suffix` with `{speed}` and `{preset}` in it.

use std::ffi::{OsStr, OsString};

use audiostretchy::preset::{Resolved, Value};

/// What stands in braces cannot be told.
#[derive(Debug, thiserror::Error)]
pub(super) enum SuffixError {
    #[error("--suffix: {{{0}}} is not known: {{speed}} and {{preset}} are")]
    Unknown(String),
    #[error("--suffix: {{speed}} stands for one speed, and with durations each file has its own")]
    NoSpeed,
    #[error("--suffix: {{preset}} stands for the name of a preset, and none is given")]
    NoPreset,
}

/// Returns a suffix with names in braces replaced by what they stand for.
///
/// `has_durations` says that files have speeds of their own, as they also do with one duration.
pub(super) fn expand(
    suffix: &OsStr,
    resolved: &Resolved,
    has_durations: bool,
) -> Result<OsString, SuffixError> {
    let has_durations = has_durations || resolved.settings.stretch.duration != 0.0;
    let Some(mut rest) = suffix.to_str() else {
        return Ok(suffix.to_owned());
    };
    let mut expanded = String::new();
    while let Some((before, (name, after))) = rest
        .split_once('{')
        .and_then(|(before, from)| Some((before, from.split_once('}')?)))
    {
        expanded += before;
        expanded += &match name {
            "speed" if has_durations => return Err(SuffixError::NoSpeed),
            "speed" => speed(resolved),
            "preset" => resolved.preset.clone().ok_or(SuffixError::NoPreset)?,
            name => return Err(SuffixError::Unknown(name.into())),
        };
        rest = after;
    }
    Ok((expanded + rest).into())
}

/// Returns the speed as it was given, or that of a ratio to three decimals.
fn speed(resolved: &Resolved) -> String {
    let given = resolved
        .entry("speed")
        .and_then(|entry| entry.value.as_ref());
    let given = given.and_then(Value::number);
    let speed =
        given.unwrap_or_else(|| (1000.0 / resolved.settings.stretch.ratio).round() / 1000.0);
    speed.to_string()
}

#[cfg(test)]
mod tests {
    use audiostretchy::preset::{Layer, PresetStore};

    use super::*;

    fn expand_with(suffix: &str, preset: Option<&str>, key: &str, value: f64) -> String {
        let mut layer = Layer::command_line();
        layer.set(key, value).unwrap();
        let resolved = PresetStore::new([]).resolve(preset.map(OsStr::new), &layer);
        match expand(suffix.as_ref(), &resolved.unwrap(), false) {
            Ok(expanded) => expanded.into_string().unwrap(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn names_in_braces_are_replaced() {
        assert_eq!(expand_with("_{speed}x", None, "speed", 1.5), "_1.5x");
        assert_eq!(expand_with("_{speed}x", None, "speed", 2.0), "_2x");
        assert_eq!(expand_with("-{speed}", None, "ratio", 0.667), "-1.499");
        assert_eq!(
            expand_with(".{preset}.{speed}", Some("speech"), "ratio", 0.8),
            ".speech.1.25"
        );
        assert_eq!(expand_with("{", None, "ratio", 0.8), "{");
        assert_eq!(expand_with("a}b", None, "ratio", 0.8), "a}b");
        assert!(expand_with("{preset}", None, "ratio", 0.8).contains("none is given"));
        assert!(expand_with("{speed}", None, "duration", 2.0).contains("each file has its own"));
        assert!(expand_with("{}", None, "ratio", 0.8).contains("{} is not known"));
        assert!(expand_with("{Speed}", None, "ratio", 0.8).contains("{Speed} is not known"));
    }
}
