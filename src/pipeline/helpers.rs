//! Workers that help with the files of others.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use audiostretchy_media::encode::{Task, Workers};

/// The workers of a run that have no file of their own to work on any more: they take parts of the
/// files that others work on.
#[derive(Default)]
pub(crate) struct Helpers {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Workers that have a file.
    at_work: usize,
    /// Workers that have none.
    idle: usize,
    /// What a file's own worker waits for soon.
    soon: VecDeque<Task>,
    /// What has time.
    later: VecDeque<Task>,
    /// Tasks of the second kind that are not done yet.
    unfinished: usize,
}

impl State {
    fn pop(&mut self) -> Option<(Task, bool)> {
        let soon = self.soon.pop_front().map(|task| (task, false));
        soon.or_else(|| self.later.pop_front().map(|task| (task, true)))
    }
}

impl Helpers {
    /// Creates the helpers of so many workers, all of which have files at first.
    pub(crate) fn new(workers: usize) -> Self {
        let state = State {
            at_work: workers,
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    /// Helps the others until they have no files any more either.
    pub(crate) fn serve(&self) {
        let mut state = self.lock();
        state.at_work -= 1;
        state.idle += 1;
        if state.at_work == 0 {
            self.changed.notify_all();
        }
        loop {
            if let Some(task) = state.pop() {
                drop(state);
                self.run(task);
                state = self.lock();
            } else if state.at_work == 0 {
                return;
            } else {
                let changed = self.changed.wait(state);
                state = changed.unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Returns whether anybody helps.
    pub(crate) fn has_idle(&self) -> bool {
        self.lock().idle > 0
    }

    /// Leaves a task to others, or to this thread if nobody has begun with it when it
    /// [is needed](Self::run_soon).
    pub(crate) fn leave(&self, task: Task) {
        self.lock().soon.push_back(task);
        self.changed.notify_one();
    }

    /// Runs a task that was [left](Self::leave), if there is one that nobody has begun with.
    pub(crate) fn run_soon(&self) -> bool {
        let task = self.lock().soon.pop_front();
        task.map(|task| task()).is_some()
    }

    fn run(&self, (task, is_counted): (Task, bool)) {
        task();
        if is_counted {
            self.lock().unfinished -= 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Workers for Helpers {
    fn offer(&self, task: Task) -> Result<(), Task> {
        let mut state = self.lock();
        // Two for each helper, and one more: nobody has to wait for a task. More would only take memory.
        if state.idle == 0 || state.unfinished > 2 * state.idle {
            return Err(task);
        }
        state.unfinished += 1;
        state.later.push_back(task);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    fn help(&self) -> bool {
        let task = self.lock().pop();
        task.map(|task| self.run(task)).is_some()
    }
}
