//! The files that a run leaves for others: which are asked for, and writing them.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use audiostretchy::batch::{self, ExtraFile, Session};
use audiostretchy::report::html::PagePlace;
use audiostretchy::report::{self, FileReport, PathText, Picture, Report, Status};

use super::args::RunArgs;
use super::history;
use super::{retry, text};

/// A report to be written.
struct Target {
    /// The option that asks for it.
    option: &'static str,
    /// The file; `-` is standard output.
    path: PathBuf,
    /// Whether the user has named it; else it lies in the output folder.
    is_named: bool,
    write: Box<WriteReport>,
}

type WriteReport = dyn Fn(&Report, &mut dyn Write) -> io::Result<()>;

/// All reports to be written.
pub(super) struct Reports {
    targets: Vec<Target>,
    /// How many reports of earlier runs are kept in the output folder.
    history: usize,
    /// The pictures of the last report, once that gave way to one of a run that had only begun.
    pictures: Option<Pictures>,
}

/// Pictures by the outputs that they are of.
type Pictures = HashMap<PathText, Picture>;

/// Reports are asked for where they cannot go. Nothing has been written then.
#[derive(Debug, thiserror::Error)]
pub(super) enum TargetError {
    #[error("{first} and {second} would both write to standard output; give one of them a file")]
    StandardOutput {
        first: &'static str,
        second: &'static str,
    },
}

/// A report could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the report to {}", text::path(path))]
pub(super) struct ReportError {
    path: PathBuf,
    source: io::Error,
}

impl ReportError {
    /// The error of writing that report.
    pub(super) fn new(path: &Path, source: io::Error) -> Self {
        Self {
            path: path.to_owned(),
            source,
        }
    }

    /// Returns whether that report is the one.
    pub(super) fn is_about(&self, file: &Path) -> bool {
        self.path == file
    }

    /// An error of writing to standard output.
    pub(super) fn standard_output(source: io::Error) -> Self {
        let path = "standard output".into();
        Self { path, source }
    }
}

impl Reports {
    /// The reports that `args` ask for; the JSON report goes into an output folder by itself.
    ///
    /// # Errors
    /// Returns an error if two of them, or one and `--events`, would go to standard output.
    pub(super) fn new(
        args: &RunArgs,
        folder: Option<&Path>,
        prints_time_map: bool,
    ) -> Result<Self, TargetError> {
        let default = || Some(folder?.join(history::report_name(args.partition)));
        fn target(
            option: &'static str,
            path: Option<PathBuf>,
            write: impl Fn(&Report, &mut dyn Write) -> io::Result<()> + 'static,
        ) -> Option<Target> {
            path.map(|path| Target {
                option,
                path,
                is_named: true,
                write: Box::new(write),
            })
        }
        let json = args.report.clone().or_else(default);
        let page = args.report_html.clone();
        let page_of = json.clone().unwrap_or_default();
        // The JSON report is the last, so that it tells if another could not be written.
        let targets = [
            target("--report-junit", args.report_junit.clone(), |report, to| {
                report::junit::write(report, to)
            }),
            target(
                "--report-markdown",
                args.report_markdown.clone(),
                |report, to| report::markdown::write(report, to),
            ),
            target("--report-html", page.clone(), move |report, to| {
                let page = page.as_deref().unwrap_or(Path::new("-"));
                write_page(report, page, Path::new(""), &page_of, to)
            }),
            target("--report", json, |report, to| {
                report::json::write(report, to)
            }),
        ];
        let mut targets: Vec<Target> = targets.into_iter().flatten().collect();
        for target in &mut targets {
            target.is_named = target.option != "--report" || args.report.is_some();
        }
        let mut to_standard_output: Vec<&'static str> = (targets.iter())
            .filter(|target| target.is_standard_output())
            .map(|target| target.option)
            .collect();
        to_standard_output.extend(args.events.then_some("--events"));
        to_standard_output.extend(prints_time_map.then_some("--time-map"));
        if let [first, second, ..] = to_standard_output[..] {
            return Err(TargetError::StandardOutput { first, second });
        }
        Ok(Self {
            targets,
            history: args.report_history.unwrap_or(history::DEFAULT),
            pictures: None,
        })
    }

    /// Returns the files that will be written.
    pub(super) fn files(&self) -> Vec<ExtraFile> {
        let files = (self.targets.iter()).filter(|target| !target.is_standard_output());
        let file = |target: &Target| ExtraFile {
            option: target.option,
            what: "report",
            path: target.path.clone(),
        };
        files.map(file).collect()
    }

    /// Returns the file of the JSON report.
    pub(super) fn json(&self) -> Option<&Path> {
        let json = self
            .targets
            .iter()
            .find(|target| target.option == "--report")?;
        Some(json.path.as_path()).filter(|_| !json.is_standard_output())
    }

    /// Writes the JSON report of a run that is about to begin.
    ///
    /// # Errors
    /// Returns an error if it cannot be written.
    pub(super) fn begin(&mut self, report: &Report) -> Result<(), ReportError> {
        let Some(path) = self.json().map(Path::to_owned) else {
            return Ok(());
        };
        self.pictures = Some(pictures_of(&path));
        let json = |target: &&Target| target.option == "--report";
        let Some(target) = self.targets.iter().find(json) else {
            return Ok(());
        };
        let made_room = match target.is_named {
            true => Ok(()),
            false => history::make_room(&path, self.history),
        };
        let written = made_room.and_then(|()| target.write(report));
        written.map_err(|source| ReportError::new(&path, source))
    }

    /// Writes all reports, also where one cannot be written; `report` then tells that in its exit
    /// code, unless nothing can be written to the output folder, and had not to be.
    pub(super) fn write(&mut self, report: &mut Report, session: &Session) -> Vec<ReportError> {
        let mut errors = Vec::new();
        let has_begun = self.pictures.is_some();
        if let Some(last) = self.json() {
            let last = last.to_owned();
            keep_pictures(report, || {
                self.pictures.take().unwrap_or_else(|| pictures_of(&last))
            });
        }
        // A run that had nothing to do is no reason to forget one that had.
        let is_worth_keeping = report.counts.done + report.counts.failed + report.pruned.len() > 0;
        for target in &self.targets {
            if session.is_in_lost_folder(&target.path) {
                // What has come to the folder's place is none of ours.
                continue;
            }
            let mut made_room = Ok(());
            if !target.is_named && is_worth_keeping && !has_begun {
                made_room = history::make_room(&target.path, self.history);
            }
            for result in [made_room, target.write(report)] {
                let Err(source) = result else { continue };
                if session.is_writable() || target.is_named {
                    report.exit_code = report::NOT_WRITTEN;
                }
                errors.push(ReportError {
                    path: target.path.clone(),
                    source,
                });
            }
        }
        errors
    }
}

/// Takes over the pictures of files that are up to date from the last report, whether or not there
/// is a page this time: there may be one the next.
fn keep_pictures(report: &mut Report, last: impl FnOnce() -> Pictures) {
    let is_up_to_date =
        |file: &FileReport| file.status == Status::Skipped && file.picture.is_none();
    if !report.files.iter().any(is_up_to_date) {
        return;
    }
    let mut pictures = last();
    for file in report.files.iter_mut().filter(|file| is_up_to_date(file)) {
        let output = file.output.as_ref();
        file.picture = output.and_then(|output| pictures.remove(output));
    }
}

/// Returns the pictures of a report, if there is one.
fn pictures_of(report: &Path) -> Pictures {
    // A pipe in its place would keep us waiting.
    let is_file = report.metadata().is_ok_and(|found| found.is_file());
    let files = is_file
        .then(|| report::json::read(report))
        .and_then(Result::ok);
    let files = files.map_or(Vec::new(), |report| report.files);
    let pictures = files.into_iter();
    pictures
        .filter_map(|file| Some((file.output?, file.picture?)))
        .collect()
}

/// Writes the page of a report. `base` is where the report's relative paths start from, and `json`
/// its file.
pub(super) fn write_page(
    report: &Report,
    page: &Path,
    base: &Path,
    json: &Path,
    to: &mut dyn Write,
) -> io::Result<()> {
    let folder = match page == Path::new("-") {
        true => Path::new(""),
        false => page.parent().unwrap_or(Path::new("")),
    };
    let retry = retry::command(report, json);
    let place = PagePlace {
        folder,
        base,
        retry: retry.as_deref(),
    };
    report::html::write(report, place, to)
}

impl Target {
    fn is_standard_output(&self) -> bool {
        self.path == Path::new("-")
    }

    fn write(&self, report: &Report) -> io::Result<()> {
        write_to(&self.path, self.is_named, |to| (self.write)(report, to))
    }
}

/// Writes a file that was asked for; `-` is standard output.
///
/// A device such as /dev/null, or a pipe, is written to and not replaced, if it was named and not
/// only found in the output folder.
///
/// # Errors
/// Returns an error if it cannot be written.
pub(super) fn write_to(
    path: &Path,
    is_named: bool,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    if path == Path::new("-") {
        return write(&mut io::stdout().lock());
    }
    if is_named && batch::is_special(path) {
        // Behind what is there already: standard output may be a file.
        let file = File::options().append(true).open(path)?;
        let mut file = BufWriter::new(file);
        write(&mut file)?;
        return file.flush();
    }
    batch::write_file(path, |mut file| write(&mut file))
}
