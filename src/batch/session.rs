//! One run's hold on its output folders.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::job::Job;
use super::journal::Journal;
use super::output_folder::{Folder, check_writable};
use super::plan::Plan;
use super::plan_error::PlanError;
use super::planner::Folders;
use super::request::PlanRequest;
use crate::pipeline::atomic_file::{self, PendingOutput};
use crate::pipeline::paths;
use audiostretchy_containers::warning::Warning;

/// A plan whose output folders are ours until this is dropped.
#[derive(Debug)]
pub struct Session {
    pub(super) plan: Plan,
    /// What the names of this run's temporary files have in them.
    pub(super) tag: String,
    /// The output folders, in the order of the plan's.
    pub(super) folders: Vec<Folder>,
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
    pub(super) fn note(&self, pending: &[PendingOutput]) -> Vec<Unfinished<'_>> {
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
    pub(super) fn folder_of(&self, job: &Job) -> Option<&Folder> {
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
}

/// Notes a temporary file for as long as it lives.
pub(super) struct Unfinished<'a> {
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

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
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
