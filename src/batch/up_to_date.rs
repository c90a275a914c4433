//! What becomes of a job whose output may be there already: what the journal knows of the output
//! against what is there now.

use std::collections::HashMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::job::{Action, Job, Origin, SidecarJob, Why};
use super::journal::{Entry, Journal, Lines, MadeFrom};
use super::plan_error::PlanError;
use super::record::sha256_of;
use super::request::IfExists;
use crate::pipeline::atomic_file::Replace;
use crate::pipeline::file_state::FileState;
use crate::pipeline::paths::parent;
use crate::report::PathText;

/// Decides what is done with every job.
///
/// # Errors
/// Returns an error if files are in the way that the plan must not touch.
pub(super) fn decide(
    jobs: &mut [Job],
    if_exists: IfExists,
    only_new: bool,
    journal: &Journal,
) -> Result<(), PlanError> {
    let done = only_new.then(|| DoneSources::of(journal));
    let by_folder = match jobs.iter().any(Job::is_split) {
        true => made_by_folder(journal),
        false => HashMap::new(),
    };
    let refused: Vec<Option<PathBuf>> = (jobs.par_iter_mut())
        .map(|job| {
            if done.as_ref().is_some_and(|done| done.contain(job)) {
                job.action = Action::SkipDone;
                return Ok(None);
            }
            let refused = decide_one(job, if_exists, journal)?;
            if job.is_to_stretch() {
                job.obsolete = obsolete_files(job, journal, &by_folder);
            }
            Ok(refused)
        })
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

/// All sources that something was made from.
struct DoneSources<'a> {
    /// By the path below an input folder.
    below: HashMap<PathBuf, Vec<&'a MadeFrom>>,
    /// By the path from the root.
    absolute: HashMap<PathBuf, Vec<&'a MadeFrom>>,
}

impl<'a> DoneSources<'a> {
    fn of(journal: &'a Journal) -> Self {
        let (mut below, mut absolute) = (HashMap::new(), HashMap::new());
        let made = journal.files().filter_map(|(_, lines)| lines.made.as_ref());
        for from in made.filter_map(|made| made.from.as_ref()) {
            let source = from.source.to_path();
            let path = match &from.input {
                Some(input) => {
                    let places: &mut Vec<_> = below.entry(source.clone()).or_default();
                    places.push(from);
                    input.to_path().join(source)
                }
                None => source,
            };
            let paths: &mut Vec<_> = absolute.entry(path).or_default();
            paths.push(from);
        }
        Self { below, absolute }
    }

    /// Returns whether something was made from a job's input as it is now.
    fn contain(&self, job: &Job) -> bool {
        let Origin { folder, path, .. } = &job.origin;
        let below = folder.as_ref().and_then(|_| self.below.get(path));
        let absolute = match folder {
            Some(folder) => self.absolute.get(&folder.join(path)),
            None => self.absolute.get(path),
        };
        let mut found = below.into_iter().chain(absolute).flatten();
        found.any(|from| source_is_unchanged(from, job))
    }
}

/// Decides about one job; returns an output of it that must not be touched.
fn decide_one(
    job: &mut Job,
    if_exists: IfExists,
    journal: &Journal,
) -> Result<Option<PathBuf>, PlanError> {
    let Job {
        sidecars, checksum, ..
    } = job;
    for sidecar in sidecars {
        decide_sidecar(sidecar, if_exists, journal, *checksum);
    }
    let refused = decide_first(job, if_exists, journal)?;
    for number in 1..job.parts.len() {
        let output = job.parts[number].output.clone();
        let Ok(found) = output.symlink_metadata() else {
            continue;
        };
        if found.is_dir() {
            let input = job.input.clone();
            return Err(PlanError::OutputIsFolder {
                path: output,
                input,
            });
        }
        let replace = match if_exists {
            IfExists::Overwrite => Replace::Always,
            IfExists::Error => return Ok(Some(output)),
            IfExists::Skip => {
                job.action = Action::SkipExisting;
                continue;
            }
            IfExists::Resume if is_ours(&output, &found, journal, job.checksum) => {
                Replace::Known((&found).into())
            }
            IfExists::Resume if journal.find(&output).is_none() => return Ok(Some(output)),
            // Somebody has edited it.
            IfExists::Resume if job.is_to_stretch() => {
                job.action = Action::Refuse;
                continue;
            }
            IfExists::Resume => continue,
        };
        job.parts[number].replace = replace;
    }
    Ok(refused)
}

/// Decides about one job by its output, or the first of its outputs.
fn decide_first(
    job: &mut Job,
    if_exists: IfExists,
    journal: &Journal,
) -> Result<Option<PathBuf>, PlanError> {
    let lines = journal.find(&job.output);
    let Ok(metadata) = job.output.symlink_metadata() else {
        let was_made = lines.is_some_and(|lines| lines.made.is_some());
        job.action = Action::Stretch(if was_made {
            Why::OutputMissing
        } else {
            Why::New
        });
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
        IfExists::Overwrite => {
            job.action = Action::Stretch(Why::Overwrite);
            job.replace = Replace::Always;
        }
        IfExists::Error => return Ok(Some(job.output.clone())),
        IfExists::Resume => match lines {
            Some(lines) => resume(job, lines, &metadata, journal),
            None => return Ok(Some(job.output.clone())),
        },
    }
    Ok(None)
}

/// Decides about a job of which the journal knows something and whose output is there.
fn resume(job: &mut Job, lines: &Lines, output: &Metadata, journal: &Journal) {
    let is = |entry: &&Entry| is_as_recorded(entry, &job.output, output, job.checksum);
    let made = lines.made.as_ref();
    let mut found = lines.intended.iter().rev().chain(made).filter(is);
    let ours = found.next();
    // Where old and new look the same, nobody can tell which of them is there.
    if found.any(|other| ours.is_some_and(|entry| entry.from != other.from)) {
        job.action = Action::Stretch(Why::Unfinished);
        job.replace = Replace::Known(output.into());
        return;
    }
    let Some(entry) = ours else {
        // Somebody's file, or one that somebody has edited.
        let is_current = made.is_some_and(|entry| reason_to_redo(entry, job, journal).is_none());
        job.action = match is_current {
            true => Action::SkipChanged,
            false => Action::Refuse,
        };
        return;
    };
    match reason_to_redo(entry, job, journal) {
        Some(why) => {
            job.action = Action::Stretch(why);
            job.replace = Replace::Known(output.into());
        }
        None if changed_others(job, journal).next().is_some() => {
            job.action = Action::SkipChanged;
        }
        None => job.action = Action::SkipUpToDate,
    }
}

fn decide_sidecar(
    sidecar: &mut SidecarJob,
    if_exists: IfExists,
    journal: &Journal,
    checksum: bool,
) {
    let (Some(replace), Ok(found)) = (&mut sidecar.replace, sidecar.output.symlink_metadata())
    else {
        return;
    };
    if if_exists == IfExists::Overwrite && (found.is_file() || found.is_symlink()) {
        *replace = Replace::Always;
    } else if is_ours(&sidecar.output, &found, journal, checksum) {
        *replace = Replace::Known((&found).into());
    }
}

/// What audio was made from, with its path, by the folder that it is in.
type MadeByFolder<'a> = HashMap<PathBuf, Vec<(PathBuf, &'a MadeFrom)>>;

fn made_by_folder(journal: &Journal) -> MadeByFolder<'_> {
    let mut by_folder = MadeByFolder::new();
    for (path, lines) in journal.files() {
        if let Some(from) = lines.made.as_ref().and_then(|made| made.from.as_ref()) {
            let made = by_folder.entry(parent(&path).to_owned()).or_default();
            made.push((path, from));
        }
    }
    by_folder
}

/// Returns the text files and chapters that an earlier run has left beside a job's output, and that
/// the job does not write.
fn obsolete_files(
    job: &Job,
    journal: &Journal,
    by_folder: &MadeByFolder<'_>,
) -> Vec<(PathBuf, FileState)> {
    let others = |from: &MadeFrom| -> Vec<PathBuf> {
        let others = from.others();
        others
            .map(|output| journal.path_of(&output.to_path()))
            .collect()
    };
    let mut outputs = Vec::new();
    if job.parts.is_empty() {
        let lines = journal.find(&job.output);
        let made = lines.and_then(|lines| lines.made.as_ref()?.from.as_ref());
        outputs.extend(made.into_iter().flat_map(others));
    } else {
        // The first chapter may have had another title then.
        let made = by_folder.get(parent(&job.output)).into_iter().flatten();
        for (path, from) in made.filter(|(_, from)| is_source(from, job)) {
            outputs.extend(others(from));
            outputs.push(path.clone());
        }
    }
    let is_written = |output: &Path| {
        job.sidecars.iter().any(|sidecar| sidecar.output == output)
            || job.outputs().any(|own| own == output)
    };
    let outputs = outputs.into_iter().filter(|output| !is_written(output));
    outputs
        .filter_map(|output| {
            let found = output.symlink_metadata().ok()?;
            is_ours(&output, &found, journal, job.checksum).then(|| (output, (&found).into()))
        })
        .collect()
}

/// Returns whether a file is as an earlier run has left it.
pub(super) fn is_ours(output: &Path, found: &Metadata, journal: &Journal, checksum: bool) -> bool {
    journal.find(output).is_some_and(|lines| {
        let mut entries = lines.made.iter().chain(&lines.intended);
        entries.any(|entry| is_as_recorded(entry, output, found, checksum))
    })
}

pub(super) fn is_as_recorded(
    entry: &Entry,
    output: &Path,
    found: &Metadata,
    checksum: bool,
) -> bool {
    let now = FileState::from(found);
    let same_content = || {
        let recorded = entry.output_sha256.as_deref().filter(|_| checksum);
        recorded.is_some()
            && entry.output_state.size() == now.size()
            && sha256_of(output).as_deref() == recorded
    };
    found.is_file() && (entry.output_state.is_still(now) || same_content())
}

/// Returns the outputs of a job that were changed since they were made: audio, and text files beside
/// it.
pub(super) fn changed_outputs<'a>(
    job: &'a Job,
    journal: &'a Journal,
) -> impl Iterator<Item = &'a Path> {
    let found = job.output.symlink_metadata();
    let is_changed = found.is_ok_and(|found| !is_ours(&job.output, &found, journal, job.checksum));
    let output = is_changed.then_some(job.output.as_path());
    output.into_iter().chain(changed_others(job, journal))
}

fn changed_others<'a>(job: &'a Job, journal: &'a Journal) -> impl Iterator<Item = &'a Path> {
    let sidecars = job.sidecars.iter().map(|sidecar| &sidecar.output);
    let outputs = job.outputs().skip(1).chain(sidecars);
    let outputs = outputs.map(PathBuf::as_path);
    outputs.filter(|output| {
        let known = journal.find(output).is_some();
        let found = output.symlink_metadata();
        known && found.is_ok_and(|found| !is_ours(output, &found, journal, job.checksum))
    })
}

/// Why a job's output, which is as the journal tells, has to be made again all the same.
fn reason_to_redo(entry: &Entry, job: &Job, journal: &Journal) -> Option<Why> {
    let Some(from) = &entry.from else {
        return Some(Why::SettingsChanged);
    };
    if *from.fingerprint != *job.fingerprint {
        return Some(Why::SettingsChanged);
    }
    if !is_source(from, job)
        || !source_is_unchanged(from, job)
        || !sidecars_are_unchanged(from, job)
    {
        return Some(Why::SourceChanged);
    }
    let parts = from
        .parts
        .iter()
        .map(|output| journal.path_of(&output.to_path()));
    if !parts.eq(job.outputs().skip(1).cloned()) {
        return Some(Why::SettingsChanged);
    }
    from.others().map(PathText::to_path).find_map(|output| {
        let output = journal.path_of(&output);
        let Ok(found) = output.symlink_metadata() else {
            return Some(Why::OutputMissing);
        };
        // A run that was stopped may have left the text of before beside new audio.
        let lines = journal.find(&output)?;
        let is = |entry: &Entry| is_as_recorded(entry, &output, &found, job.checksum);
        let last = lines.intended.last()?;
        let is_old = !is(last) && lines.made.iter().chain(&lines.intended).any(is);
        is_old.then_some(Why::Unfinished)
    })
}

/// Returns whether an output was made from the job's input: the same place below an input folder,
/// or the same path from the root.
fn is_source(from: &MadeFrom, job: &Job) -> bool {
    let absolute = |folder: Option<PathBuf>, path: &Path| match folder {
        Some(folder) => folder.join(path),
        None => path.to_owned(),
    };
    let (source, origin) = (from.source.to_path(), &job.origin);
    let both_below = from.input.is_some() && origin.folder.is_some();
    both_below && source == origin.path || {
        let folder = from.input.as_ref().map(|folder| folder.to_path());
        let own_folder = origin.folder.as_deref().map(Path::to_owned);
        absolute(folder, &source) == absolute(own_folder, &origin.path)
    }
}

fn source_is_unchanged(from: &MadeFrom, job: &Job) -> bool {
    is_unchanged(
        &job.input,
        from.source_state,
        from.source_sha256.as_deref(),
        job.checksum,
    )
}

fn sidecars_are_unchanged(from: &MadeFrom, job: &Job) -> bool {
    from.beside.len() == job.sidecars.len()
        && (from.beside.iter().zip(&job.sidecars)).all(|(beside, sidecar)| {
            let same_name = Some(beside.name.to_path().as_os_str()) == sidecar.source.file_name();
            let sha256 = beside.sha256.as_deref();
            same_name && is_unchanged(&sidecar.source, beside.state, sha256, job.checksum)
        })
}

fn is_unchanged(path: &Path, state: FileState, hash: Option<&str>, checksum: bool) -> bool {
    if checksum && hash.is_some() {
        return sha256_of(path).as_deref() == hash;
    }
    let metadata = path.metadata();
    metadata.is_ok_and(|metadata| state.is_still((&metadata).into()))
}
