//! Tests of the command line: options, names, pipes, the screen.

mod bad_files;
mod durations;
mod earlier_reports;
mod encoding;
mod engine_options;
mod existing_outputs;
mod formats;
mod help;
mod left_out;
mod main_job;
mod names;
mod nearest_formats;
mod parameters;
mod partitions;
mod pipes;
mod plan;
mod plan_errors;
mod running;
#[cfg(target_os = "linux")]
mod screen;
mod sidecars;
pub(crate) mod split;
#[cfg(target_os = "linux")]
mod terminal;
mod two_hundred_files;
mod unsupported;
mod words;
