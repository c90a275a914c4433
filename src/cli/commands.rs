//! The subcommands and their options.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::Shell;

use super::args::run::RunArgs;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List, show or check presets
    #[command(subcommand)]
    Presets(PresetsCommand),
    /// Show, merge or draw the reports of runs
    #[command(subcommand)]
    Report(ReportCommand),
    /// Convert what a project file says
    ///
    /// Paths in it start from its folder. All its jobs are planned together before the first file is
    /// opened, share the workers, and have one report, which lies beside the project file unless
    /// another place is named.
    Run(Box<ProjectArgs>),
    /// Write a project file to start from
    Init(InitArgs),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    Man,
}

#[derive(Debug, Args)]
pub(super) struct ProjectArgs {
    /// The project file [default: audiostretchy.toml here or in a folder above]
    pub file: Option<PathBuf>,
    /// Only the job of that name, or that number; may be repeated
    #[arg(long, value_name = "NAME")]
    pub job: Vec<String>,
    #[command(flatten)]
    pub run: RunArgs,
}

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The project file [default: audiostretchy.toml]
    pub file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum ReportCommand {
    /// Show what a run did, and the command that retries what failed
    ///
    /// The exit code is that of the run.
    Show {
        /// A JSON report, or an output folder with one
        path: PathBuf,
        /// List every file
        #[arg(short, long)]
        verbose: bool,
    },
    /// Make one report of those of all partitions
    ///
    /// The exit code is 0 where that worked, whatever the runs' were. Of several reports of a
    /// partition, the last one counts.
    Merge {
        /// JSON reports, or folders with some
        #[arg(required = true)]
        reports: Vec<PathBuf>,
        /// The merged report; - is standard output
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Make a page to look at from a JSON report
    ///
    /// Waveforms are there if the run, or an earlier one, had --report-html.
    Html {
        /// A JSON report, or an output folder with one
        path: PathBuf,
        /// The page; - is standard output [default: the report's name with .html]
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum PresetsCommand {
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
