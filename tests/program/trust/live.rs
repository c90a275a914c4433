//! A running program that tests can act on.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::env::TestEnv;

/// A run in progress. It is killed if the test fails.
pub(super) struct Live {
    child: Child,
    events: BufReader<ChildStdout>,
    messages: BufReader<ChildStderr>,
    seen: String,
}

/// The result of a run.
pub(super) struct Ended {
    pub code: Option<i32>,
    /// Everything that it wrote to standard error.
    pub messages: String,
}

impl Live {
    /// Starts the program with arguments separated by spaces, and `--events`.
    pub(super) fn start(env: &TestEnv, args: &str) -> Self {
        Self::of(env.command(args.split_whitespace()))
    }

    pub(super) fn of(mut command: Command) -> Self {
        let mut child = command
            .arg("--events")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            events: BufReader::new(child.stdout.take().unwrap()),
            messages: BufReader::new(child.stderr.take().unwrap()),
            child,
            seen: String::new(),
        }
    }

    /// Waits for an event with this name.
    #[track_caller]
    pub(super) fn wait_for_event(&mut self, name: &str) -> Value {
        let mut line = String::new();
        while self.events.read_line(&mut line).unwrap() > 0 {
            let event: Value = serde_json::from_str(&line).unwrap();
            if event["event"] == name {
                return event;
            }
            line.clear();
        }
        panic!("no {name} before the run ended: {}", self.rest());
    }

    /// Waits for a line on standard error that contains `piece`.
    #[track_caller]
    pub(super) fn wait_for_message(&mut self, piece: &str) {
        let mut line = String::new();
        while self.messages.read_line(&mut line).unwrap() > 0 {
            self.seen += &line;
            if line.contains(piece) {
                return;
            }
            line.clear();
        }
        panic!("{piece:?} was not said before the run ended: {}", self.seen);
    }

    /// Sends a signal, such as `INT`.
    pub(super) fn signal(&self, name: &str) {
        let kill = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
    }

    fn rest(&mut self) -> String {
        let mut line = String::new();
        while self.messages.read_line(&mut line).unwrap_or(0) > 0 {}
        std::mem::take(&mut self.seen) + &line
    }

    /// Waits for the end. From here on, only standard error is read for messages.
    pub(super) fn ends(mut self) -> Ended {
        // A full pipe would block the run.
        std::thread::scope(|scope| {
            let events = &mut self.events;
            scope.spawn(move || std::io::copy(events, &mut std::io::sink()));
            let mut line = String::new();
            while self.messages.read_line(&mut line).unwrap() > 0 {}
            self.seen += &line;
        });
        Ended {
            code: self.child.wait().unwrap().code(),
            messages: std::mem::take(&mut self.seen),
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    #[track_caller]
    pub(super) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.messages);
        self
    }
}

/// Makes `count` inputs of `seconds` seconds each, `in/00.wav` and so on.
///
/// They are of equal length, so that they are taken in the order of their names.
pub(super) fn inputs(count: usize, seconds: usize) -> TestEnv {
    let env = TestEnv::new();
    long_input(&env, "in/00.wav", seconds);
    let first = env.read("in/00.wav");
    for number in 1..count {
        env.write(format!("in/{number:02}.wav"), &first);
    }
    env
}

/// Makes an input of many seconds.
pub(super) fn long_input(env: &TestEnv, name: &str, seconds: usize) {
    let noise = format!("anoisesrc=d={seconds}:r=44100:seed=1:a=0.3");
    let parent = std::path::Path::new(name).parent().unwrap();
    env.create_folder(parent.to_str().unwrap());
    let make = ["-v", "error", "-bitexact", "-f", "lavfi", "-i", &noise];
    env.tool(
        "ffmpeg",
        make.into_iter().chain(["-c:a", "pcm_s16le", name]),
    );
}

/// Returns whether one of our temporary files is in a folder or below it.
pub(super) fn has_temporary(env: &TestEnv, folder: &str) -> bool {
    let tree = env.tree_of(folder);
    tree.keys().any(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with(".audiostretchy-") && name.ends_with(".tmp")
    })
}
