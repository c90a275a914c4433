//! The `report` subcommand.

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use audiostretchy::report::{self, Report};

use super::args::{ReportCommand, Verbosity};
use super::color::Palette;
use super::history::REPORT_NAME;
use super::{summary, text};

/// Shows a report and returns what its run did.
pub(super) fn run(command: &ReportCommand) -> Result<ExitCode, Box<dyn Error>> {
    let ReportCommand::Show { path, verbose } = command;
    let file = match path.is_dir() {
        true => path.join(REPORT_NAME),
        false => path.clone(),
    };
    let report = report::json::read(&file)?;
    show(&report, &file, *verbose, &mut io::stdout().lock())?;
    Ok(report.exit_code.into())
}

/// Prints the summary of a run as its end did, with the warnings, or with all files.
fn show(report: &Report, path: &Path, all: bool, out: &mut impl Write) -> io::Result<()> {
    let colors = Palette::of_stdout();
    let (tool, version) = (text::escape(&report.tool), text::escape(&report.version));
    let (started, outcome) = (text::escape(&report.started), report.outcome.name());
    writeln!(out, "{tool} {version}, {started}: {outcome}")?;
    let values = report.settings.values.iter().filter_map(|(key, setting)| {
        let value = setting.value.as_ref()?;
        Some(text::escape(&format!("{key} {value}")))
    });
    let preset = report.settings.preset.as_deref().unwrap_or("none");
    let values = values.collect::<Vec<_>>().join(", ");
    writeln!(out, "preset {}: {values}", text::escape(preset))?;
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
            for line in summary::beside(file) {
                writeln!(out, "{line}")?;
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
