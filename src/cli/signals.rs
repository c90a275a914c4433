//! Ctrl-C and its kin: the first lets the files at work finish, the second gives them up, the third
//! ends the program at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc;
use std::thread::{Builder, Scope};

use audiostretchy::batch::{Session, StopToken};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

use super::progress::Progress;

/// Listens to signals until dropped.
pub struct Listening {
    handle: Option<Handle>,
    exit_code: Arc<AtomicU8>,
}

impl Listening {
    /// The exit code that tells which signal came, if one has.
    pub fn exit_code(&self) -> Option<u8> {
        Some(self.exit_code.load(Ordering::Relaxed)).filter(|&code| code > 0)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(handle) = &self.handle {
            handle.close();
        }
    }
}

/// The signals that ask a program to end. That of a closed terminal is left alone where the
/// program was started to outlive it (`nohup`), or where that cannot be told.
pub fn to_listen_to() -> Vec<i32> {
    let mut signals = vec![SIGINT, SIGTERM];
    signals.extend((is_ignored(SIGHUP) == Some(false)).then_some(SIGHUP));
    signals
}

/// Starts to listen. Where that cannot be, signals do as they do by themselves.
pub fn listen<'scope>(
    scope: &'scope Scope<'scope, '_>,
    session: &'scope Session,
    stop: StopToken,
    progress: &'scope Progress,
) -> Listening {
    let exit_code = Arc::new(AtomicU8::new(0));
    let (send, receive) = mpsc::channel();
    let code = exit_code.clone();
    // Signals are only taken by a thread that is there.
    let thread = Builder::new().spawn_scoped(scope, move || {
        let Ok(mut signals) = Signals::new(to_listen_to()) else {
            return;
        };
        if send.send(signals.handle()).is_err() {
            return;
        }
        for signal in signals.forever() {
            // A terminal that closes may say so more than once.
            if signal == SIGHUP && stop.is_stopped() {
                continue;
            }
            code.store(128 + signal as u8, Ordering::Relaxed);
            if !stop.is_stopped() {
                stop.stop();
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
    }
}

/// Whether this process ignores a signal; `None` where that cannot be told.
fn is_ignored(signal: i32) -> Option<bool> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))?;
    let ignored = u64::from_str_radix(ignored.trim(), 16).ok()?;
    Some(ignored >> (signal - 1) & 1 == 1)
}
