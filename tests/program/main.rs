//! Tests of the built program from end to end: it runs in a folder of its own, and other tools
//! examine the files that it writes.
//!
//! Needs the tools that `scripts/test-tools` installs.

#[cfg(unix)]
mod action;
#[cfg(target_os = "linux")]
mod browser;
mod cli;
mod env;
mod events;
mod hostile;
#[path = "../support/json_schema.rs"]
mod json_schema;
mod packaging;
#[cfg(target_os = "linux")]
mod page;
#[path = "../support/program.rs"]
mod program;
mod project;
#[cfg(target_os = "linux")]
mod recipes;
mod report;
#[cfg(unix)]
mod trust;
