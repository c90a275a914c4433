//! Carrying out a plan on a pool of workers.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::events::Event;
use super::output::PendingOutput;
use super::plan::{Action, Job, Plan};
use crate::media::decode::{DecodeError, Decoder};
use crate::media::encode::EncodeError;
use crate::pipeline::{Outcome, Pipeline, PipelineError};
use crate::report::{ErrorReport, FileReport, Report, SettingsReport};

/// Name of the worker threads, with a number behind it.
pub const WORKER_THREAD_NAME: &str = "audiostretchy-worker-";

/// Shortest time between two progress events of a file.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(50);

/// How a plan is carried out.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Files worked on at a time; 0 for one a processor.
    pub jobs: usize,
    /// The settings and their sources, for the report.
    pub settings: SettingsReport,
}

/// Why a file failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// Decoding, stretching or encoding failed.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
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
                DecodeError::Truncated { .. } => "truncated",
                DecodeError::Empty => "empty",
                DecodeError::Changed { .. } => "format-changes",
            },
            Self::Pipeline(PipelineError::Options(_)) => "invalid-parameter",
            Self::Pipeline(PipelineError::Resample(_)) => "resample",
            Self::Pipeline(PipelineError::Encode(EncodeError::Io(_))) | Self::Output(_) => "output",
            Self::Pipeline(PipelineError::Encode(_)) => "encoder",
            Self::Pipeline(PipelineError::Cancelled) => "cancelled",
            Self::WrongLength { .. } | Self::Unreadable(_) => "verification",
            Self::Panic(_) => "panic",
        }
    }
}

/// Carries out a plan and reports on every file in it; a bad file never stops the rest.
///
/// `on_event` is called from the workers, of which there are `options.jobs`.
pub fn run(plan: &Plan, options: &RunOptions, on_event: &(dyn Fn(Event<'_>) + Sync)) -> Report {
    run_with(plan, options, on_event, &|index, job| {
        stretch_file(plan, index, job, on_event)
    })
}

type StretchFile<'a> = dyn Fn(usize, &Job) -> Result<Outcome, FileError> + Sync + 'a;

fn run_with(
    plan: &Plan,
    options: &RunOptions,
    on_event: &(dyn Fn(Event<'_>) + Sync),
    stretch: &StretchFile<'_>,
) -> Report {
    let (started, clock) = (SystemTime::now(), Instant::now());
    on_event(Event::RunStarted {
        files: plan.to_stretch().count(),
        audio_seconds: plan.to_stretch().map(Job::seconds).sum(),
    });
    let unreadable = plan.unreadable.iter().map(|unreadable| {
        let error = ErrorReport::new("unreadable", &unreadable.source);
        FileReport::failed(&unreadable.path, None, error, Duration::ZERO)
    });
    let files = Mutex::new(unreadable.collect::<Vec<_>>());
    let next = AtomicUsize::new(0);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.jobs)
        .thread_name(|index| format!("{WORKER_THREAD_NAME}{index}"))
        .build()
        .expect("threads can be started");
    // Every worker takes the next file of the plan, so that the order (longest first) holds.
    pool.broadcast(|_| {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = plan.jobs.get(index) else {
                break;
            };
            let report = run_job(index, job, on_event, stretch);
            files.lock().expect("no worker panics here").push(report);
        }
    });
    let files = files.into_inner().expect("no worker panics here");
    let report = Report::new(started, clock.elapsed(), options.settings.clone(), files);
    on_event(Event::RunFinished { report: &report });
    report
}

fn run_job(
    index: usize,
    job: &Job,
    on_event: &(dyn Fn(Event<'_>) + Sync),
    stretch: &StretchFile<'_>,
) -> FileReport {
    let (input, output) = (job.input.as_path(), job.output.as_path());
    if job.action == Action::SkipExisting {
        return FileReport::skipped(input, output, "the output exists");
    }
    on_event(Event::FileStarted { index, job });
    let clock = Instant::now();
    let result = catch_unwind(AssertUnwindSafe(|| stretch(index, job)))
        .unwrap_or_else(|panic| Err(FileError::Panic(panic_message(panic.as_ref()))));
    let report = match result {
        Ok(outcome) => FileReport::done(input, output, outcome, clock.elapsed()),
        Err(error) => {
            let report = ErrorReport::new(error.code(), &error);
            FileReport::failed(input, Some(output), report, clock.elapsed())
        }
    };
    on_event(Event::FileFinished {
        index,
        report: &report,
    });
    report
}

/// Stretches one file to a temporary one, checks that, and gives it its name.
fn stretch_file(
    plan: &Plan,
    index: usize,
    job: &Job,
    on_event: &(dyn Fn(Event<'_>) + Sync),
) -> Result<Outcome, FileError> {
    let pipeline = Pipeline::open(&job.input, &plan.stretch, job.format, &plan.encoding)?;
    let rate = f64::from(pipeline.source().sample_rate);
    let pending = PendingOutput::create(&job.output).map_err(FileError::Output)?;
    let mut told = Instant::now();
    let outcome = pipeline.run(pending.file(), &mut |frames| {
        if told.elapsed() >= PROGRESS_INTERVAL {
            told = Instant::now();
            on_event(Event::FileProgress {
                index,
                seconds: frames as f64 / rate,
            });
        }
        ControlFlow::Continue(())
    })?;
    check_length(pending.path(), outcome.encoded.frames)?;
    pending.commit(plan.replace).map_err(FileError::Output)?;
    Ok(outcome)
}

/// Reads the header of a finished output back and compares its length in frames.
fn check_length(path: &Path, expected: u64) -> Result<(), FileError> {
    let decoder = Decoder::open(path).map_err(FileError::Unreadable)?;
    match decoder.info().frames {
        Some(found) if found != expected => Err(FileError::WrongLength { found, expected }),
        _ => Ok(()),
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::plan::{IfExists, PlanRequest};
    use crate::{OutputOptions, StretchOptions};

    #[test]
    fn a_panic_in_one_file_is_that_files_failure() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.wav", "b.wav", "c.wav"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let request = PlanRequest {
            inputs: vec![folder.path().to_owned()],
            output: folder.path().join("out"),
            stretch: StretchOptions::default(),
            encoding: OutputOptions::default(),
            if_exists: IfExists::Error,
            only: None,
        };
        let options = RunOptions {
            jobs: 2,
            settings: SettingsReport::default(),
        };
        let plan = request.plan().unwrap();
        let report = run_with(&plan, &options, &|_| {}, &|_, job| {
            if job.input.ends_with("b.wav") {
                panic!("out of cheese");
            }
            Err(PipelineError::Cancelled.into())
        });
        let codes = report
            .failures()
            .map(|file| file.error.as_ref().unwrap().code.clone());
        assert_eq!(
            codes.collect::<Vec<_>>(),
            ["cancelled", "panic", "cancelled"]
        );
        let panicked = report.files[1].error.as_ref().unwrap();
        assert!(panicked.message.contains("out of cheese"));
    }
}
