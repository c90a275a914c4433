//! What a plan is made from.

use std::path::PathBuf;
use std::sync::Arc;

use super::durations::Durations;
use super::file_settings::{FileSettings, Rule};
use super::partition::Partition;
use super::selection::Selection;
use super::unfinished::UnfinishedFiles;
use crate::pipeline::paths::ends_in_separator;
use audiostretchy_containers::warning::Warning;

/// What to do where an output exists already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IfExists {
    /// Leave what an earlier run has made and is up to date, make the rest of its outputs again,
    /// and refuse the plan if there are others. In a folder only; for a single file as `Error`.
    Resume,
    /// Leave the file as it is and go on with the next.
    Skip,
    /// Replace the file.
    Overwrite,
    /// Refuse the whole plan.
    Error,
}

/// What a plan is made from.
#[derive(Debug, Clone)]
pub struct PlanRequest {
    /// What it is called where several requests make one plan.
    pub name: Option<Arc<str>>,
    /// Files and folders.
    pub inputs: Vec<PathBuf>,
    /// Files and folders that a list names: where their paths are relative, the output has the
    /// same one.
    pub listed: Vec<PathBuf>,
    /// Which files of input folders are taken.
    pub selection: Selection,
    /// A file for a single input file, else a folder.
    pub output: PathBuf,
    /// How files are converted.
    pub settings: FileSettings,
    /// Files that are converted with settings of their own: the first rule that fits a file counts.
    pub rules: Vec<Rule>,
    /// A length of its own for each output, instead of `stretch.duration` or `stretch.ratio`.
    pub durations: Option<Durations>,
    /// Where the time map of a single file goes.
    pub time_map: Option<PathBuf>,
    /// Other files that the caller will write, such as reports: none of them may take the place of
    /// anything that is read or written.
    pub extra_files: Vec<ExtraFile>,
    /// Other files that the caller has read, such as lists and presets: none of `extra_files` may
    /// take their place.
    pub read_files: Vec<PathBuf>,
    /// Where outputs are written until they are whole, to be copied then; `None` for the folder of
    /// each. A folder that is there.
    pub temp_dir: Option<PathBuf>,
    /// What to do where an output exists already.
    pub if_exists: IfExists,
    /// Give outputs, and the folders they are mirrored in, names that FAT, exFAT and Windows take.
    pub portable_names: bool,
    /// Write all outputs right into the output folder instead of mirroring the input folders.
    pub flatten: bool,
    /// Compare contents instead of modification times, those of sources and of outputs.
    pub checksum: bool,
    /// Keep a journal beside a single output too, in its folder, so that it is left where nothing has
    /// changed; else one that exists is refused.
    pub keeps_journal: bool,
    /// Let a plan of several requests have no file of this one; a plan of none is refused always.
    pub may_be_empty: bool,
    /// Leave what was made once from a source that has not changed since, also where its output is
    /// gone or settings have changed. Needs an output folder.
    pub only_new: bool,
    /// Remove outputs of earlier runs whose source is gone from the disk, once all else went well:
    /// those of this request's input folders in which there is still audio. Needs an output folder,
    /// and inputs as a whole, neither a list nor [`only`](Self::only).
    pub prune: bool,
    /// Takes everything out of the plan but the files of this partition, once all of it was checked.
    /// Needs an output folder, which it shares with other partitions.
    pub partition: Option<Partition>,
    /// Takes everything out of the plan but these files.
    pub only: Option<UnfinishedFiles>,
    /// What the caller has to say about the settings, told with the plan's own warnings.
    pub warnings: Vec<Warning>,
}

/// A file that is written beside the outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraFile {
    /// The option that asks for it, such as `--report`.
    pub option: &'static str,
    /// What it is, such as `report`.
    pub what: &'static str,
    /// The file.
    pub path: PathBuf,
}

impl PlanRequest {
    /// A request with everything but inputs and output left at its default.
    pub fn new(inputs: Vec<PathBuf>, output: PathBuf) -> Self {
        Self {
            name: None,
            inputs,
            listed: Vec::new(),
            selection: Selection::default(),
            output,
            settings: FileSettings::default(),
            rules: Vec::new(),
            durations: None,
            time_map: None,
            extra_files: Vec::new(),
            read_files: Vec::new(),
            temp_dir: None,
            if_exists: IfExists::Resume,
            portable_names: false,
            flatten: false,
            checksum: false,
            keeps_journal: false,
            may_be_empty: false,
            only_new: false,
            prune: false,
            partition: None,
            only: None,
            warnings: Vec::new(),
        }
    }

    /// Returns the settings of the request and of its rules.
    pub(super) fn all_settings(&self) -> impl Iterator<Item = &FileSettings> {
        std::iter::once(&self.settings).chain(self.rules.iter().map(|rule| &rule.settings))
    }

    /// Returns whether outputs go into a folder, rather than to a single file.
    pub fn writes_folder(&self) -> bool {
        let names_folder = ends_in_separator(&self.output) || self.output.is_dir();
        let [input] = &self.inputs[..] else {
            return true;
        };
        !self.listed.is_empty() || names_folder || input.is_dir()
    }
}
