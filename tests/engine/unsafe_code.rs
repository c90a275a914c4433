//! Checks that unsafe code is in one file only, and that `docs/unsafe.md` lists all of it.

use std::fs;
use std::path::{Path, PathBuf};

const ROOM: &str = "crates/engine/src/kernels/x86_64.rs";

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Returns the lines of code that contain the word, without comments.
fn lines_with<'a>(word: &str, code: &'a str) -> Vec<&'a str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let has_word = |line: &&str| line.split(|c| !is_word(c)).any(|found| found == word);
    let lines = code.lines().map(str::trim);
    let lines = lines.filter(|line| !line.starts_with("//"));
    lines.filter(has_word).collect()
}

#[test]
fn no_other_file_has_unsafe_code_or_allows_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    rust_files(&root.join("src"), &mut files);
    rust_files(&root.join("crates"), &mut files);
    assert!(files.len() > 150 && files.contains(&root.join(ROOM)));
    for path in files {
        let code = fs::read_to_string(&path).unwrap();
        // Any file could allow a denied lint again.
        let mut found = lines_with("unsafe", &code);
        found.extend(lines_with("unsafe_code", &code));
        found.retain(|line| *line != "#![forbid(unsafe_code)]");
        let is_room = path == root.join(ROOM);
        assert!(is_room || found.is_empty(), "{}: {found:?}", path.display());
    }
}

#[test]
fn every_unsafe_block_is_listed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let code = fs::read_to_string(root.join(ROOM)).unwrap();
    let list = fs::read_to_string(root.join("docs/unsafe.md")).unwrap();
    // For each of the two instruction sets: `run`; `sums_of_larger` with `load` and `lanes`;
    // `sums_of_differences` with `differences`, `lanes` and a store. One more is `reduce`.
    assert_eq!(lines_with("unsafe", &code).len(), 2 * (1 + 3 + 4) + 1);
    for place in [
        "run",
        "sums_of_larger",
        "load",
        "sums_of_differences",
        "differences",
        "lanes",
        "reduce",
    ] {
        assert!(list.contains(&format!("{place}`")), "{place}");
    }
}
