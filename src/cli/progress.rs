//! Progress: bars on a terminal, plain lines elsewhere.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use audiostretchy::batch::Event;
use audiostretchy::report::{FileReport, Status};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::args::Verbosity;
use super::color::Palette;
use super::text;

const FILE_TEMPLATE: &str = "  {bar:20.cyan} {percent:>3}%  {msg}";
const TOTAL_TEMPLATE: &str = "{bar:22.green} {percent:>3}%  {prefix}  {msg}  {eta} left";
/// Bars count milliseconds of audio.
const UNITS: f64 = 1000.0;

/// Shows a run on standard error.
pub struct Progress {
    verbosity: Verbosity,
    files: usize,
    finished: AtomicUsize,
    colors: Palette,
    bars: MultiProgress,
    total: ProgressBar,
    running: Mutex<HashMap<usize, ProgressBar>>,
}

impl Progress {
    /// Progress of a run over `files` files.
    pub fn new(verbosity: Verbosity, files: usize) -> Self {
        let bars = MultiProgress::new();
        if verbosity == Verbosity::Quiet {
            bars.set_draw_target(indicatif::ProgressDrawTarget::hidden());
        }
        let total = bars.add(ProgressBar::new(0).with_style(style(TOTAL_TEMPLATE)));
        Self {
            verbosity,
            colors: Palette::of_stderr(),
            files,
            finished: AtomicUsize::new(0),
            bars,
            total,
            running: Mutex::default(),
        }
    }

    /// Shows an event.
    pub fn show(&self, event: Event<'_>) {
        match event {
            Event::RunStarted { audio_seconds, .. } => {
                self.total.set_length((audio_seconds * UNITS) as u64);
                self.total.set_prefix(format!("0/{}", self.files));
            }
            Event::FileStarted { index, job } => {
                let length = (job.seconds() * UNITS) as u64;
                let bar = ProgressBar::new(length).with_style(style(FILE_TEMPLATE));
                let bar = self.bars.insert_before(&self.total, bar);
                bar.set_message(text::path(&job.input));
                self.running().insert(index, bar);
            }
            Event::FileProgress { index, seconds } => {
                if let Some(bar) = self.running().get(&index) {
                    self.advance(bar, (seconds * UNITS) as u64);
                }
            }
            Event::FileFinished { index, report } => {
                if let Some(bar) = self.running().remove(&index) {
                    self.advance(&bar, bar.length().unwrap_or(0));
                    bar.finish_and_clear();
                    self.bars.remove(&bar);
                }
                self.finish_file(report);
            }
            Event::RunFinished { .. } => self.total.finish_and_clear(),
            _ => {}
        }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, HashMap<usize, ProgressBar>> {
        self.running
            .lock()
            .expect("nothing panics while holding the lock")
    }

    fn advance(&self, bar: &ProgressBar, position: u64) {
        let step = position.saturating_sub(bar.position());
        bar.set_position(position);
        self.total.inc(step);
        let elapsed = self.total.elapsed().as_secs_f64();
        let speed = self.total.position() as f64 / UNITS / elapsed.max(0.001);
        self.total.set_message(format!("{speed:.0}x"));
    }

    fn finish_file(&self, report: &FileReport) {
        let finished = self.finished.fetch_add(1, Ordering::Relaxed) + 1;
        self.total.set_prefix(format!("{finished}/{}", self.files));
        let is_plain = self.bars.is_hidden();
        let wanted = match self.verbosity {
            Verbosity::Quiet => false,
            Verbosity::Normal => is_plain || report.status == Status::Failed,
            Verbosity::Verbose => true,
        };
        if !wanted {
            return;
        }
        let line = format!(
            "[{finished}/{}] {}",
            self.files,
            about(report, self.verbosity, self.colors)
        );
        // Off a terminal the bars swallow what is printed through them.
        if is_plain {
            eprintln!("{line}");
        } else {
            let _ = self.bars.println(line);
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).expect("the template is good");
    style.progress_chars("=> ")
}

fn about(report: &FileReport, verbosity: Verbosity, colors: Palette) -> String {
    let Palette {
        done,
        warning: warned,
        failed,
    } = colors;
    let input = report.input.to_string();
    if let Some(error) = &report.error {
        return format!(
            "{failed}failed{failed:#} {input}: {}",
            text::escape(&error.to_string())
        );
    }
    let mut line = format!("{done}done{done:#} {input}");
    if let (Some(source), Some(result)) = (&report.source, &report.result) {
        let speed = report.speed.unwrap_or(0.0);
        let (from, to) = (text::length(source.seconds), text::length(result.seconds));
        line += &format!(": {from} to {to}, {speed:.0}x real time");
        if verbosity == Verbosity::Verbose {
            line += &format!(
                ", {} {} Hz to {} {} Hz, ratio {:.4}",
                source.codec,
                source.sample_rate,
                result.format,
                result.sample_rate,
                result.ratio.unwrap_or_default()
            );
        }
    }
    for warning in &report.warnings {
        line += &format!(
            "; {warned}warning{warned:#}: {}",
            text::escape(&warning.message)
        );
    }
    line
}
