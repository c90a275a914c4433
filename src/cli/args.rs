//! The options.

mod files;
pub(super) mod run;
mod settings;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{ColorChoice, CommandFactory, FromArgMatches, Parser};

pub(super) use files::{FileArgs, IfExistsArg, NoFilesArg, SplitArg};
pub(super) use run::{RunArgs, Verbosity};
pub(super) use settings::SettingsArgs;

use super::commands::Command;
use super::{arguments, color, help, text, words};

/// Change the speed of whole folders of audio without changing pitch.
#[derive(Debug, Parser)]
#[command(
    version,
    override_usage = "audiostretchy [OPTIONS] INPUT... OUTPUT\n       audiostretchy run [FILE] [--job NAME]... [OPTIONS]\n       audiostretchy init [FILE]\n       audiostretchy presets list|show NAME|check FILE\n       audiostretchy report show|html FILE|FOLDER\n       audiostretchy report merge FILE|FOLDER... -o FILE\n       audiostretchy completions SHELL\n       audiostretchy man",
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
    #[command(flatten)]
    pub settings: SettingsArgs,
    #[command(flatten)]
    pub files: FileArgs,
    #[command(flatten)]
    pub run: RunArgs,
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
        let parsed = command.try_get_matches_from(&words);
        parsed
            .and_then(|matches| Self::from_arg_matches(&matches))
            .map_err(|mut error| {
                words::add_tip(&mut error, &words);
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
