//! `-` in the place of the input or the output: standard input, standard output.

use std::error::Error as StdError;
use std::io::{self, IsTerminal};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use audiostretchy::batch;
use audiostretchy::preset::{Resolved, Settings};
use audiostretchy::{Conversion, End, Error, Format, Input, Limits, OutputOptions};
use audiostretchy_containers::figures;

use super::args::{ConvertArgs, IfExistsArg, Verbosity};
use super::screen::say;
use super::{changes, exit_code, signals, text};

/// The file failed.
const FAILED: u8 = 1;

/// What is asked for cannot be done with a pipe. Nothing has been read or written.
#[derive(Debug, thiserror::Error)]
enum UsageError {
    #[error("- stands for standard input or output: give one input and one output with it")]
    SeveralPaths,
    #[error("{0} does not work with -; give it files")]
    Option(&'static str),
    #[error(
        "{}: the name says {} and --format says {}; change one of them",
        text::path(path),
        name.name(),
        option.name()
    )]
    FormatMismatch {
        path: std::path::PathBuf,
        name: Format,
        option: Format,
    },
    #[error("the format is not known: name it with --format {}", names())]
    Format,
    #[error("standard output is a terminal: send it to a file or a program")]
    Terminal,
    #[error("{}: is a device or a pipe, and would be replaced; choose another output", text::path(.0.as_path()))]
    Special(std::path::PathBuf),
    #[error("{}: is an input and would be overwritten; choose another output", text::path(.0.as_path()))]
    OutputIsInput(std::path::PathBuf),
    #[error("{}: already there; use --if-exists overwrite to replace, or skip to keep", text::path(.0.as_path()))]
    Exists(std::path::PathBuf),
}

/// Returns whether the input or the output is a pipe.
pub(super) fn is_asked_for(args: &ConvertArgs) -> bool {
    args.paths.iter().any(|path| is_pipe(path))
}

/// Stretches one piece of audio from or to a pipe.
pub(super) fn run(args: &ConvertArgs, resolved: &Resolved) -> Result<u8, Box<dyn StdError>> {
    let [from, to] = &args.paths[..] else {
        return Err(UsageError::SeveralPaths.into());
    };
    if let Some(option) = option_for_files(args) {
        return Err(UsageError::Option(option).into());
    }
    let settings = &resolved.settings;
    let format = format(settings, from, to)?;
    let encoding = OutputOptions {
        format: Some(format),
        ..settings.output.clone()
    };
    if is_pipe(to) && io::stdout().is_terminal() {
        return Err(UsageError::Terminal.into());
    }
    if !is_pipe(to) && batch::is_special(to) {
        return Err(UsageError::Special(to.clone()).into());
    }
    let (stdin, stdout) = (io::stdin(), io::stdout());
    for (stream, file) in [(is_file(&stdin, to), to), (is_file(&stdout, from), from)] {
        if stream {
            return Err(UsageError::OutputIsInput(file.clone()).into());
        }
    }
    if !is_pipe(to) && to.symlink_metadata().is_ok() {
        match args.files.if_exists {
            IfExistsArg::Overwrite => {}
            IfExistsArg::Skip => return Ok(exit_code::SUCCESS),
            IfExistsArg::Resume | IfExistsArg::Error => {
                return Err(UsageError::Exists(to.clone()).into());
            }
        }
    }
    // What comes through a pipe may be of any format.
    let converts = is_pipe(from) && !is_pipe(to);
    changes::check_settings(&args.files, resolved, converts)?;
    changes::check_fit(&args.settings, format, to)?;
    settings.stretch.validate()?;
    let conversion = Conversion {
        stretch: settings.stretch.clone(),
        encoding,
        tags: !args.files.no_tags,
        strict: args.files.strict,
        overwrite: matches!(args.files.if_exists, IfExistsArg::Overwrite),
        limits: Limits {
            max_duration: args
                .run
                .max_duration_per_file
                .unwrap_or(Limits::MAX_DURATION),
            ..Limits::default()
        },
        ..Conversion::default()
    };
    match convert(args, conversion, from, to) {
        Ok(exit_code) => Ok(exit_code),
        Err(error) if is_closed_pipe(&error) => Ok(exit_code::SUCCESS),
        Err(error @ (Error::NotFound { .. } | Error::OutputIsInput { .. })) => Err(error.into()),
        Err(error) => {
            say!("error: {}", text::with_causes(&error));
            Ok(FAILED)
        }
    }
}

fn convert(
    args: &ConvertArgs,
    mut conversion: Conversion,
    from: &Path,
    to: &Path,
) -> Result<u8, Error> {
    let input = if is_pipe(from) {
        Input::spool(io::stdin().lock()).map_err(Error::from_reader)?
    } else {
        Input::open(from).map_err(|error| Error::from_input(error, End::File(from.to_owned())))?
    };
    // Not before standard input has come: that takes as long as its writer does.
    let deadline = args
        .run
        .timeout
        .and_then(|time| Instant::now().checked_add(time));
    conversion.limits.deadline = deadline;
    let timed_out = || deadline.is_some_and(|deadline| Instant::now() >= deadline);
    let signal = Arc::new(AtomicUsize::new(0));
    let go_on = |_| match timed_out() || signal.load(Ordering::Relaxed) != 0 {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    };
    let result = if is_pipe(to) {
        conversion.to_writer(&input, io::stdout().lock(), go_on)
    } else {
        // A file on its way has a name, and must not be left behind.
        for number in signals::to_listen_to() {
            let _ = signal_hook::flag::register_usize(number, signal.clone(), number as usize);
        }
        conversion.to_file(&input, to, go_on)
    };
    let outcome = match (result, signal.load(Ordering::Relaxed)) {
        (Err(Error::Cancelled), number) if number != 0 => {
            say!("stopped; nothing was written");
            return Ok(128 + number as u8);
        }
        // Whatever a decoder makes of it that nothing more can be read.
        (
            Err(
                Error::Cancelled
                | Error::Unreadable { .. }
                | Error::Unsupported { .. }
                | Error::Damaged { .. },
            ),
            _,
        ) if timed_out() => {
            say!("error: took longer than --timeout allows and was given up");
            return Ok(FAILED);
        }
        (result, _) => result?,
    };
    if args.run.verbosity() > Verbosity::Quiet {
        for warning in &outcome.warnings {
            say!("warning: {}", text::escape(&warning.message));
        }
    }
    if args.run.verbosity() > Verbosity::Normal {
        let seconds = |frames, rate| figures::length(frames as f64 / f64::from(rate));
        say!(
            "{} to {}, {}",
            seconds(outcome.input_frames, outcome.source.sample_rate),
            seconds(outcome.encoded.frames, outcome.spec.sample_rate),
            outcome.spec.format.name(),
        );
    }
    Ok(exit_code::SUCCESS)
}

/// Returns whether a standard stream is the file that a path leads to.
#[cfg(unix)]
fn is_file(stream: &impl std::os::fd::AsFd, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let stream = stream.as_fd().try_clone_to_owned();
    let stream = stream.and_then(|stream| std::fs::File::from(stream).metadata());
    let id = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    let is_regular = stream.as_ref().is_ok_and(std::fs::Metadata::is_file);
    is_regular && stream.ok().map(id) == path.metadata().ok().map(id)
}

/// Returns whether a standard stream is the file that a path leads to: not known on this system.
#[cfg(not(unix))]
fn is_file<T>(_: &T, _: &Path) -> bool {
    false
}

fn is_pipe(path: &Path) -> bool {
    path == Path::new("-")
}

/// Returns the output's format: that asked for, else what its name says, else what the input's
/// says.
fn format(settings: &Settings, from: &Path, to: &Path) -> Result<Format, UsageError> {
    let extension = |path: &Path| Some(path.extension()?.to_str()?.to_owned());
    let named = |path| Format::from_extension(&extension(path)?);
    let kept = || Format::kept_from_extension(&extension(from)?);
    if let (Some(name), Some(option)) = (named(to), settings.output.format)
        && name != option
    {
        let path = to.to_owned();
        return Err(UsageError::FormatMismatch { path, name, option });
    }
    let asked_for = settings.output.format.or_else(|| named(to));
    let format = asked_for.or_else(|| kept().filter(|_| is_pipe(to)));
    format.ok_or(UsageError::Format)
}

/// An option that was given and asks for what a pipe does not have.
fn option_for_files(args: &ConvertArgs) -> Option<&'static str> {
    let (files, run) = (&args.files, &args.run);
    let given = [
        ("--dry-run", run.dry_run),
        ("--events", run.events),
        ("--report", run.report.is_some()),
        ("--report-junit", run.report_junit.is_some()),
        ("--report-markdown", run.report_markdown.is_some()),
        ("--report-html", run.report_html.is_some()),
        ("--rerun-failed", run.rerun_failed.is_some()),
        ("--files-from", files.files_from.is_some()),
        ("--files-from0", files.files_from0.is_some()),
        ("--durations", files.durations.is_some()),
        ("--time-map", files.time_map.is_some()),
        ("--keep-mtime", files.keep_mtime),
        ("--only-new", files.only_new),
        ("--prune", files.prune),
        ("--suffix", !files.suffix.is_empty()),
        ("--portable-names", files.portable_names),
        ("--split", files.split.is_some()),
        ("--temp-dir", files.temp_dir.is_some()),
        ("--partition", run.partition.is_some()),
    ];
    let (option, _) = given.into_iter().find(|&(_, is_given)| is_given)?;
    Some(option)
}

/// Returns whether the reader of our output has seen enough, as `head` does.
fn is_closed_pipe(error: &Error) -> bool {
    let Error::Output { source, .. } = error else {
        return false;
    };
    let first: Option<&(dyn StdError + 'static)> = Some(source);
    std::iter::successors(first, |&error| error.source())
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn names() -> String {
    Format::ALL.map(Format::name).join("|")
}
