//! `run` and `init`: a project file, which says what is converted to what.

mod file;
mod options;
mod requests;

use std::error::Error;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use audiostretchy::report::SettingsReport;

use self::file::Project;
use super::commands::{InitArgs, ProjectArgs};
use super::run::Work;
use super::screen::say;
use super::words::hint;
use super::{exit_code, text};

/// What a project file is called unless told otherwise.
const NAME: &str = "audiostretchy.toml";

/// What `init` writes.
const TEMPLATE: &str = include_str!("template.toml");

/// There is no project file where one is needed.
#[derive(Debug, thiserror::Error)]
enum NoProjectError {
    #[error(
        "there is no {NAME} here or above; 'audiostretchy init' writes one{}",
        hint("run")
    )]
    NotFound,
    #[error("{}: is a folder, and a project file is needed{}", text::path(.0), hint("run"))]
    Folder(PathBuf),
    #[error("{}: no such file{}", text::path(.0), hint("run"))]
    Missing(PathBuf),
    #[error("{}: is there already; edit it, or name another file", text::path(.0))]
    Exists(PathBuf),
    #[error("{}: the name of a project file ends in .toml{}", text::path(.0), hint("init"))]
    NotToml(PathBuf),
    #[error("cannot write {}", text::path(path))]
    Write {
        path: PathBuf,
        source: std::io::Error,
    },
}

/// Carries out a project file.
pub(super) fn run(command: &ProjectArgs) -> Result<u8, Box<dyn Error>> {
    let mut args = command.run.clone();
    let (folder, name) = match &command.file {
        Some(file) => located(file)?,
        None => (find()?, NAME.into()),
    };
    // Paths in the file start from its folder, and so do all that are shown. Those of the command
    // line start from where that was given.
    let is_here = folder.as_os_str().is_empty();
    if !is_here {
        let reports = [
            &mut args.report,
            &mut args.report_junit,
            &mut args.report_markdown,
            &mut args.report_html,
            &mut args.rerun_failed,
        ];
        for path in reports.into_iter().flatten() {
            if path != Path::new("-") {
                *path = std::path::absolute(&path)?;
            }
        }
        std::env::set_current_dir(&folder)?;
    }
    let project = Project::read(&name)?;
    let here = match is_here {
        true => PathBuf::new(),
        false => std::env::current_dir()?,
    };
    if args.report.is_none() && args.report_history.is_none() {
        args.report = (project.report.as_ref()).map(|report| match args.partition {
            None => here.join(report),
            // Each partition has its own.
            Some(partition) => {
                here.join(report.with_extension(format!("{}.json", partition.in_names())))
            }
        });
    }
    let jobs = requests::of(&project, &name, &command.job)?;
    let jobs = jobs.into_iter().map(|job| (job.request, job.report));
    let (mut requests, reports): (Vec<_>, Vec<_>) = jobs.unzip();
    for request in &mut requests {
        request.partition = args.partition;
    }
    let work = Work {
        passes_empty: requests.iter().all(|request| request.may_be_empty),
        requests,
        report_folder: Some(here),
        settings: SettingsReport::default(),
        jobs: reports,
        time_map: None,
        useless: None,
    };
    work.carry_out(&args)
}

/// Returns a project file's folder, relative to this one, and its name.
fn located(file: &Path) -> Result<(PathBuf, PathBuf), NoProjectError> {
    match file.metadata() {
        Ok(found) if found.is_dir() => Err(NoProjectError::Folder(file.to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(NoProjectError::Missing(file.to_owned()))
        }
        _ => {
            let folder = file.parent().unwrap_or(Path::new(""));
            let name = file.file_name().unwrap_or(file.as_os_str());
            Ok((folder.to_owned(), name.into()))
        }
    }
}

/// Returns the nearest folder, from this one upwards, that has a project file.
fn find() -> Result<PathBuf, Box<dyn Error>> {
    let mut folder = PathBuf::new();
    for _ in std::env::current_dir()?.ancestors() {
        if folder.join(NAME).is_file() {
            return Ok(folder);
        }
        folder.push("..");
    }
    Err(NoProjectError::NotFound.into())
}

/// Writes a project file to start from.
pub(super) fn init(command: &InitArgs) -> Result<u8, Box<dyn Error>> {
    let path = command.file.as_deref().unwrap_or(Path::new(NAME));
    if path.extension().is_none_or(|extension| extension != "toml") {
        return Err(NoProjectError::NotToml(path.to_owned()).into());
    }
    let written =
        std::fs::File::create_new(path).and_then(|mut file| file.write_all(TEMPLATE.as_bytes()));
    written.map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => NoProjectError::Exists(path.to_owned()),
        _ => NoProjectError::Write {
            path: path.to_owned(),
            source,
        },
    })?;
    say!(
        "wrote {}; edit it, and 'audiostretchy run --dry-run' tells what it would do",
        text::path(path)
    );
    Ok(exit_code::SUCCESS)
}
