//! From a request to a plan.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::checks;
use super::finder::Finder;
use super::job::Job;
use super::journal::Journal;
use super::plan::Plan;
use super::plan_error::PlanError;
use super::prune;
use super::request::{IfExists, PlanRequest};
use super::split;
use super::up_to_date;
use super::workers;
use crate::pipeline::file_state;
use crate::report::PartitionReport;
use audiostretchy_media::format::Format;

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
        match self.folder()? {
            None => self.plan_with(&Journal::default()),
            Some(folder) => {
                let journal = Journal::read(folder).map_err(|source| PlanError::Journal {
                    path: folder.to_owned(),
                    source,
                })?;
                self.plan_with(&journal)
            }
        }
    }

    /// Returns the output folder; `None` where a single file is written.
    ///
    /// # Errors
    /// Returns an error if a folder is needed and the output is a file.
    pub(super) fn folder(&self) -> Result<Option<&Path>, PlanError> {
        if !self.writes_folder() {
            return Ok(None);
        }
        match self.output.is_file() {
            true => Err(PlanError::OutputIsFile {
                path: self.output.clone(),
            }),
            false => Ok(Some(&self.output)),
        }
    }

    /// As [`plan`](Self::plan), with what is known of the output folder.
    pub(super) fn plan_with(&self, journal: &Journal) -> Result<Plan, PlanError> {
        workers::in_parallel(|| self.plan_here(journal))
    }

    fn plan_here(&self, journal: &Journal) -> Result<Plan, PlanError> {
        checks::check_suffix(&self.suffix)?;
        let folder = self.folder()?.map(Path::to_owned);
        let mut finder = Finder::new(self, journal);
        match (&folder, &self.inputs[..]) {
            (None, [input]) => finder.add_single(input)?,
            _ => finder.add_all()?,
        }
        if let Some(failure) = finder.failure {
            return Err(failure);
        }
        let Finder {
            mut jobs,
            mut unreadable,
            left_out,
            ..
        } = finder;
        if self.time_map.is_some() && folder.is_some() {
            return Err(PlanError::TimeMapOfMany);
        }
        for (option, is_on) in [
            ("--only-new", self.only_new),
            ("--prune", self.prune),
            ("--split", self.split_chapters),
            ("--partition", self.partition.is_some()),
        ] {
            if is_on && folder.is_none() {
                return Err(PlanError::NeedsFolder { option });
            }
        }
        let is_part = self.only.is_some() || self.partition.is_some();
        if self.prune && (!self.listed.is_empty() || is_part) {
            return Err(PlanError::PruneOfPart);
        }
        if let Some(durations) = &self.durations {
            durations.assign(&mut jobs)?;
        }
        if self.split_chapters && self.partition.is_none() {
            split::split(&mut jobs, self);
        }
        checks::check_encoders(&jobs)?;
        let is_own = |job: &Job| {
            let partition = self.partition;
            partition.is_none_or(|partition| partition.has(job.path_in_input()))
        };
        let check_written = |jobs: &mut Vec<Job>| {
            let extra = self.extra_files();
            checks::check_written(jobs, &extra, &self.read_files, folder.as_deref(), is_own)
        };
        check_written(&mut jobs)?;
        let all = jobs.len() + unreadable.len();
        if let Some(partition) = self.partition {
            jobs.retain(is_own);
            unreadable.retain(|unreadable| partition.has(&unreadable.path));
            // Names that depend on what is in files are those of this partition's files alone.
            if self.split_chapters {
                split::split(&mut jobs, self);
                check_written(&mut jobs)?;
            }
        }
        let partition = self.partition.map(|partition| PartitionReport {
            number: partition.number(),
            count: partition.count(),
            files: jobs.len() + unreadable.len(),
            all_files: all,
        });
        if let Some(only) = &self.only {
            only.restrict(&mut jobs, &mut unreadable);
            if jobs.is_empty() && unreadable.is_empty() {
                return Err(PlanError::NothingUnfinished);
            }
        }
        if let Some(folder) = &folder {
            checks::check_links(&jobs, folder)?;
        }
        let if_exists = match (self.if_exists, &folder) {
            (IfExists::Resume, None) => IfExists::Error,
            (if_exists, _) => if_exists,
        };
        up_to_date::decide(&mut jobs, if_exists, self.only_new, journal)?;
        let to_prune = match self.prune {
            true => prune::find(journal, &jobs, self.checksum),
            false => Vec::new(),
        };
        Ok(Plan {
            jobs,
            unreadable,
            left_out,
            folder,
            partition,
            stretch: self.stretch.clone(),
            encoding: self.encoding.clone(),
            keep: self.keep,
            time_map: self.time_map.clone(),
            keep_mtime: self.keep_mtime,
            strict: self.strict,
            to_prune,
            warnings: self.warnings.clone(),
        })
    }

    /// All files that are written beside the outputs.
    fn extra_files(&self) -> Vec<super::ExtraFile> {
        let time_map = self.time_map.iter().map(|path: &PathBuf| super::ExtraFile {
            option: "--time-map",
            what: "time map",
            path: path.clone(),
        });
        time_map.chain(self.extra_files.iter().cloned()).collect()
    }

    /// Stands for all settings that act on files written in `format`.
    pub(super) fn fingerprint(&self, format: Format, keeps_format: bool) -> String {
        file_state::fingerprint(&json!({
            "engine": self.stretch.engine.version(),
            "stretch": self.stretch.effective(),
            "format": format,
            "keeps_format": keeps_format,
            "encoding": self.encoding.effective(format),
            "keep": self.keep,
            "strict": self.strict,
            "keep_mtime": self.keep_mtime,
        }))
    }
}
