//! One report of the reports of partitions.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::{Counts, FileReport, Report, RunOutcome};

/// Why reports cannot be merged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// There is not one report.
    #[error("no reports to merge")]
    Nothing,
    /// A report is not that of a partition.
    #[error("{name}: is not the report of a partition")]
    NoPartition {
        /// What the report is called.
        name: String,
    },
    /// Reports differ in something that all partitions of one run have in common.
    #[error("{first} and {second} differ in {what}: they are not of one run")]
    Different {
        /// What one of them is called.
        first: String,
        /// What the other is called.
        second: String,
        /// What they differ in.
        what: &'static str,
    },
    /// Partitions have no report.
    #[error("no report of {} of {count} partitions: {}", missing.len(), numbers(missing))]
    Missing {
        /// Their numbers.
        missing: Vec<u64>,
        /// How many partitions there are.
        count: u64,
    },
    /// A report does not tell when its run began.
    #[error("{name}: when the run started cannot be read")]
    Started {
        /// What the report is called.
        name: String,
    },
}

fn numbers(numbers: &[u64]) -> String {
    let more = if numbers.len() > 20 { " ..." } else { "" };
    let numbers: Vec<String> = numbers.iter().take(20).map(u64::to_string).collect();
    numbers.join(", ") + more
}

/// A report with its start, and what it is called in messages.
struct Part {
    name: String,
    started: SystemTime,
    report: Report,
}

/// Merges the reports of all partitions of one run, each with the name by which messages call it.
///
/// Of several reports of a partition, which was run again, the last one counts. `elapsed_seconds` is from the first start to the last end;
/// workers are numbered through.
///
/// # Errors
/// Returns an error if one is missing, or they are not of one run.
pub fn merge(reports: Vec<(String, Report)>) -> Result<Report, MergeError> {
    let mut parts = Vec::with_capacity(reports.len());
    for (name, report) in reports {
        let Ok(started) = humantime::parse_rfc3339(&report.started) else {
            return Err(MergeError::Started { name });
        };
        parts.push(Part {
            name,
            started,
            report,
        });
    }
    parts.sort_by_key(|part| part.started);
    let first = parts.first().ok_or(MergeError::Nothing)?;
    let count = partition(first)?.1;
    for part in &parts {
        let differ = |what| MergeError::Different {
            first: first.name.clone(),
            second: part.name.clone(),
            what,
        };
        if partition(part)?.1 != count {
            return Err(differ("the number of partitions"));
        }
        if part.report.version != first.report.version {
            return Err(differ("the version of the program"));
        }
        if part.report.settings != first.report.settings || part.report.jobs != first.report.jobs {
            return Err(differ("the settings"));
        }
    }
    let (settings, command) = (first.report.settings.clone(), first.report.command.clone());
    let jobs = first.report.jobs.clone();
    let mut by_number: BTreeMap<u64, Part> = BTreeMap::new();
    for part in parts {
        let (number, _) = partition(&part)?;
        // Sorted by their starts: a second try takes the place of the first.
        by_number.insert(number, part);
    }
    let missing: Vec<u64> = (1..=count)
        .filter(|number| !by_number.contains_key(number))
        .take(1_000)
        .collect();
    if !missing.is_empty() {
        return Err(MergeError::Missing { missing, count });
    }
    let start = by_number.values().map(|part| part.started).min();
    let start = start.expect("there is a partition");
    let ends = by_number.values().map(|part| {
        let elapsed = Duration::try_from_secs_f64(part.report.elapsed_seconds);
        part.started + elapsed.unwrap_or_default()
    });
    let end = ends.max().unwrap_or(start);
    let mut workers = 0;
    let mut merged = Report::new(
        start,
        end.duration_since(start).unwrap_or_default(),
        settings,
        Vec::new(),
    );
    for part in by_number.into_values() {
        let delay = part.started.duration_since(start).unwrap_or_default();
        let own = part.report.files.iter().filter_map(|file| file.worker);
        let own = own.max().map_or(0, |most| most + 1);
        merged
            .files
            .extend(part.report.files.into_iter().map(|file| {
                FileReport {
                    worker: file.worker.map(|worker| worker + workers),
                    started_seconds: file
                        .started_seconds
                        .map(|seconds| seconds + delay.as_secs_f64()),
                    ..file
                }
            }));
        workers += own;
        for warning in part.report.warnings {
            if !merged.warnings.contains(&warning) {
                merged.warnings.push(warning);
            }
        }
        if let RunOutcome::Interrupted | RunOutcome::Running = part.report.outcome {
            merged.outcome = RunOutcome::Interrupted;
        }
    }
    merged
        .files
        .sort_by(|a, b| (&a.input, &a.output).cmp(&(&b.input, &b.output)));
    merged.counts = Counts::of(&merged.files);
    if merged.counts.failed > 0 && merged.outcome == RunOutcome::Success {
        merged.outcome = RunOutcome::Failure;
    }
    merged.exit_code = u8::from(merged.outcome != RunOutcome::Success);
    let sources = merged.files.iter().filter_map(|file| file.source.as_ref());
    merged.audio_seconds = sources.map(|source| source.seconds).sum();
    let work = merged.files.iter().map(|file| file.elapsed_seconds);
    merged.worker_seconds = Some(work.sum());
    merged.command = command;
    merged.jobs = jobs;
    Ok(merged)
}

fn partition(part: &Part) -> Result<(u64, u64), MergeError> {
    let partition = part.report.partition;
    let partition = partition.ok_or_else(|| MergeError::NoPartition {
        name: part.name.clone(),
    })?;
    Ok((partition.number, partition.count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{PartitionReport, SettingsReport, Status};
    use std::path::Path;

    fn report(number: u64, start: u64, files: &[(&str, Status)]) -> Report {
        let files = files.iter().map(|(name, status)| FileReport {
            worker: Some(0),
            started_seconds: Some(1.0),
            elapsed_seconds: 2.0,
            ..FileReport::new(Path::new(name), Some(Path::new("out")), *status)
        });
        Report {
            partition: Some(PartitionReport {
                number,
                count: 2,
                files: 1,
                all_files: 2,
            }),
            ..Report::new(
                SystemTime::UNIX_EPOCH + Duration::from_secs(start),
                Duration::from_secs(10),
                SettingsReport::default(),
                files.collect(),
            )
        }
    }

    fn merged(reports: Vec<Report>) -> Result<Report, MergeError> {
        let names = (1..).map(|number| format!("r{number}"));
        merge(names.zip(reports).collect())
    }

    #[test]
    fn every_file_is_counted_once_and_workers_are_numbered_through() {
        let first = report(1, 100, &[("a", Status::Done), ("b", Status::Failed)]);
        let second = report(2, 130, &[("c", Status::Done)]);
        let all = merged(vec![second, first]).unwrap();
        assert_eq!(
            (all.counts.total, all.counts.done, all.counts.failed),
            (3, 2, 1)
        );
        assert_eq!(all.outcome, RunOutcome::Failure);
        assert_eq!((all.elapsed_seconds, all.worker_seconds), (40.0, Some(6.0)));
        let workers: Vec<_> = all.files.iter().map(|file| file.worker).collect();
        assert_eq!(workers, [Some(0), Some(0), Some(1)]);
        assert_eq!(all.files[2].started_seconds, Some(31.0));
    }

    #[test]
    fn a_second_try_replaces_the_first() {
        let killed = Report {
            outcome: RunOutcome::Running,
            ..report(1, 100, &[("a", Status::Done), ("b", Status::NotRun)])
        };
        let again = report(1, 200, &[("a", Status::Skipped), ("b", Status::Done)]);
        let second = report(2, 100, &[("c", Status::Done)]);
        let all = merged(vec![killed.clone(), second.clone(), again]).unwrap();
        assert_eq!((all.counts.done, all.counts.skipped), (2, 1));
        assert_eq!(
            (all.outcome, all.elapsed_seconds),
            (RunOutcome::Success, 110.0)
        );
        let all = merged(vec![killed, second]).unwrap();
        assert_eq!((all.outcome, all.exit_code), (RunOutcome::Interrupted, 1));
        assert_eq!(all.counts.not_run, 1);
    }

    #[test]
    fn reports_of_different_runs_are_refused() {
        let first = report(1, 100, &[("a", Status::Done)]);
        assert_eq!(merged(Vec::new()), Err(MergeError::Nothing));
        let missing = merged(vec![first.clone()]).unwrap_err();
        assert_eq!(missing.to_string(), "no report of 1 of 2 partitions: 2");
        let mut other = report(2, 100, &[]);
        other.version = "0".into();
        let error = merged(vec![first.clone(), other]).unwrap_err();
        assert!(error.to_string().contains("version"), "{error}");
        let mut whole = first.clone();
        whole.partition = None;
        assert!(matches!(
            merged(vec![first, whole]),
            Err(MergeError::NoPartition { .. })
        ));
    }
}
