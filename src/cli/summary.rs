//! The words at the end of a run, and of a report that is shown again.

use std::path::Path;

use audiostretchy::report::{
    DONE_BEFORE, FileReport, GIVEN_UP, Report, RunOutcome, Status, UP_TO_DATE,
};
use audiostretchy_containers::figures::{self, count};

use super::args::Verbosity;
use super::color::Palette;
use super::screen::say;
use super::{retry, text};

/// Prints counts, what was saved and where the report is, and last the failures with the command
/// that retries them.
///
/// `goes_on` tells that the same command does what this run did not.
pub(super) fn print(
    report: &Report,
    verbosity: Verbosity,
    report_file: Option<&Path>,
    goes_on: bool,
) {
    if verbosity > Verbosity::Quiet {
        for line in totals(report, goes_on) {
            say!("{line}");
        }
        if let Some(file) = report_file {
            say!("report: {}", text::path(file));
        }
    }
    let wants_retry = verbosity > Verbosity::Quiet
        && (report.counts.failed > 0 || !goes_on || report.outcome != RunOutcome::Interrupted);
    let retry_from = report_file.filter(|_| wants_retry);
    for line in failures(report, retry_from, Palette::of_stderr()) {
        say!("{line}");
    }
}

/// How many files ended how, what that did to lengths and sizes, and how long it took.
pub(super) fn totals(report: &Report, goes_on: bool) -> Vec<String> {
    let done = || report.with_status(Status::Done);
    let mut lines = match (&report.files[..], report.outcome) {
        ([file], RunOutcome::Success)
            if file.status == Status::Done && report.pruned.is_empty() =>
        {
            Vec::new()
        }
        _ => vec![counts(report, goes_on)],
    };
    if let Some(mut change) = change(done()) {
        if lines.is_empty() {
            change = format!("{}: {change}", report.files[0].input);
            if let warnings @ 1.. = report.warning_count() {
                change += &format!(", {}", count(warnings as u64, "warning"));
            }
        }
        lines.push(change);
    }
    if let Some(speed) = report.speed() {
        let elapsed = figures::duration(report.elapsed_seconds);
        lines.push(format!("{elapsed}, {} real time", figures::times(speed)));
    }
    lines
}

/// How many files ended how, and how many warnings they have.
fn counts(report: &Report, goes_on: bool) -> String {
    let with_reason = |status, reason: &str| {
        let files = report.with_status(status);
        let has_reason = |file: &&FileReport| file.reason.as_deref() == Some(reason);
        files.filter(has_reason).count()
    };
    let counts = report.counts;
    let up_to_date = with_reason(Status::Skipped, UP_TO_DATE);
    let done_before = with_reason(Status::Skipped, DONE_BEFORE);
    let given_up = with_reason(Status::NotRun, GIVEN_UP);
    let not_begun = counts.not_run - given_up;
    let parts = [
        (counts.done, "done"),
        (up_to_date, "up to date"),
        (done_before, DONE_BEFORE),
        (counts.skipped - up_to_date - done_before, "skipped"),
        (counts.failed, "failed"),
        (given_up, "given up"),
        (not_begun, "not begun"),
        (report.pruned.len(), "removed"),
    ];
    let parts = parts.into_iter().filter(|&(number, _)| number > 0);
    let mut parts: Vec<String> = parts
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    if parts.is_empty() {
        parts.push("0 done".into());
    }
    if let warnings @ 1.. = report.warning_count() {
        parts.push(count(warnings as u64, "warning"));
    }
    let counts = parts.join(", ");
    match report.outcome {
        RunOutcome::Interrupted if goes_on && given_up + not_begun > 0 => {
            format!("stopped: {counts}; the same command goes on from here")
        }
        RunOutcome::Interrupted => format!("stopped: {counts}"),
        _ => counts,
    }
}

/// What the lengths and the sizes of files became, taken together; `None` of no files.
fn change<'a>(done: impl Iterator<Item = &'a FileReport>) -> Option<String> {
    let (mut before, mut after) = (0.0, 0.0);
    let (mut size_before, mut size_after) = (Some(0_u64), Some(0_u64));
    let mut files = 0;
    for file in done {
        let (Some(source), Some(result)) = (&file.source, &file.result) else {
            continue;
        };
        files += 1;
        before += source.seconds;
        after += result.seconds;
        let add = |sum: Option<u64>, bytes: Option<u64>| Some(sum?.saturating_add(bytes?));
        size_before = add(size_before, source.bytes);
        size_after = add(size_after, result.bytes);
    }
    if files == 0 {
        return None;
    }
    let [from, to] = [before, after].map(figures::length);
    // The difference of what is shown, which is whole seconds from a minute on.
    let difference = match before.min(after) >= 60.0 {
        true => figures::clock((before.round() - after.round()).abs()),
        false => figures::length((before - after).abs()),
    };
    let mut change = match before - after {
        _ if from == to => format!("{from} of audio"),
        saved if saved > 0.0 => format!("{from} became {to}, {difference} saved"),
        _ => format!("{from} became {to}, {difference} longer"),
    };
    if let (Some(before), Some(after)) = (size_before, size_after) {
        let [before, after] = [before, after].map(figures::size);
        change += &format!("; {before} became {after}");
    }
    Some(change)
}

/// Every failure, then the command that retries them and what was not run.
pub(super) fn failures(
    report: &Report,
    report_file: Option<&Path>,
    colors: Palette,
) -> Vec<String> {
    let style = colors.failed;
    let failed = report.with_status(Status::Failed).map(|file| {
        let why = text::escape(&file.explanation());
        format!("{style}failed{style:#}: {}: {why}", file.input)
    });
    let command = report_file.and_then(|file| retry::command(report, file));
    let command = command.map(|command| format!("retry: {command}"));
    failed.chain(command).collect()
}

/// What became of a file, without its warnings; why it failed is told at the end.
pub(super) fn file(report: &FileReport, verbosity: Verbosity, colors: Palette) -> String {
    let (word, style) = match report.status {
        Status::Done => ("done", colors.done),
        Status::Failed => ("failed", colors.failed),
        Status::Skipped if report.reason.as_deref() == Some(UP_TO_DATE) => {
            (UP_TO_DATE, colors.done)
        }
        Status::Skipped if report.reason.as_deref() == Some(DONE_BEFORE) => {
            (DONE_BEFORE, colors.done)
        }
        Status::NotRun if report.reason.as_deref() == Some(GIVEN_UP) => {
            ("given up", colors.warning)
        }
        Status::NotRun => ("not begun", colors.warning),
        _ => (report.status.name(), colors.warning),
    };
    let mut line = format!("{style}{word}{style:#} {}", report.input);
    let (Some(source), Some(result)) = (&report.source, &report.result) else {
        return line;
    };
    let [from, to] = [source.seconds, result.seconds].map(figures::length);
    let speed = figures::times(report.speed.unwrap_or(0.0));
    line += &format!(": {from} to {to}, {speed} real time");
    if verbosity == Verbosity::Verbose {
        let details = format!(
            ", {} {} Hz to {} {} Hz, ratio {:.4}",
            source.codec,
            source.sample_rate,
            result.format,
            result.sample_rate,
            result.ratio.unwrap_or_default()
        );
        line += &text::escape(&details);
    }
    line
}

/// Returns the warnings of a file, a line each.
pub(super) fn warnings(report: &FileReport, colors: Palette) -> impl Iterator<Item = String> {
    let style = colors.warning;
    report.warnings.iter().map(move |warning| {
        let message = text::escape(&warning.message);
        format!("{style}warning{style:#}: {}: {message}", report.input)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use audiostretchy::report::SettingsReport;
    use std::time::{Duration, SystemTime};

    fn report(files: Vec<FileReport>) -> Report {
        let settings = SettingsReport::default();
        Report::new(SystemTime::UNIX_EPOCH, Duration::ZERO, settings, files)
    }

    #[test]
    fn a_stopped_run_tells_what_is_left_and_how_to_go_on() {
        let output = Path::new("out");
        let not_run = |reason| FileReport::not_run(Path::new("in"), output, reason);
        let files = vec![
            not_run(GIVEN_UP),
            not_run("the run was interrupted"),
            not_run("the run was interrupted"),
            FileReport::new(Path::new("in"), Some(output), Status::Done),
            FileReport::skipped(Path::new("in"), output, UP_TO_DATE),
        ];
        let report = report(files).interrupted();
        let counts = "stopped: 1 done, 1 up to date, 1 given up, 2 not begun";
        assert_eq!(totals(&report, false), [counts]);
        let goes_on = format!("{counts}; the same command goes on from here");
        assert_eq!(totals(&report, true), [goes_on]);
    }

    #[test]
    fn a_run_of_nothing_has_no_figures() {
        assert_eq!(totals(&report(Vec::new()), true), ["0 done"]);
    }
}
