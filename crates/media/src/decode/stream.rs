//! One stream of audio within a file: where it is to start and end, and what is missing in it.

use symphonia::core::codecs::audio::well_known::{CODEC_ID_AAC, CODEC_ID_MP3};
use symphonia::core::formats::Track;
use symphonia::core::packet::Packet;
use symphonia::core::units::TimeBase;

use audiostretchy_containers::mpeg::MpegSpec;

use super::demux::Scan;
use super::extent::{Extent, ticks_to_frames};

/// Where timestamps are not counted in frames, the least that counts as a gap, in seconds.
/// Matroska rounds to milliseconds, and at a change of Vorbis' block size FFmpeg is off by up to
/// 11 ms; a packet of most codecs is 20 ms or more.
const SMALLEST_GAP: f64 = 0.015;

/// One stream of audio. A file holds one; chained Ogg and joined MP3 files hold several.
pub(super) struct Stream {
    /// The track's number in the demuxer.
    pub track_id: u32,
    /// Sample rate by the header, in Hz; the true one may be another.
    pub header_rate: Option<u32>,
    /// The part of the stream that is played.
    pub extent: Extent,
    /// Frames decoded or replaced by silence so far, those dropped included.
    pub decoded: u64,
    /// Frames given out so far.
    pub frames: u64,
    /// MPEG frames of an MP3 file with a count of them that are still to come.
    pub mpeg_frames_left: Option<u64>,
    /// Sample rate in Hz, once something was decoded, or where the header is right.
    pub rate: Option<u32>,
    /// What the header of an MPEG audio file's frames says.
    pub mpeg: Option<MpegSpec>,
    /// Packets read so far.
    pub packets: u64,
    time_base: Option<TimeBase>,
    /// Whether the length that a packet says it has may include a pause behind it.
    has_pauses: bool,
    /// Frames to drop before any is given out.
    skip_left: u64,
    /// Where the next packet should start: in ticks if they are frames, else in frames.
    next_start: Option<i64>,
    /// Frames in the last packet that held any.
    pub packet_frames: u64,
    /// When the last packet started and ended by its own word, in ticks.
    last: Option<(i64, i64)>,
}

impl Stream {
    pub(super) fn new(scan: &Scan, container: &str, track: &Track) -> Self {
        let params = track
            .codec_params
            .as_ref()
            .and_then(|params| params.audio());
        Self {
            track_id: track.id,
            header_rate: params.and_then(|params| params.sample_rate),
            extent: Extent::default(),
            decoded: 0,
            frames: 0,
            mpeg_frames_left: scan.mpeg_frames(container, track),
            rate: None,
            mpeg: None,
            packets: 0,
            time_base: track.time_base,
            has_pauses: container == "isomp4",
            skip_left: 0,
            // FLAC alone numbers its frames from the start.
            next_start: (container == "flac").then_some(0),
            packet_frames: 0,
            last: None,
        }
    }

    /// Sets the part of the track that is played; each packet holds about `packet_frames` frames.
    pub(super) fn set_extent(
        &mut self,
        scan: &Scan,
        container: &str,
        track: &Track,
        sample_rate: u32,
        packet_frames: u64,
    ) {
        self.extent = scan.extent(container, track, sample_rate);
        self.skip_left = self.extent.skip;
        // Recorders whose clock is off by some frames a packet say less than there is. Only what is
        // trimmed at the end is less by some packets at most.
        if self.extent.is_sum
            && has_constant_packets(track)
            && let (Some(frames), Some(packets)) = (self.extent.frames, self.extent.packets)
        {
            let all = (packets.saturating_mul(packet_frames)).saturating_sub(self.extent.skip);
            if frames.saturating_add(2 * packet_frames) < all {
                self.extent.frames = Some(all);
            }
        }
    }

    /// Goes on at another sample rate in Hz, in whose frames packets then count.
    pub(super) fn change_rate(&mut self, rate: u32) {
        self.rate = Some(rate);
        self.time_base = TimeBase::try_from_recip(rate);
        self.next_start = None;
        self.last = None;
    }

    /// Returns whether all packets of a table were read.
    pub(super) fn is_complete(&self) -> bool {
        self.extent
            .packets
            .is_some_and(|packets| self.packets >= packets)
    }

    /// Frames that the stream should have and has not.
    pub(super) fn missing(&self) -> u64 {
        let extent = &self.extent;
        match extent.frames.filter(|_| extent.is_exact) {
            Some(expected) if !self.is_complete() => expected.saturating_sub(self.frames),
            _ => 0,
        }
    }

    /// Counts frames that were decoded; returns where those to be heard start among them, and how
    /// many they are.
    pub(super) fn take(&mut self, frames: u64) -> (usize, usize) {
        let skipped = frames.min(self.skip_left);
        self.skip_left -= skipped;
        let mut kept = frames - skipped;
        let is_most = self.extent.is_exact && !self.extent.is_least;
        if let Some(total) = self.extent.frames.filter(|_| is_most) {
            kept = kept.min(total.saturating_sub(self.frames));
        }
        self.decoded += frames;
        self.frames += kept;
        (skipped as usize, kept as usize)
    }

    /// Frames of silence before a packet, where that is a pause in the recording and nothing was
    /// lost. One shorter than a packet is none: clocks are not that exact. Nor is one behind the first
    /// packet, of which encoders say that it lasts until the video starts.
    pub(super) fn pause_before(&self, packet: &Packet, sample_rate: u32) -> u64 {
        let Some(expected) = self
            .next_start
            .filter(|_| self.has_pauses && self.packets > 2)
        else {
            return 0;
        };
        let pause = self.start_of(packet, sample_rate).saturating_sub(expected);
        u64::try_from(pause)
            .ok()
            .filter(|&pause| pause >= self.packet_frames.max(1))
            .unwrap_or(0)
    }

    /// Returns the frames missing before a packet: some demuxers drop damaged packets silently.
    pub(super) fn missing_before(&self, packet: &Packet, sample_rate: u32) -> u64 {
        let Some(expected) = self.next_start.filter(|_| !self.has_pauses) else {
            return 0;
        };
        let start = self.start_of(packet, sample_rate);
        let gap = u64::try_from(start.saturating_sub(expected)).unwrap_or(0);
        if self.counts_in_frames(sample_rate) {
            return gap;
        }
        if self.is_continued_by(packet) {
            return 0;
        }
        // Coarse timestamps, and only the last one is compared, since clocks drift apart over a
        // long film: what is missing are whole packets.
        let smallest = (SMALLEST_GAP * f64::from(sample_rate)) as u64;
        let packet_frames = self.packet_frames.max(1);
        if gap <= smallest.max(packet_frames / 2) {
            return 0;
        }
        (gap + packet_frames / 2) / packet_frames * packet_frames
    }

    /// Notes that a packet was decoded to so many frames, or replaced by as many.
    pub(super) fn note_decoded(&mut self, packet: &Packet, frames: u64, sample_rate: u32) {
        let start = self.start_of(packet, sample_rate);
        let length = if self.counts_in_frames(sample_rate) && !self.has_pauses {
            packet.block_dur().get()
        } else {
            frames
        };
        // What has no time of its own starts where the last one ends.
        let start = match self.next_start {
            Some(expected)
                if !self.counts_in_frames(sample_rate)
                    && !self.has_pauses
                    && self.is_continued_by(packet) =>
            {
                expected
            }
            _ => start,
        };
        self.next_start = Some(start.saturating_add_unsigned(length));
        let pts = packet.pts.get();
        self.last = Some((pts, pts.saturating_add_unsigned(packet.dur.get())));
        if frames > 0 {
            self.packet_frames = frames;
        }
    }

    /// Returns whether a packet follows the last one without a gap, by the container's own word.
    /// Packets that Matroska put together have the time of the first, or its length divided by
    /// their number.
    fn is_continued_by(&self, packet: &Packet) -> bool {
        let range = self.last.map(|(start, end)| start..=end);
        range.is_some_and(|range| range.contains(&packet.pts.get()))
    }

    /// Converts ticks of the stream's clock to frames.
    pub(super) fn frames_of(&self, ticks: u64, sample_rate: u32) -> u64 {
        ticks_to_frames(ticks, self.time_base, sample_rate)
    }

    fn counts_in_frames(&self, sample_rate: u32) -> bool {
        self.time_base == TimeBase::try_from_recip(sample_rate)
    }

    fn start_of(&self, packet: &Packet, sample_rate: u32) -> i64 {
        let pts = packet.pts.get();
        if self.counts_in_frames(sample_rate) {
            return pts;
        }
        let frames = self.frames_of(pts.unsigned_abs(), sample_rate);
        i64::try_from(frames).unwrap_or(i64::MAX) * pts.signum()
    }
}

/// Returns whether every packet of a track holds as many frames as any other.
fn has_constant_packets(track: &Track) -> bool {
    let params = track.codec_params.as_ref();
    params
        .and_then(|params| params.audio())
        .is_some_and(|params| [CODEC_ID_AAC, CODEC_ID_MP3].contains(&params.codec))
}
