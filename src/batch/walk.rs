//! Finding the audio files of a folder.

use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::left_out::{Filter, LeftOut, WhyLeftOut, is_other_media, is_other_sidecar};
use super::selection::{Selection, is_audio};
use crate::pipeline::atomic_file;
use crate::pipeline::paths::FileId;

/// Something found in a folder.
pub(super) enum Found {
    /// A file that is taken.
    File(PathBuf),
    /// A file that looks as if it should be taken; of a text file, if there is audio beside it.
    LeftOut(LeftOut),
    /// A filter has left out a file that looks like audio, or a folder.
    Filtered { by: Filter, is_folder: bool },
    /// A part of the folder that cannot be read.
    Unreadable(Unreadable),
}

/// A folder or entry that cannot be read.
#[derive(Debug)]
pub struct Unreadable {
    /// Where.
    pub path: PathBuf,
    /// Why.
    pub source: std::io::Error,
}

/// An output that exists, which is no input.
#[derive(Debug)]
pub(super) struct Output {
    id: FileId,
    is_folder: bool,
}

impl Output {
    /// The output at a path, if it is there.
    pub(super) fn find(path: &Path) -> Option<Self> {
        Some(Self {
            id: FileId::of(path)?,
            is_folder: path.is_dir(),
        })
    }
}

/// Returns whether an entry is one of these outputs.
fn is_among(entry: &DirEntry, outputs: &[Output]) -> bool {
    let is_folder = entry.file_type().is_dir();
    let mut alike = outputs
        .iter()
        .filter(|output| output.is_folder == is_folder);
    // Files are looked at only where an output is a file: there may be a million.
    if alike.clone().next().is_none() {
        return false;
    }
    let id = FileId::of(entry.path());
    alike.any(|output| id.as_ref() == Some(&output.id))
}

/// Tells what lies below `root`, in the order of the names.
///
/// Nothing is told of `outputs`, files and folders with all in them, and of our own temporary files.
pub(super) fn walk(
    root: &Path,
    selection: &Selection,
    outputs: &[Output],
    mut tell: impl FnMut(Found),
) {
    let mut entries = WalkDir::new(root)
        .sort_by_file_name()
        .follow_links(selection.follow)
        .max_depth(selection.max_depth.unwrap_or(usize::MAX))
        .into_iter();
    while let Some(entry) = entries.next() {
        let entry = match entry {
            Ok(entry) => entry,
            // A link to a folder above: all in it is found without the link.
            Err(error) if error.loop_ancestor().is_some() => continue,
            Err(error) => {
                // Without the words around it, which name the path again.
                let path = error.path().unwrap_or(root).to_owned();
                let source = error.into_io_error();
                let source = source.unwrap_or_else(|| std::io::Error::other("cannot be read"));
                tell(Found::Unreadable(Unreadable { path, source }));
                continue;
            }
        };
        if entry.depth() == 0 {
            continue;
        }
        let is_folder = entry.file_type().is_dir();
        let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let is_ours = atomic_file::is_temporary(entry.file_name()) || is_among(&entry, outputs);
        let looks = match is_ours {
            true => Err(None),
            false => selection.looks_at(entry.file_name(), relative),
        };
        match looks {
            Err(filter) => {
                if is_folder {
                    entries.skip_current_dir();
                }
                if let Some(by) = filter
                    && (is_folder || selection.takes_extension(relative))
                {
                    tell(Found::Filtered { by, is_folder });
                }
            }
            Ok(()) if is_folder => {
                if Some(entry.depth()) == selection.max_depth {
                    tell(Found::Filtered {
                        by: Filter::MaxDepth,
                        is_folder,
                    });
                }
            }
            Ok(()) if entry.file_type().is_file() => match selection.takes_file(relative) {
                Ok(()) => tell(Found::File(entry.into_path())),
                Err(by) => tell_left_out(entry.into_path(), by, &mut tell),
            },
            // A link, unless it is something that nobody would take for audio.
            Ok(()) => {
                let is_taken = selection.takes_file(relative).is_ok();
                let path = entry.path();
                if entry.path_is_symlink() && (is_taken && path.is_file() || path.is_dir()) {
                    let (path, why) = (entry.into_path(), WhyLeftOut::Link);
                    tell(Found::LeftOut(LeftOut { path, why }));
                }
            }
        }
    }
}

fn tell_left_out(path: PathBuf, by: Filter, tell: &mut impl FnMut(Found)) {
    let extension = path.extension().unwrap_or_default();
    let why = match by {
        Filter::Extension if is_audio(extension) => WhyLeftOut::Extension,
        Filter::Extension if is_other_media(extension) => WhyLeftOut::OtherMedia,
        Filter::Extension if is_other_sidecar(extension) => WhyLeftOut::OtherSidecar,
        Filter::Extension => return,
        _ => {
            return tell(Found::Filtered {
                by,
                is_folder: false,
            });
        }
    };
    if why == WhyLeftOut::Extension {
        tell(Found::Filtered {
            by,
            is_folder: false,
        });
    }
    tell(Found::LeftOut(LeftOut { path, why }));
}
