//! One run's hold on an output folder, and stretching single files into it.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::companions;
use super::events::Event;
use super::journal::{self, JournalWriter};
use super::output::{self, PendingOutput};
use super::plan::{Job, Plan, PlanError};
use super::run::{self, RunOptions, StopToken};
use crate::media::decode::{Damage, DecodeError, Decoder};
use crate::media::encode::EncodeError;
use crate::media::limits::Limits;
use crate::media::metadata::rescale;
use crate::pipeline::{Outcome, Pipeline, PipelineError};
use crate::report::Report;

/// Shortest time between two progress events of a file.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(50);

/// Why a file failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// Decoding, stretching or encoding failed.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The input is damaged, and that was to be a failure.
    #[error("the input is damaged: {}; run without --strict to fill it up with silence", damage(.0))]
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
                DecodeError::UnsupportedCodec(_) => "unsupported-codec",
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

/// A plan whose output folder is ours until this is dropped.
#[derive(Debug)]
pub struct Session {
    plan: Plan,
    /// Of a folder; a single file has none.
    journal: Option<JournalWriter>,
    /// The temporary files of outputs that are being written.
    unfinished: Mutex<HashSet<PathBuf>>,
}

impl Session {
    /// Creates the output folder if need be, keeps other runs out of it, and removes what killed
    /// runs have left.
    ///
    /// # Errors
    /// Where the folder cannot be written to or another run has it.
    pub fn start(plan: Plan) -> Result<Self, PlanError> {
        let mut journal = None;
        if let Some(folder) = &plan.folder {
            check_writable(folder)?;
            journal = Some(JournalWriter::open(folder).map_err(|source| {
                let path = folder.clone();
                match source.kind() {
                    std::io::ErrorKind::WouldBlock => PlanError::Locked { path },
                    _ => PlanError::OutputUnwritable { path, source },
                }
            })?);
            let outputs = plan.jobs.iter().map(|job| output::parent(&job.output));
            let folders: HashSet<&Path> = outputs.collect();
            folders.into_iter().for_each(output::remove_leftovers);
        } else {
            for job in &plan.jobs {
                check_writable(output::parent(&job.output))?;
            }
        }
        Ok(Self {
            plan,
            journal,
            unfinished: Mutex::default(),
        })
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Reads the headers of the files to be stretched and puts the longest first: see
    /// [`Plan::probe`].
    pub fn probe(&mut self) {
        self.plan.probe();
    }

    /// Removes the temporary files of outputs that are being written: for a program that is about
    /// to exit in the middle of a run.
    pub fn remove_unfinished(&self) {
        for path in lock(&self.unfinished).drain() {
            let _ = std::fs::remove_file(path);
        }
    }

    /// Carries out the plan and reports on every file in it; a bad file never stops the rest.
    ///
    /// `on_event` is called from the workers, of which there are `options.jobs`.
    pub fn run(
        &self,
        options: &RunOptions,
        stop: &StopToken,
        on_event: &(dyn Fn(Event<'_>) + Sync),
    ) -> Report {
        run::run_with(&self.plan, options, stop, on_event, &|index, job| {
            let started = Instant::now();
            let limits = Limits {
                max_duration: options.max_duration.unwrap_or(Limits::MAX_DURATION),
                deadline: options.timeout.and_then(|time| started.checked_add(time)),
            };
            let result = self.stretch_file(index, job, &limits, on_event);
            match (result, options.timeout) {
                // Whatever a decoder makes of it that nothing more can be read.
                (Err(FileError::Pipeline(_)), Some(timeout)) if started.elapsed() >= timeout => {
                    Err(FileError::Timeout(timeout))
                }
                (result, _) => result,
            }
        })
    }

    /// Stretches one file to a temporary one, checks that, and gives it its name.
    fn stretch_file(
        &self,
        index: usize,
        job: &Job,
        limits: &Limits,
        on_event: &(dyn Fn(Event<'_>) + Sync),
    ) -> Result<Outcome, FileError> {
        let plan = &self.plan;
        let (source, sidecars) = (job.input.metadata(), journal::sidecar_states(job));
        let start = match job.keeps_format {
            true => Pipeline::of_to_keep,
            false => Pipeline::of,
        };
        let decoder = Decoder::open_within(&job.input, limits).map_err(PipelineError::from)?;
        let pipeline = start(decoder, &plan.stretch, job.format, &plan.encoding)?
            .keeping(&job.input, plan.keep());
        let source = source
            .map_err(DecodeError::Io)
            .map_err(PipelineError::from)?;
        let rate = f64::from(pipeline.source().sample_rate);
        let pending = PendingOutput::create(&job.output).map_err(FileError::Output)?;
        let _noted = Unfinished::note(&self.unfinished, pending.path());
        let mut told = Instant::now();
        let outcome = pipeline.run(pending.file(), &mut |frames| {
            if told.elapsed() >= PROGRESS_INTERVAL {
                told = Instant::now();
                on_event(Event::FileProgress {
                    index,
                    seconds: frames as f64 / rate,
                });
            }
            match limits.deadline {
                Some(deadline) if Instant::now() >= deadline => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        });
        let mut outcome = outcome?;
        if plan.strict && outcome.damage != Damage::default() {
            return Err(FileError::Damaged(outcome.damage));
        }
        if let Some(metadata) = outcome.metadata.take() {
            let warnings = metadata.write(pending.file(), outcome.spec.format);
            let warnings = warnings.map_err(FileError::Output)?;
            outcome.warnings.extend(warnings);
        }
        check_length(
            pending.path(),
            outcome.encoded.frames,
            outcome.spec.sample_rate,
        )?;
        companions::write_sidecars(&mut outcome, &job.input, &job.output, job.replace)
            .map_err(FileError::Output)?;
        if let Some(path) = &plan.time_map {
            companions::write_time_map(&outcome, path).map_err(FileError::Output)?;
        }
        if plan.keep_mtime {
            let modified = source
                .modified()
                .and_then(|time| pending.file().set_modified(time));
            modified.map_err(FileError::Output)?;
        }
        pending.sync().map_err(FileError::Output)?;
        if let Some(journal) = &self.journal {
            let output = pending.file().metadata().map_err(FileError::Output)?;
            journal
                .record(job, &source, sidecars, &output)
                .map_err(FileError::Journal)?;
        }
        pending.commit(job.replace).map_err(FileError::Output)?;
        Ok(outcome)
    }
}

fn damage(damage: &Damage) -> String {
    match damage.lost_frames {
        0 => "its audio does not match its checksum".into(),
        1 => "1 frame is lost".into(),
        frames => format!("{frames} frames are lost"),
    }
}

/// Notes a temporary file for as long as it lives.
struct Unfinished<'a> {
    all: &'a Mutex<HashSet<PathBuf>>,
    path: PathBuf,
}

impl<'a> Unfinished<'a> {
    fn note(all: &'a Mutex<HashSet<PathBuf>>, path: &Path) -> Self {
        let path = path.to_owned();
        lock(all).insert(path.clone());
        Self { all, path }
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        lock(self.all).remove(&self.path);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn check_writable(folder: &Path) -> Result<(), PlanError> {
    output::check_writable(folder).map_err(|source| PlanError::OutputUnwritable {
        path: folder.to_owned(),
        source,
    })
}

/// Reads the header of a finished output back and compares its length in frames.
///
/// `rate` is the sample rate in Hz that the encoder was given: Opus is decoded at another.
fn check_length(path: &Path, expected: u64, rate: u32) -> Result<(), FileError> {
    let decoder = Decoder::open(path).map_err(FileError::Unreadable)?;
    let info = decoder.info();
    let expected = rescale(expected, rate.into(), info.sample_rate.into());
    match info.frames {
        Some(found) if found != expected => Err(FileError::WrongLength { found, expected }),
        _ => Ok(()),
    }
}
