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
mod project;
mod report;
mod reports;
mod request;
mod retry;
mod run;
mod screen;
mod signals;
mod suffix;
mod summary;
mod text;
mod time_map;
mod values;
mod words;

use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write};
use std::sync::OnceLock;

use audiostretchy::report::PathText;
use clap::CommandFactory;

use args::{Args, ConvertArgs, NoFilesArg};
use commands::Command;
use run::Work;
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
        Some(Command::Run(command)) => project::run(&command),
        Some(Command::Init(command)) => project::init(&command),
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
    let resolved = args.resolve()?;
    if pipe::is_asked_for(args) {
        return pipe::run(args, &resolved);
    }
    let mut request = args.plan_request(&resolved)?;
    let prints_time_map = args.files.prints_time_map();
    let time_map = prints_time_map.then(TimeMap::new).transpose()?;
    if let Some(time_map) = &time_map {
        request.time_map = Some(time_map.path());
    }
    let useless = changes::check(args, &resolved, &request);
    let work = Work {
        report_folder: request.writes_folder().then(|| request.output.clone()),
        requests: vec![request],
        settings: (&resolved).into(),
        jobs: Vec::new(),
        time_map,
        passes_empty: args.files.no_files == NoFilesArg::Pass,
        useless: useless.err().map(Into::into),
    };
    work.carry_out(&args.run)
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
