//! `--events`, and the other output for programs and people.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::json_schema::Schema;
use crate::program::{Folder, REPORT};
use serde_json::Value;

fn parsed(lines: &str) -> Vec<Value> {
    let lines = lines.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn every_event_is_as_the_schema_says_and_each_file_is_finished_once() {
    let folder = Folder::with(&["in/a.wav", "in/b\n\u{1b}.wav", "in/c.wav", "in/d.wav"]);
    // Long enough for more than one progress event, of which there are 20 per second: encoding MP3
    // takes time.
    folder.add_audio("in/long.wav", 48_000 * 120);
    folder.add_junk("in/<&>.wav");
    let run = folder.run(&["in", "out", "--events", "-j", "3", "--format", "mp3"]);
    assert_eq!(run.code(), 1);
    let events = parsed(&run.stdout());
    let mut schema = Schema::read("events.schema.json", &["report.schema.json"]);
    events.iter().for_each(|event| schema.check(event));
    let known = schema.properties();
    assert!(
        known.iter().all(|name| schema.seen.contains(name)),
        "{known:?}"
    );

    assert_eq!(events[0]["event"], "run-started");
    assert_eq!(events[0]["files"], 6);
    let last = events.last().unwrap();
    assert_eq!(
        (&last["event"], &last["exit_code"]),
        (&"run-finished".into(), &1.into())
    );
    let mut running = Vec::new();
    let mut finished = 0;
    for event in &events[1..events.len() - 1] {
        let file = (event["index"].as_u64().unwrap(), event["input"].clone());
        match event["event"].as_str().unwrap() {
            "file-started" => {
                assert!(!running.contains(&file));
                running.push(file);
            }
            "file-finished" => {
                running.remove(running.iter().position(|other| *other == file).unwrap());
                finished += 1;
            }
            _ => assert!(running.contains(&file)),
        }
    }
    assert!(running.is_empty());
    assert_eq!(finished, 6);
}

#[test]
fn a_closed_standard_output_does_not_stop_a_run() {
    let folder = Folder::with(&["in/a.wav", "in/b.wav"]);
    let mut run = folder.command(&["in", "out", "--ratio", "1", "--events"]);
    let mut run = run
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(run.stdout.take());
    assert_eq!(run.wait().unwrap().code(), Some(0));
    assert_eq!(folder.report().counts.done, 2);
    let mut shown = folder.command(&["report", "show", REPORT]);
    let mut shown = shown
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(shown.stdout.take());
    let shown = shown.wait_with_output().unwrap();
    assert_eq!((shown.status.code(), shown.stderr), (Some(0), Vec::new()));
}

#[test]
fn events_come_while_the_run_goes_on_and_not_at_its_end() {
    let folder = Folder::with::<&str>(&[]);
    folder.add_audio("in/long.wav", 48_000 * 240);
    let mut run = folder.command(&["in", "out", "--events", "--format", "mp3"]);
    let mut run = run
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(run.stdout.take().unwrap()).lines();
    let mut lines = lines.map(Result::unwrap);
    assert!(lines.any(|line| line.contains("file-progress")));
    assert!(run.try_wait().unwrap().is_none());
    run.kill().unwrap();
    run.wait().unwrap();
}

#[test]
fn the_last_event_tells_when_a_report_could_not_be_written() {
    let folder = Folder::with(&["in/a.wav"]);
    let run = folder.run(&[
        "in",
        "out",
        "--ratio",
        "1",
        "--events",
        "--report",
        "in/a.wav/x",
    ]);
    assert_eq!(run.code(), 3);
    let last = parsed(&run.stdout()).pop().unwrap();
    assert_eq!(
        (&last["event"], &last["exit_code"]),
        (&"run-finished".into(), &3.into())
    );
}

#[test]
fn colours_follow_the_option_and_the_variable() {
    let folder = Folder::with::<&str>(&[]);
    folder.add_junk("in/a.wav");
    let is_coloured = |arguments: &[&str], no_color: bool| {
        let mut command = folder.command(arguments);
        if no_color {
            command.env("NO_COLOR", "1");
        }
        let output = command.output().unwrap();
        [output.stdout, output.stderr].concat().contains(&0x1b)
    };
    let run = ["in", "out", "--ratio", "1", "--if-exists", "overwrite"];
    let with = |color| [&run[..], &["--color", color]].concat();
    assert!(!is_coloured(&run, false));
    assert!(is_coloured(&with("always"), false));
    assert!(is_coloured(&with("always"), true));
    assert!(!is_coloured(&with("never"), false));
    assert!(is_coloured(&["--color=always", "--help"], false));
    assert!(!is_coloured(&["--color=never", "--no-such-option"], false));
    assert!(is_coloured(
        &["--no-such-option", "--color", "always"],
        false
    ));
    assert!(is_coloured(
        &["report", "show", REPORT, "--color", "always"],
        false
    ));
    assert!(!is_coloured(&["report", "show", REPORT], false));
}

#[test]
fn completions_and_manual_know_every_option() {
    let folder = Folder::with::<&str>(&[]);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = folder.run(&["completions", shell]);
        assert_eq!(run.code(), 0);
        for word in ["rerun-failed", "report-junit", "presets", "if-exists"] {
            assert!(run.stdout().contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(folder.run(&["completions", "csh"]).code(), 2);
    let page = folder.run(&["man"]).stdout();
    assert!(page.contains(".TH audiostretchy 1"), "{page}");
    assert!(page.contains(r"\-\-rerun\-failed"), "{page}");
}
