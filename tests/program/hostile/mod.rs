//! Files that are made to do harm: by numbers in their headers, by nested structures, or because
//! they never end. Each must end soon and in little memory, with an error of its own or a correct
//! result.

mod boxes;
mod chunks;
mod fields;
mod frames;
mod limits;
mod lists;
mod streams;
mod tags;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// The memory that the program may allocate, in KiB.
const MEMORY: u32 = 100 * 1024;

/// The processor time that the program may use, in seconds.
const PROCESSOR_SECONDS: f64 = 5.0;

/// A file takes only a small part of this time, even on a busy machine.
const TIME: Duration = Duration::from_secs(60);

/// The result of stretching a file.
struct Told {
    report: Value,
}

/// Stretches a file with the program, with its memory and time limited.
fn stretch(name: &str, bytes: &[u8]) -> Told {
    stretch_with(name, bytes, &[])
}

fn stretch_with(name: &str, bytes: &[u8], options: &[&str]) -> Told {
    stretch_files(&[(name, bytes)], options)
}

/// Stretches the first of several files in the same folder.
fn stretch_files(files: &[(&str, &[u8])], options: &[&str]) -> Told {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("in")).unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join("in").join(name), bytes).unwrap();
    }
    run(folder.path(), options);
    let report = std::fs::read(folder.path().join("report.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    let left = std::fs::read_dir(folder.path().join("out")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    let report = report["files"][0].clone();
    // The journal, and the outputs if there are any.
    let expected = if report["status"] == "done" {
        1 + files.len()
    } else {
        1
    };
    assert_eq!(left.len(), expected, "{left:?}");
    Told { report }
}

fn run(folder: &Path, options: &[&str]) {
    let program = env!("CARGO_BIN_EXE_audiostretchy");
    let mut command = Command::new("sh");
    // If the shell cannot limit memory, time is limited all the same.
    let limited =
        format!("ulimit -d {MEMORY} 2>/dev/null; \"$0\" \"$@\"; code=$?; times >times; exit $code");
    command.args(["-c", &limited, program, "in", "out", "--jobs", "1"]);
    command.args(["--ratio", "0.8", "--report", "report.json"]);
    command.args(options).current_dir(folder);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let started = Instant::now();
    let code = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        if started.elapsed() > TIME {
            // The process group of the shell and the program.
            let group = format!("-{}", child.id());
            let _ = Command::new("kill").args(["-9", "--", &group]).status();
            panic!("still running after {TIME:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(code, Some(0 | 1)), "{code:?}: {said}");
    assert!(!said.contains("panicked"), "{said}");
    let spent = processor_seconds(&std::fs::read_to_string(folder.join("times")).unwrap());
    assert!(spent < PROCESSOR_SECONDS, "{spent} s");
}

/// Returns the processor time of a shell's children, from the two lines that its `times` prints.
fn processor_seconds(times: &str) -> f64 {
    let of_children = times.lines().nth(1).unwrap();
    let seconds = of_children.split_whitespace().map(|time| {
        let (minutes, seconds) = time.split_once('m').unwrap();
        let seconds: f64 = seconds.trim_end_matches('s').parse().unwrap();
        60.0 * minutes.parse::<f64>().unwrap() + seconds
    });
    seconds.sum()
}

impl Told {
    /// Checks that it failed, with any error: which one may depend on whether overflow checks are
    /// on.
    fn fails(&self) {
        assert_eq!(self.report["status"], "failed", "{}", self.report);
    }

    fn fails_with(&self, code: &str) {
        let error = &self.report["error"];
        assert_eq!(error["code"], code, "{}", self.report);
        assert!(!error["message"].as_str().unwrap().is_empty());
    }

    fn warns(&self, code: &str) {
        let warnings = self.report["warnings"].as_array().unwrap();
        let has = |warning: &Value| warning["code"] == code;
        assert!(warnings.iter().any(has), "{}", self.report);
    }

    /// Checks that it was stretched, and that the source had this many frames.
    fn is_done(&self, frames: u64) {
        assert_eq!(self.report["status"], "done", "{}", self.report);
        assert_eq!(self.report["source"]["frames"], frames, "{}", self.report);
    }
}
