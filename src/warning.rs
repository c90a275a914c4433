//! What went other than asked without making a file fail.

use std::path::Path;

use serde::Serialize;

use crate::media::decode::Damage;
use crate::media::format::{BitDepth, Format};

/// A warning: a stable code for programs and a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// A stable code, in kebab case.
    pub code: &'static str,
    /// What happened, in one sentence.
    pub message: String,
}

impl Warning {
    /// The format cannot hold the sample rate (both in Hz).
    pub fn resampled(format: Format, from: u32, to: u32) -> Self {
        let name = format.name();
        Self {
            code: "resampled",
            message: format!("{name} cannot hold {from} Hz: converted to {to} Hz"),
        }
    }

    /// The format cannot hold the sample type and depth.
    pub fn bit_depth_reduced(format: Format, from: BitDepth, to: BitDepth) -> Self {
        let (name, from, to) = (format.name(), from.name(), to.name());
        Self {
            code: "bit-depth-reduced",
            message: format!("{name} cannot hold samples of {from} bits: converted to {to} bits"),
        }
    }

    /// The input's name stands for a format that is not its content's.
    pub fn codec_changed(codec: &str, to: Format) -> Self {
        Self {
            code: "codec-changed",
            message: format!(
                "the input holds {codec}, which its name does not tell: converted to {}",
                to.name()
            ),
        }
    }

    /// The format fixes which speakers so many channels are for, and the source has others.
    pub fn speakers_changed(format: Format, channels: usize) -> Self {
        let name = format.name();
        Self {
            code: "speakers-changed",
            message: format!(
                "{name} cannot hold the source's choice of {channels} speakers: players will use \
                 the usual ones"
            ),
        }
    }

    /// What a decoder found wrong.
    pub(crate) fn of_damage(damage: Damage) -> Vec<Self> {
        let lost = damage.lost_frames;
        let lost = (lost > 0).then(|| Self::lost_frames(lost));
        let mismatch = damage.checksum_mismatch.then(Self::checksum_mismatch);
        let cut = damage.cut_short.then(Self::cut_short);
        let changes = damage.format_changes;
        let changes = (changes > 0).then(|| Self::format_changes(changes));
        (lost.into_iter().chain(mismatch))
            .chain(cut)
            .chain(changes)
            .collect()
    }

    /// Frames of the input could not be decoded.
    pub fn lost_frames(frames: u64) -> Self {
        Self {
            code: "lost-frames",
            message: format!("{frames} damaged frames of the input were replaced by silence"),
        }
    }

    /// The input's checksum is wrong.
    pub fn checksum_mismatch() -> Self {
        Self {
            code: "checksum-mismatch",
            message: "the decoded audio does not match the checksum in the input".into(),
        }
    }

    /// The input ends where its format does not let it end.
    pub fn cut_short() -> Self {
        Self {
            code: "cut-short",
            message: "the input breaks off: what may be missing at its end is not known".into(),
        }
    }

    /// The input changes its sample rate or channels, so often.
    pub fn format_changes(changes: u32) -> Self {
        let times = if changes == 1 {
            "once"
        } else {
            "several times"
        };
        Self {
            code: "format-changes",
            message: format!(
                "the input changes its sample rate or channels {times}: what follows was converted \
                 to those at its start"
            ),
        }
    }

    /// Samples went beyond full scale.
    pub fn clipped(samples: u64) -> Self {
        Self {
            code: "clipped",
            message: format!("{samples} samples beyond full scale were limited"),
        }
    }

    /// Tags of the input cannot be read.
    pub fn tags_unreadable(why: &str) -> Self {
        Self {
            code: "tags-unreadable",
            message: format!("tags of the input cannot be read and were left out: {why}"),
        }
    }

    /// Tags of the input are damaged.
    pub fn tags_damaged() -> Self {
        Self {
            code: "tags-damaged",
            message:
                "the ID3v2 tag of the input is damaged: what cannot be read of it was left out"
                    .into(),
        }
    }

    /// Tags of the input are larger than is sensible; `most` is in bytes.
    pub fn tags_too_large(most: u64) -> Self {
        Self {
            code: "tags-too-large",
            message: format!(
                "tags or pictures of the input beyond {} MiB were left out",
                most >> 20
            ),
        }
    }

    /// Tags cannot be written to the output.
    pub fn tags_not_written(why: &str) -> Self {
        Self {
            code: "tags-not-written",
            message: format!("not all tags could be written: {why}"),
        }
    }

    /// There are more chapters than are kept.
    pub fn too_many_chapters(found: usize, kept: usize) -> Self {
        Self {
            code: "too-many-chapters",
            message: format!("only the first {kept} of {found} chapters were kept"),
        }
    }

    /// Chapters start where there is no audio.
    pub fn chapters_past_end(count: usize) -> Self {
        Self {
            code: "chapters-past-end",
            message: format!(
                "{count} chapters that start behind the end of the audio were left out"
            ),
        }
    }

    /// A text file beside the input tells times that cannot be read.
    pub fn sidecar_unreadable(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Self {
            code: "sidecar-unreadable",
            message: format!("{name} beside the input cannot be read and was left behind"),
        }
    }

    /// A text file was left alone because one of its name is there.
    pub fn sidecar_exists(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Self {
            code: "sidecar-exists",
            message: format!("{name} beside the output is there already and was kept"),
        }
    }
}
