//! What must hold of a plan before anything is written.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

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

/// Checks that every output's format can be written by this build.
pub fn check_encoders(jobs: &[Job]) -> Result<(), PlanError> {
    match jobs.iter().find(|job| !job.format.is_built_in()) {
        None => Ok(()),
        Some(job) => Err(PlanError::FormatNotBuiltIn {
            input: job.input.clone(),
            format: job.format,
        }),
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
    let existing: Vec<(FileId, &Job)> = (jobs.par_iter())
        .filter_map(|job| Some((file_id(&job.output)?, job)))
        .collect();
    if existing.is_empty() {
        return Ok(());
    }
    let inputs: HashSet<FileId> = (jobs.par_iter())
        .filter_map(|job| file_id(&job.input))
        .collect();
    let suspects: Vec<&Job> = (existing.into_iter())
        .filter(|(id, _)| inputs.contains(id))
        .map(|(_, job)| job)
        .collect();
    if suspects.is_empty() {
        return Ok(());
    }
    // A hard link to an input may be replaced: the input stays. So the names decide.
    let inputs: HashSet<PathBuf> = (jobs.par_iter())
        .filter_map(|job| job.input.canonicalize().ok())
        .collect();
    let is_input =
        |job: &&Job| (job.output.canonicalize()).is_ok_and(|output| inputs.contains(&output));
    match suspects.into_iter().find(is_input) {
        Some(job) => Err(PlanError::OutputIsInput {
            path: job.output.clone(),
        }),
        None => Ok(()),
    }
}

/// What two names of one file have in common, links followed; much faster to find than the
/// canonical path.
#[cfg(unix)]
type FileId = (u64, u64);

#[cfg(unix)]
fn file_id(path: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;
    let metadata = path.metadata().ok()?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
type FileId = PathBuf;

#[cfg(not(unix))]
fn file_id(path: &Path) -> Option<FileId> {
    path.canonicalize().ok()
}

/// Checks that what is put into names leaves outputs in their folders.
pub(super) fn check_suffix(suffix: &OsStr) -> Result<(), PlanError> {
    let mut bytes = suffix.as_encoded_bytes().iter();
    match bytes.any(|&byte| std::path::is_separator(byte.into())) {
        true => Err(PlanError::SuffixIsPath {
            suffix: suffix.into(),
        }),
        false => Ok(()),
    }
}

/// Finds links that would lead outputs out of the output folder.
pub(super) fn check_links(jobs: &[Job], root: &Path) -> Result<(), PlanError> {
    let folders: HashSet<&Path> = (jobs.iter())
        .map(|job| output::parent(&job.output))
        .collect();
    let link = |folder: &Path| output::link_below(root, folder);
    match folders.into_iter().filter_map(link).min() {
        Some(path) => Err(PlanError::LinkInOutput { path }),
        None => Ok(()),
    }
}

/// Decides what happens to the files whose output exists.
pub(super) fn check_existing(
    jobs: &mut [Job],
    if_exists: IfExists,
    journal: &Journal,
) -> Result<(), PlanError> {
    let refused: Vec<Option<PathBuf>> = (jobs.par_iter_mut())
        .map(|job| check_one_existing(job, if_exists, journal))
        .collect::<Result<_, _>>()?;
    let refused: Vec<PathBuf> = refused.into_iter().flatten().collect();
    if refused.is_empty() {
        return Ok(());
    }
    Err(match if_exists {
        IfExists::Resume => PlanError::OutputUnknown { outputs: refused },
        _ => PlanError::OutputExists { outputs: refused },
    })
}

/// Decides what happens to one job; gives its output if that must not be touched.
fn check_one_existing(
    job: &mut Job,
    if_exists: IfExists,
    journal: &Journal,
) -> Result<Option<PathBuf>, PlanError> {
    let entry = journal.find(&job.output);
    job.is_known = entry.is_some();
    let Some(metadata) = job.output_metadata() else {
        return Ok(None);
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
        IfExists::Error => return Ok(Some(job.output.clone())),
        IfExists::Resume => match entry {
            Some(entry) if journal.is_up_to_date(entry, job, &metadata) => {
                job.action = Action::SkipUpToDate;
            }
            Some(_) => job.replace = true,
            None => return Ok(Some(job.output.clone())),
        },
    }
    Ok(None)
}
