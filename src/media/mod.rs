//! Audio files: decoding, encoding, resampling. The only rooms that know file formats.

pub mod decode;
pub mod encode;
pub mod format;
pub mod metadata;
pub mod resample;
