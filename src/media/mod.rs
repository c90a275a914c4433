//! Audio files: decoding, encoding, resampling. The only rooms that know file formats.

mod aac;
pub mod decode;
pub mod encode;
pub mod format;
mod mkv;
mod mp4;
mod ogg;
mod opus;
mod pcm;
pub mod resample;
mod vorbis;
mod xing;
