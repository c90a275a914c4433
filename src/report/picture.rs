//! What a page draws of a file.

use serde::{Deserialize, Serialize};

/// The digits of peaks, from silence to full scale, as in base64.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Waveforms before and after, and where the audio went: about 1.5 kB.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PictureReport {
    /// Length of the input in seconds.
    pub input_seconds: f64,
    /// Length of the output in seconds.
    pub output_seconds: f64,
    /// The input's waveform.
    pub before: PeaksReport,
    /// The output's waveform.
    pub after: PeaksReport,
    /// Seconds of the input from one place to the next.
    pub place_seconds: f64,
    /// Where each of these places went, in milliseconds of the output; the first is
    /// `place_seconds` after the start, which went to 0.
    pub places_ms: Vec<u64>,
    /// Chapters, with where they begin before and after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chapters: Vec<PictureChapter>,
}

/// A waveform: the largest value of each interval, over all channels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeaksReport {
    /// Seconds of an interval.
    pub seconds: f64,
    /// A digit of base64 for each interval: the square root of its peak, in 63rds of full scale.
    pub peaks: String,
}

/// A chapter before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PictureChapter {
    /// The title.
    pub title: String,
    /// Its start in the input, in seconds.
    pub input_seconds: f64,
    /// Its start in the output, in seconds.
    pub output_seconds: f64,
}

impl PeaksReport {
    pub(crate) fn new(seconds: f64, peaks: &[f32]) -> Self {
        let digit = |peak: &f32| {
            let root = peak.clamp(0.0, 1.0).sqrt();
            char::from(DIGITS[(root * 63.0).round() as usize])
        };
        Self {
            seconds,
            peaks: peaks.iter().map(digit).collect(),
        }
    }
}
