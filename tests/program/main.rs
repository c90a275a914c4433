//! The built program from end to end: run in a folder of its own, its files looked at with other
//! tools.
//!
//! Needs the tools that `scripts/test-tools` installs.

mod cli;
mod env;
mod events;
mod hostile;
#[path = "../support/json_schema.rs"]
mod json_schema;
#[path = "../support/program.rs"]
mod program;
mod report;
#[cfg(unix)]
mod trust;
