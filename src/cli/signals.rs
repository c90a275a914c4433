//! Ctrl-C and its kin.

use std::io;
use std::thread::Scope;

use audiostretchy::batch::{Session, StopToken};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

/// Listens to signals until dropped.
pub struct Listening(Handle);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Starts to listen: the first signal asks the run to stop, the second ends the program at once,
/// with nothing half-written left.
pub fn listen<'scope>(
    scope: &'scope Scope<'scope, '_>,
    session: &'scope Session,
    stop: StopToken,
) -> io::Result<Listening> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let handle = signals.handle();
    scope.spawn(move || {
        for signal in signals.forever() {
            let exit_code = 128 + signal as u8;
            if stop.stopped().is_some() {
                session.remove_unfinished();
                std::process::exit(exit_code.into());
            }
            eprintln!("stopping after the files at work; once more to stop at once");
            stop.stop(exit_code);
        }
    });
    Ok(Listening(handle))
}
