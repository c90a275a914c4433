//! The reports that a run writes, which other programs rely on.

use std::collections::BTreeMap;
use std::process::Command;

use crate::cli::split::book;
use crate::json_schema::Schema;
use crate::program::{Folder, REPORT};
use audiostretchy::report::{Report, RunOutcome, Status, json};
use quick_xml::events::{BytesStart, Event};
use serde_json::Value;

const HOSTILE: &str = "in/a\n\u{1b}[31m <b>&|`]]>'\"$(x) @user\\ #1 www.x.org *.wav";

/// Creates a folder with a readable file, an unreadable one, and one whose name is not UTF-8.
fn folder() -> Folder {
    let folder = Folder::with(&["in/a.wav"]);
    folder.add_junk(HOSTILE);
    #[cfg(target_os = "linux")]
    folder.add_audio(not_utf8(), 4000);
    folder
}

#[cfg(target_os = "linux")]
fn not_utf8() -> &'static std::ffi::OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(b"in/caf\xe9 '\xff.wav")
}

#[test]
#[cfg(target_os = "linux")]
fn the_schema_says_what_is_in_reports_and_nothing_else() {
    let folder = folder();
    let mut schema = Schema::read("report.schema.json", &[]);
    let to_mp3 = ["in", "out", "--format", "mp3", "--sample-rate", "96000"];
    for (code, if_exists) in [(1, "error"), (1, "skip")] {
        let run = folder.run(&[&to_mp3[..], &["--if-exists", if_exists]].concat());
        assert_eq!(run.code(), code, "{}", run.stderr());
        schema.check(&serde_json::from_str(&folder.text(REPORT)).unwrap());
    }
    let book = book();
    book.write("in/book.srt", "1\n00:00:01,000 --> 00:00:02,000\nHi\n");
    book.write("in/book.vtt", "WEBVTT\n");
    book.run("in out --format flac --speed 2 --split chapters --report-html page.html")
        .succeeds();
    schema.check(&book.report("out"));
    book.run("in parts --speed 2 --format flac --partition 1/1")
        .succeeds();
    book.run("report merge parts -o all.json").succeeds();
    let project = "[[job]]\ninputs = \"in\"\noutput = \"of-project\"\nspeed = 2\n\
                   [[job.rule]]\nglob = \"*\"\nspeed = 3\n";
    book.write("p.toml", project);
    book.run("run p.toml --report project.json").succeeds();
    for name in [
        "parts/audiostretchy-report.1-of-1.json",
        "all.json",
        "project.json",
    ] {
        schema.check(&serde_json::from_slice(&book.read(name)).unwrap());
    }
    assert_eq!(schema.seen, schema.properties());
}

#[test]
fn a_report_that_is_read_and_written_again_is_the_same() {
    let folder = folder();
    folder.run(&["in", "out", "--speed", "1.5", "--preset", "podcast"]);
    let report = folder.report();
    let mut written = Vec::new();
    json::write(&report, &mut written).unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), folder.text(REPORT));

    let ratio = &report.settings.values["ratio"];
    assert_eq!(ratio.value, Some((1.0 / 1.5).into()));
    assert_eq!(ratio.source, "the command line");
    let inputs = report
        .files
        .iter()
        .map(|file| folder.path(file.input.to_path()));
    assert!(inputs.into_iter().all(|input| input.is_file()));
}

#[test]
fn the_same_run_twice_differs_only_in_times_and_workers() {
    let folder = folder();
    let mut reports = [0, 1].map(|_| {
        let run = folder.run(&[
            "in",
            "out",
            "-j",
            "2",
            "--ratio",
            "1",
            "--if-exists",
            "overwrite",
        ]);
        assert_eq!(run.code(), 1);
        let mut report = folder.report();
        report.started.clear();
        report.elapsed_seconds = 0.0;
        for file in &mut report.files {
            file.elapsed_seconds = 0.0;
            file.started_seconds = None;
            file.worker = None;
            file.speed = None;
        }
        report
    });
    reports[0].command.clear();
    reports[1].command.clear();
    assert_eq!(reports[0], reports[1]);
    assert!(reports[0].files.is_sorted_by_key(|file| &file.input));
}

/// The elements: name, parent, number of required attributes, and all attributes, the required ones
/// first.
const JUNIT: [(&str, &str, usize, &[&str]); 8] = [
    (
        "testsuites",
        "",
        0,
        &["name", "tests", "failures", "errors", "time"],
    ),
    (
        "testsuite",
        "testsuites",
        4,
        &[
            "name",
            "tests",
            "failures",
            "errors",
            "time",
            "skipped",
            "timestamp",
        ],
    ),
    ("properties", "testsuite", 0, &[]),
    ("property", "properties", 2, &["name", "value"]),
    ("testcase", "testsuite", 1, &["name", "classname", "time"]),
    ("failure", "testcase", 0, &["message", "type"]),
    ("skipped", "testcase", 0, &["message", "type"]),
    ("system-out", "testcase", 0, &[]),
];

/// Checks an element against the rules of the schema that Jenkins publishes.
fn check_element(element: &BytesStart<'_>, parent: &str) -> BTreeMap<String, String> {
    let name = element.name().as_ref().to_owned();
    let rule = JUNIT.iter().find(|rule| rule.0 == name);
    let (_, within, required, allowed) = rule.unwrap_or_else(|| panic!("no element {name}"));
    assert_eq!(parent, *within, "{name}");
    let attributes = element.attributes().map(|attribute| {
        let attribute = attribute.unwrap();
        let key = attribute.key.as_ref().to_owned();
        assert!(allowed.contains(&key.as_str()), "{name} {key}");
        let value = quick_xml::escape::unescape(&attribute.value).unwrap();
        (key, value.into_owned())
    });
    let attributes: BTreeMap<String, String> = attributes.collect();
    assert!(
        allowed[..*required]
            .iter()
            .all(|key| attributes.contains_key(*key))
    );
    attributes
}

#[test]
fn the_junit_report_follows_the_schema_of_jenkins() {
    let folder = folder();
    let to_mp3 = ["in", "out", "--format", "mp3", "--sample-rate", "96000"];
    folder.run(&[&to_mp3[..], &["--report-junit", "new/junit.xml"]].concat());
    let text = folder.text("new/junit.xml");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()));

    let mut reader = quick_xml::Reader::from_str(&text);
    let (mut open, mut cases, mut elements) = (vec![String::new()], Vec::new(), Vec::new());
    loop {
        let event = reader.read_event().unwrap();
        let (element, is_open) = match &event {
            Event::Start(element) => (element, true),
            Event::Empty(element) => (element, false),
            Event::End(_) => {
                open.pop();
                continue;
            }
            Event::Eof => break,
            _ => continue,
        };
        let attributes = check_element(element, open.last().unwrap());
        let name = element.name().as_ref().to_owned();
        if name == "testcase" {
            cases.push(attributes["name"].clone());
        }
        elements.push(name.clone());
        if is_open {
            open.push(name);
        }
    }
    let report = folder.report();
    let names = report.files.iter().map(|file| file.input.to_string());
    assert_eq!(cases, names.collect::<Vec<_>>());
    let count = |name: &str| elements.iter().filter(|element| *element == name).count();
    assert_eq!(count("failure"), report.counts.failed);
    assert_eq!(count("system-out"), report.counts.done, "{text}");
}

#[test]
fn the_markdown_report_is_a_table_that_no_name_can_break() {
    let folder = folder();
    let run = folder.run(&["in", "out", "--ratio", "1", "--report-markdown", "-"]);
    let text = run.stdout();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), 2 + folder.report().files.len(), "{text}");
    assert!(
        rows.iter().all(|row| row.matches('|').count() == 7),
        "{text}"
    );
    assert!(rows[2].contains("| failed |"), "{text}");
    for markup in ["<b>", "`", "@user", "www.", "\u{1b}", "\\"] {
        assert!(!text.contains(markup), "{markup} in {text}");
    }
}

#[test]
fn what_cannot_go_to_one_place_is_refused_before_anything_is_written() {
    let folder = folder();
    folder.add_audio("other.wav", 4000);
    for (arguments, message) in [
        (
            &["--report", "-", "--events"][..],
            "--report and --events would both write to standard output",
        ),
        (
            &["--report-junit", "-", "--report-markdown", "-"],
            "both write to standard output",
        ),
        (
            &["--report-junit", "x", "--report-markdown", "./x"],
            "both write to ./x",
        ),
        (
            &["--report-junit", REPORT],
            "--report-junit and --report would both write to",
        ),
        (&["--report", "in/a.wav"], "the report would overwrite"),
        (&["--report", "out/a.wav"], "the report would overwrite"),
        (&["--report", "other.wav"], "the report would overwrite"),
        (&["--report", "in"], "is a folder"),
    ] {
        let before = std::fs::read(folder.path("in/a.wav")).unwrap();
        let run = folder.run(&[&["in", "out", "--ratio", "1"], arguments].concat());
        assert_eq!(run.code(), 2, "{arguments:?}");
        assert!(run.stderr().contains(message), "{}", run.stderr());
        assert!(!folder.path("out").exists());
        assert_eq!(std::fs::read(folder.path("in/a.wav")).unwrap(), before);
    }
}

#[test]
fn a_report_that_cannot_be_written_is_exit_code_3_and_the_others_are_written() {
    let folder = Folder::with(&["in/a.wav"]);
    let run = folder.run(&[
        "in",
        "out",
        "--ratio",
        "1",
        "--report-junit",
        "in/a.wav/x.xml",
        "--report-markdown",
        "m.md",
    ]);
    assert_eq!(run.code(), 3);
    assert!(
        run.stderr()
            .contains("cannot write the report to in/a.wav/x.xml")
    );
    assert!(folder.path("m.md").is_file());
    let report = folder.report();
    assert_eq!((report.outcome, report.exit_code), (RunOutcome::Success, 3));
    let run = folder.run(&[
        "in",
        "out",
        "--ratio",
        "1",
        "--if-exists",
        "skip",
        "--report",
        "in/a.wav/x.json",
    ]);
    assert_eq!(run.code(), 3);
}

#[test]
#[cfg(target_os = "linux")]
fn the_command_at_the_end_runs_again_what_failed_and_only_that() {
    use std::os::unix::ffi::OsStrExt;
    let folder = folder();
    let odd = std::ffi::OsStr::from_bytes(b"in/\xff\n\x1b7'.wav");
    folder.add_junk(odd);
    let run = folder.run(&["--ratio", "1", "--", "in", "out"]);
    assert_eq!(run.code(), 1);
    let last = run.stderr().lines().last().unwrap().to_owned();
    let command = last.strip_prefix("retry: ").unwrap();
    assert_eq!(
        command,
        format!("audiostretchy --rerun-failed {REPORT} --ratio 1 -- in out")
    );
    let shown = folder.run(&["report", "show", REPORT]);
    assert_eq!(shown.code(), 1);
    assert_eq!(shown.stdout().lines().last(), Some(last.as_str()));
    assert_eq!(
        shown.stdout().matches("failed: ").count(),
        2,
        "{}",
        shown.stdout()
    );
    assert!(!shown.stdout().contains('\u{1b}'));

    folder.add_audio(odd, 4000);
    folder.add_audio("in/new.wav", 4000);
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_audiostretchy"));
    let mut shell = Command::new("/bin/sh");
    shell.env("PATH", program.parent().unwrap());
    shell.current_dir(folder.path("")).args(["-c", command]);
    let status = shell.output().unwrap().status;
    assert_eq!(status.code(), Some(1));
    let statuses = |report: &Report| {
        report
            .files
            .iter()
            .map(|file| file.status)
            .collect::<Vec<_>>()
    };
    let report = folder.report();
    assert_eq!(statuses(&report), [Status::Failed, Status::Done]);
    assert_eq!(report.files[1].input.to_path(), odd);
    assert!(!folder.path("out/new.wav").exists());
}

#[test]
fn a_rerun_says_when_there_is_nothing_to_do() {
    let folder = folder();
    folder.run(&["in", "out", "--ratio", "1"]);
    folder.add_audio("other/b.wav", 4000);
    let rerun = |input: &str, report: &str| {
        folder.run(&[input, "out2", "--ratio", "1", "--rerun-failed", report])
    };
    let run = rerun("other", REPORT);
    assert_eq!(run.code(), 2, "{}", run.stderr());
    assert!(
        run.stderr().contains("none of the files that failed in"),
        "{}",
        run.stderr()
    );
    let run = rerun("in", "in/a.wav");
    assert_eq!(run.code(), 2);
    assert!(run.stderr().contains("in/a.wav: "), "{}", run.stderr());
    assert_eq!(rerun("in", "no-such-file").code(), 2);

    let mut newer: Value = serde_json::from_str(&folder.text(REPORT)).unwrap();
    newer["schema_version"] = 2.into();
    std::fs::write(folder.path("newer.json"), newer.to_string()).unwrap();
    let run = folder.run(&["report", "show", "newer.json"]);
    assert_eq!(run.code(), 2);
    assert!(
        run.stderr().contains("schema_version is 2"),
        "{}",
        run.stderr()
    );

    assert_eq!(folder.run(&["other", "fine", "--ratio", "1"]).code(), 0);
    let run = rerun("other", "fine/audiostretchy-report.json");
    assert_eq!(run.code(), 0);
    assert!(
        run.stderr().starts_with("nothing failed in fine/"),
        "{}",
        run.stderr()
    );
    assert!(!folder.path("out2").exists());
}
