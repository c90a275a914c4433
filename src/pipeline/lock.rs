//! Locks that tell other runs that a file is at work.

use std::fs::{File, TryLockError};
use std::io;

/// How often a file is opened anew that seems to have lost its name before it was locked.
pub(crate) const ATTEMPTS: usize = 10;

/// Locks a file against other runs; `false` where the file system cannot do that.
///
/// # Errors
/// `WouldBlock` if another run has it.
pub(crate) fn try_lock(file: &File) -> io::Result<bool> {
    outcome(file.try_lock())
}

/// As [`try_lock`], with others that do the same.
///
/// # Errors
/// `WouldBlock` if another run has it for itself.
pub(crate) fn try_lock_shared(file: &File) -> io::Result<bool> {
    outcome(file.try_lock_shared())
}

fn outcome(locked: Result<(), TryLockError>) -> io::Result<bool> {
    match locked {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
        Err(TryLockError::Error(error)) if is_unsupported(&error) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Returns whether an error says that a file system cannot do something at all.
pub(crate) fn is_unsupported(error: &io::Error) -> bool {
    #[cfg(unix)]
    if [libc::ENOLCK, libc::ENOSYS]
        .map(Some)
        .contains(&error.raw_os_error())
    {
        return true;
    }
    error.kind() == io::ErrorKind::Unsupported
}
