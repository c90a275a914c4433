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
    escape(&audiostretchy::with_causes(error))
}
