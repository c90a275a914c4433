//! Inputs that change while they are read, and which changes are noticed by later runs.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;

use serde_json::Value;

use crate::env::TestEnv;
use crate::trust::live::{Live, inputs, long_input};

fn only_file(env: &TestEnv) -> Value {
    let report = env.report("out");
    let files = report["files"].as_array().unwrap();
    assert_eq!(files.len(), 1, "{report}");
    files[0].clone()
}

fn skips_all(env: &TestEnv, args: &str) {
    let run = env.run(args).succeeds();
    let counts = &env.report("out")["counts"];
    assert_eq!(counts["skipped"], counts["total"], "{run}");
    let report = env.report("out").to_string();
    assert!(!report.contains("output-changed"), "{run}");
}

#[test]
fn an_input_that_is_cut_or_overwritten_while_it_is_read_fails() {
    let env = TestEnv::new();
    long_input(&env, "long.wav", 300);
    env.tool(
        "ffmpeg",
        "-v error -i long.wav -b:a 128k long.mp3".split(' '),
    );
    for name in ["long.mp3", "long.wav"] {
        for is_cut in [true, false] {
            let _ = fs::remove_dir_all(env.path("in"));
            env.write(format!("in/{name}"), env.read(name));
            let mut run = Live::start(&env, "in out --ratio 0.8 -n");
            run.wait_for_event("file-progress");
            let input = OpenOptions::new()
                .write(true)
                .open(env.path(format!("in/{name}")));
            let input = input.unwrap();
            match is_cut {
                true => input.set_len(100_000).unwrap(),
                false => input.write_all_at(&[0; 4096], 2_000_000).unwrap(),
            }
            run.ends().exits(1);
            assert_eq!(
                only_file(&env)["error"]["code"],
                "changed-while-read",
                "{name}"
            );
            assert!(env.files("out").is_empty(), "{env}");
        }
    }
}

#[test]
fn an_input_that_is_replaced_while_it_is_read_is_made_again_next_time() {
    let env = inputs(1, 300);
    env.encode_recording("speech-16k-mono", "new.wav", "-t 0.3");
    let mut run = Live::start(&env, "in out --ratio 0.8 -n --checksum");
    run.wait_for_event("file-progress");
    fs::rename(env.path("new.wav"), env.path("in/00.wav")).unwrap();
    run.ends().exits(0);
    // The old file was read to its end.
    assert!((env.seconds("out/00.wav") - 240.0).abs() < 0.1);
    env.run("in out --ratio 0.8 -n --checksum").succeeds();
    assert_eq!(only_file(&env)["status"], "done");
    assert!(env.seconds("out/00.wav") < 1.0);
}

#[test]
fn an_input_that_vanishes_while_it_is_read_is_read_to_its_end() {
    let env = inputs(1, 300);
    let mut run = Live::start(&env, "in out --ratio 0.8 -n --checksum");
    run.wait_for_event("file-progress");
    fs::remove_file(env.path("in/00.wav")).unwrap();
    run.ends().exits(0);
    assert!((env.seconds("out/00.wav") - 240.0).abs() < 0.1);
}

#[test]
fn a_pipe_that_comes_to_an_inputs_place_is_not_waited_on() {
    let env = inputs(2, 60);
    let mut run = Live::start(&env, "in out --ratio 0.8 -n -j 1");
    run.wait_for_event("file-progress");
    fs::remove_file(env.path("in/01.wav")).unwrap();
    env.tool("mkfifo", ["in/01.wav"]);
    run.ends().exits(1);
    let report = env.report("out");
    assert_eq!(report["files"][1]["error"]["code"], "not-a-file");
    assert_eq!(report["files"][0]["status"], "done");
}

#[test]
fn a_format_that_is_named_is_another_setting_than_one_that_is_kept() {
    let env = TestEnv::with_short_speech(&[]);
    env.encode_recording("speech-16k-mono", "in/a.ogg", "-t 0.3 -c:a libopus");
    env.run("in out --ratio 0.8").succeeds();
    assert_eq!(env.probe("out/a.ogg")["codec_name"], "opus");
    env.run("in out --ratio 0.8 --format ogg").succeeds();
    assert_eq!(env.probe("out/a.ogg")["codec_name"], "vorbis");
    skips_all(&env, "in out --ratio 0.8 --format ogg");
}

#[test]
fn outputs_that_a_cache_restores_are_known() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/deep/b.mp3"]);
    let text = "1\n00:00:00,100 --> 00:00:00,200\nHello\n";
    env.write("in/a.srt", text);
    env.run("in out --ratio 0.8 --checksum").succeeds();
    let restore = |commands: &str| env.tool("bash", ["-ec", commands]);
    // The archive stores times in whole seconds.
    restore("tar -cf t.tar in out; rm -r in out; tar -xf t.tar");
    skips_all(&env, "in out --ratio 0.8");
    skips_all(&env, "in out --ratio 0.8 --checksum");
    // The times are new, so only the contents can be compared.
    restore("mv in in2; mv out out2; cp -r in2 in; cp -r out2 out; rm -r in2 out2");
    skips_all(&env, "in out --ratio 0.8 --checksum");
    env.write("in/a.srt", text.replace("Hello", "Hullo"));
    env.run("in out --ratio 0.8 --checksum").succeeds();
    assert_eq!(env.report("out")["counts"]["done"], 1);
    assert!(
        String::from_utf8(env.read("out/a.srt"))
            .unwrap()
            .contains("Hullo")
    );
    // Without `--checksum`, contents are not compared: a copied file counts as modified.
    env.run("in out --ratio 0.8 --if-exists overwrite")
        .succeeds();
    restore("mv out out2; cp -r out2 out; rm -r out2");
    env.run("in out --ratio 0.8").succeeds();
    assert_eq!(
        env.report("out")["files"][0]["warnings"][0]["code"],
        "output-changed"
    );
}
