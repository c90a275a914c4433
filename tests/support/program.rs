#![allow(dead_code)] // Each test file uses only a part of this.
//! A temporary folder with audio, in which the built program is run.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use audiostretchy::report::{Report, json};
use tempfile::TempDir;

/// Name of the report in an output folder.
pub(crate) const REPORT: &str = "out/audiostretchy-report.json";

pub(crate) struct Folder(TempDir);

impl Folder {
    /// Creates a folder with audio files of these names, a few hundredths of a second each.
    pub(crate) fn with<N: AsRef<OsStr>>(names: &[N]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for name in names {
            folder.add_audio(name, 4000);
        }
        folder
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a 16-bit WAV file of a tone at 48 kHz.
    pub(crate) fn add_audio(&self, name: impl AsRef<OsStr>, frames: u32) {
        let path = self.path(name.as_ref());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 48_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut wav = hound::WavWriter::create(path, spec).unwrap();
        for n in 0..frames {
            let sample = (f64::from(n) * 0.03).sin() * 8000.0;
            wav.write_sample(sample as i16).unwrap();
        }
        wav.finalize().unwrap();
    }

    /// Writes a file that is not audio, whatever its extension.
    pub(crate) fn add_junk(&self, name: impl AsRef<OsStr>) {
        let path = self.path(name.as_ref());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "not audio at all").unwrap();
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_audiostretchy"));
        command.current_dir(self.0.path()).args(arguments);
        command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        Run(self.command(arguments).output().unwrap())
    }

    /// Does the same as [`run`](Self::run), for output that is not text.
    pub(crate) fn run_raw(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn report(&self) -> Report {
        json::read(&self.path(REPORT)).unwrap()
    }
}

/// The output and the exit code of a run.
pub(crate) struct Run(Output);

impl Run {
    pub(crate) fn code(&self) -> i32 {
        self.0.status.code().expect("the program was not killed")
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }
}
