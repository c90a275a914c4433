//! The `report` subcommand.

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use audiostretchy::report::{self, Report};

use super::args::ReportCommand;
use super::color::Palette;

use super::{summary, text};

pub fn run(command: &ReportCommand) -> Result<ExitCode, Box<dyn Error>> {
    let ReportCommand::Show { file } = command;
    let report = report::json::read(file)?;
    show(&report, file, &mut io::stdout().lock())?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the summary of a run as its end did, with the warnings.
fn show(report: &Report, file: &Path, out: &mut impl Write) -> io::Result<()> {
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
    writeln!(out, "{}", summary::totals(report))?;
    let style = colors.warning;
    for file in &report.files {
        for warning in &file.warnings {
            let message = text::escape(&warning.message);
            writeln!(out, "{style}warning{style:#}: {}: {message}", file.input)?;
        }
    }
    write!(out, "{}", summary::failures(report, Some(file), colors))
}
