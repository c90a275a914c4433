//! What was found and is not taken.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;

use audiostretchy_containers::figures::count;

/// Extensions of media that are not looked for in folders, in lower case.
const OTHER_MEDIA: [&str; 46] = [
    "3g2", "3gp", "aa", "aax", "ac3", "adts", "adx", "amr", "ape", "asf", "avi", "bwf", "dff",
    "dsf", "dts", "eac3", "f4a", "f4b", "flv", "gsm", "m2ts", "m4p", "m4r", "m4v", "mkv", "mov",
    "mp1", "mpc", "mpeg", "mpg", "mpga", "oma", "ofr", "ogv", "ogx", "qcp", "ra", "rm", "shn",
    "tak", "tta", "voc", "vob", "wma", "wmv", "wv",
];

/// Extensions of text files with times in them whose times are not moved, in lower case.
const OTHER_SIDECARS: [&str; 8] = ["dfxp", "sami", "scc", "smi", "stl", "sub", "ttml", "usf"];

/// A file that looks as if it should be taken and is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The file.
    pub path: PathBuf,
    /// Why it is not taken.
    pub why: WhyLeftOut,
}

/// Why a file is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum WhyLeftOut {
    /// Its extension is one of audio, and not among those asked for.
    Extension,
    /// Its extension is one of media that is not looked for.
    OtherMedia,
    /// A list names it, and its name has no extension of audio.
    Listed,
    /// It is a text file beside audio, of a kind or with a name whose times are not moved.
    OtherSidecar,
    /// It holds video, and is taken where it is named by hand or by its extension.
    Video,
    /// It is a link to a file or a folder.
    Link,
    /// An earlier run has written it, and it has been changed since.
    ChangedOutput,
}

impl WhyLeftOut {
    /// Returns the reason in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Extension => "another extension was asked for",
            Self::OtherMedia => "a format that is not read from folders",
            Self::Listed => "listed, with no extension of audio",
            Self::OtherSidecar => "subtitles that are not moved",
            Self::Video => "video; -e with its extension takes it",
            Self::Link => "a link; --follow takes it",
            Self::ChangedOutput => "an output of an earlier run that was changed since",
        }
    }
}

/// A choice of files that leaves some out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Filter {
    /// Extensions that are asked for.
    Extension,
    /// Patterns of which one must match.
    Glob,
    /// Patterns of which none may match.
    Exclude,
    /// How many folders deep.
    MaxDepth,
    /// Names that begin with a dot.
    Hidden,
    /// Files that a list names.
    List,
}

/// How many files that look like audio, and how many folders, each filter has left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filtered(BTreeMap<Filter, (u64, u64)>);

impl Filtered {
    pub(super) fn add(&mut self, filter: Filter, is_folder: bool) {
        let (files, folders) = self.0.entry(filter).or_default();
        *if is_folder { folders } else { files } += 1;
    }
}

/// Ends a sentence; empty where nothing was left out.
impl std::fmt::Display for Filtered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut separator = "; left out: ";
        for (filter, &(files, folders)) in &self.0 {
            for (number, thing) in [(files, "file"), (folders, "folder")] {
                if number == 0 {
                    continue;
                }
                let things = match filter {
                    Filter::Hidden => count(number, &format!("hidden {thing}")),
                    _ => count(number, thing),
                };
                let by = match filter {
                    Filter::Extension => " by --extension",
                    Filter::Glob => " by --glob",
                    Filter::Exclude => " by --exclude",
                    Filter::MaxDepth => " by --max-depth",
                    Filter::Hidden => "",
                    Filter::List => " of the list without an extension of audio",
                };
                write!(f, "{separator}{things}{by}")?;
                separator = ", ";
            }
        }
        Ok(())
    }
}

/// Returns whether an extension is one of media that is not looked for.
pub(super) fn is_other_media(extension: &OsStr) -> bool {
    is_among(extension, &OTHER_MEDIA)
}

/// Returns whether an extension is one of text files whose times are not moved.
pub(super) fn is_other_sidecar(extension: &OsStr) -> bool {
    is_among(extension, &OTHER_SIDECARS)
}

fn is_among(extension: &OsStr, known: &[&str]) -> bool {
    known
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}
