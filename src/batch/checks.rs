//! What must hold of a plan before anything is written.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::job::{Job, SidecarJob};
use super::journal;
use super::left_out::is_other_media;
use super::places::{Place, Places};
use super::plan_error::PlanError;
use super::request::ExtraFile;
use super::selection::is_audio;
use crate::pipeline::atomic_file::is_special;
use crate::pipeline::paths::{self, FileId, is_same_file, parent};
use audiostretchy_media::decode::Decoder;
use audiostretchy_tags::sidecar::Sidecar;

/// Checks that every output's format can be written by this build.
pub(super) fn check_encoders(jobs: &[Job]) -> Result<(), PlanError> {
    match jobs.iter().find(|job| !job.format.is_built_in()) {
        None => Ok(()),
        Some(job) => Err(PlanError::FormatNotBuiltIn {
            input: job.input.clone(),
            format: job.format,
        }),
    }
}

/// Checks all files that will be written: none may take the place of another, nor of a file that is
/// read, by whatever name. What is the same file given twice is taken once.
///
/// Only outputs of jobs that `is_own` are looked up on the disk: what is in the place of others,
/// other partitions find.
pub(super) fn check_written(
    jobs: &mut Vec<Job>,
    extra_files: &[ExtraFile],
    read_files: &[PathBuf],
    folders: &[PathBuf],
    is_own: impl Fn(&Job) -> bool + Sync,
) -> Result<(), PlanError> {
    check_kinds(jobs, extra_files, &is_own)?;
    check_sources_survive(jobs, extra_files, read_files, &is_own)?;
    check_collisions(jobs, extra_files, folders)
}

/// Finds outputs in whose place there is something that is neither a file nor a folder, which a
/// renamed file would replace.
fn check_kinds(
    jobs: &[Job],
    extra_files: &[ExtraFile],
    is_own: &(impl Fn(&Job) -> bool + Sync),
) -> Result<(), PlanError> {
    let jobs = jobs.par_iter().filter(|job| is_own(job));
    let outputs = jobs.flat_map_iter(Job::outputs);
    if let Some(path) = outputs.filter(|path| is_special(path)).find_first(|_| true) {
        return Err(PlanError::OutputNotAFile { path: path.clone() });
    }
    for ExtraFile { option, what, path } in extra_files {
        if path.is_dir() {
            return Err(PlanError::ExtraIsFolder {
                option,
                path: path.clone(),
            });
        }
        // Reports are written to devices and pipes, and do not replace them.
        if *what != "report" && is_special(path) {
            return Err(PlanError::OutputNotAFile { path: path.clone() });
        }
    }
    Ok(())
}

/// Finds files that will be written and are read.
fn check_sources_survive(
    jobs: &mut [Job],
    extra_files: &[ExtraFile],
    read_files: &[PathBuf],
    is_own: &(impl Fn(&Job) -> bool + Sync),
) -> Result<(), PlanError> {
    let written: Vec<(FileId, usize)> = (jobs.par_iter().enumerate())
        .filter(|(_, job)| is_own(job))
        .flat_map_iter(|(index, job)| {
            let sidecars = job.sidecars.iter().map(|sidecar| &sidecar.output);
            let outputs = job.outputs().chain(sidecars);
            outputs.filter_map(move |path| Some((FileId::of(path)?, index)))
        })
        .collect();
    let extra: Vec<_> = (extra_files.iter())
        .filter_map(|extra| Some((FileId::of(&extra.path)?, extra)))
        .collect();
    if written.is_empty() && extra.is_empty() {
        return Ok(());
    }
    let sources: HashSet<FileId> = (jobs.par_iter())
        .flat_map_iter(|job| {
            let sidecars = job.sidecars.iter().map(|sidecar| &sidecar.source);
            std::iter::once(&job.input).chain(sidecars)
        })
        .filter_map(|path| FileId::of(path))
        .collect();
    let read_files: Vec<_> = read_files
        .iter()
        .filter_map(|path| FileId::of(path))
        .collect();
    for (id, extra) in extra {
        let is_read = sources.contains(&id) || read_files.contains(&id);
        if is_read || is_precious(&extra.path) {
            return Err(PlanError::ExtraOverwrites {
                option: extra.option,
                what: extra.what,
                path: extra.path.clone(),
            });
        }
    }
    for (id, index) in written {
        if !sources.contains(&id) {
            continue;
        }
        let job = &mut jobs[index];
        let is_source = |path: &&PathBuf| FileId::of(path).as_ref() == Some(&id);
        if let Some(path) = job.outputs().find(is_source) {
            return Err(PlanError::OutputIsInput { path: path.clone() });
        }
        // The text file of an input that is converted in its own folder stays what it is.
        for sidecar in &mut job.sidecars {
            if FileId::of(&sidecar.output).as_ref() == Some(&id) {
                sidecar.replace = None;
            }
        }
    }
    Ok(())
}

/// Returns whether a file is one that no report may replace: audio or other media, or a journal.
fn is_precious(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    path.file_name() == Some(OsStr::new(journal::NAME))
        || is_audio(extension)
        || is_other_media(extension)
        || path.is_file() && Decoder::open(path).is_ok()
}

/// What will be written to a place.
#[derive(Clone, Copy)]
enum Written {
    /// The output of the job with that index.
    Audio(usize),
    /// Of the job with that index, the sidecar with that one.
    Sidecar(usize, usize),
    /// The file with that index that is written beside the outputs.
    Extra(usize),
    Journal,
}

/// Finds files that would be written to one place, also where file names ignore case.
fn check_collisions(
    jobs: &mut Vec<Job>,
    extra_files: &[ExtraFile],
    folders: &[PathBuf],
) -> Result<(), PlanError> {
    let mut places = Places::default();
    let mut seen: HashMap<Place, Written> = HashMap::with_capacity(jobs.len());
    let mut twice = Vec::new();
    for folder in folders {
        seen.insert(places.find(&folder.join(journal::NAME)), Written::Journal);
    }
    for index in 0..jobs.len() {
        let job = &jobs[index];
        // Of chapters, the folder too: those of two books must not lie side by side.
        let folder = job.is_split().then(|| parent(&job.output));
        let mut is_twice = false;
        for path in folder
            .into_iter()
            .chain(job.outputs().map(PathBuf::as_path))
        {
            match seen.entry(places.find(path)) {
                Entry::Vacant(entry) => _ = entry.insert(Written::Audio(index)),
                Entry::Occupied(entry) => match *entry.get() {
                    Written::Audio(other)
                        if other != index
                            && jobs[other].request == job.request
                            && is_same_file(&jobs[other].input, &job.input) =>
                    {
                        is_twice = true;
                        break;
                    }
                    other => return Err(collision(jobs, other, job, &job.input, path)),
                },
            }
        }
        if is_twice {
            twice.push(index);
            continue;
        }
        for number in 0..jobs[index].sidecars.len() {
            let sidecar = &jobs[index].sidecars[number];
            let this = Written::Sidecar(index, number);
            match seen.entry(places.find(&sidecar.output)) {
                Entry::Vacant(entry) => _ = entry.insert(this),
                Entry::Occupied(mut entry) => match *entry.get() {
                    Written::Sidecar(other, other_number) => {
                        let other_sidecar = &jobs[other].sidecars[other_number];
                        if is_not_written(other_sidecar) {
                            entry.insert(this);
                        } else if !is_not_written(sidecar) {
                            return Err(PlanError::SidecarCollision {
                                first: jobs[other].input.clone(),
                                second: jobs[index].input.clone(),
                                output: sidecar.output.clone(),
                            });
                        }
                    }
                    other => {
                        let (source, output) = (&sidecar.source, &sidecar.output);
                        return Err(collision(jobs, other, &jobs[index], source, output));
                    }
                },
            }
        }
    }
    for (index, extra) in extra_files.iter().enumerate() {
        // What is no file, such as /dev/null, can be written to any number of times.
        if is_special(&extra.path) {
            continue;
        }
        let overwrites = || PlanError::ExtraOverwrites {
            option: extra.option,
            what: extra.what,
            path: extra.path.clone(),
        };
        match seen.insert(places.find(&extra.path), Written::Extra(index)) {
            None => {}
            Some(Written::Extra(other)) => {
                return Err(PlanError::SameExtra {
                    first: extra_files[other].option,
                    second: extra.option,
                    path: extra.path.clone(),
                });
            }
            Some(Written::Sidecar(job, sidecar))
                if is_not_written(&jobs[job].sidecars[sidecar]) => {}
            Some(_) => return Err(overwrites()),
        }
    }
    let mut index = 0;
    let mut twice = twice.into_iter().peekable();
    jobs.retain(|_| {
        let is_first = twice.next_if_eq(&index).is_none();
        index += 1;
        is_first
    });
    Ok(())
}

/// Returns whether nothing will be written for a sidecar: it would replace a source, or any text
/// that tells no times lies beside the audio.
fn is_not_written(sidecar: &SidecarJob) -> bool {
    let read = || Sidecar::read_all(std::slice::from_ref(&sidecar.source));
    sidecar.replace.is_none() || read().is_ok_and(|(found, _)| found.is_empty())
}

fn collision(jobs: &[Job], other: Written, job: &Job, source: &Path, output: &Path) -> PlanError {
    let (first, place, first_job) = match other {
        Written::Audio(index) => {
            let other = &jobs[index];
            (other.input.clone(), &*other.output, Some(other))
        }
        Written::Sidecar(index, number) => {
            let SidecarJob { source, output, .. } = &jobs[index].sidecars[number];
            (source.clone(), &**output, Some(&jobs[index]))
        }
        Written::Extra(_) | Written::Journal => (journal::NAME.into(), output, None),
    };
    let requests = first_job.and_then(|first| {
        let [first, second] = [first, job].map(|job| job.part_of.as_ref());
        let (first, second) = (first?.request.clone(), second?.request.clone());
        (first != second).then_some([first, second])
    });
    PlanError::Collision {
        requests,
        first,
        second: source.to_owned(),
        output: output.to_owned(),
        is_case_alone: place.file_name() != output.file_name(),
    }
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
pub(super) fn check_links<'a>(
    jobs: impl Iterator<Item = &'a Job>,
    root: &Path,
) -> Result<(), PlanError> {
    let folders: HashSet<&Path> = jobs.map(|job| parent(&job.output)).collect();
    let link = |folder: &Path| paths::link_below(root, folder);
    match folders.into_iter().filter_map(link).min() {
        Some(path) => Err(PlanError::LinkInOutput { path }),
        None => Ok(()),
    }
}
