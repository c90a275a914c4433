//! Running only what an earlier run did not finish.

use std::collections::HashSet;
use std::path::{Path, PathBuf, absolute};

use super::job::Job;
use super::plan::Plan;
use super::walk::Unreadable;
use crate::report::{FileReport, Report, Status};

/// The files of an earlier run that failed or were not run.
///
/// The plan decides as ever what becomes of a file; this only says which files stay in it. Paths
/// are compared after they are made absolute, so that `./a.wav` is `a.wav`.
#[derive(Debug, Clone, Default)]
pub struct UnfinishedFiles {
    files: HashSet<PathBuf>,
    /// Folders that could not be read: whatever is in them has not been run.
    folders: HashSet<PathBuf>,
}

impl UnfinishedFiles {
    /// The files that a report calls failed or not run.
    pub fn of(report: &Report) -> Self {
        let paths = |is_folder: bool| {
            let unfinished = (report.files.iter())
                .filter(|file| matches!(file.status, Status::Failed | Status::NotRun));
            let wanted = move |file: &&FileReport| file.output.is_none() == is_folder;
            let paths = unfinished.filter(wanted);
            paths.map(|file| normal(&file.input.to_path())).collect()
        };
        Self {
            files: paths(false),
            folders: paths(true),
        }
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.folders.is_empty()
    }

    /// Takes all other files out of a plan.
    pub(super) fn restrict(&self, jobs: &mut Vec<Job>, unreadable: &mut Vec<Unreadable>) {
        jobs.retain(|job| self.contains(&job.input));
        unreadable.retain(|part| self.contains(&part.path));
    }

    /// Returns the files that a plan does not hold: they are gone, or lie outside its inputs.
    pub fn missing_in(&self, plan: &Plan) -> Vec<PathBuf> {
        let planned: HashSet<PathBuf> = plan.jobs.iter().map(|job| normal(&job.input)).collect();
        let mut missing: Vec<PathBuf> = self.files.difference(&planned).cloned().collect();
        missing.sort();
        missing
    }

    fn contains(&self, path: &Path) -> bool {
        let path = normal(path);
        self.files.contains(&path) || path.ancestors().any(|folder| self.folders.contains(folder))
    }
}

fn normal(path: &Path) -> PathBuf {
    absolute(path).unwrap_or_else(|_| path.to_owned())
}
