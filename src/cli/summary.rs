//! The words at the end of a run, and of a report that is shown again.

use std::path::Path;

use audiostretchy::report::{Report, Status};

use super::args::Verbosity;
use super::color::Palette;
use super::{retry, text};

/// Prints counts and speed, where the report is, and last the failures with the command that
/// retries them.
pub fn print(report: &Report, verbosity: Verbosity, report_file: Option<&Path>) {
    if verbosity > Verbosity::Quiet {
        eprintln!("{}", totals(report));
        if let Some(file) = report_file {
            eprintln!("report: {}", text::path(file));
        }
    }
    let retry_from = report_file.filter(|_| verbosity > Verbosity::Quiet);
    eprint!("{}", failures(report, retry_from, Palette::of_stderr()));
}

/// Counts and speed on one line.
pub fn totals(report: &Report) -> String {
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
    if let Some(speed) = report.speed() {
        totals += &format!(
            "; {} of audio in {:.1} s, {speed:.0}x real time",
            text::length(report.audio_seconds),
            report.elapsed_seconds,
        );
    }
    totals
}

/// Every failure on a line, then the command that retries them and what was not run.
pub fn failures(report: &Report, report_file: Option<&Path>, colors: Palette) -> String {
    let mut lines = String::new();
    let style = colors.failed;
    for file in report.with_status(Status::Failed) {
        let why = text::escape(&file.explanation());
        lines += &format!("{style}failed{style:#}: {}: {why}\n", file.input);
    }
    if let Some(command) = report_file.and_then(|file| retry::command(report, file)) {
        lines += &format!("retry: {command}\n");
    }
    lines
}
