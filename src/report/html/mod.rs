//! The report as a page to look at and to listen to: one file that needs no network, no server and,
//! but for the pictures, the players and the sorting, no script.
//!
//! All text is escaped by [`maud`]; what the script needs is JSON in an element of its own. The
//! page's policy allows its own style and script alone, by their hashes, and audio.

mod links;
mod rows;
mod timeline;

use std::io::{self, Write};
use std::path::Path;

use data_encoding::BASE64;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{FileReport, Report, RunOutcome, Status, UP_TO_DATE, by_part, visible};
use crate::preset::Value;
use audiostretchy_containers::figures;
use links::Links;
use rows::Row;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The most files whose waveforms are on the page.
const MOST_PICTURES: usize = 200;
/// The most files whose rows are part of the page; of more, all rows are made by the script.
const MOST_ROWS: usize = 5000;
/// The most problems that are listed above the table.
const MOST_PROBLEMS: usize = 200;

/// Where a page lies, and what its links start from.
#[derive(Debug, Clone, Copy)]
pub struct PagePlace<'a> {
    /// The folder that the page is written to.
    pub folder: &'a Path,
    /// The folder from which the report's relative paths start.
    pub base: &'a Path,
    /// The command that retries what failed, if there is one.
    pub retry: Option<&'a str>,
}

/// Writes a report as HTML.
///
/// Links to audio are relative to the page's folder, so that both can be moved together.
///
/// # Errors
/// Returns an error if writing fails.
pub fn write(report: &Report, place: PagePlace<'_>, mut to: impl Write) -> io::Result<()> {
    to.write_all(page(report, place).into_string().as_bytes())?;
    to.flush()
}

fn page(report: &Report, place: PagePlace<'_>) -> Markup {
    let links = Links::new(place.folder, place.base);
    // The sort is stable: within each group the files stay sorted by path.
    let mut files: Vec<&FileReport> = report.files.iter().collect();
    files.sort_by_key(|file| rank(file));
    let rows: Vec<Row> = files.iter().map(|file| Row::new(file)).collect();
    let are_data = rows.len() > MOST_ROWS;
    let pictured = pictured(&files);
    let data = json!({
        "rows": match are_data {
            true => rows.iter().enumerate().map(|(index, row)| row.data(index)).collect(),
            false => Vec::new(),
        },
        "files": files.iter().zip(&pictured).map(|(file, &is_pictured)| {
            rows::details(file, is_pictured, &links)
        }).collect::<Vec<_>>(),
    });
    let title = format!("{}: {}", report.tool, report.outcome.name());
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (visible(&title)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header { (heading(report)) }
                main {
                    (problems(&files, report, place.retry))
                    (timeline::draw(report))
                    section aria-labelledby="files-title" {
                        h2 id="files-title" { "Files" }
                        (notes(&files, &pictured, are_data))
                        (controls())
                        (rows::table(&rows, are_data))
                    }
                }
                footer { (footing(report)) }
                script id="data" type="application/json" { (PreEscaped(in_element(&data.to_string()))) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

/// Allows the page's own style and script, and audio from where the page is.
fn policy() -> String {
    let hash = |text: &str| format!("'sha256-{}'", BASE64.encode(&Sha256::digest(text)));
    format!(
        "default-src 'none'; style-src {}; script-src {}; media-src 'self' file:; base-uri 'none'; \
         form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

/// JSON that ends no element: `<` is only within strings, where it may be escaped.
fn in_element(json: &str) -> String {
    json.replace('<', "\\u003c")
}

/// Failures first, then warnings.
fn rank(file: &FileReport) -> u8 {
    match file.status {
        Status::Failed => 0,
        _ if !file.warnings.is_empty() => 1,
        Status::NotRun => 2,
        Status::Done => 3,
        _ => 4,
    }
}

/// Returns for each file whether its waveforms are shown: of those with warnings first, then of the
/// longest.
fn pictured(files: &[&FileReport]) -> Vec<bool> {
    let seconds = |index: &usize| {
        let picture = files[*index].picture.as_ref();
        picture.map_or(0.0, |picture| picture.input_seconds)
    };
    let mut order: Vec<usize> = (0..files.len())
        .filter(|&index| files[index].picture.is_some())
        .collect();
    order.sort_by(|a, b| {
        let is_dull = |index: &usize| files[*index].warnings.is_empty();
        is_dull(a)
            .cmp(&is_dull(b))
            .then(seconds(b).total_cmp(&seconds(a)))
    });
    let mut pictured = vec![false; files.len()];
    for index in order.into_iter().take(MOST_PICTURES) {
        pictured[index] = true;
    }
    pictured
}

fn heading(report: &Report) -> Markup {
    let when = report.started.replace('T', " ").replace('Z', " UTC");
    let command: Vec<String> = report.command.iter().map(ToString::to_string).collect();
    let elapsed = figures::duration(report.elapsed_seconds);
    let preset = match &report.settings.preset {
        _ if !report.jobs.is_empty() => {
            let jobs = figures::count(report.jobs.len() as u64, "job");
            format!("{jobs} of a project file")
        }
        Some(name) => format!("the preset {}", visible(name)),
        None => "no preset".into(),
    };
    let how = ["duration", "speed", "ratio"].into_iter().find_map(|key| {
        let value = report.settings.values.get(key)?.value.as_ref()?;
        let number = value.number();
        Some(match (key, value) {
            ("duration", Value::Text(text)) => format!("to a length of {}", visible(text)),
            ("duration", _) => format!("to a length of {} s", number?),
            ("speed", _) => format!("at {} times the speed", number?),
            _ => format!("to {:.4} of the length", number?),
        })
    });
    html! {
        h1 { (summary(report, how.as_deref())) }
        p {
            "Started " time datetime=(visible(&report.started)) { (visible(&when)) } ", took " (elapsed)
            ", with " (preset) "."
        }
        @if !command.is_empty() { pre { code { (command.join(" ")) } } }
        (totals(report))
    }
}

/// The run in one line.
fn summary(report: &Report, how: Option<&str>) -> String {
    let counts = report.counts;
    let files = figures::count(counts.total as u64, "file");
    let how = how.map(|how| format!(" {how}")).unwrap_or_default();
    let outcome = match (report.outcome, counts.failed) {
        (RunOutcome::Interrupted, _) => ", interrupted".into(),
        (_, 0) => String::new(),
        (_, failed) => format!(", {failed} failed"),
    };
    format!("{files}{how}{outcome}")
}

/// What came of the whole run, in figures.
fn totals(report: &Report) -> Markup {
    let done = || report.with_status(Status::Done);
    let sources = || done().filter_map(|file| file.source.as_ref());
    let results = || done().filter_map(|file| file.result.as_ref());
    let before: f64 = sources().map(|source| source.seconds).sum();
    let after: f64 = results().map(|result| result.seconds).sum();
    let by_speed: f64 = results().map(|result| result.speed_saved_seconds).sum();
    let by_pauses: f64 = results().map(|result| result.pauses_saved_seconds).sum();
    let bytes_before: u64 = sources().filter_map(|source| source.bytes).sum();
    let bytes_after: u64 = results().filter_map(|result| result.bytes).sum();
    let is_up_to_date = |file: &&FileReport| file.reason.as_deref() == Some(UP_TO_DATE);
    let up_to_date = report.with_status(Status::Skipped);
    let up_to_date = up_to_date.filter(is_up_to_date).count();
    let counts = report.counts;
    let figure = |class: &str, number: String, words: &str| {
        html! { li class=(class) { b { (number) } (words) } }
    };
    let change = |seconds: f64, way: &str| {
        let word = if seconds < 0.0 { "added" } else { "saved" };
        (figures::length(seconds.abs()), format!("{word} by {way}"))
    };
    let changes = [change(by_speed, "the speed"), change(by_pauses, "pauses")];
    html! {
        ul.figures {
            (figure("done", counts.done.to_string(), "done"))
            @if up_to_date > 0 { (figure("", up_to_date.to_string(), "up to date")) }
            @if counts.skipped > up_to_date {
                (figure("", (counts.skipped - up_to_date).to_string(), "skipped"))
            }
            @if counts.failed > 0 { (figure("failed", counts.failed.to_string(), "failed")) }
            @if counts.not_run > 0 { (figure("warning", counts.not_run.to_string(), "not run")) }
            @if report.warning_count() > 0 {
                (figure("warning", report.warning_count().to_string(), "warnings"))
            }
            @if counts.done > 0 {
                (figure("", figures::length(before), "of audio before"))
                (figure("", figures::length(after), "of audio after"))
                @for (length, words) in changes {
                    @if length != figures::length(0.0) { (figure("", length, &words)) }
                }
                (figure("", figures::size(bytes_before), "before"))
                (figure("", figures::size(bytes_after), "after"))
            }
            @if let Some(speed) = report.speed() {
                (figure("", figures::times(speed), "real time"))
            }
        }
    }
}

/// Failures and warnings, with what mends them, which their messages tell.
fn problems(files: &[&FileReport], report: &Report, retry: Option<&str>) -> Markup {
    let mut listed = Vec::new();
    for warning in &report.warnings {
        listed.push((None, "warning", visible(&warning.message)));
    }
    for (index, file) in files.iter().enumerate() {
        if file.status == Status::Failed {
            listed.push((Some(index), "failed", visible(&file.explanation())));
        }
        let warnings = file.warnings.iter();
        listed.extend(warnings.map(|warning| (Some(index), "warning", visible(&warning.message))));
    }
    if listed.is_empty() {
        return html! {};
    }
    let more = listed.len().saturating_sub(MOST_PROBLEMS);
    html! {
        section aria-labelledby="problems-title" {
            h2 id="problems-title" { "Problems" }
            ul.problems {
                @for (index, class, message) in listed.iter().take(MOST_PROBLEMS) {
                    li class=(*class) {
                        @if let Some(index) = index {
                            a href=(format!("#f{index}")) data-to=(index) { (files[*index].input) }
                            ": "
                        }
                        b { (*class) } " " (message)
                    }
                }
            }
            @if more > 0 { p.soft { "and " (more) " more, which the table has." } }
            @if let Some(retry) = retry {
                p { "To try again what failed:" }
                pre { code { (retry) } }
            }
        }
    }
}

fn notes(files: &[&FileReport], pictured: &[bool], are_data: bool) -> Markup {
    let shown = pictured.iter().filter(|&&is_shown| is_shown).count();
    let all = files.iter().filter(|file| file.picture.is_some()).count();
    html! {
        p hidden data-scripted {
            "Open a file to see and hear it. What was left out is shaded; lines lead from where audio \
             was to where it went. A click, or the arrow keys, move both players."
        }
        @if shown < all {
            p.soft {
                "Of " (all) " files, the waveforms of " (shown)
                " are here: of those with warnings, and the longest."
            }
        }
        @if are_data {
            p.soft { "There are more than " (MOST_ROWS) " files, so the table is made by the script." }
        }
        noscript { p.soft { "Pictures, players, sorting and filtering need JavaScript." } }
    }
}

fn controls() -> Markup {
    let statuses = [
        ("", "all"),
        ("failed", "failed"),
        ("warning", "with warnings"),
        ("done", "done"),
        ("skipped", "up to date or skipped"),
        ("not_run", "not run"),
    ];
    html! {
        div.controls hidden data-scripted {
            label { "Name contains" input id="search" type="search"; }
            label {
                "Status"
                select id="status" {
                    @for (value, words) in statuses { option value=(value) { (words) } }
                }
            }
            span id="shown" role="status" {}
        }
    }
}

fn footing(report: &Report) -> Markup {
    let parts = by_part(&report.settings, &report.jobs);
    let parts = parts.into_iter().map(|(part, settings)| {
        let values = settings.values.iter().filter_map(|(key, setting)| {
            let value = setting.value.as_ref()?.to_string();
            Some((key, visible(&value), visible(&setting.source)))
        });
        let preset = settings.preset.as_deref().unwrap_or("none");
        let part = part.map(|part| visible(&format!("{part}: preset {preset}")));
        (part, values.collect::<Vec<_>>())
    });
    html! {
        details {
            summary { "Settings" }
            @for (part, values) in parts {
                @if let Some(part) = part { h3 { (part) } }
                ul.texts {
                    @for (key, value, source) in values {
                        li { code { (key) " = " (value) } ", from " (source) }
                    }
                }
            }
        }
        p { (visible(&report.tool)) " " (visible(&report.version)) }
    }
}
