//! Tags, pictures, chapters, cue points and the text files beside audio: read, moved in time with
//! the audio, written.
//!
//! This crate is part of [audiostretchy](https://crates.io/crates/audiostretchy) and is written for
//! it: its API may change with every release.

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
