//! From a project file to what is planned.

use std::error::Error;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use audiostretchy::batch::{self, Globs, PlanRequest};
use audiostretchy::preset::{Layer, PresetStore, Resolved};
use audiostretchy::report::{JobReport, RuleReport};

use super::file::{Job, Project, ProjectError, Table};
use crate::cli::args::{FileArgs, NoFilesArg};
use crate::cli::{changes, text};
use crate::preset::nearest;

/// A job, as it is planned and as it is reported.
pub(super) struct Planned {
    pub(super) request: PlanRequest,
    pub(super) report: JobReport,
}

/// Returns the jobs of a project, or only those of some names.
///
/// # Errors
/// Returns an error if there is no job of a name, or options of one cannot be used together.
pub(super) fn of(
    project: &Project,
    file: &Path,
    names: &[String],
) -> Result<Vec<Planned>, Box<dyn Error>> {
    let known = || project.jobs.iter().map(|job| job.name.as_str());
    if let Some(name) = names
        .iter()
        .find(|name| !known().any(|known| known == *name))
    {
        let near = nearest(name, known());
        let near = near.map_or(String::new(), |near| format!(" (did you mean {near}?)"));
        let (file, name) = (text::path(file), text::escape(name));
        let known: Vec<&str> = known().collect();
        let known = text::escape(&known.join(", "));
        return Err(format!("{file}: there is no job {name}{near}: known are {known}").into());
    }
    let jobs = project.jobs.iter();
    let jobs = jobs.filter(|job| names.is_empty() || names.contains(&job.name));
    jobs.map(|job| of_job(job, project, file)).collect()
}

fn of_job(job: &Job, project: &Project, file: &Path) -> Result<Planned, Box<dyn Error>> {
    // What is said of values has its place already; the rest gets it here.
    let at = |line: usize, error: Box<dyn Error>| -> Box<dyn Error> {
        Box::new(ProjectError::At {
            path: file.to_owned(),
            line,
            what: format!("job {}: {}", job.name, audiostretchy::with_causes(&*error)),
        })
    };
    let (args, resolved) = settings(&[&project.defaults, &job.table])?;
    if args.files_from.is_some() && args.files_from0.is_some() {
        return Err(at(job.line, "files_from excludes files_from0".into()));
    }
    if args.durations.is_some() {
        let rules = job.rules.iter().map(|rule| (&rule.table, rule.line));
        for (table, line) in rules.chain([(&job.table, job.line)]) {
            if let Some(key) = table.layer.first_of(&["ratio", "speed", "duration"]) {
                let what = format!("durations gives each file its length; take {key} out");
                return Err(at(line, what.into()));
            }
        }
    }
    let request = args.plan_request(&job.inputs, &job.output, &resolved);
    let mut request = request.map_err(|error| at(job.line, error))?;
    let converts = changes::is_conversion(&request);
    let check = |args: &FileArgs, resolved: &Resolved, line| {
        let useless = "nothing would change; give speed, a preset with a speed, or format";
        let checked = changes::check_settings(args, resolved, converts);
        checked.map_err(|_| at(line, useless.into()))
    };
    let mut rules = Vec::new();
    for rule in &job.rules {
        let (args, resolved) = settings(&[&project.defaults, &job.table, &rule.table])?;
        check(&args, &resolved, rule.line)?;
        let globs = Globs::new(rule.globs.iter().map(String::as_str));
        let globs = globs.map_err(|error| at(rule.line, format!("glob: {error}").into()))?;
        let name = rule.globs.join(", ");
        rules.push(RuleReport {
            name: name.clone(),
            settings: (&resolved).into(),
        });
        let settings = args.settings(&resolved);
        request.rules.push(batch::Rule {
            name: name.into(),
            globs,
            settings: settings.map_err(|error| at(rule.line, error.into()))?,
        });
        request.warnings.extend(changes::slow_pauses(&resolved));
        request.read_files.extend(preset_file(&rule.table));
    }
    check(&args, &resolved, job.line)?;
    request.name = Some(Arc::from(job.name.as_str()));
    request.keeps_journal = true;
    if request.output.parent() == Some(Path::new("")) && !request.writes_folder() {
        // So that it begins with the folder that has the journal.
        request.output = Path::new(".").join(&request.output);
    }
    request.may_be_empty = args.no_files == NoFilesArg::Pass;
    request.read_files.push(file.to_owned());
    let tables = [&project.defaults, &job.table];
    request
        .read_files
        .extend(tables.into_iter().filter_map(preset_file));
    let report = JobReport {
        name: job.name.clone(),
        output: (&job.output).into(),
        settings: (&resolved).into(),
        rules,
    };
    Ok(Planned { request, report })
}

/// Returns the preset's file, if it is one.
fn preset_file(table: &Table) -> Option<PathBuf> {
    let (name, _) = table.preset.as_ref()?;
    Some(PathBuf::from(name))
}

/// Returns what tables say together, the last of them on top: the options that act on files, and the
/// settings. The last preset that is named counts, and whatever tables set lies over it.
fn settings(tables: &[&Table]) -> Result<(FileArgs, Resolved), Box<dyn Error>> {
    let (mut args, mut layer) = (FileArgs::default(), Layer::default());
    for table in tables {
        table.apply(&mut args);
        layer.cover(&table.layer);
    }
    if args.durations.is_some() {
        layer.set("exact_length", true)?;
    }
    let last =
        |get: fn(&Table) -> Option<&PathBuf>| tables.iter().rev().find_map(|table| get(table));
    let store =
        PresetStore::from_environment(last(|table| table.preset_dir.as_ref()).map(|path| &**path))?;
    let preset = tables.iter().rev().find_map(|table| table.preset.as_ref());
    let preset = preset.map(|(name, place)| (OsStr::new(name), place));
    let resolved = store.resolve_at(preset, &layer)?;
    Ok((args, resolved))
}
