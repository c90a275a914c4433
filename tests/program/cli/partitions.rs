//! `--partition`, and merged reports.

use std::collections::HashSet;
use std::fs::File;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::env::TestEnv;

/// Creates a folder with files in two folders, subtitles, and one that cannot be read.
fn folder(files: usize) -> TestEnv {
    let env = TestEnv::new();
    env.encode_recording("speech-16k-mono", "one.wav", "-t 0.3");
    let audio = env.read("one.wav");
    for number in 0..files {
        env.write(format!("in/{}/{number}.wav", number % 2), &audio);
        env.write(
            format!("in/{}/{number}.srt", number % 2),
            "1\n00:00:00,100 --> 00:00:00,200\nHi\n",
        );
    }
    env
}

fn merged(env: &TestEnv, file: &str) -> Value {
    serde_json::from_slice(&env.read(file)).unwrap()
}

/// Leaves what belongs to the run itself out.
fn audio_and_texts(env: &TestEnv, folder: &str) -> Vec<(String, Vec<u8>)> {
    let names = env.files(folder).into_iter();
    names
        .filter(|name| !name.contains("audiostretchy"))
        .map(|name| (name.clone(), env.read(format!("{folder}/{name}"))))
        .collect()
}

#[test]
fn partitions_side_by_side_do_all_that_one_run_does() {
    let env = folder(40);
    env.write("in/0/broken.mp3", "no audio");
    env.run("in alone --speed 1.5 --format flac").exits(1);
    let runs: Vec<_> = (1..=4)
        .map(|number| {
            let args = format!("in out --speed 1.5 --format flac --partition {number}/4 -q");
            let mut command = env.command(args.split(' '));
            command.stderr(Stdio::null()).spawn().unwrap()
        })
        .collect();
    let codes = runs
        .into_iter()
        .map(|mut run| run.wait().unwrap().code().unwrap());
    let codes: Vec<i32> = codes.collect();
    assert_eq!(codes.iter().sum::<i32>(), 1, "one of them fails: {codes:?}");
    assert!(audio_and_texts(&env, "out") == audio_and_texts(&env, "alone"));

    env.run("report merge out -o all.json")
        .succeeds()
        .says(&["40 done, 1 failed"]);
    let all = merged(&env, "all.json");
    let inputs = all["files"].as_array().unwrap().iter();
    let inputs: HashSet<&str> = inputs.map(|file| file["input"].as_str().unwrap()).collect();
    assert_eq!((inputs.len(), &all["counts"]["total"]), (41, &41.into()));
    env.run("report show all.json")
        .exits(1)
        .prints(&["40 done, 1 failed"]);
    env.run("report html all.json").succeeds();
    // Another number of partitions, then none: all is done.
    for number in 1..=3 {
        env.run(&format!(
            "in out --speed 1.5 --format flac --partition {number}/3 --exclude broken.mp3"
        ))
        .succeeds()
        .says(&[&format!("partition {number} of 3: "), " of 40 files"]);
        let report = format!("out/audiostretchy-report.{number}-of-3.json");
        assert_eq!(merged(&env, &report)["counts"]["done"], 0);
    }
    env.run("in out --speed 1.5 --format flac --exclude broken.mp3")
        .succeeds()
        .says(&["40 up to date"]);
    // What is missing is named.
    std::fs::remove_file(env.path("out/audiostretchy-report.2-of-4.json")).unwrap();
    std::fs::remove_file(env.path("out/audiostretchy-report.4-of-4.json")).unwrap();
    let reports = "out/audiostretchy-report.1-of-4.json out/audiostretchy-report.3-of-4.json";
    env.run(&format!("report merge {reports} -o no.json"))
        .says(&["no report of 2 of 4 partitions: 2, 4"]);
    assert!(!env.exists("no.json"));
}

#[test]
fn settings_that_change_make_everything_again_and_sources_that_change_one() {
    let env = folder(12);
    let run = |options: &str| -> u64 {
        (1..=2)
            .map(|number| {
                env.run(&format!(
                    "in out --format flac --partition {number}/2 {options}"
                ))
                .succeeds();
                let report = format!("out/audiostretchy-report.{number}-of-2.json");
                merged(&env, &report)["counts"]["done"].as_u64().unwrap()
            })
            .sum()
    };
    assert_eq!(run("--speed 2"), 12);
    assert_eq!(run("--speed 2"), 0);
    assert_eq!(run("--speed 1.5"), 12);
    env.write("in/0/2.srt", "1\n00:00:00,000 --> 00:00:00,200\nNew\n");
    assert_eq!(run("--speed 1.5"), 1);
    // As the journal of a run by itself, it tells what was edited.
    env.write("out/1/1.flac", "mine");
    env.run("in out --format flac --speed 1.5")
        .succeeds()
        .says(&["1.flac was changed"]);
    assert_eq!(env.read("out/1/1.flac"), b"mine");
}

#[test]
fn a_run_by_itself_and_partitions_of_another_number_are_kept_out() {
    let env = folder(4);
    let partition = "in out --speed 2 --partition 1/2";
    env.run(partition).succeeds();
    let open = |name: &str| File::options().write(true).open(env.path(name)).unwrap();
    let whole = open("out/.audiostretchy.jsonl");
    whole.lock().unwrap();
    env.run(partition).exits(75);
    whole.unlock().unwrap();
    whole.lock_shared().unwrap();
    env.run(partition).succeeds();
    env.run("in out --speed 2").exits(75);
    let of_two = open("out/.audiostretchy/of-2.lock");
    of_two.lock_shared().unwrap();
    env.run("in out --speed 2 --partition 1/3").exits(75);
    env.run(partition).succeeds();
    let own = open("out/.audiostretchy/journal.1-of-2.jsonl");
    own.lock().unwrap();
    env.run(partition).exits(75);
    env.run("in out --speed 2 --partition 2/2").succeeds();
    // One that waits goes on once the other has ended.
    let args = format!("{partition} --wait-lock 30s");
    let waiting = env.command(args.split(' ')).stderr(Stdio::null()).spawn();
    std::thread::sleep(Duration::from_millis(700));
    drop(own);
    assert!(waiting.unwrap().wait().unwrap().success());
    let start = Instant::now();
    env.run("in out --speed 2 --wait-lock 1s").exits(75);
    assert!(start.elapsed() >= Duration::from_secs(1));
}

#[test]
fn a_partition_without_files_is_no_failure_and_wrong_ones_are() {
    let env = folder(1);
    let sizes: Vec<usize> = (1..=8)
        .map(|number| {
            env.run(&format!("in out{number} --speed 2 --partition {number}/8"))
                .succeeds();
            let report = format!("out{number}/audiostretchy-report.{number}-of-8.json");
            merged(&env, &report)["files"].as_array().unwrap().len()
        })
        .collect();
    assert_eq!(sizes.iter().sum::<usize>(), 1, "{sizes:?}");
    for (options, message) in [
        ("in out --partition 0/4", "K = index + 1"),
        ("in out --partition 5/4", "there are 4 partitions"),
        ("in out --partition 4", "it must be K/N"),
        (
            "in out --partition auto/4",
            "auto needs one of SLURM_ARRAY_TASK_ID",
        ),
        ("in/0/0.wav out.wav --partition 1/4", "--partition"),
        (
            "- out.wav --partition 1/4",
            "--partition does not work with -",
        ),
        ("in out --partition 1/4 --prune", "--prune"),
    ] {
        env.refuses(&format!("{options} --speed 2"), 2, &[message]);
    }
    env.run("in out --speed 2 --partition 3/8 --dry-run")
        .succeeds()
        .says(&["partition 3 of 8: "]);
    let mut command = env.command("in out --speed 2 --partition auto/8".split(' '));
    let output = command.env("JOB_COMPLETION_INDEX", "2").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("partition 3 of 8: "), "{said}");
}

#[test]
#[cfg(unix)]
fn what_is_stopped_or_killed_leaves_a_report_and_loses_nothing() {
    let env = folder(6);
    // Long enough to be still at work when the signal comes.
    let args = "-v error -stream_loop 20000 -i one.wav -c copy in/long.wav";
    env.tool("ffmpeg", args.split(' '));
    let args =
        "in out --engine adaptive --speed 1.1 --format mp3 -j 2 --partition 1/1 --stop-grace 500ms";
    let start = || {
        let mut command = env.command(args.split(' '));
        let child = command.stderr(Stdio::null()).spawn().unwrap();
        let report = "out/audiostretchy-report.1-of-1.json";
        let end = Instant::now() + Duration::from_secs(20);
        let made = |env: &TestEnv| {
            let names = env.files("out");
            names.iter().filter(|name| name.ends_with(".mp3")).count()
        };
        while !env.exists(report) || made(&env) < 6 {
            assert!(Instant::now() < end, "nothing happens");
            std::thread::sleep(Duration::from_millis(10));
        }
        (child, report)
    };
    let signal = |child: &std::process::Child, signal: rustix::process::Signal| {
        let pid = rustix::process::Pid::from_child(child);
        rustix::process::kill_process(pid, signal).unwrap();
    };
    let (mut child, report) = start();
    let running = merged(&env, report);
    assert_eq!(running["outcome"], "running");
    assert_eq!(running["counts"]["not_run"], 7);
    signal(&child, rustix::process::Signal::KILL);
    child.wait().unwrap();
    assert_eq!(merged(&env, report)["outcome"], "running");
    std::fs::remove_file(env.path(report)).unwrap();
    let (mut child, report) = start();
    // Until it is at work, and listens to signals.
    std::thread::sleep(Duration::from_millis(500));
    let asked = Instant::now();
    signal(&child, rustix::process::Signal::TERM);
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert!(asked.elapsed() < Duration::from_secs(5));
    let stopped = merged(&env, report);
    assert_eq!(stopped["outcome"], "interrupted");
    assert_eq!(stopped["counts"]["not_run"], 1, "{stopped:#}");
    // A file whose output was there when the run was killed may not have been in the journal yet.
    let whole = ["done", "skipped"].map(|key| stopped["counts"][key].as_u64().unwrap());
    assert_eq!(whole.iter().sum::<u64>(), 6, "{stopped:#}");
    std::fs::remove_file(env.path("in/long.wav")).unwrap();
    env.run("in out --engine adaptive --speed 1.1 --format mp3")
        .succeeds()
        .says(&["6 up to date"]);
    let left = env.files("out");
    assert!(!left.iter().any(|name| name.ends_with(".tmp")), "{left:?}");
}
