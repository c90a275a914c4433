//! Carrying out what was asked for, and telling how it goes.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use audiostretchy::batch::{
    self, Event, IfExists, LeftOut, Plan, PlanError, PlanRequest, RunOptions, Session, StopToken,
    UnfinishedFiles,
};
use audiostretchy::report::{JobReport, PartitionReport, Report, SettingsReport, Status, json};
use audiostretchy_containers::figures;

use super::args::{RunArgs, Verbosity};
use super::events::EventLines;
use super::progress::Progress;
use super::reports::{ReportError, Reports};
use super::screen::say;
use super::time_map::TimeMap;
use super::{command_line, dry_run, exit_code, signals, summary, text};

/// What is to be done.
pub(super) struct Work {
    pub(super) requests: Vec<PlanRequest>,
    /// The folder of the JSON report, unless another file is named for it.
    pub(super) report_folder: Option<PathBuf>,
    /// The settings, for the report; where there are jobs, each has its own.
    pub(super) settings: SettingsReport,
    /// The jobs of a project file.
    pub(super) jobs: Vec<JobReport>,
    /// The time map that is to be printed.
    pub(super) time_map: Option<TimeMap>,
    /// It is well if there is no audio.
    pub(super) passes_empty: bool,
    /// Why this makes no sense, to be told if nothing else is wrong.
    pub(super) useless: Option<Box<dyn Error>>,
}

impl Work {
    /// Plans, runs and reports, or tells what a run would do; returns the exit code.
    pub(super) fn carry_out(mut self, args: &RunArgs) -> Result<u8, Box<dyn Error>> {
        let folder = self.report_folder.as_deref();
        let mut reports = Reports::new(args, folder, self.time_map.is_some())?;
        if let Some(request) = self.requests.first_mut() {
            request.extra_files = reports.files();
        }
        if let Some(file) = &args.rerun_failed {
            let unfinished = UnfinishedFiles::of(&json::read(file)?);
            if unfinished.is_empty() {
                if args.verbosity() > Verbosity::Quiet {
                    say!("nothing failed in {}", text::path(file));
                }
                return Ok(exit_code::SUCCESS);
            }
            for request in &mut self.requests {
                request.only = Some(unfinished.clone());
            }
        }
        let pass = |error: &PlanError| {
            let error = error.of_any_request();
            matches!(error, PlanError::NoAudio { .. }) && self.passes_empty
        };
        if let Some(useless) = self.useless {
            // What else is wrong comes first.
            return match Plan::of(&self.requests) {
                Err(error) if pass(&error) => Ok(exit_code::SUCCESS),
                Err(error) => Err(error.into()),
                Ok(_) => Err(useless),
            };
        }
        silence_worker_panics();
        if args.dry_run {
            let mut plan = match Plan::of(&self.requests) {
                Err(error) if pass(&error) => return Ok(exit_code::SUCCESS),
                plan => plan?,
            };
            tell_partition(args, &plan);
            warn(args, &self.requests, &plan);
            let folder = self.report_folder.as_deref();
            return dry_run::run(args, &mut plan, self.settings, self.jobs, folder);
        }
        let options = RunOptions {
            jobs: args.jobs,
            max_failures: args.most_failures(),
            timeout: args.timeout,
            max_duration: args.max_duration_per_file,
            pictures: args.report_html.is_some(),
            settings: self.settings,
        };
        let give_up = args.wait_lock.map(|time| Instant::now() + time);
        let mut session = loop {
            match Session::start_all(&self.requests) {
                Err(error) if pass(&error) => return Ok(exit_code::SUCCESS),
                Err(PlanError::Locked { .. })
                    if give_up.is_some_and(|end| Instant::now() < end) =>
                {
                    std::thread::sleep(LOCK_INTERVAL);
                }
                session => break session?,
            }
        };
        session.probe();
        tell_partition(args, session.plan());
        if session.plan().partition.is_some() {
            let mut begun = Report::at_start(session.plan(), options.settings.clone());
            begun.command = command_line();
            begun.jobs.clone_from(&self.jobs);
            reports.begin(&begun)?;
        }
        let run = Run {
            args,
            requests: &self.requests,
            jobs: self.jobs,
            session: &session,
        };
        run.carry_out(&options, &mut reports, self.time_map)
    }
}

/// A plan that is carried out.
struct Run<'a> {
    args: &'a RunArgs,
    requests: &'a [PlanRequest],
    jobs: Vec<JobReport>,
    session: &'a Session,
}

impl Run<'_> {
    /// Carries out the plan, tells how that goes, and leaves the reports.
    fn carry_out(
        self,
        options: &RunOptions,
        reports: &mut Reports,
        time_map: Option<TimeMap>,
    ) -> Result<u8, Box<dyn Error>> {
        let (args, session) = (self.args, self.session);
        let plan = session.plan();
        warn(args, self.requests, plan);
        let progress = Progress::new(args.verbosity(), plan);
        let events = args.events.then(|| EventLines::new(plan));
        let show = |event: Event<'_>| {
            progress.show(event);
            if let Some(events) = &events {
                events.write(event);
            }
        };
        std::thread::scope(|scope| {
            let stop = StopToken::new();
            let signals = signals::listen(scope, session, stop.clone(), &progress, args.stop_grace);
            let mut report = session.run(options, &stop, show);
            signals.run_is_over();
            report.exit_code = signals.exit_code().unwrap_or(report.exit_code);
            self.leave_reports(report, reports, time_map, events.as_ref())
        })
    }

    /// Writes what a run leaves, and tells how it went; returns the exit code.
    fn leave_reports(
        self,
        mut report: Report,
        reports: &mut Reports,
        time_map: Option<TimeMap>,
        events: Option<&EventLines<'_>>,
    ) -> Result<u8, Box<dyn Error>> {
        let (args, session) = (self.args, self.session);
        let plan = session.plan();
        report.command = command_line();
        report.jobs = self.jobs;
        let printed = time_map.map_or(Ok(()), TimeMap::print);
        let mut errors: Vec<_> = printed
            .err()
            .map(ReportError::standard_output)
            .into_iter()
            .collect();
        if !errors.is_empty() {
            report.exit_code = exit_code::REPORT;
        }
        errors.extend(reports.write(&mut report, session));
        if let Some(Err(error)) = events.map(|events| events.finish(&report)) {
            report.exit_code = exit_code::REPORT;
            errors.push(ReportError::standard_output(error));
        }
        let is_written = |file: &&Path| !errors.iter().any(|error| error.is_about(file));
        let is_lost = |file: &&Path| args.report.is_none() && session.is_in_lost_folder(file);
        let report_file = reports
            .json()
            .filter(is_written)
            .filter(|file| !is_lost(file));
        warn_of_what_was_left(args, &report, plan);
        let leaves_what_is_done =
            |request: &PlanRequest| matches!(request.if_exists, IfExists::Resume | IfExists::Skip);
        let goes_on = !plan.folders.is_empty() && self.requests.iter().all(leaves_what_is_done);
        summary::print(&report, args.verbosity(), report_file, goes_on);
        for error in &errors {
            say!("error: {}", text::with_causes(error));
        }
        Ok(report.exit_code)
    }
}

/// Says which part of the files is this run's.
fn tell_partition(args: &RunArgs, plan: &Plan) {
    if let Some(partition) = &plan.partition
        && args.verbosity() > Verbosity::Quiet
    {
        say!("{}", partition_line(partition));
    }
}

/// How often it is looked again whether another run has ended.
const LOCK_INTERVAL: Duration = Duration::from_millis(500);

/// Which part of the inputs a run has.
fn partition_line(partition: &PartitionReport) -> String {
    let PartitionReport {
        number,
        count,
        files,
        all_files,
    } = partition;
    format!(
        "partition {number} of {count}: {files} of {}",
        figures::count(*all_files as u64, "file")
    )
}

/// Prints warnings that are known before a run begins.
fn warn(args: &RunArgs, requests: &[PlanRequest], plan: &Plan) {
    if args.verbosity() == Verbosity::Quiet {
        return;
    }
    let unfinished = requests.first().and_then(|request| request.only.as_ref());
    let unfinished = unfinished.into_iter();
    for path in unfinished.flat_map(|unfinished| unfinished.missing_in(plan)) {
        let path = text::path(&path);
        say!("warning: {path}: did not finish before and is not in the inputs now");
    }
    for warning in &plan.warnings {
        say!("warning: {}", text::escape(&warning.message));
    }
    if !plan.to_prune.is_empty() && !args.dry_run {
        let outputs = figures::count(plan.to_prune.len() as u64, "output");
        say!("{outputs} will be removed in the end, as the source is gone");
    }
    let is_verbose = args.verbosity() == Verbosity::Verbose;
    for left_out in plan.left_out.iter().filter(|_| is_verbose) {
        let (path, why) = (text::path(&left_out.path), left_out.why.name());
        say!("left out: {path}: {why}");
    }
    if !plan.left_out.is_empty() {
        say!("{}", left_out(&plan.left_out, is_verbose));
    }
}

/// Tells what else the report warns of: of files that were left as they are, and of the run.
fn warn_of_what_was_left(args: &RunArgs, report: &Report, plan: &Plan) {
    if args.verbosity() == Verbosity::Quiet {
        return;
    }
    for file in report.with_status(Status::Skipped) {
        for warning in &file.warnings {
            say!(
                "warning: {}: {}",
                file.input,
                text::escape(&warning.message)
            );
        }
    }
    for warning in report.warnings.iter().skip(plan.warnings.len()) {
        say!("warning: {}", text::escape(&warning.message));
    }
}

/// How many files are left out, for which reasons.
fn left_out(files: &[LeftOut], is_verbose: bool) -> String {
    let mut counts = BTreeMap::new();
    for file in files {
        *counts.entry(file.why).or_insert(0) += 1;
    }
    let counts = counts
        .into_iter()
        .map(|(why, count)| format!("{} ({})", figures::count(count, "file"), why.name()));
    let counts = counts.collect::<Vec<_>>().join(", ");
    let hint = if is_verbose { "" } else { "; -v names them" };
    format!("left out: {counts}{hint}")
}

/// A panic in a worker becomes the failure of its file; its message belongs in the report only.
fn silence_worker_panics() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let thread = std::thread::current();
        let is_worker =
            (thread.name()).is_some_and(|name| name.starts_with(batch::WORKER_THREAD_NAME));
        if !is_worker {
            default(info);
        }
    }));
}
