//! Encoding audio files: one file a format, all behind one trait.

mod aiff;
mod encoder;
#[cfg(feature = "flac")]
mod flac;
mod formats;
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
pub use spec::EncodeSpec;
