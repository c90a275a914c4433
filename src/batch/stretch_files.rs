//! Carrying out the plan of a session: stretching its files into the output folders.

use std::fs::{File, Metadata};
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::events::Event;
use super::job::{Action, Job};
use super::output_folder::Folder;
use super::record::{self, Sources};
use super::run::{self, RunOptions, StopToken, Work};
use super::session::{Session, Unfinished, lock};
use super::{prune, sidecars, up_to_date};
use crate::pipeline::atomic_file::{PendingOutput, Replace};
use crate::pipeline::file::{self, FileError};
use crate::pipeline::helpers::Helpers;
use crate::pipeline::paths;
use crate::pipeline::{Outcome, PipelineError};
use crate::report::{Report, RunOutcome};
use audiostretchy_containers::input::Input;
use audiostretchy_containers::limits::Limits;
use audiostretchy_containers::warning::Warning;
use audiostretchy_media::decode::DecodeError;

/// Shortest time between two progress events of a file.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(50);

impl Session {
    /// Carries out the plan and reports on every file in it; a bad file never stops the rest.
    ///
    /// `on_event` is called from the workers, of which there are `options.jobs`, or as many as the
    /// system lets us start, but by one of them at a time.
    pub fn run(
        &self,
        options: &RunOptions,
        stop: &StopToken,
        on_event: impl FnMut(Event<'_>) + Send,
    ) -> Report {
        let on_event = Mutex::new(on_event);
        let on_event = |event: Event<'_>| lock(&on_event)(event);
        let worker = Worker {
            session: self,
            options,
            stop,
            on_event: &on_event,
        };
        let mut report = run::run_with(&self.plan, options, stop, &on_event, &worker);
        let warnings = self.plan.warnings.iter().cloned();
        report.warnings = warnings.map(Into::into).collect();
        if self.has_lost_folder() {
            report = report.output_lost();
        }
        if report.outcome == RunOutcome::Success {
            self.prune(&mut report);
        } else if !self.plan.to_prune.is_empty() {
            let put_off = prune::put_off(self.plan.to_prune.len());
            report.warnings.push(put_off.into());
        }
        report
    }

    /// Removes what the plan lists for that, as far as it is still so.
    fn prune(&self, report: &mut Report) {
        if self.plan.to_prune.is_empty() {
            return;
        }
        for (number, folder) in self.folders.iter().enumerate() {
            if folder.check().is_err() {
                continue;
            }
            let still = prune::find(&folder.known, &self.plan, number);
            for path in still
                .iter()
                .filter(|path| self.plan.to_prune.contains(path))
            {
                match prune::remove(&folder.path, path) {
                    Ok(()) => report.pruned.push(path.into()),
                    Err(error) => {
                        let warning = prune::not_removed(path, &error);
                        report.warnings.push(warning.into());
                    }
                }
            }
        }
    }
}

/// Stretches files in a run.
struct Worker<'a> {
    session: &'a Session,
    options: &'a RunOptions,
    stop: &'a StopToken,
    on_event: &'a (dyn Fn(Event<'_>) + Sync),
}

impl Work for Worker<'_> {
    fn stretch(
        &self,
        index: usize,
        job: &Job,
        helpers: &Arc<Helpers>,
    ) -> Result<Outcome, FileError> {
        let started = Instant::now();
        let timeout = self.options.timeout;
        let limits = Limits {
            max_duration: self.options.max_duration.unwrap_or(Limits::MAX_DURATION),
            deadline: timeout.and_then(|time| started.checked_add(time)),
            ..Limits::default()
        };
        match (self.stretch_file(index, job, &limits, helpers), timeout) {
            // Whatever a decoder makes of it that nothing more can be read.
            (Err(FileError::Pipeline(_)), Some(timeout)) if started.elapsed() >= timeout => {
                Err(FileError::Timeout(timeout))
            }
            (result, _) => result,
        }
    }

    fn warnings(&self, job: &Job) -> Vec<Warning> {
        match (self.session.folder_of(job), job.action) {
            (Some(folder), Action::SkipChanged) => {
                let changed = up_to_date::changed_outputs(job, &folder.known);
                changed.map(output_changed).collect()
            }
            _ => Vec::new(),
        }
    }

    fn reason_to_end(&self) -> Option<&'static str> {
        let is_lost = self.session.has_lost_folder();
        is_lost.then_some("the output folder was removed, moved or replaced")
    }
}

impl Worker<'_> {
    /// Stretches one file to a temporary one, checks that, and gives it its name.
    fn stretch_file(
        &self,
        index: usize,
        job: &Job,
        limits: &Limits,
        helpers: &Arc<Helpers>,
    ) -> Result<Outcome, FileError> {
        let folder = self.session.folder_of(job);
        if let Some(folder) = folder {
            folder.check()?;
        }
        let mut sources = Sources::of(job);
        let input = Input::open(&job.input).map_err(PipelineError::from)?;
        let result = self
            .stretch_input(index, job, &input, limits, helpers)
            .and_then(|written| {
                let hashed = sources.add_content(job, &input);
                hashed
                    .map_err(DecodeError::Io)
                    .map_err(PipelineError::from)?;
                Ok(written)
            });
        // Whatever else is wrong then.
        if input.is_changed() {
            return Err(PipelineError::from(DecodeError::ChangedWhileRead).into());
        }
        let Written {
            mut outcome,
            pending,
            _noted,
        } = result?;
        let failed = FileError::Output;
        if let Some(folder) = folder {
            folder.check()?;
        }
        let (sidecars, texts) = sidecars::write_pending(&mut outcome, job).map_err(failed)?;
        let time_map = self.session.plan.request_of(job).time_map.as_ref();
        let time_map = time_map.map(|path| sidecars::pending_time_map(&outcome, path));
        let time_map = time_map.transpose().map_err(failed)?;
        let journal = folder.and_then(Folder::journal);
        let mut entries = Vec::new();
        if let Some(journal) = journal {
            let entry = sources.into_entry(journal, job, &input, &pending[0], &texts);
            entries.push(entry.map_err(failed)?);
            for (output, pending) in job.outputs().zip(&pending).skip(1) {
                let entry = record::entry(journal, job, output, pending);
                entries.push(entry.map_err(failed)?);
            }
            for sidecar in &sidecars {
                let entry = record::entry(journal, job, &sidecar.output, &sidecar.pending);
                entries.push(entry.map_err(failed)?);
            }
            journal.intend(&entries).map_err(FileError::Journal)?;
        }
        if let Some(folder) = folder {
            folder.check()?;
        }
        let mut is_made = vec![true; pending.len()];
        for (number, (output, pending)) in job.outputs().zip(pending).enumerate() {
            let replace = match number {
                0 => job.replace,
                _ => job.parts[number].replace,
            };
            let warning = pending
                .commit(replace)
                .map_err(|error| match error.kind() {
                    ErrorKind::AlreadyExists => FileError::OutputTaken(output.clone()),
                    _ => FileError::Output(error),
                })?;
            outcome.warnings.extend(warning);
        }
        if let Some(time_map) = time_map {
            time_map.commit(Replace::Always).map_err(failed)?;
        }
        let written: Vec<PathBuf> = (sidecars.iter())
            .map(|sidecar| sidecar.output.clone())
            .collect();
        sidecars::remove_obsolete(job, &written, &mut outcome.warnings);
        for sidecar in sidecars {
            is_made.push(sidecar.commit(&mut outcome.warnings).map_err(failed)?);
        }
        if let Some(journal) = journal {
            let mut is_made = is_made.into_iter();
            entries.retain(|_| is_made.next() == Some(true));
            // Where that cannot be written, what was intended vouches for the files.
            let _ = journal.made(&entries);
        }
        Ok(outcome)
    }

    /// Stretches an input to a temporary file and brings that to the disk.
    fn stretch_input(
        &self,
        index: usize,
        job: &Job,
        input: &Input,
        limits: &Limits,
        helpers: &Arc<Helpers>,
    ) -> Result<Written<'_>, FileError> {
        let (plan, settings) = (&self.session.plan, &job.settings);
        let mut sidecars: Vec<PathBuf> = (job.sidecars.iter())
            .map(|sidecar| sidecar.source.clone())
            .collect();
        // Each chapter has one of a source's.
        sidecars.dedup();
        let pipeline = job
            .pipeline(input, limits)?
            .keeping(settings.keep)
            .with_sidecars(&sidecars)?
            .split(job.parts.iter().map(|part| part.part.clone()).collect())
            .with_picture(self.options.pictures)
            .helped_by(helpers.clone());
        // Since they were planned.
        if pipeline.has_other_parts() {
            return Err(PipelineError::from(DecodeError::ChangedWhileRead).into());
        }
        let rate = f64::from(pipeline.source().sample_rate);
        if let Some(root) = plan.folder_of(job) {
            let folder = paths::parent(&job.output);
            paths::create_folder_below(root, folder).map_err(FileError::Output)?;
        }
        let temp_dir = plan.request_of(job).temp_dir.as_deref();
        let tag = &*self.session.tag;
        let create = |temp_dir| -> Result<Vec<PendingOutput>, FileError> {
            let create = |output: &PathBuf| {
                PendingOutput::create_in(temp_dir, output, input.metadata(), tag)
            };
            let all: Result<_, _> = job.outputs().map(create).collect();
            all.map_err(FileError::Output)
        };
        let mut pending = create(temp_dir)?;
        let mut noted = self.session.note(&pending);
        let files: Vec<&File> = pending.iter().map(PendingOutput::file).collect();
        let mut told = Instant::now();
        let outcome = file::stretch(pipeline, &files, settings.strict, &mut |progress| {
            if told.elapsed() >= PROGRESS_INTERVAL {
                told = Instant::now();
                (self.on_event)(Event::FileProgress {
                    index,
                    seconds: progress.frames as f64 / rate,
                    total_seconds: progress.total.map(|total| total as f64 / rate),
                });
            }
            match limits.deadline {
                Some(deadline) if Instant::now() >= deadline => ControlFlow::Break(()),
                _ if self.stop.is_aborted() => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        })?;
        if temp_dir.is_some() {
            let beside = create(None)?;
            noted.extend(self.session.note(&beside));
            let mut both = pending.into_iter().zip(&beside);
            both.try_for_each(|(from, to)| from.copy_to(to))
                .map_err(FileError::Output)?;
            pending = beside;
        }
        let modified = input.metadata().filter(|_| settings.keep_mtime);
        let modified = modified.map(Metadata::modified).transpose();
        modified
            .and_then(|time| pending.iter().try_for_each(|pending| pending.finish(time)))
            .map_err(FileError::Output)?;
        Ok(Written {
            outcome,
            pending,
            _noted: noted,
        })
    }
}

/// Whole outputs that have not got their names yet.
struct Written<'a> {
    outcome: Outcome,
    pending: Vec<PendingOutput>,
    _noted: Vec<Unfinished<'a>>,
}

/// An output was changed since it was made.
fn output_changed(path: &Path) -> Warning {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let message = format!("{name} was changed since it was made and was kept as it is");
    Warning::new("output-changed", message)
}
