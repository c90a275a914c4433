//! The command line: what is asked for, what is shown, what is returned. Nothing else prints.
#![allow(clippy::print_stdout, clippy::print_stderr)] // This is the room that prints.

mod args;
mod dry_run;
mod exit_code;
mod file_list;
mod presets;
mod progress;
mod signals;
mod summary;
mod text;

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use audiostretchy::batch::{self, PlanError, RunOptions, Session, StopToken};
use audiostretchy::preset::PresetStore;
use audiostretchy::report::{self, Report};

use args::{Args, Command, ConvertArgs, NoFilesArg};
use progress::Progress;

/// What the report is called where no other name is given.
const REPORT_NAME: &str = "audiostretchy-report.json";

/// The report's name that stands for standard output.
const STDOUT: &str = "-";

/// Parses the command line, does what it says, and tells the exit code.
pub fn main() -> ExitCode {
    let args = Args::parse_or_exit();
    let result = match args.command {
        Some(Command::Presets(command)) => presets::run(&command),
        None => convert(&args.convert),
    };
    result.unwrap_or_else(|error| {
        if is_broken_pipe(error.as_ref()) {
            return ExitCode::SUCCESS;
        }
        eprintln!("error: {}", text::with_causes(error.as_ref()));
        exit_code::of(error.as_ref())
    })
}

fn convert(args: &ConvertArgs) -> Result<ExitCode, Box<dyn Error>> {
    let store = PresetStore::from_environment(args.preset_dir.as_deref())?;
    let resolved = store.resolve(args.preset.as_deref(), &args.layer()?)?;
    let mut plan = match args.plan_request(&resolved.settings)?.plan() {
        Err(PlanError::NoAudio { .. }) if args.no_files == NoFilesArg::Pass => {
            return Ok(ExitCode::SUCCESS);
        }
        plan => plan?,
    };
    if let Some(report) = args.report.as_deref().filter(|&path| path != STDOUT) {
        plan.check_report(report)?;
    }
    if args.dry_run {
        plan.probe();
        dry_run::print(&plan, &resolved, args.jobs)?;
        return Ok(ExitCode::SUCCESS);
    }
    let options = RunOptions {
        jobs: args.jobs,
        max_failures: args.most_failures(),
        timeout: args.timeout,
        settings: (&resolved).into(),
    };
    let mut session = Session::start(plan)?;
    session.probe();
    let plan = session.plan();
    let progress = Progress::new(args.verbosity(), plan.to_stretch().count());
    silence_worker_panics();
    let report = std::thread::scope(|scope| {
        let stop = StopToken::new();
        let signals = signals::listen(scope, &session, stop.clone())?;
        let report = session.run(&options, &stop, &|event| progress.show(event));
        signals.close();
        io::Result::Ok(report)
    })?;
    let target = report_target(args, plan.folder.as_deref());
    let written = match &target {
        Some(target) => write_report(&report, target),
        None => Ok(()),
    };
    let report_file = target.as_deref().filter(|_| written.is_ok());
    summary::print(&report, args.verbosity(), report_file);
    written?;
    Ok(report.exit_code.into())
}

/// Where the report goes: as asked for, else into the output folder; `-` is standard output.
fn report_target(args: &ConvertArgs, folder: Option<&Path>) -> Option<PathBuf> {
    let default = || folder.map(|folder| folder.join(REPORT_NAME));
    args.report.clone().or_else(default)
}

/// The report could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the report to {}", path.display())]
struct ReportError {
    path: PathBuf,
    source: io::Error,
}

fn write_report(report: &Report, target: &Path) -> Result<(), ReportError> {
    let result = if target == Path::new("-") {
        report::json::write(report, io::stdout().lock())
    } else {
        batch::write_file(target, |file| report::json::write(report, file))
    };
    result.map_err(|source| ReportError {
        path: target.to_owned(),
        source,
    })
}

/// A panic in a worker becomes the failure of its file; its message belongs in the report only.
fn silence_worker_panics() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let thread = std::thread::current();
        let is_worker =
            (thread.name()).is_some_and(|name| name.starts_with(batch::run::WORKER_THREAD_NAME));
        if !is_worker {
            default(info);
        }
    }));
}

/// Whether the reader of a listing has seen enough, as `head` has.
fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
