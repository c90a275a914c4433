//! An output folder during a run.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::journal::{Journal, JournalFile};
use super::partition::Partition;
use super::plan_error::PlanError;
use crate::pipeline::atomic_file;
use crate::pipeline::file::FileError;
use crate::pipeline::paths::FileId;

/// An output folder that is ours until this is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    id: Option<FileId>,
    /// What was known of it before the run.
    pub(super) known: Journal,
    /// The journal; why it cannot be written to where nothing can, and nothing is to be.
    journal: Result<JournalFile, io::Error>,
    /// Set once it was found to have been removed or replaced.
    is_lost: AtomicBool,
}

impl Folder {
    /// Keeps other runs out of a folder, which is created if need be.
    ///
    /// # Errors
    /// Returns an error if another run has it, or it cannot be created.
    pub(super) fn open(path: &Path, partition: Option<Partition>) -> Result<Self, PlanError> {
        let (journal, known) = match JournalFile::open(path, partition) {
            Ok((journal, known)) => (Ok(journal), known),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                return Err(PlanError::Locked { path: path.into() });
            }
            Err(error) => (Err(error), Journal::read(path).unwrap_or_default()),
        };
        Ok(Self {
            path: path.to_owned(),
            // Some file systems number their files anew each time.
            id: FileId::of(path).filter(|id| FileId::of(path).as_ref() == Some(id)),
            known,
            journal,
            is_lost: AtomicBool::new(false),
        })
    }

    /// Removes what opening it has left, if nothing was written.
    pub(super) fn remove_if_unused(self) {
        if let Ok(journal) = self.journal {
            journal.remove_if_unused();
        }
    }

    /// Returns the journal; `None` where nothing can be written, and nothing is to be.
    pub(super) fn journal(&self) -> Option<&JournalFile> {
        self.journal.as_ref().ok()
    }

    /// Returns whether it can be written to.
    pub(super) fn is_writable(&self) -> bool {
        self.journal.is_ok()
    }

    /// Returns whether other runs are kept out; not every file system can do that.
    pub(super) fn is_locked(&self) -> bool {
        self.journal.as_ref().map_or(true, JournalFile::is_locked)
    }

    /// Returns whether it was found to have been removed, moved or replaced.
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }

    /// Checks that files can be written to it.
    ///
    /// # Errors
    /// Returns an error if they cannot.
    pub(super) fn check_writable(&self) -> Result<(), PlanError> {
        match &self.journal {
            Ok(_) => check_writable(&self.path),
            Err(error) => Err(PlanError::OutputUnwritable {
                path: self.path.clone(),
                source: same_error(error),
            }),
        }
    }

    /// Checks that the folder is still the one that the run began with.
    ///
    /// # Errors
    /// Returns an error if it, or its journal, was removed or replaced.
    pub(super) fn check(&self) -> Result<(), FileError> {
        let has_journal = self.journal().is_none_or(JournalFile::is_in_place);
        if has_journal && (self.id.is_none() || FileId::of(&self.path) == self.id) {
            return Ok(());
        }
        self.is_lost.store(true, Ordering::Relaxed);
        Err(FileError::FolderLost(self.path.clone()))
    }
}

/// Checks that files can be written to a folder, or that it can be created.
///
/// # Errors
/// Returns an error if they cannot.
pub(super) fn check_writable(folder: &Path) -> Result<(), PlanError> {
    atomic_file::check_writable(folder).map_err(|source| PlanError::OutputUnwritable {
        path: folder.to_owned(),
        source,
    })
}

/// Returns an error of the same kind and message; errors of the system cannot be copied.
fn same_error(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}
