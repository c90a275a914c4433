//! x
pub mod engine;
pub mod media;
mod warning;
pub use warning::Warning;
pub mod options;
pub use engine::{Sample, Stretcher, TimeMap, TimePoint};
pub use options::{OptionError, StretchOptions};
