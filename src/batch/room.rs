//! How many files are worked on at a time, where the system gives less than was asked for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Room for files at work: without bound, until one of them could not be opened for want of file
/// handles; then for fewer.
#[derive(Debug)]
pub(super) struct Room {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    most: usize,
    at_work: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                most: usize::MAX,
                at_work: 0,
            }),
            changed: Condvar::new(),
        }
    }
}

impl Room {
    /// Takes the next of `files` files once there is room for it; `None` if there is none left.
    pub(super) fn enter(&self, next: &AtomicUsize, files: usize) -> Option<usize> {
        let mut state = self.wait(self.lock());
        let index = next.fetch_add(1, Ordering::Relaxed);
        if index >= files {
            return None;
        }
        state.at_work += 1;
        Some(index)
    }

    /// A file is done with.
    pub(super) fn leave(&self) {
        self.lock().at_work -= 1;
        self.changed.notify_all();
    }

    /// Waits until fewer files are at work than now; `false` if this one is alone already.
    pub(super) fn make(&self) -> bool {
        let mut state = self.lock();
        if state.at_work <= 1 {
            return false;
        }
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
