//! The settings of a run, with the source of each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::PathText;
use crate::preset::{Resolved, Value};

/// The settings of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SettingsReport {
    /// The name of the requested preset.
    pub preset: Option<String>,
    /// That preset's description.
    pub description: Option<String>,
    /// Every setting by its key in snake case, as in a preset.
    pub values: BTreeMap<String, SettingReport>,
}

/// A job of a project file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobReport {
    /// Its name, or its number from 1.
    pub name: String,
    /// Where its outputs go.
    pub output: PathText,
    /// The settings of files that fit none of its rules.
    pub settings: SettingsReport,
    /// Its rules, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleReport>,
}

/// A rule of a job: settings of its own for some files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleReport {
    /// Its patterns.
    pub name: String,
    /// The settings.
    pub settings: SettingsReport,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SettingReport {
    /// The value as given, or the default; `None` if it is taken from the input.
    pub value: Option<Value>,
    /// The source of the value: `the command line`, `speech.toml:3`, `built-in preset speech, line
    /// 2`, or `the default`.
    pub source: String,
}

/// Returns all settings of a run, each with the part of the run that has them: nothing, or a job of
/// a project file, such as `job talks` or `job talks, music/**`.
pub fn by_part<'a>(
    settings: &'a SettingsReport,
    jobs: &'a [JobReport],
) -> Vec<(Option<String>, &'a SettingsReport)> {
    if jobs.is_empty() {
        return vec![(None, settings)];
    }
    let parts = jobs.iter().flat_map(|job| {
        let rules = job.rules.iter().map(|rule| {
            let part = format!("job {}, {}", job.name, rule.name);
            (Some(part), &rule.settings)
        });
        std::iter::once((Some(format!("job {}", job.name)), &job.settings)).chain(rules)
    });
    parts.collect()
}

impl SettingsReport {
    /// Returns the preset and all values, on one line.
    pub fn line(&self) -> String {
        let values = self.values.iter().filter_map(|(key, setting)| {
            let value = setting.value.as_ref()?;
            Some(format!("{key} {value}"))
        });
        let values = values.collect::<Vec<_>>().join(", ");
        format!(
            "preset {}: {values}",
            self.preset.as_deref().unwrap_or("none")
        )
    }
}

impl From<&Resolved> for SettingsReport {
    fn from(resolved: &Resolved) -> Self {
        let values = resolved.entries.iter().map(|entry| {
            let setting = SettingReport {
                value: entry.value.clone(),
                source: entry.source.to_string(),
            };
            (entry.key.to_owned(), setting)
        });
        Self {
            preset: resolved.preset.clone(),
            description: resolved.description.clone(),
            values: values.collect(),
        }
    }
}
