//! What the options ask for, as the library takes it.

use std::error::Error;
use std::path::{Path, PathBuf};

use audiostretchy::Keep;
use audiostretchy::batch::{FileSettings, Globs, IfExists, PlanRequest, Selection};
use audiostretchy::preset::{Layer, PresetError, PresetStore, Resolved};

use super::args::{ConvertArgs, FileArgs, IfExistsArg, RunArgs, SettingsArgs, Verbosity};
use super::suffix::{self, SuffixError};
use super::{changes, durations, file_list, words};

impl SettingsArgs {
    /// Returns the settings given as options, to be laid over the preset's. With durations, outputs
    /// have exact lengths.
    fn layer(&self, has_durations: bool) -> Result<Layer, PresetError> {
        let mut layer = Layer::command_line();
        let numbers = [
            ("ratio", self.ratio),
            ("speed", self.speed),
            ("duration", self.duration),
            ("gap_ratio", self.gap_ratio),
            ("gap_scale", self.gap_scale),
            ("max_pause", self.max_pause),
            ("buffer_ms", self.buffer_ms),
            ("threshold_gap_db", self.threshold_gap_db),
            ("quality", self.quality),
        ];
        for (key, value) in numbers {
            if let Some(value) = value {
                layer.set(key, value)?;
            }
        }
        let whole_numbers = [
            ("upper_freq", self.upper_freq),
            ("lower_freq", self.lower_freq),
            ("sample_rate", self.sample_rate),
            ("bitrate_kbps", self.bitrate),
        ];
        for (key, value) in whole_numbers {
            if let Some(value) = value {
                layer.set(key, value)?;
            }
        }
        let flags = [
            ("exact_length", self.exact_length || has_durations),
            ("double_range", self.double_range),
            ("fast_detection", self.fast_detection),
            ("normal_detection", self.normal_detection),
            ("dither", self.dither),
        ];
        for (key, _) in flags.into_iter().filter(|&(_, on)| on) {
            layer.set(key, true)?;
        }
        let names = [
            ("engine", &self.engine),
            ("style", &self.style),
            ("channels", &self.channels),
            ("format", &self.format),
            ("bit_depth", &self.bit_depth),
            ("encoder_effort", &self.encoder_effort),
        ];
        for (key, name) in names {
            if let Some(name) = name {
                layer.set(key, name.as_str())?;
            }
        }
        Ok(layer)
    }
}

impl FileArgs {
    /// Returns what is to be planned for these inputs, of which there may be a list.
    pub(super) fn plan_request(
        &self,
        inputs: &[PathBuf],
        output: &Path,
        resolved: &Resolved,
    ) -> Result<PlanRequest, Box<dyn Error>> {
        let listed = match (&self.files_from, &self.files_from0) {
            (Some(list), _) => file_list::read(list, b'\n')?,
            (None, Some(list)) => file_list::read(list, 0)?,
            (None, None) => Vec::new(),
        };
        words::check_no_addresses(inputs.iter().chain(&listed), output)?;
        let read_files = [&self.files_from, &self.files_from0, &self.durations];
        Ok(PlanRequest {
            listed,
            selection: self.selection()?,
            settings: self.settings(resolved)?,
            durations: self.durations.as_deref().map(durations::read).transpose()?,
            time_map: self.time_map.clone(),
            read_files: read_files.into_iter().flatten().cloned().collect(),
            if_exists: self.if_exists.into(),
            warnings: changes::slow_pauses(resolved).into_iter().collect(),
            portable_names: self.portable_names,
            flatten: self.flatten,
            checksum: self.checksum,
            temp_dir: self.temp_dir.clone(),
            only_new: self.only_new,
            prune: self.prune,
            ..PlanRequest::new(inputs.to_vec(), output.to_owned())
        })
    }

    /// Returns how files are converted.
    pub(super) fn settings(&self, resolved: &Resolved) -> Result<FileSettings, SuffixError> {
        Ok(FileSettings {
            stretch: resolved.settings.stretch.clone(),
            encoding: resolved.settings.output.clone(),
            keep: Keep {
                tags: !self.no_tags,
                sidecars: !self.no_sidecars,
                time_map: self.time_map.is_some(),
            },
            suffix: suffix::expand(&self.suffix, resolved, self.durations.is_some())?,
            split_chapters: self.split.is_some(),
            keep_mtime: self.keep_mtime,
            strict: self.strict,
        })
    }

    fn selection(&self) -> Result<Selection, Box<dyn Error>> {
        let globs = |option, patterns: &[String]| {
            let globs = Globs::new(patterns.iter().map(String::as_str));
            globs.map_err(|error| format!("{option}: {error}"))
        };
        let mut selection = Selection {
            globs: globs("--glob", &self.glob)?,
            excludes: globs("--exclude", &self.exclude)?,
            max_depth: self.max_depth,
            hidden: self.hidden,
            follow: self.follow,
            ..Selection::default()
        };
        if !self.extension.is_empty() {
            let without_dot = |extension: &String| extension.trim_start_matches('.').to_owned();
            let extensions = self.extension.iter().map(without_dot);
            selection.extensions = extensions.filter(|name| !name.is_empty()).collect();
        }
        Ok(selection)
    }

    /// Returns whether the time map goes to standard output.
    pub(super) fn prints_time_map(&self) -> bool {
        self.time_map.as_deref() == Some(Path::new("-"))
    }
}

impl ConvertArgs {
    /// Returns the settings: those of the preset, with the options laid over them.
    pub(super) fn resolve(&self) -> Result<Resolved, PresetError> {
        let store = PresetStore::from_environment(self.settings.preset_dir.as_deref())?;
        let layer = self.settings.layer(self.files.durations.is_some())?;
        store.resolve(self.settings.preset.as_deref(), &layer)
    }

    /// What the plan is to be made from.
    pub(super) fn plan_request(&self, resolved: &Resolved) -> Result<PlanRequest, Box<dyn Error>> {
        let (output, inputs) = self.paths.split_last().expect("clap asks for a path");
        let mut request = self.files.plan_request(inputs, output, resolved)?;
        let preset = self.settings.preset.as_ref().map(PathBuf::from);
        request.read_files.extend(preset);
        request.partition = self.run.partition;
        Ok(request)
    }

    /// Returns whether there is at least one input and an output.
    pub(super) fn has_inputs(&self) -> bool {
        let files = &self.files;
        self.paths.len() >= 2 || files.files_from.is_some() || files.files_from0.is_some()
    }
}

impl RunArgs {
    /// Failures after which no further file is taken up.
    pub(super) fn most_failures(&self) -> Option<usize> {
        if self.fail_fast {
            Some(1)
        } else {
            self.max_failures
        }
    }

    /// How much is shown.
    pub(super) fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, _) => Verbosity::Verbose,
        }
    }
}

impl From<IfExistsArg> for IfExists {
    fn from(what: IfExistsArg) -> Self {
        match what {
            IfExistsArg::Resume => Self::Resume,
            IfExistsArg::Skip => Self::Skip,
            IfExistsArg::Overwrite => Self::Overwrite,
            IfExistsArg::Error => Self::Error,
        }
    }
}
