//! What the program returns to its caller.

use std::error::Error;

use audiostretchy::report::{Report, RunOutcome};

use super::is_no_audio;

/// The exit codes, as the README documents them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// Every file is done or up to date.
    Success = 0,
    /// Some file failed.
    Failure = 1,
    /// The command line, a preset or the plan is wrong; nothing was written.
    Usage = 2,
    /// The report could not be written.
    Report = 3,
    /// There was no audio to stretch.
    NoAudio = 4,
    /// Ctrl-C ended the run early.
    Interrupted = 130,
    /// A request to terminate ended the run early.
    Terminated = 143,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

/// The exit code of an error that ends the program.
pub fn of(error: &(dyn Error + 'static)) -> ExitCode {
    if is_no_audio(error) {
        ExitCode::NoAudio
    } else {
        ExitCode::Usage
    }
}

/// The exit code of a run.
pub fn of_report(report: &Report) -> ExitCode {
    match report.outcome {
        RunOutcome::Success => ExitCode::Success,
        RunOutcome::Failure => ExitCode::Failure,
        RunOutcome::Interrupted if report.exit_code == ExitCode::Terminated as u8 => {
            ExitCode::Terminated
        }
        RunOutcome::Interrupted => ExitCode::Interrupted,
    }
}
