#![doc = include_str!("../README.md")]

mod adaptive;
mod energies;
mod exact_length;
mod gaps;
mod kernels;
pub mod options;
mod pauses;
mod sample;
mod stretcher;
mod tdhs;
mod time_map;

pub use options::{Engine, OptionError, StretchOptions, Style};
pub use stretcher::{Sample, Stretcher, level_db};
pub use time_map::{PositionMapper, TimeMap, TimePoint};
