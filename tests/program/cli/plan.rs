//! Dry runs: what would be done and why.

use std::fs::{self, File};

use serde_json::Value;

use crate::env::TestEnv;
use crate::json_schema::Schema;

fn plan_of(text: impl AsRef<[u8]>) -> Value {
    let plan = serde_json::from_slice(text.as_ref()).unwrap();
    Schema::read("plan.schema.json", &[]).check(&plan);
    plan
}

#[test]
fn every_file_is_told_with_the_reason() {
    let names = ["kept", "gone", "changed", "failed", "edited", "other"];
    let env = TestEnv::new();
    for name in names {
        env.encode_recording("speech-16k-mono", &format!("in/{name}.wav"), "-t 0.3");
    }
    let good = env.read("in/failed.wav");
    env.write("in/failed.wav", "no audio");
    env.run("in out --ratio 0.8").exits(1);
    env.write("in/failed.wav", good);
    env.encode_recording("speech-16k-mono", "in/new.wav", "-t 0.3");
    fs::remove_file(env.path("out/gone.wav")).unwrap();
    let file = File::options()
        .write(true)
        .open(env.path("in/changed.wav"))
        .unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    env.write("out/edited.wav", "somebody's");
    let file = File::options()
        .write(true)
        .open(env.path("in/edited.wav"))
        .unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    let before = env.tree();
    let run = env.run("in out --ratio 0.8 --dry-run").exits(1);
    let run = run.prints(&[
        "in/kept.wav -> out/kept.wav (skipped: up to date)\n",
        "in/gone.wav -> out/gone.wav (output missing: pcm_s16le, 16000 Hz, 1 channel, 0:00.3 to about 0:00.2)\n",
        "in/changed.wav -> out/changed.wav (source changed: pcm",
        "in/failed.wav -> out/failed.wav (failed before: pcm",
        "in/new.wav -> out/new.wav (new: pcm",
        "in/edited.wav -> out/edited.wav (will fail: ",
        "4 files to stretch, 2 to skip, 1 would fail; 0:01.2 of audio, about 1 s of work\n",
    ]);
    assert_eq!(run.stderr, "");
    let run = env.run("in out --ratio 0.5 --dry-run").exits(1);
    run.prints(&["in/kept.wav -> out/kept.wav (settings changed: pcm"]);
    let run = env.run("in out --ratio 0.8 --if-exists overwrite --dry-run");
    run.succeeds()
        .prints(&["in/kept.wav -> out/kept.wav (to be replaced: pcm"]);
    assert!(env.tree() == before);
}

#[test]
fn what_probing_can_tell_is_found_before_the_run() {
    let env = TestEnv::new();
    env.encode_recording("speech-16k-mono", "in/six.wav", "-t 0.2 -ac 6");
    env.encode_recording("speech-16k-mono", "in/high.wav", "-t 0.2 -ar 96000");
    env.encode_recording("speech-16k-mono", "in/low.wav", "-t 0.2");
    env.write("in/text.wav", "no audio");
    let args = "in out --ratio 0.8 --format mp3 --dry-run";
    env.run(args).exits(1).prints(&[
        "in/six.wav -> out/six.mp3 (will fail: mp3 holds at most 2 channels",
        "in/text.wav -> out/text.mp3 (will fail: not audio",
        "in/high.wav -> out/high.mp3 (new: pcm_s16le, 96000 Hz, 1 channel, 0:00.2 to about 0:00.1; \
         warning: mp3 cannot hold 96000 Hz: converted to 48000 Hz)",
    ]);
    let run = env.run("in out --ratio 0.8 --format mp3").exits(1);
    run.says(&["2 done, 2 failed"]);
    env.refuses(
        "in nowhere/ --ratio 0.8 --dry-run -e flac",
        4,
        &["no audio"],
    );
    env.write("file", "");
    for output in ["file/out", "file/deep/out"] {
        let args = format!("in {output} --ratio 0.8 --dry-run");
        env.refuses(&args, 2, &[&format!("{output}: cannot write there")]);
    }
    let args = "in/low.wav file/out.wav --ratio 0.8 --dry-run";
    env.refuses(args, 2, &["file: cannot write there"]);
    env.run("in/low.wav out.wav --ratio 0.8 --dry-run")
        .succeeds();
}

#[test]
fn the_plan_is_written_as_json_only_where_that_is_asked_for() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/b.mka", "in/c.mp3"]);
    env.run("in out -e wav,mp3 --ratio 0.8").succeeds();
    fs::remove_file(env.path("in/c.mp3")).unwrap();
    env.write("in/text.wav", "no audio");
    let before = env.tree();
    let args = "in out -e wav --ratio 0.8 --dry-run --prune";
    let run = env.run(&format!("{args} --report -")).exits(1);
    let plan = plan_of(&run.stdout);
    let events = env.run(&format!("{args} --events")).exits(1);
    assert_eq!(events.stdout.lines().count(), 1, "{events}");
    let from_events = plan_of(&events.stdout);
    assert_eq!(plan["files"], from_events["files"]);
    assert!(env.tree() == before);
    let listed = env.run(&format!("{args} --report plan.json")).exits(1);
    listed.prints(&["in/a.wav -> out/a.wav (skipped"]);
    assert_eq!(plan_of(env.read("plan.json"))["files"], plan["files"]);

    assert_eq!(plan["exit_code"], 1);
    assert_eq!(
        plan["counts"],
        serde_json::json!({"total": 2, "to_stretch": 0, "to_skip": 1, "would_fail": 1})
    );
    assert_eq!(plan["files"][0]["action"], "skip");
    assert_eq!(plan["files"][0]["reason"], "up to date");
    assert_eq!(plan["files"][1]["error"]["code"], "not-audio");
    assert_eq!(plan["left_out"][0]["path"], "in/b.mka");
    assert_eq!(plan["to_prune"], serde_json::json!(["out/c.mp3"]));
    let plan = env.run("in new --ratio 0.8 --format mp3 --dry-run --report -");
    let plan = plan_of(plan.exits(1).stdout);
    let file = &plan["files"][0];
    assert_eq!(file["action"], "stretch");
    assert_eq!(file["source"]["sample_rate"], 16000);
    let seconds = file["output_seconds"].as_f64().unwrap();
    assert!((seconds - 0.24).abs() < 0.01, "{file}");
}

#[test]
fn the_plan_is_a_table_for_a_pull_request() {
    let env = TestEnv::with_short_speech(&["in/a|b.wav"]);
    env.write("in/text.wav", "no audio");
    let args = "in out --ratio 0.8 --dry-run --report-markdown plan.md";
    env.run(args).exits(1).prints(&["will fail"]);
    let table = String::from_utf8(env.read("plan.md")).unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), 4, "{table}");
    assert!(
        rows.iter().all(|row| row.matches('|').count() == 6),
        "{table}"
    );
    assert!(
        rows[2].contains("text.wav") && rows[2].contains("would fail"),
        "{table}"
    );
    assert!(
        rows[3].contains("| stretch | 0:00.3 → 0:00.2 | new |"),
        "{table}"
    );
    assert!(!env.exists("out"));
    let run = env
        .run("in out --ratio 0.8 --dry-run --report-markdown -")
        .exits(1);
    assert_eq!(run.stdout, table);
}
