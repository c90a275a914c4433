//! What the program tells about itself and its presets.

use crate::env::TestEnv;

#[test]
fn the_help_names_every_option() {
    let env = TestEnv::new();
    env.run("--help").succeeds().prints(&[
        "INPUT... OUTPUT",
        "-r, --ratio <R>",
        "--speed <X>",
        "-g, --gap-ratio <R>",
        "-u, --upper-freq <HZ>",
        "-l, --lower-freq <HZ>",
        "-b, --buffer-ms <MS>",
        "-t, --threshold-gap-db <DB>",
        "-d, --double-range",
        "-f, --fast-detection",
        "-n, --normal-detection",
        "-s, --sample-rate <HZ>",
        "-p, --preset <NAME|FILE>",
        "--preset-dir <DIR>",
        "--format <FORMAT>",
        "--bit-depth <BIT_DEPTH>",
        "--bitrate <KBPS>",
        "--quality <Q>",
        "--dither",
        "--strict",
        "--if-exists <IF_EXISTS>",
        "-j, --jobs <N>",
        "--dry-run",
        "--report <FILE>",
        "-q, --quiet",
        "-v, --verbose",
        "-h, --help",
        "-V, --version",
        "presets",
        "--preset speech --speed 1.5",
    ]);
    env.run("-h").succeeds().prints(&["--ratio", "--format"]);
}

#[test]
fn the_version_is_the_packages() {
    let env = TestEnv::new();
    for option in ["--version", "-V"] {
        let run = env.run(option).succeeds();
        let expected = format!("audiostretchy {}\n", env!("CARGO_PKG_VERSION"));
        assert_eq!(run.stdout, expected);
    }
}

#[test]
fn presets_are_listed_with_where_they_come_from() {
    let env = TestEnv::new();
    env.write(
        "presets/mine.toml",
        "description = \"My voice\"\nratio = 0.8\n",
    );
    env.write("presets/broken.toml", "ratio = 9\n");
    env.run("presets list").succeeds().prints(&[
        "mine     My voice (presets/mine.toml)",
        "broken   BROKEN: presets/broken.toml:1: ratio is 9",
        "speech ",
        "music ",
        "fast ",
        "podcast ",
        "(built in)",
    ]);
}

#[test]
fn a_folder_of_presets_wins_over_the_others() {
    let env = TestEnv::new();
    env.write("presets/mine.toml", "ratio = 0.8\n");
    env.write("first/mine.toml", "ratio = 0.7\n");
    env.write("first/speech.toml", "ratio = 0.6\n");
    let show = |args: &str| env.run(&format!("presets show {args}")).succeeds();
    show("mine").prints(&["ratio = 0.8"]);
    show("mine --preset-dir first").prints(&["ratio = 0.7"]);
    show("speech --preset-dir first").prints(&["ratio = 0.6"]);
    env.write(
        "home/.config/audiostretchy/presets/user.toml",
        "ratio = 0.5\n",
    );
    #[cfg(target_os = "linux")]
    show("user").prints(&["ratio = 0.5"]);
}

#[test]
fn a_preset_is_shown_with_the_source_of_every_value() {
    let env = TestEnv::new();
    env.write("mine.toml", "extends = \"speech\"\nspeed = 1.5\n");
    let run = env.run("presets show mine.toml").succeeds().prints(&[
        "speed = 1.5                  # mine.toml:2",
        "upper_freq = 300             # built-in preset speech, line 2",
        "buffer_ms = 25.0             # the default",
    ]);
    // What is shown is itself a preset.
    env.write("shown.toml", &run.stdout);
    env.run("presets check shown.toml")
        .succeeds()
        .prints(&["shown.toml: good"]);
}

#[test]
fn a_good_preset_is_good() {
    let env = TestEnv::new();
    env.write("mine.toml", "extends = \"podcast\"\nformat = \"mp3\"\n");
    env.run("presets check mine.toml")
        .succeeds()
        .prints(&["mine.toml: good"]);
    env.refuses("presets check nowhere.toml", 2, &["nowhere.toml"]);
}
