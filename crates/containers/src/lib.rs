#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod aiff;
pub mod crc;
pub mod ebml;
pub mod figures;
pub mod input;
pub mod leading_tags;
pub mod limits;
pub mod matroska;
pub mod mp4;
pub mod mpeg;
pub mod ogg;
pub mod ogg_page;
pub mod riff;
pub mod sanitize;
pub mod source;
pub mod unsupported;
pub mod video;
pub mod warning;
pub mod wav_codec;
pub mod xing;
