#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod budget;
mod chapter;
mod clock;
mod families;
mod fields;
mod metadata;
mod read;
pub mod sidecar;
mod splice;
mod write;

pub use chapter::{Chapter, MAX_CHAPTERS};
pub use clock::{Clock, MovedPositions, rescale};
pub use fields::ENCODER;
pub use metadata::Metadata;
