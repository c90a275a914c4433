//! Finding the audio files of a folder.

use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::output;

/// Extensions of the audio files that are looked for in folders, in lower case.
pub const AUDIO_EXTENSIONS: [&str; 24] = [
    "aac", "aif", "aifc", "aiff", "au", "caf", "flac", "m4a", "m4b", "mka", "mp2", "mp3", "mp4",
    "oga", "ogg", "opus", "rf64", "snd", "spx", "w64", "wav", "wave", "weba", "webm",
];

/// A file found in a folder, or a part of the folder that cannot be read.
pub type Found = Result<PathBuf, Unreadable>;

/// A folder or entry that cannot be read.
#[derive(Debug)]
pub struct Unreadable {
    /// Where.
    pub path: PathBuf,
    /// Why.
    pub source: std::io::Error,
}

/// The audio files below `root` in the order of their names; links within are not followed.
///
/// Left out are hidden entries, the folder `output` with all in it, and our own temporary files.
pub fn audio_files<'a>(root: &'a Path, output: Option<&'a Path>) -> impl Iterator<Item = Found> {
    WalkDir::new(root)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(move |entry| {
            entry.depth() == 0 || !(is_hidden(entry) || is_output(entry, output))
        })
        .filter_map(move |entry| match entry {
            Ok(entry) if entry.file_type().is_file() && is_audio(entry.path()) => {
                Some(Ok(entry.into_path()))
            }
            Ok(_) => None,
            Err(error) => Some(Err(Unreadable {
                path: error.path().unwrap_or(root).to_owned(),
                source: error.into(),
            })),
        })
}

fn is_hidden(entry: &DirEntry) -> bool {
    let name = entry.file_name().as_encoded_bytes();
    name.starts_with(b".") || output::is_temporary(entry.file_name())
}

fn is_output(entry: &DirEntry, output: Option<&Path>) -> bool {
    entry.file_type().is_dir()
        && output.is_some_and(|output| entry.path().canonicalize().is_ok_and(|path| path == output))
}

fn is_audio(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| {
        AUDIO_EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str())
    })
}
