//! One piece of audio from a file or reader to a file or writer, in constant memory.

use std::fs::File;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::Path;

use audiostretchy_containers::input::Input;
use audiostretchy_containers::limits::Limits;
use audiostretchy_engine::{OptionError, StretchOptions};
use audiostretchy_media::decode::Decoder;
use audiostretchy_media::format::{Format, OutputOptions};

use crate::error::{End, Error};
use crate::pipeline::atomic_file::{PendingOutput, Replace, is_special, remove_leftovers};
use crate::pipeline::estimate::Estimate;
use crate::pipeline::file::{self, FileError, copy};
use crate::pipeline::keep::Keep;
use crate::pipeline::paths::{is_same_file, parent};
use crate::pipeline::{Outcome, Pipeline, PipelineError};
use crate::progress::Progress;

/// Stretches a file.
///
/// The format of the output is told by its extension, unless `encoding` names one. Tags, pictures and chapters come along, with
/// their times moved. The output appears whole under its name or not at all; a file of that name
/// is replaced. Memory does not grow with the length of the audio. [`Conversion`] has more
/// choices, also readers and writers.
///
/// ```
/// use audiostretchy::{OutputOptions, StretchOptions, stretch_audio};
///
/// # let folder = tempfile::tempdir()?;
/// # let output = folder.path().join("slower.wav");
/// let input = "tests/data/recordings/stories/lighthouse.mp3";
/// let options = StretchOptions { ratio: 1.25, ..StretchOptions::default() };
/// let outcome = stretch_audio(input, &output, &options, &OutputOptions::default())?;
/// let ratio = outcome.encoded.frames as f64 / outcome.input_frames as f64;
/// assert!((ratio - 1.25).abs() < 0.01);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Returns an error if the input cannot be read, a parameter is out of range, or the output cannot
/// be written: see [`Error`].
pub fn stretch_audio(
    input: impl AsRef<Path>,
    output: impl AsRef<Path>,
    options: &StretchOptions,
    encoding: &OutputOptions,
) -> Result<Outcome, Error> {
    let conversion = Conversion {
        stretch: options.clone(),
        encoding: encoding.clone(),
        ..Conversion::default()
    };
    let path = input.as_ref();
    let input = Input::open(path).map_err(|error| Error::of_path(error, path))?;
    conversion.to_file(&input, output, |_| ControlFlow::Continue(()))
}

/// Stretches one piece of audio, in constant memory: from a file, a reader or a pipe to a file or a
/// writer.
///
/// From a pipe to a writer, here in memory:
///
/// ```
/// use std::ops::ControlFlow;
/// use audiostretchy::{Conversion, Format, Input, OutputOptions, StretchOptions};
///
/// let pipe = std::fs::File::open("tests/data/recordings/stories/sea.wav")?;
/// let mut output = Vec::new();
/// let conversion = Conversion {
///     stretch: StretchOptions { ratio: 0.5, ..StretchOptions::default() },
///     encoding: OutputOptions { format: Some(Format::Wav), ..OutputOptions::default() },
///     ..Conversion::default()
/// };
/// conversion.to_writer(&Input::spool(pipe)?, &mut output, |progress| {
///     eprintln!("{} of {:?} frames", progress.frames, progress.total);
///     ControlFlow::Continue(())
/// })?;
/// assert_eq!(&output[..4], b"RIFF");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Conversion {
    /// How the audio is stretched.
    pub stretch: StretchOptions,
    /// How the output is encoded. A format named here goes before the output's extension.
    pub encoding: OutputOptions,
    /// Whether tags, pictures and chapters come along, with their times moved.
    pub tags: bool,
    /// Whether a damaged input fails, instead of being filled up with silence with a warning.
    pub strict: bool,
    /// Whether a file of the output's name is replaced.
    pub overwrite: bool,
    /// Whether the output may be the input, which is replaced once the whole output is there.
    pub in_place: bool,
    /// How long the audio may be, and until when it may be decoded: from then on, the input is
    /// [`Unreadable`](Error::Unreadable).
    pub limits: Limits,
}

impl Default for Conversion {
    /// Nothing is changed; tags come along, and damage is filled up.
    fn default() -> Self {
        Self {
            stretch: StretchOptions::default(),
            encoding: OutputOptions::default(),
            tags: true,
            strict: false,
            overwrite: true,
            in_place: false,
            limits: Limits::default(),
        }
    }
}

impl Conversion {
    /// Writes to a file, which appears whole or not at all; one of that name is replaced if
    /// `overwrite` is set, but never a device or a pipe.
    ///
    /// `progress` is called after every block, on this thread, and may break off.
    ///
    /// # Errors
    /// Returns an error if the input cannot be decoded, a parameter does not fit it, the output
    /// cannot be encoded or written or is the input, or `progress` breaks.
    pub fn to_file(
        &self,
        input: &Input,
        output: impl AsRef<Path>,
        progress: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Outcome, Error> {
        let path = output.as_ref();
        let end = End::File(path.to_owned());
        let is_input = input.path().is_some_and(|input| is_same_file(input, path));
        if is_input && !self.in_place {
            let path = path.to_owned();
            return Err(Error::OutputIsInput { path });
        }
        let format = format_of(&self.encoding, Some(path))?;
        let pipeline = self.open(input, format)?;
        let failed = |error| Error::of_output(error, end.clone());
        if is_special(path) {
            let error = "is a device or a pipe, and would be replaced";
            return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, error)));
        }
        remove_leftovers(parent(path), "");
        let pending = PendingOutput::create(path, input.metadata()).map_err(failed)?;
        let mut outcome = self.run(pipeline, pending.file(), input, &end, progress)?;
        pending.finish(None).map_err(failed)?;
        let replace = match self.overwrite {
            true => Replace::Always,
            false => Replace::Never,
        };
        let warning = pending
            .commit(replace)
            .map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => {
                    let source = FileError::OutputTaken(path.to_owned());
                    Error::Output {
                        output: end.clone(),
                        source,
                    }
                }
                _ => failed(error),
            })?;
        outcome.warnings.extend(warning);
        Ok(outcome)
    }

    /// Writes to anything, such as a pipe, once all is done; nothing is written if it fails.
    ///
    /// Formats put lengths into their headers at the end, and tags before the audio: the output is
    /// made in a temporary file and copied. So it is the same, byte for byte, as a file's.
    ///
    /// # Errors
    /// Returns the same errors as [`to_file`](Self::to_file), and where no format is named in
    /// `encoding`.
    pub fn to_writer(
        &self,
        input: &Input,
        mut output: impl Write,
        progress: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Outcome, Error> {
        let format = format_of(&self.encoding, None)?;
        let pipeline = self.open(input, format)?;
        let failed = |error| Error::of_output(error, End::Writer);
        let mut file = tempfile::tempfile().map_err(failed)?;
        let outcome = self.run(pipeline, &file, input, &End::Writer, progress)?;
        copy(&mut file, &mut output).map_err(failed)?;
        Ok(outcome)
    }

    /// Estimates how long the output will be and how long this machine will take for it: see
    /// [`estimate`].
    ///
    /// # Errors
    /// Returns an error if no format is named in `encoding`, or the input cannot be decoded or not
    /// so encoded.
    pub fn estimate(&self, input: &Input) -> Result<Estimate, Error> {
        let format = format_of(&self.encoding, None)?;
        guarded(&End::of(input), &End::Writer, || {
            let estimate = Estimate::new(input, &self.stretch, format, &self.encoding);
            Ok(estimate?)
        })
    }

    fn open(&self, input: &Input, format: Format) -> Result<Pipeline, Error> {
        let keep = Keep {
            tags: self.tags,
            ..Keep::NOTHING
        };
        guarded(&End::of(input), &End::Writer, || {
            let decoder = Decoder::from_input_within(input, &self.limits);
            let decoder = decoder.map_err(PipelineError::from)?;
            let pipeline = Pipeline::of(input, decoder, &self.stretch, format, &self.encoding)?;
            Ok(pipeline.keeping(keep))
        })
    }

    fn run(
        &self,
        pipeline: Pipeline,
        file: &File,
        input: &Input,
        output: &End,
        mut progress: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Outcome, Error> {
        guarded(&End::of(input), output, || {
            file::stretch(pipeline, &[file], self.strict, &mut progress)
        })
    }
}

/// Estimates how long the output of a file will be and how long this machine will take for it,
/// written in the format that `encoding` names, else in the file's own, else as WAV.
///
/// Short parts from all over the file are stretched in memory, for about a third of a second, to
/// measure the machine; nothing is written. Where gaps have a ratio of their own, the length rests
/// on such parts too. [`Conversion::estimate`] is the same for any input.
///
/// ```
/// use audiostretchy::{OutputOptions, StretchOptions, estimate};
///
/// let options = StretchOptions { ratio: 0.5, ..StretchOptions::default() };
/// let input = "tests/data/recordings/stories/sea.wav";
/// let estimate = estimate(input, &options, &OutputOptions::default())?;
/// assert_eq!((estimate.input_seconds, estimate.output_seconds), (6.0, 3.0));
/// assert!(estimate.processing.as_secs_f64() > 0.0);
/// # Ok::<(), audiostretchy::Error>(())
/// ```
///
/// # Errors
/// Returns an error if the input cannot be read or a parameter is out of range: see [`Error`].
pub fn estimate(
    path: impl AsRef<Path>,
    options: &StretchOptions,
    encoding: &OutputOptions,
) -> Result<Estimate, Error> {
    let path = path.as_ref();
    let input = Input::open(path).map_err(|error| Error::of_path(error, path))?;
    let own = input.hint().and_then(Format::kept_from_extension);
    let conversion = Conversion {
        stretch: options.clone(),
        encoding: OutputOptions {
            format: encoding.format.or(own).or(Some(Format::Wav)),
            ..encoding.clone()
        },
        ..Conversion::default()
    };
    conversion.estimate(&input)
}

/// Does something that may fail; a panic of a decoder or encoder is an error like others.
pub(crate) fn guarded<T>(
    input: &End,
    output: &End,
    work: impl FnOnce() -> Result<T, FileError>,
) -> Result<T, Error> {
    file::guarded(work).map_err(|error| Error::new(error, input, output))
}

/// Returns the output's format: the one asked for, else that of the file name's extension.
///
/// # Errors
/// Returns an error if neither tells one, as an invalid parameter `format`.
pub(crate) fn format_of(
    options: &OutputOptions,
    path: Option<&Path>,
) -> Result<Format, OptionError> {
    let extension = path
        .and_then(Path::extension)
        .and_then(|name| name.to_str());
    let named = options.format;
    named
        .or_else(|| extension.and_then(Format::from_extension))
        .ok_or_else(|| {
            let value = match extension {
                Some(extension) => format!("unknown for .{extension}"),
                None => "not given".into(),
            };
            let names = Format::ALL.map(Format::name).join(", ");
            OptionError::out_of_range("format", value, format!("one of {names}"))
        })
}
