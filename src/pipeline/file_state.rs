//! What tells that a file has not been touched: its size and modification time, or its content.

use std::fs::Metadata;
use std::io::{self, Read};
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const SECOND: i64 = 1_000_000_000;
const MICROSECOND: u64 = 1_000;

/// Size and modification time of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileState {
    size: u64,
    /// Nanoseconds since 1970, in UTC.
    mtime_ns: i64,
}

impl FileState {
    /// Returns whether a file that was in this state is untouched if it is in that one `now`.
    ///
    /// Archives keep whole seconds only, so a time without a fraction stands for its second; others
    /// keep a floating-point number, and some file systems tenths of a microsecond.
    pub(crate) fn is_still(self, now: Self) -> bool {
        let is_whole = now.mtime_ns % SECOND == 0;
        let same_second = || self.mtime_ns.div_euclid(SECOND) == now.mtime_ns.div_euclid(SECOND);
        let is_close = self.mtime_ns.abs_diff(now.mtime_ns) < MICROSECOND;
        self.size == now.size && (is_close || is_whole && same_second())
    }

    /// Size in bytes.
    pub(crate) fn size(self) -> u64 {
        self.size
    }
}

impl From<&Metadata> for FileState {
    fn from(metadata: &Metadata) -> Self {
        let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
        let mtime_ns = match modified.duration_since(UNIX_EPOCH) {
            Ok(after) => nanoseconds(after),
            Err(before) => -nanoseconds(before.duration()),
        };
        Self {
            size: metadata.len(),
            mtime_ns,
        }
    }
}

/// Times beyond the year 2262 are all the same.
fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// SHA-256 of all that a reader gives, in hexadecimal.
///
/// # Errors
/// Returns an error if reading fails.
pub(crate) fn sha256(mut reader: impl Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut reader, &mut hash)?;
    Ok(hex(&hash.finalize()))
}

/// A fingerprint of everything that `settings` serialises to.
pub(crate) fn fingerprint(settings: &impl Serialize) -> String {
    let json = serde_json::to_vec(settings).expect("settings are plain values");
    hex(&Sha256::digest(json)[..16])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_cut_to_the_second_is_the_same_time_and_any_other_is_not() {
        let state = |size, mtime_ns| FileState { size, mtime_ns };
        let was = state(5, 1_234_567_890_123);
        assert!(was.is_still(was));
        assert!(was.is_still(state(5, 1_234_000_000_000)));
        for other in [
            state(6, 1_234_567_890_123),
            state(5, 1_234_567_891_123),
            state(5, 1_235_000_000_000),
            state(5, 1_234_567_000_000),
        ] {
            assert!(!was.is_still(other), "{other:?}");
        }
        // The other way round: a source that had a whole second and has a fraction now was touched.
        assert!(!state(5, 1_234_000_000_000).is_still(was));
        assert!(state(5, -1_500_000_000).is_still(state(5, -2_000_000_000)));
    }
}
