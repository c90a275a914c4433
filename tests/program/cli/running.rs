//! The course of a run: what it shows, where it writes its report, how many files it processes at a
//! time.

use std::fs::File;
use std::process::Stdio;

use serde_json::Value;

use crate::env::{Run, TestEnv};

#[test]
fn a_dry_run_lists_everything_and_touches_nothing() {
    let env = TestEnv::with_speech(&["in/a.wav", "in/deep/b.wav"]);
    env.write("in/text.wav", "no audio");
    env.write("out/a.mp3", "precious");
    let before = env.tree();
    let args = "in out --format mp3 --speed 2 -p speech --dry-run --if-exists skip";
    env.run(args).exits(1).prints(&[
        "in/a.wav -> out/a.mp3 (skipped: the output exists)",
        "in/deep/b.wav -> out/deep/b.mp3 (new: pcm_s16le, 16000 Hz, 1 channel, 0:02.5 to about 0:01.2)",
        "in/text.wav -> out/text.mp3 (will fail",
        "1 file to stretch, 1 to skip, 1 would fail; 0:02.5 of audio",
        "preset speech: ",
        "upper_freq 300",
    ]);
    env.run("in new/out --format mp3 --dry-run").exits(1);
    assert!(env.tree() == before);
}

#[test]
fn a_dry_run_refuses_what_a_run_would_refuse() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/a.mp3", "out/a.wav"]);
    env.refuses(
        "in out --dry-run --format wav",
        2,
        &["would both be written"],
    );
    env.refuses("in out --dry-run --if-exists error", 2, &["already there"]);
    env.refuses("in out --dry-run --ratio 0", 2, &["--ratio is 0"]);
}

#[test]
fn every_file_is_a_plain_line_where_there_is_no_terminal() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/b.wav"]);
    let run = env.run("in out --ratio 0.8 -j 1").succeeds();
    let run = run.says(&["[1/2] done in/", "[2/2] done in/", "2 done\n"]);
    let run = run.says(&["report: out/audiostretchy-report.json"]);
    assert_eq!(run.stdout, "");
    assert!(!run.stderr.contains('\u{1b}'), "{run}");
    assert_eq!(run.stderr.lines().count(), 6, "{run}");
}

#[test]
fn quiet_says_nothing_but_failures() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    let run = env.run("in out -q --ratio 1").succeeds();
    assert_eq!((&*run.stdout, &*run.stderr), ("", ""));
    env.write("in/b.wav", "no audio");
    let run = env
        .run("in out --quiet --if-exists overwrite --ratio 1")
        .exits(1);
    assert!(
        run.stderr.starts_with("failed: in/b.wav: not audio"),
        "{run}"
    );
    assert_eq!(run.stderr.lines().count(), 1, "{run}");
}

#[test]
fn verbose_says_more_of_every_file() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    let details = "pcm_s16le 16000 Hz to mp3 16000 Hz, ratio 0.";
    let run = env.run("in out --format mp3 --ratio 0.8").succeeds();
    assert!(!run.stderr.contains(details), "{run}");
    env.run("in out2 --format mp3 --ratio 0.8 -v")
        .succeeds()
        .says(&[details]);
}

#[test]
fn one_job_and_four_write_the_same_files() {
    let env = TestEnv::new();
    for number in 0..6 {
        let name = format!("in/{number}.{}", ["wav", "mp3"][number % 2]);
        env.encode_recording("speech-16k-mono", &name, &format!("-t 0.{}", number + 1));
    }
    let outputs = |jobs: &str| {
        let folder = format!("out{jobs}");
        env.run(&format!("in {folder} --ratio 0.8 -j {jobs}"))
            .succeeds();
        let files = env.files(&folder).into_iter();
        let files = files.map(|name| (env.read(format!("{folder}/{name}")), name));
        files.collect::<Vec<_>>()
    };
    let one = outputs("1");
    assert_eq!(one.len(), 6);
    assert!(one == outputs("4"));
    // There are never more threads than files: so many threads could not be started.
    assert!(one == outputs("10000000"));
}

#[test]
fn the_longest_file_is_taken_first() {
    let env = TestEnv::new();
    for (name, seconds) in [
        ("in/a.wav", "0.2"),
        ("in/b.wav", "0.6"),
        ("in/c.wav", "0.4"),
    ] {
        env.encode_recording("speech-16k-mono", name, &format!("-t {seconds}"));
    }
    let run = env.run("in out --ratio 0.8 -j 1").succeeds();
    run.says(&[
        "[1/3] done in/b.wav",
        "[2/3] done in/c.wav",
        "[3/3] done in/a.wav",
    ]);
}

#[test]
fn the_report_tells_what_was_done() {
    let env = TestEnv::with_speech(&["in/a.wav"]);
    env.run("in out -p speech --ratio 0.8").succeeds();
    let report = env.report("out");
    assert_eq!(report["tool"], "audiostretchy");
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(report["outcome"], "success");
    assert_eq!(report["exit_code"], 0);
    assert_eq!(report["audio_seconds"], 2.5);
    let file = &report["files"][0];
    assert_eq!(file["input"], "in/a.wav");
    assert_eq!(file["output"], "out/a.wav");
    assert_eq!(file["source"]["sample_rate"], 16000);
    assert_eq!(file["source"]["channels"], 1);
    assert_eq!(file["source"]["bits_per_sample"], 16);
    assert_eq!(file["source"]["frames"], 40000);
    let frames = env.decode("out/a.wav").len();
    assert_eq!(file["result"]["frames"], frames);
    assert_eq!(file["result"]["format"], "wav");
    let ratio = file["result"]["ratio"].as_f64().unwrap();
    assert!((ratio - frames as f64 / 40000.0).abs() < 1e-9);
}

#[test]
fn the_report_goes_where_it_is_asked_for() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "b.wav"]);
    env.run("in out --report reports/r.json --ratio 1")
        .succeeds()
        .says(&["report: reports/r.json"]);
    let report: Value = serde_json::from_slice(&env.read("reports/r.json")).unwrap();
    assert_eq!(report["counts"]["done"], 1);
    assert!(!env.exists("out/audiostretchy-report.json"));

    let run = env.run("b.wav c.wav --report - --ratio 1").succeeds();
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["files"][0]["input"], "b.wav");
    assert!(!env.exists("-"));
}

#[test]
fn a_report_that_cannot_be_written_ends_with_code_3_after_the_audio_is_done() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.write("file", "");
    let run = env.run("in out --report file/r.json --ratio 1").exits(3);
    let run = run.says(&[
        "[1/1] done",
        "error: cannot write the report to file/r.json: ",
    ]);
    assert!(!run.stderr.contains("report: file"), "{run}");
    assert_eq!(env.files("out"), ["a.wav"]);
    let told_before = ["--report out: is a folder"];
    let args = "in out --ratio 1 --if-exists overwrite --report out";
    env.refuses(args, 2, &told_before);
    assert_eq!(env.files("out"), ["a.wav"]);
}

#[test]
fn a_listing_whose_reader_has_gone_ends_quietly() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    for args in [
        "in out --dry-run --ratio 1",
        "presets list",
        "presets show speech",
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = env.command(args.split(' '));
        command.stdout(writer).stderr(Stdio::piped());
        let run = Run::of(&env, command).succeeds();
        assert_eq!(run.stderr, "");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_standard_error_that_cannot_be_written_stops_nothing() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/b.wav"]);
    env.write("in/c.wav", "no audio");
    fn closed() -> Stdio {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer.into()
    }
    fn full() -> Stdio {
        File::options()
            .write(true)
            .open("/dev/full")
            .unwrap()
            .into()
    }
    for (number, stderr) in [closed as fn() -> Stdio, full].into_iter().enumerate() {
        for (args, code) in [
            ("in out{} --ratio 0.8 -v --report-junit in/a.wav/x", 3),
            (
                "in out{} --ratio 0.8 --rerun-failed out{}/audiostretchy-report.json",
                1,
            ),
            ("in", 2),
            ("in nowhere", 2),
            ("in/c.wav - --ratio 0.8", 1),
            ("report show nowhere", 2),
        ] {
            let args = args.replace("{}", &number.to_string());
            let mut command = env.command(args.split(' '));
            command.stdout(Stdio::null());
            command.stderr(stderr());
            let code_found = command.status().unwrap().code();
            assert_eq!(code_found, Some(code), "{args}");
        }
        let report = env.report(&format!("out{number}"));
        assert_eq!(report["counts"]["failed"], 1);
    }
}
