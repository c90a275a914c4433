//! Words that people try because other programs have them, and what is meant by them here.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::text;

/// Options of other programs, and what to use here.
const OPTIONS: [(&[&str], &str); 8] = [
    (
        &["--tempo"],
        "for a speed, use '--speed X', such as '--speed 1.5'",
    ),
    (
        &["--rate"],
        "for a speed, use '--speed X'; for a sample rate, '--sample-rate HZ'",
    ),
    (&["--threads", "--workers", "--parallel"], "use '--jobs N'"),
    (
        &["--force", "--overwrite", "--yes"],
        "use '--if-exists overwrite'",
    ),
    (
        &["--output", "--out", "--output-dir", "--outdir"],
        "the output is the last path: 'audiostretchy INPUT... OUTPUT'",
    ),
    (
        &["--input"],
        "inputs need no option: 'audiostretchy INPUT... OUTPUT'",
    ),
    (&["--include"], "use '--glob PATTERN'"),
    (
        &["--recursive"],
        "folders are always walked; '--max-depth 1' keeps to one",
    ),
];

/// Spellings of subcommands that would be taken for inputs.
const SUBCOMMANDS: [(&[&str], &str); 4] = [
    (&["preset"], "presets"),
    (&["reports"], "report"),
    (&["completion"], "completions"),
    (&["manual", "manpage"], "man"),
];

/// An address stands where a file or a folder should.
#[derive(Debug, thiserror::Error)]
#[error(
    "{}: is an address, and only files and folders can be read and written; {}",
    text::path(path),
    if *is_output { "write to a folder and upload that" } else { "download it first" }
)]
pub(super) struct AddressError {
    path: PathBuf,
    is_output: bool,
}

/// Tells how to write an input that is called like a subcommand, if there is one; ends a sentence.
pub(super) fn hint(name: &str) -> String {
    match Path::new(name).exists() {
        true => format!("; for the input called {name}, write ./{name}"),
        false => String::new(),
    }
}

/// Puts the tip that is meant into an error of the parser of these words.
pub(super) fn add_tip(error: &mut clap::Error, command_line: &[OsString]) {
    if error.kind() != ErrorKind::UnknownArgument {
        return;
    }
    let first = command_line.get(1).and_then(|word| word.to_str());
    if let Some(name @ ("run" | "init")) = first
        && Path::new(name).exists()
    {
        let tip = format!("'{name}' is a subcommand{}", hint(name));
        let tips = vec![tip.into()];
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
        return;
    }
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg) else {
        return;
    };
    let word = word.split(['=', ' ']).next().unwrap_or_default();
    let known = OPTIONS.iter().find(|(words, _)| words.contains(&word));
    if let Some((_, tip)) = known {
        // What is spelt like it is not what is meant.
        error.remove(ContextKind::SuggestedArg);
        let tips = vec![(*tip).into()];
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    }
}

/// Returns the subcommand that is meant by the first of some paths, if no input is called so.
pub(super) fn meant_subcommand(paths: &[PathBuf]) -> Option<String> {
    let first = paths.first().filter(|path| !path.exists())?;
    let is_meant = |(words, _): &&(&[&str], _)| words.iter().any(|word| first == Path::new(word));
    let (_, subcommand) = SUBCOMMANDS.iter().find(is_meant)?;
    let rest = paths[1..]
        .iter()
        .map(|path| format!(" {}", text::path(path)));
    Some(format!("{subcommand}{}", rest.collect::<String>()))
}

/// Refuses addresses.
pub(super) fn check_no_addresses<'a>(
    inputs: impl IntoIterator<Item = &'a PathBuf>,
    output: &Path,
) -> Result<(), AddressError> {
    let refuse = |path: &Path, is_output| match is_address(path) {
        true => Err(AddressError {
            path: path.to_owned(),
            is_output,
        }),
        false => Ok(()),
    };
    inputs
        .into_iter()
        .try_for_each(|path| refuse(path, false))?;
    refuse(output, true)
}

fn is_address(path: &Path) -> bool {
    let scheme = path.to_str().and_then(|text| text.split_once("://"));
    scheme.is_some_and(|(scheme, _)| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "+.-".contains(c);
        scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(is_part)
    }) && !path.exists()
}
