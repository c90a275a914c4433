//! What the program returns to its caller; the README documents it.
//!
//! A run returns what its report says: 0 if every file is done or up to date, 1 if some failed,
//! 129, 130 or 143 if a signal stopped it.

use std::error::Error;

use audiostretchy::batch::PlanError;

use super::reports::ReportError;

/// All went well.
pub(super) const SUCCESS: u8 = 0;
/// The command line, a preset or the plan is wrong; nothing was written.
const USAGE: u8 = 2;
/// A report could not be written.
pub(super) const REPORT: u8 = audiostretchy::report::NOT_WRITTEN;
/// There was no audio to stretch.
const NO_AUDIO: u8 = 4;
/// Another run is writing to the output folder: `EX_TEMPFAIL`, which asks to try again later.
const LOCKED: u8 = 75;

/// Returns the exit code of an error that ends the program.
pub(super) fn of(error: &(dyn Error + 'static)) -> u8 {
    if error.is::<ReportError>() {
        return REPORT;
    }
    let plan_error = error.downcast_ref().map(PlanError::of_any_request);
    match plan_error {
        Some(PlanError::NoAudio { .. }) => NO_AUDIO,
        Some(PlanError::Locked { .. }) => LOCKED,
        _ => USAGE,
    }
}
