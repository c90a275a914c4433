//! `--durations`: how long each output is to become, as a CSV file (RFC 4180) tells it.

use std::path::{Path, PathBuf};

use audiostretchy::batch::{DurationLine, Durations};
use audiostretchy::time::parse_seconds;

use super::{file_list, text};

/// The file could not be read, or a line of it is not a path and a length.
#[derive(Debug, thiserror::Error)]
pub(super) enum DurationsError {
    #[error("cannot read the list of durations {}", text::path(path))]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{}:{line}: {what}", text::path(path))]
    Line {
        path: PathBuf,
        line: u64,
        what: String,
    },
}

/// Reads lines of a path and a length; the first may be a header.
pub(super) fn read(path: &Path) -> Result<Durations, DurationsError> {
    let bytes = std::fs::read(path).map_err(|source| DurationsError::Read {
        path: path.to_owned(),
        source,
    })?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(&bytes[..]);
    let mut lines = Vec::new();
    for (index, record) in reader.byte_records().enumerate() {
        let record = record.map_err(|error| DurationsError::Read {
            path: path.to_owned(),
            source: error.into(),
        })?;
        let line = record.position().map_or(0, csv::Position::line);
        let wrong = |what: String| DurationsError::Line {
            path: path.to_owned(),
            line,
            what,
        };
        let (Some(name), Some(length), None) = (record.get(0), record.get(1), record.get(2)) else {
            let what = "it must be a path and a length, as in takes/01.wav,5.6; a path with a \
                        comma in it goes in quotes";
            return Err(wrong(what.into()));
        };
        let length = String::from_utf8_lossy(length);
        let is_header = index == 0 && length.starts_with(char::is_alphabetic);
        match parse_seconds(&length) {
            Ok(seconds) if seconds > 0.0 => lines.push(DurationLine {
                line,
                path: file_list::to_path(name),
                seconds,
            }),
            Err(_) if is_header => {}
            Ok(_) => return Err(wrong("the length must be more than 0 seconds".into())),
            Err(allowed) => {
                let length = text::escape(&length);
                return Err(wrong(format!(
                    "the length is {length:?}: it must be {allowed}"
                )));
            }
        }
    }
    Ok(Durations {
        file: path.to_owned(),
        lines,
    })
}
