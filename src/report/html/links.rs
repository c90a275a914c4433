//! Links from the page to audio.

use std::path::{Component, Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use crate::report::PathText;

/// All but the characters that stand for themselves (RFC 3986, section 2.3), and the slash.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// Makes links from a folder.
pub(super) struct Links {
    folder: PathBuf,
    base: PathBuf,
}

impl Links {
    /// Links from the folder `folder` to paths that start from `base`.
    pub(super) fn new(folder: &Path, base: &Path) -> Self {
        let absolute = |path: &Path| {
            // An empty path stands for the current folder.
            let path = Path::new(".").join(path);
            path.canonicalize()
                .or_else(|_| std::path::absolute(&path))
                .unwrap_or(path)
        };
        Self {
            folder: absolute(folder),
            base: absolute(base),
        }
    }

    /// Returns the link to a file: relative, unless it is on another drive.
    pub(super) fn to(&self, file: &PathText) -> String {
        let file = without_detours(&self.base.join(file.to_path()));
        match pathdiff::diff_paths(&file, &self.folder) {
            Some(relative) if relative.is_relative() => encoded(&relative),
            _ => format!("file://{}", encoded(&file)),
        }
    }
}

/// Returns an absolute path without `.` and `..`.
fn without_detours(path: &Path) -> PathBuf {
    let mut straight = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => _ = straight.pop(),
            Component::CurDir => {}
            other => straight.push(other),
        }
    }
    straight
}

fn encoded(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    let bytes: Vec<u8> = match cfg!(windows) {
        true => (bytes.iter())
            .map(|&byte| if byte == b'\\' { b'/' } else { byte })
            .collect(),
        false => bytes.to_vec(),
    };
    percent_encode(&bytes, ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_relative_and_encoded() {
        let links = Links {
            folder: "/audio/out".into(),
            base: "/audio".into(),
        };
        let link = |path: &str| links.to(&PathText::from(path));
        assert_eq!(link("out/a.mp3"), "a.mp3");
        assert_eq!(link("in/./b/../a b#?.mp3"), "../in/a%20b%23%3F.mp3");
        assert_eq!(link("/else/é.wav"), "../../else/%C3%A9.wav");
        assert_eq!(link("out/javascript:alert(1)"), "javascript%3Aalert%281%29");
        assert_eq!(link("out/\"<>&"), "%22%3C%3E%26");
    }
}
