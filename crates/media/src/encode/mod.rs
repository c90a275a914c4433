//! Encoding audio files: one file a format, all behind one trait.

mod aiff;
#[cfg(any(feature = "mp3", feature = "aac", feature = "opus"))]
mod chunks;
mod encoder;
#[cfg(feature = "flac")]
mod flac;
mod formats;
#[cfg_attr(
    not(any(feature = "mp3", feature = "flac", feature = "aac", feature = "opus")),
    allow(dead_code)
)]
mod in_order;
mod limits;
#[cfg(feature = "aac")]
mod m4a;
#[cfg(feature = "mp3")]
mod mp3;
#[cfg(feature = "mp3")]
mod mp3_info;
#[cfg(feature = "aac")]
mod mp4_boxes;
#[cfg(feature = "opus")]
mod opus;
mod quantise;
mod spec;
#[cfg(feature = "vorbis")]
mod vorbis;
mod wav;

pub use encoder::{EncodeError, Encoded, Encoder, Sink};
pub use in_order::{Task, Workers};
pub use spec::EncodeSpec;
