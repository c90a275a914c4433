//! Output files that appear whole or not at all.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

const PREFIX: &str = ".audiostretchy-";
const SUFFIX: &str = ".tmp";

/// Whether a file name is that of one of our temporary files.
pub fn is_temporary(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(PREFIX.as_bytes()) && name.ends_with(SUFFIX.as_bytes())
}

/// A file on its way: written under a temporary name in its own folder, then renamed.
///
/// Dropped before [`commit`](Self::commit), it is removed.
pub struct PendingOutput {
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
    /// Where the folder or the file cannot be created.
    pub fn create(target: &Path, source: Option<&Metadata>) -> io::Result<Self> {
        let folder = parent(target);
        fs::create_dir_all(folder)?;
        let replaced = target.symlink_metadata().ok();
        let replaced = replaced.as_ref().filter(|metadata| metadata.is_file());
        Ok(Self {
            file: temporary_in(folder, source.into_iter().chain(replaced))?,
            target: target.to_owned(),
        })
    }

    /// The open temporary file.
    pub fn file(&self) -> &File {
        self.file.as_file()
    }

    /// Where the temporary file lies.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Brings the file to the disk.
    ///
    /// # Errors
    /// Where that fails.
    pub fn sync(&self) -> io::Result<()> {
        self.file.as_file().sync_all()
    }

    /// Gives the file, once synced, its name.
    ///
    /// `replace` tells whether a file of that name may be replaced.
    ///
    /// # Errors
    /// Where renaming fails; the temporary file is removed then.
    pub fn commit(self, replace: bool) -> io::Result<()> {
        if replace {
            self.file.persist(&self.target)?;
        } else {
            self.file.persist_noclobber(&self.target)?;
        }
        // The rename itself must survive a power cut; not every system can sync a folder.
        if let Ok(folder) = File::open(parent(&self.target)) {
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

/// Writes a file that appears whole or not at all; one of that name is replaced, also where it is
/// a link.
///
/// # Errors
/// Where the folder or the file cannot be written, or `write` fails.
pub fn write_file(
    target: &Path,
    write: impl FnOnce(BufWriter<&File>) -> io::Result<()>,
) -> io::Result<()> {
    write_file_from(None, target, write)
}

/// As [`write_file`], with permissions no wider than those of `source`.
pub fn write_file_from(
    source: Option<&Metadata>,
    target: &Path,
    write: impl FnOnce(BufWriter<&File>) -> io::Result<()>,
) -> io::Result<()> {
    let pending = PendingOutput::create(target, source)?;
    write(BufWriter::new(pending.file()))?;
    pending.sync()?;
    pending.commit(true)
}

/// Finds out whether files can be created in a folder, which is created if need be.
///
/// # Errors
/// Where the folder or a file in it cannot be created.
pub fn check_writable(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    temporary_in(folder, [].into_iter())?.close()
}

/// The first link on the way from an output folder to a folder in it. The output folder itself may
/// be one: that is what the user named.
pub fn link_below(root: &Path, folder: &Path) -> Option<PathBuf> {
    let mut path = root.to_owned();
    let below = folder.strip_prefix(root).ok()?;
    below.components().find_map(|component| {
        path.push(component);
        path.is_symlink().then(|| path.clone())
    })
}

/// Creates a folder in an output folder, with those on the way.
///
/// # Errors
/// Where it cannot be created, or a link would lead elsewhere.
pub fn create_folder_below(root: &Path, folder: &Path) -> io::Result<()> {
    match link_below(root, folder) {
        Some(_) => Err(io::Error::other("a folder on the way to it is a link")),
        None => fs::create_dir_all(folder),
    }
}

/// Removes the temporary files that killed runs have left in a folder; what cannot be removed is
/// no harm and stays.
pub fn remove_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if is_temporary(&entry.file_name()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// A new file under a name that cannot be foreseen, which no link can stand in for.
///
/// Others than the owner may do with it what the umask, and all of `models`, let them do.
fn temporary_in<'a>(
    folder: &Path,
    models: impl Iterator<Item = &'a Metadata>,
) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    // The library's default would leave the output readable by its owner only.
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let mode = models.fold(0o666, |mode, model| mode & (model.mode() | 0o600));
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    drop(models);
    builder.tempfile_in(folder)
}

/// The folder of a path; the current one if it has none.
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
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
        assert!(output.commit(false).is_err());
        assert_eq!(fs::read(&target).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let output = PendingOutput::create(&target, None).unwrap();
        output.file().write_all(b"new").unwrap();
        output.commit(true).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
    }
}
