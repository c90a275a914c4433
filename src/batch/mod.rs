//! Whole folders: what is to be done (the plan), doing it (the run), and safe output files.

pub mod events;
mod output;
pub mod plan;
pub mod run;
mod walk;

pub use events::Event;
pub use plan::{Action, IfExists, Job, Plan, PlanError, PlanRequest};
pub use run::{RunOptions, run};
