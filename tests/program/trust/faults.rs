//! Full disks, missing permissions, changing files: a single file fails, and the run continues with
//! the others.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;

use crate::env::{Run, TestEnv};
use crate::trust::live::{Live, has_temporary, inputs, long_input};

/// Returns a command that runs the program from bash, after some other commands.
pub(super) fn after(env: &TestEnv, commands: &str, args: &str) -> Command {
    let program = env.command(args.split(' '));
    let mut command = Command::new("bash");
    command.args(["-c", &format!("{commands}; exec \"$0\" \"$@\"")]);
    wrap(command, &program)
}

/// Returns a command that runs strace, or `None` if that is not possible.
pub(super) fn strace() -> Option<Command> {
    let mut probe = Command::new("strace");
    probe.args(["-o", "/dev/null", "true"]);
    if !probe.status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: strace cannot be run here");
        return None;
    }
    Some(Command::new("strace"))
}

/// Appends the program and its arguments to `outer`, which also gets its folder and environment.
pub(super) fn wrap(mut outer: Command, program: &Command) -> Command {
    outer
        .arg(program.get_program())
        .args(program.get_args())
        .current_dir(program.get_current_dir().unwrap())
        .env_clear();
    for (name, value) in program.get_envs() {
        outer.env(name, value.unwrap_or(OsStr::new("")));
    }
    outer
}

/// Returns a command for which file permissions hold even if the tests are run by root, or `None`
/// if that is not possible.
pub(super) fn without_privileges(env: &TestEnv, args: &str) -> Option<Command> {
    let program = env.command(args.split(' '));
    env.write("probe", "");
    set_mode(env, "probe", 0);
    let is_root = fs::read(env.path("probe")).is_ok();
    fs::remove_file(env.path("probe")).unwrap();
    if !is_root {
        return Some(program);
    }
    let setpriv = |tail: &str| {
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set=-dac_override,-dac_read_search", "--"]);
        if !tail.is_empty() {
            command.arg(tail);
        }
        command
    };
    let works = setpriv("true")
        .status()
        .is_ok_and(|status| status.success());
    if !works {
        eprintln!("skipped: setpriv cannot drop the privileges of root");
    }
    works.then(|| wrap(setpriv(""), &program))
}

pub(super) fn set_mode(env: &TestEnv, name: &str, mode: u32) {
    fs::set_permissions(env.path(name), Permissions::from_mode(mode)).unwrap();
}

/// Returns the entry of an input in a report.
fn file<'a>(report: &'a Value, input: &str) -> &'a Value {
    let files = report["files"].as_array().unwrap();
    let file = files.iter().find(|file| file["input"] == input);
    file.unwrap_or_else(|| panic!("{input} is not in {report}"))
}

/// Creates a folder with an input of 20 s among short ones.
fn one_large() -> TestEnv {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/b.mp3", "in/deep/d.flac"]);
    long_input(&env, "in/c.wav", 20);
    env
}

/// Checks that only the large file of `one_large` failed, and that the outputs of the others are
/// right.
#[track_caller]
fn only_the_large_one_failed(env: &TestEnv, report: &Value, out: &str) {
    let large = file(report, "in/c.wav");
    assert_eq!(large["error"]["code"], "output", "{large}");
    assert_eq!(report["counts"]["done"], 3, "{report}");
    assert_eq!(env.files(out), ["a.wav", "b.mp3", "deep/d.flac"]);
    env.run("in whole --ratio 0.8").succeeds();
    for name in env.files(out) {
        let [found, whole] = [out, "whole"].map(|folder| env.read(format!("{folder}/{name}")));
        assert!(found == whole, "{name}");
    }
}

#[test]
fn a_file_that_grows_beyond_the_limit_fails_and_the_rest_is_done() {
    let env = one_large();
    // The limit is 512 KiB. Without the trap, the signal would kill the program.
    let command = after(&env, "trap '' XFSZ; ulimit -f 512", "in out --ratio 0.8");
    Run::of(&env, command).exits(1).says(&["3 done, 1 failed"]);
    only_the_large_one_failed(&env, &env.report("out"), "out");
    env.run("in out --ratio 0.8")
        .succeeds()
        .says(&["1 done, 3 up to date"]);
    assert!(env.outputs("out") == env.outputs("whole"));
}

#[test]
fn a_full_disk_fails_the_file_that_does_not_fit() {
    let env = one_large();
    env.create_folder("out");
    let script = "mount -t tmpfs -o size=600k tmpfs out || exit 99; \"$0\" \"$@\"; code=$?; \
                  cp -a out kept; exit $code";
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "bash", "-c", script]);
    let program = env.command("in out --ratio 0.8".split(' '));
    let run = Run::of(&env, wrap(command, &program));
    if !env.exists("kept") {
        eprintln!("skipped: no file system can be mounted here\n{run}");
        return;
    }
    run.exits(1).says(&["3 done, 1 failed", "No space left"]);
    assert!(!has_temporary(&env, "kept"), "{env}");
    only_the_large_one_failed(&env, &env.report("kept"), "kept");
}

#[test]
fn a_journal_that_finds_no_room_holds_whole_lines() {
    let env = TestEnv::new();
    env.create_folder("in");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    for number in 0..40 {
        let path = env.path(format!("in/{number:02}.wav"));
        let mut writer = hound::WavWriter::create(path, spec).unwrap();
        (0..200i16).for_each(|value| writer.write_sample(100 * value).unwrap());
        writer.finalize().unwrap();
    }
    // The limit is 4 KiB: enough for every output, but only for some lines of the journal.
    let command = after(&env, "trap '' XFSZ; ulimit -f 4", "in out -j 1 --ratio 0.8");
    Run::of(&env, command).exits(3);
    let journal = String::from_utf8(env.read("out/.audiostretchy.jsonl")).unwrap();
    assert!(journal.ends_with('\n'), "{journal}");
    let intended = journal
        .lines()
        .filter(|line| line.starts_with("{\"intended\":"));
    assert_eq!(intended.count(), env.files("out").len(), "{env}");
    env.run("in out --ratio 0.8").succeeds();
    assert_eq!(env.report("out")["counts"]["total"], 40);
}

#[test]
fn an_output_folder_that_turns_read_only_fails_the_rest_and_the_report() {
    let env = inputs(12, 20);
    let Some(command) = without_privileges(&env, "in out -j 1 --ratio 0.8 --report out/r.json")
    else {
        return;
    };
    let mut run = Live::of(command);
    run.wait_for_message("[1/12] done");
    set_mode(&env, "out", 0o555);
    let ended = run.ends();
    set_mode(&env, "out", 0o755);
    let ended = ended.exits(3);
    let said = "cannot write the report to out/r.json: Permission denied";
    assert!(ended.messages.contains(said), "{}", ended.messages);
    assert!(
        ended.messages.contains("failed: in/11.wav: "),
        "{}",
        ended.messages
    );
    let done = env
        .files("out")
        .iter()
        .filter(|name| name.ends_with(".wav"))
        .count();
    assert!((1..12).contains(&done), "{}", ended.messages);

    env.run("in whole --ratio 0.8").succeeds();
    env.run("in out --ratio 0.8").succeeds();
    assert!(env.outputs("out") == env.outputs("whole"), "{env}");
}

#[test]
fn a_folder_that_cannot_be_made_half_way_fails_its_files_only() {
    let env = inputs(12, 20);
    env.encode_recording("speech-16k-mono", "in/z/last.wav", "-t 0.3");
    let mut run = Live::start(&env, "in out -j 1 --ratio 0.8 -n");
    run.wait_for_message("[1/13] done");
    env.write("out/z", "in the way");
    run.ends().exits(1);
    let report = env.report("out");
    assert_eq!(file(&report, "in/z/last.wav")["error"]["code"], "output");
    assert_eq!(report["counts"]["done"], 12);
    assert_eq!(env.read("out/z"), b"in the way");
}

#[test]
fn inputs_that_vanish_or_close_after_the_plan_fail_alone() {
    let env = inputs(12, 20);
    for name in ["in/y.wav", "in/z.wav"] {
        env.encode_recording("speech-16k-mono", name, "-t 0.3");
    }
    let Some(command) = without_privileges(&env, "in out -j 1 --ratio 0.8") else {
        return;
    };
    let mut run = Live::of(command);
    run.wait_for_message("[1/14] done");
    fs::remove_file(env.path("in/y.wav")).unwrap();
    set_mode(&env, "in/z.wav", 0);
    run.ends().exits(1);
    let report = env.report("out");
    for (name, cause) in [
        ("in/y.wav", "No such file"),
        ("in/z.wav", "Permission denied"),
    ] {
        let error = &file(&report, name)["error"];
        assert_eq!(error["code"], "unreadable", "{error}");
        assert!(error.to_string().contains(cause), "{error}");
    }
    assert_eq!(report["counts"]["done"], 12);
    assert_eq!(env.files("out").len(), 12);
    set_mode(&env, "in/z.wav", 0o644);
    env.run("in out --ratio 0.8")
        .succeeds()
        .says(&["1 done, 12 up to date"]);
}

#[test]
fn an_input_that_shrinks_while_it_is_read_fails_and_leaves_nothing() {
    let env = inputs(1, 600);
    env.encode_recording("speech-16k-mono", "in/short.wav", "-t 0.3");
    let mut run = Live::start(&env, "in out -j 1 --ratio 0.8 -n");
    run.wait_for_event("file-progress");
    let input = OpenOptions::new().write(true).open(env.path("in/00.wav"));
    input.unwrap().set_len(100_000).unwrap();
    run.ends().exits(1);
    let report = env.report("out");
    assert_eq!(
        file(&report, "in/00.wav")["error"]["code"],
        "changed-while-read"
    );
    assert_eq!(file(&report, "in/short.wav")["status"], "done");
    assert_eq!(env.files("out"), ["short.wav"]);
}

#[test]
fn an_input_that_grows_while_it_is_read_fails_and_is_done_by_the_next_run() {
    let env = inputs(1, 600);
    let mut run = Live::start(&env, "in out --ratio 0.8 -n");
    run.wait_for_event("file-progress");
    let input = OpenOptions::new().append(true).open(env.path("in/00.wav"));
    input.unwrap().write_all(&[0; 4096]).unwrap();
    run.ends().exits(1);
    let report = env.report("out");
    let code = &file(&report, "in/00.wav")["error"]["code"];
    assert_eq!(code, "changed-while-read");
    assert!(env.files("out").is_empty(), "{env}");
    env.run("in out --ratio 0.8 -n")
        .succeeds()
        .says(&[" became "]);
    env.run("in out --ratio 0.8 -n")
        .succeeds()
        .says(&["1 up to date"]);
}

#[test]
fn a_report_that_cannot_be_written_ends_with_3_and_loses_no_audio() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    // As root, renaming a file to such a name would replace the device.
    let is_device = |path: &str| !fs::metadata(path).unwrap().is_file();
    env.run("in out --report /dev/full --ratio 1")
        .exits(3)
        .says(&[
            "[1/1] done",
            "cannot write the report to /dev/full: No space left",
        ]);
    assert!(env.exists("out/a.wav") && is_device("/dev/full"));
    env.run("in out --report /dev/null --ratio 1")
        .succeeds()
        .says(&["1 up to date"]);
    assert!(is_device("/dev/null"));
}
