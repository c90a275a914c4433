//! The tag families, one file each.

pub(crate) mod aiff;
pub(crate) mod bext;
pub(crate) mod cue;
pub(crate) mod demuxer;
pub(crate) mod flac;
pub(crate) mod id3;
pub(crate) mod id3_bodies;
pub(crate) mod id3_frames;
pub(crate) mod id3_parse;
pub(crate) mod matroska;
pub(crate) mod mp4;
pub(crate) mod ogg;
pub(crate) mod vorbis;
pub(crate) mod wav;
