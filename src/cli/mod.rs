//! The command line: what is asked for, what is shown, what is returned. Nothing else prints.

mod args;
mod bars;
mod changes;
mod color;
mod commands;
mod dry_run;
mod durations;
mod events;
mod exit_code;
mod file_list;
mod help;
mod history;
mod pipe;
mod presets;
mod progress;
mod report;
mod reports;
mod request;
mod retry;
mod screen;
mod signals;
mod suffix;
mod summary;
mod text;
mod time_map;
mod values;
mod words;

use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use audiostretchy::batch::{
    self, Event, LeftOut, Plan, PlanError, PlanRequest, RunOptions, Session, StopToken,
    UnfinishedFiles,
};
use audiostretchy::preset::PresetStore;
use audiostretchy::report::{PartitionReport, PathText, Report, Status, json};
use audiostretchy_containers::figures;
use clap::CommandFactory;

use args::{Args, ConvertArgs, NoFilesArg, Verbosity};
use commands::Command;
use events::EventLines;
use progress::Progress;
use reports::{ReportError, Reports};
use screen::say;
use time_map::TimeMap;

/// What the program was called with, its own name first.
static COMMAND_LINE: OnceLock<Vec<OsString>> = OnceLock::new();

/// Returns what the program was called with, its own name first.
fn arguments() -> impl Iterator<Item = OsString> {
    COMMAND_LINE.get().into_iter().flatten().cloned()
}

/// The program, called with some words of which the first is its name; returns its exit code.
///
/// Signals are the program's from here on, and wrong usage ends the process: to be called once, by
/// a process that has nothing else to do.
pub fn main(command_line: impl IntoIterator<Item = OsString>) -> u8 {
    COMMAND_LINE.get_or_init(|| command_line.into_iter().collect());
    signals::outlive_full_files();
    color::set(color::asked_for(arguments()));
    let args = Args::parse_or_exit();
    color::set(args.color);
    let result = match args.command {
        Some(Command::Presets(command)) => presets::run(&command),
        Some(Command::Report(command)) => report::run(&command),
        Some(Command::Completions { shell }) => completions(shell),
        Some(Command::Man) => manual(),
        None => convert(&args.convert),
    };
    result.unwrap_or_else(|error| {
        if is_closed_pipe(error.as_ref()) {
            return exit_code::SUCCESS;
        }
        say!("error: {}", text::with_causes(error.as_ref()));
        exit_code::of(error.as_ref())
    })
}

fn convert(args: &ConvertArgs) -> Result<u8, Box<dyn Error>> {
    if let Some((output, inputs)) = args.paths.split_last() {
        words::check_no_addresses(inputs, output)?;
    }
    let store = PresetStore::from_environment(args.preset_dir.as_deref())?;
    let resolved = store.resolve(args.preset.as_deref(), &args.layer()?)?;
    if pipe::is_asked_for(args) {
        return pipe::run(args, &resolved);
    }
    let mut request = args.plan_request(&resolved)?;
    let time_map = args.prints_time_map().then(TimeMap::new).transpose()?;
    if let Some(time_map) = &time_map {
        request.time_map = Some(time_map.path());
    }
    let folder = request.writes_folder().then_some(request.output.as_path());
    let mut reports = Reports::new(args, folder)?;
    request.extra_files = reports.files();
    if let Some(file) = &args.rerun_failed {
        let unfinished = UnfinishedFiles::of(&json::read(file)?);
        if unfinished.is_empty() {
            if args.verbosity() > Verbosity::Quiet {
                say!("nothing failed in {}", text::path(file));
            }
            return Ok(exit_code::SUCCESS);
        }
        request.only = Some(unfinished);
    }
    let pass = |error: &PlanError| {
        matches!(error, PlanError::NoAudio { .. }) && args.no_files == NoFilesArg::Pass
    };
    if let Err(useless) = changes::check(args, &resolved, &request) {
        // What else is wrong comes first.
        return match request.plan() {
            Err(error) if pass(&error) => Ok(exit_code::SUCCESS),
            Err(error) => Err(error.into()),
            Ok(_) => Err(useless.into()),
        };
    }
    silence_worker_panics();
    if args.dry_run {
        let mut plan = match request.plan() {
            Err(error) if pass(&error) => return Ok(exit_code::SUCCESS),
            plan => plan?,
        };
        tell_partition(args, &plan);
        warn(args, &request, &plan);
        return dry_run::run(args, &mut plan, &resolved);
    }
    let options = RunOptions {
        jobs: args.jobs,
        max_failures: args.most_failures(),
        timeout: args.timeout,
        max_duration: args.max_duration_per_file,
        pictures: args.report_html.is_some(),
        settings: (&resolved).into(),
    };
    let give_up = args.wait_lock.map(|time| Instant::now() + time);
    let mut session = loop {
        match Session::start(&request) {
            Err(error) if pass(&error) => return Ok(exit_code::SUCCESS),
            Err(PlanError::Locked { .. }) if give_up.is_some_and(|end| Instant::now() < end) => {
                std::thread::sleep(LOCK_INTERVAL);
            }
            session => break session?,
        }
    };
    session.probe();
    tell_partition(args, session.plan());
    if session.plan().partition.is_some() {
        let mut begun = Report::at_start(session.plan(), (&resolved).into());
        begun.command = command_line();
        reports.begin(&begun)?;
    }
    run(args, &request, &session, &options, &mut reports, time_map)
}

/// Says which part of the files is this run's.
fn tell_partition(args: &ConvertArgs, plan: &Plan) {
    if let Some(partition) = &plan.partition
        && args.verbosity() > Verbosity::Quiet
    {
        say!("{}", partition_line(partition));
    }
}

/// Carries out a plan, tells how that goes, and leaves the reports.
fn run(
    args: &ConvertArgs,
    request: &PlanRequest,
    session: &Session,
    options: &RunOptions,
    reports: &mut Reports,
    time_map: Option<TimeMap>,
) -> Result<u8, Box<dyn Error>> {
    let plan = session.plan();
    warn(args, request, plan);
    let progress = Progress::new(args.verbosity(), plan);
    let events = args.events.then(|| EventLines::new(plan));
    let show = |event: Event<'_>| {
        progress.show(event);
        if let Some(events) = &events {
            events.write(event);
        }
    };
    std::thread::scope(|scope| {
        let stop = StopToken::new();
        let signals = signals::listen(scope, session, stop.clone(), &progress, args.stop_grace);
        let mut report = session.run(options, &stop, show);
        signals.run_is_over();
        report.exit_code = signals.exit_code().unwrap_or(report.exit_code);
        leave_reports(args, report, session, reports, time_map, events.as_ref())
    })
}

/// Writes what a run leaves, and tells how it went; returns the exit code.
fn leave_reports(
    args: &ConvertArgs,
    mut report: Report,
    session: &Session,
    reports: &mut Reports,
    time_map: Option<TimeMap>,
    events: Option<&EventLines<'_>>,
) -> Result<u8, Box<dyn Error>> {
    let plan = session.plan();
    report.command = command_line();
    let printed = time_map.map_or(Ok(()), TimeMap::print);
    let mut errors: Vec<_> = printed
        .err()
        .map(ReportError::standard_output)
        .into_iter()
        .collect();
    if !errors.is_empty() {
        report.exit_code = exit_code::REPORT;
    }
    errors.extend(reports.write(&mut report, session));
    if let Some(Err(error)) = events.map(|events| events.finish(&report)) {
        report.exit_code = exit_code::REPORT;
        errors.push(ReportError::standard_output(error));
    }
    let is_written = |file: &&Path| !errors.iter().any(|error| error.is_about(file));
    let is_lost = session.has_lost_folder() && args.report.is_none();
    let report_file = reports.json().filter(is_written).filter(|_| !is_lost);
    warn_of_what_was_left(args, &report, plan);
    let goes_on = plan.folder.is_some() && args.if_exists.leaves_what_is_done();
    summary::print(&report, args.verbosity(), report_file, goes_on);
    for error in &errors {
        say!("error: {}", text::with_causes(error));
    }
    Ok(report.exit_code)
}

/// How often it is looked again whether another run has ended.
const LOCK_INTERVAL: Duration = Duration::from_millis(500);

/// Which part of the inputs a run has.
fn partition_line(partition: &PartitionReport) -> String {
    let PartitionReport {
        number,
        count,
        files,
        all_files,
    } = partition;
    format!(
        "partition {number} of {count}: {files} of {}",
        figures::count(*all_files as u64, "file")
    )
}

/// Prints warnings that are known before a run begins.
fn warn(args: &ConvertArgs, request: &PlanRequest, plan: &Plan) {
    if args.verbosity() == Verbosity::Quiet {
        return;
    }
    let unfinished = request.only.iter();
    for path in unfinished.flat_map(|unfinished| unfinished.missing_in(plan)) {
        let path = text::path(&path);
        say!("warning: {path}: did not finish before and is not in the inputs now");
    }
    for warning in &plan.warnings {
        say!("warning: {}", text::escape(&warning.message));
    }
    if !plan.to_prune.is_empty() && !args.dry_run {
        let outputs = figures::count(plan.to_prune.len() as u64, "output");
        say!("{outputs} will be removed in the end, as the source is gone");
    }
    let is_verbose = args.verbosity() == Verbosity::Verbose;
    for left_out in plan.left_out.iter().filter(|_| is_verbose) {
        let (path, why) = (text::path(&left_out.path), left_out.why.name());
        say!("left out: {path}: {why}");
    }
    if !plan.left_out.is_empty() {
        say!("{}", left_out(&plan.left_out, is_verbose));
    }
}

/// Tells what else the report warns of: of files that were left as they are, and of the run.
fn warn_of_what_was_left(args: &ConvertArgs, report: &Report, plan: &Plan) {
    if args.verbosity() == Verbosity::Quiet {
        return;
    }
    for file in report.with_status(Status::Skipped) {
        for warning in &file.warnings {
            say!(
                "warning: {}: {}",
                file.input,
                text::escape(&warning.message)
            );
        }
    }
    for warning in report.warnings.iter().skip(plan.warnings.len()) {
        say!("warning: {}", text::escape(&warning.message));
    }
}

/// How many files are left out, for which reasons.
fn left_out(files: &[LeftOut], is_verbose: bool) -> String {
    let mut counts = BTreeMap::new();
    for file in files {
        *counts.entry(file.why).or_insert(0) += 1;
    }
    let counts = counts
        .into_iter()
        .map(|(why, count)| format!("{} ({})", figures::count(count, "file"), why.name()));
    let counts = counts.collect::<Vec<_>>().join(", ");
    let hint = if is_verbose { "" } else { "; -v names them" };
    format!("left out: {counts}{hint}")
}

/// Returns the command line for the report; the program's name without its folder, which is no
/// one's business and differs from machine to machine.
fn command_line() -> Vec<PathText> {
    let program = PathText::from(env!("CARGO_PKG_NAME"));
    let arguments = arguments().skip(1);
    let arguments = arguments.map(|argument| PathText::from(&argument));
    std::iter::once(program).chain(arguments).collect()
}

fn completions(shell: clap_complete::Shell) -> Result<u8, Box<dyn Error>> {
    let mut script = Vec::new();
    clap_complete::generate(
        shell,
        &mut Args::command(),
        env!("CARGO_PKG_NAME"),
        &mut script,
    );
    io::stdout().lock().write_all(&script)?;
    Ok(exit_code::SUCCESS)
}

fn manual() -> Result<u8, Box<dyn Error>> {
    io::stdout()
        .lock()
        .write_all(&help::manual(Args::command())?)?;
    Ok(exit_code::SUCCESS)
}

/// Returns whether an error says that the reader of our output has seen enough, as `head` does.
fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// A panic in a worker becomes the failure of its file; its message belongs in the report only.
fn silence_worker_panics() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let thread = std::thread::current();
        let is_worker =
            (thread.name()).is_some_and(|name| name.starts_with(batch::WORKER_THREAD_NAME));
        if !is_worker {
            default(info);
        }
    }));
}
