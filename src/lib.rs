//! x
pub mod engine;
pub mod media;
pub mod options;
pub mod preset;
pub use engine::{Sample, Stretcher, TimeMap, TimePoint};
pub use options::{OptionError, StretchOptions};
