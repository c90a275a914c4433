//! Files made to do harm: by numbers in their headers, by things within things, by going on for
//! ever. Each comes to an end soon and in little memory, with an error of its own or a right result.

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

/// What the program may allocate, in KiB.
const MEMORY: u32 = 100 * 1024;

/// Seconds that the program may compute.
const PROCESSOR_SECONDS: f64 = 5.0;

/// A file is done with in a small part of this, also on a machine that has much else to do.
const TIME: Duration = Duration::from_secs(60);

/// What became of a file.
struct Told {
    report: Value,
}

/// Stretches a file with the program, within bounds.
fn stretch(name: &str, bytes: &[u8]) -> Told {
    stretch_with(name, bytes, &[])
}

fn stretch_with(name: &str, bytes: &[u8], options: &[&str]) -> Told {
    stretch_files(&[(name, bytes)], options)
}

/// Stretches the first of some files that lie beside each other.
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
    // Where a shell cannot limit memory, time is.
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
            // The shell and the program.
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

/// What the children of a shell took, of the two lines that its `times` prints.
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
    /// With an error that depends on whether sums that overflow are caught.
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

    /// It is stretched, from so many frames.
    fn is_done(&self, frames: u64) {
        assert_eq!(self.report["status"], "done", "{}", self.report);
        assert_eq!(self.report["source"]["frames"], frames, "{}", self.report);
    }
}
