//! If a command is probably not meant as it was written, the message says what may be meant.

use crate::env::TestEnv;

const NOTHING: &str = "nothing would change; give --speed, a preset with a speed, or --format";

#[test]
fn a_run_that_would_change_nothing_is_refused() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "a.wav", "a.flac"]);
    env.write(
        "none.toml",
        "upper_freq = 250\nformat = \"keep\"\ngap_ratio = 0\n",
    );
    for args in [
        "in out",
        "in out -p speech",
        "in out -p none.toml",
        "in out --dry-run",
        "in out -n -d -u 300 -s 0 -g 0 --format keep --bit-depth keep --dither",
        "in out --suffix x --no-sidecars --keep-mtime",
        "a.wav b.wav",
        "a.wav b.wave --if-exists overwrite",
        "a.flac -",
    ] {
        env.refuses(args, 2, &[NOTHING]);
    }
    // The outputs of an earlier run make no difference.
    env.run("in out --speed 2").succeeds();
    env.refuses("in out", 2, &[NOTHING]);
}

#[test]
fn a_ratio_of_1_that_is_asked_for_and_any_other_change_are_done() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "a.wav"]);
    env.write("one.toml", "extends = \"speech\"\nratio = 1\n");
    for (number, change) in [
        "--ratio 1",
        "--speed 1",
        "-p one.toml",
        "-p podcast",
        "--gap-ratio 0.5",
        "--format wav",
        "--bit-depth 24",
        "-s 8000",
        "--bitrate 64",
        "--no-tags",
    ]
    .into_iter()
    .enumerate()
    {
        env.run(&format!("in out{number} {change}")).succeeds();
    }
    env.run("a.wav b.mp3").succeeds();
    env.run("a.wav c.wav --ratio 1").succeeds();
    assert!(env.decode("a.wav") == env.decode("c.wav"));
}

#[test]
fn words_of_other_programs_get_the_tip_that_is_meant() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    for (args, tip) in [
        ("in out --tempo 1.5", "tip: for a speed, use '--speed X'"),
        ("in out --tempo=1.5", "tip: for a speed, use '--speed X'"),
        (
            "in out --rate 1.5",
            "tip: for a speed, use '--speed X'; for a sample rate, '--sample-rate HZ'",
        ),
        ("in out --threads 2", "tip: use '--jobs N'"),
        ("in out --force", "tip: use '--if-exists overwrite'"),
        ("in --output out", "tip: the output is the last path"),
        ("in out -s 1.5", "for a speed, use --speed 1.5"),
        ("in out -s 1,5", "for a speed, use --speed 1.5"),
        ("in out -s 2", "for a speed, use --speed 2"),
        ("in out -s 16k", "such as 16000"),
        (
            "in out --speed 1,5",
            "it must be a number with a point: 1.5",
        ),
        (
            "in out --ratio 0,8",
            "it must be a number with a point: 0.8",
        ),
        ("in out --speed 1.5x", "it must be a number alone: 1.5"),
        ("in out --speed fast", "it must be a number"),
        ("preset list", "did you mean 'audiostretchy presets list'?"),
        (
            "preset show speech",
            "did you mean 'audiostretchy presets show speech'?",
        ),
        ("preset", "did you mean 'audiostretchy presets'?"),
        (
            "reports show out",
            "did you mean 'audiostretchy report show out'?",
        ),
        (
            "completion bash",
            "did you mean 'audiostretchy completions bash'?",
        ),
    ] {
        let run = env.run(args).exits(2).says(&[tip]);
        assert!(!run.stderr.contains("similar"), "{run}");
    }
    assert_eq!(env.tree().len(), 2);
}

#[test]
fn a_folder_that_is_called_like_a_slip_is_an_input() {
    let env = TestEnv::with_short_speech(&["preset/a.wav"]);
    env.run("preset list --ratio 0.8").succeeds();
    assert_eq!(env.files("list"), ["a.wav"]);
}

#[test]
fn extensions_may_be_given_with_commas() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/b.mp3", "in/c.flac"]);
    env.run("in out -e mp3,.WAV --ratio 0.8").succeeds();
    assert_eq!(env.files("out"), ["a.wav", "b.mp3"]);
    env.run("in two -e mp3, -e flac --ratio 0.8").succeeds();
    assert_eq!(env.files("two"), ["b.mp3", "c.flac"]);
}

#[test]
fn the_time_map_goes_to_standard_output_on_demand() {
    let env = TestEnv::with_speech(&["a.wav"]);
    env.run("a.wav b.wav --speed 2 --time-map map.json")
        .succeeds();
    let run = env.run("a.wav c.wav --speed 2 --time-map -").succeeds();
    assert!(!env.exists("-"));
    let map = |text: &[u8]| -> serde_json::Value { serde_json::from_slice(text).unwrap() };
    assert_eq!(map(run.stdout.as_bytes()), map(&env.read("map.json")));
    for other in [
        "--events",
        "--report -",
        "--report-junit -",
        "--report-markdown -",
    ] {
        let both = "would both write to standard output";
        let args = format!("a.wav d.wav --speed 2 --time-map - {other}");
        env.refuses(&args, 2, &["--time-map", both]);
    }
}

#[test]
fn addresses_are_no_paths() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.write("list", "https://example.org/a.mp3\n");
    for (args, pieces) in [
        (
            "http://example.org/a.mp3 out/ --speed 2",
            ["http://example.org/a.mp3", "download it first"],
        ),
        (
            "https://example.org/a.mp3 - --speed 2",
            ["https://example.org/a.mp3", "download it first"],
        ),
        (
            "in s3://bucket/folder --speed 2",
            ["s3://bucket/folder", "upload"],
        ),
        (
            "--files-from list out --speed 2",
            ["https://example.org/a.mp3", "download it first"],
        ),
    ] {
        env.refuses(args, 2, &pieces);
    }
}

#[test]
fn options_for_another_kind_of_format_are_refused() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "a.wav"]);
    env.write("wav.toml", "format = \"wav\"\nbitrate_kbps = 64\n");
    env.write("small.toml", "speed = 1.5\nbitrate_kbps = 64\n");
    for (args, piece) in [
        (
            "in out --format wav --bitrate 64",
            "--bitrate is for lossy formats, and wav is not",
        ),
        (
            "in out --format flac --quality 3",
            "--quality is for lossy formats, and flac is not",
        ),
        (
            "in out --format mp3 --bit-depth 24",
            "--bit-depth is for lossless formats, and mp3 is not",
        ),
        (
            "in out -p wav.toml",
            "wav.toml:2: bitrate_kbps is for lossy formats, and wav is not",
        ),
        (
            "a.wav b.wav --speed 2 --bitrate 64",
            "--bitrate is for lossy formats, and b.wav is wav",
        ),
        (
            "a.wav b.mp3 --bit-depth 16",
            "--bit-depth is for lossless formats, and b.mp3 is mp3",
        ),
        (
            "- b.wav --speed 2 --quality 3",
            "--quality is for lossy formats, and b.wav is wav",
        ),
    ] {
        env.refuses(args, 2, &[piece]);
    }
    env.run("in out -p small.toml --format wav").succeeds();
    assert_eq!(
        env.report("out")["settings"]["values"]["bitrate_kbps"]["value"],
        serde_json::Value::Null
    );
    env.run("in out2 -p small.toml --format mp3").succeeds();
}
