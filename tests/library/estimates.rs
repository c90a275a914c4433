//! Estimates of how long an output will be.

use std::time::Duration;

use audiostretchy::{Error, OutputOptions, StretchOptions, estimate, stretch_audio};
use audiostretchy_media::decode::Decoder;

use super::{RECORDINGS, at_ratio, recording};
use crate::files::{Files, run};

/// Compares the estimated length with that of the output, which is written as WAV.
fn assert_right(input: &std::path::Path, options: &StretchOptions) {
    assert_right_as(input, options, &OutputOptions::default());
}

fn assert_right_as(input: &std::path::Path, options: &StretchOptions, encoding: &OutputOptions) {
    let estimate = estimate(input, options, encoding).unwrap();
    let files = Files::new();
    let outcome = stretch_audio(input, files.path("out.wav"), options, encoding).unwrap();
    let written = outcome.encoded.frames as f64 / f64::from(outcome.spec.sample_rate);
    // The output may differ by a few periods of the lowest pitch.
    let difference = (estimate.output_seconds - written).abs();
    assert!(difference < 0.3, "{}: {difference} s", input.display());
    assert_eq!(
        estimate.input_frames,
        outcome.input_frames,
        "{}",
        input.display()
    );
    assert!(estimate.processing > Duration::ZERO);
}

#[test]
fn the_length_is_right_for_every_kind_of_file() {
    for name in RECORDINGS {
        assert_right(&recording(name), &at_ratio(0.7));
    }
}

#[test]
fn the_length_is_right_with_gaps_and_another_rate() {
    let options = StretchOptions {
        ratio: 1.5,
        gap_ratio: 0.3,
        ..StretchOptions::default()
    };
    let encoding = OutputOptions {
        sample_rate: Some(32_000),
        ..OutputOptions::default()
    };
    let input = recording("lectures/scaling.wav");
    assert_right_as(&input, &options, &encoding);
    let frames = estimate(&input, &options, &encoding).unwrap();
    let expected = frames.output_seconds * 32_000.0;
    assert!((frames.output_frames as f64 - expected).abs() < 1.0);
}

#[test]
fn a_file_without_a_length_is_counted() {
    let files = Files::new();
    let source = files.source(48_000, 1, 3.0);
    // ffmpeg writes to a pipe, so it cannot put the length into the header at the end.
    let source = source.to_str().unwrap();
    let bytes = run("ffmpeg", &["-v", "error", "-i", source, "-f", "flac", "-"]);
    let flac = files.write("piped.flac", &bytes);
    let frames = Decoder::open(&flac).unwrap().info().frames;
    assert_eq!(frames, None);
    assert_right(&flac, &at_ratio(0.5));
}

#[test]
fn what_cannot_be_stretched_cannot_be_estimated() {
    let missing = estimate("missing.wav", &at_ratio(0.5), &OutputOptions::default());
    assert!(matches!(missing, Err(Error::NotFound { .. })));
    let wrong = estimate(
        recording("stories/sea.wav"),
        &at_ratio(0.1),
        &OutputOptions::default(),
    );
    assert!(matches!(wrong, Err(Error::InvalidParameter(_))));
}

#[test]
fn long_files_are_looked_at_all_over() {
    let files = Files::new();
    let speech = recording("lectures/scaling.wav");
    let options = StretchOptions {
        ratio: 1.0,
        gap_ratio: 0.25,
        ..StretchOptions::default()
    };
    for extension in ["wav", "flac", "mp3", "opus", "m4a", "caf"] {
        // Half a minute of silence, then speech: the beginning is not representative of the rest.
        let path = files.path("long").with_extension(extension);
        let filter = "[0]adelay=30000:all=1[out]";
        let arguments = ["-v", "error", "-y", "-stream_loop", "4", "-i"];
        let arguments = [
            &arguments[..],
            &[speech.to_str().unwrap(), "-filter_complex", filter],
            &["-map", "[out]", path.to_str().unwrap()],
        ];
        run("ffmpeg", &arguments.concat());
        let estimate = estimate(&path, &options, &OutputOptions::default()).unwrap();
        let outcome = stretch_audio(
            &path,
            files.path("out.wav"),
            &options,
            &OutputOptions::default(),
        )
        .unwrap();
        let written = outcome.encoded.frames as f64 / f64::from(outcome.spec.sample_rate);
        let off = estimate.output_seconds / written;
        assert!((0.7..1.3).contains(&off), "{extension}: {off}");
    }
}
