//! A length of its own for each output.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::job::Job;
use super::plan_error::PlanError;
use crate::pipeline::file_state;

/// How long the output of each input is to become, as a file tells it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Durations {
    /// The file, for messages.
    pub file: PathBuf,
    /// An input a line.
    pub lines: Vec<DurationLine>,
}

/// How long the output of one input is to become.
#[derive(Debug, Clone, PartialEq)]
pub struct DurationLine {
    /// The number of the line in the file, from 1.
    pub line: u64,
    /// The input.
    pub path: PathBuf,
    /// Length of the output in seconds.
    pub seconds: f64,
}

impl Durations {
    /// Gives every job its length.
    ///
    /// # Errors
    /// Returns an error if an input has no line, a line no input, or an input two lines.
    pub(super) fn assign(&self, jobs: &mut [Job]) -> Result<(), PlanError> {
        // The same file by whatever name, but not another of its hard links.
        let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let mut by_path: HashMap<PathBuf, (&DurationLine, bool)> = HashMap::new();
        for line in &self.lines {
            if let Some((first, _)) = by_path.insert(canonical(&line.path), (line, false)) {
                return Err(PlanError::DurationTwice {
                    file: self.file.clone(),
                    line: line.line,
                    first: first.line,
                    path: line.path.clone(),
                });
            }
        }
        for job in jobs {
            let Some((line, is_used)) = by_path.get_mut(&canonical(&job.input)) else {
                return Err(PlanError::InputWithoutDuration {
                    file: self.file.clone(),
                    input: job.input.clone(),
                });
            };
            *is_used = true;
            job.duration = Some(line.seconds);
            let settings = json!([&*job.fingerprint, line.seconds]);
            job.fingerprint = file_state::fingerprint(&settings).into();
        }
        let unused = by_path.into_values().filter(|(_, is_used)| !is_used);
        match unused.map(|(line, _)| line).min_by_key(|line| line.line) {
            None => Ok(()),
            Some(line) => Err(PlanError::DurationWithoutInput {
                file: self.file.clone(),
                line: line.line,
                path: line.path.clone(),
            }),
        }
    }
}
