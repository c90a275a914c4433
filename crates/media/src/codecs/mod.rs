//! Decoders of single codecs, where Symphonia has none or its own gets something wrong.

pub(crate) mod aac;
pub(crate) mod mp3;
pub(crate) mod opus;
pub(crate) mod opus_head;
pub(crate) mod pcm;
pub(crate) mod vorbis;
mod vorbis_setup;
