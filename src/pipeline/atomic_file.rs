//! Output files that appear whole or not at all.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufWriter, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tempfile::{Builder, NamedTempFile, PersistError};

use audiostretchy_containers::warning::Warning;

use super::lock::{ATTEMPTS, is_unsupported, try_lock};
use super::paths::{is_file_at, parent};
use crate::pipeline::file;
use crate::pipeline::file_state::FileState;

const PREFIX: &str = ".audiostretchy-";
const SUFFIX: &str = ".tmp";

/// Returns whether a file name is that of one of our temporary files.
pub(crate) fn is_temporary(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(PREFIX.as_bytes()) && name.ends_with(SUFFIX.as_bytes())
}

/// Whether a file may take the place of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replace {
    /// There must be none.
    Never,
    /// Of one in this state.
    Known(FileState),
    /// Of any.
    Always,
}

/// A file on its way: written under a temporary name in its own folder, locked there for as long as
/// it is written, then renamed.
///
/// Dropped before [`commit`](Self::commit), it is removed.
pub(crate) struct PendingOutput {
    file: NamedTempFile,
    target: PathBuf,
}

impl PendingOutput {
    /// Creates the temporary file, and the folder for it where there is none.
    ///
    /// It can be read by no one who can read neither `source`, the metadata of what it is made
    /// from, nor the file that it will replace.
    ///
    /// # Errors
    /// Returns an error if the folder or the file cannot be created.
    pub(crate) fn create(target: &Path, source: Option<&Metadata>) -> io::Result<Self> {
        Self::create_in(None, target, source, "")
    }

    /// As [`create`](Self::create), for a run whose temporary files have `tag` in their names, by
    /// which [`remove_leftovers`] tells them.
    ///
    /// In a `temp_dir`, the file is written there, and has to be [copied](Self::copy_to) to one beside
    /// its target, which can be renamed.
    ///
    /// # Errors
    /// Returns the same errors.
    pub(crate) fn create_in(
        temp_dir: Option<&Path>,
        target: &Path,
        source: Option<&Metadata>,
        tag: &str,
    ) -> io::Result<Self> {
        let folder = parent(target);
        fs::create_dir_all(folder)?;
        let replaced = target.symlink_metadata().ok();
        let replaced = replaced.as_ref().filter(|metadata| metadata.is_file());
        let models = source.into_iter().chain(replaced);
        Ok(Self {
            file: temporary_in(temp_dir.unwrap_or(folder), models, tag)?,
            target: target.to_owned(),
        })
    }

    /// Copies the file, from its start to its end, to a new one, and removes it.
    ///
    /// # Errors
    /// Returns an error if reading or writing fails.
    pub(crate) fn copy_to(mut self, other: &Self) -> io::Result<()> {
        file::copy(self.file.as_file_mut(), &mut other.file())
    }

    /// As [`create`](Self::create), with all that is to be written, which is on the disk then.
    ///
    /// # Errors
    /// Returns the same errors as [`create`](Self::create), and where `write` fails.
    pub(crate) fn write(
        target: &Path,
        source: Option<&Metadata>,
        write: impl FnOnce(BufWriter<&File>) -> io::Result<()>,
    ) -> io::Result<Self> {
        let pending = Self::create(target, source)?;
        write(BufWriter::new(pending.file()))?;
        pending.finish(None)?;
        Ok(pending)
    }

    /// Returns the open temporary file.
    pub(crate) fn file(&self) -> &File {
        self.file.as_file()
    }

    /// Where the temporary file lies.
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Gives the file a time of modification, which is that of now if there is none, and brings it to
    /// the disk.
    ///
    /// A time that was not asked for is set all the same: some systems set another one when the file
    /// is closed (Windows, mounts of cloud storage), and it would not be the one in the journal.
    ///
    /// # Errors
    /// Returns an error if a time that was given cannot be set, or the file cannot be brought to the
    /// disk.
    pub(crate) fn finish(&self, modified: Option<SystemTime>) -> io::Result<()> {
        match modified {
            Some(time) => self.file().set_modified(time)?,
            None => drop(self.file().set_modified(SystemTime::now())),
        }
        self.file().sync_all()
    }

    /// Renames the file, once synced, to its target. The warning says that a power cut may still undo
    /// that.
    ///
    /// # Errors
    /// `AlreadyExists` if there is a file that may not be replaced; else where renaming fails. The
    /// temporary file is removed then.
    pub(crate) fn commit(self, replace: Replace) -> io::Result<Option<Warning>> {
        let may_replace = match replace {
            Replace::Never => false,
            Replace::Known(state) => {
                let found = self.target.symlink_metadata();
                found.is_ok_and(|found| found.is_file() && state == (&found).into())
            }
            Replace::Always => true,
        };
        if may_replace {
            self.file.persist(&self.target)?;
        } else {
            persist_new(self.file, &self.target)?;
        }
        Ok(sync_folder(parent(&self.target)))
    }
}

/// Returns a file a name that no other has.
fn persist_new(file: NamedTempFile, target: &Path) -> io::Result<()> {
    let Err(PersistError { error, file }) = file.persist_noclobber(target) else {
        return Ok(());
    };
    // Some file systems, such as those of cloud storage, can neither rename so nor link; a look is
    // the best there is then.
    if error.kind() == ErrorKind::AlreadyExists || !is_absent(target) {
        return Err(error);
    }
    file.persist(target)?;
    Ok(())
}

fn is_absent(path: &Path) -> bool {
    let found = path.symlink_metadata();
    found.is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Brings new names in a folder to the disk, as far as the system can do that.
fn sync_folder(folder: &Path) -> Option<Warning> {
    let error = File::open(folder).ok()?.sync_all().err()?;
    let cannot = is_unsupported(&error) || error.kind() == ErrorKind::InvalidInput;
    (!cannot).then(|| {
        let message = format!(
            "{} cannot be brought to the disk ({error}): check that the output is there after a \
             power cut",
            folder.display()
        );
        Warning::new("not-synced", message)
    })
}

/// Writes a file that appears whole or not at all; one of that name is replaced, also where it is
/// a link.
///
/// # Errors
/// Returns an error if the folder or the file cannot be written, or `write` fails.
pub fn write_file(
    target: &Path,
    write: impl FnOnce(BufWriter<&File>) -> io::Result<()>,
) -> io::Result<()> {
    PendingOutput::write(target, None, write)?.commit(Replace::Always)?;
    Ok(())
}

/// Returns whether there is a device, a pipe or the like in a file's place, or one of the names by
/// which the system calls open files: nothing that can be replaced.
pub fn is_special(path: &Path) -> bool {
    const STREAMS: [&str; 3] = ["/dev/stdin", "/dev/stdout", "/dev/stderr"];
    let is_system = |path: &Path| {
        let is_stream = STREAMS.iter().any(|stream| path == Path::new(stream));
        is_stream || path.starts_with("/dev/fd") || path.starts_with("/proc")
    };
    let found = path.metadata();
    found.is_ok_and(|found| !found.is_file() && !found.is_dir())
        || is_system(path)
        || path.read_link().is_ok_and(|target| is_system(&target))
}

/// Finds out whether files can be created in a folder, which is created if need be.
///
/// # Errors
/// Returns an error if the folder or a file in it cannot be created.
pub(crate) fn check_writable(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    check_creatable(folder)
}

/// Finds out whether files can be created in a folder that is there.
///
/// # Errors
/// Returns an error if they cannot.
pub(crate) fn check_creatable(folder: &Path) -> io::Result<()> {
    temporary_in(folder, [].into_iter(), "")?.close()
}

/// Removes the temporary files that killed runs have left in a folder, with `tag` in their names;
/// what cannot be removed is no harm and stays, and so does what another run is writing.
pub(crate) fn remove_leftovers(folder: &Path, tag: &str) {
    let start = format!("{PREFIX}{tag}");
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_own = name.as_encoded_bytes().starts_with(start.as_bytes());
        if is_own && is_temporary(&name) && is_abandoned(&entry.path()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Returns whether nobody holds the lock of a temporary file; where there are no locks, nobody
/// knows.
fn is_abandoned(path: &Path) -> bool {
    let is_file = |metadata: Metadata| metadata.is_file();
    let open = || OpenOptions::new().read(true).write(true).open(path).ok();
    path.symlink_metadata().is_ok_and(is_file)
        && open().is_some_and(|file| matches!(try_lock(&file), Ok(true)))
}

/// A new, locked file under a name that cannot be foreseen, which no link can stand in for.
///
/// Others than the owner may do with it what the umask, and all of `models`, let them do.
fn temporary_in<'a>(
    folder: &Path,
    models: impl Iterator<Item = &'a Metadata>,
    tag: &str,
) -> io::Result<NamedTempFile> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    // The library's default would leave the output readable by its owner only.
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
        let mode = models.fold(0o666, |mode, model| mode & (model.mode() | 0o600));
        options.mode(mode);
    }
    #[cfg(not(unix))]
    drop(models);
    let prefix = format!("{PREFIX}{tag}");
    let mut builder = Builder::new();
    builder.prefix(&prefix).suffix(SUFFIX);
    let mut attempts = 0;
    loop {
        attempts += 1;
        let file = builder.make_in(folder, |path| options.open(path))?;
        let is_last = attempts == ATTEMPTS;
        match try_lock(file.as_file()) {
            // Before it was locked, another run may have taken it for a leftover.
            Ok(_) if is_last || is_file_at(file.as_file(), file.path()) => return Ok(file),
            Ok(_) => {}
            Err(error) if !is_last && error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn nothing_stays_of_an_output_that_was_not_committed() {
        let folder = tempfile::tempdir().unwrap();
        let output = PendingOutput::create(&folder.path().join("a/b.wav"), None).unwrap();
        output.file().write_all(b"half").unwrap();
        drop(output);
        assert_eq!(fs::read_dir(folder.path().join("a")).unwrap().count(), 0);
    }

    #[test]
    fn a_commit_without_leave_never_replaces_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("b.wav");
        fs::write(&target, "old").unwrap();
        let output = PendingOutput::create(&target, None).unwrap();
        output.file().write_all(b"new").unwrap();
        let error = output.commit(Replace::Never).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&target).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let output = PendingOutput::create(&target, None).unwrap();
        output.file().write_all(b"new").unwrap();
        output.commit(Replace::Always).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
    }

    #[test]
    fn a_file_that_was_known_is_replaced_unless_it_was_touched_since() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("b.wav");
        fs::write(&target, "old").unwrap();
        let known = Replace::Known((&target.metadata().unwrap()).into());
        let output = || {
            let output = PendingOutput::create(&target, None).unwrap();
            output.file().write_all(b"new").unwrap();
            output
        };
        output().commit(known).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
        fs::write(&target, "edited").unwrap();
        let error = output().commit(known).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&target).unwrap(), b"edited");
        fs::remove_file(&target).unwrap();
        output().commit(known).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
    }

    #[test]
    fn only_what_nobody_writes_is_a_leftover() {
        let folder = tempfile::tempdir().unwrap();
        let output = PendingOutput::create(&folder.path().join("b.wav"), None).unwrap();
        fs::write(folder.path().join(".audiostretchy-x1Y2z3.tmp"), "half").unwrap();
        remove_leftovers(folder.path(), "");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(output.path().exists());
    }
}
