//! Presets: what the built-in ones hold, what wins over what, where names are looked up, and what
//! is said about a mistake.

use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use audiostretchy::StretchOptions;
use audiostretchy::media::format::{BitDepth, Format, OutputOptions};
use audiostretchy::preset::{Entry, Layer, PresetError, PresetStore, Resolved, Source, Value};
use proptest::prelude::*;
use tempfile::TempDir;

/// Two folders of presets, `first` and `second`, looked up in this order.
struct Folders {
    root: TempDir,
}

impl Folders {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        for name in ["first", "second"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        Self { root }
    }

    fn with(files: &[(&str, &str)]) -> Self {
        let folders = Self::new();
        for (path, text) in files {
            folders.write(path, text);
        }
        folders
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(path), content).unwrap();
    }

    fn store(&self) -> PresetStore {
        PresetStore::new([self.path("first"), self.path("second")])
    }

    fn resolve(&self, name: &str) -> Result<Resolved, PresetError> {
        self.store().resolve(Some(name.as_ref()), &Layer::default())
    }

    fn stretch(&self, name: &str) -> StretchOptions {
        self.resolve(name).unwrap().settings.stretch
    }

    /// The message for a preset, with the path of the temporary folder left out.
    fn error(&self, name: &str) -> String {
        self.plain(self.resolve(name).unwrap_err())
    }

    fn plain(&self, error: PresetError) -> String {
        let root = format!("{}/", self.root.path().display());
        error.to_string().replace(&root, "")
    }

    /// The source of a key, with the path of the temporary folder left out.
    fn source(&self, resolved: &Resolved, key: &str) -> String {
        let root = format!("{}/", self.root.path().display());
        let source = resolved.entry(key).unwrap().source.to_string();
        source.replace(&root, "")
    }
}

/// The message for a file `first/a.toml` with this text.
fn error_in(text: &str) -> String {
    Folders::with(&[("first/a.toml", text)]).error("a")
}

fn built_in(name: &str) -> Resolved {
    under(name, &Layer::default())
}

fn under(name: &str, command_line: &Layer) -> Resolved {
    PresetStore::new([])
        .resolve(Some(name.as_ref()), command_line)
        .unwrap()
}

fn command_line(pairs: &[(&str, Value)]) -> Layer {
    let mut layer = Layer::command_line();
    for (key, value) in pairs {
        layer.set(key, value.clone()).unwrap();
    }
    layer
}

fn value(resolved: &Resolved, key: &str) -> Option<Value> {
    resolved.entry(key).unwrap().value.clone()
}

// What the built-in presets hold

#[test]
fn speech_music_and_fast_are_as_the_python_package_documents_them() {
    let default = StretchOptions::default;
    assert_eq!(
        built_in("speech").settings.stretch,
        StretchOptions {
            upper_freq: 300,
            lower_freq: 80,
            normal_detection: true,
            ..default()
        }
    );
    assert_eq!(
        built_in("music").settings.stretch,
        StretchOptions {
            upper_freq: 400,
            lower_freq: 50,
            normal_detection: true,
            ..default()
        }
    );
    assert_eq!(
        built_in("fast").settings.stretch,
        StretchOptions {
            fast_detection: true,
            ..default()
        }
    );
}

#[test]
fn podcast_is_speech_faster_with_its_gaps_shortened_more() {
    let podcast = built_in("podcast").settings.stretch;
    assert_eq!(
        podcast,
        StretchOptions {
            ratio: 0.8,
            gap_ratio: 0.5,
            threshold_gap_db: -38.0,
            ..built_in("speech").settings.stretch
        }
    );
    assert!(podcast.gap_ratio < podcast.ratio);
    assert!(!podcast.uses_cascade());
}

#[test]
fn no_built_in_preset_decides_the_output_format() {
    for name in ["speech", "music", "fast", "podcast"] {
        let output = built_in(name).settings.output;
        assert_eq!(output, OutputOptions::default(), "{name}");
    }
}

#[test]
fn without_a_preset_the_command_line_alone_decides() {
    let resolved = PresetStore::new([])
        .resolve(None, &command_line(&[("speed", 2.0.into())]))
        .unwrap();
    assert_eq!(resolved.preset, None);
    assert_eq!(resolved.settings.stretch.ratio, 0.5);
    let nothing = PresetStore::new([]).resolve(None, &Layer::default());
    assert_eq!(nothing.unwrap().settings.stretch, StretchOptions::default());
}

// What wins over what

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
    assert_eq!(faster.settings.stretch.ratio, (1.0f64 / 1.5) as f32);
    assert_eq!(value(&faster, "speed"), Some(Value::Number(1.5)));

    let podcast = under("podcast", &command_line(&[("ratio", 0.9f32.into())]));
    assert_eq!(podcast.settings.stretch.ratio, 0.9);
    assert_eq!(value(&podcast, "ratio"), Some(Value::Number(0.9)));
    assert_eq!(podcast.entry("speed"), None);
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
            "format = \"mp3\"\nbit_depth = 24\nsample_rate = 16_000\ngap_ratio = 0.5",
        ),
        (
            "first/unset.toml",
            "extends = \"set\"\nformat = \"keep\"\nbit_depth = \"keep\"\nsample_rate = 0\ngap_ratio = 0",
        ),
    ]);
    let set = folders.resolve("set").unwrap().settings;
    assert_eq!(set.output.format, Some(Format::Mp3));
    assert_eq!(set.output.bit_depth, Some(BitDepth::Int24));
    assert_eq!(set.stretch.sample_rate, 16_000);
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

// What the result tells

#[test]
fn the_result_lists_every_key_with_its_value_and_source() {
    let podcast = built_in("podcast");
    let told: Vec<String> = (podcast.entries.iter())
        .map(|Entry { key, value, source }| match value {
            Some(value) => format!("{key} = {value} ({source})"),
            None => format!("{key} ({source})"),
        })
        .collect();
    assert_eq!(
        told,
        [
            "ratio = 0.8 (built-in preset podcast, line 3)",
            "speed = 1.25 (built-in preset podcast, line 3)",
            "gap_ratio = 0.5 (built-in preset podcast, line 7)",
            "upper_freq = 300 (built-in preset speech, line 2)",
            "lower_freq = 80 (built-in preset speech, line 3)",
            "buffer_ms = 25.0 (the default)",
            "threshold_gap_db = -38 (built-in preset podcast, line 12)",
            "double_range = false (the default)",
            "fast_detection = false (the default)",
            "normal_detection = true (built-in preset speech, line 4)",
            "sample_rate = 0 (the default)",
            "format = \"keep\" (the default)",
            "bit_depth = \"keep\" (the default)",
            "bitrate_kbps (the default)",
            "quality (the default)",
        ]
    );
}

#[test]
fn the_name_and_description_are_those_of_the_preset_asked_for() {
    let folders = Folders::with(&[
        ("first/plain.toml", "extends = \"speech\""),
        ("first/told.toml", "description = \"Mine\""),
    ]);
    let plain = folders.resolve("plain").unwrap();
    assert_eq!(plain.preset.as_deref(), Some("plain"));
    assert_eq!(plain.description, None);
    let told = folders.resolve("told").unwrap();
    assert_eq!(told.description.as_deref(), Some("Mine"));
}

#[test]
fn the_result_can_be_put_into_a_json_report() {
    let layer = command_line(&[("bit_depth", "32f".into())]);
    let json = serde_json::to_value(under("speech", &layer)).unwrap();
    assert_eq!(json["preset"], "speech");
    assert_eq!(json["settings"]["stretch"]["upper_freq"], 300);
    assert_eq!(json["settings"]["output"]["bit_depth"], "32f");
    let entry = |key| {
        let entries = json["entries"].as_array().unwrap();
        entries.iter().find(|entry| entry["key"] == key).unwrap()
    };
    assert_eq!(
        entry("upper_freq")["source"],
        serde_json::json!({"from": "preset", "name": "speech", "file": null, "line": 2})
    );
    assert_eq!(entry("bit_depth")["source"]["from"], "command_line");
    assert_eq!(entry("quality")["source"]["from"], "default");
    assert!(entry("quality")["value"].is_null());
}

#[cfg(target_os = "linux")]
#[test]
fn a_preset_whose_path_is_not_utf8_works_and_can_be_reported() {
    use std::os::unix::ffi::OsStrExt;
    let folders = Folders::new();
    let path = folders.root.path().join(OsStr::from_bytes(b"k\xfchn.toml"));
    fs::write(&path, "speed = 2").unwrap();
    let resolved = (folders.store())
        .resolve(Some(path.as_os_str()), &Layer::default())
        .unwrap();
    assert_eq!(resolved.settings.stretch.ratio, 0.5);
    let json = serde_json::to_value(&resolved).unwrap();
    let file = json["entries"][0]["source"]["file"].as_str().unwrap();
    assert!(file.ends_with("k\u{fffd}hn.toml"), "{file}");
}

// Where names are looked up

#[test]
fn the_first_folder_comes_before_the_second_and_both_before_the_built_in() {
    let folders = Folders::with(&[
        ("first/a.toml", "ratio = 0.5"),
        ("second/a.toml", "ratio = 2"),
        ("second/music.toml", "ratio = 3"),
    ]);
    assert_eq!(folders.stretch("a").ratio, 0.5);
    assert_eq!(folders.stretch("music").ratio, 3.0);
    assert_eq!(folders.stretch("speech").upper_freq, 300);
}

#[test]
fn a_folder_that_does_not_exist_or_is_a_file_counts_as_empty() {
    let folders = Folders::with(&[("file", "")]);
    let store = PresetStore::new([folders.path("nowhere"), folders.path("file")]);
    assert!(
        store
            .resolve(Some("fast".as_ref()), &Layer::default())
            .is_ok()
    );
    assert_eq!(store.list().unwrap().len(), 4);
}

#[test]
fn a_preset_folder_that_was_asked_for_must_exist() {
    let folders = Folders::new();
    let error = PresetStore::from_environment(Some(&folders.path("nowhere"))).unwrap_err();
    let message = folders.plain(error);
    assert!(message.starts_with("cannot read nowhere: "), "{message}");

    let store = PresetStore::from_environment(Some(&folders.path("first"))).unwrap();
    assert_eq!(store.folders()[0], folders.path("first"));
    assert_eq!(store.folders()[1], Path::new("presets"));
}

#[test]
fn a_path_is_a_file_wherever_it_lies() {
    let folders = Folders::with(&[("mine.toml", "ratio = 2"), ("mine.preset", "ratio = 3")]);
    for (file, ratio) in [("mine.toml", 2.0), ("mine.preset", 3.0)] {
        let path = folders.path(file);
        let resolved = folders.resolve(path.to_str().unwrap()).unwrap();
        assert_eq!(resolved.settings.stretch.ratio, ratio);
        assert_eq!(resolved.preset.as_deref(), Some("mine"));
    }
}

#[test]
fn a_preset_can_extend_a_file_by_its_path_from_its_own_folder() {
    let folders = Folders::with(&[
        ("first/a.toml", "extends = \"../second/b.toml\""),
        ("second/b.toml", "extends = \"c.toml\"\nratio = 2"),
        ("second/c.toml", "buffer_ms = 50"),
    ]);
    let stretch = folders.stretch("a");
    assert_eq!((stretch.ratio, stretch.buffer_ms), (2.0, 50.0));
}

#[test]
fn a_preset_that_extends_its_own_name_builds_on_the_next_of_that_name() {
    let folders = Folders::with(&[
        ("first/speech.toml", "extends = \"speech\"\nbuffer_ms = 30"),
        (
            "second/speech.toml",
            "extends = \"speech\"\nlower_freq = 90",
        ),
    ]);
    let speech = folders.resolve("speech").unwrap();
    assert_eq!(folders.source(&speech, "buffer_ms"), "first/speech.toml:2");
    assert_eq!(
        folders.source(&speech, "lower_freq"),
        "second/speech.toml:2"
    );
    assert_eq!(
        folders.source(&speech, "upper_freq"),
        "built-in preset speech, line 2"
    );
    let path = folders.path("second/speech.toml");
    let by_path = folders.store().check(&path).unwrap();
    assert_eq!(by_path.entry("buffer_ms").unwrap().source, Source::Default);
}

#[test]
fn a_folder_named_twice_does_not_make_a_preset_extend_itself() {
    let folders = Folders::with(&[("first/speech.toml", "extends = \"speech\"")]);
    let store = PresetStore::new([folders.path("first"), folders.path("second/../first")]);
    let speech = store.resolve(Some("speech".as_ref()), &Layer::default());
    assert_eq!(speech.unwrap().settings.stretch.upper_freq, 300);
}

#[test]
fn a_built_in_preset_keeps_its_documented_values_beside_other_presets() {
    let folders = Folders::with(&[(
        "first/speech.toml",
        "extends = \"podcast\"\nupper_freq = 999",
    )]);
    assert_eq!(
        folders.stretch("podcast"),
        built_in("podcast").settings.stretch
    );
    assert_eq!(folders.stretch("speech").upper_freq, 999);
    assert_eq!(folders.stretch("speech").ratio, 0.8);
}

#[test]
fn the_list_shows_each_name_once_and_tells_what_is_broken() {
    let folders = Folders::with(&[
        ("first/speech.toml", "description = \"Mine\""),
        ("second/speech.toml", "description = \"Hidden\""),
        ("second/broken.toml", "ratio = 9"),
        ("second/notes.txt", "not a preset"),
    ]);
    let list = folders.store().list().unwrap();
    let names: Vec<&str> = list.iter().map(|listed| listed.name.as_str()).collect();
    assert_eq!(names, ["broken", "fast", "music", "podcast", "speech"]);
    assert_eq!(list[4].description.as_deref(), Some("Mine"));
    assert_eq!(list[4].file, Some(folders.path("first/speech.toml")));
    assert_eq!(list[1].file, None);
    assert!(list[1].description.is_some() && list[1].problem.is_none());
    let problem = list[0].problem.as_ref().unwrap().to_string();
    assert!(problem.contains("ratio is 9"), "{problem}");
}

// What is said about a mistake

#[test]
fn an_unknown_key_is_named_with_the_nearest_known_one() {
    assert_eq!(
        error_in("ratio = 1\n\nuper_freq = 300"),
        "first/a.toml:3: unknown key \"uper_freq\": did you mean upper_freq?"
    );
    for (slip, meant) in [
        ("upper-freq", "upper_freq"),
        ("Ratio", "ratio"),
        ("bitrate", "bitrate_kbps"),
        ("threshold_db_gap", "threshold_gap_db"),
        ("extend", "extends"),
    ] {
        let message = error_in(&format!("{slip} = 1"));
        assert!(
            message.contains(&format!("did you mean {meant}?")),
            "{message}"
        );
    }
}

#[test]
fn an_unknown_key_that_is_like_none_lists_all() {
    let message = error_in("colour = \"red\"");
    assert!(
        message.starts_with(
            "first/a.toml:1: unknown key \"colour\": known are ratio, speed, gap_ratio,"
        ),
        "{message}"
    );
    assert!(message.ends_with("description, extends"), "{message}");
}

#[test]
fn a_table_in_a_preset_is_an_unknown_key() {
    let message = error_in("[output]\nformat = \"wav\"");
    assert!(
        message.starts_with("first/a.toml:1: unknown key \"output\""),
        "{message}"
    );
}

#[test]
fn a_wrong_type_is_named_with_what_the_key_takes() {
    for (text, told) in [
        ("ratio = \"2\"", "ratio is \"2\": it must be a number"),
        (
            "upper_freq = 300.0",
            "upper_freq is 300.0: it must be a whole number",
        ),
        (
            "double_range = 1",
            "double_range is 1: it must be true or false",
        ),
        ("format = 3", "format is 3: it must be a name in quotes"),
        (
            "bit_depth = 16.0",
            "bit_depth is 16.0: it must be a name in quotes, or 16 or 24",
        ),
        ("ratio = [1]", "ratio is a list: it must be a number"),
        ("speed = {}", "speed is a table: it must be a number"),
        (
            "quality = 2024-01-01",
            "quality is a date or time: it must be a number",
        ),
        (
            "description = 5",
            "description is 5: it must be a text in quotes",
        ),
        (
            "extends = [\"a\"]",
            "extends is a list: it must be a text in quotes",
        ),
    ] {
        assert_eq!(error_in(text), format!("first/a.toml:1: {told}"));
    }
}

#[test]
fn a_value_out_of_range_is_named_with_the_range() {
    for (text, told) in [
        ("ratio = 4.5", "ratio is 4.5: it must be from 0.25 to 4"),
        (
            "ratio = 4.00000001",
            "ratio is 4.00000001: it must be from 0.25 to 4",
        ),
        ("ratio = nan", "ratio is NaN: it must be from 0.25 to 4"),
        ("speed = inf", "speed is inf: it must be from 0.25 to 4"),
        ("speed = 0", "speed is 0: it must be from 0.25 to 4"),
        (
            "gap_ratio = 0.1",
            "gap_ratio is 0.1: it must be from 0.25 to 4, or 0 for off",
        ),
        (
            "upper_freq = 40",
            "upper_freq is 40: it must be from 41 to 192000 Hz",
        ),
        (
            "lower_freq = -1",
            "lower_freq is -1: it must be from 20 to 96000 Hz",
        ),
        (
            "buffer_ms = 0.5",
            "buffer_ms is 0.5: it must be from 1 to 100 ms",
        ),
        (
            "threshold_gap_db = 0",
            "threshold_gap_db is 0: it must be from -70 to -10 dB",
        ),
        (
            "sample_rate = 44",
            "sample_rate is 44: it must be from 8000 to 384000 Hz, or 0 to keep the input's",
        ),
        (
            "bitrate_kbps = 7",
            "bitrate_kbps is 7: it must be from 8 to 512 kbit/s",
        ),
        ("quality = 10.5", "quality is 10.5: it must be from 0 to 10"),
        (
            "bitrate_kbps = 0xffff_ffff_ffff_ffff_ff",
            "bitrate_kbps is 9223372036854775807: it must be from 8 to 512 kbit/s",
        ),
    ] {
        assert_eq!(error_in(text), format!("first/a.toml:1: {told}"));
    }
}

#[test]
fn an_unknown_format_or_depth_is_named_with_all_known_and_the_nearest() {
    let message = error_in("format = \"wave\"");
    assert!(message.starts_with("first/a.toml:1: format is \"wave\": it must be one of \"keep\","));
    for format in Format::ALL {
        assert!(
            message.contains(&format!("\"{}\"", format.name())),
            "{message}"
        );
    }
    assert!(message.ends_with("(did you mean \"wav\"?)"), "{message}");
    assert_eq!(
        error_in("bit_depth = 32"),
        "first/a.toml:1: bit_depth is 32: it must be one of \"keep\", \"16\", \"24\", \"32f\" \
         (did you mean \"32f\"?)"
    );
}

#[test]
fn two_keys_for_one_thing_in_one_preset_are_an_error() {
    for (text, told) in [
        ("speed = 2\nratio = 0.5", "ratio excludes speed"),
        ("ratio = 0.5\nspeed = 2", "speed excludes ratio"),
        (
            "quality = 2\nbitrate_kbps = 96",
            "bitrate_kbps excludes quality",
        ),
        (
            "fast_detection = true\nnormal_detection = true",
            "normal_detection excludes fast_detection",
        ),
    ] {
        assert_eq!(
            error_in(text),
            format!("first/a.toml:2: {told}, which line 1 sets: keep one of them")
        );
    }
    let both_off = "fast_detection = false\nnormal_detection = false";
    assert!(
        Folders::with(&[("first/a.toml", both_off)])
            .resolve("a")
            .is_ok()
    );
}

#[test]
fn the_first_mistake_in_the_file_is_the_one_told() {
    let message = error_in("upper_freq = 1\nbuffer_ms = 0\nx = 1");
    assert!(
        message.starts_with("first/a.toml:1: upper_freq"),
        "{message}"
    );
}

#[test]
fn what_is_not_toml_is_told_with_its_line() {
    for (text, line) in [
        ("ratio = 1\nspeed =\n", 2),
        ("ratio = 1\r\nratio = 2", 2),
        ("\n\nratio = 1 2", 3),
        ("description = \"no end", 1),
        ("\u{feff}ratio =", 1),
    ] {
        let message = error_in(text);
        let start = format!("first/a.toml:{line}: not valid TOML: ");
        assert!(message.starts_with(&start), "{message}");
        assert!(
            message.len() > start.len() && !message.contains('\n'),
            "{message}"
        );
    }
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_fine() {
    let folders = Folders::with(&[("first/a.toml", "\u{feff}# mine\r\nratio = 2\r\n")]);
    let resolved = folders.resolve("a").unwrap();
    assert_eq!(resolved.settings.stretch.ratio, 2.0);
    assert_eq!(folders.source(&resolved, "ratio"), "first/a.toml:2");
}

#[test]
fn a_file_that_is_not_text_or_far_too_large_is_refused() {
    let folders = Folders::new();
    folders.write("first/a.toml", b"# one\nratio = \xff");
    assert_eq!(
        folders.error("a"),
        "first/a.toml:2: this is not UTF-8 text: save the preset as UTF-8"
    );
    folders.write("first/b.toml", vec![b'\n'; (1 << 20) + 1]);
    let message = folders.error("b");
    assert!(
        message.starts_with("cannot read first/b.toml: larger"),
        "{message}"
    );
}

#[test]
fn an_unknown_preset_is_told_with_near_names_and_all_names() {
    let folders = Folders::with(&[("second/lecture.toml", "")]);
    assert_eq!(
        folders.error("speach"),
        "there is no preset \"speach\" (did you mean speech?): \
         known are fast, lecture, music, podcast, speech"
    );
    assert_eq!(
        folders.error("xyz"),
        "there is no preset \"xyz\": known are fast, lecture, music, podcast, speech"
    );
}

#[test]
fn a_missing_extends_is_told_with_the_line_that_asks_for_it() {
    let folders = Folders::with(&[
        ("first/a.toml", "ratio = 2\nextends = \"musik\""),
        ("first/b.toml", "extends = \"none.toml\""),
    ]);
    let message = folders.error("a");
    assert!(
        message.starts_with("first/a.toml:2: there is no preset \"musik\" (did you mean music?)"),
        "{message}"
    );
    let message = folders.error("b");
    assert!(
        message.starts_with("first/b.toml:1: cannot read first/none.toml: "),
        "{message}"
    );
}

#[test]
fn a_preset_that_extends_its_own_name_where_there_is_no_other_is_told_so() {
    let folders = Folders::with(&[("second/mine.toml", "extends = \"mine\"")]);
    let message = folders.error("mine");
    assert!(
        message.starts_with("second/mine.toml:1: there is no other preset \"mine\""),
        "{message}"
    );
}

#[test]
fn a_circle_of_extends_is_shown() {
    let folders = Folders::with(&[
        ("first/a.toml", "extends = \"b\""),
        ("second/b.toml", "\nextends = \"c\""),
        ("second/c.toml", "\n\nextends = \"../first/a.toml\""),
        ("first/self.toml", "extends = \"self.toml\""),
    ]);
    assert_eq!(
        folders.error("a"),
        "second/c.toml:3: extends goes in a circle: first/a.toml -> second/b.toml -> \
         second/c.toml -> second/../first/a.toml: take one of these extends out"
    );
    assert_eq!(
        folders.error("self"),
        "first/self.toml:1: extends goes in a circle: first/self.toml -> first/self.toml: \
         take one of these extends out"
    );
}

#[test]
fn a_mistake_in_an_extended_preset_is_told_with_its_own_file() {
    let folders = Folders::with(&[
        ("first/a.toml", "extends = \"b\"\nratio = 2"),
        ("second/b.toml", "\nratio = 5"),
    ]);
    assert_eq!(
        folders.error("a"),
        "second/b.toml:2: ratio is 5: it must be from 0.25 to 4"
    );
}

#[test]
fn values_from_two_layers_that_do_not_go_together_are_told_with_both_sources() {
    let layer = command_line(&[("upper_freq", 150u32.into())]);
    let error = PresetStore::new([])
        .resolve(Some("speech".as_ref()), &layer)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "upper_freq is 150: it must be at least twice lower_freq, which is 80 Hz \
         (upper_freq from the command line, lower_freq from built-in preset speech, line 3)"
    );
    assert!(error.source().is_some());
    assert_eq!(
        error_in("\nupper_freq = 100"),
        "upper_freq is 100: it must be at least twice lower_freq, which is 55 Hz \
         (upper_freq from first/a.toml:2, lower_freq from the default)"
    );
}

#[test]
fn on_the_command_line_mistakes_are_told_by_the_option() {
    let mut layer = Layer::command_line();
    let mut error = |key: &str, value: Value| layer.set(key, value).unwrap_err().to_string();
    assert_eq!(
        error("gap_ratio", 9.5f32.into()),
        "--gap-ratio is 9.5: it must be from 0.25 to 4, or 0 for off"
    );
    assert_eq!(
        error("bitrate_kbps", 4u32.into()),
        "--bitrate is 4: it must be from 8 to 512 kbit/s"
    );
    layer.set("ratio", 2.0).unwrap();
    assert_eq!(
        layer.set("speed", 2.0).unwrap_err().to_string(),
        "--speed excludes --ratio: keep one of them"
    );
    layer.set("ratio", 3.0).unwrap();
    assert!(!layer.is_empty());
}

#[test]
fn checking_a_file_covers_what_it_extends() {
    let folders = Folders::with(&[
        ("good.toml", "extends = \"speech\""),
        ("bad.toml", "extends = \"worse.toml\""),
        ("worse.toml", "sped = 2"),
    ]);
    let check = |file| folders.store().check(&folders.path(file));
    assert_eq!(check("good.toml").unwrap().settings.stretch.upper_freq, 300);
    assert_eq!(
        folders.plain(check("bad.toml").unwrap_err()),
        "worse.toml:1: unknown key \"sped\": did you mean speed?"
    );
}

// Any values

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-100i64..500).prop_map(Value::Whole),
        any::<i64>().prop_map(Value::Whole),
        (-80f64..120.0).prop_map(Value::Number),
        (0f64..5.0).prop_map(Value::Number),
        any::<f64>().prop_map(Value::Number),
        any::<bool>().prop_map(Value::Flag),
        "keep|wav|mp3|16|24|32f|x".prop_map(Value::Text),
    ]
}

const KEYS: [&str; 15] = [
    "ratio",
    "speed",
    "gap_ratio",
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
    "bitrate_kbps",
    "quality",
];

proptest! {
    #[test]
    fn whatever_resolves_is_accepted_by_the_engine(
        preset in proptest::option::of(prop::sample::select(vec!["speech", "music", "fast", "podcast"])),
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
            Err(PresetError::Combination { .. }) => {}
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
