//! Names that FAT, exFAT and Windows take as well.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

/// Names of devices in Windows, whatever follows a dot ("Naming Files, Paths, and Namespaces").
const RESERVED: [&str; 28] = [
    "CON", "PRN", "AUX", "NUL", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8",
    "COM9", "COM¹", "COM²", "COM³", "LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8",
    "LPT9", "LPT¹", "LPT²", "LPT³",
];

/// Returns a file or folder name with `_` for every character that cannot be in it, for dots and
/// spaces at its end, and behind the name of a device.
pub(super) fn name(name: &OsStr) -> String {
    let name = name.to_string_lossy();
    let is_bad = |char: char| {
        char.is_control() || char == char::REPLACEMENT_CHARACTER || r#":?*"<>|\/"#.contains(char)
    };
    let replaced = name
        .chars()
        .map(|char| if is_bad(char) { '_' } else { char });
    let mut portable: String = replaced.collect();
    let kept = portable.trim_end_matches(['.', ' ']).len();
    let ending = "_".repeat(portable.len() - kept);
    portable.truncate(kept);
    portable += &ending;
    let stem = portable.split('.').next().unwrap_or_default();
    let device = stem.trim_end_matches(' ').to_uppercase();
    if RESERVED.contains(&device.as_str()) {
        let len = stem.len();
        portable.insert(len, '_');
    }
    portable
}

/// Returns a path below the output folder with the [`name`] of every folder in it.
pub(super) fn folders(path: &Path) -> PathBuf {
    let component = |component: Component<'_>| match component {
        Component::Normal(folder) => PathBuf::from(name(folder)),
        other => PathBuf::from(other.as_os_str()),
    };
    path.components().map(component).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_other_systems_do_not_take_is_replaced() {
        for (given, expected) in [
            ("plain name (1).mp3", "plain name (1).mp3"),
            ("what? 10:30 \"now\".mp3", "what_ 10_30 _now_.mp3"),
            ("a*b<c>d|e\\f.mp3", "a_b_c_d_e_f.mp3"),
            ("tab\tline\n.mp3", "tab_line_.mp3"),
            ("ends. . ", "ends____"),
            ("...", "___"),
            ("con", "con_"),
            ("AUX.mp3", "AUX_.mp3"),
            ("lpt1 .tar.gz", "lpt1 _.tar.gz"),
            ("com¹.mp3", "com¹_.mp3"),
            ("console.mp3", "console.mp3"),
            (".hidden", ".hidden"),
            ("héllo 日本.mp3", "héllo 日本.mp3"),
        ] {
            assert_eq!(name(given.as_ref()), expected);
        }
        assert_eq!(folders(Path::new("a:b/c /d")), Path::new("a_b/c_/d"));
    }

    proptest! {
        #[test]
        fn a_portable_name_stays_as_it_is(given in "\\PC{1,20}") {
            let once = name(given.as_ref());
            prop_assert_eq!(name(once.as_ref()), once);
        }
    }
}
