//! What must hold of a plan before anything is written.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Action, IfExists, Job, Plan, PlanError};
use crate::batch::journal::Journal;
use crate::batch::output;

impl Plan {
    /// Checks that a report written to `path` would replace neither an input nor an output.
    ///
    /// # Errors
    /// Where it would.
    pub fn check_report(&self, path: &Path) -> Result<(), PlanError> {
        let report = resolve(path);
        let mut audio = (self.jobs.iter())
            .flat_map(|job| [&job.input, &job.output])
            .filter(|audio| audio.file_name() == path.file_name());
        match audio.any(|audio| resolve(audio) == report) {
            true => Err(PlanError::ReportIsAudio {
                path: path.to_owned(),
            }),
            false => Ok(()),
        }
    }
}

/// The same path for every name of a file, which need not be there yet.
fn resolve(path: &Path) -> PathBuf {
    let in_folder = || {
        let folder = output::parent(path).canonicalize().ok()?;
        Some(folder.join(path.file_name()?))
    };
    path.canonicalize()
        .ok()
        .or_else(in_folder)
        .or_else(|| std::path::absolute(path).ok())
        .unwrap_or_else(|| path.to_owned())
}

/// Finds outputs that are the same file, also where file names ignore case.
pub(super) fn check_collisions(jobs: &[Job]) -> Result<(), PlanError> {
    let mut seen: HashMap<OsString, &Job> = HashMap::with_capacity(jobs.len());
    for job in jobs {
        let key = match job.output.to_str() {
            Some(name) => name.to_lowercase().into(),
            None => job.output.as_os_str().to_ascii_lowercase(),
        };
        if let Some(other) = seen.insert(key, job) {
            return Err(PlanError::Collision {
                first: other.input.clone(),
                second: job.input.clone(),
                output: job.output.clone(),
            });
        }
    }
    Ok(())
}

/// Finds outputs that are inputs, by whatever name.
pub(super) fn check_inputs_survive(jobs: &[Job]) -> Result<(), PlanError> {
    let existing: Vec<_> = jobs
        .iter()
        .filter(|job| job.output_metadata().is_some())
        .filter_map(|job| Some((job.output.canonicalize().ok()?, job)))
        .collect();
    if existing.is_empty() {
        return Ok(());
    }
    let inputs: HashSet<PathBuf> = jobs
        .iter()
        .filter_map(|job| job.input.canonicalize().ok())
        .collect();
    match existing.iter().find(|(path, _)| inputs.contains(path)) {
        Some((_, job)) => Err(PlanError::OutputIsInput {
            path: job.output.clone(),
        }),
        None => Ok(()),
    }
}

/// Decides what happens to the files whose output exists.
pub(super) fn check_existing(
    jobs: &mut [Job],
    if_exists: IfExists,
    journal: &Journal,
) -> Result<(), PlanError> {
    let mut refused = Vec::new();
    for job in jobs {
        let Some(metadata) = job.output_metadata() else {
            continue;
        };
        if metadata.is_dir() {
            return Err(PlanError::OutputIsFolder {
                path: job.output.clone(),
                input: job.input.clone(),
            });
        }
        match if_exists {
            IfExists::Skip => job.action = Action::SkipExisting,
            IfExists::Overwrite => job.replace = true,
            IfExists::Error => refused.push(job.output.clone()),
            IfExists::Resume => match journal.find(&job.output) {
                Some(entry) if entry.is_up_to_date(job, &metadata) => {
                    job.action = Action::SkipUpToDate;
                }
                Some(_) => job.replace = true,
                None => refused.push(job.output.clone()),
            },
        }
    }
    if refused.is_empty() {
        return Ok(());
    }
    Err(match if_exists {
        IfExists::Resume => PlanError::OutputUnknown { outputs: refused },
        _ => PlanError::OutputExists { outputs: refused },
    })
}
