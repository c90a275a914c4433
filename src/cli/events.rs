//! `--events`: what happens, one JSON object a line, on standard output.
//!
//! `schema/events.schema.json` describes every line. The first is `run-started` and the last
//! `run-finished`; in between, each file that is taken up has one `file-started`, any number of
//! `file-progress`, and one `file-finished`, all with the same `index` and `input`.

use std::io::{self, Write};
use std::sync::Mutex;

use audiostretchy::batch::{Event, Plan};
use audiostretchy::report::{EventReport, Report, json};

/// Writes events as lines.
pub(super) struct EventLines<'a> {
    plan: &'a Plan,
    /// What became of the lines so far; nothing is written after the first error.
    state: Mutex<io::Result<()>>,
}

impl<'a> EventLines<'a> {
    /// Events of a run of `plan`.
    pub(super) fn new(plan: &'a Plan) -> Self {
        Self {
            plan,
            state: Mutex::new(Ok(())),
        }
    }

    /// Writes an event, but for the end of the run: that is not over before the reports are
    /// written.
    pub(super) fn write(&self, event: Event<'_>) {
        if !matches!(event, Event::RunFinished { .. }) {
            self.line(&EventReport::new(event, self.plan));
        }
    }

    /// Writes the end of the run.
    ///
    /// # Errors
    /// Returns an error if a line could not be written. A reader that has closed its end is no
    /// error: it may have seen enough.
    pub(super) fn finish(&self, report: &Report) -> io::Result<()> {
        self.line(&report.into());
        let mut state = (self.state.lock()).expect("nothing panics while holding the lock");
        match std::mem::replace(&mut *state, Ok(())) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            state => state,
        }
    }

    fn line(&self, line: &EventReport<'_>) {
        let mut state = (self.state.lock()).expect("nothing panics while holding the lock");
        if state.is_ok() {
            *state = print(line);
        }
    }
}

fn print(line: &EventReport<'_>) -> io::Result<()> {
    let text = json::line(line)?;
    let mut out = io::stdout().lock();
    out.write_all(&text)?;
    out.flush()
}
