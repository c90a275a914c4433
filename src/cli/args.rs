//! The options.

use std::error::Error;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use audiostretchy::batch::{Globs, IfExists, PlanRequest, Selection};
use audiostretchy::preset::{Layer, PresetError, Settings};
use audiostretchy::{BitDepth, Format, Keep};
use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::{ArgAction, ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::{color, file_list, text};

/// Change the speed of whole folders of audio without changing pitch.
#[derive(Debug, Parser)]
#[command(
    version,
    override_usage = "audiostretchy [OPTIONS] INPUT... OUTPUT\n       audiostretchy presets list|show NAME|check FILE\n       audiostretchy report show FILE\n       audiostretchy completions SHELL\n       audiostretchy man",
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Example:\n  audiostretchy podcasts/ faster/ --preset speech --speed 1.5"
)]
pub struct Args {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub convert: ConvertArgs,
    /// When to use colours; `auto` asks the terminal and the variable NO_COLOR
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "Running"
    )]
    pub color: ColorChoice,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List, show or check presets
    #[command(subcommand)]
    Presets(PresetsCommand),
    /// Show the report of an earlier run
    #[command(subcommand)]
    Report(ReportCommand),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    Man,
}

#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// Show what a run did, and the command that retries what failed
    Show {
        /// A JSON report
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub enum PresetsCommand {
    /// List all presets
    List {
        /// A folder of presets that is looked into first
        #[arg(long, value_name = "DIR")]
        preset_dir: Option<PathBuf>,
    },
    /// Show a preset's settings and where each comes from
    Show {
        /// A preset's name or its file
        name: OsString,
        /// A folder of presets that is looked into first
        #[arg(long, value_name = "DIR")]
        preset_dir: Option<PathBuf>,
    },
    /// Check a preset file and all that it extends
    Check {
        /// The file
        file: PathBuf,
        /// A folder of presets that is looked into first
        #[arg(long, value_name = "DIR")]
        preset_dir: Option<PathBuf>,
    },
}

#[derive(Debug, clap::Args)]
pub struct ConvertArgs {
    /// Audio files and folders, then the output: a folder, or a file for a single input file; -
    /// for standard input or output
    #[arg(value_name = "INPUT... OUTPUT", required = true)]
    pub paths: Vec<PathBuf>,

    /// Output length / input length, 0.25 to 4.0: below 1 speeds up [default: 1.0]
    #[arg(
        short,
        long,
        value_name = "R",
        help_heading = "Stretching",
        conflicts_with = "speed",
        allow_negative_numbers = true,
        value_parser = number
    )]
    pub ratio: Option<f64>,
    /// How many times as fast, 0.25 to 4.0: the same as a ratio of 1/X
    #[arg(
        long,
        value_name = "X",
        help_heading = "Stretching",
        allow_negative_numbers = true,
        value_parser = number
    )]
    pub speed: Option<f64>,
    /// Ratio for silent gaps; 0 treats them as the rest [default: 0]
    #[arg(
        short,
        long,
        alias = "gap_ratio",
        value_name = "R",
        help_heading = "Stretching",
        allow_negative_numbers = true,
        value_parser = number
    )]
    pub gap_ratio: Option<f64>,
    /// Upper end of the pitch search [default: 333]
    #[arg(
        short,
        long,
        alias = "upper_freq",
        value_name = "HZ",
        help_heading = "Stretching",
        allow_negative_numbers = true,
        value_parser = whole_number
    )]
    pub upper_freq: Option<i64>,
    /// Lower end of the pitch search [default: 55]
    #[arg(
        short,
        long,
        alias = "lower_freq",
        value_name = "HZ",
        help_heading = "Stretching",
        allow_negative_numbers = true,
        value_parser = whole_number
    )]
    pub lower_freq: Option<i64>,
    /// Block length of the gap detector [default: 25]
    #[arg(
        short,
        long,
        alias = "buffer_ms",
        value_name = "MS",
        help_heading = "Stretching",
        allow_negative_numbers = true,
        value_parser = number
    )]
    pub buffer_ms: Option<f64>,
    /// Level at or below which a block is a gap [default: -40]
    #[arg(
        short,
        long,
        alias = "threshold_gap_db",
        value_name = "DB",
        help_heading = "Stretching",
        allow_negative_numbers = true,
        value_parser = number
    )]
    pub threshold_gap_db: Option<f64>,
    /// Use two stretchers in cascade even where one would do (the output is the same)
    #[arg(short, long, alias = "double_range", help_heading = "Stretching")]
    pub double_range: bool,
    /// Search for the pitch at half the sample rate [default: from 32 kHz up]
    #[arg(
        short,
        long,
        alias = "fast_detection",
        help_heading = "Stretching",
        conflicts_with = "normal_detection"
    )]
    pub fast_detection: bool,
    /// Search for the pitch at the full sample rate [default: below 32 kHz]
    #[arg(short, long, alias = "normal_detection", help_heading = "Stretching")]
    pub normal_detection: bool,
    /// Sample rate of the output; 0 keeps that of the input [default: 0]
    #[arg(
        short,
        long,
        alias = "sample_rate",
        value_name = "HZ",
        help_heading = "Stretching",
        allow_negative_numbers = true,
        value_parser = whole_number
    )]
    pub sample_rate: Option<i64>,
    /// Start from a preset: a name (see `presets list`) or a TOML file
    #[arg(short, long, value_name = "NAME|FILE", help_heading = "Stretching")]
    pub preset: Option<OsString>,
    /// A folder of presets that is looked into first
    #[arg(
        long,
        alias = "preset_dir",
        value_name = "DIR",
        help_heading = "Stretching"
    )]
    pub preset_dir: Option<PathBuf>,

    /// Format of the output [default: keep]
    #[arg(long, help_heading = "Output", value_parser = PossibleValuesParser::new(formats()))]
    pub format: Option<String>,
    /// Sample type of lossless output [default: keep]
    #[arg(long, alias = "bit_depth", help_heading = "Output", value_parser = PossibleValuesParser::new(bit_depths()))]
    pub bit_depth: Option<String>,
    /// Bit rate of lossy output in kbit/s [default: about the input's]
    #[arg(
        long,
        alias = "bitrate_kbps",
        value_name = "KBPS",
        help_heading = "Output",
        conflicts_with = "quality",
        allow_negative_numbers = true,
        value_parser = whole_number
    )]
    pub bitrate: Option<i64>,
    /// Quality of lossy output at a variable bit rate, 0 to 10 (best)
    #[arg(
        long,
        value_name = "Q",
        help_heading = "Output",
        allow_negative_numbers = true,
        value_parser = number
    )]
    pub quality: Option<f64>,
    /// Add a little noise where samples become 16 bits, so that quiet ones do not distort
    #[arg(long, help_heading = "Output")]
    pub dither: bool,
    /// What to do where an output exists
    #[arg(
        long,
        alias = "if_exists",
        value_enum,
        default_value = "resume",
        help_heading = "Output"
    )]
    pub if_exists: IfExistsArg,
    /// Leave tags, pictures and chapters behind
    #[arg(long, alias = "no_tags", help_heading = "Output")]
    pub no_tags: bool,
    /// Leave subtitles, lyrics and the like that lie beside inputs behind
    #[arg(long, alias = "no_sidecars", help_heading = "Output")]
    pub no_sidecars: bool,
    /// Write where each position of a single input went, as JSON
    #[arg(long, alias = "time_map", value_name = "FILE", help_heading = "Output")]
    pub time_map: Option<PathBuf>,
    /// Put between the name of an output and its extension
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true,
        help_heading = "Output"
    )]
    pub suffix: OsString,
    /// Write all outputs right into OUTPUT instead of mirroring folders
    #[arg(long, help_heading = "Output")]
    pub flatten: bool,
    /// Give outputs the modification time of their inputs
    #[arg(long, alias = "keep_mtime", help_heading = "Output")]
    pub keep_mtime: bool,

    /// Extension of the files taken from folders, instead of all known ones; may be repeated
    #[arg(short, long, value_name = "EXT", help_heading = "Selection")]
    pub extension: Vec<String>,
    /// Take only what matches; without a slash the name, else the path below INPUT; may be repeated
    #[arg(long, value_name = "PATTERN", help_heading = "Selection")]
    pub glob: Vec<String>,
    /// Leave out what matches; may be repeated
    #[arg(long, value_name = "PATTERN", help_heading = "Selection")]
    pub exclude: Vec<String>,
    /// How many folders deep; 1 takes the files right in INPUT only
    #[arg(
        long,
        alias = "max_depth",
        value_name = "N",
        help_heading = "Selection"
    )]
    pub max_depth: Option<usize>,
    /// Take hidden files and folders too
    #[arg(long, help_heading = "Selection")]
    pub hidden: bool,
    /// Follow symbolic links
    #[arg(long, help_heading = "Selection")]
    pub follow: bool,
    /// Read inputs from a file, a line each; - for standard input
    #[arg(
        long,
        alias = "files_from",
        value_name = "FILE",
        help_heading = "Selection"
    )]
    pub files_from: Option<PathBuf>,
    /// Read inputs from a file, separated by NUL; - for standard input
    #[arg(
        long,
        alias = "files_from0",
        value_name = "FILE",
        conflicts_with = "files_from",
        help_heading = "Selection"
    )]
    pub files_from0: Option<PathBuf>,
    /// What it means if there is no audio: exit code 0 or 4
    #[arg(
        long,
        alias = "no_files",
        value_enum,
        default_value = "fail",
        value_name = "pass|fail",
        hide_possible_values = true,
        help_heading = "Selection"
    )]
    pub no_files: NoFilesArg,

    /// Only the files that failed or were not run in that JSON report
    ///
    /// Takes the same inputs, output and options as the run that wrote the report (which prints
    /// the whole command at its end); new options may be added. The new report tells of these
    /// files only.
    #[arg(
        long,
        alias = "rerun_failed",
        value_name = "FILE",
        help_heading = "Selection"
    )]
    pub rerun_failed: Option<PathBuf>,

    /// Files to work on at a time; 0 for one a processor
    #[arg(
        short,
        long,
        value_name = "N",
        default_value_t = 0,
        help_heading = "Running",
        hide_default_value = true,
        allow_negative_numbers = true,
        value_parser = file_count
    )]
    pub jobs: usize,
    /// Take up no further file after the first failure
    #[arg(
        long,
        alias = "fail_fast",
        conflicts_with = "max_failures",
        help_heading = "Running"
    )]
    pub fail_fast: bool,
    /// Take up no further file after N failures
    #[arg(
        long,
        alias = "max_failures",
        value_name = "N",
        value_parser = at_least_one,
        help_heading = "Running"
    )]
    pub max_failures: Option<usize>,
    /// Make damaged inputs fail instead of filling them up with silence
    #[arg(long, help_heading = "Running")]
    pub strict: bool,
    /// Give a file up that takes longer, such as 90s or 5m
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, help_heading = "Running")]
    pub timeout: Option<Duration>,
    /// Compare the content of sources, not their times, to tell what is up to date
    #[arg(long, help_heading = "Running")]
    pub checksum: bool,
    /// Print what would be done and touch nothing
    #[arg(long, alias = "dry_run", help_heading = "Running")]
    pub dry_run: bool,
    /// Where the JSON report goes; - for standard output [default: audiostretchy-report.json in an output folder]
    #[arg(long, value_name = "FILE", help_heading = "Running")]
    pub report: Option<PathBuf>,
    /// Where a JUnit XML report goes; - for standard output
    #[arg(
        long,
        alias = "report_junit",
        value_name = "FILE",
        help_heading = "Running"
    )]
    pub report_junit: Option<PathBuf>,
    /// Where a Markdown report goes, for the summary of a CI job; - for standard output
    #[arg(
        long,
        alias = "report_markdown",
        value_name = "FILE",
        help_heading = "Running"
    )]
    pub report_markdown: Option<PathBuf>,
    /// Tell on standard output what happens, one JSON object a line
    #[arg(long, help_heading = "Running")]
    pub events: bool,
    /// Show errors only
    #[arg(short, long, help_heading = "Running", conflicts_with = "verbose")]
    pub quiet: bool,
    /// Show more about every file
    #[arg(short, long, action = ArgAction::Count, help_heading = "Running")]
    pub verbose: u8,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum IfExistsArg {
    /// Leave what is up to date, make the rest again; refuse files of others
    Resume,
    /// Leave it and go on
    Skip,
    /// Replace it
    Overwrite,
    /// Do nothing at all
    Error,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NoFilesArg {
    Pass,
    Fail,
}

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    Quiet,
    Normal,
    Verbose,
}

impl Args {
    fn parse_words(words: impl Iterator<Item = OsString>) -> Result<Self, clap::Error> {
        let command = Self::command().color(color::asked_for(std::env::args_os()));
        Self::from_arg_matches(&command.try_get_matches_from(words)?)
    }

    /// Parses the command line; ends the program where it is wrong or asks for help.
    pub fn parse_or_exit() -> Self {
        let args = Self::parse_words(std::env::args_os()).unwrap_or_else(|error| {
            // The error repeats what was given, which `*` may have filled in with names of files:
            // the same mistake, made with what can be shown.
            let visible = std::env::args_os().map(|word| text::escape(&word.to_string_lossy()));
            match Self::parse_words(visible.map(OsString::from)) {
                Err(visible) => visible.exit(),
                Ok(_) => error.exit(),
            }
        });
        if args.command.is_none() && !args.convert.has_inputs() {
            let message = "an input and an output are needed, and only one path was given";
            Self::command()
                .error(ErrorKind::TooFewValues, message)
                .exit();
        }
        args
    }
}

impl ConvertArgs {
    /// The settings given as options, to be laid over the preset's.
    pub fn layer(&self) -> Result<Layer, PresetError> {
        let mut layer = Layer::command_line();
        let numbers = [
            ("ratio", self.ratio),
            ("speed", self.speed),
            ("gap_ratio", self.gap_ratio),
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
            ("double_range", self.double_range),
            ("fast_detection", self.fast_detection),
            ("normal_detection", self.normal_detection),
            ("dither", self.dither),
        ];
        for (key, _) in flags.into_iter().filter(|&(_, on)| on) {
            layer.set(key, true)?;
        }
        for (key, name) in [("format", &self.format), ("bit_depth", &self.bit_depth)] {
            if let Some(name) = name {
                layer.set(key, name.as_str())?;
            }
        }
        Ok(layer)
    }

    /// What the plan is to be made from.
    pub fn plan_request(&self, settings: &Settings) -> Result<PlanRequest, Box<dyn Error>> {
        let (output, inputs) = self.paths.split_last().expect("clap asks for a path");
        let listed = match (&self.files_from, &self.files_from0) {
            (Some(list), _) => file_list::read(list, b'\n')?,
            (None, Some(list)) => file_list::read(list, 0)?,
            (None, None) => Vec::new(),
        };
        Ok(PlanRequest {
            listed,
            selection: self.selection()?,
            stretch: settings.stretch.clone(),
            encoding: settings.output.clone(),
            keep: Keep {
                tags: !self.no_tags,
                sidecars: !self.no_sidecars,
                time_map: self.time_map.is_some(),
            },
            time_map: self.time_map.clone(),
            if_exists: match self.if_exists {
                IfExistsArg::Resume => IfExists::Resume,
                IfExistsArg::Skip => IfExists::Skip,
                IfExistsArg::Overwrite => IfExists::Overwrite,
                IfExistsArg::Error => IfExists::Error,
            },
            suffix: self.suffix.clone(),
            flatten: self.flatten,
            checksum: self.checksum,
            keep_mtime: self.keep_mtime,
            strict: self.strict,
            ..PlanRequest::new(inputs.to_vec(), output.clone())
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
            selection.extensions = self.extension.iter().map(without_dot).collect();
        }
        Ok(selection)
    }

    /// Failures after which no further file is taken up.
    pub fn most_failures(&self) -> Option<usize> {
        if self.fail_fast {
            Some(1)
        } else {
            self.max_failures
        }
    }

    /// Whether there is at least one input and an output.
    pub fn has_inputs(&self) -> bool {
        self.paths.len() >= 2 || self.files_from.is_some() || self.files_from0.is_some()
    }

    pub fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, _) => Verbosity::Verbose,
        }
    }
}

fn number(text: &str) -> Result<f64, &'static str> {
    text.parse().map_err(|_| "it must be a number, such as 0.8")
}

fn whole_number(text: &str) -> Result<i64, &'static str> {
    text.parse().map_err(|_| "it must be a whole number")
}

fn file_count(text: &str) -> Result<usize, &'static str> {
    let allowed = "it must be a whole number, or 0 for one file a processor";
    text.parse().map_err(|_| allowed)
}

fn formats() -> impl Iterator<Item = &'static str> {
    let built_in = Format::ALL
        .into_iter()
        .filter(|format| format.is_built_in());
    std::iter::once("keep").chain(built_in.map(Format::name))
}

fn bit_depths() -> impl Iterator<Item = &'static str> {
    std::iter::once("keep").chain(BitDepth::ALL.map(BitDepth::name))
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("it must be 1 or more".into()),
        Ok(number) => Ok(number),
        Err(_) => Err("it must be a whole number".into()),
    }
}
