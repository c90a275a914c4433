//! What is to be done: every input with its output, checked before anything is written.

mod checks;
mod error;

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::Metadata;
use std::panic::catch_unwind;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::json;

use super::journal::{self, Journal};
use super::rerun::UnfinishedFiles;
use super::selection::{Selection, is_audio};
use super::walk::{self, Unreadable};
use crate::engine::ENGINE_VERSION;
use crate::media::decode::{AudioInfo, Decoder};
use crate::media::format::{Format, OutputOptions};
use crate::options::{Keep, StretchOptions};

pub use error::PlanError;

/// What to do where an output exists already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// Files and folders.
    pub inputs: Vec<PathBuf>,
    /// Files and folders that a list names: where their paths are relative, the output has the
    /// same one.
    pub listed: Vec<PathBuf>,
    /// Which files of input folders are taken.
    pub selection: Selection,
    /// A file for a single input file, else a folder.
    pub output: PathBuf,
    /// How audio is to be stretched.
    pub stretch: StretchOptions,
    /// How output is to be encoded.
    pub encoding: OutputOptions,
    /// What is kept beside the audio.
    pub keep: Keep,
    /// Where the time map of a single file goes.
    pub time_map: Option<PathBuf>,
    /// What to do where an output exists already.
    pub if_exists: IfExists,
    /// Put between the name of an output and its extension.
    pub suffix: OsString,
    /// Write all outputs right into the output folder instead of mirroring the input folders.
    pub flatten: bool,
    /// Compare the content of sources instead of their modification time.
    pub checksum: bool,
    /// Give outputs the modification time of their inputs.
    pub keep_mtime: bool,
    /// Make damaged inputs fail instead of filling them up with silence.
    pub strict: bool,
    /// Takes everything out of the plan but these files.
    pub only: Option<UnfinishedFiles>,
}

impl PlanRequest {
    /// A request with everything but inputs and output left at its default.
    pub fn new(inputs: Vec<PathBuf>, output: PathBuf) -> Self {
        Self {
            inputs,
            listed: Vec::new(),
            selection: Selection::default(),
            output,
            stretch: StretchOptions::default(),
            encoding: OutputOptions::default(),
            keep: Keep::default(),
            time_map: None,
            if_exists: IfExists::Resume,
            suffix: OsString::new(),
            flatten: false,
            checksum: false,
            keep_mtime: false,
            strict: false,
            only: None,
        }
    }
}

/// Everything a run will do.
#[derive(Debug)]
pub struct Plan {
    /// The files, longest first once [`probe`](Self::probe) has been called.
    pub jobs: Vec<Job>,
    /// Parts of input folders that cannot be read.
    pub unreadable: Vec<Unreadable>,
    /// The output folder; `None` where a single file is written.
    pub folder: Option<PathBuf>,
    /// How audio is to be stretched.
    pub stretch: StretchOptions,
    /// How output is to be encoded.
    pub encoding: OutputOptions,
    /// What is kept beside the audio.
    pub keep: Keep,
    /// Where the time map of a single file goes.
    pub time_map: Option<PathBuf>,
    /// Give outputs the modification time of their inputs.
    pub keep_mtime: bool,
    /// Make damaged inputs fail instead of filling them up with silence.
    pub strict: bool,
}

/// One input and its output.
#[derive(Debug, Clone)]
pub struct Job {
    /// The file to read.
    pub input: PathBuf,
    /// The file to write.
    pub output: PathBuf,
    /// The output's format, as far as names and options tell.
    pub format: Format,
    /// Whether that is the input's own, so that its content has a say in it.
    pub keeps_format: bool,
    /// What is to be done.
    pub action: Action,
    /// Whether the output exists and is to be replaced.
    pub replace: bool,
    /// What the input's header tells, once probed; `None` if it cannot be read.
    pub audio: Option<AudioInfo>,
    /// Whether an earlier run has written the output, or was about to, so that what lies beside it
    /// is ours too.
    pub(super) is_known: bool,
    /// Stands for all settings that act on the file.
    pub(super) fingerprint: Arc<str>,
    /// Compare the content of the source instead of its modification time.
    pub(super) checksum: bool,
    /// Whether text files beside the source are kept.
    pub(super) sidecars: bool,
}

impl Job {
    /// Length of the input in seconds, as far as known; else 0.
    pub fn seconds(&self) -> f64 {
        let audio = self.audio.as_ref();
        audio.and_then(AudioInfo::seconds).unwrap_or(0.0)
    }
}

/// What a run does with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Stretch the file.
    Stretch,
    /// Leave it: the output exists.
    SkipExisting,
    /// Leave it: an earlier run has made the output, and nothing has changed since.
    SkipUpToDate,
}

impl PlanRequest {
    /// Walks the inputs, names the outputs and checks that nothing would be lost.
    ///
    /// Reads no audio and writes nothing.
    ///
    /// # Errors
    /// Where an input is missing or nothing is found, outputs collide with each other or with
    /// inputs, or files or links are in the way.
    pub fn plan(self) -> Result<Plan, PlanError> {
        checks::check_suffix(&self.suffix)?;
        let names_folder = ends_in_separator(&self.output) || self.output.is_dir();
        let (mut plan, journal, if_exists) = match (&self.inputs[..], &self.listed[..]) {
            ([input], []) if !names_folder && !input.is_dir() => {
                let if_exists = match self.if_exists {
                    IfExists::Resume => IfExists::Error,
                    other => other,
                };
                (self.single(input)?, Journal::default(), if_exists)
            }
            _ => {
                let journal = self.journal()?;
                (self.folder(&journal)?, journal, self.if_exists)
            }
        };
        if self.time_map.is_some() && plan.folder.is_some() {
            return Err(PlanError::TimeMapOfMany);
        }
        if let (Some(map), [job]) = (&self.time_map, &plan.jobs[..]) {
            let same = |other: &Path| map == other || is_same_file(map, other);
            if same(&job.input) || same(&job.output) {
                return Err(PlanError::OutputIsInput { path: map.clone() });
            }
        }
        checks::check_encoders(&plan.jobs)?;
        checks::check_collisions(&plan.jobs)?;
        checks::check_inputs_survive(&plan.jobs)?;
        if let Some(only) = &self.only {
            only.restrict(&mut plan.jobs, &mut plan.unreadable);
        }
        if let Some(folder) = &plan.folder {
            checks::check_links(&plan.jobs, folder)?;
        }
        checks::check_existing(&mut plan.jobs, if_exists, &journal)?;
        Ok(plan)
    }

    fn single(&self, input: &Path) -> Result<Plan, PlanError> {
        input_exists(input)?;
        let path = &self.output;
        let format = match (format_of(path), self.encoding.format) {
            (Some(name), Some(option)) if name != option => {
                return Err(PlanError::FormatMismatch {
                    path: path.clone(),
                    name,
                    option,
                });
            }
            (Some(format), _) | (None, Some(format)) => format,
            (None, None) => return Err(PlanError::UnknownOutputFormat { path: path.clone() }),
        };
        let fingerprint = self.fingerprint(format);
        let job = self.job(input.to_owned(), path.clone(), format, fingerprint);
        Ok(self.to_plan(vec![job], Vec::new(), None))
    }

    fn journal(&self) -> Result<Journal, PlanError> {
        let path = self.output.clone();
        if path.is_file() {
            return Err(PlanError::OutputIsFile { path });
        }
        Journal::read(&path).map_err(|source| PlanError::Journal { path, source })
    }

    fn folder(&self, journal: &Journal) -> Result<Plan, PlanError> {
        let mut finder = Finder {
            request: self,
            journal,
            output: self.output.canonicalize().ok(),
            fingerprints: HashMap::new(),
            jobs: Vec::new(),
            unreadable: Vec::new(),
            unwritable: Vec::new(),
        };
        for input in &self.inputs {
            finder.add_input(input, Path::new(input.file_name().unwrap_or_default()))?;
        }
        for input in &self.listed {
            finder.add_input(input, &listed_place(input)?)?;
        }
        if !finder.unwritable.is_empty() {
            return Err(PlanError::CannotKeepFormat {
                inputs: finder.unwritable,
            });
        }
        if finder.jobs.is_empty() && finder.unreadable.is_empty() {
            return Err(PlanError::NoAudio {
                inputs: [&self.inputs[..], &self.listed[..]].concat(),
            });
        }
        Ok(self.to_plan(finder.jobs, finder.unreadable, Some(self.output.clone())))
    }

    fn to_plan(
        &self,
        jobs: Vec<Job>,
        unreadable: Vec<Unreadable>,
        folder: Option<PathBuf>,
    ) -> Plan {
        Plan {
            jobs,
            unreadable,
            folder,
            stretch: self.stretch.clone(),
            encoding: self.encoding.clone(),
            keep: self.keep,
            time_map: self.time_map.clone(),
            keep_mtime: self.keep_mtime,
            strict: self.strict,
        }
    }

    fn job(&self, input: PathBuf, output: PathBuf, format: Format, fingerprint: Arc<str>) -> Job {
        Job {
            fingerprint,
            checksum: self.checksum,
            sidecars: self.keep.sidecars,
            ..Job::new(input, output, format)
        }
    }

    /// Stands for all settings that act on files written in `format`.
    fn fingerprint(&self, format: Format) -> Arc<str> {
        let settings = json!({
            "engine": ENGINE_VERSION,
            "stretch": self.stretch.effective(),
            "format": format,
            "encoding": self.encoding.effective(format),
            "keep": self.keep,
            "strict": self.strict,
        });
        journal::fingerprint(&settings).into()
    }

    /// The output of an input that belongs at `place` in the output folder.
    fn output_of(&self, place: &Path, format: Format) -> PathBuf {
        let name = Path::new(place.file_name().unwrap_or_default());
        // In a name like "take 1.5" what follows the dot is no extension.
        let extension = name.extension().filter(|extension| is_audio(extension));
        let stem = match extension {
            Some(_) => name.file_stem().unwrap_or_default(),
            None => name.as_os_str(),
        };
        let mut output = stem.to_owned();
        output.push(&self.suffix);
        output.push(".");
        output.push(match extension {
            Some(extension) if format_of(place) == Some(format) => extension,
            _ => OsStr::new(format.extensions()[0]),
        });
        match place.parent() {
            Some(folder) if !self.flatten => self.output.join(folder).join(output),
            _ => self.output.join(output),
        }
    }
}

/// Collects the jobs of a folder plan.
struct Finder<'a> {
    request: &'a PlanRequest,
    journal: &'a Journal,
    /// The output folder's canonical path, if it exists.
    output: Option<PathBuf>,
    /// The same for all files of a format, and too slow to make for each.
    fingerprints: HashMap<Format, Arc<str>>,
    jobs: Vec<Job>,
    unreadable: Vec<Unreadable>,
    /// Inputs whose own format cannot be written.
    unwritable: Vec<PathBuf>,
}

impl Finder<'_> {
    /// Adds a file, which belongs at `place` in the output folder, or all files of a folder.
    fn add_input(&mut self, input: &Path, place: &Path) -> Result<(), PlanError> {
        if !input_exists(input)?.is_dir() {
            self.add_file(input.to_owned(), place);
            return Ok(());
        }
        let request = self.request;
        let output = self.output.clone();
        // Where outputs lie among the inputs, they must not become inputs themselves.
        let is_in_place = output.is_some() && input.canonicalize().ok() == output;
        let journal = self.journal;
        let is_ours =
            |place: &Path| is_in_place && journal.find(&request.output.join(place)).is_some();
        for found in walk::audio_files(input, &request.selection, output.as_deref()) {
            match found {
                Ok(path) => {
                    let place = path.strip_prefix(input).unwrap_or(&path).to_owned();
                    if !is_ours(&place) {
                        self.add_file(path, &place);
                    }
                }
                Err(error) if error.path == input => {
                    return Err(PlanError::InputUnreadable {
                        path: error.path,
                        source: error.source,
                    });
                }
                Err(error) => self.unreadable.push(error),
            }
        }
        Ok(())
    }

    fn add_file(&mut self, input: PathBuf, place: &Path) {
        let option = self.request.encoding.format;
        match option.or_else(|| kept_format_of(&input)) {
            Some(format) => {
                let request = self.request;
                let output = request.output_of(place, format);
                let fingerprint = self.fingerprints.entry(format);
                let fingerprint = fingerprint.or_insert_with(|| request.fingerprint(format));
                self.jobs.push(Job {
                    keeps_format: option.is_none(),
                    ..request.job(input, output, format, fingerprint.clone())
                });
            }
            None => self.unwritable.push(input),
        }
    }
}

impl Plan {
    /// What is kept of each file beside the audio.
    pub(super) fn keep(&self) -> Keep {
        Keep {
            time_map: self.time_map.is_some(),
            ..self.keep
        }
    }

    /// Reads the headers of the files to be stretched, on all processors, and puts the longest
    /// first. What cannot be read stays in the plan and will fail with its reason.
    pub fn probe(&mut self) {
        self.jobs
            .par_iter_mut()
            .filter(|job| job.action == Action::Stretch)
            .for_each(|job| {
                // A parser's panic is that file's failure, once it is its turn.
                let open = || Decoder::open(&job.input).map(|decoder| decoder.info().clone());
                job.audio = catch_unwind(open).ok().and_then(Result::ok);
            });
        self.jobs
            .sort_by(|a, b| b.seconds().total_cmp(&a.seconds()));
    }

    /// The files to be stretched.
    pub fn to_stretch(&self) -> impl Iterator<Item = &Job> {
        let is_work = |job: &&Job| job.action == Action::Stretch;
        self.jobs.iter().filter(is_work)
    }
}

impl Job {
    pub(super) fn new(input: PathBuf, output: PathBuf, format: Format) -> Self {
        Self {
            input,
            output,
            format,
            keeps_format: false,
            action: Action::Stretch,
            replace: false,
            audio: None,
            is_known: false,
            fingerprint: Arc::default(),
            checksum: false,
            sidecars: false,
        }
    }

    /// What is at the output's place, links not followed.
    fn output_metadata(&self) -> Option<Metadata> {
        self.output.symlink_metadata().ok()
    }
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    a.canonicalize()
        .is_ok_and(|a| b.canonicalize().is_ok_and(|b| a == b))
}

fn input_exists(path: &Path) -> Result<Metadata, PlanError> {
    let given = || path.to_owned();
    match path.metadata() {
        Ok(metadata) if metadata.is_file() || metadata.is_dir() => Ok(metadata),
        Ok(_) => Err(PlanError::InputNotAFile { path: given() }),
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
            Err(PlanError::InputMissing { path: given() })
        }
        Err(source) => Err(PlanError::InputUnreadable {
            path: given(),
            source,
        }),
    }
}

/// Where a file that a list names belongs in the output folder.
fn listed_place(path: &Path) -> Result<PathBuf, PlanError> {
    if path.is_absolute() {
        return Ok(path.file_name().map(PathBuf::from).unwrap_or_default());
    }
    let mut place = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => place.push(name),
            Component::CurDir => {}
            _ => {
                return Err(PlanError::ListedOutside {
                    path: path.to_owned(),
                });
            }
        }
    }
    Ok(place)
}

fn ends_in_separator(path: &Path) -> bool {
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes
        .last()
        .is_some_and(|&byte| std::path::is_separator(byte.into()))
        || matches!(
            path.components().next_back(),
            Some(Component::ParentDir | Component::CurDir)
        )
}

fn format_of(path: &Path) -> Option<Format> {
    Format::from_extension(path.extension()?.to_str()?)
}

fn kept_format_of(path: &Path) -> Option<Format> {
    Format::kept_from_extension(path.extension()?.to_str()?)
}
