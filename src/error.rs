//! Why a call of the library failed.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::batch::FileError;
use crate::pipeline::PipelineError;
use audiostretchy_containers::input::{Input, InputError};
use audiostretchy_engine::OptionError;
use audiostretchy_media::decode::DecodeError;
use audiostretchy_media::encode::EncodeError;

/// Why a call failed; [`source()`](std::error::Error::source) leads to the layer where it did.
///
/// ```
/// use audiostretchy::{AudioStretch, Error, StretchOptions};
///
/// match AudioStretch::open("no such file.wav") {
///     Err(Error::NotFound { path, .. }) => assert!(path.ends_with("no such file.wav")),
///     other => panic!("{other:?}"),
/// }
/// let options = StretchOptions { ratio: 9.0, ..StretchOptions::default() };
/// let error = Error::from(options.validate().unwrap_err());
/// assert_eq!(error.to_string(), "ratio is 9: it must be from 0.25 to 4");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input is not there.
    #[error("{}: no such file", path.display())]
    NotFound {
        /// The input.
        path: PathBuf,
        /// What the system says.
        source: FileError,
    },
    /// The input is there and cannot be read.
    #[error("{input}: cannot be read")]
    Unreadable {
        /// The input.
        input: End,
        /// Why.
        source: FileError,
    },
    /// The input is no audio, or audio that there is no decoder for.
    #[error("{input}: not supported")]
    Unsupported {
        /// The input.
        input: End,
        /// Why.
        source: FileError,
    },
    /// The input is audio and too damaged: truncated, empty, or broken within.
    #[error("{input}: damaged")]
    Damaged {
        /// The input.
        input: End,
        /// Why.
        source: FileError,
    },
    /// A parameter is out of range or does not fit the audio; the error has its name, the value
    /// and the range.
    #[error(transparent)]
    InvalidParameter(#[from] OptionError),
    /// The output is the input, which would be lost.
    #[error("{}: is the input and would be overwritten; choose another output", path.display())]
    OutputIsInput {
        /// The file.
        path: PathBuf,
    },
    /// The audio cannot be resampled or encoded as asked.
    #[error("{input}: cannot be processed")]
    Processing {
        /// The input.
        input: End,
        /// Why.
        source: FileError,
    },
    /// The output cannot be written. Nothing of it is left.
    #[error("{output}: cannot be written")]
    Output {
        /// The output.
        output: End,
        /// Why.
        source: FileError,
    },
    /// The progress callback asked to stop. Nothing of the output is left.
    #[error("stopped before the end")]
    Cancelled,
}

/// Returns an error with all that caused it, in one line.
pub fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    for cause in std::iter::successors(error.source(), |&cause| cause.source()) {
        let cause = cause.to_string();
        // Some messages repeat what caused them.
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// Where audio comes from or goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// A file.
    File(PathBuf),
    /// A reader.
    Reader,
    /// A writer.
    Writer,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Reader => f.write_str("the input"),
            Self::Writer => f.write_str("the output"),
        }
    }
}

impl End {
    /// The input that bytes come from.
    pub(crate) fn of(input: &Input) -> Self {
        match input.path() {
            Some(path) => Self::File(path.to_owned()),
            None => Self::Reader,
        }
    }
}

impl Error {
    /// The error of a call that reads `input` and writes `output`.
    pub(crate) fn new(error: FileError, input: &End, output: &End) -> Self {
        let (input, output) = (input.clone(), output.clone());
        match error {
            FileError::Pipeline(PipelineError::Options(error)) => Self::InvalidParameter(error),
            FileError::Pipeline(PipelineError::Cancelled) => Self::Cancelled,
            FileError::Pipeline(PipelineError::Decode(error)) => Self::from_input(error, input),
            source @ FileError::Damaged(..) => Self::Damaged { input, source },
            source @ (FileError::Pipeline(PipelineError::Encode(EncodeError::Io(_)))
            | FileError::Output(_)
            | FileError::WrongLength { .. }
            | FileError::Unreadable(_)) => Self::Output { output, source },
            source => Self::Processing { input, source },
        }
    }

    /// The error of opening or decoding an input, for those who do that themselves.
    pub fn from_input(error: impl Into<DecodeError>, input: End) -> Self {
        let error = error.into();
        let is_missing =
            matches!(&error, DecodeError::Io(error) if error.kind() == io::ErrorKind::NotFound);
        let (is_unreadable, is_unsupported) = (error.is_unreadable(), error.is_unsupported());
        let source = FileError::from(PipelineError::from(error));
        match input {
            End::File(path) if is_missing => Self::NotFound { path, source },
            input if is_unreadable => Self::Unreadable { input, source },
            input if is_unsupported => Self::Unsupported { input, source },
            input => Self::Damaged { input, source },
        }
    }

    /// The error of reading from a reader.
    pub fn from_reader(error: io::Error) -> Self {
        Self::from_input(error, End::Reader)
    }

    /// The error of opening a file that is the input.
    pub(crate) fn of_path(error: InputError, path: &Path) -> Self {
        Self::from_input(error, End::File(path.to_owned()))
    }

    /// The error of writing an output.
    pub(crate) fn of_output(error: io::Error, output: End) -> Self {
        let source = FileError::Output(error);
        Self::Output { output, source }
    }
}
