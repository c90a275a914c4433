//! The examples that run to completion.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Output};

use crate::examples::probe::probe;
use crate::examples::{example, recording, recordings};

fn run(command: &mut Command) -> (String, Output) {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let shown = text(&output.stdout) + &text(&output.stderr);
    (shown, output)
}

fn assert_length(path: &Path, seconds: f64) {
    let found = probe(path).2;
    assert!((found / seconds - 1.0).abs() < 0.05, "{found} s");
}

#[test]
fn the_one_call_function() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("faster.flac");
    let mut command = example("stretch_audio");
    let input = recording("stories/lighthouse.mp3");
    let (shown, ran) = run(command.arg(&input).arg(&output).arg("0.8"));
    assert!(ran.status.success(), "{shown}");
    assert!(shown.contains("frames became"), "{shown}");
    assert_eq!(probe(&output).0, "flac");
    assert_length(&output, 0.8 * probe(&input).2);
}

#[test]
fn audio_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = example("audio_stretch");
    let input = recording("lectures/scaling.wav");
    let (shown, ran) = run(command.arg(input).arg(folder.path()));
    assert!(ran.status.success(), "{shown}");
    for (name, codec) in [("slower.mp3", "mp3"), ("slower.flac", "flac")] {
        let (found, rate, _) = probe(&folder.path().join(name));
        assert_eq!((found.as_str(), rate), (codec, 16_000));
    }
}

#[test]
fn readers_and_writers() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    let input = recording("stories/temps.opus");
    let mut command = example("readers_and_writers");
    command.arg(&input).stdin(File::open(&input).unwrap());
    let (shown, ran) = run(command.stdout(File::create(&output).unwrap()));
    assert!(ran.status.success(), "{shown}");
    let bytes = std::fs::metadata(&output).unwrap().len();
    assert!(
        shown.contains(&format!("{bytes} bytes in memory")),
        "{shown}"
    );
    assert_eq!(probe(&output).0, "flac");
    assert_length(&output, 0.8 * probe(&input).2);
}

#[test]
fn blocks_of_raw_samples() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.raw");
    let samples = (0..16_000).map(|n| (f64::from(n) * 0.1).sin() * 9000.0);
    let bytes: Vec<u8> = samples.flat_map(|s| (s as i16).to_le_bytes()).collect();
    std::fs::write(&input, &bytes).unwrap();
    let mut command = example("blocks");
    command
        .args(["16000", "2"])
        .stdin(File::open(&input).unwrap());
    let output = command.output().unwrap();
    assert!(output.status.success());
    let ratio = output.stdout.len() as f64 / bytes.len() as f64;
    assert!((ratio - 2.0).abs() < 0.05, "{ratio}");
}

#[test]
fn errors_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let good = recording("stories/sea.wav");
    let good = good.to_str().unwrap();
    let junk = folder.path().join("junk.wav");
    std::fs::write(&junk, "not audio").unwrap();
    let half = folder.path().join("half.wav");
    std::fs::write(&half, &std::fs::read(good).unwrap()[..9000]).unwrap();
    let (junk, half) = (junk.to_str().unwrap(), half.to_str().unwrap());
    let output = folder.path().join("out.wav");
    let output = output.to_str().unwrap();
    let under_a_file = format!("{junk}/out.wav");
    for (input, output, ratio, code) in [
        (good, output, "0.5", 0),
        ("missing.wav", output, "0.5", 10),
        (folder.path().to_str().unwrap(), output, "0.5", 11),
        (junk, output, "0.5", 12),
        (half, output, "0.5", 13),
        (good, output, "5", 14),
        (good, output, "fast", 14),
        (good, &under_a_file, "0.5", 15),
    ] {
        let (shown, ran) = run(example("errors").args([input, output, ratio]));
        assert_eq!(ran.status.code(), Some(code), "{input} {ratio}: {shown}");
        assert_eq!(shown.contains("advice"), code != 0, "{shown}");
    }
}

#[test]
fn a_batch() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = example("batch");
    let (shown, ran) = run(command.arg(recordings()).arg(folder.path()).arg("0.8"));
    assert!(ran.status.success(), "{shown}");
    assert!(shown.contains("7 done, 0 failed, 0 not run"), "{shown}");
    assert_eq!(shown.matches("finished ").count(), 7, "{shown}");
    let output = folder.path().join("recordings/stories/sea.flac");
    let output = match output.is_file() {
        true => output,
        false => folder.path().join("stories/sea.flac"),
    };
    assert_length(&output, 0.8 * 6.0);
}

#[test]
fn an_estimate() {
    let mut command = example("estimate");
    let (shown, ran) = run(command.arg(recording("stories/sea.wav")).arg("0.5"));
    assert!(ran.status.success(), "{shown}");
    assert!(shown.contains("6.00 s of audio to 3.00 s"), "{shown}");
    assert!(shown.contains("it was: to "), "{shown}");
}
