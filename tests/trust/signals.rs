//! Ctrl-C and its kin, once and twice.

use serde_json::Value;

use crate::env::TestEnv;
use crate::live::{Live, has_temporary, inputs};

const FILES: usize = 30;

/// A signal after the first file is done: what runs is finished, the rest waits for the next run.
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
    let said = format!("{done} done, {not_run} not run");
    assert!(ended.messages.contains(&said), "{}", ended.messages);

    // The journal knows what was done.
    let said = format!("{not_run} done, {done} skipped");
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
fn a_second_signal_ends_the_run_at_once_and_leaves_nothing_partial() {
    for (first, second, code) in [("INT", "INT", 130), ("INT", "TERM", 143)] {
        let env: TestEnv = inputs(2, 600);
        env.run("in whole --ratio 0.8 -n").succeeds();
        let mut run = Live::start(&env, "in out --ratio 0.8 -n -j 2");
        run.wait_for_event("file-progress");
        run.signal(first);
        run.wait_for_message("once more to stop at once");
        run.signal(second);
        run.ends().exits(code);
        assert!(env.files("out").is_empty(), "{env}");
        env.run("in out --ratio 0.8 -n")
            .succeeds()
            .says(&["2 done"]);
        assert!(env.outputs("out") == env.outputs("whole"));
    }
}
