//! Waiting for signals where they cannot wake a thread: looking whether one has come.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often it is looked.
const INTERVAL: Duration = Duration::from_millis(20);

/// The same as `signal_hook::iterator::Signals`, which there is on Unix only.
pub(super) struct Signals {
    /// Each signal, and whether it has come.
    flags: Vec<(i32, Arc<AtomicBool>)>,
    is_closed: Arc<AtomicBool>,
}

/// Ends the waiting.
pub(super) struct Handle(Arc<AtomicBool>);

impl Signals {
    /// Starts to take signals.
    ///
    /// # Errors
    /// Returns an error if one cannot be taken.
    pub(super) fn new(signals: Vec<i32>) -> io::Result<Self> {
        let flags = signals.into_iter().map(|signal| {
            let flag = Arc::new(AtomicBool::new(false));
            signal_hook::flag::register(signal, flag.clone())?;
            Ok((signal, flag))
        });
        Ok(Self {
            flags: flags.collect::<io::Result<_>>()?,
            is_closed: Arc::default(),
        })
    }

    pub(super) fn handle(&self) -> Handle {
        Handle(self.is_closed.clone())
    }

    /// Returns the signals that come, until the handle ends that.
    pub(super) fn forever(&mut self) -> impl Iterator<Item = i32> {
        std::iter::from_fn(|| {
            loop {
                let mut flags = self.flags.iter();
                let come = flags.find(|(_, flag)| flag.swap(false, Ordering::Relaxed));
                if let Some((signal, _)) = come {
                    return Some(*signal);
                }
                if self.is_closed.load(Ordering::Relaxed) {
                    return None;
                }
                std::thread::sleep(INTERVAL);
            }
        })
    }
}

impl Handle {
    pub(super) fn close(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_signal_is_told_until_that_is_ended() {
        // Nothing else here takes this one.
        let signal = signal_hook::consts::SIGTERM;
        let mut signals = Signals::new(vec![signal]).unwrap();
        let handle = signals.handle();
        let mut come = signals.forever();
        for _ in 0..2 {
            signal_hook::low_level::raise(signal).unwrap();
            assert_eq!(come.next(), Some(signal));
        }
        handle.close();
        assert_eq!(come.next(), None);
    }
}
