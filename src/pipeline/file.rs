//! One whole output file: audio, then tags, then a look at what was written.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Duration;

use audiostretchy_containers::figures;
use audiostretchy_containers::input::{Input, is_out_of_room};
use audiostretchy_containers::warning::Warning;
use audiostretchy_media::decode::{Damage, DecodeError, Decoder, panic_message};
use audiostretchy_media::encode::{EncodeError, EncodeSpec, Encoded};
use audiostretchy_tags::{Metadata, rescale};

use super::{Outcome, Pipeline, PipelineError};
use crate::progress::Progress;

/// Why a file failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// Decoding, stretching or encoding failed.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The input, whose sample rate (in Hz) is given, is damaged, and that was to be a failure.
    #[error("the input is damaged: {}; run without --strict to make the best of it", damage(.0, *.1))]
    Damaged(Damage, u32),
    /// The output could not be created or given its name.
    #[error("cannot write the output")]
    Output(#[source] std::io::Error),
    /// Another file has come to the output's place since the plan was made; it was kept.
    #[error(
        "{}: a file has come there, or was changed, during the run, and was kept; move it away, or \
         replace it with --if-exists overwrite",
        .0.display()
    )]
    OutputTaken(PathBuf),
    /// The output is not as an earlier run has left it, and would have to be made again.
    #[error(
        "{} was changed since it was made, and was kept; move it away, or replace it with \
         --if-exists overwrite",
        .0.display()
    )]
    OutputChanged(PathBuf),
    /// The output folder, or the journal in it, is no longer the one that the run began with.
    #[error(
        "{}: the output folder was removed, moved or replaced during the run; put it back, or start \
         again",
        .0.display()
    )]
    FolderLost(PathBuf),
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
    #[error("took longer than {} and was given up; allow more with --timeout", figures::duration(.0.as_secs_f64()))]
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
            Self::Pipeline(PipelineError::Decode(error)) => error.code(),
            Self::Pipeline(PipelineError::Options(_)) => "invalid-parameter",
            Self::Pipeline(PipelineError::Resample(_)) => "resample",
            Self::Pipeline(PipelineError::Encode(EncodeError::Io(_))) | Self::Output(_) => "output",
            Self::Pipeline(PipelineError::Encode(_)) => "encoder",
            Self::Pipeline(PipelineError::LosslessToLossy { .. }) => "lossless-to-lossy",
            Self::Pipeline(PipelineError::EmptyChapter(_)) => "empty-chapter",
            Self::Pipeline(PipelineError::Cancelled) => "cancelled",
            Self::Damaged(..) => "damaged",
            Self::OutputTaken(_) => "output-exists",
            Self::OutputChanged(_) => "output-changed",
            Self::FolderLost(_) => "output-folder-lost",
            Self::WrongLength { .. } | Self::Unreadable(_) => "verification",
            Self::Timeout(_) => "timeout",
            Self::Journal(_) => "journal",
            Self::Panic(_) => "panic",
        }
    }
}

impl FileError {
    /// Returns whether no more files could be opened, or threads started, at that moment.
    pub(crate) fn is_out_of_room(&self) -> bool {
        let first: Option<&(dyn std::error::Error + 'static)> = Some(self);
        std::iter::successors(first, |&error| error.source())
            .filter_map(|error| error.downcast_ref::<std::io::Error>())
            .any(is_out_of_room)
    }
}

/// Does something that may fail; a panic is an error like others.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, FileError>) -> Result<T, FileError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(FileError::Panic(panic_message(panic.as_ref()))))
}

/// Copies all of a finished temporary file.
///
/// # Errors
/// Returns an error if reading or writing fails.
pub(crate) fn copy(file: &mut File, output: &mut impl Write) -> io::Result<()> {
    file.rewind()?;
    io::copy(file, output)?;
    output.flush()
}

/// Runs a pipeline into an empty file for each output, puts the tags in and checks the results.
///
/// `strict` makes damaged inputs fail; `progress` is that of [`Pipeline::run`].
///
/// # Errors
/// Returns an error if the pipeline fails, or the file cannot be written or read back.
pub(crate) fn stretch(
    pipeline: Pipeline,
    files: &[&File],
    strict: bool,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Outcome, FileError> {
    let mut outcome = pipeline.run(files.to_vec(), progress)?;
    if strict && outcome.damage != Damage::default() {
        let rate = outcome.source.sample_rate;
        return Err(FileError::Damaged(outcome.damage, rate));
    }
    let metadata = std::mem::take(&mut outcome.metadata);
    for (number, file) in files.iter().enumerate() {
        let part = outcome.parts.get(number).map(|(_, encoded)| encoded);
        let encoded = part.unwrap_or(&outcome.encoded);
        let warnings = complete(file, metadata.get(number), &outcome.spec, encoded)?;
        // What cannot be written into one output cannot be written into the others either.
        if number == 0 {
            outcome.warnings.extend(warnings);
        }
    }
    Ok(outcome)
}

/// Puts the tags into an encoded file, and reads its header back to compare its length.
///
/// # Errors
/// Returns an error if the file cannot be written or read back, or has not the length that was
/// written.
pub(crate) fn complete(
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

fn damage(damage: &Damage, sample_rate: u32) -> String {
    let seconds = |frames| figures::duration(frames as f64 / f64::from(sample_rate));
    let (lost, miscounted) = (damage.lost_frames, damage.miscounted_frames);
    let parts = [
        (lost > 0).then(|| format!("{} of its audio is lost", seconds(lost))),
        (damage.checksum_mismatch).then(|| "its audio does not match its checksum".into()),
        (miscounted > 0).then(|| {
            format!(
                "its header promises {} more than there is",
                seconds(miscounted)
            )
        }),
        damage.cut_short.then(|| "it breaks off".into()),
        (damage.format_changes > 0).then(|| "its sample rate or channels change".into()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(", and ")
}
