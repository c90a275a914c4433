//! The messages for mistakes in presets.

use super::*;

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
            "first/a.toml:1: unknown key \"colour\": known are engine, style, ratio, speed,"
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
            "gap_scale = 0.05",
            "gap_scale is 0.05: it must be from 0.1 to 1",
        ),
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
         known are fast, lecture, music, natural, natural-music, phone, podcast, speech"
    );
    assert_eq!(
        folders.error("xyz"),
        "there is no preset \"xyz\": known are fast, lecture, music, natural, natural-music, phone, podcast, speech"
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
fn a_key_that_the_format_has_no_use_for_in_one_preset_is_an_error() {
    for (first, second, told) in [
        (
            "format = \"wav\"",
            "bitrate_kbps = 64",
            "bitrate_kbps is for lossy formats, and wav is not",
        ),
        (
            "quality = 3",
            "format = \"flac\"",
            "quality is for lossy formats, and flac is not",
        ),
        (
            "bit_depth = 24",
            "format = \"mp3\"",
            "bit_depth is for lossless formats, and mp3 is not",
        ),
        (
            "format = \"m4a\"",
            "dither = true",
            "dither is for lossless formats, and m4a is not",
        ),
    ] {
        assert_eq!(
            error_in(&format!("{first}\n{second}")),
            format!("first/a.toml:2: {told}: take one of them out")
        );
    }
    for text in [
        "format = \"keep\"\nbitrate_kbps = 64",
        "format = \"mp3\"\nbit_depth = \"keep\"\ndither = false",
    ] {
        assert!(
            Folders::with(&[("first/a.toml", text)])
                .resolve("a")
                .is_ok()
        );
    }
    let mut layer = Layer::command_line();
    layer.set("bitrate_kbps", 64u32).unwrap();
    assert_eq!(
        layer.set("format", "wav").unwrap_err().to_string(),
        "--bitrate is for lossy formats, and wav is not: take one of them out"
    );
    // A value that was refused has not been set.
    layer.set("bitrate_kbps", 96u32).unwrap();
    layer.set("format", "mp3").unwrap();
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
