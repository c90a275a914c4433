//! One run's hold on an output folder, and stretching single files into it.

use std::collections::HashSet;
use std::fs::{File, Metadata};
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::events::Event;
use super::job::{Action, Job};
use super::journal::Journal;
use super::output_folder::{Folder, check_writable};
use super::plan::Plan;
use super::plan_error::PlanError;
use super::planner::Folders;
use super::record::{self, Sources};
use super::request::PlanRequest;
use super::run::{self, RunOptions, StopToken, Work};
use super::{prune, sidecars, up_to_date};
use crate::pipeline::atomic_file::{self, PendingOutput, Replace};
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

/// A plan whose output folders are ours until this is dropped.
#[derive(Debug)]
pub struct Session {
    plan: Plan,
    /// What the names of this run's temporary files have in them.
    tag: String,
    /// The output folders, in the order of the plan's.
    folders: Vec<Folder>,
    /// The temporary files of outputs that are being written.
    unfinished: Mutex<HashSet<PathBuf>>,
}

impl Session {
    /// Makes a plan while other runs are kept out of the output folder, which is created if need
    /// be, and removes what killed runs have left. A plan that is refused leaves nothing behind.
    ///
    /// # Errors
    /// Returns the same errors as [`PlanRequest::plan`]; [`PlanError::Locked`] where another run
    /// has the folder, or where it cannot be written to and something would have to be.
    pub fn start(request: &PlanRequest) -> Result<Self, PlanError> {
        Self::start_all(std::slice::from_ref(request))
    }

    /// As [`start`](Self::start), for several requests: see [`Plan::of`].
    ///
    /// # Errors
    /// Returns the errors of [`start`](Self::start).
    pub fn start_all(requests: &[PlanRequest]) -> Result<Self, PlanError> {
        for path in requests
            .iter()
            .filter_map(|request| request.temp_dir.as_ref())
        {
            atomic_file::check_creatable(path).map_err(|source| PlanError::TempDir {
                path: path.clone(),
                source,
            })?;
        }
        let folders = Folders::of(requests)?;
        let are_there = folders.paths.iter().all(|path| path.is_dir());
        let first_plan = match are_there && !folders.paths.is_empty() {
            true => None,
            false => {
                let plan = Plan::of(requests)?;
                for path in folders.paths.iter().filter(|path| !path.is_dir()) {
                    check_writable(path)?;
                }
                Some(plan)
            }
        };
        let partition = requests.iter().find_map(|request| request.partition);
        let mut opened = Vec::with_capacity(folders.paths.len());
        for path in &folders.paths {
            match Folder::open(path, partition) {
                Ok(folder) => opened.push(folder),
                Err(error) => {
                    opened.into_iter().for_each(Folder::remove_if_unused);
                    return Err(error);
                }
            }
        }
        // What was planned where no folder was yet still holds, unless another run has come and
        // gone since.
        let plan = match first_plan {
            Some(plan) if opened.iter().all(|folder| folder.known.is_empty()) => Ok(plan),
            _ => {
                let known: Vec<&Journal> = opened.iter().map(|folder| &folder.known).collect();
                Plan::with(requests, &folders, &known)
            }
        };
        let plan = plan.and_then(|plan| {
            check_outputs(&plan, &opened)?;
            Ok(plan)
        });
        let mut plan = match plan {
            Ok(plan) => plan,
            Err(error) => {
                opened.into_iter().for_each(Folder::remove_if_unused);
                return Err(error);
            }
        };
        let unlocked = opened.iter().filter(|folder| !folder.is_locked());
        plan.warnings
            .extend(unlocked.map(|folder| not_locked(&folder.path)));
        Ok(Self::new(requests, plan, opened))
    }

    fn new(requests: &[PlanRequest], plan: Plan, folders: Vec<Folder>) -> Self {
        let outputs = plan.jobs.iter().map(|job| job.output.as_path());
        let extra = requests.iter().flat_map(|request| {
            let extra = request.extra_files.iter().map(|extra| extra.path.as_path());
            extra.chain(request.time_map.as_deref())
        });
        let parents: HashSet<&Path> = outputs.chain(extra).map(paths::parent).collect();
        let temp_dirs = requests
            .iter()
            .filter_map(|request| request.temp_dir.as_deref());
        // Locks may not reach as far as other machines do.
        let partition = requests.iter().find_map(|request| request.partition);
        let tag = partition.map(|partition| partition.in_names() + "-");
        let tag = tag.unwrap_or_default();
        for folder in parents.into_iter().chain(temp_dirs) {
            atomic_file::remove_leftovers(folder, &tag);
        }
        Self {
            plan,
            tag,
            folders,
            unfinished: Mutex::default(),
        }
    }

    /// Notes temporary files for as long as the result lives.
    fn note(&self, pending: &[PendingOutput]) -> Vec<Unfinished<'_>> {
        let note = |pending: &PendingOutput| Unfinished::note(&self.unfinished, pending.path());
        pending.iter().map(note).collect()
    }

    /// Returns the plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Returns whether the output folders can be written to; where one cannot, nothing has to be.
    pub fn is_writable(&self) -> bool {
        self.folders.iter().all(Folder::is_writable)
    }

    /// Returns whether an output folder was found to have been removed, moved or replaced during
    /// the run.
    pub fn has_lost_folder(&self) -> bool {
        self.folders.iter().any(Folder::is_lost)
    }

    /// Returns whether a path leads into an output folder that was removed, moved or replaced during
    /// the run.
    pub fn is_in_lost_folder(&self, path: &Path) -> bool {
        let mut lost = self.folders.iter().filter(|folder| folder.is_lost());
        lost.any(|folder| path.starts_with(&folder.path))
    }

    /// Returns the output folder of a job; `None` where it is a single file.
    fn folder_of(&self, job: &Job) -> Option<&Folder> {
        let number = self.plan.request_of(job).folder?;
        Some(&self.folders[number])
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

/// Checks that outputs can be written where the plan needs that.
fn check_outputs(plan: &Plan, folders: &[Folder]) -> Result<(), PlanError> {
    let mut checked = HashSet::new();
    for job in plan.to_stretch() {
        match plan.request_of(job).folder.map(|number| &folders[number]) {
            None => check_writable(paths::parent(&job.output))?,
            Some(folder) if checked.insert(&folder.path) => folder.check_writable()?,
            Some(_) => {}
        }
    }
    Ok(())
}

/// Warns that the output folder cannot be locked.
fn not_locked(folder: &Path) -> Warning {
    let folder = folder.display();
    let message = format!(
        "{folder} is on a file system without locks: start no second run there before this one has \
         ended"
    );
    Warning::new("not-locked", message)
}

/// An output was changed since it was made.
fn output_changed(path: &Path) -> Warning {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let message = format!("{name} was changed since it was made and was kept as it is");
    Warning::new("output-changed", message)
}
