//! Runs every example as a program on real audio.
//!
//! `cargo test` builds the examples. After a change to an example, run `cargo build --examples`
//! first: `cargo test --test library examples::` alone does not rebuild them.

#[path = "../../support/probe.rs"]
mod probe;
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
