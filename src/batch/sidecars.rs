//! Files written beside an output: subtitles and the like, the time map.

use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::job::Job;
use super::selection::is_audio;
use crate::pipeline::atomic_file::{PendingOutput, Replace};
use crate::pipeline::parts;
use crate::pipeline::{Outcome, SidecarOutcome};
use audiostretchy_containers::warning::Warning;

/// A text file that came from beside an input, with every time moved, whole but without its name.
pub(super) struct PendingSidecar {
    pub(super) pending: PendingOutput,
    replace: Replace,
    pub(super) output: PathBuf,
}

/// Writes the text files that came from beside a job's input, without giving them their names, and
/// notes what became of each. Returns them, and the places of all that belong beside outputs.
///
/// A file that is there already and may not be replaced is kept, with a warning.
///
/// # Errors
/// Returns an error if a file cannot be written.
pub(super) fn write_pending(
    outcome: &mut Outcome,
    job: &Job,
) -> io::Result<(Vec<PendingSidecar>, Vec<PathBuf>)> {
    let (mut written, mut places) = (Vec::new(), Vec::new());
    let note = |input: &Path, result| SidecarOutcome {
        input: input.to_owned(),
        result,
    };
    let mut outcomes: Vec<SidecarOutcome> = (outcome.left_behind.iter())
        .map(|left| note(&left.path, Err(left.reason.clone())))
        .collect();
    for planned in &job.sidecars {
        let mut read = outcome.sidecars.iter();
        let Some(sidecar) = read.find(|sidecar| sidecar.path() == planned.source) else {
            continue;
        };
        let source = &planned.source;
        let part = planned.part.and_then(|number| outcome.parts.get(number));
        let mut clock = parts::clock(&outcome.positions, part);
        let Some(replace) = planned.replace else {
            let reason = match part {
                Some(_) => "cannot be divided among chapters",
                None => "is in the place where it would be written",
            };
            outcomes.push(note(source, Err(reason.into())));
            continue;
        };
        let beside = planned
            .part
            .map_or(&job.output, |number| &job.parts[number].output);
        // There may be nothing in a chapter.
        let Some(text) = sidecar.finish(beside, &mut clock) else {
            continue;
        };
        let output = planned.output.clone();
        places.push(output.clone());
        if replace == Replace::Never && output.symlink_metadata().is_ok() {
            outcome.warnings.push(already_there(&output));
            let reason = "is there already beside the output";
            outcomes.push(note(source, Err(reason.into())));
            continue;
        }
        let metadata = source.metadata().ok();
        let pending = PendingOutput::write(&output, metadata.as_ref(), |mut file| {
            file.write_all(text.as_bytes())?;
            file.flush()
        })?;
        outcomes.push(note(source, Ok(output.clone())));
        written.push(PendingSidecar {
            pending,
            replace,
            output,
        });
    }
    outcomes.sort_by(|a, b| (&a.input, a.result.as_ref()).cmp(&(&b.input, b.result.as_ref())));
    outcome.sidecar_outcomes = outcomes;
    Ok((written, places))
}

impl PendingSidecar {
    /// Renames the file to its name; the error of a file that came into its place, which is kept, is a
    /// warning.
    ///
    /// # Errors
    /// Returns an error if renaming fails.
    pub(super) fn commit(self, warnings: &mut Vec<Warning>) -> io::Result<bool> {
        match self.pending.commit(self.replace) {
            Ok(warning) => {
                warnings.extend(warning);
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                warnings.push(already_there(&self.output));
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}

/// Removes what earlier runs have left beside a job's output, and what this one did not write again:
/// chapters that are none any more, and texts whose times are those of other audio. `written` are the
/// text files that were written.
pub(super) fn remove_obsolete(job: &Job, written: &[PathBuf], warnings: &mut Vec<Warning>) {
    let not_written = job
        .sidecars
        .iter()
        .filter_map(|sidecar| match sidecar.replace {
            Some(Replace::Known(state)) if !written.contains(&sidecar.output) => {
                Some((&sidecar.output, state))
            }
            _ => None,
        });
    let obsolete = job.obsolete.iter().map(|(path, state)| (path, *state));
    for (path, state) in obsolete.chain(not_written) {
        let found = path.symlink_metadata();
        if found.is_ok_and(|found| state == (&found).into()) && std::fs::remove_file(path).is_ok() {
            warnings.push(removed(path));
        }
    }
}

/// Writes the whole time map as JSON, without giving it its name: both sample rates in Hz, both
/// lengths in frames, and a pair of positions in frames, input and output, for every cut. Between
/// them it is straight.
///
/// # Errors
/// Returns an error if the file cannot be written.
pub(super) fn pending_time_map(outcome: &Outcome, path: &Path) -> io::Result<PendingOutput> {
    let positions = &outcome.positions;
    let points = outcome.time_map.iter().flatten();
    let points: Vec<_> = points.map(|point| [point.input, point.output]).collect();
    let map = json!({
        "input_rate": positions.input_rate,
        "output_rate": positions.output_rate,
        "input_frames": positions.end.input,
        "output_frames": positions.end.output,
        "points": points,
    });
    PendingOutput::write(path, None, |mut file| {
        serde_json::to_writer(&mut file, &map)?;
        writeln!(file)?;
        file.flush()
    })
}

/// A text file was left alone because one of its name is there.
fn already_there(path: &Path) -> Warning {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let message = format!("{name} beside the output is there already and was kept");
    Warning::new("sidecar-exists", message)
}

/// A text file that was written beside earlier audio, or an earlier chapter, was removed.
fn removed(path: &Path) -> Warning {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let message = match path.extension().is_some_and(is_audio) {
        true => format!("{name} was a chapter before, is none any more, and was removed"),
        false => format!("{name} beside the output told the times of before and was removed"),
    };
    Warning::new("sidecar-removed", message)
}
