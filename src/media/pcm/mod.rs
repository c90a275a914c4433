//! Uncompressed audio: what Symphonia does not read, and a faster way for what is read most.

mod decoder;
mod reader;

pub(crate) use decoder::faster_decoder;
pub(crate) use reader::PcmReader;
