//! The native half of the Python package: the library's calls, with Python's exceptions, files and
//! signals. `python/audiostretchy/` has what users see.

mod audio;
mod batch;
mod errors;
mod files;
mod options;
mod wait;

use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use audiostretchy::batch::StopToken;
use audiostretchy::{Conversion, End, Error, Input, Outcome, Progress, Warning};
use pyo3::prelude::*;

use errors::to_python;
use options::Options;

/// Shortest time between two calls of a progress callback.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(50);

/// Stretches a file; returns the messages of warnings.
#[pyfunction]
fn stretch_audio(
    py: Python<'_>,
    input: PathBuf,
    output: PathBuf,
    options: Options,
    progress: Option<Py<PyAny>>,
) -> PyResult<Vec<String>> {
    let conversion = Conversion {
        stretch: options.stretch,
        encoding: options.encoding,
        in_place: true,
        ..Conversion::default()
    };
    let stop = StopToken::new();
    let is_wanted = progress.is_some();
    let done = wait::run(
        py,
        &stop,
        |sender| {
            let mut told = Instant::now();
            convert(&conversion, &input, &output, |so_far| {
                if is_wanted && told.elapsed() >= PROGRESS_INTERVAL {
                    told = Instant::now();
                    // Nobody listens any more once a callback has failed.
                    let _ = sender.send(so_far);
                }
                match stop.is_stopped() {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            })
        },
        |py, so_far: Progress| tell(py, progress.as_ref(), so_far.frames, so_far.total),
    )?;
    let outcome = done.map_err(|error| to_python(py, error))?;
    let frames = outcome.input_frames;
    tell(py, progress.as_ref(), frames, Some(frames))?;
    Ok(messages(outcome.warnings))
}

fn tell(
    py: Python<'_>,
    progress: Option<&Py<PyAny>>,
    frames: u64,
    total: Option<u64>,
) -> PyResult<()> {
    if let Some(progress) = progress {
        progress.call1(py, (frames, total))?;
    }
    Ok(())
}

/// Converts a file to another, or to itself.
fn convert(
    conversion: &Conversion,
    input: &Path,
    output: &Path,
    progress: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<Outcome, Error> {
    let end = || End::File(input.to_owned());
    let source = Input::open(input).map_err(|error| Error::from_input(error, end()))?;
    conversion.to_file(&source, output, progress)
}

/// Estimates lengths and time: input seconds, output seconds, seconds of work.
#[pyfunction]
fn estimate(py: Python<'_>, input: PathBuf, options: Options) -> PyResult<(f64, f64, f64)> {
    let estimate =
        py.detach(|| audiostretchy::estimate(&input, &options.stretch, &options.encoding));
    let estimate = estimate.map_err(|error| to_python(py, error))?;
    Ok((
        estimate.input_seconds,
        estimate.output_seconds,
        estimate.processing.as_secs_f64(),
    ))
}

/// The program; the first word is its name.
#[pyfunction]
fn main(py: Python<'_>, command_line: Vec<OsString>) -> u8 {
    py.detach(|| audiostretchy::cli::main(command_line))
}

fn messages(warnings: Vec<Warning>) -> Vec<String> {
    warnings
        .into_iter()
        .map(|warning| warning.message)
        .collect()
}

#[pymodule(gil_used = false)]
mod _audiostretchy {
    #[pymodule_export]
    use super::audio::Audio;
    #[pymodule_export]
    use super::batch::batch;
    #[pymodule_export]
    use super::errors::{DamagedAudioError, UnsupportedAudioError};
    #[pymodule_export]
    use super::{estimate, main, stretch_audio};

    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
