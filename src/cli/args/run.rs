//! Options of a run, whatever files it is of.

use std::path::PathBuf;
use std::time::Duration;

use audiostretchy::batch::Partition;
use clap::ArgAction;

use crate::cli::values;

#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct RunArgs {
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
    /// Give a file up that takes longer, such as 90s or 5m
    #[arg(long, value_name = "TIME", allow_negative_numbers = true,
        value_parser = values::time, help_heading = "Running")]
    pub timeout: Option<Duration>,
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

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli) enum Verbosity {
    Quiet,
    Normal,
    Verbose,
}
