//! Keeping formats, damaged inputs with `--strict`, and `--dither`.

use crate::env::TestEnv;

/// Returns the codes of a file's warnings.
fn warnings(report: &serde_json::Value, at: usize) -> Vec<&str> {
    let warnings = report["files"][at]["warnings"].as_array().unwrap();
    let codes = warnings.iter().map(|warning| &warning["code"]);
    codes.map(|code| code.as_str().unwrap()).collect()
}

#[test]
fn opus_in_a_file_named_ogg_stays_opus() {
    let env = TestEnv::new();
    for (name, codec) in [("in/a.ogg", "libopus"), ("in/b.ogg", "libvorbis")] {
        env.encode_recording("speech-16k-mono", name, &format!("-c:a {codec}"));
    }
    env.run("in out --ratio 0.8").succeeds();
    assert_eq!(env.probe("out/a.ogg")["codec_name"], "opus");
    assert_eq!(env.probe("out/b.ogg")["codec_name"], "vorbis");
    let report = env.report("out");
    assert!(warnings(&report, 0).is_empty() && warnings(&report, 1).is_empty());
    env.run("in again --ratio 0.8 --format ogg").succeeds();
    assert_eq!(env.probe("again/a.ogg")["codec_name"], "vorbis");
}

#[test]
fn a_codec_that_the_name_does_not_tell_gives_a_warning() {
    let env = TestEnv::new();
    env.encode_recording("speech-16k-mono", "a.opus", "");
    env.write("in/a.mp3", env.read("a.opus"));
    env.run("in out --ratio 1").succeeds();
    assert_eq!(env.probe("out/a.mp3")["codec_name"], "mp3");
    assert!(warnings(&env.report("out"), 0).contains(&"codec-changed"));
}

#[test]
fn what_is_lossless_is_not_kept_as_lossy() {
    let env = TestEnv::new();
    env.encode_recording("speech-16k-mono", "in/alac.m4a", "-c:a alac");
    env.encode_recording("speech-16k-mono", "in/flac.oga", "-c:a flac");
    env.encode_recording("speech-16k-mono", "in/good.m4b", "-c:a aac -f ipod");
    let run = env.run("in out --ratio 1").exits(1);
    run.says(&[
        "in/alac.m4a: the file holds alac, which is lossless",
        "--format flac",
    ]);
    let report = env.report("out");
    for at in [0, 1] {
        assert_eq!(report["files"][at]["error"]["code"], "lossless-to-lossy");
    }
    assert_eq!(env.files("out"), ["good.m4b"]);
    env.run("in flac --format flac").succeeds();
    env.run("in m4a --format m4a").succeeds();
    assert_eq!(env.probe("m4a/alac.m4a")["codec_name"], "aac");
}

#[test]
fn with_strict_containers_that_cannot_be_written_are_refused_before_the_run() {
    let env = TestEnv::new();
    for extension in ["aac", "mp2", "mp4", "caf", "mka", "webm", "w64", "au"] {
        env.write(format!("in/a.{extension}"), "never opened");
        let piece = format!("in/a.{extension}; choose one to convert to with --format");
        let args = format!("in/a.{extension} out/ --strict --ratio 0.8");
        env.refuses(&args, 2, &[&piece, "leave out --strict"]);
    }
}

#[test]
fn relatives_of_wav_are_kept_as_wav() {
    let env = TestEnv::new();
    env.encode_recording("speech-16k-mono", "in/a.rf64", "-f wav -rf64 always");
    env.encode_recording("speech-16k-mono", "in/b.wave", "-f wav");
    env.run("in out --ratio 1").succeeds();
    assert_eq!(env.files("out"), ["a.wav", "b.wave"]);
}

#[test]
fn a_damaged_input_is_a_warning_or_with_strict_a_failure() {
    let env = TestEnv::with_speech(&["in/good.wav"]);
    env.encode_recording("speech-16k-mono", "in/bad.flac", "");
    let mut bytes = env.read("in/bad.flac");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 40].fill(0x55);
    env.write("in/bad.flac", bytes);

    env.run("in out --ratio 0.8").succeeds();
    assert!(warnings(&env.report("out"), 0).contains(&"lost-frames"));

    // A file that is up to date without `--strict` may not be with it.
    let run = env.run("in out --ratio 0.8 --strict").exits(1);
    run.says(&[
        "1 done, 1 failed",
        "in/bad.flac: the input is damaged: ",
        "ms of its audio is lost",
    ]);
    let report = env.report("out");
    assert_eq!(report["files"][0]["error"]["code"], "damaged");

    env.run("in strict --ratio 0.8 --strict").exits(1);
    assert_eq!(env.files("strict"), ["good.wav"]);
}

#[test]
fn an_input_that_changes_or_breaks_off_is_a_warning_or_with_strict_a_failure() {
    let env = TestEnv::new();
    env.encode_recording("speech-16k-mono", "mono.mp3", "-t 0.5 -write_xing 0");
    env.encode_recording(
        "speech-16k-mono",
        "stereo.mp3",
        "-t 0.5 -ac 2 -write_xing 0",
    );
    let [mono, stereo] = ["mono.mp3", "stereo.mp3"].map(|name| env.read(name));
    let changes = [&mono[..], &stereo].concat();
    env.write("in/both.mp3", &changes[..changes.len() - 20]);
    env.write("in/changes.mp3", changes);
    env.write("in/cut.mp3", &mono[..mono.len() - 20]);

    env.run("in out --ratio 0.8").succeeds();
    let report = env.report("out");
    assert_eq!(warnings(&report, 0), ["cut-short", "format-changes"]);
    assert_eq!(warnings(&report, 1), ["format-changes"]);
    assert_eq!(warnings(&report, 2), ["cut-short"]);

    let run = env.run("in strict --ratio 0.8 --strict").exits(1);
    run.says(&[
        "3 failed",
        "in/both.mp3: the input is damaged: it breaks off, and its sample rate or channels change; run \
         without --strict to make the best of it",
        "in/changes.mp3: the input is damaged: its sample rate or channels change",
        "in/cut.mp3: the input is damaged: it breaks off",
    ]);
    assert!(env.files("strict").is_empty());
}

#[test]
fn dither_acts_where_samples_become_16_bits_and_nowhere_else() {
    let env = TestEnv::new();
    env.encode_recording("speech-16k-mono", "in/a.wav", "-c:a pcm_f32le");
    env.write("dither.toml", "dither = true");
    env.run("in round --bit-depth 16 --ratio 0.8").succeeds();
    env.run("in option --bit-depth 16 --ratio 0.8 --dither")
        .succeeds();
    env.run("in preset --bit-depth 16 --ratio 0.8 -p dither.toml")
        .succeeds();
    assert!(env.read("round/a.wav") != env.read("option/a.wav"));
    assert!(env.read("preset/a.wav") == env.read("option/a.wav"));

    env.run("in out --bit-depth 24 --ratio 0.8").succeeds();
    let again = env
        .run("in out --bit-depth 24 --ratio 0.8 --dither")
        .succeeds();
    again.says(&["1 up to date"]);
    let redone = env
        .run("in round --bit-depth 16 --ratio 0.8 --dither")
        .succeeds();
    redone.says(&["in/a.wav: 0:02.5 became"]);
}
