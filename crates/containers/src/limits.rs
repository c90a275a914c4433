//! How much a file may ask for, whatever its header says: files come from strangers.
//!
//! What a file really holds is read; a number that stands in for it is believed only up to these
//! bounds. `docs/limits.md` tells users of them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The most channels that are decoded; the engine takes eight.
pub const MAX_CHANNELS: usize = 64;

/// The highest sample rate in Hz that is decoded; the engine takes 384,000.
pub const MAX_SAMPLE_RATE: u32 = 768_000;

/// The most samples, of all channels, that one packet is decoded to.
pub const MAX_PACKET_SAMPLES: u64 = 1 << 22;

/// The most bytes read of a file until its first packet: headers, tables and pictures.
pub const MAX_HEADER_BYTES: u64 = 96 << 20;

/// The most bytes of tags, and of pictures, that are read of a file.
pub const MAX_TAG_BYTES: u64 = 64 << 20;

/// The most bytes read from one packet to the next, those of other tracks included.
pub const MAX_PACKET_BYTES: u64 = 32 << 20;

/// The most fields of a tag: a field takes far more memory than space in a file.
pub const MAX_FIELDS: u32 = 50_000;

/// Chunks of a WAV or AIFF file that are looked at.
pub const MAX_CHUNKS: u32 = 10_000;

/// The most items of an APE tag.
pub const MAX_APE_ITEMS: u32 = 1000;

/// Audio longer than this, in seconds, must take at least [`MIN_BYTES_PER_SECOND`] in its file.
pub const ALWAYS_JUSTIFIED: u64 = 3600;

/// The fewest bytes that a second of long audio takes. Silence in FLAC takes 150 at the usual
/// settings, calls in Opus 20 while nobody speaks.
pub const MIN_BYTES_PER_SECOND: u64 = 8;

/// Returns the error of a file that has more of something than any real one.
pub fn absurd(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

/// How long decoding may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest audio that is decoded of one file.
    pub max_duration: Duration,
    /// When to give up.
    pub deadline: Option<Instant>,
    /// The most bytes that are copied from a pipe, for which there must be room on the disk.
    pub max_spooled_bytes: u64,
}

impl Limits {
    /// The longest audio of one file unless told otherwise: two days.
    pub const MAX_DURATION: Duration = Duration::from_secs(48 * 3600);
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_duration: Self::MAX_DURATION,
            deadline: None,
            max_spooled_bytes: u64::MAX,
        }
    }
}

impl Limits {
    /// Returns the most frames that audio of a sample rate in Hz may have in a file of some bytes,
    /// if its size is known.
    pub fn max_frames(&self, sample_rate: u32, bytes: Option<u64>) -> u64 {
        let frames = |seconds: u64| seconds.saturating_mul(sample_rate.into());
        let longest = (self.max_duration.as_secs_f64() * f64::from(sample_rate)) as u64;
        bytes.map_or(longest, |bytes| {
            let justified = frames((bytes / MIN_BYTES_PER_SECOND).max(ALWAYS_JUSTIFIED));
            justified.min(longest)
        })
    }
}

/// Ends the reading of a file that asks for too much, or takes too long: from then on, every read
/// fails, so that no demuxer goes on whatever it makes of an error.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    /// Bytes that may still be read; `None` for any number.
    left: Option<Arc<AtomicU64>>,
    deadline: Option<Instant>,
}

impl Meter {
    /// A meter for the header of a file.
    pub fn new(limits: &Limits) -> Self {
        Self {
            left: Some(Arc::new(AtomicU64::new(MAX_HEADER_BYTES))),
            deadline: limits.deadline,
        }
    }

    /// Allows a number of bytes from here on.
    pub fn allow(&self, bytes: u64) {
        if let Some(left) = &self.left {
            left.store(bytes, Ordering::Relaxed);
        }
    }

    /// To be called once bytes were read.
    ///
    /// # Errors
    /// Returns an error if there were too many of them, or it is too late.
    pub fn count(&self, bytes: usize) -> io::Result<()> {
        self.check_time()?;
        let Some(left) = &self.left else {
            return Ok(());
        };
        match left.load(Ordering::Relaxed).checked_sub(bytes as u64) {
            Some(rest) => {
                left.store(rest, Ordering::Relaxed);
                Ok(())
            }
            None => Err(absurd(
                "a header, table or packet is larger than any of audio is",
            )),
        }
    }

    /// # Errors
    /// Returns an error if it is too late.
    pub fn check_time(&self) -> io::Result<()> {
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(io::ErrorKind::TimedOut.into()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_audio_has_to_be_justified_by_the_size_of_its_file() {
        let limits = Limits::default();
        let hours = |frames: u64| frames / 3600 / 8000;
        assert_eq!(hours(limits.max_frames(8000, Some(100))), 1);
        assert_eq!(hours(limits.max_frames(8000, Some(8 * 3600 * 10))), 10);
        assert_eq!(hours(limits.max_frames(8000, Some(1 << 40))), 48);
        assert_eq!(hours(limits.max_frames(8000, None)), 48);
    }

    #[test]
    fn a_meter_that_has_run_out_stays_so() {
        let meter = Meter::new(&Limits::default());
        meter.allow(10);
        assert!(meter.count(9).is_ok());
        assert!(meter.count(2).is_err() && meter.count(2).is_err());
        meter.allow(10);
        assert!(meter.count(2).is_ok());
    }

    #[test]
    fn nothing_is_read_behind_the_deadline() {
        let limits = Limits {
            deadline: Some(Instant::now()),
            ..Limits::default()
        };
        let error = Meter::new(&limits).count(0).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
