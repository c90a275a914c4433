//! What the decoder tells of a file: its format, and its damage.

use audiostretchy_containers::figures;
use audiostretchy_containers::warning::Warning;
use serde::Serialize;

/// What a file holds, as far as its header tells.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AudioInfo {
    /// Short name of the container, such as `wave` or `mp3`.
    pub container: &'static str,
    /// Short name of the codec, such as `pcm_s16le` or `mp3`.
    pub codec: &'static str,
    /// Sample rate in Hz.
    pub sample_rate: u32,
    /// Number of channels.
    pub channels: usize,
    /// Speaker positions as in WAVE_FORMAT_EXTENSIBLE, if the file gives them.
    #[serde(skip)]
    pub channel_mask: Option<u32>,
    /// Bits per sample; `None` for lossy codecs.
    pub bits_per_sample: Option<u32>,
    /// Whether the samples are floating point.
    pub is_float: bool,
    /// Length in frames, if the header gives it. A hint: damaged and streamed files may be wrong.
    pub frames: Option<u64>,
    /// Mean bit rate in kbit/s of the file without its pictures, if the length is known.
    pub bitrate_kbps: Option<u32>,
}

impl AudioInfo {
    /// Length in seconds, if the header gives it.
    pub fn seconds(&self) -> Option<f64> {
        Some(self.frames? as f64 / f64::from(self.sample_rate))
    }

    /// Returns whether 16-bit integers hold every sample exactly.
    pub fn fits_16_bits(&self) -> bool {
        !self.is_float && self.bits_per_sample.is_some_and(|bits| bits <= 16)
    }
}

/// What was wrong with a file that could be decoded all the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Damage {
    /// Frames that could not be decoded and were replaced by silence.
    pub lost_frames: u64,
    /// The decoded audio does not match the checksum in the file.
    pub checksum_mismatch: bool,
    /// The file ends within a packet, or within a recording that was broken off.
    pub cut_short: bool,
    /// How often the sample rate or the channels change; what follows was converted to the first.
    pub format_changes: u32,
    /// Frames that the header promises and the file has no room for: its count is wrong.
    pub miscounted_frames: u64,
}

impl Damage {
    /// What was wrong, for people; the sample rate is in Hz.
    pub fn warnings(&self, sample_rate: u32) -> Vec<Warning> {
        let seconds = |frames| figures::duration(frames as f64 / f64::from(sample_rate));
        let mut warnings = Vec::new();
        let mut warn = |code, message: String| warnings.push(Warning::new(code, message));
        if self.lost_frames > 0 {
            let lost = seconds(self.lost_frames);
            let message = format!("{lost} of the input is damaged and became silence");
            warn("lost-frames", message);
        }
        if self.checksum_mismatch {
            let message = "the decoded audio does not match the checksum in the input";
            warn("checksum-mismatch", message.into());
        }
        if self.miscounted_frames > 0 {
            let missing = seconds(self.miscounted_frames);
            let message = format!(
                "the header of the input promises {missing} more than there is: all that is there \
                 was read"
            );
            warn("miscounted", message);
        }
        if self.cut_short {
            let message = "the input breaks off: what may be missing at its end is not known";
            warn("cut-short", message.into());
        }
        if self.format_changes > 0 {
            let times = match self.format_changes {
                1 => "once",
                _ => "several times",
            };
            let message = format!(
                "the input changes its sample rate or channels {times}: what follows was converted \
                 to those at its start"
            );
            warn("format-changes", message);
        }
        warnings
    }
}
