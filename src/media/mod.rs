//! Audio files: decoding, encoding, resampling. The only rooms that know file formats.

mod aac;
mod adts;
mod aiff;
mod audio_start;
pub mod decode;
pub mod encode;
mod flac;
pub mod format;
pub mod input;
pub mod limits;
pub mod metadata;
mod mkv;
mod mp4;
mod mpeg;
mod ogg;
mod opus;
mod patched;
mod pcm;
pub mod resample;
pub mod sidecar;
mod unsupported;
pub(crate) mod video;
mod vorbis;
mod vorbis_setup;
mod wav_codec;
mod window;
mod xing;
