//! Text files beside inputs: subtitles, lyrics and the like.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use super::job::SidecarJob;
use super::selection::is_audio;
use crate::pipeline::atomic_file::Replace;
use crate::pipeline::paths::parent;
use audiostretchy_containers::input::is_out_of_room;
use audiostretchy_tags::sidecar;

/// Returns the text files beside an input, in the order of their names.
///
/// # Errors
/// Returns an error if their folder cannot be read at this moment.
pub(super) fn sidecars_of(
    listings: &mut HashMap<PathBuf, Listing>,
    input: &Path,
    output: &Path,
) -> io::Result<Vec<SidecarJob>> {
    let folder = parent(input);
    let listing = match listings.get(folder) {
        Some(listing) => listing,
        None => {
            let listing = match Listing::of(folder) {
                Err(error) if is_out_of_room(&error) => return Err(error),
                listing => listing.unwrap_or_default(),
            };
            listings.entry(folder.to_owned()).or_insert(listing)
        }
    };
    // Sorted, so that those of one name stand together: a folder may hold thousands.
    let stem = input.file_stem().unwrap_or_default();
    let names = &listing.sidecars;
    let first = names.partition_point(|name| stem_of(name) < stem);
    let begins = |name: &&OsString| {
        let own = stem_of(name).as_encoded_bytes();
        own.starts_with(stem.as_encoded_bytes())
    };
    let mut sidecars = Vec::new();
    for name in names[first..].iter().take_while(begins) {
        let source = input.with_file_name(name);
        if let Some(tail) = sidecar::tail(name, input)
            && !listing.has_audio_of(name, stem)
            && source.is_file()
        {
            sidecars.push(SidecarJob {
                output: sidecar::counterpart(tail, output),
                source,
                part: None,
                replace: Some(Replace::Never),
            });
        }
    }
    Ok(sidecars)
}

/// What matters of the names in a folder.
#[derive(Default)]
pub(super) struct Listing {
    /// Names of files that may be text files beside audio, in the order of their stems.
    sidecars: Vec<OsString>,
    /// Stems of audio.
    audio: HashSet<OsString>,
}

impl Listing {
    fn of(folder: &Path) -> io::Result<Self> {
        let mut listing = Self::default();
        for entry in std::fs::read_dir(folder)? {
            let name = entry?.file_name();
            let extension = Path::new(&name).extension();
            if extension.is_some_and(is_audio) {
                listing.audio.insert(stem_of(&name).to_owned());
            }
            if sidecar::may_be_sidecar(Path::new(&name)) {
                listing.sidecars.push(name);
            }
        }
        let order = |a: &OsString, b: &OsString| (stem_of(a), a).cmp(&(stem_of(b), b));
        listing.sidecars.sort_by(order);
        Ok(listing)
    }

    /// Returns whether there is audio that a name belongs to more closely than to that of a stem, as
    /// `a.en.srt` does to `a.en.mp3`.
    fn has_audio_of(&self, name: &OsStr, stem: &OsStr) -> bool {
        let stems = std::iter::successors(Some(stem_of(name)), |&longer| {
            Some(stem_of(longer)).filter(|shorter| shorter.len() < longer.len())
        });
        let mut longer = stems.take_while(|longer| longer.len() > stem.len());
        longer.any(|longer| self.audio.contains(longer))
    }
}

fn stem_of(name: &OsStr) -> &OsStr {
    Path::new(name).file_stem().unwrap_or_default()
}
