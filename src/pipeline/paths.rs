//! Which file a path leads to, and the folders on the way to it.

use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};

/// What all paths to one file or folder have in common, links followed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct FileId(Inner);

/// Device and inode: much faster to find than the canonical path, and the same through bind mounts
/// and on file systems that ignore case.
#[cfg(unix)]
type Inner = (u64, u64);

#[cfg(not(unix))]
type Inner = PathBuf;

impl FileId {
    /// The file or folder that a path leads to; `None` where there is none.
    #[cfg(unix)]
    pub(crate) fn of(path: &Path) -> Option<Self> {
        Some(Self::of_metadata(&path.metadata().ok()?))
    }

    /// The file or folder that a path leads to; `None` where there is none.
    #[cfg(not(unix))]
    pub fn of(path: &Path) -> Option<Self> {
        path.canonicalize().ok().map(Self)
    }

    #[cfg(unix)]
    pub(crate) fn of_metadata(metadata: &std::fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self((metadata.dev(), metadata.ino()))
    }
}

/// Returns whether two paths lead to one file that exists.
pub(crate) fn is_same_file(a: &Path, b: &Path) -> bool {
    FileId::of(a).is_some_and(|a| FileId::of(b) == Some(a))
}

/// Returns whether an open file is the one that a path leads to.
#[cfg(unix)]
pub(crate) fn is_file_at(file: &File, path: &Path) -> bool {
    let id = file.metadata().ok().as_ref().map(FileId::of_metadata);
    id.is_some() && id == FileId::of(path)
}

/// Returns whether an open file is the one that a path leads to; a file that is open can hardly be
/// removed here.
#[cfg(not(unix))]
pub fn is_file_at(_: &File, path: &Path) -> bool {
    FileId::of(path).is_some()
}

/// Returns the first link on the way from an output folder to a folder in it. The output folder
/// itself may be one: that is what the user named.
pub(crate) fn link_below(root: &Path, folder: &Path) -> Option<PathBuf> {
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
/// Returns an error if it cannot be created, or a link would lead elsewhere.
pub(crate) fn create_folder_below(root: &Path, folder: &Path) -> io::Result<()> {
    match link_below(root, folder) {
        Some(_) => Err(io::Error::other("a folder on the way to it is a link")),
        None => fs::create_dir_all(folder),
    }
}

/// Returns the folder of a path; the current one if it has none.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Returns whether a path can only be that of a folder.
pub(crate) fn ends_in_separator(path: &Path) -> bool {
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes
        .last()
        .is_some_and(|&byte| std::path::is_separator(byte.into()))
        || matches!(
            path.components().next_back(),
            Some(Component::ParentDir | Component::CurDir)
        )
}
