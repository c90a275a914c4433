//! Which layer of settings takes precedence.

use super::*;

#[test]
fn each_key_comes_from_the_highest_layer_that_sets_it() {
    let folders = Folders::with(&[
        ("first/base.toml", "upper_freq = 500\nlower_freq = 90\n"),
        (
            "first/top.toml",
            "extends = \"base\"\nlower_freq = 100\nbuffer_ms = 30\n",
        ),
    ]);
    let layer = command_line(&[("buffer_ms", 40.0.into())]);
    let resolved = (folders.store())
        .resolve(Some("top".as_ref()), &layer)
        .unwrap();
    let stretch = &resolved.settings.stretch;
    assert_eq!((stretch.upper_freq, stretch.lower_freq), (500, 100));
    assert_eq!(stretch.buffer_ms, 40.0);
    let source = |key| folders.source(&resolved, key);
    assert_eq!(source("upper_freq"), "first/base.toml:1");
    assert_eq!(source("lower_freq"), "first/top.toml:2");
    assert_eq!(source("buffer_ms"), "the command line");
    assert_eq!(source("gap_ratio"), "the default");
}

#[test]
fn speed_on_the_command_line_replaces_a_presets_ratio_and_the_reverse() {
    let folders = Folders::with(&[("first/slow.toml", "ratio = 2")]);
    let faster = (folders.store())
        .resolve(
            Some("slow".as_ref()),
            &command_line(&[("speed", 1.5.into())]),
        )
        .unwrap();
    assert_eq!(faster.settings.stretch.ratio, 1.0 / 1.5);
    assert_eq!(value(&faster, "speed"), Some(Value::Number(1.5)));

    let podcast = under("podcast", &command_line(&[("ratio", 0.9f32.into())]));
    assert_eq!(podcast.settings.stretch.ratio, 0.9);
    assert_eq!(value(&podcast, "ratio"), Some(Value::Number(0.9)));
    assert_eq!(podcast.entry("speed"), None);
}

#[test]
fn gap_scale_follows_the_ratio_and_the_later_of_it_and_gap_ratio_wins() {
    let folders = Folders::with(&[("first/fixed.toml", "ratio = 0.8\ngap_ratio = 0.3")]);
    let gap_ratio = |preset: &str, keys: &[(&str, Value)]| {
        let resolved = folders
            .store()
            .resolve(Some(preset.as_ref()), &command_line(keys));
        resolved.unwrap().settings.stretch.gap_ratio
    };
    assert_eq!(gap_ratio("podcast", &[]), 0.5);
    assert_eq!(gap_ratio("podcast", &[("speed", 2.0.into())]), 0.3125);
    assert_eq!(gap_ratio("podcast", &[("speed", 3.0.into())]), 0.25);
    assert_eq!(gap_ratio("podcast", &[("gap_ratio", 0.4.into())]), 0.4);
    assert_eq!(gap_ratio("podcast", &[("gap_ratio", 0u32.into())]), 0.0);
    assert_eq!(gap_ratio("fixed", &[("gap_scale", 0.5.into())]), 0.4);
    assert_eq!(gap_ratio("fixed", &[("gap_scale", 1u32.into())]), 0.8);
    let mut layer = Layer::command_line();
    layer.set("gap_scale", 0.5).unwrap();
    let conflict = layer.set("gap_ratio", 0.5).unwrap_err().to_string();
    assert!(conflict.contains("--gap-scale"), "{conflict}");
}

#[test]
fn one_detection_on_the_command_line_turns_the_other_off() {
    let fast = under("speech", &command_line(&[("fast_detection", true.into())]));
    assert!(fast.settings.stretch.fast_detection);
    assert!(!fast.settings.stretch.normal_detection);
    let normal = under("fast", &command_line(&[("normal_detection", true.into())]));
    assert!(!normal.settings.stretch.fast_detection);
    assert!(normal.settings.stretch.normal_detection);
}

#[test]
fn turning_a_detection_off_says_nothing_about_the_other() {
    let folders = Folders::with(&[
        (
            "first/off.toml",
            "extends = \"fast\"\nnormal_detection = false",
        ),
        (
            "first/both.toml",
            "extends = \"fast\"\nfast_detection = false\nnormal_detection = true",
        ),
    ]);
    assert!(folders.stretch("off").fast_detection);
    let both = folders.resolve("both").unwrap();
    assert!(both.settings.stretch.normal_detection);
    assert_eq!(folders.source(&both, "fast_detection"), "first/both.toml:2");
}

#[test]
fn a_bit_rate_replaces_a_quality_from_below_and_the_reverse() {
    let folders = Folders::with(&[
        ("first/vbr.toml", "quality = 4"),
        ("first/cbr.toml", "extends = \"vbr\"\nbitrate_kbps = 96"),
        ("first/again.toml", "extends = \"cbr\"\nquality = 7.5"),
    ]);
    let output = |name| {
        let output = folders.resolve(name).unwrap().settings.output;
        (output.bitrate_kbps, output.quality)
    };
    assert_eq!(output("vbr"), (None, Some(4.0)));
    assert_eq!(output("cbr"), (Some(96), None));
    assert_eq!(output("again"), (None, Some(7.5)));
}

#[test]
fn keep_and_zero_undo_what_a_lower_layer_set() {
    let folders = Folders::with(&[
        (
            "first/set.toml",
            "format = \"flac\"\nbit_depth = 24\nsample_rate = 16_000\ngap_ratio = 0.5",
        ),
        (
            "first/unset.toml",
            "extends = \"set\"\nformat = \"keep\"\nbit_depth = \"keep\"\nsample_rate = 0\ngap_ratio = 0",
        ),
    ]);
    let set = folders.resolve("set").unwrap().settings;
    assert_eq!(set.output.format, Some(Format::Flac));
    assert_eq!(set.output.bit_depth, Some(BitDepth::Int24));
    assert_eq!(set.output.sample_rate, Some(16_000));
    let unset = folders.resolve("unset").unwrap();
    assert_eq!(unset.settings, Default::default());
    assert_eq!(value(&unset, "format"), Some("keep".into()));
    assert_eq!(folders.source(&unset, "format"), "first/unset.toml:2");
}

#[test]
fn every_bit_depth_and_format_can_be_named() {
    for format in Format::ALL {
        let layer = command_line(&[("format", format.into())]);
        let resolved = PresetStore::new([]).resolve(None, &layer).unwrap();
        assert_eq!(resolved.settings.output.format, Some(format));
    }
    for (text, depth) in [
        ("16", BitDepth::Int16),
        ("\"16\"", BitDepth::Int16),
        ("\"24\"", BitDepth::Int24),
        ("\"32f\"", BitDepth::Float32),
    ] {
        let folders = Folders::with(&[("first/a.toml", &format!("bit_depth = {text}"))]);
        let output = folders.resolve("a").unwrap().settings.output;
        assert_eq!(output.bit_depth, Some(depth), "{text}");
    }
}

#[test]
fn a_format_drops_what_it_has_no_use_for_from_below() {
    let folders = Folders::with(&[
        ("first/lossy.toml", "format = \"mp3\"\nbitrate_kbps = 96"),
        ("first/wav.toml", "extends = \"lossy\"\nformat = \"wav\""),
        ("first/deep.toml", "extends = \"wav\"\nbit_depth = 24"),
        ("first/opus.toml", "extends = \"deep\"\nformat = \"opus\""),
    ]);
    let output = |name| {
        let output = folders.resolve(name).unwrap().settings.output;
        (output.bitrate_kbps, output.bit_depth)
    };
    assert_eq!(output("lossy"), (Some(96), None));
    assert_eq!(output("wav"), (None, None));
    assert_eq!(output("deep"), (None, Some(BitDepth::Int24)));
    assert_eq!(output("opus"), (None, None));
}

#[test]
fn what_only_another_engine_has_is_refused_where_it_is_asked_for() {
    let refused = |text: &str| Folders::with(&[("first/a.toml", text)]).error("a");
    let in_file =
        "the adaptive engine has no upper_freq: leave upper_freq out, or choose engine = \"tdhs\"";
    for text in [
        "engine = \"adaptive\"\nupper_freq = 300",
        "upper_freq = 300\nengine = \"adaptive\"",
        "extends = \"natural\"\nupper_freq = 300",
    ] {
        let message = refused(text);
        assert!(message.starts_with("first/a.toml:"), "{message}");
        assert!(message.ends_with(in_file), "{message}");
    }
    let message = refused("style = \"music\"");
    assert!(
        message.ends_with(
            "the tdhs engine has no style: leave style out, or choose engine = \"adaptive\""
        ),
        "{message}"
    );

    let on_the_command_line = |preset: Option<&str>, pairs: &[(&str, Value)]| {
        let mut layer = Layer::command_line();
        let set: Result<(), _> = pairs
            .iter()
            .try_for_each(|(key, value)| layer.set(key, value.clone()));
        let resolved =
            set.and_then(|()| PresetStore::new([]).resolve(preset.map(OsStr::new), &layer));
        resolved.unwrap_err().to_string()
    };
    for key in ["double_range", "fast_detection", "normal_detection"] {
        let message = on_the_command_line(Some("natural"), &[(key, true.into())]);
        let option = format!("--{}", key.replace('_', "-"));
        assert_eq!(
            message,
            format!(
                "the adaptive engine has no {option}: leave {option} out, or choose --engine tdhs"
            )
        );
    }
    let message = on_the_command_line(None, &[("style", "auto".into())]);
    assert!(
        message.starts_with("the tdhs engine has no --style"),
        "{message}"
    );
}

#[test]
fn what_is_inherited_from_another_engine_is_set_aside() {
    let adaptive = command_line(&[("engine", "adaptive".into())]);
    let speech = under("speech", &adaptive).settings.stretch;
    assert_eq!(speech.engine, Engine::Adaptive);
    assert_eq!(
        speech.effective(),
        StretchOptions {
            engine: Engine::Adaptive,
            ..StretchOptions::default()
        }
    );
    let tdhs = command_line(&[("engine", "tdhs".into()), ("upper_freq", 400u32.into())]);
    let music = under("natural-music", &tdhs).settings.stretch;
    assert_eq!(
        music,
        StretchOptions {
            upper_freq: 400,
            ..StretchOptions::default()
        }
    );
}
