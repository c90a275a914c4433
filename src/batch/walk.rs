//! Finding the audio files of a folder.

use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::file_id::FileId;
use super::output;
use super::selection::Selection;

/// A file found in a folder, or a part of the folder that cannot be read.
pub(super) type Found = Result<PathBuf, Unreadable>;

/// A folder or entry that cannot be read.
#[derive(Debug)]
pub struct Unreadable {
    /// Where.
    pub path: PathBuf,
    /// Why.
    pub source: std::io::Error,
}

/// The selected files below `root` in the order of their names.
///
/// Left out are the folder `output` with all in it, and our own temporary files.
pub(super) fn audio_files<'a>(
    root: &'a Path,
    selection: &'a Selection,
    output: Option<&'a FileId>,
) -> impl Iterator<Item = Found> {
    let relative = move |entry: &DirEntry| -> PathBuf {
        let path = entry.path();
        path.strip_prefix(root).unwrap_or(path).to_owned()
    };
    WalkDir::new(root)
        .sort_by_file_name()
        .follow_links(selection.follow)
        .max_depth(selection.max_depth.unwrap_or(usize::MAX))
        .into_iter()
        .filter_entry(move |entry| {
            entry.depth() == 0
                || selection.looks_at(entry.file_name(), &relative(entry))
                    && !output::is_temporary(entry.file_name())
                    && !is_output(entry, output)
        })
        .filter_map(move |entry| match entry {
            Ok(entry) => {
                let taken = entry.file_type().is_file() && selection.takes_file(&relative(&entry));
                taken.then(|| Ok(entry.into_path()))
            }
            // A link to a folder above: all in it is found without the link.
            Err(error) if error.loop_ancestor().is_some() => None,
            Err(error) => Some(Err(Unreadable {
                path: error.path().unwrap_or(root).to_owned(),
                source: error.into(),
            })),
        })
}

fn is_output(entry: &DirEntry, output: Option<&FileId>) -> bool {
    let is_folder = entry.file_type().is_dir() && output.is_some();
    is_folder && FileId::of(entry.path()).as_ref() == output
}
