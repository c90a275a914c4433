//! Which files are selected, how their outputs are named, and when a run gives up.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Stdio;

use crate::env::TestEnv;
use crate::trust::live::{has_temporary, inputs, long_input};

/// Creates a folder with a very short recording under these names, whatever their extensions.
fn env_with(names: &[&str]) -> TestEnv {
    let env = TestEnv::new();
    for name in names {
        env.copy_recording("short-801-44k-mono", name);
    }
    env
}

/// Runs with these options and checks which files are in the output folder afterwards.
#[track_caller]
fn takes(env: &TestEnv, options: &str, expected: &[&str]) {
    let _ = fs::remove_dir_all(env.path("out"));
    env.run(&format!("in out --format wav {options}"))
        .succeeds();
    let mut found = env.files("out");
    found.sort();
    assert_eq!(found, expected, "{options}");
}

#[test]
fn extensions_patterns_and_depth_choose_files() {
    let env = env_with(&["in/a.wav", "in/b.dat", "in/one/c.WAV", "in/one/two/d.aiff"]);
    takes(&env, "", &["a.wav", "one/c.WAV", "one/two/d.wav"]);
    takes(&env, "-e wav", &["a.wav", "one/c.WAV"]);
    takes(&env, "-e .wav -e dat", &["a.wav", "b.dat.wav", "one/c.WAV"]);
    takes(&env, "--glob [ad].*", &["a.wav", "one/two/d.wav"]);
    takes(&env, "--glob one/**", &["one/c.WAV", "one/two/d.wav"]);
    takes(&env, "--exclude two", &["a.wav", "one/c.WAV"]);
    takes(&env, "--exclude a.* --exclude *.aiff", &["one/c.WAV"]);
    takes(&env, "--max-depth 1", &["a.wav"]);
    takes(&env, "--max-depth 2", &["a.wav", "one/c.WAV"]);
    env.refuses("in out --glob [", 2, &["--glob"]);
    env.refuses("in new --glob nothing*", 4, &["no audio files"]);
}

#[test]
fn hidden_files_are_taken_on_demand_but_never_ours() {
    let env = env_with(&["in/a.wav", "in/.b.wav", "in/.c/d.wav", "in/._a.wav"]);
    env.copy_recording("short-801-44k-mono", "in/.audiostretchy-q1w2e3.tmp");
    takes(&env, "", &["a.wav"]);
    takes(
        &env,
        "--hidden -e wav -e tmp",
        &[".b.wav", ".c/d.wav", "a.wav"],
    );
}

#[test]
fn links_are_followed_on_demand_and_loops_are_not() {
    let env = env_with(&["in/a.wav", "in/deep/b.wav", "other/c.wav"]);
    symlink("..", env.path("in/deep/up")).unwrap();
    symlink(".", env.path("in/self")).unwrap();
    symlink("../other", env.path("in/link")).unwrap();
    symlink("../other/c.wav", env.path("in/d.wav")).unwrap();
    takes(&env, "", &["a.wav", "deep/b.wav"]);
    takes(
        &env,
        "--follow",
        &["a.wav", "d.wav", "deep/b.wav", "link/c.wav"],
    );
}

#[test]
fn a_list_may_name_anything_a_file_system_can() {
    let env = TestEnv::new();
    let names: [&[u8]; 4] = [
        b"in/caf\xe9.wav",
        b"in/a b\n\x1b[2J.wav",
        b"in/deep/c.wav",
        b"d.dat",
    ];
    let names = names.map(|name| Path::new(OsStr::from_bytes(name)));
    for name in names {
        env.copy_recording("short-801-44k-mono", name);
    }
    let list = names
        .map(|name| name.as_os_str().as_bytes())
        .join(&b"\0"[..]);
    env.write("list0", &list);
    env.run("--files-from0 list0 out -e wav,dat --format wav")
        .succeeds();
    let is_there = |folder: &str| {
        let [a, b, c, _] = names.map(|name| env.exists(Path::new(folder).join(name)));
        a && b && c && env.exists(format!("{folder}/d.dat.wav"))
    };
    assert!(is_there("out"), "{env}");

    let mut command = env.command("--files-from0 - from-pipe -e wav,dat --format wav".split(' '));
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::null()).spawn();
    let child = child.as_mut().unwrap();
    child.stdin.take().unwrap().write_all(&list).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(is_there("from-pipe"), "{env}");

    env.write("list", "in/deep/c.wav\n\n./d.dat\n");
    env.run("--files-from list lines -e wav,dat --format wav")
        .succeeds();
    assert_eq!(env.files("lines"), ["d.dat.wav", "in/deep/c.wav"]);
}

#[test]
fn a_list_cannot_write_outside_of_the_output_folder() {
    let env = env_with(&["in/a.wav"]);
    for path in ["../a.wav", "in/../../a.wav", "in/../a.wav", ".."] {
        env.write("list", path);
        let args = "--files-from list out";
        if env.path(path).exists() {
            env.refuses(args, 2, &["cannot lead upwards"]);
        }
    }
    env.write("list", "in/a.wav\nin/../in/a.wav\n");
    env.refuses("--files-from list out", 2, &["cannot lead upwards"]);
    let absolute = env.path("in/a.wav");
    env.write("list", absolute.as_os_str().as_bytes());
    env.run("--files-from list out --ratio 1").succeeds();
    assert_eq!(env.files("out"), ["a.wav"]);
    env.write("list", "in/a.wav\nmissing.wav\n");
    let missing = "failed: missing.wav: no such file or folder";
    let run = env.run("--files-from list new --ratio 1").exits(1);
    run.says(&["1 done, 1 failed", missing]);
    env.refuses("--files-from nowhere new", 2, &["list of files nowhere"]);
}

#[test]
fn a_suffix_stands_before_the_extension() {
    let env = env_with(&["in/a.wav", "in/take 1.5.wav", "in/b.dat"]);
    takes(
        &env,
        "--suffix _s -e wav -e dat",
        &["a_s.wav", "b.dat_s.wav", "take 1.5_s.wav"],
    );
    takes(&env, "--suffix .fast", &["a.fast.wav", "take 1.5.fast.wav"]);
}

#[test]
fn flatten_puts_all_in_one_folder_and_refuses_two_of_one_name() {
    let env = env_with(&["in/a.wav", "in/one/b.wav", "in/one/two/c.wav"]);
    takes(&env, "--flatten", &["a.wav", "b.wav", "c.wav"]);
    env.copy_recording("short-801-44k-mono", "in/two/B.WAV");
    let pieces = ["in/one/b.wav", "in/two/B.WAV", "would both be written to"];
    env.refuses("in new --flatten", 2, &pieces);
    env.copy_recording("short-801-44k-mono", "in/a.aiff");
    let pieces = [
        "in/a.aiff",
        "in/a.wav",
        "would both be written to new/a.wav",
    ];
    env.refuses("in new --format wav", 2, &pieces);
}

#[test]
fn no_files_may_be_no_failure() {
    let env = TestEnv::new();
    env.write("in/notes.txt", "nothing to hear");
    env.refuses("in out", 4, &["no audio files found in in"]);
    env.run("in out --no-files pass --ratio 1").succeeds();
    env.refuses("nowhere out --no-files pass", 2, &["nowhere"]);
    assert!(!env.exists("out"));
}

#[test]
fn a_run_gives_up_after_as_many_failures_as_allowed() {
    let env = TestEnv::new();
    for number in 0..6 {
        env.write(format!("in/{number}.wav"), "no audio");
    }
    for (option, failed) in [("--fail-fast", 1), ("--max-failures 3", 3), ("", 6)] {
        env.run(&format!("in out --ratio 1 -j 1 {option}")).exits(1);
        let counts = env.report("out")["counts"].take();
        assert_eq!(counts["failed"], failed, "{option}");
        assert_eq!(counts["not_run"], 6 - failed, "{option}");
    }
}

#[test]
fn a_file_that_takes_too_long_is_given_up_and_leaves_nothing() {
    let env = inputs(1, 300);
    long_input(&env, "in/short.wav", 1);
    let [whole, short] = ["in/00.wav", "in/short.wav"].map(|name| env.read(name));
    env.run("in out --timeout 1ms --ratio 0.8").exits(1);
    let report = env.report("out");
    let file = &report["files"][0];
    assert_eq!(file["error"]["code"], "timeout", "{file}");
    assert!(
        !env.exists("out/00.wav") && !has_temporary(&env, "out"),
        "{env}"
    );
    assert!(env.read("in/00.wav") == whole && env.read("in/short.wav") == short);
    env.run("in out --timeout 5m --ratio 0.8").succeeds();
    assert!(env.exists("out/00.wav"));
}
