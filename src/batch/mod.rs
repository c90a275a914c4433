//! Whole folders: what is to be done (the plan), doing it (the run), and safe output files.

mod companions;
mod estimate;
pub mod events;
pub(crate) mod file;
mod journal;
pub(crate) mod output;
pub mod plan;
mod rerun;
pub mod run;
mod selection;
mod session;
mod walk;

pub use estimate::{Estimate, PlanEstimate, estimate};
pub use events::Event;
pub use file::FileError;
pub use output::write_file;
pub use plan::{Action, IfExists, Job, Plan, PlanError, PlanRequest};
pub use rerun::UnfinishedFiles;
pub use run::{RunOptions, StopToken};
pub use selection::{AUDIO_EXTENSIONS, Globs, Selection};
pub use session::Session;
