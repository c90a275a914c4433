//! Showing a plan, and what a run of it would find.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use audiostretchy::batch::{Plan, PlanError, estimate};
use audiostretchy::report::{
    JobReport, PlanReport, PlannedAction, PlannedFile, SettingsReport, json, markdown,
};
use audiostretchy_containers::figures;

use super::args::RunArgs;
use super::history::REPORT_NAME;
use super::report::settings_lines;
use super::reports::{ReportError, write_to};
use super::{command_line, text};

type WritePlan = fn(&PlanReport, &mut dyn Write) -> io::Result<()>;

/// Tells what a run of a plan would do, and what it would return.
///
/// `folder` is that of the last run's report.
pub(super) fn run(
    args: &RunArgs,
    plan: &mut Plan,
    settings: SettingsReport,
    jobs: Vec<JobReport>,
    folder: Option<&Path>,
) -> Result<u8, Box<dyn Error>> {
    let written = plan
        .to_stretch()
        .filter_map(|job| match plan.folder_of(job) {
            None => job.output.parent(),
            folder => folder,
        });
    let written: BTreeSet<&Path> = written.collect();
    written.into_iter().try_for_each(check_writable)?;
    plan.probe();
    let last = folder.map(|folder| folder.join(REPORT_NAME));
    let last = last.and_then(|file| json::read(&file).ok());
    let report = PlanReport {
        command: command_line(),
        jobs,
        ..PlanReport::new(
            plan,
            plan.foresee(args.max_duration_per_file),
            &estimate(plan, args.jobs),
            settings,
            last.as_ref(),
        )
    };
    let mut is_shown = args.events;
    if args.events {
        io::stdout().lock().write_all(&json::line(&report)?)?;
    }
    let targets: [(&Option<PathBuf>, WritePlan); 2] = [
        (&args.report, |plan, to| json::write(plan, to)),
        (&args.report_markdown, |plan, to| {
            markdown::write_plan(plan, to)
        }),
    ];
    for (file, write) in targets {
        let Some(file) = file else { continue };
        is_shown |= file == Path::new("-");
        let written = write_to(file, true, |to| write(&report, to));
        written.map_err(|source| ReportError::new(file, source))?;
    }
    if !is_shown {
        print(&report)?;
    }
    Ok(report.exit_code)
}

/// Returns whether files may be created in a folder.
#[cfg(unix)]
fn may_write(folder: &Path) -> io::Result<()> {
    use rustix::fs::{Access, access};
    Ok(access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
}

/// Returns whether files may be created in a folder: only writing tells.
#[cfg(not(unix))]
fn may_write(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Returns whether a folder could be written to, or created; touches nothing.
fn check_writable(folder: &Path) -> Result<(), PlanError> {
    let folder = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let existing = absolute.ancestors().find(|folder| folder.exists());
    let existing = existing.unwrap_or(Path::new("/"));
    let result = match existing.is_dir() {
        true => may_write(existing),
        false => Err(io::ErrorKind::NotADirectory.into()),
    };
    result.map_err(|source| PlanError::OutputUnwritable {
        path: folder.to_owned(),
        source,
    })
}

/// Prints every file, then the whole.
fn print(plan: &PlanReport) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for file in &plan.files {
        writeln!(out, "{}", line(file))?;
    }
    for output in &plan.to_prune {
        writeln!(out, "{output}: would be removed, as its source is gone")?;
    }
    let counts = plan.counts;
    let mut parts = Vec::new();
    for (number, words) in [
        (counts.to_skip, "to skip"),
        (counts.would_fail, "would fail"),
    ] {
        if number > 0 {
            parts.push(format!(", {number} {words}"));
        }
    }
    writeln!(
        out,
        "{} to stretch{}; {} of audio, about {} of work",
        figures::count(counts.to_stretch as u64, "file"),
        parts.concat(),
        figures::length(plan.audio_seconds),
        figures::rough(plan.processing_seconds),
    )?;
    for line in settings_lines(&plan.settings, &plan.jobs) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn line(file: &PlannedFile) -> String {
    let mut about = match (&file.error, &file.reason, file.action) {
        (Some(error), ..) => format!("will fail: {error}"),
        (None, reason, PlannedAction::Skip) => {
            format!("skipped: {}", reason.as_deref().unwrap_or_default())
        }
        (None, reason, _) => reason.as_deref().unwrap_or_default().to_owned(),
    };
    if let (None, Some(source)) = (&file.error, &file.source) {
        let length = match (source.seconds, file.output_seconds) {
            (Some(input), Some(output)) => {
                let [input, output] = [input, output].map(figures::length);
                format!("{input} to about {output}")
            }
            (Some(input), None) => figures::length(input),
            (None, _) => "unknown length".into(),
        };
        let channels = figures::count(source.channels as u64, "channel");
        let (codec, rate) = (&source.codec, source.sample_rate);
        about += &format!(": {codec}, {rate} Hz, {channels}, {length}");
    }
    for warning in &file.warnings {
        about += &format!("; warning: {}", warning.message);
    }
    let about = text::escape(&about);
    match &file.output {
        Some(output) => {
            let more = match file.chapters.len() {
                0 | 1 => String::new(),
                chapters => format!(" and {} more", chapters - 1),
            };
            format!("{} -> {output}{more} ({about})", file.input)
        }
        None => format!("{} ({about})", file.input),
    }
}
