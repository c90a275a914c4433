//! Lists of input files.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A list could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the list of files {}", path.display())]
pub(super) struct ListError {
    path: PathBuf,
    source: io::Error,
}

/// Reads a list of paths from a file, or from standard input if it is `-`; empty entries are
/// passed over.
pub(super) fn read(list: &Path, separator: u8) -> Result<Vec<PathBuf>, ListError> {
    let mut bytes = Vec::new();
    let result = if list == Path::new("-") {
        io::stdin().lock().read_to_end(&mut bytes)
    } else {
        File::open(list).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    result.map_err(|source| ListError {
        path: list.to_owned(),
        source,
    })?;
    let entries = bytes.split(|&byte| byte == separator);
    Ok(entries
        .filter(|entry| !entry.is_empty())
        .map(to_path)
        .collect())
}

/// Returns the path that bytes stand for.
#[cfg(unix)]
pub(super) fn to_path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::OsStr::from_bytes(bytes).into()
}

/// Returns the path that bytes stand for.
#[cfg(not(unix))]
pub(super) fn to_path(bytes: &[u8]) -> PathBuf {
    String::from_utf8_lossy(bytes.trim_ascii_end())
        .into_owned()
        .into()
}
