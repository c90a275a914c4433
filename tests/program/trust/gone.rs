//! Outputs that were deleted and are no longer wanted, and outputs whose sources are gone.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use crate::env::TestEnv;

/// Changes the modification time of a file.
fn touch(env: &TestEnv, name: &str) {
    let file = File::options().write(true).open(env.path(name)).unwrap();
    let earlier = SystemTime::now() - Duration::from_secs(4000);
    file.set_modified(earlier).unwrap();
}

#[test]
fn what_was_done_once_is_not_made_again_even_if_its_output_is_gone() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/deep/b.mp3"]);
    env.run("in out --ratio 0.8 --only-new")
        .succeeds()
        .says(&["2 done"]);
    // The user deletes an output after listening to it.
    fs::remove_file(env.path("out/a.wav")).unwrap();
    env.encode_recording("speech-16k-mono", "in/c.wav", "-t 0.2");
    let run = env.run("in out --ratio 0.8 --only-new").succeeds();
    run.says(&["1 done, 2 done before"]);
    assert_eq!(env.files("out"), ["c.wav", "deep/b.mp3"]);
    let report = env.report("out");
    assert_eq!(report["files"][0]["status"], "skipped");
    assert_eq!(report["files"][0]["reason"], "done before");
    // Different settings do not make it again, not even with a different output name.
    for settings in ["--ratio 0.5", "--ratio 0.8 --format opus"] {
        let run = env.run(&format!("in out {settings} --only-new")).succeeds();
        run.says(&["3 done before"]);
    }
    // The same holds if the input is given by another path.
    let absolute = env.path("in");
    let run = env.run(&format!(
        "{} out --ratio 0.8 --only-new",
        absolute.display()
    ));
    run.succeeds().says(&["3 done before"]);
    env.run("in/deep/b.mp3 out/ --ratio 0.8 --only-new")
        .succeeds()
        .says(&["1 done before"]);
    // A source that has changed counts as new.
    touch(&env, "in/a.wav");
    env.run("in out --ratio 0.8 --only-new")
        .succeeds()
        .says(&["1 done, 2 done before"]);
    assert!(env.exists("out/a.wav"));
    // Without the option, deleted outputs are made again.
    fs::remove_file(env.path("out/a.wav")).unwrap();
    env.run("in out --ratio 0.8")
        .succeeds()
        .says(&["1 done, 2 up to date"]);
    env.refuses(
        "in/a.wav a.wav --ratio 0.8 --only-new",
        2,
        &["--only-new needs an output folder"],
    );
}

#[test]
fn outputs_whose_source_is_gone_are_removed_if_they_are_ours_and_untouched() {
    let names = [
        "in/a.wav",
        "in/b.wav",
        "in/c.wav",
        "in/old/d.wav",
        "in/old/e.mp3",
    ];
    let env = TestEnv::with_short_speech(&names);
    env.write("in/old/d.srt", "1\n00:00:00,000 --> 00:00:00,100\nA\n");
    env.run("in out --ratio 0.8").succeeds();
    env.write("out/mine.wav", "somebody's own");
    for name in [
        "in/b.wav",
        "in/c.wav",
        "in/old/d.wav",
        "in/old/d.srt",
        "in/old/e.mp3",
    ] {
        fs::remove_file(env.path(name)).unwrap();
    }
    env.write("out/c.wav", "edited");
    let before = env.outputs("out");
    // Without the option, nothing is removed.
    env.run("in out --ratio 0.8").succeeds();
    assert!(env.outputs("out") == before);
    let listed = env.run("in out --ratio 0.8 --prune --dry-run").succeeds();
    listed.prints(&[
        "out/b.wav: would be removed",
        "out/old/d.srt: would be removed",
    ]);
    assert!(env.outputs("out") == before);
    let run = env.run("in out --ratio 0.8 --prune").succeeds();
    run.says(&["1 up to date, 4 removed"]);
    assert_eq!(env.files("out"), ["a.wav", "c.wav", "mine.wav"]);
    assert!(!env.exists("out/old"));
    let report = env.report("out");
    let removed = [
        "out/b.wav",
        "out/old/d.srt",
        "out/old/d.wav",
        "out/old/e.mp3",
    ];
    assert_eq!(report["pruned"], serde_json::json!(removed));
    env.run("report show out -v")
        .succeeds()
        .prints(&["removed out/b.wav\n"]);
    let again = env.run("in out --ratio 0.8 --prune").succeeds();
    assert!(!again.stderr.contains("removed"), "{again}");
}

#[test]
fn nothing_is_removed_where_anything_is_in_doubt() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/b.wav", "two/c.wav", "alone/d.wav"]);
    env.run("in two alone out --ratio 0.8").succeeds();
    fs::remove_file(env.path("in/b.wav")).unwrap();
    fs::remove_file(env.path("two/c.wav")).unwrap();
    fs::remove_file(env.path("alone/d.wav")).unwrap();
    let all = env.files("out");
    // The inputs now leave out one folder and contain one without any audio, whose disk may be
    // missing.
    env.run("in two out --ratio 0.8").succeeds();
    env.write("in/bad.wav", "no audio");
    // Nothing is removed if another file fails.
    env.run("in two out --ratio 0.8 --prune").exits(1);
    assert_eq!(env.files("out"), all);
    fs::remove_file(env.path("in/bad.wav")).unwrap();
    // A source that a filter leaves out still exists.
    env.encode_recording("speech-16k-mono", "in/x.mp3", "-t 0.2");
    env.run("in out --ratio 0.8").succeeds();
    env.run("in out --ratio 0.8 -e wav --prune")
        .succeeds()
        .says(&["1 removed"]);
    assert_eq!(env.files("out"), ["a.wav", "c.wav", "d.wav", "x.mp3"]);
    // The source was moved, and its output is made again in the same place.
    fs::create_dir(env.path("in/new")).unwrap();
    fs::rename(env.path("in/x.mp3"), env.path("in/new/x.mp3")).unwrap();
    env.run("in out --ratio 0.8 --flatten --prune").succeeds();
    assert_eq!(env.files("out"), ["a.wav", "c.wav", "d.wav", "x.mp3"]);

    // A broken link, or a file behind one, does not count as gone either: a disk may be missing.
    fs::rename(env.path("in/new"), env.path("in/old")).unwrap();
    env.run("in out2 --ratio 0.8").succeeds();
    let all = env.files("out2");
    fs::rename(env.path("in/old"), env.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink("/nowhere", env.path("in/old")).unwrap();
    env.run("in out2 --ratio 0.8 --prune").succeeds();
    assert_eq!(env.files("out2"), all);

    fs::remove_file(env.path("in/old")).unwrap();
    env.run("in out2 --ratio 0.8 --prune").succeeds();
    assert_eq!(env.files("out2").len(), all.len() - 1);

    env.write("list", "in/a.wav\n");
    for args in [
        "--files-from list out --prune",
        "in out --prune --rerun-failed out/audiostretchy-report.json",
        "in/a.wav a.wav --prune",
    ] {
        env.refuses(&format!("{args} --ratio 0.8"), 2, &["--prune"]);
    }
}
