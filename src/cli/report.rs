//! The `report` subcommand: what a run did, as text or as a page.

use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use audiostretchy::report::{self, JobReport, Report, SettingsReport};

use super::args::Verbosity;
use super::color::Palette;
use super::commands::ReportCommand;
use super::history::REPORT_NAME;
use super::reports::{ReportError, write_page, write_to};
use super::screen::say;
use super::{exit_code, summary, text};

/// Shows a report, and returns what its run did, makes a page of it, or merges several.
pub(super) fn run(command: &ReportCommand) -> Result<u8, Box<dyn Error>> {
    match command {
        ReportCommand::Show { path, verbose } => {
            let file = in_folder(path);
            let report = report::json::read(&file)?;
            show(&report, &file, *verbose, &mut io::stdout().lock())?;
            return Ok(report.exit_code);
        }
        ReportCommand::Html { path, output } => {
            let file = in_folder(path);
            html(&report::json::read(&file)?, &file, output.as_deref())?;
        }
        ReportCommand::Merge { reports, output } => merge(reports, output)?,
    }
    Ok(exit_code::SUCCESS)
}

/// Returns a report's file, which may be named by its folder.
fn in_folder(path: &Path) -> PathBuf {
    match path.is_dir() {
        true => path.join(REPORT_NAME),
        false => path.to_owned(),
    }
}

/// Makes one report of those of all partitions.
fn merge(paths: &[PathBuf], output: &Path) -> Result<(), Box<dyn Error>> {
    let mut reports = Vec::new();
    for path in paths {
        let files = match path.is_dir() {
            true => partition_reports(path)?,
            false => vec![path.clone()],
        };
        for file in files {
            reports.push((text::path(&file), report::json::read(&file)?));
        }
    }
    let merged = report::merge::merge(reports)?;
    write_to(output, true, |to| report::json::write(&merged, to))
        .map_err(|source| ReportError::new(output, source))?;
    if output != Path::new("-") {
        for line in summary::totals(&merged, false) {
            say!("{line}");
        }
    }
    Ok(())
}

/// Returns the reports of partitions in a folder, without those of earlier runs.
fn partition_reports(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut reports = Vec::new();
    for entry in folder.read_dir()? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_of_partition = name
            .strip_prefix("audiostretchy-report.")
            .and_then(|rest| rest.strip_suffix(".json"))
            .is_some_and(|rest| rest.contains("-of-") && !rest.contains('.'));
        if is_of_partition {
            reports.push(path);
        }
    }
    reports.sort();
    Ok(reports)
}

/// Makes the page of a report: beside it, unless `output` is given.
fn html(report: &Report, json: &Path, output: Option<&Path>) -> Result<(), Box<dyn Error>> {
    let page = match output {
        Some(output) => output.to_owned(),
        None => json.with_extension("html"),
    };
    if page == json {
        return Err(format!("{}: is the report; name another page", text::path(&page)).into());
    }
    let base = base(report, json);
    let result = write_to(&page, output.is_some(), |to| {
        write_page(report, &page, &base, json, to)
    });
    result.map_err(|source| ReportError::new(&page, source))?;
    Ok(())
}

/// Returns the folder that a report's relative paths start from: the current one, or one that the
/// report lies in, whichever has its outputs.
fn base(report: &Report, json: &Path) -> PathBuf {
    let json = std::path::absolute(json).unwrap_or_else(|_| json.to_owned());
    let outputs: Vec<PathBuf> = (report.files.iter())
        .filter_map(|file| Some(file.output.as_ref()?.to_path()))
        .take(100)
        .collect();
    let has_outputs = |base: &&Path| outputs.iter().any(|output| base.join(output).is_file());
    let folders = [Path::new(".")].into_iter().chain(json.ancestors().skip(1));
    folders
        .into_iter()
        .find(has_outputs)
        .unwrap_or(Path::new("."))
        .to_owned()
}

/// Returns a line for the settings of each part of a run, safe to print.
pub(super) fn settings_lines(settings: &SettingsReport, jobs: &[JobReport]) -> Vec<String> {
    let lines = report::by_part(settings, jobs).into_iter();
    let lines = lines.map(|(part, settings)| match part {
        Some(part) => format!("{part}: {}", settings.line()),
        None => settings.line(),
    });
    lines.map(|line| text::escape(&line)).collect()
}

/// Prints the summary of a run as its end did, with the warnings, or with all files.
fn show(report: &Report, path: &Path, all: bool, out: &mut impl Write) -> io::Result<()> {
    let colors = Palette::of_stdout();
    let (tool, version) = (text::escape(&report.tool), text::escape(&report.version));
    let (started, outcome) = (text::escape(&report.started), report.outcome.name());
    writeln!(out, "{tool} {version}, {started}: {outcome}")?;
    for line in settings_lines(&report.settings, &report.jobs) {
        writeln!(out, "{line}")?;
    }
    let style = colors.warning;
    for warning in &report.warnings {
        let message = text::escape(&warning.message);
        writeln!(out, "{style}warning{style:#}: {message}")?;
    }
    for output in report.pruned.iter().filter(|_| all) {
        writeln!(out, "removed {output}")?;
    }
    for file in &report.files {
        if all {
            writeln!(out, "{}", summary::file(file, Verbosity::Verbose, colors))?;
            for line in file.beside() {
                writeln!(out, "  {line}")?;
            }
        }
        for warning in summary::warnings(file, colors) {
            writeln!(out, "{warning}")?;
        }
    }
    for line in summary::totals(report, false) {
        writeln!(out, "{line}")?;
    }
    for line in summary::failures(report, Some(path), colors) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}
