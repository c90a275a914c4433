//! Work that Ctrl-C interrupts.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use audiostretchy::batch::StopToken;
use pyo3::prelude::*;

/// How often Python is asked whether a signal came.
const INTERVAL: Duration = Duration::from_millis(50);

/// Does some work on a thread of its own, without the interpreter, while this one listens to signals
/// and tells Python what the work sends.
///
/// # Errors
/// Returns the exception of a signal handler, such as `KeyboardInterrupt`, or of `tell`. The work was
/// asked to stop then, and has ended.
pub(crate) fn run<T: Send, M: Send>(
    py: Python<'_>,
    stop: &StopToken,
    work: impl FnOnce(Sender<M>) -> T + Send,
    mut tell: impl FnMut(Python<'_>, M) -> PyResult<()> + Send,
) -> PyResult<T> {
    py.detach(|| {
        thread::scope(|scope| {
            let (sender, receiver) = mpsc::channel();
            let worker = scope.spawn(move || work(sender));
            let mut failed = None;
            loop {
                let message = match receiver.recv_timeout(INTERVAL) {
                    Ok(message) => Some(message),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => break,
                };
                if failed.is_some() {
                    continue;
                }
                let told = Python::attach(|py| {
                    py.check_signals()?;
                    message.map_or(Ok(()), |message| tell(py, message))
                });
                if let Err(error) = told {
                    stop.abort();
                    failed = Some(error);
                }
            }
            let result = worker.join();
            match failed {
                Some(error) => Err(error),
                None => Ok(result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))),
            }
        })
    })
}
