//! The report as JUnit XML, which every CI system can show: one test case per file.
//!
//! Follows the schema that Jenkins publishes: a `testsuites` with one `testsuite`, with the
//! settings as its properties. Failed files are failures, files skipped or not run are skipped, and
//! warnings are written to `system-out`.

use std::io::{self, Write};

use super::{FileReport, Report, Status, by_part, visible};
use crate::preset::Value;

/// Writes a report as JUnit XML.
///
/// # Errors
/// Returns an error if writing fails.
pub fn write(report: &Report, mut to: impl Write) -> io::Result<()> {
    let counts = report.counts;
    let totals = format!(
        r#"name="{}" tests="{}" failures="{}" errors="0" time="{:.3}""#,
        report.tool, counts.total, counts.failed, report.elapsed_seconds
    );
    writeln!(to, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(to, "<testsuites {totals}>")?;
    writeln!(
        to,
        r#"  <testsuite {totals} skipped="{}" timestamp="{}">"#,
        counts.skipped + counts.not_run,
        attribute(&report.started)
    )?;
    write_properties(report, &mut to)?;
    for file in &report.files {
        write_case(file, &report.tool, &mut to)?;
    }
    writeln!(to, "  </testsuite>")?;
    writeln!(to, "</testsuites>")?;
    to.flush()
}

fn write_properties(report: &Report, to: &mut impl Write) -> io::Result<()> {
    let version = ("version".to_owned(), Value::from(report.version.as_str()));
    let mut properties = vec![version];
    for (part, settings) in by_part(&report.settings, &report.jobs) {
        let name = |key: &str| match &part {
            Some(part) => format!("{part}: {key}"),
            None => key.to_owned(),
        };
        let preset = settings.preset.as_deref().map(Value::from);
        properties.extend(preset.map(|preset| (name("preset"), preset)));
        let values = settings.values.iter();
        properties
            .extend(values.filter_map(|(key, setting)| Some((name(key), setting.value.clone()?))));
    }
    writeln!(to, "    <properties>")?;
    for (name, value) in properties {
        let value = match value {
            Value::Text(text) => text,
            value => value.to_string(),
        };
        writeln!(
            to,
            r#"      <property name="{}" value="{}"/>"#,
            attribute(&name),
            attribute(&value)
        )?;
    }
    writeln!(to, "    </properties>")
}

fn write_case(file: &FileReport, class: &str, to: &mut impl Write) -> io::Result<()> {
    write!(
        to,
        r#"    <testcase name="{}" classname="{class}" time="{:.3}""#,
        attribute(file.input.text()),
        file.elapsed_seconds
    )?;
    if file.status == Status::Done && file.warnings.is_empty() {
        return writeln!(to, "/>");
    }
    writeln!(to, ">")?;
    let explanation = file.explanation();
    match (file.status, &file.error) {
        (Status::Failed, Some(error)) => writeln!(
            to,
            r#"      <failure message="{}" type="{}">{}</failure>"#,
            attribute(&error.message),
            attribute(&error.code),
            text(&explanation)
        )?,
        (Status::Failed, None) => writeln!(to, "      <failure/>")?,
        (status @ (Status::Skipped | Status::NotRun), _) => writeln!(
            to,
            r#"      <skipped message="{}: {}"/>"#,
            status.name(),
            attribute(&explanation)
        )?,
        (Status::Done, _) => {}
    }
    if !file.warnings.is_empty() {
        let warnings = file.warnings.iter();
        let lines = warnings.map(|warning| format!("{}: {}", warning.code, warning.message));
        let lines = lines.collect::<Vec<_>>().join("\n");
        writeln!(to, "      <system-out>{}</system-out>", text(&lines))?;
    }
    writeln!(to, "    </testcase>")
}

/// Escapes the value of an attribute, where a line break would be read as a space.
fn attribute(value: &str) -> String {
    escape(&visible(value))
}

/// Escapes the text of an element, which keeps its line breaks.
fn text(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(visible).collect();
    escape(&lines.join("\n"))
}

/// Escapes the five markup characters, and the two characters that XML cannot represent and
/// [`visible`] leaves.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '&' => escaped += "&amp;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&apos;",
            '\u{fffe}' | '\u{ffff}' => escaped.extend(character.escape_unicode()),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_breaks_the_markup() {
        assert_eq!(
            attribute("a\"<b>&'\n\u{0}\u{1b}\u{ffff}]]>"),
            "a&quot;&lt;b&gt;&amp;&apos;\\n\\u{0}\\u{1b}\\u{ffff}]]&gt;"
        );
        assert_eq!(text("one\r\ntwo ]]>"), "one\\r\ntwo ]]&gt;");
    }
}
