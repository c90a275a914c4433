//! From requests to a plan.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::checks;
use super::finder::Finder;
use super::job::Job;
use super::journal::Journal;
use super::places::Places;
use super::plan::{Plan, PlannedRequest};
use super::plan_error::PlanError;
use super::prune;
use super::request::{ExtraFile, IfExists, PlanRequest};
use super::split;
use super::up_to_date;
use super::walk::Output;
use super::workers;
use crate::pipeline::paths::{self, FileId};
use crate::report::PartitionReport;

impl PlanRequest {
    /// Walks the inputs, names the outputs and checks that nothing would be lost.
    ///
    /// Reads no audio and writes nothing. Another run may be writing to the output folder:
    /// [`Session::start`](super::Session::start) plans where that is ruled out.
    ///
    /// # Errors
    /// Returns an error if an input is missing or nothing is found, files that will be written
    /// collide with each other or with files that are read, or files or links are in the way.
    pub fn plan(&self) -> Result<Plan, PlanError> {
        Plan::of(std::slice::from_ref(self))
    }

    /// Returns the folder with the journal; `None` where a single file is written without one.
    ///
    /// # Errors
    /// Returns an error if a folder is needed and the output is a file.
    fn folder(&self) -> Result<Option<&Path>, PlanError> {
        match self.writes_folder() {
            false if self.keeps_journal => Ok(Some(paths::parent(&self.output))),
            false => Ok(None),
            true if self.output.is_file() => Err(PlanError::OutputIsFile {
                path: self.output.clone(),
            }),
            true => Ok(Some(&self.output)),
        }
    }

    /// Returns an error that tells which request it is about, if there are several.
    fn error(&self, source: PlanError) -> PlanError {
        match &self.name {
            Some(name) => PlanError::OfRequest {
                name: name.clone(),
                source: source.into(),
            },
            None => source,
        }
    }

    /// Checks that all that is asked for can be had together.
    fn check(&self, folder: Option<&Path>) -> Result<(), PlanError> {
        let mut all = self.all_settings();
        all.try_for_each(|settings| checks::check_suffix(&settings.suffix))?;
        if self.time_map.is_some() && self.writes_folder() {
            return Err(PlanError::TimeMapOfMany);
        }
        let splits = self.all_settings().any(|settings| settings.split_chapters);
        for (option, is_on) in [
            ("--only-new", self.only_new),
            ("--prune", self.prune),
            ("--split", splits),
            ("--partition", self.partition.is_some()),
        ] {
            if is_on && folder.is_none() {
                return Err(PlanError::NeedsFolder { option });
            }
        }
        let is_part = self.only.is_some() || self.partition.is_some();
        match self.prune && (!self.listed.is_empty() || is_part) {
            true => Err(PlanError::PruneOfPart),
            false => Ok(()),
        }
    }

    /// Returns whether a job of this request belongs to its partition.
    fn has(&self, job: &Job) -> bool {
        let partition = self.partition;
        partition.is_none_or(|partition| partition.has(job.path_in_input()))
    }

    /// All files that are written beside the outputs.
    fn extra_files(&self) -> impl Iterator<Item = ExtraFile> {
        let time_map = self.time_map.iter().map(|path: &PathBuf| ExtraFile {
            option: "--time-map",
            what: "time map",
            path: path.clone(),
        });
        time_map.chain(self.extra_files.iter().cloned())
    }
}

/// The output folders of some requests, each but once.
pub(super) struct Folders {
    pub(super) paths: Vec<PathBuf>,
    /// The number of each request's; `None` where it writes a single file.
    pub(super) of_request: Vec<Option<usize>>,
}

impl Folders {
    /// Returns the folders of requests.
    ///
    /// # Errors
    /// Returns an error if one is a file, or a request would read what another writes.
    pub(super) fn of(requests: &[PlanRequest]) -> Result<Self, PlanError> {
        let mut places = Places::default();
        // Of a file in it, since a name alone may be spelt in several ways.
        let mut place = |folder: &Path| places.find(&folder.join("a"));
        let mut this = Self {
            paths: Vec::new(),
            of_request: Vec::new(),
        };
        let mut found = Vec::new();
        for request in requests {
            let folder = request.folder().map_err(|error| request.error(error))?;
            let number = folder.map(|folder| {
                let own = place(folder);
                let known = found.iter().position(|known| *known == own);
                known.unwrap_or_else(|| {
                    found.push(own);
                    this.paths.push(folder.to_owned());
                    found.len() - 1
                })
            });
            this.of_request.push(number);
        }
        Self::check_no_chains(requests)?;
        Ok(this)
    }

    /// Checks that no request reads what another writes: all are planned before any runs.
    fn check_no_chains(requests: &[PlanRequest]) -> Result<(), PlanError> {
        let outputs = requests.iter().map(|request| FileId::of(&request.output));
        let outputs: Vec<Option<FileId>> = outputs.collect();
        for (reader, request) in requests.iter().enumerate() {
            let others = requests.iter().zip(&outputs).enumerate();
            let others: Vec<_> = others
                .filter(|(writer, _)| *writer != reader)
                .filter_map(|(_, (writer, id))| Some((writer, id.as_ref()?)))
                .collect();
            if others.is_empty() {
                continue;
            }
            let mut looked_at = HashSet::new();
            for input in request.inputs.iter().chain(&request.listed) {
                let absolute = std::path::absolute(input).unwrap_or_else(|_| input.clone());
                // Of a list's million files, most lie in one folder.
                let ancestors = absolute.ancestors();
                let mut new = ancestors.take_while(|folder| looked_at.insert(folder.to_path_buf()));
                let writer = new.find_map(|folder| {
                    let id = FileId::of(folder)?;
                    let (writer, _) = others.iter().find(|(_, output)| **output == id)?;
                    Some(writer)
                });
                if let Some(writer) = writer {
                    return Err(request.error(PlanError::InputIsOutput {
                        path: input.clone(),
                        writer: writer.name.clone().unwrap_or_default(),
                    }));
                }
            }
        }
        Ok(())
    }
}

impl Plan {
    /// Plans several requests together: no file may be written by two of them, and none that one of
    /// them reads by another. Requests may share an output folder; all have one partition.
    ///
    /// # Errors
    /// Returns the errors of [`PlanRequest::plan`], as [`PlanError::OfRequest`] where the request has
    /// a name.
    pub fn of(requests: &[PlanRequest]) -> Result<Self, PlanError> {
        let folders = Folders::of(requests)?;
        let read = |folder: &PathBuf| {
            Journal::read(folder).map_err(|source| PlanError::Journal {
                path: folder.clone(),
                source,
            })
        };
        let journals: Result<Vec<Journal>, _> = folders.paths.iter().map(read).collect();
        let journals = journals?;
        Self::with(requests, &folders, &journals.iter().collect::<Vec<_>>())
    }

    /// As [`of`](Self::of), with what is known of the output folders.
    pub(super) fn with(
        requests: &[PlanRequest],
        folders: &Folders,
        journals: &[&Journal],
    ) -> Result<Self, PlanError> {
        workers::in_parallel(|| Self::here(requests, folders, journals))
    }

    fn here(
        requests: &[PlanRequest],
        folders: &Folders,
        journals: &[&Journal],
    ) -> Result<Self, PlanError> {
        let unknown = Journal::default();
        let folder_of = |request: usize| {
            let number = folders.of_request[request]?;
            Some((folders.paths[number].as_path(), journals[number]))
        };
        let outputs = requests.iter();
        let outputs: Vec<Output> = outputs
            .filter_map(|request| Output::find(&request.output))
            .collect();
        let mut plan = Self::default();
        let mut all_settings = Vec::new();
        let mut nothing = None;
        for (number, request) in requests.iter().enumerate() {
            let folder = folder_of(number);
            let journal = folder.map_or(&unknown, |(_, journal)| journal);
            let finder = Finder::new(number, request, journal, &outputs, &mut all_settings);
            let found = find(finder, request, folder.map(|(folder, _)| folder));
            let found = found.map_err(|error| request.error(error))?;
            match found.no_audio() {
                Some(error) if !request.may_be_empty => return Err(request.error(error)),
                Some(error) => nothing = Some(error),
                None => {}
            }
            plan.warnings.extend(found.unused_rules());
            plan.jobs.extend(found.jobs);
            plan.unreadable.extend(found.unreadable);
            plan.left_out.extend(found.left_out);
            plan.warnings.extend(request.warnings.iter().cloned());
            plan.requests.push(PlannedRequest {
                folder: folders.of_request[number],
                time_map: request.time_map.clone(),
                temp_dir: request.temp_dir.clone(),
                prune: request.prune,
            });
        }
        plan.folders.clone_from(&folders.paths);
        if let Some(nothing) = nothing.filter(|_| plan.is_empty()) {
            return Err(nothing);
        }
        plan.restrict(requests)?;
        for (number, folder) in folders.paths.iter().enumerate() {
            let is_own = |job: &&Job| folders.of_request[job.request] == Some(number);
            checks::check_links(plan.jobs.iter().filter(is_own), folder)?;
        }
        for jobs in plan.jobs.chunk_by_mut(|a, b| a.request == b.request) {
            let number = jobs[0].request;
            let (request, folder) = (&requests[number], folder_of(number));
            let if_exists = match (request.if_exists, &folder) {
                (IfExists::Resume, None) => IfExists::Error,
                (if_exists, _) => if_exists,
            };
            let journal = folder.map_or(&unknown, |(_, journal)| journal);
            up_to_date::decide(jobs, if_exists, request.only_new, journal)
                .map_err(|error| request.error(error))?;
        }
        for (number, journal) in journals.iter().enumerate() {
            plan.to_prune.extend(prune::find(journal, &plan, number));
        }
        Ok(plan)
    }

    /// Checks what all requests write, and takes out what is not this run's.
    fn restrict(&mut self, requests: &[PlanRequest]) -> Result<(), PlanError> {
        let extra: Vec<ExtraFile> = requests.iter().flat_map(PlanRequest::extra_files).collect();
        let read_files = requests.iter().flat_map(|request| &request.read_files);
        let read_files: Vec<PathBuf> = read_files.cloned().collect();
        let folders = self.folders.clone();
        let is_own = |job: &Job| requests[job.request].has(job);
        let check_written = |jobs: &mut Vec<Job>| {
            checks::check_written(jobs, &extra, &read_files, &folders, is_own)
        };
        let partition = requests.iter().find_map(|request| request.partition);
        let split =
            |jobs: &mut [Job]| split::split(jobs, |job| requests[job.request].portable_names);
        if partition.is_none() {
            split(&mut self.jobs);
        }
        check_written(&mut self.jobs)?;
        let all = self.jobs.len() + self.unreadable.len();
        if let Some(partition) = partition {
            self.jobs.retain(is_own);
            self.unreadable
                .retain(|unreadable| partition.has(&unreadable.path));
            // Names that depend on what is in files are those of this partition's files alone.
            split(&mut self.jobs);
            if self.jobs.iter().any(Job::is_split) {
                check_written(&mut self.jobs)?;
            }
        }
        self.partition = partition.map(|partition| PartitionReport {
            number: partition.number(),
            count: partition.count(),
            files: self.jobs.len() + self.unreadable.len(),
            all_files: all,
        });
        if let Some(only) = requests.iter().find_map(|request| request.only.as_ref()) {
            only.restrict(&mut self.jobs, &mut self.unreadable);
            if self.is_empty() {
                return Err(PlanError::NothingUnfinished);
            }
        }
        Ok(())
    }
}

/// Finds the files of a request.
fn find<'a>(
    mut finder: Finder<'a>,
    request: &PlanRequest,
    folder: Option<&Path>,
) -> Result<Finder<'a>, PlanError> {
    match (request.writes_folder(), &request.inputs[..]) {
        (false, [input]) => finder.add_single(input)?,
        _ => finder.add_all()?,
    }
    if let Some(failure) = finder.failure.take() {
        return Err(failure);
    }
    request.check(folder)?;
    if let Some(durations) = &request.durations
        && finder.no_audio().is_none()
    {
        durations.assign(&mut finder.jobs)?;
    }
    checks::check_encoders(&finder.jobs)?;
    Ok(finder)
}
