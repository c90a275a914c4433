//! Audio in memory.

use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use audiostretchy::batch::StopToken;
use audiostretchy::{AudioStretch, End, Error, Input, Limits, OutputOptions};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyByteArray;

use crate::errors::to_python;
use crate::files::{Reader, Writer};
use crate::options::{self, Options};
use crate::{messages, wait};

/// Bytes copied at a time to and from Python's files.
const BLOCK: usize = 1 << 20;

/// Audio that was opened.
#[pyclass(frozen, module = "audiostretchy._audiostretchy")]
pub(crate) struct Audio(Mutex<AudioStretch>);

impl Audio {
    fn open_input(py: Python<'_>, input: Input) -> PyResult<Self> {
        let stop = StopToken::new();
        let opened = wait::run(
            py,
            &stop,
            |_sender| AudioStretch::open_input_until(&input, &Limits::default(), stop.clone()),
            no_message,
        )?;
        let audio = opened.map_err(|error| to_python(py, error))?;
        Ok(Self(audio.into()))
    }

    /// Works on the audio until that is done or interrupted.
    fn run<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut AudioStretch) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        let stop = StopToken::new();
        let work = |_sender| {
            let mut audio = self.lock();
            audio.set_stop(stop.clone());
            work(&mut audio)
        };
        wait::run(py, &stop, work, no_message)?.map_err(|error| to_python(py, error))
    }

    fn lock(&self) -> MutexGuard<'_, AudioStretch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the audio without keeping the interpreter from a thread that works on it.
    fn look<T: Send>(&self, py: Python<'_>, look: impl FnOnce(&AudioStretch) -> T + Send) -> T {
        py.detach(|| look(&self.lock()))
    }
}

fn no_message(_: Python<'_>, (): ()) -> PyResult<()> {
    Ok(())
}

#[pymethods]
impl Audio {
    /// Reads a file; `hint` is the extension that its name does not tell.
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf, hint: Option<&str>) -> PyResult<Self> {
        let input = py.detach(|| Input::open(&path));
        let input =
            input.map_err(|error| to_python(py, Error::from_input(error, End::File(path))))?;
        Self::open_input(py, with_hint(input, hint))
    }

    /// Reads the rest of a Python file.
    #[staticmethod]
    fn open_file(py: Python<'_>, file: Bound<'_, PyAny>, hint: Option<&str>) -> PyResult<Self> {
        let reader = io::BufReader::with_capacity(BLOCK, Reader(file));
        let input = Input::spool(reader)?;
        Self::open_input(py, with_hint(input, hint))
    }

    fn stretch(&self, py: Python<'_>, options: Options) -> PyResult<()> {
        self.run(py, |audio| audio.stretch(&options.stretch))
    }

    fn resample(&self, py: Python<'_>, sample_rate: u32) -> PyResult<()> {
        self.run(py, |audio| audio.resample(sample_rate))
    }

    /// Writes a file, which may be the one that was opened; returns the messages of warnings.
    fn save(&self, py: Python<'_>, path: PathBuf, format: Option<&str>) -> PyResult<Vec<String>> {
        let options = encoding(py, format)?;
        let warnings = self.run(py, |audio| audio.save_in_place(path, &options))?;
        Ok(messages(warnings))
    }

    /// Writes to a Python file.
    fn save_file(
        &self,
        py: Python<'_>,
        file: Bound<'_, PyAny>,
        format: Option<&str>,
    ) -> PyResult<Vec<String>> {
        let options = encoding(py, format)?;
        let mut whole = Vec::new();
        let warnings = self.run(py, |audio| audio.save_writer(&mut whole, &options))?;
        let mut writer = Writer(file);
        for block in whole.chunks(BLOCK) {
            io::Write::write_all(&mut writer, block)?;
        }
        Ok(messages(warnings))
    }

    /// Returns the samples as 32-bit floats in the machine's byte order, channel after channel.
    fn samples<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyByteArray>> {
        let bytes = self.look(py, |audio| {
            let samples = audio.samples();
            let samples = samples.to_f32();
            let channels = audio.channels();
            let planar = (0..channels).flat_map(|channel| {
                let samples = samples.iter().skip(channel).step_by(channels);
                samples.flat_map(|sample| sample.to_ne_bytes())
            });
            planar.collect::<Vec<u8>>()
        });
        Ok(PyByteArray::new(py, &bytes))
    }

    /// Replaces the samples by others, as [`samples`](Self::samples) returns them.
    fn set_samples(&self, py: Python<'_>, planar: &[u8], channels: usize) -> PyResult<()> {
        let samples: Vec<f32> = (planar.chunks_exact(4))
            .map(|bytes| f32::from_ne_bytes(bytes.try_into().expect("four bytes")))
            .collect();
        if channels == 0 {
            return Err(PyValueError::new_err(
                "samples has no channels: it must have 1 to 8",
            ));
        }
        let frames = samples.len() / channels;
        let interleaved: Vec<f32> = (0..frames)
            .flat_map(|frame| (0..channels).map(move |channel| channel * frames + frame))
            .map(|index| samples[index])
            .collect();
        self.run(py, |audio| audio.set_samples(interleaved, channels))
    }

    #[getter]
    fn sample_rate(&self, py: Python<'_>) -> u32 {
        self.look(py, AudioStretch::sample_rate)
    }

    #[setter]
    fn set_sample_rate(&self, py: Python<'_>, sample_rate: u32) -> PyResult<()> {
        self.run(py, |audio| audio.set_sample_rate(sample_rate))
    }

    #[getter]
    fn channels(&self, py: Python<'_>) -> usize {
        self.look(py, AudioStretch::channels)
    }

    /// Returns the messages of warnings about the source.
    fn warnings(&self, py: Python<'_>) -> Vec<String> {
        self.look(py, |audio| messages(audio.warnings().to_vec()))
    }
}

fn with_hint(input: Input, hint: Option<&str>) -> Input {
    match hint {
        Some(hint) => input.with_hint(hint),
        None => input,
    }
}

fn encoding(py: Python<'_>, format: Option<&str>) -> PyResult<OutputOptions> {
    Ok(OutputOptions {
        format: format.map(|name| options::format(py, name)).transpose()?,
        ..OutputOptions::default()
    })
}
