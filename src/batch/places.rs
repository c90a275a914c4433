//! Where files are or will be, however their paths are spelt.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::pipeline::paths::{FileId, parent};

/// Where a file is or will be: equal for all spellings of its path, and for names that differ only
/// in case, which are one file on some file systems.
pub(super) type Place = (Arc<Folder>, OsString);

/// A folder, which need not exist yet: the nearest one above that does, and the way from there.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Folder {
    existing: Option<FileId>,
    below: OsString,
}

/// Finds places; looks at each folder but once.
#[derive(Debug, Default)]
pub(super) struct Places(HashMap<PathBuf, Arc<Folder>>);

impl Places {
    /// Returns the place of a file.
    pub(super) fn find(&mut self, path: &Path) -> Place {
        let parent = parent(path);
        let folder = match self.0.get(parent) {
            Some(folder) => folder.clone(),
            None => {
                let folder = Arc::new(Folder::of(parent));
                self.0.insert(parent.to_owned(), folder.clone());
                folder
            }
        };
        (folder, lower(path.file_name().unwrap_or_default()))
    }
}

impl Folder {
    fn of(path: &Path) -> Self {
        let path = without_dots(path);
        let mut ancestors = path.ancestors();
        let found = ancestors.find_map(|folder| Some((FileId::of(folder)?, folder)));
        let (existing, below) = match found {
            Some((id, folder)) => (Some(id), path.strip_prefix(folder).unwrap_or(&path)),
            None => (None, path.as_path()),
        };
        Self {
            existing,
            below: lower(below.as_os_str()),
        }
    }
}

/// Returns the path from the root, with `.` left out, and `..` where it follows the name of a
/// folder that does not exist yet; elsewhere the system knows better what it means.
fn without_dots(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut plain = PathBuf::new();
    for component in absolute.components() {
        match component {
            Component::ParentDir if !plain.exists() => {
                plain.pop();
            }
            component => plain.push(component),
        }
    }
    plain
}

fn lower(name: &OsStr) -> OsString {
    match name.to_str() {
        Some(name) => name.to_lowercase().into(),
        None => name.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::paths::is_same_file;

    #[test]
    fn all_spellings_of_a_path_are_one_place() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path();
        std::fs::create_dir(root.join("out")).unwrap();
        let mut places = Places::default();
        let mut find = |name: &str| places.find(&root.join(name));
        let place = find("out/new/a.wav");
        for same in [
            "out/./new/a.wav",
            "out/new/A.WAV",
            "out/../out/new/a.wav",
            "out/new/x/../a.wav",
        ] {
            assert_eq!(find(same), place, "{same}");
        }
        assert_ne!(find("out/a.wav"), place);
        assert_ne!(find("out/new/b.wav"), place);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_folder_is_that_folder() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path();
        std::fs::create_dir(root.join("out")).unwrap();
        std::os::unix::fs::symlink("out", root.join("link")).unwrap();
        let mut places = Places::default();
        let [a, b] = ["out/new/a.wav", "link/new/a.wav"].map(|name| places.find(&root.join(name)));
        assert_eq!(a, b);
        std::fs::write(root.join("out/a.wav"), "").unwrap();
        let [a, b] = ["out/a.wav", "link/a.wav"].map(|name| root.join(name));
        assert!(is_same_file(&a, &b));
    }
}
