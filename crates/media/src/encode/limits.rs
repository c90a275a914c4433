//! What a format can hold.

use crate::format::BitDepth;

/// What a format can hold; each format's file has its own.
pub(super) struct Limits {
    /// The most channels.
    pub channels: usize,
    /// Sample types and depths, the smallest first; none for lossy formats.
    pub depths: &'static [BitDepth],
    /// The rate in Hz that audio of a rate is to be brought to: itself wherever it can be held.
    pub sample_rate: fn(u32) -> u32,
    /// The speakers of 1, 2 and more channels, where the format fixes them.
    pub layouts: &'static [&'static [u32]],
}

impl Limits {
    /// Returns the depth itself wherever it can be held, or the largest there is.
    pub(super) fn nearest_depth(&self, wanted: BitDepth) -> BitDepth {
        match self.depths {
            [.., largest] if !self.depths.contains(&wanted) => *largest,
            _ => wanted,
        }
    }
}
