//! The words at the end of a run.

use std::path::Path;

use audiostretchy::report::Report;

use super::args::Verbosity;
use super::text;

/// Prints counts and speed, then the failures, then where the report is.
pub fn print(report: &Report, verbosity: Verbosity, report_file: Option<&Path>) {
    if verbosity > Verbosity::Quiet {
        eprintln!("{}", totals(report));
    }
    for file in report.failures() {
        if let Some(error) = &file.error {
            eprintln!(
                "failed: {}: {}",
                file.input,
                text::escape(&error.to_string())
            );
        }
    }
    if let Some(file) = report_file
        && verbosity > Verbosity::Quiet
        && file != Path::new("-")
    {
        eprintln!("report: {}", text::path(file));
    }
}

fn totals(report: &Report) -> String {
    let counts = report.counts;
    let mut parts = vec![format!("{} done", counts.done)];
    for (number, word) in [
        (counts.skipped, "skipped"),
        (counts.failed, "failed"),
        (counts.not_run, "not run"),
    ] {
        if number > 0 {
            parts.push(format!("{number} {word}"));
        }
    }
    let mut totals = parts.join(", ");
    if counts.done > 0 {
        totals += &format!(
            "; {} of audio in {:.1} s, {:.0}x real time",
            text::length(report.audio_seconds),
            report.elapsed_seconds,
            report.audio_seconds / report.elapsed_seconds
        );
    }
    totals
}
