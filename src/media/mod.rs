//! Audio files: decoding, encoding, resampling. The only rooms that know file formats.

mod aac;
pub mod decode;
pub mod encode;
pub mod format;
pub mod input;
pub mod metadata;
mod mkv;
mod mp4;
mod ogg;
mod opus;
mod pcm;
pub mod resample;
pub mod sidecar;
mod vorbis;
mod xing;
