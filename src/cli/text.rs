//! Words for people: paths, errors.

use std::error::Error;
use std::path::Path;

pub(super) use audiostretchy::report::visible as escape;

/// A path, safe to print.
pub(super) fn path(path: &Path) -> String {
    escape(&path.to_string_lossy())
}

/// An error and its causes on one line, safe to print.
pub(super) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    for cause in std::iter::successors(error.source(), |&cause| cause.source()) {
        let cause = cause.to_string();
        // Some messages repeat what caused them.
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    escape(&text)
}
