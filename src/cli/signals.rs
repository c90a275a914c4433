//! Ctrl-C and its kin: the first lets the files at work finish, the second gives them up, the third
//! ends the program at once.

#[cfg(any(not(unix), test))]
mod polling;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc;
use std::thread::{Builder, Scope};
use std::time::Duration;

use audiostretchy::batch::{Session, StopToken};
use signal_hook::consts::{SIGINT, SIGTERM};

#[cfg(not(unix))]
use polling::{Handle, Signals};
#[cfg(unix)]
use signal_hook::iterator::{Handle, Signals};

use super::progress::Progress;
use super::screen::say;

/// The signal of a terminal that is closed, where there is one.
#[cfg(unix)]
const HANGUP: Option<i32> = Some(signal_hook::consts::SIGHUP);
#[cfg(not(unix))]
const HANGUP: Option<i32> = None;

/// Listens to signals until dropped.
pub(super) struct Listening {
    handle: Option<Handle>,
    exit_code: Arc<AtomicU8>,
    is_over: Arc<AtomicBool>,
}

impl Listening {
    /// Returns the exit code that tells which signal came, if one has.
    pub(super) fn exit_code(&self) -> Option<u8> {
        Some(self.exit_code.load(Ordering::Relaxed)).filter(|&code| code > 0)
    }

    /// Says that the run is over: from here on, two signals end the program, whatever it waits for
    /// in writing reports.
    pub(super) fn run_is_over(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(handle) = &self.handle {
            handle.close();
        }
    }
}

/// Makes writing beyond a limit on the size of files (`ulimit -f`) an error of that file, not the
/// end of the program.
pub(super) fn outlive_full_files() {
    #[cfg(unix)]
    {
        let never_read = Arc::new(AtomicBool::new(false));
        let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, never_read);
    }
}

/// Returns the signals that ask a program to end, but for those that it was started to outlive, as
/// by `nohup`. That of a closed terminal is left alone also where that cannot be told.
pub(super) fn to_listen_to() -> Vec<i32> {
    let mut signals = vec![SIGINT, SIGTERM];
    signals.extend(HANGUP);
    signals.retain(|&signal| !is_ignored(signal).unwrap_or(Some(signal) == HANGUP));
    signals
}

/// Starts to listen; `grace` after the first signal, the files at work are given up. Where that cannot be, signals do as they do by themselves.
pub(super) fn listen<'scope>(
    scope: &'scope Scope<'scope, '_>,
    session: &'scope Session,
    stop: StopToken,
    progress: &'scope Progress,
    grace: Option<Duration>,
) -> Listening {
    let exit_code = Arc::new(AtomicU8::new(0));
    let (send, receive) = mpsc::channel();
    let is_over = Arc::new(AtomicBool::new(false));
    let (code, over) = (exit_code.clone(), is_over.clone());
    // Signals are only taken by a thread that is there.
    let thread = Builder::new().spawn_scoped(scope, move || {
        let Ok(mut signals) = Signals::new(to_listen_to()) else {
            return;
        };
        if send.send(signals.handle()).is_err() {
            return;
        }
        let mut signals_after_the_run = 0;
        for signal in signals.forever() {
            if over.load(Ordering::Relaxed) {
                signals_after_the_run += 1;
                if signals_after_the_run > 1 {
                    std::process::exit((128 + signal as u8).into());
                }
                say!("writing the reports; once more to leave without them");
                continue;
            }
            // A terminal that closes may say so more than once.
            if Some(signal) == HANGUP && stop.is_stopped() {
                continue;
            }
            code.store(128 + signal as u8, Ordering::Relaxed);
            if !stop.is_stopped() {
                stop.stop();
                if let Some(grace) = grace {
                    let stop = stop.clone();
                    // Not waited for: the run may be over by then.
                    let _ = Builder::new().spawn(move || {
                        std::thread::sleep(grace);
                        stop.abort();
                    });
                }
                progress.stopping(match signal {
                    SIGINT => "Ctrl-C again",
                    _ => "a second signal",
                });
            } else if !stop.is_aborted() {
                stop.abort();
                progress.giving_up();
            } else {
                session.remove_unfinished();
                progress.clear();
                std::process::exit((128 + signal as u8).into());
            }
        }
    });
    Listening {
        handle: thread.ok().and_then(|_| receive.recv().ok()),
        exit_code,
        is_over,
    }
}

/// Returns whether this process ignores a signal; `None` where that cannot be told.
fn is_ignored(signal: i32) -> Option<bool> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))?;
    let ignored = u64::from_str_radix(ignored.trim(), 16).ok()?;
    Some(ignored >> (signal - 1) & 1 == 1)
}
