//! One whole output file: audio, then tags, then a look at what was written.

use std::fs::File;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::media::decode::{Damage, DecodeError, Decoder, panic_message};
use crate::media::encode::{EncodeError, EncodeSpec, Encoded};
use crate::media::input::Input;
use crate::media::metadata::{Metadata, rescale};
use crate::pipeline::{Outcome, Pipeline, PipelineError};
use crate::warning::Warning;

/// Why a file failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// Decoding, stretching or encoding failed.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The input is damaged, and that was to be a failure.
    #[error("the input is damaged: {}; run without --strict to make the best of it", damage(.0))]
    Damaged(Damage),
    /// The output could not be created or given its name.
    #[error("cannot write the output")]
    Output(#[source] std::io::Error),
    /// The finished output does not hold what was written to it.
    #[error("the output holds {found} frames where {expected} were written; it was removed")]
    WrongLength {
        /// Frames found in the output.
        found: u64,
        /// Frames written.
        expected: u64,
    },
    /// The finished output cannot be read back.
    #[error("the output cannot be read back; it was removed")]
    Unreadable(#[source] DecodeError),
    /// The file took longer than allowed.
    #[error("took longer than {:.1} s and was given up; allow more with --timeout", .0.as_secs_f64())]
    Timeout(Duration),
    /// The journal could not be written, so that the output would be unknown to later runs.
    #[error("cannot write the journal of the output folder")]
    Journal(#[source] std::io::Error),
    /// Something panicked.
    #[error("internal error: {0}; please report it with the file")]
    Panic(String),
}

impl FileError {
    /// A stable code, in kebab case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Pipeline(PipelineError::Decode(error)) => match error {
                DecodeError::Io(_) => "unreadable",
                DecodeError::NotAFile => "not-a-file",
                DecodeError::Unrecognised(_) => "not-audio",
                DecodeError::NoAudioTrack => "no-audio-track",
                DecodeError::UnsupportedCodec(_) | DecodeError::UnsupportedFormat(_) => {
                    "unsupported-codec"
                }
                DecodeError::Damaged(_) => "damaged",
                DecodeError::Truncated { .. } | DecodeError::CutShort { .. } => "truncated",
                DecodeError::Empty => "empty",
                DecodeError::Changed { .. } => "format-changes",
                DecodeError::Impossible { .. }
                | DecodeError::PacketTooLarge { .. }
                | DecodeError::TooManyFields { .. } => "over-limit",
                DecodeError::TooLong { .. } => "too-long",
                DecodeError::Panic(_) => "panic",
            },
            Self::Pipeline(PipelineError::Options(_)) => "invalid-parameter",
            Self::Pipeline(PipelineError::Resample(_)) => "resample",
            Self::Pipeline(PipelineError::Encode(EncodeError::Io(_))) | Self::Output(_) => "output",
            Self::Pipeline(PipelineError::Encode(_)) => "encoder",
            Self::Pipeline(PipelineError::LosslessToLossy { .. }) => "lossless-to-lossy",
            Self::Pipeline(PipelineError::Cancelled) => "cancelled",
            Self::Damaged(_) => "damaged",
            Self::WrongLength { .. } | Self::Unreadable(_) => "verification",
            Self::Timeout(_) => "timeout",
            Self::Journal(_) => "journal",
            Self::Panic(_) => "panic",
        }
    }
}

/// Does something that may fail; a panic is an error like others.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, FileError>) -> Result<T, FileError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(FileError::Panic(panic_message(panic.as_ref()))))
}

/// Runs a pipeline into an empty file, puts the tags in and checks the result.
///
/// `strict` makes damaged inputs fail; `progress` is that of [`Pipeline::run`].
///
/// # Errors
/// Where the pipeline fails, or the file cannot be written or read back.
pub fn stretch(
    pipeline: Pipeline,
    file: &File,
    strict: bool,
    progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<Outcome, FileError> {
    let mut outcome = pipeline.run(file, progress)?;
    if strict && outcome.damage != Damage::default() {
        return Err(FileError::Damaged(outcome.damage));
    }
    let metadata = outcome.metadata.take();
    let warnings = complete(file, metadata.as_ref(), &outcome.spec, &outcome.encoded)?;
    outcome.warnings.extend(warnings);
    Ok(outcome)
}

/// Puts the tags into an encoded file, and reads its header back to compare its length.
///
/// # Errors
/// Where the file cannot be written or read back, or has not the length that was written.
pub fn complete(
    file: &File,
    metadata: Option<&Metadata>,
    spec: &EncodeSpec,
    encoded: &Encoded,
) -> Result<Vec<Warning>, FileError> {
    let warnings = match metadata {
        Some(metadata) => metadata.write(file, spec.format),
        None => Ok(Vec::new()),
    };
    let warnings = warnings.map_err(FileError::Output)?;
    let written = file.try_clone().and_then(Input::from_reader);
    let written = Decoder::from_input(&written.map_err(FileError::Output)?);
    let written = written.map_err(FileError::Unreadable)?;
    let info = written.info();
    // Opus is decoded at another rate than it was given.
    let expected = rescale(
        encoded.frames,
        spec.sample_rate.into(),
        info.sample_rate.into(),
    );
    match info.frames {
        Some(found) if found != expected => Err(FileError::WrongLength { found, expected }),
        _ => Ok(warnings),
    }
}

fn damage(damage: &Damage) -> String {
    match damage.lost_frames {
        1 => "1 frame is lost".into(),
        2.. => format!("{} frames are lost", damage.lost_frames),
        0 if damage.checksum_mismatch => "its audio does not match its checksum".into(),
        0 if damage.cut_short => "it breaks off".into(),
        0 => "its sample rate or channels change".into(),
    }
}
