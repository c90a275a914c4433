//! `report show`, and the reports of earlier runs.

use crate::env::TestEnv;

const REPORT: &str = "out/audiostretchy-report.json";

#[test]
fn a_report_is_shown_by_its_file_or_its_folder_with_the_code_of_the_run() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.run("in out --ratio 0.8").succeeds();
    let file = env.run(&format!("report show {REPORT}")).succeeds();
    let folder = env.run("report show out").succeeds();
    assert_eq!(file.stdout, folder.stdout);
    env.write("in/b.wav", "no audio");
    env.run("in out --ratio 0.8").exits(1);
    let shown = env.run("report show out").exits(1);
    let shown = shown.prints(&["1 up to date, 1 failed", "failed: in/b.wav: ", "retry: "]);
    assert!(!shown.stdout.contains("up to date in/a.wav"), "{shown}");
}

#[test]
fn every_file_is_listed_on_demand() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.run("in out --format mp3 --ratio 0.8").succeeds();
    env.write("in/b.wav", "no audio");
    env.encode_recording("speech-16k-mono", "in/c.wav", "-t 0.5 -ar 96000");
    env.run("in out --format mp3 --ratio 0.8").exits(1);
    let shown = env.run("report show -v out").exits(1);
    shown.prints(&[
        "up to date in/a.wav\n",
        "failed in/b.wav\n",
        "done in/c.wav: 0:00.5 to 0:00.4, ",
        "pcm_s16le 96000 Hz to mp3 48000 Hz",
        "warning: in/c.wav: mp3 cannot hold 96000 Hz: converted to 48000 Hz\n",
        "failed: in/b.wav: not audio",
    ]);
}

#[test]
fn what_is_no_report_cannot_be_shown() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.refuses(
        "report show nowhere.json",
        2,
        &["nowhere.json: cannot be read"],
    );
    env.refuses(
        "report show in",
        2,
        &["in/audiostretchy-report.json: cannot be read"],
    );
    env.refuses("report show in/a.wav", 2, &["in/a.wav: "]);
}

/// Returns the number of files in each report of a folder, the newest report first.
fn totals(env: &TestEnv) -> Vec<u64> {
    let earlier = (1..).map(|number| format!("out/audiostretchy-report.{number}.json"));
    std::iter::once(REPORT.to_owned())
        .chain(earlier)
        .take_while(|name| env.exists(name))
        .map(|name| {
            let report: serde_json::Value = serde_json::from_slice(&env.read(name)).unwrap();
            report["counts"]["total"].as_u64().unwrap()
        })
        .collect()
}

#[test]
fn the_last_reports_of_a_folder_are_kept() {
    let env = TestEnv::new();
    let run = |number: u32, options: &str| {
        env.copy_recording("speech-16k-mono", format!("in/{number:02}.wav"));
        env.run(&format!("in out --ratio 0.5 {options}")).succeeds();
    };
    (1..=3).for_each(|number| run(number, ""));
    assert_eq!(totals(&env), [3, 2, 1]);
    // Nothing was made and nothing failed, so this report replaces the last one.
    env.run("in out --ratio 0.5").succeeds();
    assert_eq!(totals(&env), [3, 2, 1]);
    assert_eq!(env.report("out")["counts"]["done"], 0);
    // A report with another name has no history.
    run(4, "--report r.json");
    run(5, "--report r.json");
    assert_eq!(totals(&env), [3, 2, 1]);
    (6..=14).for_each(|number| run(number, ""));
    assert_eq!(totals(&env), [14, 13, 12, 11, 10, 9, 8, 7, 6, 3, 2]);
    run(15, "--report-history 2");
    assert_eq!(totals(&env), [15, 14, 13]);
    run(16, "--report-history 0");
    assert_eq!(totals(&env), [16]);
    env.refuses(
        "in out --ratio 2 --report x --report-history 3",
        2,
        &["--report-history"],
    );
    // Reports of earlier runs can be shown like any other.
    run(17, "");
    let show = "report show out/audiostretchy-report.1.json";
    env.run(show).succeeds().prints(&["15 up to date"]);
}

#[test]
fn a_report_that_cannot_be_moved_is_told() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.run("in out --ratio 0.8").succeeds();
    for number in 1..=10 {
        env.create_folder(&format!("out/audiostretchy-report.{number}.json"));
    }
    env.write("out/audiostretchy-report.10.json/x", "");
    let run = env.run("in out --ratio 0.5").exits(3);
    run.says(&["error: cannot write the report to out/audiostretchy-report.json"]);
    assert_eq!(env.report("out")["counts"]["done"], 1);
}
