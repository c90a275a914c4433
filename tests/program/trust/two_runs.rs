//! A second run that is started at a random moment during the first.

use std::time::{Duration, Instant};

use crate::env::TestEnv;
use crate::trust::kill::Random;

#[test]
fn a_second_run_at_any_moment_is_told_of_the_first() {
    start_second_runs(20);
}

#[test]
#[ignore = "takes a minute"]
fn two_hundred_second_runs_are_told_of_the_first() {
    start_second_runs(200);
}

/// Starts second runs. Each must report the first run, or start after it has ended, and print
/// nothing else. No file may ever be wrong.
fn start_second_runs(rounds: usize) {
    let names: Vec<String> = (0..12)
        .map(|number| format!("in/{number:02}.wav"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let env = TestEnv::with_short_speech(&names[..1]);
    for name in &names[1..] {
        env.write(name, env.read(names[0]));
        env.write(
            name.replace("wav", "srt"),
            "1\n00:00:00,100 --> 00:00:00,200\nHello\n",
        );
    }
    let clock = Instant::now();
    let first = "in out --ratio 0.8 -j 1 -q";
    env.run(first).succeeds();
    let whole_run = clock.elapsed();
    let outputs = env.outputs("out");
    let others = {
        env.run("in others --ratio 0.6 -j 1 -q").succeeds();
        env.outputs("others")
    };
    let mut random = Random(7);
    let (mut told, mut came_later) = (0, 0);
    for round in 0..rounds {
        std::fs::remove_dir_all(env.path("out")).unwrap();
        if round % 2 == 0 {
            env.create_folder("out");
        }
        let mut running = env.command(first.split(' '));
        let mut running = running.stderr(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole_run.mul_f64(random.next()) + Duration::from_micros(200));
        // With the same settings, or with others.
        let is_same = round % 4 < 2;
        let second = if is_same {
            first
        } else {
            "in out --ratio 0.6 -j 1 -q"
        };
        let ended = env.command(second.split(' ')).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        let first_code = running.wait().unwrap().code();
        match (ended.status.code(), first_code) {
            (Some(75), Some(0)) => {
                told += 1;
                let expected = "error: out: another run is writing to that folder; try again";
                assert!(said.starts_with(expected), "round {round}: {said}");
                assert!(env.outputs("out") == outputs, "round {round}: {env}");
            }
            // The second run locked the folder first, or started after the first had ended.
            (Some(0), Some(0 | 75)) => {
                came_later += 1;
                let expected = if is_same { &outputs } else { &others };
                assert!(env.outputs("out") == *expected, "round {round}: {env}");
            }
            codes => panic!("round {round}: {codes:?}\n{said}"),
        }
    }
    println!("{rounds} rounds: {told} told of the first, {came_later} after or before it");
    assert!(
        told * 4 > rounds,
        "only {told} of {rounds} met the first run"
    );
}
