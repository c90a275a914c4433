#![doc = include_str!("../README.md")]

mod gaps;
mod kernels;
pub mod options;
mod period;
mod sample;
mod stage;
mod stretcher;
mod time_map;

pub use options::{OptionError, StretchOptions};
pub use stretcher::{Sample, Stretcher, level_db};
pub use time_map::{PositionMapper, TimeMap, TimePoint};

/// Changes whenever the output changes for the same input and options.
pub const ENGINE_VERSION: u32 = 1;
