//! Audio files: decoding, encoding, resampling. The only rooms that know file formats.

pub mod format;
