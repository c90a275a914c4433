//! The table of all files, and what opens below a row.

use maud::{Markup, html};
use serde_json::{Value, json};

use super::links::Links;
use crate::report::{FileReport, Status, visible};
use audiostretchy_containers::figures;

/// The columns behind name and status: their heads, and whether they are left out on a phone.
const COLUMNS: [(&str, bool); 8] = [
    ("Before", false),
    ("After", false),
    ("Ratio", true),
    ("In pauses", true),
    ("Clipped", true),
    ("Size before", true),
    ("Size after", true),
    ("Speed", true),
];

/// A row of the table.
pub(super) struct Row {
    name: String,
    status: String,
    /// Classes, by which rows are filtered.
    kind: String,
    /// Text and number of each of the [`COLUMNS`].
    cells: [(String, Option<f64>); 8],
}

impl Row {
    pub(super) fn new(file: &FileReport) -> Self {
        let class = match file.status {
            Status::Done => "done",
            Status::Skipped => "skipped",
            Status::Failed => "failed",
            Status::NotRun => "not_run",
        };
        let warnings = match file.warnings.len() {
            0 => "",
            _ => " warning",
        };
        let status = match (file.status, &file.reason) {
            (Status::Skipped, Some(reason)) => visible(reason),
            (status, _) => status.name().into(),
        };
        let status = match file.warnings.len() {
            0 => status,
            number => format!("{status}, {}", figures::count(number as u64, "warning")),
        };
        let number = |value: Option<f64>, text: fn(f64) -> String| {
            (value.map(text).unwrap_or_default(), value)
        };
        let (source, result) = (file.source.as_ref(), file.result.as_ref());
        let picture = file.picture.as_ref();
        let before = source
            .map(|source| source.seconds)
            .or_else(|| picture.map(|picture| picture.input_seconds));
        let after = result
            .map(|result| result.seconds)
            .or_else(|| picture.map(|picture| picture.output_seconds));
        let clipped = result.map(|result| result.clipped_samples);
        let ratio = after.zip(before).map(|(after, before)| after / before);
        let pauses = source.map(|source| source.gap_seconds + source.cut_seconds);
        let size = |bytes: Option<u64>| {
            let bytes = bytes.map(|bytes| bytes as f64);
            number(bytes, |bytes| figures::size(bytes as u64))
        };
        Self {
            name: file.input.to_string(),
            status,
            kind: format!("{class}{warnings}"),
            cells: [
                number(before, figures::length),
                number(after, figures::length),
                number(ratio.filter(|ratio| ratio.is_finite()), |ratio| {
                    format!("{ratio:.3}")
                }),
                number(pauses.filter(|&seconds| seconds > 0.0), figures::length),
                number(
                    clipped.filter(|&count| count > 0).map(|count| count as f64),
                    |count| count.to_string(),
                ),
                size(source.and_then(|source| source.bytes)),
                size(result.and_then(|result| result.bytes)),
                number(file.speed, figures::times),
            ],
        }
    }

    /// Returns the row as the script takes it.
    pub(super) fn data(&self, index: usize) -> Value {
        let cells = self.cells.iter().zip(COLUMNS);
        let cells = cells.map(|((text, number), (_, is_wide))| json!([text, number, is_wide]));
        json!([
            index,
            self.name,
            self.status,
            self.kind,
            cells.collect::<Vec<_>>()
        ])
    }
}

/// Returns the table; if the rows are data, without them.
pub(super) fn table(rows: &[Row], are_data: bool) -> Markup {
    let shown = if are_data { &[] } else { rows };
    let class = |is_wide: bool| if is_wide { "number wide" } else { "number" };
    html! {
        div.scroll role="region" aria-label="Table of files" tabindex="0" {
            table id="files" {
                thead {
                    tr {
                        @for name in ["File", "Status"] { th scope="col" { button type="button" { (name) } } }
                        @for (name, is_wide) in COLUMNS {
                            th.(class(is_wide)) scope="col" { button type="button" { (name) } }
                        }
                    }
                }
                tbody {
                    @for (index, row) in shown.iter().enumerate() {
                        tr id=(format!("f{index}")) {
                            th scope="row" {
                                button type="button" data-file=(index) aria-expanded="false" { (row.name) }
                            }
                            td class=(row.kind) { (row.status) }
                            @for ((text, number), (_, is_wide)) in row.cells.iter().zip(COLUMNS) {
                                td class=(class(is_wide)) data-v=[number] { (text) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Returns what opens below the row of a file: links, the picture and more text, for the script.
pub(super) fn details(file: &FileReport, is_pictured: bool, links: &Links) -> Value {
    let is_written = matches!(file.status, Status::Done | Status::Skipped);
    let output = file.output.as_ref().filter(|_| is_written);
    let mut texts = Vec::new();
    if let Some(job) = &file.job {
        let rule = file.rule.iter().map(|rule| format!(", rule {rule}"));
        texts.push(format!("job {job}{}", rule.collect::<String>()));
    }
    if !file.explanation().is_empty() && file.status != Status::Skipped {
        texts.push(format!("{}: {}", file.status.name(), file.explanation()));
    }
    texts.extend(
        file.warnings
            .iter()
            .map(|warning| format!("warning: {}", warning.message)),
    );
    texts.extend(file.beside());
    let texts: Vec<String> = texts.iter().map(|text| visible(text)).collect();
    json!([
        links.to(&file.input),
        output.map(|output| links.to(output)),
        output.map(ToString::to_string),
        file.picture.as_ref().filter(|_| is_pictured),
        texts,
    ])
}
