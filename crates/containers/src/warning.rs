//! Warnings: what did not go as requested without making a file fail.

use serde::Serialize;

/// A warning: a stable code for programs and a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Warning {
    /// A stable code, in kebab case.
    pub code: &'static str,
    /// What happened, in one sentence.
    pub message: String,
}

impl Warning {
    /// A warning with a code, in kebab case, and a sentence that says what happened.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, message }
    }
}
