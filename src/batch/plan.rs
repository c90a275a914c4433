//! What is to be done: every input with its output, checked before anything is written.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use rayon::prelude::*;

use super::output;
use super::rerun::UnfinishedFiles;
use super::walk::{self, Unreadable};
use crate::media::decode::{AudioInfo, Decoder};
use crate::media::format::{Format, OutputOptions};
use crate::options::StretchOptions;

/// What to do where an output exists already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfExists {
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
    /// A file for a single input file, else a folder.
    pub output: PathBuf,
    /// How audio is to be stretched.
    pub stretch: StretchOptions,
    /// How output is to be encoded.
    pub encoding: OutputOptions,
    /// What to do where an output exists already.
    pub if_exists: IfExists,
    /// Takes everything out of the plan but these files.
    pub only: Option<UnfinishedFiles>,
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
    /// Whether existing outputs may be replaced.
    pub replace: bool,
}

/// One input and its output.
#[derive(Debug, Clone)]
pub struct Job {
    /// The file to read.
    pub input: PathBuf,
    /// The file to write.
    pub output: PathBuf,
    /// The output's format.
    pub format: Format,
    /// What is to be done.
    pub action: Action,
    /// What the input's header tells, once probed; `None` if it cannot be read.
    pub audio: Option<AudioInfo>,
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
}

/// Why a plan cannot be carried out. Nothing has been written then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// An input is not there.
    #[error("{}: no such file or folder", path.display())]
    InputMissing {
        /// The input.
        path: PathBuf,
    },
    /// An input folder cannot be read.
    #[error("{}: cannot be read", path.display())]
    InputUnreadable {
        /// The input.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is not one audio file in the inputs.
    #[error(
        "no audio files found in {}; known extensions: {}",
        list(inputs, 3),
        walk::AUDIO_EXTENSIONS.join(" ")
    )]
    NoAudio {
        /// The inputs.
        inputs: Vec<PathBuf>,
    },
    /// Several inputs need a folder and the output is a file.
    #[error("{}: is a file; give a folder to write several files to", path.display())]
    OutputIsFile {
        /// The output.
        path: PathBuf,
    },
    /// The output of a file is a folder.
    #[error("{}: is a folder where {} is to be written; rename one of them", path.display(), input.display())]
    OutputIsFolder {
        /// The output.
        path: PathBuf,
        /// The input.
        input: PathBuf,
    },
    /// The output file's name tells no format.
    #[error(
        "{}: cannot tell a format from that name; end it in {}, name one with --format, or end it \
         in / for a folder",
        path.display(),
        extensions()
    )]
    UnknownOutputFormat {
        /// The output.
        path: PathBuf,
    },
    /// The output file's name and the format asked for disagree.
    #[error("{}: the name says {} and --format says {}; change one of them", path.display(), name.name(), option.name())]
    FormatMismatch {
        /// The output.
        path: PathBuf,
        /// What the name says.
        name: Format,
        /// What the option says.
        option: Format,
    },
    /// Inputs whose own format cannot be written.
    #[error(
        "cannot keep the format of {} {}: {}; choose one to convert to with --format {}",
        inputs.len(),
        if inputs.len() == 1 { "file" } else { "files" },
        list(inputs, 5),
        names()
    )]
    CannotKeepFormat {
        /// The inputs.
        inputs: Vec<PathBuf>,
    },
    /// Two inputs would be written to one file.
    #[error(
        "{} and {} would both be written to {}; rename one or give them different output folders",
        first.display(),
        second.display(),
        output.display()
    )]
    Collision {
        /// One input.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// The output of both.
        output: PathBuf,
    },
    /// An output is one of the inputs.
    #[error("{}: is an input and would be overwritten; choose another output", path.display())]
    OutputIsInput {
        /// The file.
        path: PathBuf,
    },
    /// Outputs exist and that was to be an error.
    #[error("{} already there: {}; use --if-exists overwrite to replace, or skip to keep", count(outputs.len(), "output is", "outputs are"), list(outputs, 5))]
    OutputExists {
        /// The outputs.
        outputs: Vec<PathBuf>,
    },
    /// The output folder cannot be written to.
    #[error("{}: cannot write there", path.display())]
    OutputUnwritable {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl PlanRequest {
    /// Walks the inputs, names the outputs and checks that nothing would be lost.
    ///
    /// Reads no audio and writes nothing.
    ///
    /// # Errors
    /// Where an input is missing or nothing is found, outputs collide with each other, with
    /// inputs, or (if so asked) with existing files.
    pub fn plan(self) -> Result<Plan, PlanError> {
        let names_folder = ends_in_separator(&self.output) || self.output.is_dir();
        let mut plan = match &self.inputs[..] {
            [input] if !names_folder && !input.is_dir() => self.single(input)?,
            _ => self.folder()?,
        };
        check_collisions(&plan.jobs)?;
        check_inputs_survive(&plan.jobs)?;
        if let Some(only) = &self.only {
            only.restrict(&mut plan.jobs, &mut plan.unreadable);
        }
        self.check_existing(&mut plan.jobs)?;
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
        let job = Job::new(input.to_owned(), path.clone(), format);
        Ok(self.to_plan(vec![job], Vec::new(), None))
    }

    fn folder(&self) -> Result<Plan, PlanError> {
        if self.output.is_file() {
            return Err(PlanError::OutputIsFile {
                path: self.output.clone(),
            });
        }
        let output = self.output.canonicalize().ok();
        let mut jobs = Vec::new();
        let mut unreadable = Vec::new();
        let mut unwritable = Vec::new();
        let mut add =
            |input: PathBuf, relative: &Path| match self.encoding.format.or(format_of(&input)) {
                Some(format) => {
                    let output = self.output.join(relative);
                    let output = with_format(output, format);
                    jobs.push(Job::new(input, output, format));
                }
                None => unwritable.push(input),
            };
        for input in &self.inputs {
            input_exists(input)?;
            if !input.is_dir() {
                let name = input.file_name().map(PathBuf::from);
                add(input.clone(), &name.unwrap_or_default());
                continue;
            }
            for found in walk::audio_files(input, output.as_deref()) {
                match found {
                    Ok(path) => {
                        let relative = path.strip_prefix(input).unwrap_or(&path).to_owned();
                        add(path, &relative);
                    }
                    Err(error) if error.path == *input => {
                        return Err(PlanError::InputUnreadable {
                            path: error.path,
                            source: error.source,
                        });
                    }
                    Err(error) => unreadable.push(error),
                }
            }
        }
        if !unwritable.is_empty() {
            return Err(PlanError::CannotKeepFormat { inputs: unwritable });
        }
        if jobs.is_empty() && unreadable.is_empty() {
            return Err(PlanError::NoAudio {
                inputs: self.inputs.clone(),
            });
        }
        Ok(self.to_plan(jobs, unreadable, Some(self.output.clone())))
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
            replace: self.if_exists == IfExists::Overwrite,
        }
    }

    fn check_existing(&self, jobs: &mut [Job]) -> Result<(), PlanError> {
        let mut existing = Vec::new();
        for job in jobs {
            let Ok(metadata) = job.output.symlink_metadata() else {
                continue;
            };
            if metadata.is_dir() {
                return Err(PlanError::OutputIsFolder {
                    path: job.output.clone(),
                    input: job.input.clone(),
                });
            }
            match self.if_exists {
                IfExists::Skip => job.action = Action::SkipExisting,
                IfExists::Overwrite => {}
                IfExists::Error => existing.push(job.output.clone()),
            }
        }
        if existing.is_empty() {
            return Ok(());
        }
        Err(PlanError::OutputExists { outputs: existing })
    }
}

impl Plan {
    /// Reads the headers of the files to be stretched, on all processors, and puts the longest
    /// first. What cannot be read stays in the plan and will fail with its reason.
    pub fn probe(&mut self) {
        self.jobs
            .par_iter_mut()
            .filter(|job| job.action == Action::Stretch)
            .for_each(|job| {
                let decoder = Decoder::open(&job.input).ok();
                job.audio = decoder.map(|decoder| decoder.info().clone());
            });
        self.jobs
            .sort_by(|a, b| b.seconds().total_cmp(&a.seconds()));
    }

    /// Checks that files can be created in the output folder, which is created if need be.
    ///
    /// # Errors
    /// Where they cannot.
    pub fn check_writable(&self) -> Result<(), PlanError> {
        let folder = match (&self.folder, &self.jobs[..]) {
            (Some(folder), _) => folder,
            (None, [job, ..]) => output::parent(&job.output),
            (None, []) => return Ok(()),
        };
        output::check_writable(folder).map_err(|source| PlanError::OutputUnwritable {
            path: folder.to_owned(),
            source,
        })
    }

    /// The files to be stretched.
    pub fn to_stretch(&self) -> impl Iterator<Item = &Job> {
        let is_work = |job: &&Job| job.action == Action::Stretch;
        self.jobs.iter().filter(is_work)
    }
}

impl Job {
    fn new(input: PathBuf, output: PathBuf, format: Format) -> Self {
        Self {
            input,
            output,
            format,
            action: Action::Stretch,
            audio: None,
        }
    }
}

fn input_exists(path: &Path) -> Result<(), PlanError> {
    match path.metadata() {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(PlanError::InputMissing {
                path: path.to_owned(),
            })
        }
        Err(source) => Err(PlanError::InputUnreadable {
            path: path.to_owned(),
            source,
        }),
    }
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

/// The path with the format's extension, unless it has one already.
fn with_format(path: PathBuf, format: Format) -> PathBuf {
    if format_of(&path) == Some(format) {
        return path;
    }
    path.with_extension(format.extensions()[0])
}

/// Finds outputs that are the same file, also where file names ignore case.
fn check_collisions(jobs: &[Job]) -> Result<(), PlanError> {
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
fn check_inputs_survive(jobs: &[Job]) -> Result<(), PlanError> {
    let existing: Vec<_> = jobs
        .iter()
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

/// The first few paths of a list, and how many more there are.
fn list(paths: &[PathBuf], most: usize) -> String {
    let names: Vec<_> = paths
        .iter()
        .take(most)
        .map(|path| path.display().to_string())
        .collect();
    let names = names.join(", ");
    match paths.len().saturating_sub(most) {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}

fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

fn names() -> String {
    Format::ALL.map(Format::name).join("|")
}

fn extensions() -> String {
    Format::ALL
        .map(|format| format!(".{}", format.extensions()[0]))
        .join(" or ")
}
