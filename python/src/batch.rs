//! Whole folders.

use std::ffi::OsString;
use std::path::PathBuf;

use audiostretchy::batch::{
    FileSettings, IfExists, PlanError, PlanRequest, RunOptions, Session, StopToken,
};
use audiostretchy::preset::{Layer, PresetStore, Value};
use audiostretchy::report::{EventReport, Report, json};
use audiostretchy::with_causes;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyString};

use crate::errors::of_plan;
use crate::wait;

/// Stretches files and folders; returns the report as JSON. `on_event` is called with the JSON of
/// each event.
#[pyfunction]
#[pyo3(signature = (inputs, output, preset, jobs, on_event, if_exists, settings))]
#[allow(clippy::too_many_arguments, reason = "Python's wrapper names them")]
pub(crate) fn batch(
    py: Python<'_>,
    inputs: Vec<PathBuf>,
    output: PathBuf,
    preset: Option<OsString>,
    jobs: usize,
    on_event: Option<Py<PyAny>>,
    if_exists: &str,
    settings: &Bound<'_, PyDict>,
) -> PyResult<Vec<u8>> {
    let wrong =
        |error: &(dyn std::error::Error + 'static)| PyValueError::new_err(with_causes(error));
    let layer = layer(settings)?;
    let store = PresetStore::from_environment(None).map_err(|error| wrong(&error))?;
    let resolved = store.resolve(preset.as_deref(), &layer);
    let resolved = resolved.map_err(|error| wrong(&error))?;
    let request = PlanRequest {
        settings: FileSettings {
            stretch: resolved.settings.stretch.clone(),
            encoding: resolved.settings.output.clone(),
            ..FileSettings::default()
        },
        if_exists: parse_if_exists(if_exists)?,
        ..PlanRequest::new(inputs, output)
    };
    let options = RunOptions {
        jobs,
        settings: (&resolved).into(),
        ..RunOptions::default()
    };
    let stop = StopToken::new();
    let is_wanted = on_event.is_some();
    let run = |sender: std::sync::mpsc::Sender<Vec<u8>>| -> Result<Report, PlanError> {
        let mut session = Session::start(&request)?;
        session.probe();
        let report = session.run(&options, &stop, |event| {
            if is_wanted && let Ok(line) = json::line(&EventReport::new(event, session.plan())) {
                // Nobody listens any more once a callback has failed.
                let _ = sender.send(line);
            }
        });
        Ok(report)
    };
    let tell = |py: Python<'_>, line: Vec<u8>| match &on_event {
        Some(on_event) => on_event.call1(py, (line,)).map(drop),
        None => Ok(()),
    };
    let report = wait::run(py, &stop, run, tell)?.map_err(|error| of_plan(&error))?;
    let mut written = Vec::new();
    json::write(&report, &mut written)?;
    Ok(written)
}

/// Settings by the names that presets have for them.
fn layer(settings: &Bound<'_, PyDict>) -> PyResult<Layer> {
    let mut layer = Layer::command_line();
    for (key, value) in settings {
        let key: String = key.extract()?;
        let value = if value.is_instance_of::<PyBool>() {
            Value::Flag(value.extract()?)
        } else if value.is_instance_of::<PyInt>() {
            Value::Whole(value.extract()?)
        } else if value.is_instance_of::<PyFloat>() {
            Value::Number(value.extract()?)
        } else if value.is_instance_of::<PyString>() {
            Value::Text(value.extract()?)
        } else {
            let message = format!("{key}: must be a number, a boolean or a string");
            return Err(PyTypeError::new_err(message));
        };
        let set = layer.set(&key, value);
        set.map_err(|error| PyValueError::new_err(with_causes(&error)))?;
    }
    Ok(layer)
}

fn parse_if_exists(name: &str) -> PyResult<IfExists> {
    match name {
        "resume" => Ok(IfExists::Resume),
        "skip" => Ok(IfExists::Skip),
        "overwrite" => Ok(IfExists::Overwrite),
        "error" => Ok(IfExists::Error),
        _ => {
            let message =
                format!("if_exists is {name:?}: it must be resume, skip, overwrite or error");
            Err(PyValueError::new_err(message))
        }
    }
}
