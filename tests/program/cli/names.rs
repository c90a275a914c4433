//! Unusual file names, and links.
#![cfg(unix)]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::env::TestEnv;

#[test]
#[cfg(target_os = "linux")]
fn names_that_are_not_utf8_work_and_stand_in_the_report_as_bytes() {
    let env = TestEnv::new();
    let name = OsStr::from_bytes(b"caf\xe9 \xff.wav");
    env.copy_recording("speech-8k-mono", Path::new("in").join(name));
    env.run("in out --ratio 0.8")
        .succeeds()
        .says(&["[1/1] done"]);
    assert!(env.exists(Path::new("out").join(name)));

    let report = env.report("out");
    let output = &report["files"][0]["output"];
    assert_eq!(output["text"], "out/caf\u{fffd} \u{fffd}.wav");
    let bytes: Vec<u8> = serde_json::from_value(output["bytes"].clone()).unwrap();
    assert_eq!(bytes, b"out/caf\xe9 \xff.wav");

    let by_hand = [Path::new("in").join(name), "mp3/".into()];
    let args = by_hand.iter().map(|path| path.as_os_str());
    env.run_args(args.chain(["--format", "mp3"].map(OsStr::new)))
        .succeeds();
    let mp3 = OsStr::from_bytes(b"caf\xe9 \xff.mp3");
    assert!(env.exists(Path::new("mp3").join(mp3)));
}

#[test]
fn a_name_cannot_write_to_the_terminal() {
    let env = TestEnv::new();
    let name = "a\nerror: fake\u{1b}[2J\r.wav";
    let shown = r"a\nerror: fake\u{1b}[2J\r.wav";
    env.copy_recording("speech-8k-mono", format!("in/{name}"));
    let assert_escaped = |text: &str| {
        assert!(text.contains(shown), "{text:?}");
        assert!(!text.contains(['\u{1b}', '\r']), "{text:?}");
        assert!(!text.contains("\nerror: fake"), "{text:?}");
    };
    assert_escaped(&env.run("in out -v --ratio 1").succeeds().stderr);
    assert_escaped(&env.run("in new --dry-run --ratio 1").succeeds().stdout);
    assert_escaped(
        &env.run("in out --if-exists error --ratio 1")
            .exits(2)
            .stderr,
    );
    let missing = format!("nowhere/{name}");
    assert_escaped(&env.run_args([&missing, "out"]).exits(2).stderr);
    let overwrite = format!("in/{name}");
    assert_escaped(&env.run_args([&overwrite, "in"]).exits(2).stderr);
    let mka = format!("in/{name}.mka");
    env.write(&mka, "");
    assert_escaped(&env.run("in new --ratio 1 --strict").exits(2).stderr);
    env.run("in new --format mp3").exits(1);
    assert_escaped(&env.run("in new2 --format mp3 -q").exits(1).stderr);
    let report = env.report("new");
    assert_eq!(report["files"][0]["input"], overwrite);
}

#[test]
fn names_with_spaces_quotes_and_leading_dashes_work() {
    let env = TestEnv::new();
    for name in ["in/a b.wav", "in/'\"$(x)`.wav", "in/-r.wav", "in/%s*?.wav"] {
        env.copy_recording("short-801-44k-mono", name);
    }
    env.run("in out --ratio 1").succeeds().says(&["4 done"]);
    assert_eq!(env.files("out").len(), 4);
    env.copy_recording("short-801-44k-mono", "-q.wav");
    env.run("--ratio 1 -- -q.wav -v.wav").succeeds();
    assert!(env.exists("-v.wav"));
}

#[test]
fn the_longest_names_work() {
    let env = TestEnv::new();
    let name = format!("{}.wav", "x".repeat(251));
    env.copy_recording("short-801-44k-mono", format!("in/{name}"));
    env.run("in out --ratio 1").succeeds();
    assert_eq!(env.files("out"), [name]);
    env.run("in mp3 --format mp3").succeeds();
    assert_eq!(env.files("mp3"), [format!("{}.mp3", "x".repeat(251))]);
}

#[test]
fn a_name_that_grows_too_long_is_that_files_failure() {
    let env = TestEnv::new();
    // The extension becomes one letter longer.
    let long = format!("{}.au", "x".repeat(252));
    env.copy_recording("short-801-44k-mono", format!("in/{long}"));
    env.copy_recording("short-801-44k-mono", "in/a.wav");
    let run = env.run("in out --format wav").exits(1);
    run.says(&[
        "1 done, 1 failed",
        "cannot write the output: File name too long",
    ]);
    assert_eq!(env.files("out"), ["a.wav"]);
}

#[test]
fn dots_in_names_and_capital_extensions_are_kept() {
    let env = TestEnv::new();
    for name in ["in/1. One.WAV", "in/v1.2.wave", "in/two.dots.wav"] {
        env.copy_recording("short-801-44k-mono", name);
    }
    env.run("in same --ratio 1").succeeds();
    assert_eq!(
        env.files("same"),
        ["1. One.WAV", "two.dots.wav", "v1.2.wave"]
    );
    env.run("in mp3 --format mp3").succeeds();
    assert_eq!(env.files("mp3"), ["1. One.mp3", "two.dots.mp3", "v1.2.mp3"]);
}

#[test]
fn a_link_to_the_parent_folder_is_no_loop() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/deep/b.wav"]);
    symlink("..", env.path("in/deep/up")).unwrap();
    symlink(env.path("in"), env.path("in/self")).unwrap();
    env.run("in out --ratio 0.8").succeeds().says(&["2 done"]);
    assert_eq!(env.files("out"), ["a.wav", "deep/b.wav"]);
}

#[test]
fn a_link_named_by_hand_is_followed() {
    let env = TestEnv::with_short_speech(&["real/a.wav"]);
    symlink("real", env.path("folder")).unwrap();
    symlink("real/a.wav", env.path("file.wav")).unwrap();
    env.run("folder file.wav out --ratio 0.8").succeeds();
    assert_eq!(env.files("out"), ["a.wav", "file.wav"]);
}

#[test]
fn hidden_files_and_folders_are_left_alone() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/.trash/b.wav"]);
    env.write("in/._a.wav", "what macOS leaves on foreign disks");
    env.write("in/.audiostretchy-x1.tmp", "what a crash left");
    env.run("in out --ratio 0.8").succeeds();
    assert_eq!(env.files("out"), ["a.wav"]);
}

#[test]
fn portable_names_are_taken_by_every_file_system() {
    let env = TestEnv::new();
    for name in ["in/what? 10:30/a*b.wav", "in/dot./con.wav", "in/plain.wav"] {
        env.copy_recording("speech-8k-mono", name);
    }
    env.write(
        "in/dot./con.srt",
        "1\n00:00:00,000 --> 00:00:01,000\nHello\n",
    );
    env.run("in out --ratio 0.8 --portable-names").succeeds();
    let files: Vec<String> = env.files("out");
    assert_eq!(
        files,
        [
            "dot_/con_.srt",
            "dot_/con_.wav",
            "plain.wav",
            "what_ 10_30/a_b.wav"
        ]
    );
    env.run("in out --ratio 0.8 --portable-names")
        .succeeds()
        .says(&["3 up to date"]);
}

#[test]
fn portable_names_that_become_one_are_refused() {
    let env = TestEnv::new();
    for name in ["in/a?.wav", "in/a:.wav"] {
        env.copy_recording("speech-8k-mono", name);
    }
    env.refuses(
        "in out --ratio 0.8 --portable-names",
        2,
        &["a?.wav", "a:.wav"],
    );
    env.run("in out --ratio 0.8").succeeds();
    let env = TestEnv::new();
    for name in ["in/A*.wav", "in/a_.wav"] {
        env.copy_recording("speech-8k-mono", name);
    }
    env.refuses(
        "in out --ratio 0.8 --portable-names",
        2,
        &["A*.wav", "a_.wav"],
    );
}
