//! Tests of audio files: decoders, encoders, tags and times, checked with other programs.
//!
//! Needs the tools that `scripts/test-tools` installs.

mod chapters;
mod damage;
mod decode;
mod decode_streams;
mod encoders;
#[path = "../support/files.rs"]
mod files;
mod matrix;
#[path = "../support/pages.rs"]
mod pages;
mod tags;
mod timed;
