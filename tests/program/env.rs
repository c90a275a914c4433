//! A separate folder for every test, with functions that make inputs and run the program in it. If
//! a test fails, everything in the folder is shown.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::{self, Write as _};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The name of the report that a run writes to an output folder.
const REPORT: &str = "audiostretchy-report.json";
const JOURNAL: &str = ".audiostretchy.jsonl";

/// The files below a folder with their content, and folders with `None`, by relative path.
pub(crate) type Tree = BTreeMap<PathBuf, Option<Vec<u8>>>;

pub(crate) struct TestEnv {
    folder: TempDir,
}

/// Returns the folder of the recordings that the engine is tested with.
pub(crate) fn recordings() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reference")
}

impl TestEnv {
    /// Creates an empty folder.
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    /// Creates a folder with a recording of speech (2.5 s, 16 bits, 16 kHz, mono) under these
    /// names.
    pub(crate) fn with_speech(names: &[&str]) -> Self {
        let env = Self::new();
        for name in names {
            env.copy_recording("speech-16k-mono", name);
        }
        env
    }

    /// Creates a folder with the first 0.3 s of that recording under these names, in the formats of
    /// their extensions.
    pub(crate) fn with_short_speech(names: &[&str]) -> Self {
        let env = Self::new();
        for name in names {
            env.encode_recording("speech-16k-mono", name, "-t 0.3");
        }
        env
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn create_folder(&self, name: &str) {
        fs::create_dir_all(self.path(name)).unwrap();
    }

    pub(crate) fn write(&self, name: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, name: impl AsRef<Path>) -> Vec<u8> {
        let path = self.path(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}\n{self}", path.display()))
    }

    pub(crate) fn exists(&self, name: impl AsRef<Path>) -> bool {
        self.path(name).symlink_metadata().is_ok()
    }

    pub(crate) fn copy_recording(&self, recording: &str, name: impl AsRef<Path>) {
        let wav = recordings().join(recording).with_extension("wav");
        self.write(name, fs::read(wav).unwrap());
    }

    /// Converts a recording with ffmpeg; `options` precede the output.
    pub(crate) fn encode_recording(&self, recording: &str, name: &str, options: &str) {
        let wav = recordings().join(recording).with_extension("wav");
        self.create_folder(Path::new(name).parent().unwrap().to_str().unwrap());
        let wav = wav.to_str().unwrap();
        let options = options.split_whitespace();
        let args = ["-v", "error", "-bitexact", "-i", wav]
            .into_iter()
            .chain(options);
        self.tool("ffmpeg", args.chain(["-y", name]));
    }

    /// Runs another program in the folder and returns its standard output.
    pub(crate) fn tool<'a>(
        &self,
        program: &str,
        args: impl IntoIterator<Item = &'a str>,
    ) -> Vec<u8> {
        let args: Vec<_> = args.into_iter().collect();
        let output = Command::new(program)
            .args(&args)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("{program} must be installed: {error}"));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{program} {args:?}: {stderr}\n{self}"
        );
        output.stdout
    }

    /// Runs the program with arguments separated by spaces.
    pub(crate) fn run(&self, args: &str) -> Run<'_> {
        self.run_args(args.split_whitespace())
    }

    /// Runs the program.
    pub(crate) fn run_args(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Run<'_> {
        Run::of(self, self.command(args))
    }

    /// Returns a command that runs the program in the folder, with none of the user's environment.
    pub(crate) fn command(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_audiostretchy"));
        command
            .args(args)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path("home"))
            .stdin(Stdio::null());
        command
    }

    /// Runs the program, which must refuse in one or two lines that contain all of `pieces`, exit
    /// with `code`, and leave every file unchanged.
    #[track_caller]
    pub(crate) fn refuses(&self, args: &str, code: i32, pieces: &[&str]) {
        self.refuses_args(args.split_whitespace(), code, pieces);
    }

    /// Does the same as [`refuses`](Self::refuses), with a list of arguments.
    #[track_caller]
    pub(crate) fn refuses_args(
        &self,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
        code: i32,
        pieces: &[&str],
    ) {
        let before = self.tree();
        let run = self.run_args(args).exits(code);
        assert!(run.stderr.starts_with("error: "), "{run}");
        let message = run.message();
        assert!(message.lines().count() <= 2, "too many lines\n{run}");
        for piece in pieces {
            assert!(message.contains(piece), "{piece:?} is not said\n{run}");
        }
        assert!(run.stdout.is_empty(), "{run}");
        assert!(self.tree() == before, "files have changed\n{run}");
    }

    /// Returns everything in the folder.
    pub(crate) fn tree(&self) -> Tree {
        self.tree_of("")
    }

    /// Returns everything in an output folder except the reports and the journal.
    pub(crate) fn outputs(&self, folder: &str) -> Tree {
        let mut tree = self.tree_of(folder);
        tree.retain(|path, _| !is_record(path));
        tree
    }

    /// Returns everything in a subfolder.
    pub(crate) fn tree_of(&self, folder: &str) -> Tree {
        let root = self.path(folder);
        let mut tree = Tree::new();
        add_to_tree(&root, &root, &mut tree);
        tree
    }

    /// Returns the sorted names of all files in and below a folder, without the reports and the
    /// journal.
    pub(crate) fn files(&self, folder: &str) -> Vec<String> {
        let files = self.tree_of(folder).into_iter();
        files
            .filter(|(_, content)| content.is_some())
            .filter(|(path, _)| !is_record(path))
            .map(|(path, _)| path.to_str().unwrap().to_owned())
            .collect()
    }

    /// Returns what ffprobe reports about a file's only audio stream and its format.
    pub(crate) fn probe(&self, name: &str) -> Value {
        let options = "-v error -of json -show_streams -show_format";
        let args = options.split(' ').chain([name]);
        let mut found: Value = serde_json::from_slice(&self.tool("ffprobe", args)).unwrap();
        let mut stream = found["streams"][0].take();
        stream["format"] = found["format"].take();
        stream
    }

    /// Returns the length of a file in seconds, as ffmpeg decodes it.
    pub(crate) fn seconds(&self, name: &str) -> f64 {
        let probed = self.probe(name);
        let rate: f64 = probed["sample_rate"].as_str().unwrap().parse().unwrap();
        let channels = probed["channels"].as_u64().unwrap();
        self.decode(name).len() as f64 / channels as f64 / rate
    }

    /// Returns the samples of a file as ffmpeg decodes it to 16 bits.
    pub(crate) fn decode(&self, name: &str) -> Vec<i16> {
        let args = ["-v", "error", "-xerror", "-i", name, "-f", "s16le", "-"];
        let bytes = self.tool("ffmpeg", args);
        let (samples, _) = bytes.as_chunks();
        samples.iter().copied().map(i16::from_le_bytes).collect()
    }

    /// Returns the report of a run into a folder.
    pub(crate) fn report(&self, folder: &str) -> Value {
        let path = Path::new(folder).join(REPORT);
        serde_json::from_slice(&self.read(path)).unwrap()
    }
}

impl fmt::Display for TestEnv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "--- files")?;
        for (path, content) in self.tree() {
            match content {
                Some(content) => writeln!(f, "{path:?}  {} bytes", content.len())?,
                None => writeln!(f, "{path:?}/")?,
            }
        }
        Ok(())
    }
}

/// Returns whether a path in an output folder is that of a report or the journal.
fn is_record(path: &Path) -> bool {
    let is_report =
        |name: &str| name.starts_with("audiostretchy-report.") && name.ends_with(".json");
    path.to_str()
        .is_some_and(|name| name == JOURNAL || is_report(name))
}

fn add_to_tree(root: &Path, folder: &Path, tree: &mut Tree) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        // A run may be at work, whose temporary files come and go.
        let Ok(found) = path.symlink_metadata() else {
            continue;
        };
        let is_folder = found.is_dir();
        // Reading from a pipe would never end.
        let is_file = path.metadata().is_ok_and(|metadata| metadata.is_file());
        let content = match (is_folder, is_file) {
            (true, _) => None,
            (false, true) => match fs::read(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                content => Some(content.unwrap()),
            },
            (false, false) => Some(Vec::new()),
        };
        tree.insert(path.strip_prefix(root).unwrap().to_owned(), content);
        if is_folder {
            add_to_tree(root, &path, tree);
        }
    }
}

/// The result of a run of the program, which is shown in full if an assertion fails.
pub(crate) struct Run<'a> {
    env: &'a TestEnv,
    command: String,
    code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl<'a> Run<'a> {
    pub(crate) fn of(env: &'a TestEnv, mut command: Command) -> Self {
        let output = command.output().unwrap();
        let mut shown = String::from("audiostretchy");
        for arg in command.get_args() {
            write!(shown, " {arg:?}").unwrap();
        }
        Self {
            env,
            command: shown,
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Checks that the run ended with this exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Checks that the run ended with exit code 0.
    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        self.exits(0)
    }

    /// Checks that standard error contains all of these.
    #[track_caller]
    pub(crate) fn says(self, pieces: &[&str]) -> Self {
        for piece in pieces {
            assert!(self.stderr.contains(piece), "{piece:?} is not said\n{self}");
        }
        self
    }

    /// Checks that standard output contains all of these.
    #[track_caller]
    pub(crate) fn prints(self, pieces: &[&str]) -> Self {
        for piece in pieces {
            assert!(
                self.stdout.contains(piece),
                "{piece:?} is not printed\n{self}"
            );
        }
        self
    }

    /// Returns standard error without the hint about the usage.
    fn message(&self) -> &str {
        let (message, _) = self.stderr.split_once("\n\n").unwrap_or((&self.stderr, ""));
        message
    }
}

impl fmt::Display for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\nexit code {:?}", self.command, self.code)?;
        writeln!(f, "--- stdout\n{}", self.stdout)?;
        writeln!(f, "--- stderr\n{}", self.stderr)?;
        write!(f, "{}", self.env)
    }
}
