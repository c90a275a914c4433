//! Who worked on what when.

use maud::{Markup, html};

use crate::report::{FileReport, Report, Status};
use audiostretchy_containers::figures;

/// The most files that are drawn: those that took longest.
const MOST: usize = 2000;
/// Width of the picture and of the names of workers, and height of a row, in its own units.
const WIDTH: f64 = 1000.0;
const NAMES: f64 = 120.0;
const ROW: f64 = 24.0;

/// Draws a row for each worker.
pub(super) fn draw(report: &Report) -> Markup {
    let files = report.files.iter();
    let mut files: Vec<(&FileReport, usize, f64)> = files
        .filter_map(|file| Some((file, file.worker?, file.started_seconds?)))
        .collect();
    if files.is_empty() {
        return html! {};
    }
    let workers = 1 + files
        .iter()
        .map(|(_, worker, _)| *worker)
        .max()
        .unwrap_or(0);
    let end = |(file, _, started): &(&FileReport, usize, f64)| started + file.elapsed_seconds;
    let total = files
        .iter()
        .map(end)
        .fold(report.elapsed_seconds, f64::max)
        .max(1e-6);
    let mut busy = vec![0.0; workers];
    for (file, worker, _) in &files {
        busy[*worker] += file.elapsed_seconds;
    }
    let share = |worker: usize| (100.0 * busy[worker] / total).round();
    let shares: Vec<String> = (0..workers)
        .map(|worker| format!("worker {}: {} %", worker + 1, share(worker)))
        .collect();
    let all = files.len();
    files.sort_by(|a, b| b.0.elapsed_seconds.total_cmp(&a.0.elapsed_seconds));
    files.truncate(MOST);
    let height = ROW * workers as f64 + 20.0;
    let x = |seconds: f64| NAMES + (WIDTH - NAMES) * seconds / total;
    let class = |file: &FileReport| match (file.status, file.warnings.is_empty()) {
        (Status::Failed, _) => "failed",
        (_, false) => "warning",
        _ => "",
    };
    html! {
        section aria-labelledby="timeline-title" {
            h2 id="timeline-title" { "Timeline" }
            div.scroll role="region" aria-label="Workers and their files" tabindex="0" {
                svg.timeline viewBox=(format!("0 0 {WIDTH} {height}")) role="img"
                    aria-label=(format!("Time spent on files. {}", shares.join(", "))) {
                    @for worker in 0..workers {
                        text x="4" y=(ROW * worker as f64 + 16.0) {
                            (format!("worker {}, {} %", worker + 1, share(worker)))
                        }
                    }
                    @for (file, worker, started) in &files {
                        rect class=(class(file)) x=(format!("{:.2}", x(*started)))
                            y=(ROW * *worker as f64 + 3.0) height=(ROW - 6.0)
                            width=(format!("{:.2}", (x(started + file.elapsed_seconds) - x(*started)).max(0.5))) {
                            title { (file.input) ", " (figures::duration(file.elapsed_seconds)) }
                        }
                    }
                    text x=(NAMES) y=(height - 5.0) { "0 s" }
                    text x=(WIDTH - 4.0) y=(height - 5.0) text-anchor="end" { (figures::duration(total)) }
                }
            }
            p.soft {
                "Each bar is a file. Where a row is empty, its worker had no file; it then encodes \
                 parts of the others'."
                @if all > MOST { " Of " (all) " files, the " (MOST) " that took longest are drawn." }
            }
        }
    }
}
