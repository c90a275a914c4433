//! Finding the inputs of a plan, and what lies beside them.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::Metadata;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::file_id::FileId;
use super::job::{Job, Origin, SidecarJob};
use super::journal::Journal;
use super::naming::{kept_format_of, listed_place};
use super::output::{Replace, parent};
use super::plan_error::PlanError;
use super::request::PlanRequest;
use super::walk::{self, Unreadable};
use crate::media::format::Format;
use crate::media::sidecar;

/// Collects the jobs of a plan.
pub(super) struct Finder<'a> {
    request: &'a PlanRequest,
    journal: &'a Journal,
    /// The output folder, if it exists.
    output: Option<FileId>,
    current_folder: Arc<Path>,
    /// The same for all files of a format, and too slow to make for each.
    fingerprints: HashMap<(Format, bool), Arc<str>>,
    /// By folder, the names of files that may be text files beside audio.
    listings: HashMap<PathBuf, Vec<OsString>>,
    outputs: EarlierOutputs,
    pub(super) jobs: Vec<Job>,
    pub(super) unreadable: Vec<Unreadable>,
    /// Inputs whose own format cannot be written.
    unwritable: Vec<PathBuf>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(request: &'a PlanRequest, journal: &'a Journal) -> Self {
        Self {
            request,
            journal,
            output: FileId::of(&request.output),
            current_folder: std::env::current_dir().unwrap_or_default().into(),
            fingerprints: HashMap::new(),
            listings: HashMap::new(),
            outputs: EarlierOutputs::default(),
            jobs: Vec::new(),
            unreadable: Vec::new(),
            unwritable: Vec::new(),
        }
    }

    /// Adds the one input of a single output file.
    pub(super) fn add_single(&mut self, input: &Path) -> Result<(), PlanError> {
        input_exists(input)?;
        let format = self.request.output_format()?;
        let output = self.request.output.clone();
        let origin = self.origin_of_file(input);
        self.add_job(input.to_owned(), output, format, false, origin);
        Ok(())
    }

    /// Adds all inputs of an output folder.
    pub(super) fn add_all(&mut self) -> Result<(), PlanError> {
        let request = self.request;
        for input in &request.inputs {
            let place = Path::new(input.file_name().unwrap_or_default());
            self.add_input(input, place, None)?;
        }
        for input in &request.listed {
            let folder = (!input.is_absolute()).then(|| self.current_folder.clone());
            self.add_input(input, &listed_place(input)?, folder)?;
        }
        if !self.unwritable.is_empty() {
            return Err(PlanError::CannotKeepFormat {
                inputs: std::mem::take(&mut self.unwritable),
            });
        }
        if self.jobs.is_empty() && self.unreadable.is_empty() {
            return Err(PlanError::NoAudio {
                inputs: [&request.inputs[..], &request.listed[..]].concat(),
            });
        }
        Ok(())
    }

    /// Adds a file, which belongs at `place` in the output folder, or all files of a folder. A file
    /// that a list names by a relative path has the same place in the folder `listed_in`.
    fn add_input(
        &mut self,
        input: &Path,
        place: &Path,
        listed_in: Option<Arc<Path>>,
    ) -> Result<(), PlanError> {
        if !input_exists(input)?.is_dir() {
            let origin = match listed_in {
                Some(_) => Origin {
                    folder: listed_in,
                    path: place.to_owned(),
                },
                None => self.origin_of_file(input),
            };
            self.add_file(input.to_owned(), place, origin);
            return Ok(());
        }
        let request = self.request;
        let output = self.output.clone();
        let is_in_place = output.is_some() && FileId::of(input) == output;
        let folder: Arc<Path> = self.absolute(input).into();
        for found in walk::audio_files(input, &request.selection, output.as_ref()) {
            match found {
                Ok(path) => {
                    let place = path.strip_prefix(input).unwrap_or(&path).to_owned();
                    // Where outputs lie among the inputs, they must not become inputs themselves.
                    let is_ours = || self.journal.find(&request.output.join(&place)).is_some();
                    let is_output = is_in_place && is_ours() || self.outputs.contain(&path, input);
                    if !is_output {
                        let origin = Origin {
                            folder: Some(folder.clone()),
                            path: place.clone(),
                        };
                        self.add_file(path, &place, origin);
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

    fn add_file(&mut self, input: PathBuf, place: &Path, origin: Origin) {
        let option = self.request.encoding.format;
        match option.or_else(|| kept_format_of(&input)) {
            Some(format) => {
                let output = self.request.output_of(place, format);
                self.add_job(input, output, format, option.is_none(), origin);
            }
            None => self.unwritable.push(input),
        }
    }

    fn add_job(
        &mut self,
        input: PathBuf,
        output: PathBuf,
        format: Format,
        keeps_format: bool,
        origin: Origin,
    ) {
        let request = self.request;
        let fingerprint = self.fingerprints.entry((format, keeps_format));
        let fingerprint =
            fingerprint.or_insert_with(|| request.fingerprint(format, keeps_format).into());
        self.jobs.push(Job {
            keeps_format,
            fingerprint: fingerprint.clone(),
            checksum: request.checksum,
            sidecars: match request.keep.sidecars {
                true => sidecars_of(&mut self.listings, &input, &output),
                false => Vec::new(),
            },
            origin,
            ..Job::new(input, output, format)
        });
    }

    fn origin_of_file(&self, input: &Path) -> Origin {
        Origin {
            folder: None,
            path: self.absolute(input),
        }
    }

    /// The path from the root. To ask for the current folder each time would take longer than all
    /// the rest.
    fn absolute(&self, path: &Path) -> PathBuf {
        let path = self.current_folder.join(path);
        std::path::absolute(&path).unwrap_or(path)
    }
}

/// What earlier runs have written to folders within the inputs, as their journals tell.
#[derive(Default)]
struct EarlierOutputs(HashMap<PathBuf, Journal>);

impl EarlierOutputs {
    /// Whether a file below the folder `root` was written by an earlier run into a folder there.
    fn contain(&mut self, path: &Path, root: &Path) -> bool {
        let folders = path.ancestors().skip(1);
        let folders = folders.take_while(|folder| *folder != root);
        folders.into_iter().any(|folder| {
            if !self.0.contains_key(folder) {
                let journal = Journal::read(folder).unwrap_or_default();
                self.0.insert(folder.to_owned(), journal);
            }
            self.0[folder].find(path).is_some()
        })
    }
}

/// The text files beside an input, in the order of their names.
fn sidecars_of(
    listings: &mut HashMap<PathBuf, Vec<OsString>>,
    input: &Path,
    output: &Path,
) -> Vec<SidecarJob> {
    let folder = parent(input);
    let names = match listings.get(folder) {
        Some(names) => names,
        None => {
            let names = names_of_sidecars(folder);
            listings.entry(folder.to_owned()).or_insert(names)
        }
    };
    // Sorted, so that those of one name stand together: a folder may hold thousands.
    let stem = input.file_stem().unwrap_or_default();
    let first = names.partition_point(|name| stem_of(name) < stem);
    let mut sidecars = Vec::new();
    for name in names[first..]
        .iter()
        .take_while(|name| stem_of(name) == stem)
    {
        let source = input.with_file_name(name);
        if sidecar::is_beside(name, input) && source.is_file() {
            sidecars.push(SidecarJob {
                output: sidecar::counterpart(&source, output),
                source,
                replace: Some(Replace::Never),
            });
        }
    }
    sidecars
}

fn names_of_sidecars(folder: &Path) -> Vec<OsString> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name());
    let mut names: Vec<OsString> = names
        .filter(|name| sidecar::may_be_sidecar(Path::new(name)))
        .collect();
    names.sort_by(|a, b| (stem_of(a), a).cmp(&(stem_of(b), b)));
    names
}

fn stem_of(name: &OsStr) -> &OsStr {
    Path::new(name).file_stem().unwrap_or_default()
}

fn input_exists(path: &Path) -> Result<Metadata, PlanError> {
    let given = || path.to_owned();
    match path.metadata() {
        Ok(metadata) if metadata.is_file() || metadata.is_dir() => Ok(metadata),
        Ok(_) => Err(PlanError::InputNotAFile { path: given() }),
        Err(source) if source.kind() == ErrorKind::NotFound => {
            Err(PlanError::InputMissing { path: given() })
        }
        Err(source) => Err(PlanError::InputUnreadable {
            path: given(),
            source,
        }),
    }
}
