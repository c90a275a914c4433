//! Presets with arbitrary values.

use super::*;

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-100i64..500).prop_map(Value::Whole),
        any::<i64>().prop_map(Value::Whole),
        (-80f64..120.0).prop_map(Value::Number),
        (0f64..5.0).prop_map(Value::Number),
        any::<f64>().prop_map(Value::Number),
        any::<bool>().prop_map(Value::Flag),
        "keep|1:30|5s|wav|mp3|16|24|32f|tdhs|adaptive|auto|speech|music|x".prop_map(Value::Text),
    ]
}

const KEYS: [&str; 24] = [
    "engine",
    "style",
    "ratio",
    "speed",
    "duration",
    "exact_length",
    "gap_ratio",
    "gap_scale",
    "max_pause",
    "upper_freq",
    "lower_freq",
    "buffer_ms",
    "threshold_gap_db",
    "double_range",
    "fast_detection",
    "normal_detection",
    "sample_rate",
    "format",
    "bit_depth",
    "channels",
    "bitrate_kbps",
    "quality",
    "dither",
    "encoder_effort",
];

proptest! {
    #[test]
    fn whatever_resolves_is_accepted_by_the_engine(
        preset in proptest::option::of(prop::sample::select(vec!["speech", "music", "fast", "natural", "natural-music", "phone", "podcast"])),
        pairs in prop::collection::vec((prop::sample::select(&KEYS[..]), any_value()), 0..12),
    ) {
        let mut layer = Layer::command_line();
        for (key, value) in pairs {
            let _ = layer.set(key, value);
        }
        match PresetStore::new([]).resolve(preset.map(OsStr::new), &layer) {
            Ok(resolved) => {
                prop_assert_eq!(resolved.settings.stretch.validate(), Ok(()));
                let output = &resolved.settings.output;
                prop_assert!(output.bitrate_kbps.is_none() || output.quality.is_none());
                prop_assert!(output.quality.is_none_or(|quality| (0.0..=10.0).contains(&quality)));
            }
            Err(
                PresetError::Combination { .. }
                | PresetError::WrongEngine { .. }
                | PresetError::LengthAndPauses { .. },
            ) => {}
            Err(error) => prop_assert!(false, "{error}"),
        }
    }

    #[test]
    fn a_value_means_the_same_in_a_file_and_on_the_command_line(
        key in prop::sample::select(&KEYS[..]),
        value in any_value(),
    ) {
        let mut layer = Layer::command_line();
        let line = (layer.set(key, value.clone())).and_then(|()| PresetStore::new([]).resolve(None, &layer));
        let folders = Folders::with(&[("first/a.toml", &format!("{key} = {value}"))]);
        match (line, folders.resolve("a")) {
            (Ok(line), Ok(file)) => prop_assert_eq!(line.settings, file.settings),
            (Err(line), Err(file)) => prop_assert_eq!(
                std::mem::discriminant(&line),
                std::mem::discriminant(&file)
            ),
            (line, file) => prop_assert!(false, "{line:?} but {file:?}"),
        }
    }

    #[test]
    fn no_text_makes_reading_a_preset_panic(text in "(?s)([a-z_]{1,8} ?= ?.{0,12}\n?){0,4}|.{0,40}") {
        let _ = Folders::with(&[("first/a.toml", &text)]).resolve("a");
    }
}
