//! Tests of the public library: audio in memory, readers and writers, errors, presets, examples.

mod errors;
mod estimates;
mod examples;
#[path = "../support/files.rs"]
mod files;
mod fuzz;
mod memory;
mod presets;
mod streams;

use std::path::{Path, PathBuf};

use audiostretchy::{Format, OutputOptions, StretchOptions};

/// Returns the path of a recording that comes with the tests.
fn recording(name: &str) -> PathBuf {
    let recordings = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/recordings");
    Path::new(recordings).join(name)
}

/// Recordings of each kind, 16-bit and lossy, with various sample rates and channel counts.
const RECORDINGS: [&str; 7] = [
    "lectures/evening.flac",
    "lectures/memo.m4a",
    "lectures/scaling.wav",
    "stories/langsam.ogg",
    "stories/lighthouse.mp3",
    "stories/sea.wav",
    "stories/temps.opus",
];

fn at_ratio(ratio: f64) -> StretchOptions {
    StretchOptions {
        ratio,
        ..StretchOptions::default()
    }
}

fn written_as(format: Format) -> OutputOptions {
    OutputOptions {
        format: Some(format),
        ..OutputOptions::default()
    }
}
