//! The library's errors as Python's exceptions.

use std::error::Error as StdError;
use std::io;
use std::path::Path;

use audiostretchy::batch::PlanError;
use audiostretchy::{End, Error, OptionError};
use pyo3::create_exception;
use pyo3::exceptions::{
    PyBlockingIOError, PyFileNotFoundError, PyInterruptedError, PyOSError, PyRuntimeError,
    PyValueError,
};
use pyo3::prelude::*;

create_exception!(
    audiostretchy,
    DamagedAudioError,
    PyRuntimeError,
    "The input is audio, and too damaged to be read."
);
create_exception!(
    audiostretchy,
    UnsupportedAudioError,
    PyRuntimeError,
    "The input is no audio, or audio that there is no decoder for."
);

/// Returns the exception that the documentation names for an error.
pub(crate) fn to_python(py: Python<'_>, error: Error) -> PyErr {
    let text = with_causes(&error);
    match &error {
        Error::NotFound { path, .. } => not_found(path),
        Error::InvalidParameter(error) => invalid(py, error),
        Error::Damaged { .. } => DamagedAudioError::new_err(text),
        Error::Unsupported { .. } => UnsupportedAudioError::new_err(text),
        Error::Unreadable { input, .. } => of_system(&error, input, text),
        Error::Output { output, .. } => of_system(&error, output, text),
        Error::Cancelled => PyInterruptedError::new_err(text),
        _ => PyRuntimeError::new_err(text),
    }
}

/// The system's number of a file that is not there, the same everywhere.
const ENOENT: i32 = 2;

fn not_found(path: &Path) -> PyErr {
    PyFileNotFoundError::new_err((
        ENOENT,
        "No such file or directory",
        path.as_os_str().to_owned(),
    ))
}

/// An error of the system about a file: with its number, Python finds the class, such as
/// `PermissionError`.
fn of_system(error: &Error, end: &End, text: String) -> PyErr {
    let number = causes(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .find_map(io::Error::raw_os_error);
    match (number, end) {
        (Some(number), End::File(path)) => {
            PyOSError::new_err((number, text, path.as_os_str().to_owned()))
        }
        (Some(number), _) => PyOSError::new_err((number, text)),
        _ => PyOSError::new_err(text),
    }
}

/// A `ValueError` with the name of the parameter, its value and the range as attributes.
pub(crate) fn invalid(py: Python<'_>, error: &OptionError) -> PyErr {
    let exception = PyValueError::new_err(error.to_string());
    if let OptionError::OutOfRange {
        name,
        value,
        allowed,
    } = error
    {
        let object = exception.value(py);
        let attributes = [
            ("parameter", *name),
            ("value", value.as_str()),
            ("allowed", allowed.as_str()),
        ];
        for (attribute, value) in attributes {
            // An exception without them is still the right one.
            let _ = object.setattr(attribute, value);
        }
    }
    exception
}

/// Returns the exception of a plan that is refused.
pub(crate) fn of_plan(error: &PlanError) -> PyErr {
    let text = with_causes(error);
    match error {
        PlanError::InputMissing { path, .. } => not_found(path),
        PlanError::Locked { .. } => PyBlockingIOError::new_err(text),
        PlanError::OutputUnwritable { path, source } => {
            let number = source.raw_os_error();
            number.map_or_else(
                || PyOSError::new_err(text.clone()),
                |number| PyOSError::new_err((number, text.clone(), path.as_os_str().to_owned())),
            )
        }
        _ => PyValueError::new_err(text),
    }
}

fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// Returns an error with what caused it, in one line.
pub(crate) fn with_causes(error: &(dyn StdError + 'static)) -> String {
    causes(error)
        .map(ToString::to_string)
        .fold(String::new(), |text, cause| {
            match (text.is_empty(), text.contains(&cause)) {
                (true, _) => cause,
                // Some messages repeat what caused them.
                (false, true) => text,
                (false, false) => format!("{text}: {cause}"),
            }
        })
}
