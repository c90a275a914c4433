//! What stands at the end of the help, and the manual page.

use std::ffi::OsString;
use std::io;

use clap::builder::StyledStr;
use clap::{Arg, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

/// The end of the short help.
pub(super) const EXAMPLE: &str = "Example:
  audiostretchy podcasts/ faster/ --preset speech --speed 1.5

--help has exit codes, presets and recipes.";

/// What the program returns.
const EXIT_CODES: [(&str, &str); 7] = [
    ("0", "every file is done or up to date"),
    ("1", "some file failed"),
    ("2", "wrong usage, preset or plan; nothing was written"),
    (
        "3",
        "a report could not be written, or OUTPUT was removed or replaced meanwhile",
    ),
    ("4", "no audio found (0 with --no-files pass)"),
    ("75", "another run is writing to OUTPUT: try again later"),
    (
        "129, 130, 143",
        "stopped by a closed terminal, Ctrl-C or SIGTERM; the report is written",
    ),
];

/// The built-in presets.
const PRESETS: [(&str, &str); 7] = [
    ("speech", "voices: pitch search from 80 to 300 Hz"),
    ("music", "music: pitch search from 50 to 400 Hz"),
    ("fast", "long recordings: search at half the sample rate"),
    (
        "natural",
        "any sound: the adaptive engine decides by itself",
    ),
    ("natural-music", "music with chords: the adaptive engine"),
    ("podcast", "speech 1.25 times as fast, pauses cut to half"),
    ("phone", "podcast as mono MP3 of 24 kHz and 48 kbit/s"),
];

/// Commands to start from.
const RECIPES: [(&str, &str); 5] = [
    (
        "Podcasts half as fast again, small files, pauses shortened",
        "audiostretchy podcasts/ faster/ --preset speech --speed 1.5 --gap-ratio 0.3 --format opus",
    ),
    (
        "An audio book for slow listeners, one chapter to look at first",
        "audiostretchy book/01.m4a slow.m4a -p speech --speed 0.85",
    ),
    (
        "A lesson with its subtitles, which move along",
        "audiostretchy lesson.mp3 slower.mp3 -p speech --ratio 1.25",
    ),
    (
        "In CI: plain lines, a summary for the job, one hour at most for a file",
        "audiostretchy audio/ out/ -p voice.toml --timeout 1h --report-markdown summary.md",
    ),
    (
        "From and to other programs",
        "ffmpeg -v error -i talk.mkv -f wav - | audiostretchy - talk.mp3 --speed 1.5",
    ),
];

/// Returns the end of the long help.
pub(super) fn end() -> String {
    let list = |title: &str, rows: &[(&str, &str)]| {
        let width = rows.iter().map(|(term, _)| term.len()).max().unwrap_or(0);
        let rows = rows
            .iter()
            .map(|(term, text)| format!("  {term:<width$}  {text}\n"));
        format!("{title}:\n{}\n", rows.collect::<String>())
    };
    let recipes = RECIPES.map(|(title, command)| format!("  {title}:\n    {command}\n"));
    format!(
        "{}{}Recipes:\n{}",
        list("Exit codes", &EXIT_CODES),
        list("Presets", &PRESETS),
        recipes.concat()
    )
}

/// Returns whether the short help is asked for, in which an option has one line.
pub(super) fn is_short(words: &[OsString]) -> bool {
    let mut words = words.iter().take_while(|word| *word != "--");
    words.any(|word| word == "-h")
}

/// Each subcommand with its arguments and options, those of subcommands too.
fn subcommands(command: &Command, roff: &mut Roff) {
    for command in command.get_subcommands() {
        if command.get_name() == "help" {
            continue;
        }
        if command.has_subcommands() {
            subcommands(command, roff);
            continue;
        }
        let usage = command.clone().render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ").to_owned();
        let about = |text: Option<&StyledStr>| text.map(ToString::to_string).unwrap_or_default();
        roff.control("TP", []).text([bold(usage)]);
        roff.text([roman(format!("{}.", about(command.get_about())))]);
        let is_own = |option: &&Arg| {
            !option.is_positional() && !option.is_global_set() && option.get_id() != "help"
        };
        for option in command.get_arguments().filter(is_own) {
            let help = about(option.get_help());
            roff.text([bold(option.to_string()), roman(format!(": {help}."))]);
        }
    }
}

/// Returns the manual page of a command, in roff.
pub(super) fn manual(mut command: Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    // The end of the help has sections of its own here.
    let man = Man::new(
        command
            .clone()
            .after_help(None::<&str>)
            .after_long_help(None::<&str>),
    );
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    let mut roff = Roff::new();
    roff.control("SH", ["SUBCOMMANDS"]);
    command.build();
    subcommands(&command, &mut roff);
    for (title, rows) in [("EXIT STATUS", &EXIT_CODES[..]), ("PRESETS", &PRESETS)] {
        roff.control("SH", [title]);
        for (term, text) in rows {
            roff.control("TP", [])
                .text([bold(*term)])
                .text([roman(*text)]);
        }
    }
    roff.control("SH", ["EXAMPLES"]);
    for (title, command) in RECIPES {
        roff.control("PP", []).text([roman(format!("{title}:"))]);
        roff.control("PP", []).control("RS", ["4"]);
        roff.control("nf", [])
            .text([roman(command)])
            .control("fi", []);
        roff.control("RE", []);
    }
    roff.control("SH", ["FILES"]);
    for (name, text) in [
        (
            "OUTPUT/audiostretchy-report.json",
            "the report of the last run; those before it have a number before .json",
        ),
        (
            "OUTPUT/.audiostretchy.jsonl",
            "the journal, which tells later runs what is up to date",
        ),
        (
            "audiostretchy.toml",
            "the project file that run carries out, in the current folder or one above",
        ),
        (
            "~/.config/audiostretchy/presets/*.toml",
            "presets of your own",
        ),
    ] {
        roff.control("TP", [])
            .text([bold(name)])
            .text([roman(text)]);
    }
    roff.to_writer(&mut page)?;
    man.render_version_section(&mut page)?;
    Ok(page)
}
