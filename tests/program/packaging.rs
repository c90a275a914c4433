//! What packages are made of agrees with the program.

use std::fs;
use std::path::Path;

use crate::env::TestEnv;

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Returns the first string in quotes behind a key at the beginning of a line.
fn value(text: &str, key: &str) -> String {
    let start = format!("\n{key} = \"");
    let (_, rest) = text
        .split_once(&start)
        .unwrap_or_else(|| panic!("no {key}"));
    rest.split('"').next().unwrap().into()
}

#[test]
fn versions_are_one() {
    let cargo = file("Cargo.toml");
    let version = value(&cargo, "version");
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    let first = format!("audiostretchy ({version}-1) ");
    assert!(file("packaging/changelog").starts_with(&first));
    let minimum = value(&cargo, "rust-version");
    let workflow = file(".github/workflows/ci.yml");
    assert!(workflow.contains(&format!("rustup toolchain install {minimum} ")));
    assert!(file("README.md").contains(&format!("Rust {minimum} or later")));
    assert!(
        file("examples/http_service/Cargo.toml").contains(&format!("rust-version = \"{minimum}\""))
    );
}

#[test]
fn the_workflow_runs_what_this_repository_runs() {
    let workflow = file(".github/workflows/ci.yml");
    assert!(workflow.contains("- run: .ci/run\n"));
    assert!(workflow.contains("- run: scripts/test-tools && cargo test --locked\n"));
    let toolchain = value(
        &workflow
            .replace(": \"", " = \"")
            .replace("  RUST", "\nRUST"),
        "RUST",
    );
    assert!(file("Dockerfile").contains(&format!("FROM rust:{toolchain}-")));
}

#[test]
fn all_that_packages_take_is_there_or_made_by_the_release() {
    let cargo = file("Cargo.toml");
    let release = file("scripts/release");
    let (_, packages) = cargo.split_once("[package.metadata.deb]").unwrap();
    let (packages, _) = packages.split_once("[package.metadata.binstall]").unwrap();
    let mut checked = 0;
    for line in packages.lines().map(str::trim) {
        let quoted = line
            .strip_prefix("[\"")
            .or(line.strip_prefix("{ source = \""));
        let Some(source) = quoted.and_then(|rest| rest.split('"').next()) else {
            continue;
        };
        checked += 1;
        match source.strip_prefix("target/") {
            Some("release/audiostretchy") => {}
            Some(made) => {
                let name = made.strip_prefix("packaging/").unwrap();
                assert!(release.contains(&format!(">\"$extra/{name}\"")), "{name}");
            }
            None => assert!(!file(source).is_empty()),
        }
    }
    assert_eq!(checked, 14);
    assert!(packages.contains("license-file = [\"packaging/copyright\", \"0\"]"));
    assert!(file("packaging/copyright").starts_with("Format: "));
}

#[test]
fn completions_and_the_manual_page_know_the_subcommands() {
    let env = TestEnv::new();
    for shell in ["bash", "zsh", "fish"] {
        env.run(&format!("completions {shell}"))
            .succeeds()
            .prints(&["run", "init", "rerun-failed", "job"]);
    }
    env.run("man")
        .succeeds()
        .prints(&["run", "init", "\\-\\-job"]);
}
