//! Invalid parameters and presets are reported before any file is opened.

use crate::env::TestEnv;

/// Creates a folder with an input that is not audio, so that opening it would cause a different
/// error.
fn env() -> TestEnv {
    let env = TestEnv::new();
    env.write("a.wav", "never opened");
    env
}

#[test]
fn a_value_out_of_range_is_told_with_the_range() {
    let env = env();
    let ratio = "from 0.25 to 4";
    for (option, name, allowed) in [
        ("--ratio 0", "--ratio is 0", ratio),
        ("-r NaN", "--ratio is NaN", ratio),
        ("-r inf", "--ratio is inf", ratio),
        ("-r 5", "--ratio is 5", ratio),
        ("-r -1", "--ratio is -1", ratio),
        ("--speed 0", "--speed is 0", ratio),
        ("--speed 4.01", "--speed is 4.01", ratio),
        (
            "-g 0.1",
            "--gap-ratio is 0.1",
            "from 0.25 to 4, or 0 for off",
        ),
        ("-u 40", "--upper-freq is 40", "from 41"),
        ("-l 19", "--lower-freq is 19", "from 20"),
        ("-b 0", "--buffer-ms is 0", "from 1 to 100 ms"),
        ("-b 101", "--buffer-ms is 101", "from 1 to 100 ms"),
        ("-t 5", "--threshold-gap-db is 5", "from -70 to -10 dB"),
        ("-t -71", "--threshold-gap-db is -71", "from -70 to -10 dB"),
        (
            "-s 7999",
            "--sample-rate is 7999",
            "from 8000 to 384000 Hz, or 0",
        ),
        ("--bitrate 7", "--bitrate is 7", "from 8 to 512 kbit/s"),
        ("--quality 11", "--quality is 11", "from 0 to 10"),
    ] {
        let args = format!("a.wav out.wav {option}");
        env.refuses(&args, 2, &[name, "it must be", allowed]);
    }
}

#[test]
fn a_value_that_is_no_number_is_told_with_its_option() {
    let env = env();
    for (option, name, expected) in [
        ("-r fast", "'fast' for '--ratio <R>'", "a number"),
        ("--speed 1,5", "'1,5' for '--speed <X>'", "a number"),
        ("-u 1.5", "'1.5' for '--upper-freq <HZ>'", "a whole number"),
        (
            "-s high",
            "'high' for '--sample-rate <HZ>'",
            "a whole number",
        ),
        ("-j -1", "'-1' for '--jobs <N>'", "a whole number"),
    ] {
        let args = format!("a.wav out.wav {option}");
        env.refuses(&args, 2, &[name, expected]);
    }
}

#[test]
fn a_name_that_is_not_known_is_told_with_those_that_are() {
    let env = env();
    for (option, pieces) in [
        ("--format tape", ["'tape' for '--format", "keep, wav, mp3"]),
        (
            "--bit-depth 8",
            ["'8' for '--bit-depth", "keep, 16, 24, 32f"],
        ),
        (
            "--if-exists maybe",
            ["'maybe' for '--if-exists", "overwrite"],
        ),
    ] {
        env.refuses(&format!("a.wav out.wav {option}"), 2, &pieces);
    }
}

#[test]
fn options_that_exclude_each_other_are_both_named() {
    let env = env();
    for (options, pieces) in [
        ("-f -n", ["--fast-detection", "--normal-detection"]),
        ("--speed 2 --ratio 0.5", ["--speed", "--ratio"]),
        ("--bitrate 64 --quality 5", ["--bitrate", "--quality"]),
        ("-q -v", ["--quiet", "--verbose"]),
    ] {
        env.refuses(&format!("a.wav out.wav {options}"), 2, &pieces);
    }
}

#[test]
fn a_misspelt_option_is_told_with_the_nearest() {
    let env = env();
    let run = env.run("a.wav out.wav --upper-frq 300 --ratio 1").exits(2);
    run.says(&["'--upper-frq'", "'--upper-freq'"]);
}

#[test]
fn the_upper_frequency_is_at_least_twice_the_lower() {
    let env = env();
    let pieces = ["upper_freq is 100", "at least twice lower_freq", "60 Hz"];
    env.refuses("a.wav out.wav -u 100 -l 60", 2, &pieces);
    let pieces = ["upper_freq", "300", "160 Hz", "speech", "command line"];
    env.refuses("a.wav out.wav -p speech -l 160", 2, &pieces);
}

#[test]
fn a_pitch_range_that_does_not_fit_a_file_is_that_files_failure() {
    let env = TestEnv::with_short_speech(&["in/16k.wav"]);
    env.encode_recording("speech-8k-mono", "in/8k.wav", "-t 0.3");
    env.run("in out --upper-freq 4500 --ratio 1")
        .exits(1)
        .says(&[
            "1 done, 1 failed",
            "failed: in/8k.wav: upper_freq is 4500: it must be below 4000 Hz",
        ]);
    assert_eq!(env.files("out"), ["16k.wav"]);
    let report = env.report("out");
    assert_eq!(report["files"][1]["error"]["code"], "invalid-parameter");
}

#[test]
fn an_unknown_preset_is_told_with_those_that_are_known() {
    let env = env();
    env.write("presets/mine.toml", "ratio = 0.8\n");
    let known = "known are fast, mine, music, natural, natural-music, phone, podcast, speech";
    env.refuses("a.wav out.wav -p nonsense", 2, &["\"nonsense\"", known]);
    let pieces = ["\"speehc\"", "did you mean speech?"];
    env.refuses("a.wav out.wav -p speehc", 2, &pieces);
    env.refuses("a.wav out.wav -p no.toml", 2, &["no.toml"]);
    env.refuses("a.wav out.wav --preset-dir nowhere", 2, &["nowhere"]);
}

#[test]
fn a_wrong_preset_is_told_with_file_and_line() {
    let env = env();
    for (line, pieces) in [
        (
            "uper_freq = 300",
            ["unknown key \"uper_freq\"", "did you mean upper_freq?"],
        ),
        ("ratio = 9", ["ratio is 9", "from 0.25 to 4"]),
        ("ratio = \"fast\"", ["ratio is \"fast\"", "a number"]),
        ("double_range = 1", ["double_range is 1", "true or false"]),
        (
            "format = \"mp4\"",
            ["format is \"mp4\"", "\"keep\", \"wav\", \"mp3\""],
        ),
        ("extends = \"nobody\"", ["\"nobody\"", "known are"]),
        ("ratio = ", ["not valid TOML", "bad.toml"]),
    ] {
        env.write("bad.toml", format!("description = \"Bad\"\n{line}\n"));
        env.refuses("a.wav out.wav -p bad.toml", 2, &pieces);
        env.refuses("a.wav out.wav -p bad.toml", 2, &["bad.toml:2: "]);
        env.refuses("presets check bad.toml", 2, &["bad.toml:2: "]);
    }
}

#[test]
fn presets_that_extend_each_other_in_a_circle_are_named() {
    let env = env();
    env.write("presets/egg.toml", "extends = \"hen\"\n");
    env.write("presets/hen.toml", "# The hen\nextends = \"egg\"\n");
    let pieces = ["hen.toml:2", "circle", "egg", "-> "];
    env.refuses("a.wav out.wav -p egg", 2, &pieces);
}
