//! Finding the inputs of a plan, and what lies beside them.

use std::collections::{HashMap, HashSet};
use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::beside::{Listing, sidecars_of};
use super::file_settings::FileSettings;
use super::job::{Job, Origin, PartOf};
use super::journal::Journal;
use super::left_out::{Filter, Filtered, LeftOut, WhyLeftOut};
use super::naming::{kept_format_of, listed_place};
use super::plan_error::PlanError;
use super::request::PlanRequest;
use super::up_to_date;
use super::walk::{self, Found, Output, Unreadable};
use crate::pipeline::paths::{FileId, parent};
use audiostretchy_containers::input::is_out_of_room;
use audiostretchy_containers::video;
use audiostretchy_containers::warning::Warning;
use audiostretchy_media::decode::Decoder;
use audiostretchy_media::format::Format;

/// Collects the jobs of a plan.
pub(super) struct Finder<'a> {
    request: &'a PlanRequest,
    journal: &'a Journal,
    /// The number of the request, from 0.
    number: usize,
    /// The output folder, if it exists.
    output: Option<FileId>,
    /// All outputs of the plan that exist.
    outputs: &'a [Output],
    current_folder: Arc<Path>,
    /// The settings of each rule, then those of the files that fit none.
    settings: Vec<(Arc<FileSettings>, Option<Arc<PartOf>>)>,
    /// Which of them have files.
    are_used: Vec<bool>,
    /// The same for all files of a rule and a format, and too slow to make for each.
    fingerprints: HashMap<(usize, Format, bool), Arc<str>>,
    /// By folder, the names of files that may be text files beside audio.
    listings: HashMap<PathBuf, Listing>,
    earlier: EarlierOutputs,
    /// What could not be looked at at this moment, which is no reason to take less.
    pub(super) failure: Option<PlanError>,
    pub(super) jobs: Vec<Job>,
    pub(super) unreadable: Vec<Unreadable>,
    pub(super) left_out: Vec<LeftOut>,
    filtered: Filtered,
    /// Inputs whose own format cannot be written.
    unwritable: Vec<Input>,
}

/// A file that is taken.
struct Input {
    path: PathBuf,
    /// Where it belongs in the output folder.
    place: PathBuf,
    origin: Origin,
    /// The number of its settings.
    settings: usize,
}

impl<'a> Finder<'a> {
    pub(super) fn new(
        number: usize,
        request: &'a PlanRequest,
        journal: &'a Journal,
        outputs: &'a [Output],
        all_settings: &mut Vec<Arc<FileSettings>>,
    ) -> Self {
        let part_of = |rule: Option<&Arc<str>>| {
            let request = request.name.clone()?;
            let rule = rule.cloned();
            Some(Arc::new(PartOf { request, rule }))
        };
        let rules = request.rules.iter();
        let rules = rules.map(|rule| (&rule.settings, Some(&rule.name)));
        let settings = rules.chain([(&request.settings, None)]);
        let settings = settings.map(|(settings, rule)| {
            let mut settings = settings.clone();
            settings.keep.time_map |= request.time_map.is_some();
            // Those of other requests may be the same.
            let known = all_settings.iter().find(|known| ***known == settings);
            let settings = known.cloned().unwrap_or_else(|| {
                let settings = Arc::new(settings);
                all_settings.push(settings.clone());
                settings
            });
            (settings, part_of(rule))
        });
        let settings: Vec<_> = settings.collect();
        Self {
            request,
            journal,
            number,
            output: FileId::of(&request.output),
            outputs,
            are_used: vec![false; settings.len()],
            settings,
            current_folder: std::env::current_dir().unwrap_or_default().into(),
            fingerprints: HashMap::new(),
            listings: HashMap::new(),
            earlier: EarlierOutputs::default(),
            failure: None,
            jobs: Vec::new(),
            unreadable: Vec::new(),
            left_out: Vec::new(),
            filtered: Filtered::default(),
            unwritable: Vec::new(),
        }
    }

    /// Adds the one input of a single output file.
    pub(super) fn add_single(&mut self, input: &Path) -> Result<(), PlanError> {
        input_exists(input)?;
        let place = PathBuf::from(input.file_name().unwrap_or_default());
        let settings = self.settings_of(&place);
        let format = self.request.output_format(&self.settings[settings].0)?;
        let input = Input {
            path: input.to_owned(),
            place,
            origin: self.origin_of_file(input),
            settings,
        };
        self.add_job(input, self.request.output.clone(), format, false);
        Ok(())
    }

    /// Returns the number of the settings of a file that belongs at `place` in the output folder.
    fn settings_of(&self, place: &Path) -> usize {
        let rules = &self.request.rules;
        let fits = rules.iter().position(|rule| rule.globs.matches(place));
        fits.unwrap_or(rules.len())
    }

    /// Adds all inputs of an output folder.
    pub(super) fn add_all(&mut self) -> Result<(), PlanError> {
        let request = self.request;
        for input in &request.inputs {
            let place = Path::new(input.file_name().unwrap_or_default());
            self.add_input(input, place, None)?;
        }
        for input in &request.listed {
            self.add_listed(input)?;
        }
        self.substitute_formats()?;
        self.keep_sidecars_of_jobs();
        Ok(())
    }

    /// Warns of rules that no file fits.
    pub(super) fn unused_rules(&self) -> Vec<Warning> {
        let rules = self.request.rules.iter().zip(&self.are_used);
        let unused = rules.filter(|(_, is_used)| !**is_used);
        let warning = |name: &str| {
            let job = self.request.name.as_ref();
            let job = job.map_or(String::new(), |job| format!("job {job}: "));
            Warning::new("unused-rule", format!("{job}the rule {name} fits no file"))
        };
        unused.map(|(rule, _)| warning(&rule.name)).collect()
    }

    /// Returns the error of a request without audio, if it is one.
    pub(super) fn no_audio(&self) -> Option<PlanError> {
        let is_empty = self.jobs.is_empty() && self.unreadable.is_empty();
        is_empty.then(|| PlanError::NoAudio {
            inputs: [&self.request.inputs[..], &self.request.listed[..]].concat(),
            filtered: self.filtered.clone(),
        })
    }

    /// Adds what a list names. A list may be of anything, as that of a commit's files is: names
    /// without an extension of audio are left out, and a file that is not there fails alone.
    fn add_listed(&mut self, input: &Path) -> Result<(), PlanError> {
        let place = listed_place(input)?;
        let first = self.jobs.len();
        let folder = (!input.is_absolute()).then(|| self.current_folder.clone());
        if !input.is_dir() && !self.request.selection.takes_extension(input) {
            self.filtered.add(Filter::List, false);
            self.left_out.push(LeftOut {
                path: input.to_owned(),
                why: WhyLeftOut::Listed,
            });
            return Ok(());
        }
        let (path, source) = match self.add_input(input, &place, folder) {
            Err(PlanError::InputMissing { path }) => {
                let source = io::Error::new(ErrorKind::NotFound, "no such file or folder");
                (path, source)
            }
            Err(PlanError::InputUnreadable { path, source }) => (path, source),
            Err(PlanError::InputNotAFile { path }) => {
                (path, io::Error::other("is neither a file nor a folder"))
            }
            result => {
                for job in &mut self.jobs[first..] {
                    job.origin.is_listed = true;
                }
                return result;
            }
        };
        self.unreadable.push(Unreadable { path, source });
        Ok(())
    }

    /// Forgets text files that lie beside no audio that is taken.
    fn keep_sidecars_of_jobs(&mut self) {
        let is_sidecar = |left_out: &LeftOut| left_out.why == WhyLeftOut::OtherSidecar;
        if !self.left_out.iter().any(is_sidecar) {
            return;
        }
        let stems: HashSet<PathBuf> = (self.jobs.iter())
            .filter(|job| job.settings.keep.sidecars)
            .map(|job| job.input.with_extension(""))
            .collect();
        self.left_out.retain(|left_out| {
            let is_beside = stems.contains(&left_out.path.with_extension(""));
            !is_sidecar(left_out) || is_beside
        });
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
                    is_listed: true,
                },
                None => self.origin_of_file(input),
            };
            self.add_file(input.to_owned(), place, origin);
            return Ok(());
        }
        let request = self.request;
        let is_in_place = self.output.is_some() && FileId::of(input) == self.output;
        let folder: Arc<Path> = self.absolute(input).into();
        let mut failure = None;
        let place_of = |path: &Path| path.strip_prefix(input).unwrap_or(path).to_owned();
        walk::walk(
            input,
            &request.selection,
            self.outputs,
            |found| match found {
                Found::File(path) => {
                    let place = place_of(&path);
                    if self.is_output(&path, &place, input, is_in_place) {
                        self.tell_if_changed(path, &place);
                    } else if request.selection.leaves_out_video() && video::is_in(&path) {
                        let why = WhyLeftOut::Video;
                        self.left_out.push(LeftOut { path, why });
                    } else {
                        let origin = Origin {
                            folder: Some(folder.clone()),
                            path: place.clone(),
                            is_listed: false,
                        };
                        self.add_file(path, &place, origin);
                    }
                }
                Found::LeftOut(left_out) => {
                    let path = &left_out.path;
                    if !self.is_output(path, &place_of(path), input, is_in_place) {
                        self.left_out.push(left_out);
                    }
                }
                Found::Filtered { by, is_folder } => self.filtered.add(by, is_folder),
                Found::Unreadable(error) if error.path == input => failure = Some(error),
                Found::Unreadable(error) => self.unreadable.push(error),
            },
        );
        match failure {
            Some(Unreadable { path, source }) => Err(PlanError::InputUnreadable { path, source }),
            None => Ok(()),
        }
    }

    /// Returns whether a file, at a place below the folder `root`, was written by an earlier run:
    /// where outputs lie among the inputs, they must not become inputs themselves.
    fn is_output(&mut self, path: &Path, place: &Path, root: &Path, is_in_place: bool) -> bool {
        let is_ours = || {
            self.journal
                .find(&self.request.output.join(place))
                .is_some()
        };
        let contained = self.earlier.contain(path, root);
        is_in_place && is_ours()
            || contained.unwrap_or_else(|(path, source)| {
                self.failure = Some(PlanError::Journal { path, source });
                true
            })
    }

    /// Tells of an output of an earlier run that is not as that has left it: it may be somebody's.
    fn tell_if_changed(&mut self, path: PathBuf, place: &Path) {
        let is_ours = |output: &Path, journal: &Journal| {
            let found = output.symlink_metadata();
            found.is_ok_and(|found| up_to_date::is_ours(output, &found, journal, false))
        };
        let in_place = self.request.output.join(place);
        let mut earlier = self.earlier.0.values();
        if !is_ours(&in_place, self.journal) && !earlier.any(|journal| is_ours(&path, journal)) {
            let why = WhyLeftOut::ChangedOutput;
            self.left_out.push(LeftOut { path, why });
        }
    }

    fn add_file(&mut self, path: PathBuf, place: &Path, origin: Origin) {
        let settings = self.settings_of(place);
        let input = Input {
            path,
            place: place.to_owned(),
            origin,
            settings,
        };
        let settings = &self.settings[settings].0;
        let option = settings.encoding.format;
        match option.or_else(|| kept_format_of(&input.path)) {
            Some(format) => {
                let output = self.request.output_of(place, format, &settings.suffix);
                self.add_job(input, output, format, option.is_none());
            }
            None => self.unwritable.push(input),
        }
    }

    /// Finds the format that holds the codec of each input whose own cannot be written.
    fn substitute_formats(&mut self) -> Result<(), PlanError> {
        let unwritable = std::mem::take(&mut self.unwritable);
        let is_strict = |input: &&Input| self.settings[input.settings].0.strict;
        let refused = unwritable.iter().filter(is_strict);
        let refused: Vec<PathBuf> = refused.map(|input| input.path.clone()).collect();
        if !refused.is_empty() {
            return Err(PlanError::CannotKeepFormat { inputs: refused });
        }
        let nearest = |input: &Path| match Decoder::open(input) {
            Ok(decoder) => Format::nearest_to_codec(decoder.info().codec),
            // The file will fail.
            Err(_) => Format::Wav,
        };
        let inputs = unwritable.par_iter();
        let formats: Vec<Format> = inputs.map(|input| nearest(&input.path)).collect();
        for (input, format) in unwritable.into_iter().zip(formats) {
            let suffix = &self.settings[input.settings].0.suffix;
            let output = self.request.output_of(&input.place, format, suffix);
            let warning = format_substituted(&input.path, format);
            self.add_job(input, output, format, false);
            if let Some(job) = self.jobs.last_mut() {
                job.warnings.push(warning);
            }
        }
        Ok(())
    }

    fn add_job(&mut self, input: Input, output: PathBuf, format: Format, keeps_format: bool) {
        let Input {
            path: input,
            origin,
            settings: number,
            ..
        } = input;
        self.are_used[number] = true;
        let (settings, part_of) = &self.settings[number];
        let fingerprint = self.fingerprints.entry((number, format, keeps_format));
        let fingerprint =
            fingerprint.or_insert_with(|| settings.fingerprint(format, keeps_format).into());
        self.jobs.push(Job {
            keeps_format,
            fingerprint: fingerprint.clone(),
            checksum: self.request.checksum,
            settings: settings.clone(),
            part_of: part_of.clone(),
            request: self.number,
            sidecars: match settings.keep.sidecars {
                true => sidecars_of(&mut self.listings, &input, &output).unwrap_or_else(|source| {
                    let path = parent(&input).to_owned();
                    self.failure = Some(PlanError::InputUnreadable { path, source });
                    Vec::new()
                }),
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
            is_listed: false,
        }
    }

    /// Returns the path from the root. To ask for the current folder each time would take longer
    /// than all the rest.
    fn absolute(&self, path: &Path) -> PathBuf {
        let path = self.current_folder.join(path);
        std::path::absolute(&path).unwrap_or(path)
    }
}

/// What earlier runs have written to folders within the inputs, as their journals tell.
#[derive(Default)]
struct EarlierOutputs(HashMap<PathBuf, Journal>);

impl EarlierOutputs {
    /// Returns whether a file below the folder `root` was written by an earlier run into a folder
    /// there.
    ///
    /// # Errors
    /// Returns an error if a journal cannot be opened at this moment.
    fn contain(&mut self, path: &Path, root: &Path) -> Result<bool, (PathBuf, io::Error)> {
        let folders = path.ancestors().skip(1);
        for folder in folders.take_while(|folder| *folder != root) {
            if !self.0.contains_key(folder) {
                let journal = match Journal::read(folder) {
                    Err(error) if is_out_of_room(&error) => return Err((folder.into(), error)),
                    journal => journal.unwrap_or_default(),
                };
                self.0.insert(folder.to_owned(), journal);
            }
            if self.0[folder].find(path).is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
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

/// Files of the input's name cannot be written, and `to` is the format that holds its codec.
fn format_substituted(input: &Path, to: Format) -> Warning {
    let to = to.name();
    let message = match input.extension() {
        Some(extension) => {
            let extension = extension.to_string_lossy();
            format!(".{extension} files cannot be written: the output is {to}")
        }
        None => format!("the name tells no format: the output is {to}"),
    };
    Warning::new("format-substituted", message)
}
