//! The help texts, and the descriptions of presets.

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
        "--if-exists <WHAT>",
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
}

#[test]
fn the_short_help_has_a_line_an_option() {
    let env = TestEnv::new();
    let run = env.run("-h").succeeds();
    let (_, options) = run.stdout.split_once("Options:\n").unwrap();
    let (options, _) = options.split_once("Example:\n").unwrap();
    let mut count = 0;
    for line in options.lines().filter(|line| !line.is_empty()) {
        assert!(line.len() <= 100, "{line}");
        if line.starts_with(' ') {
            count += 1;
            assert!(line.trim_start().starts_with('-'), "{line}");
            let (option, help) = line.trim_start().split_once("  ").unwrap();
            assert!(!option.is_empty() && !help.trim().is_empty(), "{line}");
        }
    }
    assert!(count > 50, "{run}");
}

/// Topics of the help other than options.
const END: [&str; 19] = [
    "every file is done or up to date",
    "some file failed",
    "no audio found",
    "another run is writing to OUTPUT",
    "129, 130, 143",
    "speech",
    "music",
    "fast",
    "natural",
    "natural-music",
    "podcast",
    "phone",
    "Podcasts",
    "audio book",
    "lesson",
    "In CI",
    "other programs",
    "--gap-ratio 0.3",
    "--report-markdown summary.md",
];

#[test]
fn the_help_ends_with_exit_codes_presets_and_recipes() {
    let env = TestEnv::new();
    let run = env.run("--help").succeeds().prints(&END);
    let places = ["\nExit codes:\n", "\nPresets:\n", "\nRecipes:\n"]
        .map(|title| run.stdout.find(title).unwrap());
    assert!(places.is_sorted(), "{run}");
    run.prints(&["0.3 makes one of 1 s last 0.3 s"]);
}

#[test]
fn the_manual_page_has_what_the_help_has() {
    let env = TestEnv::new();
    let page = env.run("man").succeeds().stdout.replace("\\-", "-");
    for title in ["EXIT STATUS", "PRESETS", "EXAMPLES", "FILES", "SUBCOMMANDS"] {
        assert!(
            page.contains(&format!(".SH \"{title}\"")) || page.contains(&format!(".SH {title}")),
            "{title}"
        );
    }
    for piece in END
        .into_iter()
        .chain(["--report-history", "report show", "presets check"])
    {
        assert!(page.contains(piece), "{piece}");
    }
}

#[test]
fn every_recipe_is_a_command_that_is_understood() {
    let env =
        TestEnv::with_short_speech(&["podcasts/a.wav", "audio/a.wav", "book/01.m4a", "lesson.mp3"]);
    env.write("voice.toml", "extends = \"speech\"\nspeed = 1.2\n");
    let run = env.run("--help").succeeds();
    let (_, recipes) = run.stdout.split_once("\nRecipes:\n").unwrap();
    let recipes = recipes
        .lines()
        .filter_map(|line| line.strip_prefix("    audiostretchy "));
    let recipes: Vec<&str> = recipes.collect();
    assert_eq!(recipes.len(), 4);
    for recipe in recipes {
        env.run(recipe).succeeds();
    }
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
        "mine           My voice (presets/mine.toml)",
        "broken         BROKEN: presets/broken.toml:1: ratio is 9",
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
    // The text that is shown is a valid preset.
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
