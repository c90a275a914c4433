//! Files written beside an output: subtitles and the like, the time map.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::output::{write_file, write_file_from};
use crate::media::metadata::Clock;
use crate::pipeline::Outcome;
use crate::warning::Warning;

/// Writes the text files that came from beside an input beside its output, with every time moved.
///
/// A file of the same name is kept with a warning, unless it may be replaced; one beside the input
/// always is.
///
/// # Errors
/// Where a file cannot be written.
pub fn write_sidecars(
    outcome: &mut Outcome,
    input: &Path,
    output: &Path,
    replace: bool,
) -> io::Result<()> {
    let in_place = folder(input).is_some() && folder(input) == folder(output);
    for sidecar in std::mem::take(&mut outcome.sidecars) {
        let mut clock = Clock::moving(&outcome.positions);
        let Some((path, text)) = sidecar.finish(output, &mut clock) else {
            continue;
        };
        let is_source = in_place && path.file_name() == sidecar.path().file_name();
        if is_source || (!replace && path.symlink_metadata().is_ok()) {
            outcome.warnings.push(Warning::sidecar_exists(&path));
            continue;
        }
        let source = sidecar.path().metadata().ok();
        write_file_from(source.as_ref(), &path, |mut file| {
            file.write_all(text.as_bytes())?;
            file.flush()
        })?;
    }
    Ok(())
}

/// The folder of a path, by its real name.
fn folder(path: &Path) -> Option<PathBuf> {
    super::output::parent(path).canonicalize().ok()
}

/// Writes the whole time map as JSON: both sample rates in Hz, both lengths in frames, and a pair
/// of positions in frames, input and output, for every cut. Between them it is straight.
///
/// # Errors
/// Where the file cannot be written.
pub fn write_time_map(outcome: &Outcome, path: &Path) -> io::Result<()> {
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
    write_file(path, |mut file| {
        serde_json::to_writer(&mut file, &map)?;
        writeln!(file)?;
        file.flush()
    })
}
