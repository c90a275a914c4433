//! `--events`: what happens, one JSON object a line, on standard output.
//!
//! `schema/events.schema.json` describes every line. The first is `run-started` and the last
//! `run-finished`; in between, each file that is taken up has one `file-started`, any number of
//! `file-progress`, and one `file-finished`, all with the same `index` and `input`.

use std::io::{self, Write};
use std::sync::Mutex;

use audiostretchy::AudioInfo;
use audiostretchy::batch::{Event, Job, Plan};
use audiostretchy::report::{
    Counts, FileReport, PathText, Report, RunOutcome, SCHEMA_VERSION, json,
};
use serde::Serialize;

/// One line.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Line<'a> {
    RunStarted {
        schema_version: u32,
        tool: &'a str,
        version: &'a str,
        files: usize,
        audio_seconds: f64,
    },
    FileStarted {
        index: usize,
        input: PathText,
        output: PathText,
        audio_seconds: Option<f64>,
    },
    FileProgress {
        index: usize,
        input: PathText,
        seconds: f64,
        audio_seconds: Option<f64>,
    },
    FileFinished {
        index: usize,
        input: &'a PathText,
        file: &'a FileReport,
    },
    RunFinished {
        outcome: RunOutcome,
        exit_code: u8,
        elapsed_seconds: f64,
        counts: Counts,
        audio_seconds: f64,
    },
}

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
        let input = |index: usize| PathText::from(&self.plan.jobs[index].input);
        match event {
            Event::RunStarted {
                files,
                audio_seconds,
            } => self.line(&Line::RunStarted {
                schema_version: SCHEMA_VERSION,
                tool: env!("CARGO_PKG_NAME"),
                version: env!("CARGO_PKG_VERSION"),
                files,
                audio_seconds,
            }),
            Event::FileStarted { index, job } => self.line(&Line::FileStarted {
                index,
                input: input(index),
                output: (&job.output).into(),
                audio_seconds: length(job),
            }),
            Event::FileProgress { index, seconds, .. } => self.line(&Line::FileProgress {
                index,
                input: input(index),
                seconds,
                audio_seconds: length(&self.plan.jobs[index]),
            }),
            Event::FileFinished { index, report } => self.line(&Line::FileFinished {
                index,
                input: &report.input,
                file: report,
            }),
            _ => {}
        }
    }

    /// Writes the end of the run.
    ///
    /// # Errors
    /// Returns an error if a line could not be written. A reader that has closed its end is no
    /// error: it may have seen enough.
    pub(super) fn finish(&self, report: &Report) -> io::Result<()> {
        self.line(&Line::RunFinished {
            outcome: report.outcome,
            exit_code: report.exit_code,
            elapsed_seconds: report.elapsed_seconds,
            counts: report.counts,
            audio_seconds: report.audio_seconds,
        });
        let mut state = (self.state.lock()).expect("nothing panics while holding the lock");
        match std::mem::replace(&mut *state, Ok(())) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            state => state,
        }
    }

    fn line(&self, line: &Line<'_>) {
        let mut state = (self.state.lock()).expect("nothing panics while holding the lock");
        if state.is_ok() {
            *state = print(line);
        }
    }
}

fn print(line: &Line<'_>) -> io::Result<()> {
    let text = json::line(line)?;
    let mut out = io::stdout().lock();
    out.write_all(&text)?;
    out.flush()
}

fn length(job: &Job) -> Option<f64> {
    job.audio.as_ref().and_then(AudioInfo::seconds)
}
