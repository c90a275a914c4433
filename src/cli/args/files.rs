//! Options that tell which files are taken, and what is written.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::ValueEnum;

#[derive(Debug, Default, clap::Args)]
pub(in crate::cli) struct FileArgs {
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
    /// Do nothing that was not asked for; fail instead
    ///
    /// Without it, what is damaged is filled up with silence, audio that changes its rate or its
    /// channels midway is converted to what it began with, and files whose format cannot be
    /// written go to the nearest one that holds their codec, all with a warning. With it, the
    /// first two fail (exit code 1), and the last stops everything before it begins (2).
    #[arg(long, help_heading = "Running")]
    pub strict: bool,
    /// Make outputs in this folder, then copy them to their places
    ///
    /// For outputs on a disk that is slow, or that cannot be written to out of order, such as some
    /// mounts of cloud storage. Without it, they are written next to where they belong and renamed.
    #[arg(long, alias = "temp_dir", value_name = "DIR", help_heading = "Running")]
    pub temp_dir: Option<PathBuf>,
    /// Tell what is up to date by the content of sources
    ///
    /// Their modification times count otherwise.
    #[arg(long, help_heading = "Running")]
    pub checksum: bool,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(in crate::cli) enum IfExistsArg {
    #[default]
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
pub(in crate::cli) enum SplitArg {
    Chapters,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum NoFilesArg {
    Pass,
    #[default]
    Fail,
}
