//! Carrying out a plan on a pool of workers.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use rayon::ThreadPool;

use super::events::Event;
use super::job::{Action, Job};
use super::plan::Plan;
use super::slots::Slots;
use super::workers;
use crate::pipeline::file::{self, FileError};
use crate::pipeline::helpers::Helpers;
use crate::pipeline::{Outcome, PipelineError};
use crate::report::{self, ErrorReport, FileReport, Report, SettingsReport, Status};
use audiostretchy_containers::warning::Warning;

/// How a plan is carried out.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// Files worked on at a time; 0 for one a processor.
    pub jobs: usize,
    /// Failures after which no further file is taken up.
    pub max_failures: Option<usize>,
    /// The longest time spent on one file.
    pub timeout: Option<Duration>,
    /// The longest audio of one file; `None` for [`Limits::MAX_DURATION`](crate::Limits::MAX_DURATION).
    pub max_duration: Option<Duration>,
    /// Collect what a page draws of each file, for the report.
    pub pictures: bool,
    /// The settings and their sources, for the report.
    pub settings: SettingsReport,
}

/// Asks a run to end before its time.
#[derive(Debug, Clone, Default)]
pub struct StopToken(Arc<AtomicU8>);

const STOPPED: u8 = 1;
const ABORTED: u8 = 2;

impl StopToken {
    /// A token that nobody has used yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks all runs that were given this token to finish the files at work and take up no other.
    pub fn stop(&self) {
        self.0.fetch_max(STOPPED, Ordering::Relaxed);
    }

    /// Asks them to give up the files at work too, of which nothing is left then.
    pub fn abort(&self) {
        self.0.fetch_max(ABORTED, Ordering::Relaxed);
    }

    /// Returns whether somebody has asked for either.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= STOPPED
    }

    /// Returns whether the files at work are to be given up.
    pub fn is_aborted(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= ABORTED
    }
}

/// What a run does with files.
pub(super) trait Work: Sync {
    /// Stretches the file of a job, whose place in the plan is given.
    ///
    /// `helpers` may take parts of it.
    fn stretch(
        &self,
        index: usize,
        job: &Job,
        helpers: &Arc<Helpers>,
    ) -> Result<Outcome, FileError>;

    /// What is to be said of a file that is left as it is.
    fn warnings(&self, job: &Job) -> Vec<Warning>;

    /// Why no further file can be taken up, if that is so.
    fn reason_to_end(&self) -> Option<&'static str>;
}

pub(super) fn run_with(
    plan: &Plan,
    options: &RunOptions,
    stop: &StopToken,
    on_event: &(dyn Fn(Event<'_>) + Sync),
    work: &dyn Work,
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
    let mut files = Vec::with_capacity(plan.unreadable.len() + plan.jobs.len());
    files.extend(unreadable);
    let files = Mutex::new(files);
    let next = AtomicUsize::new(0);
    let failures = AtomicUsize::new(0);
    let reason_to_end = || {
        let most = options.max_failures.unwrap_or(usize::MAX);
        if stop.is_stopped() {
            Some("the run was interrupted")
        } else if failures.load(Ordering::Relaxed) >= most {
            Some("too many files failed")
        } else {
            work.reason_to_end()
        }
    };
    let pool = workers::pool(workers::workers(options.jobs, plan.jobs.len()));
    let threads = pool.as_ref().map_or(1, ThreadPool::current_num_threads);
    let shared = Shared {
        stop,
        on_event,
        work,
        slots: Slots::default(),
        helpers: Arc::new(Helpers::new(threads)),
        clock,
    };
    // Every worker takes the next file of the plan, so that the order (longest first) holds.
    let take_files = || {
        while let Some(index) = shared.slots.take(&next, plan.jobs.len()) {
            let job = &plan.jobs[index];
            let report = run_job(index, job, reason_to_end(), &shared).part_of(job);
            shared.slots.release();
            if report.status == Status::Failed {
                failures.fetch_add(1, Ordering::Relaxed);
            }
            files.lock().expect("no worker panics here").push(report);
        }
        shared.helpers.serve();
    };
    match pool {
        Some(pool) => _ = pool.broadcast(|_| take_files()),
        None => take_files(),
    }
    let files = files.into_inner().expect("no worker panics here");
    let mut report = Report::new(started, clock.elapsed(), options.settings.clone(), files);
    report.partition = plan.partition;
    if stop.is_stopped() {
        report = report.interrupted();
    }
    on_event(Event::RunFinished { report: &report });
    report
}

/// What all jobs of a run share.
struct Shared<'a> {
    stop: &'a StopToken,
    on_event: &'a (dyn Fn(Event<'_>) + Sync),
    work: &'a dyn Work,
    slots: Slots,
    helpers: Arc<Helpers>,
    /// When the run began.
    clock: Instant,
}

fn run_job(
    index: usize,
    job: &Job,
    reason_not_to: Option<&'static str>,
    shared: &Shared<'_>,
) -> FileReport {
    let Shared {
        stop,
        on_event,
        work,
        slots,
        helpers,
        clock: run_clock,
    } = shared;
    let (input, output) = (job.input.as_path(), job.output.as_path());
    match (job.action, reason_not_to) {
        (Action::SkipExisting, _) => {
            return FileReport::skipped(input, output, report::OUTPUT_EXISTS);
        }
        (Action::SkipUpToDate, _) => {
            return FileReport::skipped(input, output, report::UP_TO_DATE);
        }
        (Action::SkipDone, _) => {
            return FileReport::skipped(input, output, report::DONE_BEFORE);
        }
        (Action::SkipChanged, _) => {
            return FileReport {
                warnings: work.warnings(job).into_iter().map(Into::into).collect(),
                ..FileReport::skipped(input, output, report::UP_TO_DATE)
            };
        }
        (_, Some(reason)) => return FileReport::not_run(input, output, reason),
        (Action::Refuse, None) => {
            let error = FileError::OutputChanged(output.to_owned());
            return failed(job, &error, Duration::ZERO);
        }
        (Action::Stretch(_), None) => {}
    }
    on_event(Event::FileStarted { index, job });
    let clock = Instant::now();
    let started_seconds = run_clock.elapsed().as_secs_f64();
    let result = loop {
        let given_up = slots.given_up();
        let result = file::guarded(|| work.stretch(index, job, helpers));
        // Others at work hold what this one needs; it is taken up again with fewer beside it.
        if !(result.as_ref()).is_err_and(FileError::is_out_of_room)
            || !slots.retry_with_fewer(given_up)
        {
            break result;
        }
    };
    let report = match result {
        Ok(mut outcome) => {
            outcome.warnings.splice(0..0, job.warnings.iter().cloned());
            let written = std::mem::take(&mut outcome.parts);
            let rate = outcome.spec.sample_rate;
            let report = FileReport::done(input, output, outcome, clock.elapsed());
            match job.is_split() {
                false => report,
                true => {
                    let chapters = job.parts.iter().zip(written);
                    let chapters =
                        chapters.map(|(part, written)| (&*part.output, &*part.part.title, written));
                    report.with_chapters(chapters, rate)
                }
            }
        }
        Err(FileError::Pipeline(PipelineError::Cancelled)) if stop.is_aborted() => FileReport {
            elapsed_seconds: clock.elapsed().as_secs_f64(),
            ..FileReport::not_run(input, output, report::GIVEN_UP)
        },
        Err(error) => failed(job, &error, clock.elapsed()),
    };
    let report = FileReport {
        started_seconds: Some(started_seconds),
        worker: Some(rayon::current_thread_index().unwrap_or(0)),
        ..report.part_of(job)
    };
    on_event(Event::FileFinished {
        index,
        report: &report,
    });
    report
}

fn failed(job: &Job, error: &FileError, elapsed: Duration) -> FileReport {
    let report = ErrorReport::new(error.code(), error);
    FileReport::failed(&job.input, Some(&job.output), report, elapsed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::request::PlanRequest;

    struct Cheese;

    impl Work for Cheese {
        fn stretch(&self, _: usize, job: &Job, _: &Arc<Helpers>) -> Result<Outcome, FileError> {
            if job.input.ends_with("b.wav") {
                panic!("out of cheese");
            }
            Err(PipelineError::Cancelled.into())
        }

        fn warnings(&self, _: &Job) -> Vec<Warning> {
            Vec::new()
        }

        fn reason_to_end(&self) -> Option<&'static str> {
            None
        }
    }

    #[test]
    fn a_panic_in_one_file_is_that_files_failure() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.wav", "b.wav", "c.wav"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let output = folder.path().join("out");
        let plan = PlanRequest::new(vec![folder.path().to_owned()], output)
            .plan()
            .unwrap();
        let options = RunOptions {
            jobs: 2,
            ..RunOptions::default()
        };
        let report = run_with(&plan, &options, &StopToken::new(), &|_| {}, &Cheese);
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
