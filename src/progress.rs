//! How far the work on one file has got.

/// How far a call has got with its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Frames of the input that were read so far.
    pub frames: u64,
    /// Frames of the input in all, if its header tells: a hint, since headers may be wrong.
    pub total: Option<u64>,
}

impl Progress {
    /// Returns the part that is done, 0 to 1, if the length is known.
    pub fn fraction(&self) -> Option<f64> {
        let total = self.total.filter(|&total| total > 0)?;
        Some((self.frames as f64 / total as f64).min(1.0))
    }
}
