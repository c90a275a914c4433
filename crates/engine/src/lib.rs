//! Time-domain harmonic scaling (TDHS): changing the length of audio without changing its pitch.
//!
//! The engine finds the period at which the audio repeats itself and cuts out, or puts in, whole
//! periods with a cross-fade. On 16-bit audio its output equals that of audio-stretch 0.4, the
//! engine behind the AudioStretchy Python package, to the last bit.

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
