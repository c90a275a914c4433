//! Which part of a track is played: what its container says about its length and about trimming,
//! which demuxers do not pass on.

use symphonia_core::formats::Track;
use symphonia_core::units::TimeBase;

use super::demux::Scan;
use crate::codecs::opus_head::OpusHead;

/// The part of a track that is played, according to its container. All in frames.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// To drop from the start of what is decoded.
    pub skip: u64,
    /// To drop from the end of the last packet.
    pub tail: u64,
    /// Missing before the first packet.
    pub late: u64,
    /// Length of what then remains, if known.
    pub frames: Option<u64>,
    /// Whether a file that holds fewer frames has lost some; else the length is an estimate.
    pub is_exact: bool,
    /// The number of packets, where the container has a table of them. Once all of them were read, nothing
    /// is missing, whatever their timestamps say.
    pub packets: Option<u64>,
    /// There may be more than the length says.
    pub is_least: bool,
    /// The length is the sum of what the packets say of theirs, which may be less than they hold.
    pub is_sum: bool,
}

/// The most frames that encoders add at the end, to be trimmed again.
const MAX_TRIM: u64 = 4 * 2048;

impl Scan {
    /// Returns the part of a track that is played, at a sample rate in Hz.
    pub(super) fn extent(&self, container: &str, track: &Track, sample_rate: u32) -> Extent {
        let counted = track.num_frames.filter(|&frames| frames > 0);
        let opus = track.codec_params.as_ref().and_then(|params| {
            let data = params.audio()?.extra_data.as_deref()?;
            OpusHead::parse(data)
        });
        match container {
            "isomp4" => self.mp4_extent(track, sample_rate),
            "matroska" => {
                let extent = self.mkv_extent(track, sample_rate);
                Extent {
                    // FFmpeg gets the container's own word for it wrong at other rates.
                    skip: opus.map_or(extent.skip, |head| head.pre_skip.into()),
                    ..extent
                }
            }
            "ogg" => {
                let counted = counted.or(self.ogg_frames);
                let skip = opus.map_or(0, |head| u64::from(head.pre_skip));
                // A recording of a live stream starts late, by minutes; a little late is one whose
                // first page was dropped, since a page holds about a second at most.
                let start = u64::try_from(track.start_ts.get()).unwrap_or(0);
                let (late, start) = if start <= u64::from(sample_rate) {
                    (start, 0)
                } else {
                    (0, start)
                };
                Extent {
                    skip,
                    late,
                    // The count is the last timestamp.
                    frames: counted.map(|frames| frames.saturating_sub(start + skip)),
                    is_exact: counted.is_some(),
                    ..Extent::default()
                }
            }
            "mp3" => Extent {
                // The demuxer's count leaves out the delay and padding that the decoder drops.
                frames: counted,
                is_exact: track.delay.is_some() || self.xing.is_some(),
                ..Extent::default()
            },
            // HE-AAC counts at half the rate that it is decoded to.
            "aac" => Extent {
                frames: counted.map(|ticks| ticks_to_frames(ticks, track.time_base, sample_rate)),
                ..Extent::default()
            },
            "flac" => Extent {
                frames: counted,
                is_exact: counted.is_some(),
                is_least: true,
                ..Extent::default()
            },
            _ => Extent {
                frames: counted,
                is_exact: ["wave", "rf64", "w64", "au", "aiff"].contains(&container),
                ..Extent::default()
            },
        }
    }

    /// MPEG frames of an MP3 file that counts them, those of delay and padding included.
    pub(super) fn mpeg_frames(&self, container: &str, track: &Track) -> Option<u64> {
        if container != "mp3" {
            return None;
        }
        if let Some(xing) = &self.xing {
            return Some(xing.mpeg_frames.into());
        }
        let rate = track.codec_params.as_ref()?.audio()?.sample_rate?;
        let frames_each = if rate >= 32_000 { 1152 } else { 576 };
        let trimmed = u64::from(track.delay?) + u64::from(track.padding.unwrap_or(0));
        Some((track.num_frames? + trimmed) / frames_each)
    }

    fn mp4_extent(&self, track: &Track, sample_rate: u32) -> Extent {
        let to_frames = |ticks| ticks_to_frames(ticks, track.time_base, sample_rate);
        let Some(mp4) = &self.mp4 else {
            return Extent::default();
        };
        let edit = mp4.track(track.id).cloned().unwrap_or_default();
        let mut skip = to_frames(edit.media_time);
        let all = edit.packets;
        // Where fragments are missing nobody knows how many.
        if mp4.is_fragmented && (mp4.cut_short || mp4.is_endless) || all.ticks == 0 {
            return Extent {
                skip,
                ..Extent::default()
            };
        }
        let total = to_frames(all.ticks);
        let mut frames = total.saturating_sub(skip);
        let mut is_sum = true;
        // The movie's ticks are often milliseconds, too coarse to prefer to the count of samples.
        let movie_tick = TimeBase::try_new(1, mp4.movie_timescale);
        let tolerance = ticks_to_frames(2, movie_tick, sample_rate) + 1;
        if let Some(duration) = edit.edit_duration.filter(|_| movie_tick.is_some()) {
            let wanted = ticks_to_frames(duration, movie_tick, sample_rate);
            // Written before the fragments were known, it means what came before them.
            let is_known = !mp4.is_fragmented || wanted.saturating_add(MAX_TRIM) >= frames;
            if is_known && wanted.saturating_add(tolerance) < frames {
                frames = wanted;
                is_sum = false;
            }
        }
        // iTunes' own tag counts in frames. Only where it agrees with the rest of the file, since
        // programs that cut files are known to leave it as it was.
        if let Some((delay, length)) = mp4.gapless
            && delay.saturating_add(length) <= total
            && (skip == 0 || skip.abs_diff(delay) <= tolerance)
            && total - delay - length <= MAX_TRIM
        {
            skip = delay;
            frames = length;
            is_sum = false;
        }
        Extent {
            skip,
            frames: Some(frames),
            is_exact: true,
            packets: Some(all.count),
            // How long the last packet of a fragment is, not all programs know when they write it.
            is_least: is_sum && mp4.is_fragmented,
            is_sum,
            ..Extent::default()
        }
    }

    fn mkv_extent(&self, track: &Track, sample_rate: u32) -> Extent {
        let found = self.mkv.as_ref().and_then(|mkv| mkv.track(track.id));
        let to_frames = |nanoseconds: u64| {
            let frames = u128::from(nanoseconds) * u128::from(sample_rate);
            u64::try_from((frames + 500_000_000) / 1_000_000_000).unwrap_or(u64::MAX)
        };
        Extent {
            skip: found.map_or(0, |track| to_frames(track.codec_delay)),
            tail: found.map_or(0, |track| to_frames(track.discard_padding)),
            ..Extent::default()
        }
    }
}

/// Converts a duration to frames, rounding to the nearest; 0 without a time base.
pub(super) fn ticks_to_frames(ticks: u64, base: Option<TimeBase>, sample_rate: u32) -> u64 {
    let Some(base) = base else { return 0 };
    let denominator = u128::from(base.denom.get());
    let frames = u128::from(ticks) * u128::from(base.numer.get()) * u128::from(sample_rate);
    u64::try_from((frames + denominator / 2) / denominator).unwrap_or(u64::MAX)
}
