//! One run's hold on an output folder, and stretching single files into it.

use std::collections::HashSet;
use std::fs::{File, Metadata};
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::events::Event;
use super::job::{Action, Job};
use super::journal::{Journal, JournalFile};
use super::plan::Plan;
use super::plan_error::PlanError;
use super::record::{self, Sources};
use super::request::PlanRequest;
use super::run::{self, RunOptions, StopToken, Work};
use super::{prune, sidecars, up_to_date};
use crate::pipeline::atomic_file::{self, PendingOutput, Replace};
use crate::pipeline::file::{self, FileError};
use crate::pipeline::helpers::Helpers;
use crate::pipeline::paths::{self, FileId};
use crate::pipeline::{Outcome, PipelineError};
use crate::report::{Report, RunOutcome};
use audiostretchy_containers::input::Input;
use audiostretchy_containers::limits::Limits;
use audiostretchy_containers::warning::Warning;
use audiostretchy_media::decode::DecodeError;

/// Shortest time between two progress events of a file.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(50);

/// A plan whose output folder is ours until this is dropped.
#[derive(Debug)]
pub struct Session {
    plan: Plan,
    /// What the names of this run's temporary files have in them.
    tag: String,
    /// Where outputs are written until they are whole, if not beside their names.
    temp_dir: Option<PathBuf>,
    folder: Option<Folder>,
    /// The temporary files of outputs that are being written.
    unfinished: Mutex<HashSet<PathBuf>>,
}

/// The output folder.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    id: Option<FileId>,
    /// What was known of it before the run.
    known: Journal,
    /// `None` where nothing can be written, and nothing is to be.
    journal: Option<JournalFile>,
    /// Set once it was found to have been removed or replaced.
    is_lost: AtomicBool,
}

impl Session {
    /// Makes a plan while other runs are kept out of the output folder, which is created if need
    /// be, and removes what killed runs have left. A plan that is refused leaves nothing behind.
    ///
    /// # Errors
    /// Returns the same errors as [`PlanRequest::plan`]; [`PlanError::Locked`] where another run
    /// has the folder, or where it cannot be written to and something would have to be.
    pub fn start(request: &PlanRequest) -> Result<Self, PlanError> {
        if let Some(path) = &request.temp_dir {
            atomic_file::check_creatable(path).map_err(|source| PlanError::TempDir {
                path: path.clone(),
                source,
            })?;
        }
        let Some(path) = request.folder()? else {
            let plan = request.plan()?;
            for job in plan.to_stretch() {
                check_writable(paths::parent(&job.output))?;
            }
            return Ok(Self::new(request, plan, None));
        };
        let first_plan = match path.is_dir() {
            true => None,
            false => {
                let plan = request.plan()?;
                check_writable(path)?;
                Some(plan)
            }
        };
        let (journal, known) = match JournalFile::open(path, request.partition) {
            Ok((journal, known)) => (Some(journal), known),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                return Err(PlanError::Locked { path: path.into() });
            }
            Err(source) => {
                let unwritable = || PlanError::OutputUnwritable {
                    path: path.into(),
                    source,
                };
                let plan = request.plan()?;
                if plan.to_stretch().next().is_some() {
                    return Err(unwritable());
                }
                let known = Journal::read(path).unwrap_or_default();
                return Ok(Self::new(
                    request,
                    plan,
                    Some(Folder::new(path, None, known)),
                ));
            }
        };
        // What was planned where no folder was yet still holds, unless another run has come and
        // gone since.
        let plan = match first_plan {
            Some(plan) if known.is_empty() => Ok(plan),
            _ => request.plan_with(&known).and_then(|plan| {
                if plan.to_stretch().next().is_some() {
                    check_writable(path)?;
                }
                Ok(plan)
            }),
        };
        let mut plan = match plan {
            Ok(plan) => plan,
            Err(error) => {
                journal.into_iter().for_each(JournalFile::remove_if_unused);
                return Err(error);
            }
        };
        if journal.as_ref().is_some_and(|journal| !journal.is_locked()) {
            plan.warnings.push(not_locked(path));
        }
        let folder = Folder::new(path, journal, known);
        Ok(Self::new(request, plan, Some(folder)))
    }

    fn new(request: &PlanRequest, plan: Plan, folder: Option<Folder>) -> Self {
        let outputs = plan.jobs.iter().map(|job| job.output.as_path());
        let extra = request.extra_files.iter().map(|extra| extra.path.as_path());
        let files = outputs.chain(extra).chain(request.time_map.as_deref());
        let folders: HashSet<&Path> = files.map(paths::parent).collect();
        // Locks may not reach as far as other machines do.
        let tag = request
            .partition
            .map(|partition| partition.in_names() + "-");
        let tag = tag.unwrap_or_default();
        for folder in folders.into_iter().chain(request.temp_dir.as_deref()) {
            atomic_file::remove_leftovers(folder, &tag);
        }
        Self {
            plan,
            tag,
            temp_dir: request.temp_dir.clone(),
            folder,
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

    /// Returns whether the output folder can be written to; where it cannot, nothing has to be.
    pub fn is_writable(&self) -> bool {
        self.folder
            .as_ref()
            .is_none_or(|folder| folder.journal.is_some())
    }

    /// Returns whether the output folder was found to have been removed, moved or replaced during
    /// the run.
    pub fn has_lost_folder(&self) -> bool {
        let is_lost = |folder: &Folder| folder.is_lost.load(Ordering::Relaxed);
        self.folder.as_ref().is_some_and(is_lost)
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
        let Some(folder) = &self.folder else { return };
        if self.plan.to_prune.is_empty() || folder.check().is_err() {
            return;
        }
        let checksum = self.plan.jobs.iter().any(|job| job.checksum);
        let still = prune::find(&folder.known, &self.plan.jobs, checksum);
        for path in self
            .plan
            .to_prune
            .iter()
            .filter(|path| still.contains(path))
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

impl Folder {
    fn new(path: &Path, journal: Option<JournalFile>, known: Journal) -> Self {
        Self {
            path: path.to_owned(),
            // Some file systems number their files anew each time.
            id: FileId::of(path).filter(|id| FileId::of(path).as_ref() == Some(id)),
            known,
            journal,
            is_lost: AtomicBool::new(false),
        }
    }

    /// Checks that the folder is still the one that the run began with.
    ///
    /// # Errors
    /// Returns an error if it, or its journal, was removed or replaced.
    fn check(&self) -> Result<(), FileError> {
        let has_journal = self.journal.as_ref().is_none_or(JournalFile::is_in_place);
        if has_journal && (self.id.is_none() || FileId::of(&self.path) == self.id) {
            return Ok(());
        }
        self.is_lost.store(true, Ordering::Relaxed);
        Err(FileError::FolderLost(self.path.clone()))
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
        match (&self.session.folder, job.action) {
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
        let folder = self.session.folder.as_ref();
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
        let time_map = self.session.plan.time_map.as_ref();
        let time_map = time_map.map(|path| sidecars::pending_time_map(&outcome, path));
        let time_map = time_map.transpose().map_err(failed)?;
        let journal = folder.and_then(|folder| folder.journal.as_ref());
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
        let plan = &self.session.plan;
        let mut sidecars: Vec<PathBuf> = (job.sidecars.iter())
            .map(|sidecar| sidecar.source.clone())
            .collect();
        // Each chapter has one of a source's.
        sidecars.dedup();
        let pipeline = plan
            .pipeline(job, input, limits)?
            .keeping(plan.keep())
            .with_sidecars(&sidecars)?
            .split(job.parts.iter().map(|part| part.part.clone()).collect())
            .with_picture(self.options.pictures)
            .helped_by(helpers.clone());
        // Since they were planned.
        if pipeline.has_other_parts() {
            return Err(PipelineError::from(DecodeError::ChangedWhileRead).into());
        }
        let rate = f64::from(pipeline.source().sample_rate);
        if let Some(root) = &plan.folder {
            let folder = paths::parent(&job.output);
            paths::create_folder_below(root, folder).map_err(FileError::Output)?;
        }
        let (temp_dir, tag) = (self.session.temp_dir.as_deref(), &*self.session.tag);
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
        let outcome = file::stretch(pipeline, &files, plan.strict, &mut |progress| {
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
        let modified = input.metadata().filter(|_| plan.keep_mtime);
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

fn check_writable(folder: &Path) -> Result<(), PlanError> {
    atomic_file::check_writable(folder).map_err(|source| PlanError::OutputUnwritable {
        path: folder.to_owned(),
        source,
    })
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
