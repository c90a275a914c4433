//! Runs the Python package's own tests on the library that cargo has built.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns the library, which cargo puts beside this program.
fn library() -> PathBuf {
    let name = format!(
        "{}_audiostretchy{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    std::env::current_exe().unwrap().with_file_name(name)
}

#[test]
fn the_package_does_what_its_tests_say() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("test");
    let output = Command::new(script)
        .arg("--library")
        .arg(library())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
}
