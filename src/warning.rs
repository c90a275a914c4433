//! What went other than asked without making a file fail.

use std::io;
use std::path::Path;

use serde::Serialize;

use crate::figures;
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

    /// An output whose source is gone could not be removed.
    pub fn not_pruned(path: &Path, why: &std::io::Error) -> Self {
        Self {
            code: "not-pruned",
            message: format!("{}: cannot be removed: {why}", path.display()),
        }
    }

    /// Files of the input's name cannot be written, and `to` is what holds its codec.
    pub fn format_substituted(input: &Path, to: Format) -> Self {
        let to = to.name();
        let message = match input.extension() {
            Some(extension) => {
                let extension = extension.to_string_lossy();
                format!(".{extension} files cannot be written: the output is {to}")
            }
            None => format!("the name tells no format: the output is {to}"),
        };
        Self {
            code: "format-substituted",
            message,
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

    /// What a decoder found wrong in audio of that sample rate (in Hz).
    pub(crate) fn of_damage(damage: Damage, sample_rate: u32) -> Vec<Self> {
        let lost = damage.lost_frames;
        let lost = (lost > 0).then(|| Self::lost_frames(lost, sample_rate));
        let mismatch = damage.checksum_mismatch.then(Self::checksum_mismatch);
        let miscounted = damage.miscounted_frames;
        let miscounted = (miscounted > 0).then(|| Self::miscounted(miscounted, sample_rate));
        let cut = damage.cut_short.then(Self::cut_short);
        let changes = damage.format_changes;
        let changes = (changes > 0).then(|| Self::format_changes(changes));
        (lost.into_iter().chain(mismatch))
            .chain(miscounted)
            .chain(cut)
            .chain(changes)
            .collect()
    }

    /// Frames of the input, at `sample_rate` in Hz, could not be decoded.
    pub fn lost_frames(frames: u64, sample_rate: u32) -> Self {
        let lost = figures::duration(frames as f64 / f64::from(sample_rate));
        Self {
            code: "lost-frames",
            message: format!("{lost} of the input is damaged and became silence"),
        }
    }

    /// The input's header promises more frames, at `sample_rate` in Hz, than the input has room for.
    pub fn miscounted(frames: u64, sample_rate: u32) -> Self {
        let missing = figures::duration(frames as f64 / f64::from(sample_rate));
        Self {
            code: "miscounted",
            message: format!(
                "the header of the input promises {missing} more than there is: all that is there \
                 was read"
            ),
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
            message: match samples {
                1 => "1 sample beyond full scale was limited".into(),
                _ => format!("{samples} samples beyond full scale were limited"),
            },
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

    /// The times of chapters are not understood.
    pub fn chapters_unreadable(count: usize) -> Self {
        Self {
            code: "chapters-unreadable",
            message: format!(
                "{count} chapters of the input were left out, as their times are not \
                 understood: they should be like 01:23:45.678"
            ),
        }
    }

    /// Chapters start where there is no audio.
    pub fn chapters_past_end(count: usize) -> Self {
        Self {
            code: "chapters-past-end",
            message: match count {
                1 => "1 chapter that starts behind the end of the audio was left out".into(),
                _ => {
                    format!("{count} chapters that start behind the end of the audio were left out")
                }
            },
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

    /// A text file that was written beside earlier audio was removed.
    pub fn sidecar_removed(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Self {
            code: "sidecar-removed",
            message: format!("{name} beside the output told the times of before and was removed"),
        }
    }

    /// Outputs without a source were to be removed, and something else went wrong.
    pub fn prune_put_off(outputs: usize) -> Self {
        Self {
            code: "not-pruned",
            message: format!(
                "{} whose source is gone stay: not all else went well",
                figures::count(outputs as u64, "output")
            ),
        }
    }

    /// An output was changed since it was made.
    pub fn output_changed(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Self {
            code: "output-changed",
            message: format!("{name} was changed since it was made and was kept as it is"),
        }
    }

    /// The folder of an output cannot be brought to the disk.
    pub fn not_synced(folder: &Path, error: &io::Error) -> Self {
        Self {
            code: "not-synced",
            message: format!(
                "{} cannot be brought to the disk ({error}): check that the output is there after \
                 a power cut",
                folder.display()
            ),
        }
    }

    /// The output folder cannot be locked.
    pub fn not_locked(folder: &Path) -> Self {
        Self {
            code: "not-locked",
            message: format!(
                "{} is on a file system without locks: start no second run there before this one \
                 has ended",
                folder.display()
            ),
        }
    }
}
