//! Parameters as Python gives them.

use audiostretchy::{Format, OptionError, OutputOptions, StretchOptions};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::errors::invalid;

/// How audio is stretched and encoded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) stretch: StretchOptions,
    pub(crate) encoding: OutputOptions,
}

impl<'py> FromPyObject<'_, 'py> for Options {
    type Error = PyErr;

    /// Takes the parameters of `stretch_audio`, in its order, from a tuple.
    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let py = object.py();
        let get = |index: usize| object.get_item(index);
        let number = |index, name| -> PyResult<f64> {
            let value = get(index)?;
            value
                .extract()
                .map_err(|_| wrong_type(name, "a number", &value))
        };
        let flag = |index, name| -> PyResult<bool> {
            let value = get(index)?;
            value
                .extract()
                .map_err(|_| wrong_type(name, "True or False", &value))
        };
        let whole = |index, name| -> PyResult<u32> {
            let value = get(index)?;
            let given: i64 = value
                .extract()
                .map_err(|_| wrong_type(name, "a whole number", &value))?;
            u32::try_from(given).map_err(|_| {
                let allowed = "a positive whole number";
                invalid(py, &OptionError::out_of_range(name, given, allowed))
            })
        };
        let sample_rate = whole(9, "sample_rate")?;
        let stretch = StretchOptions {
            ratio: number(0, "ratio")?,
            gap_ratio: number(1, "gap_ratio")?,
            upper_freq: whole(2, "upper_freq")?,
            lower_freq: whole(3, "lower_freq")?,
            buffer_ms: number(4, "buffer_ms")? as f32,
            threshold_gap_db: number(5, "threshold_gap_db")? as f32,
            double_range: flag(6, "double_range")?,
            fast_detection: flag(7, "fast_detection")?,
            normal_detection: flag(8, "normal_detection")?,
            ..StretchOptions::default()
        };
        stretch.validate().map_err(|error| invalid(py, &error))?;
        Ok(Self {
            stretch,
            encoding: OutputOptions {
                sample_rate: Some(sample_rate).filter(|&rate| rate != 0),
                ..OutputOptions::default()
            },
        })
    }
}

fn wrong_type(name: &str, wanted: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let given = value.get_type().name();
    let given = given.map_or_else(|_| "something else".into(), |given| given.to_string());
    PyTypeError::new_err(format!("{name} must be {wanted}, not {given}"))
}

/// Returns the format of a name, or of an extension, such as `wav` or `.WAV`.
pub(crate) fn format(py: Python<'_>, name: &str) -> PyResult<Format> {
    let plain = name.trim_start_matches('.').to_ascii_lowercase();
    let found = Format::from_name(&plain).or_else(|| Format::from_extension(&plain));
    found.ok_or_else(|| {
        let names = Format::ALL.map(Format::name).join(", ");
        let allowed = format!("one of {names}");
        invalid(py, &OptionError::out_of_range("format", name, allowed))
    })
}
