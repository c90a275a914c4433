//! Change the speed of audio without changing its pitch.

pub mod batch;
pub mod engine;
pub mod media;
pub mod options;
pub mod pipeline;
pub mod preset;
pub mod report;
mod warning;

pub use engine::{PositionMapper, Sample, Stretcher, TimeMap, TimePoint};
pub use media::format::{BitDepth, Format, OutputOptions};
pub use options::{Keep, OptionError, StretchOptions};
pub use warning::Warning;
