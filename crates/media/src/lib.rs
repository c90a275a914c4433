#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg_attr(
    not(all(feature = "vorbis", feature = "opus", feature = "aac")),
    allow(dead_code, reason = "each of these encoders uses some of it")
)]
mod channels;
mod codecs;
pub mod decode;
pub mod encode;
pub mod format;
pub mod mix;
pub mod resample;
pub mod samples;
