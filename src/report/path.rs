//! Paths in reports: readable and lossless.

use std::cmp::Ordering;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::escape::visible;

/// A path. If it is not UTF-8, its bytes are stored next to the readable form.
///
/// Sorted by the bytes of the path. Its `Display` is safe to print on one line.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum PathText {
    /// A path that is UTF-8.
    Text(String),
    /// A path that is not UTF-8.
    Bytes {
        /// The readable form, with replacement characters.
        text: String,
        /// The bytes of the path (on Windows: as WTF-8).
        bytes: Vec<u8>,
    },
}

impl PathText {
    /// Returns the readable form, with replacement characters if the path is not UTF-8.
    pub fn text(&self) -> &str {
        let (Self::Text(text) | Self::Bytes { text, .. }) = self;
        text
    }

    /// Returns the path. Outside Unix, a path that is not Unicode is returned in its readable form.
    pub fn to_path(&self) -> PathBuf {
        #[cfg(unix)]
        if let Self::Bytes { bytes, .. } = self {
            use std::os::unix::ffi::OsStrExt;
            return std::ffi::OsStr::from_bytes(bytes).into();
        }
        self.text().into()
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes { bytes, .. } => bytes,
        }
    }
}

impl<P: AsRef<Path> + ?Sized> From<&P> for PathText {
    fn from(path: &P) -> Self {
        let path = path.as_ref();
        match path.to_str() {
            Some(text) => Self::Text(text.to_owned()),
            None => Self::Bytes {
                text: path.to_string_lossy().into_owned(),
                bytes: path.as_os_str().as_encoded_bytes().to_vec(),
            },
        }
    }
}

impl fmt::Display for PathText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&visible(self.text()))
    }
}

impl Ord for PathText {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes().cmp(other.bytes())
    }
}

impl PartialOrd for PathText {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn any_name_comes_back_from_json_as_it_was() {
        for name in [&b"a/b\n\x1b.wav"[..], b"", b"caf\xe9.wav", b"\xff\xfe"] {
            let path = Path::new(OsStr::from_bytes(name));
            let json = serde_json::to_string(&PathText::from(path)).unwrap();
            let back: PathText = serde_json::from_str(&json).unwrap();
            assert_eq!(back.to_path(), path);
        }
    }

    #[test]
    fn names_sort_by_their_bytes_whether_utf8_or_not() {
        let path = |bytes| PathText::from(OsStr::from_bytes(bytes));
        let mut paths = [path(b"c"), path(b"b\xff"), path(b"b"), path(b"a\xff")];
        paths.sort();
        let sorted = [path(b"a\xff"), path(b"b"), path(b"b\xff"), path(b"c")];
        assert_eq!(paths, sorted);
    }
}
