//! Parts of a stream that are encoded side by side and written in order.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::encoder::EncodeError;

/// Something that another thread can do.
pub type Task = Box<dyn FnOnce() + Send>;

/// Threads that take work off an encoder.
pub trait Workers: Send + Sync {
    /// Lets another thread do a task soon.
    ///
    /// # Errors
    /// Returns the task if none is free.
    fn offer(&self, task: Task) -> Result<(), Task>;

    /// Does another task that was offered, on this thread, instead of waiting. Returns whether there
    /// was one.
    fn help(&self) -> bool;
}

/// What became of a part: its bytes, an error or a panic.
type Outcome<T> = Result<Result<T, EncodeError>, Box<dyn Any + Send>>;

/// The parts of one stream that have not been written yet.
pub(super) struct InOrder<T> {
    workers: Option<Arc<dyn Workers>>,
    sender: Sender<(u64, Outcome<T>)>,
    receiver: Receiver<(u64, Outcome<T>)>,
    /// Parts that were added, and parts that were taken.
    added: u64,
    taken: u64,
    /// Parts that are encoded before others whose turn it is.
    early: BTreeMap<u64, Outcome<T>>,
}

impl<T: Send + 'static> InOrder<T> {
    /// Without workers, everything is done on the calling thread.
    pub(super) fn new(workers: Option<Arc<dyn Workers>>) -> Self {
        let (sender, receiver) = channel();
        Self {
            workers,
            sender,
            receiver,
            added: 0,
            taken: 0,
            early: BTreeMap::new(),
        }
    }

    /// Adds a part, and encodes it at once if no other thread takes it.
    pub(super) fn add(&mut self, encode: impl FnOnce() -> Result<T, EncodeError> + Send + 'static) {
        let (number, sender) = (self.added, self.sender.clone());
        self.added += 1;
        let task = move || {
            let outcome = catch_unwind(AssertUnwindSafe(encode));
            // Nobody waits for it if the file was given up.
            let _ = sender.send((number, outcome));
        };
        match &self.workers {
            None => task(),
            Some(workers) => {
                if let Err(task) = workers.offer(Box::new(task)) {
                    task();
                }
            }
        }
    }

    /// Returns the next part in order, if it is encoded.
    pub(super) fn take(&mut self) -> Result<Option<T>, EncodeError> {
        self.early.extend(self.receiver.try_iter());
        let Some(outcome) = self.early.remove(&self.taken) else {
            return Ok(None);
        };
        self.taken += 1;
        match outcome {
            Ok(part) => part.map(Some),
            Err(panic) => resume_unwind(panic),
        }
    }

    /// Returns the next part in order, once it is encoded; `None` after the last.
    pub(super) fn wait(&mut self) -> Result<Option<T>, EncodeError> {
        while self.taken < self.added {
            if let Some(part) = self.take()? {
                return Ok(Some(part));
            }
            if self.workers.as_ref().is_some_and(|workers| workers.help()) {
                continue;
            }
            // All others are being encoded.
            if let Ok((number, outcome)) = self.receiver.recv() {
                self.early.insert(number, outcome);
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::time::Duration;

    /// Takes every second task, and does it a while later on a thread of its own.
    #[derive(Default)]
    struct EverySecond(Mutex<bool>);

    impl Workers for EverySecond {
        fn offer(&self, task: Task) -> Result<(), Task> {
            let mut takes = self.0.lock().unwrap();
            *takes = !*takes;
            if !*takes {
                return Err(task);
            }
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(2));
                task();
            });
            Ok(())
        }

        fn help(&self) -> bool {
            false
        }
    }

    #[test]
    fn parts_come_out_in_order() {
        for workers in [
            None,
            Some(Arc::<EverySecond>::default() as Arc<dyn Workers>),
        ] {
            let mut parts = InOrder::new(workers);
            let mut taken = Vec::new();
            for number in 0..50 {
                parts.add(move || Ok(number));
                taken.extend(parts.take().unwrap());
            }
            while let Some(number) = parts.wait().unwrap() {
                taken.push(number);
            }
            assert_eq!(taken, (0..50).collect::<Vec<_>>());
        }
    }

    #[test]
    #[should_panic(expected = "out of cheese")]
    fn a_panic_is_passed_on() {
        let mut parts = InOrder::<()>::new(Some(Arc::<EverySecond>::default()));
        parts.add(|| panic!("out of cheese"));
        let _ = parts.wait();
    }
}
