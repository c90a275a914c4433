//! `--split chapters`: an output for each chapter, in a folder of the input's name.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use rayon::prelude::*;

use super::job::{Job, PartJob};
use super::portable;
use crate::pipeline::atomic_file::Replace;
use crate::pipeline::file_state;
use crate::pipeline::parts::{self, Part};
use crate::pipeline::paths::parent;
use audiostretchy_containers::input::Input;
use audiostretchy_containers::warning::Warning;
use audiostretchy_media::decode::Decoder;
use audiostretchy_tags::Metadata;
use audiostretchy_tags::sidecar;

/// The most bytes of a title in a file name: names may have 255, with number, suffix and extension.
const MAX_TITLE: usize = 180;

/// Gives each job that is to be split an output for each chapter of its input.
///
/// `is_portable` tells whose names have to be portable.
pub(super) fn split(jobs: &mut [Job], is_portable: impl Fn(&Job) -> bool + Sync) {
    let jobs = jobs.par_iter_mut();
    let jobs = jobs.filter(|job| job.settings.split_chapters);
    jobs.for_each(|job| {
        match read_parts(&job.input) {
            // That it cannot be read is told where it is to be stretched.
            None => {}
            Some(parts) if parts.is_empty() => job.warnings.push(no_chapters()),
            Some(parts) => split_job(job, parts, is_portable(job)),
        }
    });
}

/// Returns the chapters that an input is split into; `None` if it cannot be read.
fn read_parts(input: &Path) -> Option<Vec<Part>> {
    let input = Input::open(input).ok()?;
    let decoder = Decoder::from_input(&input).ok()?;
    let info = decoder.info();
    let (metadata, _) = Metadata::read(&input, info.container, info.sample_rate);
    Some(parts::of(metadata.chapters(), info))
}

fn split_job(job: &mut Job, parts: Vec<Part>, is_portable: bool) {
    let settings = job.settings.clone();
    let folder = folder_name(&job.output, &settings.suffix, is_portable);
    let folder = parent(&job.output).join(folder);
    let extension = job.output.extension().unwrap_or_default().to_owned();
    let digits = parts.len().to_string().len();
    let output = |number: usize, title: &str| {
        let mut name = OsString::from(format!("{number:0digits$} {}", in_name(title)));
        name.push(&settings.suffix);
        name.push(".");
        name.push(&extension);
        match is_portable {
            true => folder.join(portable::name(&name)),
            false => folder.join(name),
        }
    };
    job.parts = (1..)
        .zip(parts)
        .map(|(number, part)| PartJob {
            output: output(number, &part.title),
            part,
            replace: Replace::Never,
        })
        .collect();
    job.output.clone_from(&job.parts[0].output);
    job.fingerprint = file_state::fingerprint(&[&*job.fingerprint, "split"]).into();
    let whole = std::mem::take(&mut job.sidecars);
    for sidecar in whole {
        let name = sidecar.source.file_name().unwrap_or_default();
        let Some(tail) = sidecar::tail(name, &job.input) else {
            continue;
        };
        let parts = job.parts.iter().enumerate();
        // What cannot be divided is planned once, to be told of, and not written.
        let (count, replace) = match sidecar::has_parts(name.as_ref()) {
            true => (usize::MAX, sidecar.replace),
            false => (1, None),
        };
        let divided = parts.take(count).map(|(number, part)| {
            let mut divided = sidecar.clone();
            divided.part = Some(number);
            divided.output = sidecar::counterpart(tail, &part.output);
            divided.replace = replace;
            divided
        });
        job.sidecars.extend(divided);
    }
}

/// Returns the name of the folder for what would be a single output.
fn folder_name(output: &Path, suffix: &OsStr, is_portable: bool) -> OsString {
    let stem = output.file_stem().unwrap_or_default();
    let suffix = match is_portable {
        true => OsString::from(portable::name(suffix)),
        false => suffix.to_owned(),
    };
    let name = without_suffix(stem, &suffix);
    let name = match name.to_str() {
        // These would lead out of the output folder.
        Some("" | "." | "..") => OsString::from("_"),
        _ => name,
    };
    match is_portable {
        true => portable::name(&name).into(),
        false => name,
    }
}

fn without_suffix(name: &OsStr, suffix: &OsStr) -> OsString {
    match (name.to_str(), suffix.to_str()) {
        (Some(name), Some(suffix)) => name.strip_suffix(suffix).unwrap_or(name).into(),
        _ => name.to_owned(),
    }
}

/// Returns a title as it can stand in a file name.
fn in_name(title: &str) -> String {
    let is_bad = |char: char| char == '/' || char.is_control();
    let replaced = title
        .trim()
        .chars()
        .map(|char| if is_bad(char) { '_' } else { char });
    let mut name: String = replaced.collect();
    let mut ends = (0..=MAX_TITLE.min(name.len())).rev();
    let end = ends.find(|&end| name.is_char_boundary(end));
    name.truncate(end.unwrap_or(0));
    name.truncate(name.trim_end().len());
    name
}

/// There is nothing to split an input at.
fn no_chapters() -> Warning {
    let message = "it has no chapters, and becomes a single output";
    Warning::new("no-chapters", message)
}
