//! Runs every example as a program on real audio.
//!
//! `cargo test` builds the examples. After a change to an example, run `cargo build --examples`
//! first: `cargo test --test library examples::` alone does not rebuild them.

mod http_service;
mod programs;

use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns a command that runs a built example.
fn example(name: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let folder = test.ancestors().nth(2).unwrap().join("examples");
    let program = folder
        .join(name)
        .with_extension(std::env::consts::EXE_EXTENSION);
    assert!(
        program.is_file(),
        "{} is not there: run `cargo build --examples` first",
        program.display()
    );
    Command::new(program)
}

fn recordings() -> &'static Path {
    Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/recordings"
    ))
}

fn recording(name: &str) -> PathBuf {
    recordings().join(name)
}

/// Returns what ffprobe reports of a file: codec, sample rate in Hz, seconds.
fn probe(path: &Path) -> (String, u32, f64) {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-show_entries"])
        .args(["stream=codec_name,sample_rate:format=duration", "-of"])
        .arg("default=noprint_wrappers=1:nokey=1")
        .arg(path)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let [codec, rate, seconds] = lines[..] else {
        panic!("ffprobe cannot read {}: {text}", path.display());
    };
    let number = |text: &str| text.parse::<f64>().unwrap();
    (codec.into(), number(rate) as u32, number(seconds))
}
