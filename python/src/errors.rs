//! The library's errors as Python's exceptions.

use std::error::Error as StdError;
use std::io;
use std::path::Path;

use audiostretchy::batch::PlanError;
use audiostretchy::{End, Error, OptionError, with_causes};
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
        Error::Unreadable { input, .. } => of_system(&error, path_of(input)),
        Error::Output { output, .. } => of_system(&error, path_of(output)),
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

/// The error of the system that is among the causes, about a file: with its number, Python finds the
/// class, such as `PermissionError`.
fn of_system(error: &(dyn StdError + 'static), path: Option<&Path>) -> PyErr {
    let text = with_causes(error);
    let number = std::iter::successors(Some(error), |&error| error.source())
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .find_map(io::Error::raw_os_error);
    match (number, path) {
        (Some(number), Some(path)) => {
            PyOSError::new_err((number, text, path.as_os_str().to_owned()))
        }
        (Some(number), None) => PyOSError::new_err((number, text)),
        (None, _) => PyOSError::new_err(text),
    }
}

fn path_of(end: &End) -> Option<&Path> {
    match end {
        End::File(path) => Some(path),
        _ => None,
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
        PlanError::OutputUnwritable { path, .. } => of_system(error, Some(path)),
        _ => PyValueError::new_err(text),
    }
}
