//! Errors in presets.

use std::io;
use std::path::PathBuf;

use super::suggest::{nearest, ranked};
use super::{Source, keys};
use audiostretchy_engine::{Engine, OptionError};
use audiostretchy_media::format::Format;

/// A preset or a command-line option that cannot be used.
///
/// Each message is complete, including the text of its [`source`](std::error::Error::source), and
/// starts with file and line if there is one. On the command line, keys are spelled as options
/// (`--upper-freq`).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PresetError {
    /// No preset of this name was found.
    #[error("{}there is no {}preset \"{name}\"{}: known are {}",
        prefix(place), other(name, known), did_you_mean(near(name, known)), known.join(", "))]
    Unknown {
        /// Where the preset was requested.
        place: Source,
        /// The requested name.
        name: String,
        /// The names of all presets that can be found, sorted.
        known: Vec<String>,
    },
    /// A preset's file, or a folder of presets, could not be read.
    #[error("{}cannot read {}: {source}", prefix(place), path.display())]
    Read {
        /// Where the file was requested.
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
        /// The first line that is not UTF-8, starting at 1.
        line: usize,
    },
    /// The file is not TOML, or sets a key twice.
    #[error("{}not valid TOML: {}", prefix(place), one_line(message))]
    Syntax {
        /// Where parsing stopped.
        place: Source,
        /// The parser's message.
        message: String,
        /// The parser's error, with an excerpt of the file.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A key that does not exist.
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
        /// What the key accepts, for example "a number".
        expected: &'static str,
        /// The value given, or the name of its type.
        found: String,
    },
    /// A value that is out of range or not one of the allowed names.
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
        /// The allowed values, with the unit.
        allowed: String,
    },
    /// One layer sets two keys that are alternatives for the same setting.
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
    /// One layer sets a format and a key that only applies to formats of the other kind.
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
    /// A key that only another engine has.
    #[error("{}the {} engine has no {}: {}",
        prefix(place), engine.name(), spell(place, key), mend_engine(place, key, *engine))]
    WrongEngine {
        /// Where the key is.
        place: Source,
        /// The key, in snake case.
        key: &'static str,
        /// The engine that is chosen.
        engine: Engine,
    },
    /// A key that lets pauses decide how long outputs become, where that is given.
    #[error(
        "{}{} lets pauses decide how long outputs become, and that is given: {}",
        prefix(place),
        spell(place, key),
        mend_pauses(place, key)
    )]
    LengthAndPauses {
        /// Where the key is.
        place: Source,
        /// The key, in snake case.
        key: &'static str,
    },
    /// Presets extend each other in a circle.
    #[error("{}extends goes in a circle: {}: take one of these extends out",
        prefix(place), chain.join(" -> "))]
    Circular {
        /// The `extends` that closes the circle.
        place: Source,
        /// The presets from the first to the one that was repeated.
        chain: Vec<String>,
    },
    /// Values that are valid individually but not together.
    #[error("{source} ({origins})")]
    Combination {
        /// The values involved, each with its source.
        origins: String,
        /// The conflict.
        source: OptionError,
    },
}

/// Returns the file and line that start a message. For the command line this is empty, because the
/// option's spelling identifies the place.
fn prefix(place: &Source) -> String {
    match place {
        Source::Preset { .. } | Source::Project { .. } => format!("{place}: "),
        Source::Default | Source::CommandLine => String::new(),
    }
}

/// Returns the key as the user spells it at that place.
fn spell<'a>(place: &Source, key: &'a str) -> &'a str {
    match keys::find(key) {
        Some(found) if *place == Source::CommandLine => found.option,
        _ => key,
    }
}

fn mend_engine(place: &Source, key: &str, engine: Engine) -> String {
    let other = match engine {
        Engine::Tdhs => Engine::Adaptive.name(),
        Engine::Adaptive => Engine::Tdhs.name(),
    };
    let choose = match place {
        Source::CommandLine => format!("--engine {other}"),
        _ => format!("engine = {other:?}"),
    };
    format!("leave {} out, or choose {choose}", spell(place, key))
}

fn mend_pauses(place: &Source, key: &str) -> String {
    let off = match key {
        "max_pause" => "max_pause",
        _ => "gap_ratio",
    };
    let off = match place {
        Source::Project { .. } => format!("{off} = 0"),
        _ => format!("{} 0", spell(&Source::CommandLine, off)),
    };
    format!("turn it off with {off}, or leave the duration or exact length out")
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

/// Returns "other " for a preset that extends its own name: it is one of the known presets, but
/// refers to another one.
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
