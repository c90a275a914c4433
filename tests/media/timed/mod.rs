//! All tags that contain times, as other programs write them and as they read them back, and broken
//! tags. `ffmpeg`, `ffprobe`, `flac`, `metaflac` and mutagen for Python must be installed.

mod damage;
mod frames;
mod id3;
mod many;
mod riff;
mod values;
mod xiph;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use audiostretchy::batch::{FileSettings, IfExists, PlanRequest, RunOptions, Session, StopToken};
use audiostretchy::report::{FileReport, Status};
use audiostretchy::{OutputOptions, StretchOptions};
use serde_json::Value;
use tempfile::TempDir;

/// How far a time may be from where the time map puts it, in seconds. Times are rounded to
/// milliseconds, and lossy formats have frames of up to 26 ms, whose start ffprobe adds in some
/// formats.
const TOLERANCE: f64 = 0.025;

/// The report and the time map of a conversion.
struct Done {
    report: FileReport,
    map: Value,
}

impl Done {
    fn codes(&self) -> Vec<&str> {
        let warnings = self.report.warnings.iter();
        warnings.map(|warning| &*warning.code).collect()
    }

    /// Returns where a time of the input was moved to, both in seconds.
    fn moved(&self, seconds: f64) -> f64 {
        let number = |key: &str| self.map[key].as_f64().unwrap();
        let (from, to) = (number("input_rate"), number("output_rate"));
        let position = seconds * from;
        let mut before = (0.0, 0.0);
        let end = (number("input_frames"), number("output_frames"));
        let points = self.map["points"].as_array().unwrap().iter();
        let points = points.map(|point| (point[0].as_f64().unwrap(), point[1].as_f64().unwrap()));
        for after in points.chain([end]) {
            if after.0 >= position {
                let part = (position - before.0) / (after.0 - before.0).max(1.0);
                return (before.1 + part * (after.1 - before.1)) / to;
            }
            before = after;
        }
        end.1 / to
    }

    fn assert_moved(&self, from: f64, found: f64, what: &str) {
        let expected = self.moved(from);
        assert!(
            (found - expected).abs() <= TOLERANCE,
            "{what}: {from} s went to {found} s, not to {expected} s"
        );
    }

    /// Returns the length of the output in seconds.
    fn seconds(&self) -> f64 {
        self.moved(f64::MAX)
    }
}

fn convert(input: &Path, output: &Path, stretch: &StretchOptions) -> Done {
    convert_at(input, output, stretch, None)
}

/// Converts a file to another sample rate, in Hz.
fn convert_at(
    input: &Path,
    output: &Path,
    stretch: &StretchOptions,
    sample_rate: Option<u32>,
) -> Done {
    let map = output.with_extension("map.json");
    let request = PlanRequest {
        settings: FileSettings {
            stretch: stretch.clone(),
            encoding: OutputOptions {
                sample_rate,
                ..OutputOptions::default()
            },
            ..FileSettings::default()
        },
        if_exists: IfExists::Overwrite,
        time_map: Some(map.clone()),
        ..PlanRequest::new(vec![input.to_owned()], output.to_owned())
    };
    let session = Session::start(&request).unwrap();
    let report = session.run(&RunOptions::default(), &StopToken::new(), |_| {});
    let [report] = <[FileReport; 1]>::try_from(report.files).unwrap();
    assert_eq!(report.status, Status::Done, "{input:?}: {:?}", report.error);
    let map = serde_json::from_slice(&std::fs::read(map).unwrap()).unwrap();
    Done { report, map }
}

fn at_half() -> StretchOptions {
    StretchOptions {
        ratio: 0.5,
        ..StretchOptions::default()
    }
}

/// Runs a program and returns its standard output.
fn run(program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {errors}");
    output.stdout
}

/// Runs a script that uses mutagen on a file, and returns the JSON that it prints. The first
/// python3 on the path may not be the one that mutagen is installed for.
fn mutagen(script: &str, path: &Path) -> Value {
    let script = format!("import json, sys, mutagen\nfile = mutagen.File(sys.argv[1])\n{script}");
    let arguments = ["-c", &script, path.to_str().unwrap()];
    static PYTHON: OnceLock<&str> = OnceLock::new();
    let has_it = |python: &&str| {
        let probe = Command::new(python).args(["-c", "import mutagen"]).output();
        probe.is_ok_and(|output| output.status.success())
    };
    let python = PYTHON.get_or_init(|| {
        let found = ["python3", "/usr/bin/python3"].into_iter().find(has_it);
        found.expect("the tests need python3-mutagen")
    });
    serde_json::from_slice(&run(python, &arguments)).unwrap()
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Returns a tone without any tag, in the format that the extension stands for.
    fn tone(&self, name: &str, seconds: u32) -> Vec<u8> {
        let path = self.path(name);
        let source = format!("sine=300:d={seconds}");
        let arguments = ["-v", "error", "-y", "-f", "lavfi", "-i", &source];
        let plain = [
            "-id3v2_version",
            "0",
            "-fflags",
            "+bitexact",
            "-flags",
            "+bitexact",
        ];
        let plain = &plain[if name.ends_with("mp3") { 0 } else { 2 }..];
        run(
            "ffmpeg",
            &[&arguments, plain, &[path.to_str().unwrap()]].concat(),
        );
        std::fs::read(path).unwrap()
    }
}

/// Returns the starts in seconds and the titles of the chapters that ffprobe finds, ordered by
/// time.
fn chapters(path: &Path) -> Vec<(f64, String)> {
    let arguments = ["-v", "error", "-show_chapters", "-of", "json"];
    let json = run(
        "ffprobe",
        &[&arguments[..], &[path.to_str().unwrap()]].concat(),
    );
    let json: Value = serde_json::from_slice(&json).unwrap();
    let found = json["chapters"].as_array().unwrap().iter();
    let mut chapters: Vec<_> = found
        .map(|chapter| {
            let start = chapter["start_time"].as_str().unwrap().parse().unwrap();
            let title = chapter["tags"]["title"].as_str().unwrap_or_default();
            (start, title.to_owned())
        })
        .collect();
    chapters.sort_by(|a: &(f64, String), b| a.0.total_cmp(&b.0));
    chapters
}

/// Returns a tag of the container that ffprobe finds.
fn probed_tag(path: &Path, key: &str) -> String {
    let entry = format!("format_tags={key}");
    let arguments = ["-v", "error", "-of", "csv=p=0", "-show_entries", &entry];
    let text = run(
        "ffprobe",
        &[&arguments[..], &[path.to_str().unwrap()]].concat(),
    );
    String::from_utf8(text).unwrap().trim().to_owned()
}
