//! Ctrl-C and similar signals, sent once, twice and three times.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::env::TestEnv;
use crate::trust::faults::wrap;
use crate::trust::live::{Live, has_temporary, inputs};

const FILES: usize = 30;

/// Sends a signal after the first file: the files in progress are finished, the others are left to
/// the next run.
fn first_signal(name: &str, code: i32) {
    let env = inputs(FILES, 10);
    env.run("in whole --ratio 0.8 -n").succeeds();
    let mut run = Live::start(&env, "in out --ratio 0.8 -n -j 2");
    run.wait_for_message("[1/30] done");
    run.signal(name);
    let ended = run.ends().exits(code);
    let report = env.report("out");
    assert_eq!(report["outcome"], "interrupted");
    assert_eq!(report["exit_code"], code);
    let count = |status: &str| report["counts"][status].as_u64().unwrap() as usize;
    let (done, not_run) = (count("done"), count("not_run"));
    assert!(done > 0 && not_run > 0, "{}", ended.messages);
    assert_eq!(done + not_run, FILES);
    for file in report["files"].as_array().unwrap() {
        let is_there = env.exists(file["output"].as_str().unwrap());
        assert_eq!(is_there, file["status"] == "done", "{file}");
        if file["status"] == "not_run" {
            assert_eq!(file["reason"], "the run was interrupted");
        }
    }
    assert!(!has_temporary(&env, "out"), "{env}");
    let said =
        format!("stopped: {done} done, {not_run} not begun; the same command goes on from here");
    assert!(ended.messages.contains(&said), "{}", ended.messages);

    // The journal contains what was done.
    let said = format!("{not_run} done, {done} up to date");
    env.run("in out --ratio 0.8 -n").succeeds().says(&[&said]);
    assert!(env.outputs("out") == env.outputs("whole"));
}

#[test]
fn an_interrupt_lets_the_files_at_work_finish_and_ends_with_130() {
    first_signal("INT", 130);
}

#[test]
fn a_request_to_terminate_ends_with_143() {
    first_signal("TERM", 143);
}

#[test]
fn every_file_that_was_begun_before_a_signal_is_finished_in_the_events() {
    let env = inputs(FILES, 10);
    let mut run = Live::start(&env, "in out --ratio 0.8 -n -j 2");
    let first: Value = run.wait_for_event("file-finished");
    assert_eq!(first["file"]["status"], "done", "{first}");
    run.signal("INT");
    let last = run.wait_for_event("run-finished");
    assert_eq!(last["exit_code"], 130, "{last}");
    run.ends().exits(130);
}

#[test]
fn a_second_signal_gives_up_the_files_at_work_and_leaves_nothing_partial() {
    for (first, second, code) in [("INT", "INT", 130), ("INT", "TERM", 143)] {
        let env: TestEnv = inputs(2, 400);
        env.run("in whole --ratio 0.8 -n").succeeds();
        let mut run = Live::start(&env, "in out --ratio 0.8 -n -j 2");
        run.wait_for_event("file-progress");
        run.signal(first);
        run.wait_for_message("Ctrl-C again stops now");
        run.signal(second);
        let ended = run.ends().exits(code);
        let said = "stopped: 2 given up; the same command goes on from here";
        assert!(ended.messages.contains(said), "{}", ended.messages);
        assert!(env.files("out").is_empty(), "{env}");
        let report = env.report("out");
        assert_eq!(report["exit_code"], code);
        for file in report["files"].as_array().unwrap() {
            assert_eq!(file["status"], "not_run");
            assert_eq!(file["reason"], "given up when the run was stopped");
        }
        env.run("in out --ratio 0.8 -n")
            .succeeds()
            .says(&["2 done"]);
        assert!(env.outputs("out") == env.outputs("whole"));
    }
}

#[test]
fn a_third_signal_ends_the_program_at_once_whatever_it_waits_for() {
    let env = inputs(1, 1);
    // The pipe for events is full, so the first event blocks.
    let (_reader, mut writer) = std::io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    while writer.write(&[0; 1024]).is_ok() {}
    rustix::io::ioctl_fionbio(&writer, false).unwrap();
    let mut command = env.command("in out --ratio 0.8 --events".split(' '));
    let child = command.stdout(writer).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    let mut messages = BufReader::new(child.stderr.take().unwrap()).lines();
    // Wait until the program handles signals.
    std::thread::sleep(Duration::from_millis(500));
    for said in ["a second signal stops now", "giving up 0 files at work"] {
        signal(&child, "TERM");
        let line = messages.next().unwrap().unwrap();
        assert!(line.contains(said), "{line}");
    }
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

fn signal(child: &Child, name: &str) {
    let kill = Command::new("kill")
        .args(["-s", name, &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
}

/// Starts the program with its reaction to a closed terminal (SIGHUP) set by an option of `env`.
fn with_hang_up(env: &TestEnv, option: &str, args: &str) -> Live {
    let program = env.command(args.split(' '));
    let mut command = Command::new("env");
    command.arg(option);
    Live::of(wrap(command, &program))
}

#[test]
fn a_closed_terminal_is_a_first_signal_however_often_it_is_told() {
    let env = inputs(FILES, 10);
    let args = "in out --ratio 0.8 -n -j 2";
    let mut run = with_hang_up(&env, "--default-signal=HUP", args);
    run.wait_for_event("file-finished");
    for _ in 0..3 {
        run.signal("HUP");
    }
    let last = run.wait_for_event("run-finished");
    assert_eq!(last["exit_code"], 129, "{last}");
    run.ends().exits(129);
    let report = env.report("out");
    assert_eq!(report["outcome"], "interrupted");
    for file in report["files"].as_array().unwrap() {
        assert_ne!(file["reason"], "given up when the run was stopped");
    }
}

#[test]
fn a_run_that_was_started_to_outlive_its_terminal_does() {
    let env = inputs(FILES, 10);
    let args = "in out --ratio 0.8 -n -j 2";
    let mut run = with_hang_up(&env, "--ignore-signal=HUP", args);
    run.wait_for_event("file-finished");
    run.signal("HUP");
    run.ends().exits(0);
    assert_eq!(env.report("out")["counts"]["done"], FILES);
}

#[test]
fn a_report_that_nobody_reads_holds_no_signal_up() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.tool("mkfifo", ["report"]);
    let mut command = env.command("in out --ratio 0.8 --report report".split(' '));
    let mut child = command
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("[1/1] done")));
    // The run itself may still take the first of these.
    for name in ["TERM", "INT", "INT", "INT"] {
        let id = child.id().to_string();
        let mut kill = std::process::Command::new("kill");
        let _ = kill.args(["-s", name, &id]).status();
        std::thread::sleep(Duration::from_millis(300));
        if child.try_wait().unwrap().is_some() {
            break;
        }
    }
    let ended = child.try_wait().unwrap();
    let _ = child.kill();
    assert_eq!(ended.and_then(|status| status.code()), Some(130));
}

#[test]
fn a_limit_on_the_size_of_files_fails_the_file_alone() {
    let env = inputs(1, 20);
    env.encode_recording("speech-16k-mono", "in/short.wav", "-t 0.3");
    let command = crate::trust::faults::after(&env, "ulimit -f 200", "in out --ratio 0.8 -n");
    crate::env::Run::of(&env, command).exits(1);
    assert_eq!(env.files("out"), ["short.wav"]);
}
