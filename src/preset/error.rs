//! What can be wrong with a preset.

use std::io;
use std::path::PathBuf;

use super::suggest::{nearest, ranked};
use super::{Source, keys};
use audiostretchy_engine::OptionError;
use audiostretchy_media::format::Format;

/// A preset, or an option on the command line, that cannot be used.
///
/// Each message is complete in itself, the text of its [`source`](std::error::Error::source)
/// included, and starts with file and line where there is one. On the command line, keys are
/// spelled as options (`--upper-freq`).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PresetError {
    /// No preset of this name was found.
    #[error("{}there is no {}preset \"{name}\"{}: known are {}",
        prefix(place), other(name, known), did_you_mean(near(name, known)), known.join(", "))]
    Unknown {
        /// Where the preset was asked for.
        place: Source,
        /// The name asked for.
        name: String,
        /// The names of all presets that can be found, sorted.
        known: Vec<String>,
    },
    /// A preset's file, or a folder of presets, could not be read.
    #[error("{}cannot read {}: {source}", prefix(place), path.display())]
    Read {
        /// Where the file was asked for.
        place: Source,
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The file is not UTF-8 text.
    #[error("{}:{line}: this is not UTF-8 text: save the preset as UTF-8", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// The first line, from 1, that is not UTF-8.
        line: usize,
    },
    /// The file is not TOML, or gives a key twice.
    #[error("{}not valid TOML: {}", prefix(place), one_line(message))]
    Syntax {
        /// Where reading stopped.
        place: Source,
        /// What is wrong with it.
        message: String,
        /// The same with an excerpt of the file.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A key that means nothing.
    #[error("{}unknown key \"{}\": {}", prefix(place), key.escape_debug(), mend_key(key))]
    UnknownKey {
        /// Where the key is.
        place: Source,
        /// The key as given.
        key: String,
    },
    /// A value of the wrong type.
    #[error(
        "{}{} is {found}: it must be {expected}",
        prefix(place),
        spell(place, key)
    )]
    WrongType {
        /// Where the value is.
        place: Source,
        /// The key, in snake case.
        key: &'static str,
        /// What the key takes, as "a number".
        expected: &'static str,
        /// The value given, or the name of its type.
        found: String,
    },
    /// A value outside its range, or none of the names allowed.
    #[error(
        "{}{} is {value}: it must be {allowed}",
        prefix(place),
        spell(place, key)
    )]
    OutOfRange {
        /// Where the value is.
        place: Source,
        /// The key, in snake case.
        key: &'static str,
        /// The value given.
        value: String,
        /// What would be accepted, with the unit.
        allowed: String,
    },
    /// One layer sets two keys that say the same thing in different ways.
    #[error("{}{} excludes {}{}: keep one of them",
        prefix(place), spell(place, key), spell(place, rival), in_line(*rival_line))]
    Conflict {
        /// Where the second of the two is.
        place: Source,
        /// The second key, in snake case.
        key: &'static str,
        /// The first key, in snake case.
        rival: &'static str,
        /// The line of the first key, in the same preset.
        rival_line: Option<usize>,
    },
    /// One layer names a format and sets a key that is for formats of the other kind.
    #[error("{}{} is for {kind} formats, and {} is not: take one of them out",
        prefix(place), spell(place, key), format.name())]
    Unfit {
        /// Where the second of the two is.
        place: Source,
        /// The key, in snake case.
        key: &'static str,
        /// `lossy` or `lossless`.
        kind: &'static str,
        /// The format.
        format: Format,
    },
    /// Presets extend each other in a circle.
    #[error("{}extends goes in a circle: {}: take one of these extends out",
        prefix(place), chain.join(" -> "))]
    Circular {
        /// The `extends` that closes the circle.
        place: Source,
        /// The presets from the first to the one that came up again.
        chain: Vec<String>,
    },
    /// Values that are allowed each by itself but not together.
    #[error("{source} ({origins})")]
    Combination {
        /// The values concerned, each with its source.
        origins: String,
        /// What does not go together.
        source: OptionError,
    },
}

/// File and line in front of a message. Where the command line is at fault, the option's spelling
/// says so already.
fn prefix(place: &Source) -> String {
    match place {
        Source::Preset { .. } => format!("{place}: "),
        Source::Default | Source::CommandLine => String::new(),
    }
}

/// A key as it is spelled where the user wrote it.
fn spell<'a>(place: &Source, key: &'a str) -> &'a str {
    match keys::find(key) {
        Some(found) if *place == Source::CommandLine => found.option,
        _ => key,
    }
}

fn in_line(line: Option<usize>) -> String {
    line.map(|line| format!(", which line {line} sets"))
        .unwrap_or_default()
}

fn one_line(message: &str) -> String {
    message.lines().collect::<Vec<_>>().join("; ")
}

fn mend_key(key: &str) -> String {
    match nearest(key, keys::names()) {
        Some(name) => format!("did you mean {name}?"),
        None => format!("known are {}", keys::names().collect::<Vec<_>>().join(", ")),
    }
}

/// A preset that extends its own name is itself among those known, and looks for another.
fn other(name: &str, known: &[String]) -> &'static str {
    match known.iter().any(|known| known == name) {
        true => "other ",
        false => "",
    }
}

fn near<'a>(name: &str, known: &'a [String]) -> Vec<&'a str> {
    let others = known.iter().map(String::as_str);
    ranked(name, others.filter(|known| *known != name))
}

fn did_you_mean(names: Vec<&str>) -> String {
    if names.is_empty() {
        return String::new();
    }
    format!(" (did you mean {}?)", names.join(" or "))
}
