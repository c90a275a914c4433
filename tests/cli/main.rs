//! The program from end to end: run in a folder of its own, its files looked at with other tools.
//!
//! Needs ffmpeg, ffprobe, sox, flac and lame.

mod bad_files;
mod earlier_reports;
mod engine_options;
mod env;
mod existing_outputs;
mod formats;
mod help;
#[allow(dead_code)] // Made for the tests of reports, which use all of it.
#[path = "../json_schema/mod.rs"]
mod json_schema;
mod left_out;
mod main_job;
mod names;
mod nearest_formats;
mod parameters;
mod pipes;
mod plan;
mod plan_errors;
#[path = "../program/mod.rs"]
mod program;
mod running;
#[cfg(target_os = "linux")]
mod screen;
#[cfg(target_os = "linux")]
mod terminal;
mod two_hundred_files;
mod unsupported;
mod words;
