//! What the program returns to its caller; the README documents it.
//!
//! A run returns what its report says: 0 if every file is done or up to date, 1 if some failed,
//! 130 or 143 if a signal stopped it.

use std::error::Error;
use std::process::ExitCode;

use audiostretchy::batch::PlanError;

use super::ReportError;

/// The command line, a preset or the plan is wrong; nothing was written.
const USAGE: u8 = 2;
/// The report could not be written.
const REPORT: u8 = 3;
/// There was no audio to stretch.
const NO_AUDIO: u8 = 4;

/// The exit code of an error that ends the program.
pub fn of(error: &(dyn Error + 'static)) -> ExitCode {
    let code = if error.is::<ReportError>() {
        REPORT
    } else if matches!(error.downcast_ref(), Some(PlanError::NoAudio { .. })) {
        NO_AUDIO
    } else {
        USAGE
    };
    code.into()
}
