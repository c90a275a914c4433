//! The report as Markdown for the summary of a CI job: the totals, then a table that lists failures
//! first.

use std::io::{self, Write};

use super::{
    FileReport, JobReport, PlanReport, PlannedAction, PlannedFile, Report, SettingsReport, Status,
    by_part, visible,
};
use crate::preset::Value;
use audiostretchy_containers::figures;

/// The most rows of the table; a job summary on GitHub is limited to 1 MiB.
const MOST_ROWS: usize = 200;
/// The most characters of a name or a message.
const LONGEST: usize = 250;

/// Writes a report as GitHub-flavoured Markdown. For a long run, only the first files are listed.
///
/// # Errors
/// Returns an error if writing fails.
pub fn write(report: &Report, mut to: impl Write) -> io::Result<()> {
    writeln!(to, "## {}: {}\n", report.tool, report.outcome.name())?;
    writeln!(to, "{}\n", totals(report))?;
    write_settings(&report.settings, &report.jobs, &report.version, &mut to)?;
    if report.files.is_empty() {
        return to.flush();
    }
    writeln!(to, "| File | Status | Length | Ratio | Speed | Notes |")?;
    writeln!(to, "| :-- | :-- | --: | --: | --: | :-- |")?;
    // The sort is stable: within each group the files stay sorted by path.
    let mut files: Vec<&FileReport> = report.files.iter().collect();
    files.sort_by_key(|file| rank(file));
    for file in files.iter().take(MOST_ROWS) {
        writeln!(to, "{}", row(file))?;
    }
    if let Some(more @ 1..) = files.len().checked_sub(MOST_ROWS) {
        writeln!(to, "\nand {more} more of {} files.", files.len())?;
    }
    to.flush()
}

/// Writes a plan as GitHub-flavoured Markdown. For a long one, only the first files are listed.
///
/// # Errors
/// Returns an error if writing fails.
pub fn write_plan(plan: &PlanReport, mut to: impl Write) -> io::Result<()> {
    let counts = plan.counts;
    writeln!(to, "## {}: plan\n", plan.tool)?;
    let mut parts = vec![format!("**{} to stretch**", counts.to_stretch)];
    for (number, word) in [
        (counts.to_skip, "to skip"),
        (counts.would_fail, "would fail"),
        (plan.left_out.len(), "left out"),
        (plan.to_prune.len(), "to remove"),
    ] {
        if number > 0 {
            parts.push(format!("**{number} {word}**"));
        }
    }
    let audio = figures::length(plan.audio_seconds);
    let work = figures::rough(plan.processing_seconds);
    writeln!(to, "{}; {audio} of audio, about {work}\n", parts.join(", "))?;
    write_settings(&plan.settings, &plan.jobs, &plan.version, &mut to)?;
    writeln!(to, "| File | Output | What | Length | Notes |")?;
    writeln!(to, "| :-- | :-- | :-- | --: | :-- |")?;
    let mut files: Vec<&PlannedFile> = plan.files.iter().collect();
    files.sort_by_key(|file| match file.action {
        PlannedAction::Fail => 0,
        PlannedAction::Stretch => 1,
        PlannedAction::Skip => 2,
    });
    for file in files.iter().take(MOST_ROWS) {
        writeln!(to, "{}", planned_row(file))?;
    }
    if let Some(more @ 1..) = files.len().checked_sub(MOST_ROWS) {
        writeln!(to, "\nand {more} more of {} files.", files.len())?;
    }
    to.flush()
}

fn planned_row(file: &PlannedFile) -> String {
    let seconds = file.source.as_ref().and_then(|source| source.seconds);
    let length = match (seconds, file.output_seconds) {
        (Some(from), Some(to)) => {
            let [from, to] = [from, to].map(figures::length);
            format!("{from} → {to}")
        }
        _ => String::new(),
    };
    let what = match file.action {
        PlannedAction::Stretch => "stretch",
        PlannedAction::Skip => "skip",
        PlannedAction::Fail => "would fail",
    };
    let why = file.error.as_ref().map(ToString::to_string);
    let why = why.or(file.reason.as_ref().map(ToString::to_string));
    let warnings = file.warnings.iter().map(|warning| warning.message.clone());
    let notes: Vec<String> = why.into_iter().chain(warnings).collect();
    let cells = [
        code(file.input.text()),
        file.output
            .as_ref()
            .map_or(String::new(), |output| code(output.text())),
        what.to_owned(),
        length,
        plain(&notes.join("; ")),
    ];
    format!("| {} |", cells.join(" | "))
}

/// Returns the sort rank of a file: those that need attention come first.
fn rank(file: &FileReport) -> u8 {
    match file.status {
        Status::Failed => 0,
        Status::NotRun => 1,
        Status::Done if !file.warnings.is_empty() => 2,
        Status::Done => 3,
        Status::Skipped => 4,
    }
}

fn totals(report: &Report) -> String {
    let counts = report.counts;
    let mut parts = vec![format!("**{} done**", counts.done)];
    for (number, word) in [
        (counts.skipped, "skipped"),
        (counts.failed, "failed"),
        (counts.not_run, "not run"),
    ] {
        if number > 0 {
            parts.push(format!("**{number} {word}**"));
        }
    }
    let speed = report
        .speed()
        .map(|speed| format!(", {} real time", figures::times(speed)));
    format!(
        "{}; {} of audio in {}{}",
        parts.join(", "),
        figures::length(report.audio_seconds),
        figures::duration(report.elapsed_seconds),
        speed.unwrap_or_default()
    )
}

/// Writes the settings, those of each job in a line of its own.
fn write_settings(
    run: &SettingsReport,
    jobs: &[JobReport],
    version: &str,
    to: &mut impl Write,
) -> io::Result<()> {
    for (part, own) in by_part(run, jobs) {
        let settings = settings(own, version);
        match part {
            Some(part) => writeln!(to, "- {}: {settings}", plain(&part))?,
            None => writeln!(to, "{settings}")?,
        }
    }
    writeln!(to)
}

/// Returns the preset and all settings that are not the default.
fn settings(settings: &SettingsReport, version: &str) -> String {
    let preset = settings.preset.as_deref();
    let values = settings.values.iter();
    let given = values.filter(|(_, setting)| setting.source != "the default");
    let given = given.filter_map(|(key, setting)| {
        let value = match setting.value.as_ref()? {
            Value::Text(text) => text.clone(),
            value => value.to_string(),
        };
        Some(format!("{} {}", plain(key), plain(&value)))
    });
    let mut parts = vec![format!("Preset {}", preset.map_or("none".into(), code))];
    parts.extend(given);
    parts.push(format!("version {}", plain(version)));
    parts.join(", ")
}

fn row(file: &FileReport) -> String {
    let source = file.source.as_ref();
    let result = file.result.as_ref();
    let length = (source.zip(result)).map(|(source, result)| {
        let [from, to] = [source.seconds, result.seconds].map(figures::length);
        format!("{from} → {to}")
    });
    let ratio = result.and_then(|result| result.ratio);
    let warnings = file.warnings.iter();
    let warnings = warnings.map(|warning| warning.message.clone());
    let notes: Vec<String> = std::iter::once(file.explanation())
        .filter(|text| !text.is_empty())
        .chain(warnings)
        .collect();
    let cells = [
        code(file.input.text()),
        file.status.name().to_owned(),
        length.unwrap_or_default(),
        ratio.map_or(String::new(), |ratio| format!("{ratio:.4}")),
        file.speed.map_or(String::new(), figures::times),
        plain(&notes.join("; ")),
    ];
    format!("| {} |", cells.join(" | "))
}

/// Formats a name as code, without mentioning users or linking to issues.
fn code(name: &str) -> String {
    format!("<code>{}</code>", escape(name, "&#64;"))
}

/// Formats a sentence; a zero-width space after `@` keeps it from mentioning users.
fn plain(text: &str) -> String {
    escape(text, "@&#8203;")
}

/// Writes all punctuation that could be markup as entities, which are never parsed as markup, not
/// even in a table cell.
fn escape(text: &str, at: &str) -> String {
    let mut escaped = String::new();
    let mut before = ' ';
    let text = shortened(visible(text));
    for character in text.chars() {
        match character {
            '@' => escaped += at,
            ' ' | ',' | '-' | '/' | '(' | ')' => escaped.push(character),
            // `www.` alone would become a link.
            '.' if !before.eq_ignore_ascii_case(&'w') => escaped.push(character),
            _ if character.is_ascii_punctuation() => {
                escaped += &format!("&#{};", u32::from(character));
            }
            _ => escaped.push(character),
        }
        before = character;
    }
    escaped
}

fn shortened(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use std::time::{Duration, SystemTime};

    fn markdown(files: Vec<FileReport>) -> String {
        let report = Report::new(
            SystemTime::UNIX_EPOCH,
            Duration::ZERO,
            SettingsReport::default(),
            files,
        );
        let mut text = Vec::new();
        write(&report, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn no_name_is_markup() {
        let row = markdown(vec![FileReport::skipped(
            Path::new("a|b`<i>*_[x](y)\\\n@user #1 www.x.org https://y.org"),
            Path::new("out"),
            "@user: it's <b>there</b>",
        )]);
        let row = row.lines().last().unwrap();
        assert_eq!(row.matches('|').count(), 7, "{row}");
        let words = row.replace("<code>", "").replace("</code>", "");
        for markup in ["`", "<", ">", "*", "_", "[", "\\", "@user", "www.", "://"] {
            assert!(!words.contains(markup), "{markup} in {row}");
        }
        assert!(row.contains("@&#8203;user&#58; it&#39;s"), "{row}");
    }

    #[test]
    fn a_long_run_is_cut_with_a_count_and_failures_come_first() {
        let skipped = |index| {
            let name = format!("{index:04}");
            FileReport::skipped(Path::new(&name), Path::new("out"), "exists")
        };
        let mut files: Vec<_> = (0..1000).map(skipped).collect();
        files.push(FileReport::new(Path::new("z"), None, Status::Failed));
        let text = markdown(files);
        let rows: Vec<&str> = (text.lines())
            .filter(|line| line.starts_with("| <code>"))
            .collect();
        assert_eq!(rows.len(), MOST_ROWS);
        assert!(rows[0].contains("failed"));
        assert!(text.ends_with("\nand 801 more of 1001 files.\n"), "{text}");
    }

    #[test]
    fn the_longest_report_fits_a_job_summary() {
        let name = "@\u{1b}".repeat(2048);
        let failed = |_| {
            let error = std::io::Error::other(name.clone());
            let error = crate::report::ErrorReport::new("x", &error);
            FileReport::failed(Path::new(&name), None, error, Duration::ZERO)
        };
        let size = markdown((0..1000).map(failed).collect()).len();
        assert!(size < 1 << 20, "{size}");
    }
}
