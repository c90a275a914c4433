//! Progress: bars on a terminal, plain lines elsewhere.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use audiostretchy::batch::{Action, Event, Job, Plan};
use audiostretchy::report::{FileReport, Status};
use audiostretchy_containers::figures;
use console::{Term, measure_text_width};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::args::Verbosity;
use super::bars::{self, Glyphs, Look};
use super::color::Palette;
use super::screen::{HiddenControls, say};
use super::{summary, text};

/// Bars count milliseconds of audio.
const UNITS: f64 = 1000.0;
/// No speed is told of fewer seconds.
const SHORTEST: f64 = 0.1;

/// Shows a run on standard error.
pub(super) struct Progress {
    verbosity: Verbosity,
    look: Look,
    state: Arc<State>,
    bars: MultiProgress,
    total: ProgressBar,
    /// The bars of files. Whoever draws holds the lock, so that lines and bars do not mix.
    running: Mutex<HashMap<usize, ProgressBar>>,
    controls: Option<HiddenControls>,
}

/// What the line of the whole run tells beside audio.
#[derive(Debug, Default)]
struct State {
    files: usize,
    up_to_date: usize,
    finished: AtomicUsize,
    failed: AtomicUsize,
    is_stopping: AtomicBool,
}

impl Progress {
    /// Progress of a run of `plan`.
    pub(super) fn new(verbosity: Verbosity, plan: &Plan) -> Self {
        let names = plan.to_stretch().map(|job| text::path(&job.input));
        let is_up_to_date = |job: &&Job| job.action == Action::SkipUpToDate;
        let look = Look {
            glyphs: Glyphs::of_locale(),
            colors: Palette::of_stderr(),
            widest_name: names
                .map(|name| measure_text_width(&name))
                .max()
                .unwrap_or(0),
            longest: plan.to_stretch().map(Job::seconds).fold(0.0, f64::max),
        };
        let state = Arc::new(State {
            files: plan.to_stretch().count(),
            up_to_date: plan.jobs.iter().filter(is_up_to_date).count(),
            ..State::default()
        });
        let bars = MultiProgress::new();
        if verbosity == Verbosity::Quiet || state.files == 0 {
            bars.set_draw_target(ProgressDrawTarget::hidden());
        }
        let shown = state.clone();
        let style = style(move |bar, width| look.total(shown.total(bar), width));
        let total = bars.add(ProgressBar::new(0).with_style(style));
        Self {
            verbosity,
            look,
            state,
            controls: (!bars.is_hidden()).then(HiddenControls::new),
            bars,
            total,
            running: Mutex::default(),
        }
    }

    /// Shows an event.
    pub(super) fn show(&self, event: Event<'_>) {
        let mut running = self.running();
        match event {
            Event::RunStarted { audio_seconds, .. } => {
                self.total.set_length((audio_seconds * UNITS) as u64);
            }
            Event::FileStarted { index, job } => {
                let (look, name) = (self.look, text::path(&job.input));
                let style = style(move |bar, width| look.file(file(bar, &name), width));
                let length = (job.seconds() * UNITS) as u64;
                let shown = running.values().filter(|bar| !bar.is_hidden()).count();
                let bar = if shown < self.room() {
                    let bar = ProgressBar::new(length).with_style(style);
                    self.bars.insert_before(&self.total, bar)
                } else {
                    ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::hidden())
                };
                running.insert(index, bar);
            }
            Event::FileProgress { index, seconds, .. } => {
                if let Some(bar) = running.get(&index) {
                    self.advance(bar, (seconds * UNITS) as u64);
                }
            }
            Event::FileFinished { index, report } => {
                if let Some(bar) = running.remove(&index) {
                    let length = bar.length().unwrap_or(0);
                    if report.status == Status::Done {
                        self.advance(&bar, length);
                    } else {
                        // None of it counts as done, nor as still to do.
                        self.total.dec(bar.position());
                        self.total.dec_length(length);
                    }
                    bar.finish_and_clear();
                    self.bars.remove(&bar);
                }
                self.finish_file(report);
            }
            Event::RunFinished { .. } => self.clear_bars(),
        }
    }

    /// Says that no other file will be taken up, and how `again` would stop at once.
    pub(super) fn stopping(&self, again: &str) {
        let running = self.running();
        self.state.is_stopping.store(true, Ordering::Relaxed);
        let until = match running.len() {
            0 => String::new(),
            1 => " when the file at work is done".into(),
            files => format!(" when the {files} files at work are done"),
        };
        // Not known of one is not known of all.
        let left: Option<Vec<f64>> = running.values().map(seconds_left).collect();
        let left = left.unwrap_or_default().into_iter().reduce(f64::max);
        let about = left.map(|left| format!(" (about {})", figures::rough(left)));
        let about = about.unwrap_or_default();
        self.say(&format!("stopping{until}{about}; {again} stops now"));
    }

    /// Says that the files at work are given up.
    pub(super) fn giving_up(&self) {
        let running = self.running();
        let files = figures::count(running.len() as u64, "file");
        self.say(&format!("giving up {files} at work"));
    }

    /// Takes the bars away for good.
    pub(super) fn clear(&self) {
        let _drawing = self.running();
        self.clear_bars();
    }

    fn clear_bars(&self) {
        self.total.finish_and_clear();
        let _ = self.bars.clear();
        if let Some(controls) = &self.controls {
            controls.show();
        }
    }

    /// Writes a line, above the bars where there are any.
    fn say(&self, line: &str) {
        // The library's own way fills a line up with spaces, and it ends in the next then.
        let _ = self.bars.clear();
        say!("{line}");
        self.total.tick();
    }

    /// How many bars of files fit on the screen above that of the whole, which must not be cut off.
    fn room(&self) -> usize {
        let (height, _) = Term::stderr().size();
        usize::from(height).saturating_sub(2)
    }

    fn running(&self) -> MutexGuard<'_, HashMap<usize, ProgressBar>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn advance(&self, bar: &ProgressBar, position: u64) {
        let step = position.saturating_sub(bar.position());
        bar.set_position(position);
        self.total.inc(step);
    }

    fn finish_file(&self, report: &FileReport) {
        let finished = self.state.finished.fetch_add(1, Ordering::Relaxed) + 1;
        if report.status == Status::Failed {
            self.state.failed.fetch_add(1, Ordering::Relaxed);
        }
        let is_listed = match self.verbosity {
            Verbosity::Quiet => return,
            Verbosity::Normal => self.bars.is_hidden(),
            Verbosity::Verbose => true,
        };
        let colors = self.look.colors;
        if is_listed {
            let about = summary::file(report, self.verbosity, colors);
            self.say(&format!("[{finished}/{}] {about}", self.state.files));
        }
        if self.verbosity == Verbosity::Verbose {
            for line in report.beside() {
                self.say(&format!("  {line}"));
            }
        }
        for warning in summary::warnings(report, colors) {
            self.say(&warning);
        }
    }
}

impl State {
    fn total(&self, bar: &ProgressState) -> bars::Total {
        bars::Total {
            finished: self.finished.load(Ordering::Relaxed),
            files: self.files,
            up_to_date: self.up_to_date,
            failed: self.failed.load(Ordering::Relaxed),
            position: bar.pos() as f64 / UNITS,
            length: bar.len().unwrap_or(0) as f64 / UNITS,
            speed: speed(bar.pos(), bar.elapsed().as_secs_f64()),
            is_stopping: self.is_stopping.load(Ordering::Relaxed),
        }
    }
}

fn file<'a>(bar: &ProgressState, name: &'a str) -> bars::File<'a> {
    bars::File {
        name,
        position: bar.pos() as f64 / UNITS,
        length: bar.len().unwrap_or(0) as f64 / UNITS,
        speed: speed(bar.pos(), bar.elapsed().as_secs_f64()),
    }
}

/// Seconds of audio per second of work, once that means something.
fn speed(position: u64, elapsed: f64) -> Option<f64> {
    (elapsed >= SHORTEST && position > 0).then(|| position as f64 / UNITS / elapsed)
}

/// Seconds of work that a file still needs, if its length and speed are known.
fn seconds_left(bar: &ProgressBar) -> Option<f64> {
    let length = bar.length().filter(|&length| length > 0)?;
    let speed = speed(bar.position(), bar.elapsed().as_secs_f64())?;
    Some(length.saturating_sub(bar.position()) as f64 / UNITS / speed)
}

/// A bar that is the line that `line` makes for a number of columns.
fn style(
    line: impl Fn(&ProgressState, usize) -> String + Clone + Send + Sync + 'static,
) -> ProgressStyle {
    let style = ProgressStyle::with_template("{line}").expect("the template is good");
    style.with_key("line", move |bar: &ProgressState, to: &mut dyn Write| {
        let (_, width) = Term::stderr().size();
        let _ = to.write_str(&line(bar, usize::from(width).saturating_sub(1)));
    })
}
