//! Removing outputs whose sources are gone.

use std::collections::HashSet;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use audiostretchy_containers::figures;
use audiostretchy_containers::warning::Warning;

use super::journal::{Entry, Journal, Lines, MadeFrom};
use super::plan::Plan;
use super::up_to_date::is_as_recorded;
use crate::pipeline::paths::{self, parent};

/// Returns the files that can be removed from an output folder, given by its number in the plan and
/// its journal: outputs of earlier runs, and text files beside them, that nobody has touched since,
/// and whose source is no longer on the disk.
///
/// Only outputs of input folders count in which jobs have audio now: of an empty folder nobody
/// knows whether it is the disk that is missing. What jobs write is not among them.
pub(super) fn find(journal: &Journal, plan: &Plan, folder: usize) -> Vec<PathBuf> {
    let jobs = plan.jobs.iter().filter(|job| {
        let request = plan.request_of(job);
        request.prune && request.folder == Some(folder)
    });
    let checksum = jobs.clone().any(|job| job.checksum);
    let inputs: HashSet<&Path> = jobs
        .filter_map(|job| job.origin.folder.as_deref())
        .collect();
    if inputs.is_empty() {
        return Vec::new();
    }
    let written: HashSet<&Path> = (plan.jobs.iter())
        .flat_map(|job| {
            let sidecars = job.sidecars.iter().map(|sidecar| sidecar.output.as_path());
            sidecars.chain(job.outputs().map(PathBuf::as_path))
        })
        .collect();
    let mut found = Vec::new();
    for (path, lines) in journal.files() {
        let Some(made) = lines.made.as_ref().filter(|_| lines.intended.is_empty()) else {
            continue;
        };
        if !source_is_gone(made, &inputs) || !is_untouched(&path, lines, checksum) {
            continue;
        }
        let beside = made.from.iter().flat_map(MadeFrom::others);
        let beside = beside.map(|output| journal.path_of(&output.to_path()));
        let is_ours = |path: &PathBuf| {
            let lines = journal.find(path);
            lines.is_some_and(|lines| is_untouched(path, lines, checksum))
        };
        found.extend(beside.filter(is_ours));
        found.push(path);
    }
    found.retain(|path| !written.contains(path.as_path()));
    found.sort();
    found.dedup();
    found
}

/// Returns whether an output was made from a file in one of these folders that is not there now.
fn source_is_gone(made: &Entry, inputs: &HashSet<&Path>) -> bool {
    let Some(from) = &made.from else { return false };
    let Some(input) = from.input.as_ref().map(|input| input.to_path()) else {
        return false;
    };
    inputs.contains(input.as_path()) && is_gone(&input.join(from.source.to_path()), &input)
}

/// Returns whether a file below a folder is not there. What cannot be looked at may well be, and so
/// may what lies behind a link that leads nowhere now: its disk may not be mounted.
fn is_gone(path: &Path, folder: &Path) -> bool {
    let below = path.ancestors().take_while(|path| *path != folder);
    for (depth, path) in below.enumerate() {
        match path.symlink_metadata() {
            Ok(found) => return depth > 0 && found.is_dir(),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(_) => return false,
        }
    }
    true
}

fn is_untouched(path: &Path, lines: &Lines, checksum: bool) -> bool {
    let (Some(made), Ok(found)) = (&lines.made, path.symlink_metadata()) else {
        return false;
    };
    is_as_recorded(made, path, &found, checksum)
}

/// Removes a file in the output folder `root`, and the folders that are empty then.
///
/// # Errors
/// Returns an error if it cannot be removed, or a link leads elsewhere.
pub(super) fn remove(root: &Path, path: &Path) -> io::Result<()> {
    if paths::link_below(root, parent(path)).is_some() {
        return Err(io::Error::other("a folder on the way to it is a link"));
    }
    std::fs::remove_file(path)?;
    let folders = path.ancestors().skip(1);
    for folder in folders.take_while(|folder| *folder != root && folder.starts_with(root)) {
        if std::fs::remove_dir(folder).is_err() {
            break;
        }
    }
    Ok(())
}

/// An output whose source is gone could not be removed.
pub(super) fn not_removed(path: &Path, why: &io::Error) -> Warning {
    let message = format!("{}: cannot be removed: {why}", path.display());
    Warning::new("not-pruned", message)
}

/// Outputs without a source were to be removed, and something else went wrong.
pub(super) fn put_off(outputs: usize) -> Warning {
    let outputs = figures::count(outputs as u64, "output");
    let message = format!("{outputs} whose source is gone stay: not all else went well");
    Warning::new("not-pruned", message)
}
