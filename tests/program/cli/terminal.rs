//! Runs the program in a terminal and reads the screen.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::env::TestEnv;

/// Longer than any run here takes.
const PATIENCE: Duration = Duration::from_secs(60);
const ROWS: u16 = 24;

/// A run in its own terminal. It is killed if the test fails.
pub(super) struct Terminal {
    child: Child,
    keyboard: Option<File>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
}

impl Terminal {
    /// Starts the program with arguments separated by spaces.
    pub(super) fn start(env: &TestEnv, columns: u16, args: &str) -> Self {
        let master =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let size = Winsize {
            ws_row: ROWS,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&master, size).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let open = || {
            let mut options = File::options();
            options.read(true).write(true).custom_flags(libc::O_NOCTTY);
            let name = std::ffi::OsStr::from_bytes(name.as_bytes());
            Stdio::from(options.open(name).unwrap())
        };
        // As a shell would start it: as the leader of a session with this controlling terminal.
        let child = Command::new("setsid")
            .args(["--ctty", env!("CARGO_BIN_EXE_audiostretchy")])
            .args(args.split_whitespace())
            .current_dir(env.path(""))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", env.path("home"))
            .env("TERM", "xterm-256color")
            .env("LANG", "C.UTF-8")
            .stdin(open())
            .stdout(open())
            .stderr(open())
            .spawn()
            .unwrap();
        let master = File::from(master);
        let mut reader = master.try_clone().unwrap();
        let (send, output) = mpsc::channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if send.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            keyboard: Some(master),
            output,
            screen: vt100::Parser::new(ROWS, columns, 0),
        }
    }

    /// Returns the text on the screen; a line that is wrapped is still one line.
    pub(super) fn text(&self) -> String {
        self.screen.screen().contents()
    }

    /// Returns the rows of the screen that are not empty.
    pub(super) fn rows(&self) -> Vec<String> {
        let (_, columns) = self.screen.screen().size();
        let rows = self.screen.screen().rows(0, columns);
        let rows = rows.map(|row| row.trim_end().to_owned());
        rows.filter(|row| !row.is_empty()).collect()
    }

    /// Waits until the screen satisfies a condition.
    #[track_caller]
    pub(super) fn wait_until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_so(self) {
            let left = end.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(error) => panic!("{what}: {error}\n{}", self.text()),
            }
        }
    }

    /// Waits until the screen contains a text.
    #[track_caller]
    pub(super) fn wait_for(&mut self, piece: &str) {
        self.wait_until(piece, |this| this.text().contains(piece));
    }

    /// Waits until this many files are in progress.
    #[track_caller]
    pub(super) fn wait_for_bars(&mut self, count: usize) {
        self.wait_until("bars", |this| {
            let rows = this.rows();
            let is_total = |row: &String| row.contains(" files");
            rows.iter().filter(|row| row.contains('%')).count() == count
                && rows.last().is_some_and(is_total)
        });
    }

    /// Presses Ctrl-C.
    pub(super) fn interrupt(&mut self) {
        let keyboard = self.keyboard.as_mut().unwrap();
        keyboard.write_all(b"\x03").unwrap();
    }

    /// Closes the window.
    pub(super) fn close(&mut self) {
        self.keyboard = None;
        // The reader's thread also holds the terminal open; it ends at the next output.
        drop(std::mem::replace(&mut self.output, mpsc::channel().1));
    }

    /// Waits for the program to end and checks its exit code. The screen stays as the program left
    /// it.
    #[track_caller]
    pub(super) fn ends(&mut self, code: i32) {
        let status = self.child.wait().unwrap();
        while let Ok(bytes) = self.output.recv_timeout(PATIENCE) {
            self.screen.process(&bytes);
        }
        assert_eq!(status.code(), Some(code), "{}", self.text());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
