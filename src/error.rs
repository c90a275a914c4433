//! Why a call of the library's uppermost floor failed.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::batch::FileError;
use crate::media::decode::DecodeError;
use crate::media::encode::EncodeError;
use crate::media::input::Input;
use crate::options::OptionError;
use crate::pipeline::PipelineError;

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
    pub fn from_input(error: DecodeError, input: End) -> Self {
        use DecodeError as E;
        let is_missing = matches!(&error, E::Io(error) if error.kind() == io::ErrorKind::NotFound);
        let make: fn(End, FileError) -> Self = match &error {
            E::Io(_) | E::NotAFile | E::ChangedWhileRead => {
                |input, source| Self::Unreadable { input, source }
            }
            E::Unrecognised(_)
            | E::NoAudioTrack
            | E::UnsupportedCodec(_)
            | E::Changed { .. }
            | E::Impossible { .. }
            | E::PacketTooLarge { .. }
            | E::TooManyFields { .. }
            | E::TooLong { .. } => |input, source| Self::Unsupported { input, source },
            E::Panic(_)
            | E::Damaged(_)
            | E::Truncated { .. }
            | E::TruncatedMp4 { .. }
            | E::NoMoov
            | E::CutShort { .. }
            | E::Empty => |input, source| Self::Damaged { input, source },
        };
        let source = FileError::from(PipelineError::from(error));
        match input {
            End::File(path) if is_missing => Self::NotFound { path, source },
            input => make(input, source),
        }
    }

    /// The error of reading from a reader.
    pub fn from_reader(error: io::Error) -> Self {
        Self::from_input(error.into(), End::Reader)
    }

    /// The error of opening a file that is the input.
    pub(crate) fn of_path(error: DecodeError, path: &Path) -> Self {
        Self::from_input(error, End::File(path.to_owned()))
    }

    /// The error of writing an output.
    pub(crate) fn of_output(error: io::Error, output: End) -> Self {
        let source = FileError::Output(error);
        Self::Output { output, source }
    }
}
