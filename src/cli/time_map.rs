//! `--time-map -`: the record on standard output.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use tempfile::TempDir;

/// A time map on its way to standard output, through a file.
pub(super) struct TimeMap(TempDir);

impl TimeMap {
    /// A place for the file; it is removed in the end.
    pub(super) fn new() -> io::Result<Self> {
        tempfile::tempdir().map(Self)
    }

    /// Where the file goes.
    pub(super) fn path(&self) -> PathBuf {
        self.0.path().join("time-map.json")
    }

    /// Copies it to standard output, if it was made. A reader that has seen enough is no error.
    pub(super) fn print(self) -> io::Result<()> {
        let Ok(mut file) = File::open(self.path()) else {
            return Ok(());
        };
        let mut out = io::stdout().lock();
        match io::copy(&mut file, &mut out).and_then(|_| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }
}
