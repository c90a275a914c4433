//! One run's hold on an output folder, and stretching single files into it.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::companions;
use super::events::Event;
use super::file::{self, FileError};
use super::journal::{self, JournalWriter};
use super::output::{self, PendingOutput};
use super::plan::{Job, Plan, PlanError};
use super::run::{self, RunOptions, StopToken};
use crate::media::decode::{DecodeError, Decoder};
use crate::media::input::Input;
use crate::media::limits::Limits;
use crate::pipeline::{Outcome, Pipeline, PipelineError};
use crate::report::Report;

/// Shortest time between two progress events of a file.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(50);

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
            let result = self.stretch_file(index, job, &limits, stop, on_event);
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
        stop: &StopToken,
        on_event: &(dyn Fn(Event<'_>) + Sync),
    ) -> Result<Outcome, FileError> {
        let plan = &self.plan;
        let (source, sidecars) = (job.input.metadata(), journal::sidecar_states(job));
        let start = match job.keeps_format {
            true => Pipeline::of_to_keep,
            false => Pipeline::of,
        };
        let input = Input::open(&job.input).map_err(PipelineError::from)?;
        let decoder = Decoder::from_input_within(&input, limits).map_err(PipelineError::from)?;
        let pipeline =
            start(&input, decoder, &plan.stretch, job.format, &plan.encoding)?.keeping(plan.keep());
        let source = source
            .map_err(DecodeError::Io)
            .map_err(PipelineError::from)?;
        let rate = f64::from(pipeline.source().sample_rate);
        if let Some(root) = &plan.folder {
            let folder = output::parent(&job.output);
            output::create_folder_below(root, folder).map_err(FileError::Output)?;
        }
        let pending =
            PendingOutput::create(&job.output, Some(&source)).map_err(FileError::Output)?;
        let _noted = Unfinished::note(&self.unfinished, pending.path());
        let mut told = Instant::now();
        let outcome = file::stretch(pipeline, pending.file(), plan.strict, &mut |frames| {
            if told.elapsed() >= PROGRESS_INTERVAL {
                told = Instant::now();
                on_event(Event::FileProgress {
                    index,
                    seconds: frames as f64 / rate,
                });
            }
            match limits.deadline {
                Some(deadline) if Instant::now() >= deadline => ControlFlow::Break(()),
                _ if stop.is_aborted() => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        });
        let mut outcome = outcome?;
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
        // Not before the journal knows that they are ours, and not after the output: a run that is
        // killed in between would leave those that it wrote, or those still missing, for good.
        let replace = job.replace || job.is_known;
        companions::write_sidecars(&mut outcome, &job.input, &job.output, replace)
            .map_err(FileError::Output)?;
        pending.commit(job.replace).map_err(FileError::Output)?;
        Ok(outcome)
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
