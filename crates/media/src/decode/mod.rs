//! Decoding audio files, packet by packet, with Symphonia.

mod adts_reader;
mod blocks;
mod convert;
mod decoder;
mod demux;
mod error;
mod extent;
mod flac_frame;
mod flac_reader;
mod info;
mod lookahead;
mod packets;
mod pcm_reader;
mod registry;
mod sampling;
mod stream;

pub use decoder::{DecodedSample, Decoder};
pub use error::{DecodeError, panic_message};
pub use info::{AudioInfo, Damage};
