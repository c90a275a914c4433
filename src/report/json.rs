//! The report as JSON.

use std::io::{self, Write};

use super::Report;

/// Writes a report, indented, with a line break at the end.
///
/// # Errors
/// Where writing fails.
pub fn write(report: &Report, mut to: impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut to, report)?;
    writeln!(to)?;
    to.flush()
}
