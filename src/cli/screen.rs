//! Standard error, where everything goes that is for people.
//!
//! Nobody may be there to read it: the terminal is closed, the pipe's reader has gone, the disk is
//! full. That is no reason to stop a run, so a write that fails is passed over.

use std::io::{self, Write};

/// Writes a line to standard error.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::cli::screen::write_line(format_args!($($text)*))
    };
}
pub(super) use say;

/// What [`say!`] does.
pub(super) fn write_line(text: std::fmt::Arguments<'_>) {
    // In one piece, so that lines of several threads do not mix.
    let _ = io::stderr()
        .lock()
        .write_all(format!("{text}\n").as_bytes());
}

/// Keeps the terminal from writing `^C` into the bars, which would be left on the screen then.
pub(super) struct HiddenControls {
    is_on: bool,
}

impl HiddenControls {
    /// Hides them until [`show`](Self::show) is called or this is dropped.
    pub(super) fn new() -> Self {
        Self {
            is_on: show_controls(false),
        }
    }

    /// Shows them again if they were shown before.
    pub(super) fn show(&self) {
        if self.is_on {
            show_controls(true);
        }
    }
}

impl Drop for HiddenControls {
    fn drop(&mut self) {
        self.show();
    }
}

/// Makes the terminal show control characters or not; whether that has changed anything.
#[cfg(unix)]
fn show_controls(on: bool) -> bool {
    use rustix::process::getpgrp;
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcgetpgrp, tcsetattr};

    let terminal = io::stderr();
    // A job in the background would be stopped for it.
    if tcgetpgrp(&terminal) != Ok(getpgrp()) {
        return false;
    }
    let Ok(mut modes) = tcgetattr(&terminal) else {
        return false;
    };
    if modes.local_modes.contains(LocalModes::ECHOCTL) == on {
        return false;
    }
    modes.local_modes.set(LocalModes::ECHOCTL, on);
    tcsetattr(&terminal, OptionalActions::Now, &modes).is_ok()
}

/// Consoles of other systems show none.
#[cfg(not(unix))]
fn show_controls(_: bool) -> bool {
    false
}
