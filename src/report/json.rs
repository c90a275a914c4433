//! The report as JSON: complete, and the only format that can be read back.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, PrettyFormatter};

use super::escape::VisibleJson;
use super::{Report, SCHEMA_VERSION};

/// Writes a report or a plan as indented JSON, with a line break at the end.
///
/// Characters that [`visible`](super::visible) escapes are escaped, so it is safe to display as is.
///
/// # Errors
/// Returns an error if writing fails.
pub fn write(report: &impl Serialize, mut to: impl Write) -> io::Result<()> {
    let formatter = VisibleJson(PrettyFormatter::new());
    report.serialize(&mut Serializer::with_formatter(&mut to, formatter))?;
    writeln!(to)?;
    to.flush()
}

/// Returns a value as one line of JSON, with a line break, escaped as in [`write()`].
///
/// # Errors
/// Returns an error if the value cannot be represented in JSON.
pub fn line(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let formatter = VisibleJson(CompactFormatter);
    value.serialize(&mut Serializer::with_formatter(&mut line, formatter))?;
    line.push(b'\n');
    Ok(line)
}

/// Why a report cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file cannot be read.
    #[error("{}: cannot be read", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The file is not a report.
    #[error("{}: not a report of audiostretchy", path.display())]
    NotAReport {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file is a report with an unsupported schema version.
    #[error(
        "{}: the report's schema_version is {found} and {SCHEMA_VERSION} is what this version \
         reads; use the version that wrote it",
        path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// The report's schema version.
        found: u32,
    },
}

/// Reads a report.
///
/// # Errors
/// Returns an error if the file cannot be read, is not a report, or has another schema version.
pub fn read(path: &Path) -> Result<Report, ReadError> {
    /// The part that reports of all versions share.
    #[derive(Deserialize)]
    struct Version {
        schema_version: u32,
    }
    let not_a_report = |error: serde_json::Error| ReadError::NotAReport {
        path: path.to_owned(),
        source: error.into(),
    };
    let read = || io::read_to_string(BufReader::new(File::open(path)?));
    let text = read().map_err(|source| ReadError::Io {
        path: path.to_owned(),
        source,
    })?;
    let Version { schema_version } = serde_json::from_str(&text).map_err(not_a_report)?;
    if schema_version != SCHEMA_VERSION {
        return Err(ReadError::Version {
            path: path.to_owned(),
            found: schema_version,
        });
    }
    serde_json::from_str(&text).map_err(not_a_report)
}
