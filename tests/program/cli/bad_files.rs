//! Files and folders that cannot be stretched: each is one failure with a reason, and the run
//! continues with the other files.

use crate::env::TestEnv;

/// Stretches `in`, which contains `good.wav` and the file `bad`, which must fail with `code`.
#[track_caller]
fn fails(env: &TestEnv, bad: &str, code: &str, message: &str) {
    let args = "in out --format wav --ratio 0.8 --if-exists overwrite";
    let run = env.run(args).exits(1);
    let run = run.says(&["1 done, 1 failed", &format!("failed: in/{bad}: ")]);
    assert_eq!(env.files("out"), ["good.wav"], "{run}");
    let report = env.report("out");
    let files = report["files"].as_array().unwrap();
    let input = format!("in/{bad}");
    let file = files.iter().find(|file| file["input"] == *input).unwrap();
    assert_eq!(file["status"], "failed", "{file}");
    assert_eq!(file["error"]["code"], code, "{file}");
    let found = file["error"]["message"].as_str().unwrap();
    assert!(found.contains(message), "{file}");
    std::fs::remove_file(env.path(input)).unwrap();
}

#[test]
fn a_file_without_content_fails() {
    let env = TestEnv::with_short_speech(&["in/good.wav"]);
    env.write("in/bad.wav", "");
    fails(&env, "bad.wav", "empty", "the file is empty");
}

#[test]
fn a_file_without_a_frame_fails() {
    let env = TestEnv::with_short_speech(&["in/good.wav"]);
    let args = "-n -r 16000 -c 1 -b 16 in/none.wav trim 0 0";
    env.tool("sox", args.split(' '));
    fails(&env, "none.wav", "empty", "0 frames");
}

#[test]
fn a_truncated_file_fails_with_both_lengths() {
    let env = TestEnv::with_short_speech(&["in/good.wav"]);
    for name in ["cut.wav", "cut.flac", "cut.mp3"] {
        env.encode_recording("speech-16k-mono", &format!("in/{name}"), "-t 1.5");
        let whole = env.read(format!("in/{name}"));
        env.write(format!("in/{name}"), &whole[..whole.len() * 2 / 3]);
        fails(&env, name, "truncated", "of 24000 frames are there");
    }
}

#[test]
fn a_file_cut_within_its_header_fails() {
    let env = TestEnv::with_short_speech(&["in/good.wav"]);
    for name in ["cut.wav", "cut.flac", "cut.m4a", "cut.ogg", "cut.aiff"] {
        env.encode_recording("speech-16k-mono", &format!("in/{name}"), "-t 0.3");
        let whole = env.read(format!("in/{name}"));
        env.write(format!("in/{name}"), &whole[..30]);
        fails(&env, name, "truncated", "cut short");
    }
}

#[test]
fn what_is_no_audio_fails_whatever_its_name() {
    let env = TestEnv::with_short_speech(&["in/good.wav"]);
    for name in ["text.wav", "text.mp3", "text.flac", "text.ogg", "text.m4a"] {
        env.write(format!("in/{name}"), "Words, words, words.\n".repeat(1000));
        fails(&env, name, "not-audio", "not audio");
    }
}

#[test]
fn a_picture_with_an_audio_extension_fails() {
    let env = TestEnv::with_short_speech(&["in/good.wav"]);
    let args = "-v error -f lavfi -i testsrc=d=0.2:s=64x64 -c:v mpeg4 -f mp4 in/silent.m4a";
    env.tool("ffmpeg", args.split(' '));
    fails(&env, "silent.m4a", "no-audio-track", "no audio track");
}

#[test]
fn a_single_file_that_fails_leaves_nothing() {
    let env = TestEnv::with_short_speech(&["a.wav"]);
    let whole = env.read("a.wav");
    env.write("a.wav", &whole[..whole.len() / 2]);
    env.run("a.wav b.mp3 --ratio 1")
        .exits(1)
        .says(&["failed: a.wav: the file is truncated"]);
    assert_eq!(env.files(""), ["a.wav"]);
}

#[test]
fn too_many_channels_for_a_format_are_told_with_the_option() {
    let env = TestEnv::new();
    env.encode_recording("speech-16k-mono", "in.wav", "-t 0.2 -ac 6");
    env.run("in.wav out.mp3 --ratio 1").exits(1).says(&[
        "mp3 holds at most 2 channels",
        "6",
        "--format",
    ]);
    assert_eq!(env.files(""), ["in.wav"]);
    env.run("in.wav out.wav --ratio 0.8").succeeds();
    assert_eq!(env.probe("out.wav")["channels"], 6);
}

#[test]
fn a_folder_named_like_a_file_is_walked_into() {
    let env = TestEnv::with_short_speech(&["in/folder.wav/a.wav"]);
    env.run("in out --ratio 0.8").succeeds();
    assert_eq!(env.files("out"), ["folder.wav/a.wav"]);
}

#[test]
fn an_output_that_cannot_be_written_is_that_files_failure() {
    let env = TestEnv::with_short_speech(&["in/good.wav", "in/deep/a.wav"]);
    env.write("out/deep", "a file where a folder is needed");
    let run = env.run("in out --ratio 0.8").exits(1);
    run.says(&[
        "1 done, 1 failed",
        "failed: in/deep/a.wav: cannot write the output",
    ]);
    assert_eq!(env.files("out"), ["deep", "good.wav"]);
    assert_eq!(env.report("out")["files"][0]["error"]["code"], "output");
}

#[test]
#[cfg(unix)]
fn a_folder_that_cannot_be_read_is_a_failure_of_its_own() {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    let env = TestEnv::with_short_speech(&["in/good.wav", "in/locked/a.wav", "alone/a.wav"]);
    for folder in ["in/locked", "alone"] {
        fs::set_permissions(env.path(folder), Permissions::from_mode(0o000)).unwrap();
    }
    // Permissions do not restrict the superuser.
    if fs::read_dir(env.path("alone")).is_err() {
        env.refuses("alone out", 2, &["alone: cannot be read"]);
        let run = env.run("in out --ratio 0.8").exits(1);
        run.says(&["1 done, 1 failed", "in/locked"]);
        assert_eq!(env.files("out"), ["good.wav"]);
        assert_eq!(env.report("out")["files"][1]["error"]["code"], "unreadable");
    }
    for folder in ["in/locked", "alone"] {
        fs::set_permissions(env.path(folder), Permissions::from_mode(0o755)).unwrap();
    }
}
