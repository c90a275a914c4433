//! Parameters as Python gives them.

use std::path::Path;

use audiostretchy::{Format, OptionError, OutputOptions, StretchOptions};
use pyo3::prelude::*;

use crate::errors::invalid;

/// How audio is stretched and encoded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) stretch: StretchOptions,
    pub(crate) encoding: OutputOptions,
}

/// The parameters of `stretch_audio`, in its order, from a tuple.
#[derive(FromPyObject)]
struct Parameters(f64, f64, i64, i64, f64, f64, bool, bool, bool, i64);

impl<'py> FromPyObject<'_, 'py> for Options {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let Parameters(
            ratio,
            gap_ratio,
            upper_freq,
            lower_freq,
            buffer_ms,
            threshold_gap_db,
            double_range,
            fast_detection,
            normal_detection,
            sample_rate,
        ) = object.extract()?;
        let whole = |name, value: i64| {
            u32::try_from(value).map_err(|_| {
                let allowed = "a positive whole number";
                invalid(
                    object.py(),
                    &OptionError::out_of_range(name, value, allowed),
                )
            })
        };
        let sample_rate = whole("sample_rate", sample_rate)?;
        let stretch = StretchOptions {
            ratio,
            gap_ratio,
            upper_freq: whole("upper_freq", upper_freq)?,
            lower_freq: whole("lower_freq", lower_freq)?,
            buffer_ms: buffer_ms as f32,
            threshold_gap_db: threshold_gap_db as f32,
            double_range,
            fast_detection,
            normal_detection,
            ..StretchOptions::default()
        };
        stretch
            .validate()
            .map_err(|error| invalid(object.py(), &error))?;
        Ok(Self {
            stretch,
            encoding: OutputOptions {
                sample_rate: Some(sample_rate).filter(|&rate| rate != 0),
                ..OutputOptions::default()
            },
        })
    }
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

/// Returns the format that a file's extension tells.
pub(crate) fn format_of(path: &Path) -> Option<Format> {
    Format::from_extension(path.extension()?.to_str()?)
}
