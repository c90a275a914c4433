//! The options.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use audiostretchy::batch::Partition;
use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::{ArgAction, ColorChoice, CommandFactory, FromArgMatches, Parser, ValueEnum};

use super::commands::Command;
use super::{arguments, color, help, text, values, words};

/// Change the speed of whole folders of audio without changing pitch.
#[derive(Debug, Parser)]
#[command(
    version,
    override_usage = "audiostretchy [OPTIONS] INPUT... OUTPUT\n       audiostretchy presets list|show NAME|check FILE\n       audiostretchy report show|html FILE|FOLDER\n       audiostretchy report merge FILE|FOLDER... -o FILE\n       audiostretchy completions SHELL\n       audiostretchy man",
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = help::EXAMPLE,
    after_long_help = help::end()
)]
pub(super) struct Args {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub convert: ConvertArgs,
    /// When to use colours: auto, always or never
    ///
    /// `auto` asks the terminal and the variable NO_COLOR.
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true,
        help_heading = "Running"
    )]
    pub color: ColorChoice,
}

#[derive(Debug, clap::Args)]
pub(super) struct ConvertArgs {
    /// Audio files and folders, then the output; - is standard input or output
    ///
    /// The output is a folder, or a file where the input is a single file.
    #[arg(value_name = "INPUT... OUTPUT", required = true)]
    pub paths: Vec<PathBuf>,

    /// Output length / input length, 0.25 to 4 [default: 1]
    ///
    /// Below 1 speeds up: 0.5 is twice as fast. A ratio of 1 that is asked for only converts.
    #[arg(
        short,
        long,
        value_name = "R",
        help_heading = "Stretching",
        conflicts_with = "speed",
        allow_negative_numbers = true,
        value_parser = values::number
    )]
    pub ratio: Option<f64>,
    /// How many times as fast, 0.25 to 4: 1.5 for half as fast again
    ///
    /// The same as a ratio of 1/X.
    #[arg(
        long,
        value_name = "X",
        help_heading = "Stretching",
        allow_negative_numbers = true,
        value_parser = values::number
    )]
    pub speed: Option<f64>,
    /// Length of each output: 5.6 (seconds), 1:30, 1h2m
    ///
    /// To the frame: each file gets the ratio that it needs, from 0.25 to 4.
    #[arg(
        long,
        value_name = "LENGTH",
        help_heading = "Stretching",
        conflicts_with_all = ["ratio", "speed"],
        allow_negative_numbers = true,
        value_parser = values::seconds
    )]
    pub duration: Option<f64>,
    /// Length of each output by itself: a CSV file of paths and lengths
    ///
    /// A line for each input, such as `takes/01.wav,5.6`.
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Stretching",
        conflicts_with_all = ["ratio", "speed", "duration"]
    )]
    pub durations: Option<PathBuf>,
    /// Make outputs as long as the ratio says, to the frame
    ///
    /// Without it, `tdhs` ends up to a few periods of the lowest pitch earlier or later.
    #[arg(long, alias = "exact_length", help_heading = "Stretching")]
    pub exact_length: bool,
    /// Ratio for pauses: 0.3 makes one of 1 s last 0.3 s [default: 0]
    ///
    /// A pause is what stays at or below --threshold-gap-db for three blocks of --buffer-ms or
    /// more. Its ratio is that of its own length, whatever --ratio or --speed is for the rest; 0
    /// treats pauses as the rest.
    #[arg(
        short,
        long,
        alias = "gap_ratio",
        value_name = "R",
        help_heading = "Stretching",
        allow_negative_numbers = true,
        value_parser = values::number
    )]
    pub gap_ratio: Option<f64>,
    /// Ratio for pauses as a multiple of the rest's, 0.1 to 1
    ///
    /// With 0.5, pauses go twice as fast as speech, whatever its speed; but they keep at least a
    /// quarter of their length.
    #[arg(
        long,
        alias = "gap_scale",
        value_name = "X",
        help_heading = "Stretching",
        conflicts_with = "gap_ratio",
        allow_negative_numbers = true,
        value_parser = values::number
    )]
    pub gap_scale: Option<f64>,
    /// Make no pause longer than this, 0.1 to 10 seconds
    ///
    /// The middle of longer ones is left out; their beginnings and ends stay. A soft word at the
    /// threshold is no pause. With --ratio 1, only pauses are shortened.
    #[arg(
        long,
        alias = "max_pause",
        value_name = "SECONDS",
        help_heading = "Stretching",
        allow_negative_numbers = true,
        value_parser = values::seconds
    )]
    pub max_pause: Option<f64>,
    /// How to stretch: tdhs or adaptive [default: tdhs]
    ///
    /// `tdhs` is made for speech, and fast. `adaptive` is made for anything: it works in the time
    /// domain or in the frequency domain, whichever suits the sound.
    #[arg(long, value_name = "NAME", help_heading = "Stretching", value_parser = PossibleValuesParser::new(values::engines()), hide_possible_values = true)]
    pub engine: Option<String>,
    /// Kind of sound, for adaptive: auto, speech, music [default: auto]
    ///
    /// `auto` decides from moment to moment; `speech` stays in the time domain, `music` in the
    /// frequency domain.
    #[arg(long, value_name = "NAME", help_heading = "Stretching", value_parser = PossibleValuesParser::new(values::styles()), hide_possible_values = true)]
    pub style: Option<String>,
    /// Upper end of the pitch search [default: 333]
    #[arg(
        short,
        long,
        alias = "upper_freq",
        value_name = "HZ",
        help_heading = "Stretching",
        allow_negative_numbers = true,
        value_parser = values::whole_number
    )]
    pub upper_freq: Option<i64>,
    /// Lower end of the pitch search; higher is faster [default: 55]
    #[arg(
        short,
        long,
        alias = "lower_freq",
        value_name = "HZ",
        help_heading = "Stretching",
        allow_negative_numbers = true,
        value_parser = values::whole_number
    )]
    pub lower_freq: Option<i64>,
    /// Block length of the search for pauses [default: 25]
    #[arg(
        short,
        long,
        alias = "buffer_ms",
        value_name = "MS",
        help_heading = "Stretching",
        allow_negative_numbers = true,
        value_parser = values::number
    )]
    pub buffer_ms: Option<f64>,
    /// Level at or below which a block is a pause [default: -40]
    #[arg(
        short,
        long,
        alias = "threshold_gap_db",
        value_name = "DB",
        help_heading = "Stretching",
        allow_negative_numbers = true,
        value_parser = values::number
    )]
    pub threshold_gap_db: Option<f64>,
    /// Use two stretchers in cascade even where one would do
    ///
    /// The output is the same; the option is there for those who know the Python package.
    #[arg(short, long, alias = "double_range", help_heading = "Stretching")]
    pub double_range: bool,
    /// Search at half the sample rate [default: from 32 kHz up]
    #[arg(
        short,
        long,
        alias = "fast_detection",
        help_heading = "Stretching",
        conflicts_with = "normal_detection"
    )]
    pub fast_detection: bool,
    /// Search at the full sample rate [default: below 32 kHz]
    #[arg(short, long, alias = "normal_detection", help_heading = "Stretching")]
    pub normal_detection: bool,
    /// Sample rate of the output; 0 keeps the input's [default: 0]
    #[arg(
        short,
        long,
        alias = "sample_rate",
        value_name = "HZ",
        help_heading = "Stretching",
        allow_negative_numbers = true,
        value_parser = values::sample_rate
    )]
    pub sample_rate: Option<i64>,
    /// Channels of the output: keep, mono or stereo [default: keep]
    ///
    /// `mono` is the mean of all but low-frequency effects. `stereo` mixes surround down without
    /// them (ITU-R BS.775).
    #[arg(long, value_name = "NAME", help_heading = "Stretching", value_parser = PossibleValuesParser::new(values::channels()), hide_possible_values = true)]
    pub channels: Option<String>,
    /// Start from a preset: a name or a TOML file
    ///
    /// `audiostretchy presets list` shows them. Options win over the preset.
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

    /// Format of the output, such as mp3 [default: keep]
    ///
    /// `keep` writes each file in its own format.
    #[arg(long, help_heading = "Output", value_parser = PossibleValuesParser::new(values::formats()))]
    pub format: Option<String>,
    /// Samples of lossless output: 16, 24 or 32f [default: keep]
    #[arg(long, alias = "bit_depth", help_heading = "Output", value_parser = PossibleValuesParser::new(values::bit_depths()))]
    pub bit_depth: Option<String>,
    /// Bit rate of lossy output [default: about the input's]
    #[arg(
        long,
        alias = "bitrate_kbps",
        value_name = "KBPS",
        help_heading = "Output",
        conflicts_with = "quality",
        allow_negative_numbers = true,
        value_parser = values::whole_number
    )]
    pub bitrate: Option<i64>,
    /// Quality of lossy output, 0 to 10 (best), at a variable bit rate
    #[arg(
        long,
        value_name = "Q",
        help_heading = "Output",
        allow_negative_numbers = true,
        value_parser = values::number
    )]
    pub quality: Option<f64>,
    /// Add a little noise where samples become 16 bits
    ///
    /// Quiet sounds do not distort then.
    #[arg(long, help_heading = "Output")]
    pub dither: bool,
    /// Time taken to encode MP3, FLAC and Opus: fast, default or best
    ///
    /// `fast` takes a fifth to a third less time, for a little more noise in MP3 and Opus and FLAC
    /// files about half a percent larger. `best` takes more, and FLAC files get a little smaller.
    #[arg(long, alias = "encoder_effort", value_name = "EFFORT", help_heading = "Output", value_parser = PossibleValuesParser::new(values::efforts()), hide_possible_values = true)]
    pub encoder_effort: Option<String>,
    /// Where an output exists: resume, skip, overwrite or error
    ///
    /// A single output file that exists is an error unless `overwrite` or `skip` is given.
    #[arg(
        long,
        alias = "if_exists",
        value_enum,
        default_value = "resume",
        value_name = "WHAT",
        hide_default_value = true,
        help_heading = "Output"
    )]
    pub if_exists: IfExistsArg,
    /// Leave tags, pictures and chapters behind
    #[arg(long, alias = "no_tags", help_heading = "Output")]
    pub no_tags: bool,
    /// Leave subtitles, lyrics and the like beside inputs behind
    #[arg(long, alias = "no_sidecars", help_heading = "Output")]
    pub no_sidecars: bool,
    /// Where each position of a single input went, as JSON
    ///
    /// `-` is standard output.
    #[arg(long, alias = "time_map", value_name = "FILE", help_heading = "Output")]
    pub time_map: Option<PathBuf>,
    /// Put TEXT between the name of an output and its extension
    ///
    /// `{speed}` and `{preset}` stand for the speed and the preset's name: `--suffix '_{speed}x'`.
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true,
        help_heading = "Output"
    )]
    pub suffix: OsString,
    /// Write a file for each chapter, to a folder of the input's name
    ///
    /// Such as `OUTPUT/book/01 Title.mp3`, with the tags and the cover of the whole. Subtitles and
    /// the like are divided too.
    #[arg(
        long,
        value_enum,
        value_name = "chapters",
        hide_possible_values = true,
        help_heading = "Output"
    )]
    pub split: Option<SplitArg>,
    /// Give outputs and folders names that FAT, exFAT and Windows take
    ///
    /// `: ? * " < > | \` and control characters become `_`, and so do dots and spaces at the end;
    /// names of devices such as CON get one more. Two outputs that would have one name are refused.
    #[arg(long, alias = "portable_names", help_heading = "Output")]
    pub portable_names: bool,
    /// Write all outputs right into OUTPUT, without folders
    #[arg(long, help_heading = "Output")]
    pub flatten: bool,
    /// Give outputs the modification time of their inputs
    #[arg(long, alias = "keep_mtime", help_heading = "Output")]
    pub keep_mtime: bool,

    /// Take only files with these extensions, such as m4a,mp3
    ///
    /// From folders, instead of all known audio extensions. May be repeated.
    #[arg(
        short,
        long,
        value_name = "EXT",
        value_delimiter = ',',
        help_heading = "Selection"
    )]
    pub extension: Vec<String>,
    /// Take only what matches
    ///
    /// A pattern without a slash is held against the name, any other against the path below INPUT.
    /// May be repeated.
    #[arg(long, value_name = "PATTERN", help_heading = "Selection")]
    pub glob: Vec<String>,
    /// Leave out what matches
    ///
    /// As --glob; a folder that matches is not entered. May be repeated.
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
    /// Read inputs from FILE, a line each; - is standard input
    #[arg(
        long,
        alias = "files_from",
        value_name = "FILE",
        help_heading = "Selection"
    )]
    pub files_from: Option<PathBuf>,
    /// As --files-from, separated by NUL
    #[arg(
        long,
        alias = "files_from0",
        value_name = "FILE",
        conflicts_with = "files_from",
        help_heading = "Selection"
    )]
    pub files_from0: Option<PathBuf>,
    /// If there is no audio: pass (exit code 0) or fail (4)
    #[arg(
        long,
        alias = "no_files",
        value_enum,
        default_value = "fail",
        value_name = "pass|fail",
        hide_default_value = true,
        hide_possible_values = true,
        help_heading = "Selection"
    )]
    pub no_files: NoFilesArg,

    /// Leave what was done once, also where its output is gone
    ///
    /// A source that has changed since is new; other settings make nothing new. For those who
    /// delete what they have heard.
    #[arg(long, alias = "only_new", help_heading = "Selection")]
    pub only_new: bool,
    /// Remove our outputs whose source is gone, after all else went well
    ///
    /// Only outputs that nobody has touched since, of input folders that are given now and still
    /// hold audio, and whose source is gone from the disk, not merely left out by a filter. The
    /// report lists them; with --dry-run they are only listed.
    #[arg(
        long,
        conflicts_with_all = ["files_from", "files_from0", "rerun_failed"],
        help_heading = "Output"
    )]
    pub prune: bool,
    /// Only the files of partition K of N, for many machines
    ///
    /// All write to one OUTPUT. Which files a partition has follows from their paths. `auto/N` takes K from the scheduler:
    /// Slurm, Kubernetes, AWS Batch, GitLab. Each partition has a report of its own; `audiostretchy
    /// report merge` makes one of all.
    #[arg(long, value_name = "K/N", help_heading = "Selection")]
    pub partition: Option<Partition>,
    /// Only the files that failed or were not run in that JSON report
    ///
    /// Takes the same inputs, output and options as the run that wrote the report (which prints the
    /// whole command at its end); new options may be added. The new report tells of these files
    /// only.
    #[arg(
        long,
        alias = "rerun_failed",
        value_name = "FILE",
        help_heading = "Selection"
    )]
    pub rerun_failed: Option<PathBuf>,

    /// Files to work on at a time [default: one a processor]
    #[arg(
        short,
        long,
        value_name = "N",
        default_value_t = 0,
        help_heading = "Running",
        hide_default_value = true,
        allow_negative_numbers = true,
        value_parser = values::file_count
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
        value_parser = values::at_least_one,
        help_heading = "Running"
    )]
    pub max_failures: Option<usize>,
    /// Do nothing that was not asked for; fail instead
    ///
    /// Without it, what is damaged is filled up with silence, audio that changes its rate or its
    /// channels midway is converted to what it began with, and files whose format cannot be
    /// written go to the nearest one that holds their codec, all with a warning. With it, the
    /// first two fail (exit code 1), and the last stops everything before it begins (2).
    #[arg(long, help_heading = "Running")]
    pub strict: bool,
    /// Give a file up that takes longer, such as 90s or 5m
    #[arg(long, value_name = "TIME", allow_negative_numbers = true,
        value_parser = values::time, help_heading = "Running")]
    pub timeout: Option<Duration>,
    /// Make outputs in this folder, then copy them to their places
    ///
    /// For outputs on a disk that is slow, or that cannot be written to out of order, such as some
    /// mounts of cloud storage. Without it, they are written next to where they belong and renamed.
    #[arg(long, alias = "temp_dir", value_name = "DIR", help_heading = "Running")]
    pub temp_dir: Option<PathBuf>,
    /// Wait up to TIME for another run that has OUTPUT
    ///
    /// Otherwise the program ends at once then, with exit code 75.
    #[arg(long, alias = "wait_lock", value_name = "TIME", allow_negative_numbers = true, value_parser = values::time, help_heading = "Running")]
    pub wait_lock: Option<Duration>,
    /// Give files at work up that long after a signal to stop
    ///
    /// For schedulers that kill what has not ended after a while. Without it, they are finished.
    #[arg(long, alias = "stop_grace", value_name = "TIME", allow_negative_numbers = true, value_parser = values::time, help_heading = "Running")]
    pub stop_grace: Option<Duration>,
    /// Fail files with more audio, such as 3h [default: 48h]
    #[arg(
        long,
        alias = "max_duration_per_file",
        value_name = "TIME",
        allow_negative_numbers = true,
        value_parser = values::time,
        help_heading = "Running"
    )]
    pub max_duration_per_file: Option<Duration>,
    /// Tell what is up to date by the content of sources
    ///
    /// Their modification times count otherwise.
    #[arg(long, help_heading = "Running")]
    pub checksum: bool,
    /// Print what would be done and touch nothing
    #[arg(long, alias = "dry_run", help_heading = "Running")]
    pub dry_run: bool,
    /// Where the JSON report goes; - is standard output
    ///
    /// By default an output folder gets `audiostretchy-report.json`, and a single file none.
    #[arg(long, value_name = "FILE", help_heading = "Running")]
    pub report: Option<PathBuf>,
    /// How many earlier reports OUTPUT keeps [default: 10]
    ///
    /// `audiostretchy-report.1.json` is the newest of them. A run that made nothing and failed
    /// nothing replaces the last report instead.
    #[arg(
        long,
        alias = "report_history",
        value_name = "N",
        conflicts_with = "report",
        help_heading = "Running"
    )]
    pub report_history: Option<usize>,
    /// Where a JUnit XML report goes; - is standard output
    #[arg(
        long,
        alias = "report_junit",
        value_name = "FILE",
        help_heading = "Running"
    )]
    pub report_junit: Option<PathBuf>,
    /// Where a Markdown report goes; - is standard output
    ///
    /// It is made for the summary of a CI job.
    #[arg(
        long,
        alias = "report_markdown",
        value_name = "FILE",
        help_heading = "Running"
    )]
    pub report_markdown: Option<PathBuf>,
    /// Where a page to look at goes; - is standard output
    ///
    /// One file for a browser: waveforms before and after, players, problems, a timeline. Its links
    /// to audio are relative.
    #[arg(
        long,
        alias = "report_html",
        value_name = "FILE",
        help_heading = "Running"
    )]
    pub report_html: Option<PathBuf>,
    /// Tell what happens on standard output, one JSON object a line
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
pub(super) enum IfExistsArg {
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
pub(super) enum SplitArg {
    Chapters,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum NoFilesArg {
    Pass,
    Fail,
}

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verbosity {
    Quiet,
    Normal,
    Verbose,
}

impl Args {
    fn parse_words(words: impl Iterator<Item = OsString>) -> Result<Self, clap::Error> {
        let words: Vec<OsString> = words.collect();
        let mut command = Self::command().color(color::asked_for(arguments()));
        if help::is_short(&words) {
            command = command.mut_args(|option| match option.get_action().takes_values() {
                true => option.hide_possible_values(true),
                false => option,
            });
        }
        let parsed = command.try_get_matches_from(words);
        parsed
            .and_then(|matches| Self::from_arg_matches(&matches))
            .map_err(|mut error| {
                words::add_tip(&mut error);
                error
            })
    }

    /// Parses the command line; ends the program where it is wrong or asks for help.
    pub(super) fn parse_or_exit() -> Self {
        let args = Self::parse_words(arguments()).unwrap_or_else(|error| {
            // The error repeats what was given, which `*` may have filled in with names of files:
            // the same mistake, made with what can be shown.
            let visible = arguments().map(|word| text::escape(&word.to_string_lossy()));
            match Self::parse_words(visible.map(OsString::from)) {
                Err(visible) => visible.exit(),
                Ok(_) => error.exit(),
            }
        });
        if args.command.is_some() {
            return args;
        }
        if let Some(meant) = words::meant_subcommand(&args.convert.paths) {
            let message = format!("no such input; did you mean 'audiostretchy {meant}'?");
            Self::command()
                .error(ErrorKind::InvalidSubcommand, message)
                .exit();
        }
        if !args.convert.has_inputs() {
            let message = "an input and an output are needed, and only one path was given";
            Self::command()
                .error(ErrorKind::TooFewValues, message)
                .exit();
        }
        args
    }
}
