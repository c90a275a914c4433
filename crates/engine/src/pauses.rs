//! Leaves out the middle of long pauses, before the audio is stretched.

use std::collections::VecDeque;

use crate::gaps::{QUIET_BLOCKS, block_frames, level_db};
use crate::options::StretchOptions;
use crate::sample::EngineSample;
use crate::time_map::TimePoint;

/// How much quieter than the threshold, in dB, [`QUIET_BLOCKS`] in a row must be before the quiet
/// stretch around them counts as a pause. A soft word near the threshold is none.
const HYSTERESIS: f64 = 3.0;
/// The longest cross-fade in seconds; a quarter of what is kept of a pause, if that is shorter.
const FADE: f64 = 0.020;

/// Shortens pauses to a number of frames.
pub(crate) struct PauseCutter<T> {
    channels: usize,
    block_len: usize,
    threshold_db: f64,
    /// What is kept of a pause, in frames, with the cross-fade in its middle.
    kept: usize,
    fade: usize,
    /// Samples that do not fill a block yet.
    block: Vec<T>,
    /// The quiet stretch at present: all of it, or its beginning and its end.
    quiet: Vec<T>,
    /// Frames in the middle of it that are gone.
    gone: usize,
    /// Blocks in a row that were quieter than the threshold by [`HYSTERESIS`].
    quiet_run: u32,
    is_pause: bool,
    /// Frames handed out.
    passed: u64,
    cuts: VecDeque<Cut>,
    cut_frames: u64,
    /// Frames left out before the next cut whose place in the output is not known yet.
    mapped: u64,
    /// The last point of the stretcher's time map.
    last: TimePoint,
}

/// A place from which on frames are left out.
struct Cut {
    /// In frames that were handed out: the middle of the cross-fade.
    at: u64,
    frames: u64,
}

impl<T: EngineSample> PauseCutter<T> {
    /// Creates what [`StretchOptions::max_pause`] asks for; `None` if that is off.
    pub(crate) fn new(options: &StretchOptions, sample_rate: u32, channels: usize) -> Option<Self> {
        if options.max_pause == 0.0 {
            return None;
        }
        let rate = f64::from(sample_rate);
        // A part of a pause may be stretched by either ratio.
        let ratio = match options.has_gap_ratio() {
            true => options.ratio.max(options.gap_ratio),
            false => options.ratio,
        };
        let kept = (options.max_pause * rate / ratio) as usize;
        Some(Self {
            channels,
            block_len: block_frames(options, sample_rate) * channels,
            threshold_db: f64::from(options.threshold_gap_db),
            kept,
            fade: ((FADE * rate) as usize).min(kept / 4),
            block: Vec::new(),
            quiet: Vec::new(),
            gone: 0,
            quiet_run: 0,
            is_pause: false,
            passed: 0,
            cuts: VecDeque::new(),
            cut_frames: 0,
            mapped: 0,
            last: TimePoint::default(),
        })
    }

    /// Returns the frames left out since the cutter was created.
    pub(crate) fn cut_frames(&self) -> u64 {
        self.cut_frames
    }

    /// Consumes interleaved audio, and appends what is kept of it to `output`.
    pub(crate) fn process(&mut self, mut input: &[T], output: &mut Vec<T>) {
        while !input.is_empty() {
            let room = self.block_len - self.block.len();
            let (now, later) = input.split_at(room.min(input.len()));
            self.block.extend_from_slice(now);
            input = later;
            if self.block.len() == self.block_len {
                self.complete_block(output);
            }
        }
    }

    /// Appends the rest.
    pub(crate) fn finish(&mut self, output: &mut Vec<T>) {
        if !self.block.is_empty() {
            self.complete_block(output);
        }
        self.end_quiet(output);
        self.quiet_run = 0;
    }

    fn complete_block(&mut self, output: &mut Vec<T>) {
        let level = level_db(&self.block, self.channels);
        let block = std::mem::take(&mut self.block);
        if level <= self.threshold_db {
            self.quiet_run = match level <= self.threshold_db - HYSTERESIS {
                true => self.quiet_run + 1,
                false => 0,
            };
            self.is_pause |= self.quiet_run >= QUIET_BLOCKS;
            self.quiet.extend_from_slice(&block);
            self.thin_quiet(output);
        } else {
            self.end_quiet(output);
            self.quiet_run = 0;
            self.pass(&block, output);
        }
        self.block = block;
        self.block.clear();
    }

    /// Frames at the beginning, and at the end, of a pause that are kept or faded.
    fn sides(&self) -> (usize, usize) {
        let both = self.kept + self.fade;
        (both / 2, both - both / 2)
    }

    /// Drops what is no longer needed of a long quiet stretch: its middle, if it is a pause; what is
    /// not one is handed out.
    fn thin_quiet(&mut self, output: &mut Vec<T>) {
        let (head, tail) = self.sides();
        let frames = self.quiet.len() / self.channels;
        let Some(more) = frames.checked_sub(head + tail) else {
            return;
        };
        if self.is_pause {
            let from = head * self.channels;
            self.quiet.drain(from..from + more * self.channels);
            self.gone += more;
        } else {
            // It may become one yet, from a later frame on.
            let rest = self.quiet.split_off(more * self.channels);
            let early = std::mem::replace(&mut self.quiet, rest);
            self.pass(&early, output);
        }
    }

    /// Hands out a quiet stretch, shortened if it was a long pause.
    fn end_quiet(&mut self, output: &mut Vec<T>) {
        let quiet = std::mem::take(&mut self.quiet);
        let frames = quiet.len() / self.channels;
        if self.is_pause && frames + self.gone > self.kept {
            let (head, tail) = self.sides();
            // Of a pause hardly too long, both sides are still one piece.
            let tail_from = frames.saturating_sub(tail);
            let channels = self.channels;
            let at = |frame: usize| frame * channels;
            let head_end = head.min(frames);
            let before = head_end - self.fade;
            self.pass(&quiet[..at(before)], output);
            let from = &quiet[at(before)..at(head_end)];
            let to = &quiet[at(tail_from)..at(tail_from + self.fade)];
            let faded = faded(from, to, channels);
            let cut = Cut {
                at: self.passed + self.fade as u64 / 2,
                frames: (frames + self.gone - self.kept) as u64,
            };
            self.cut_frames += cut.frames;
            self.cuts.push_back(cut);
            self.pass(&faded, output);
            self.pass(&quiet[at(tail_from + self.fade)..], output);
        } else {
            self.pass(&quiet, output);
        }
        self.quiet = quiet;
        self.quiet.clear();
        self.gone = 0;
        self.is_pause = false;
    }

    fn pass(&mut self, samples: &[T], output: &mut Vec<T>) {
        output.extend_from_slice(samples);
        self.passed += (samples.len() / self.channels) as u64;
    }

    /// Turns a point of the time map of what was handed out into one of the input, and appends it
    /// to `points`, behind those for the cuts before it.
    pub(crate) fn map(&mut self, point: TimePoint, points: &mut Vec<TimePoint>) {
        self.map_cuts(point, points);
        points.push(TimePoint {
            input: point.input + self.mapped,
            ..point
        });
        self.last = point;
    }

    /// Appends points for the cuts before a point: the audio goes on at once on their other side.
    fn map_cuts(&mut self, point: TimePoint, points: &mut Vec<TimePoint>) {
        while self.cuts.front().is_some_and(|cut| cut.at <= point.input)
            && let Some(cut) = self.cuts.pop_front()
        {
            let (input, output) = (
                point.input - self.last.input,
                point.output - self.last.output,
            );
            let since = cut.at.saturating_sub(self.last.input);
            let output = self.last.output + since * output / input.max(1);
            for gone in [0, cut.frames] {
                points.push(TimePoint {
                    input: cut.at + self.mapped + gone,
                    output,
                });
            }
            self.mapped += cut.frames;
            self.last = TimePoint {
                input: cut.at,
                output,
            };
        }
    }

    /// Begins a new piece of audio.
    pub(crate) fn reset(&mut self) {
        self.cuts.clear();
        self.passed = 0;
        self.mapped = 0;
        self.last = TimePoint::default();
    }
}

/// Returns the cross-fade of two pieces of the same length at constant power, as is right for noise.
fn faded<T: EngineSample>(from: &[T], to: &[T], channels: usize) -> Vec<T> {
    let frames = from.len() / channels;
    let pairs = from.iter().zip(to).enumerate();
    let fade = |(i, (from, to)): (usize, (&T, &T))| {
        let place = (i / channels) as f32 + 0.5;
        let angle = std::f32::consts::FRAC_PI_2 * place / frames as f32;
        T::from_full_scale(from.to_full_scale() * angle.cos() + to.to_full_scale() * angle.sin())
    };
    pairs.map(fade).collect()
}
