//! How many files are worked on at a time, where the system gives less than was asked for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Slots for files at work: as many as there are workers, until a file fails because no more files
/// can be opened; then fewer.
#[derive(Debug)]
pub(super) struct Slots {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    most: usize,
    at_work: usize,
    /// How often a slot was given up for good.
    given_up: usize,
}

impl Default for Slots {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                most: usize::MAX,
                at_work: 0,
                given_up: 0,
            }),
            changed: Condvar::new(),
        }
    }
}

impl Slots {
    /// Takes a slot, once one is free, for the next of `files` files; `None` if there is none left.
    pub(super) fn take(&self, next: &AtomicUsize, files: usize) -> Option<usize> {
        let mut state = self.wait(self.lock());
        let index = next.fetch_add(1, Ordering::Relaxed);
        if index >= files {
            return None;
        }
        state.at_work += 1;
        Some(index)
    }

    /// Returns a slot back.
    pub(super) fn release(&self) {
        self.lock().at_work -= 1;
        self.changed.notify_all();
    }

    /// How often a slot was given up for good so far.
    pub(super) fn given_up(&self) -> usize {
        self.lock().given_up
    }

    /// Returns up a slot for good and waits for one of the others. `false` if there is no other,
    /// and was none since `given_up` was asked for.
    pub(super) fn retry_with_fewer(&self, given_up: usize) -> bool {
        let mut state = self.lock();
        if state.at_work <= 1 {
            return state.given_up > given_up;
        }
        state.given_up += 1;
        state.at_work -= 1;
        state.most = state.most.min(state.at_work);
        self.changed.notify_all();
        self.wait(state).at_work += 1;
        true
    }

    fn wait<'a>(&'a self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let is_full = |state: &mut State| state.at_work >= state.most;
        let state = self.changed.wait_while(state, is_full);
        state.unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_that_fail_at_once_the_last_may_try_alone() {
        let (slots, next) = (Slots::default(), AtomicUsize::new(0));
        for expected in [Some(0), Some(1), None] {
            assert_eq!(slots.take(&next, 2), expected);
        }
        let given_up = slots.given_up();
        std::thread::scope(|scope| {
            let first = scope.spawn(|| slots.retry_with_fewer(given_up));
            while slots.given_up() == given_up {
                std::thread::yield_now();
            }
            // The first waits now. This one may try once, as it was not alone when it failed.
            assert!(slots.retry_with_fewer(given_up));
            assert!(!slots.retry_with_fewer(slots.given_up()));
            slots.release();
            assert!(first.join().unwrap());
        });
        slots.release();
    }
}
