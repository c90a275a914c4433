//! What a page needs to draw a file: peaks before and after, and where the audio went.
//!
//! The length is not known while audio streams through. So each list begins with short intervals,
//! and when it is full, neighbours become one and intervals twice as long.

use audiostretchy_engine::TimePoint;
use audiostretchy_media::samples::{MediaSample, Samples};
use serde::{Deserialize, Serialize};

/// The most peaks of a waveform: half to all of these are used.
const PEAKS: usize = 480;
/// The most places of which it is told where they went.
const PLACES: usize = 128;
/// Frames of the shortest interval.
const SHORTEST: u64 = 32;

/// The digits of peaks, from silence to full scale, as in base64.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Waveforms before and after, and where the audio went: about 1.5 kB.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// Length of the input in seconds.
    pub input_seconds: f64,
    /// Length of the output in seconds.
    pub output_seconds: f64,
    /// The input's waveform.
    pub before: Waveform,
    /// The output's waveform.
    pub after: Waveform,
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
pub struct Waveform {
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

impl Waveform {
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

/// Collects the picture of one file.
pub(super) struct Collector {
    before: Peaks,
    after: Peaks,
    places: Places,
}

impl Collector {
    pub(super) fn new(channels: usize) -> Self {
        Self {
            before: Peaks::new(channels),
            after: Peaks::new(channels),
            places: Places::default(),
        }
    }

    /// Takes in interleaved audio that was read.
    pub(super) fn read<T: MediaSample>(&mut self, block: &[T]) {
        self.before.add(block);
    }

    /// Takes in interleaved audio that was stretched, at the rate of the input.
    pub(super) fn written<T: MediaSample>(&mut self, block: &[T]) {
        self.after.add(block);
    }

    /// Takes in the next point of the time map.
    pub(super) fn went(&mut self, point: TimePoint) {
        self.places.add(point);
    }

    /// Returns the picture of audio at a rate in Hz.
    pub(super) fn finish(self, sample_rate: u32) -> Picture {
        let rate = f64::from(sample_rate);
        let (input_frames, output_frames) = (self.before.frames, self.after.frames);
        let millis = |frames: u64| (frames as f64 / rate * 1000.0).round() as u64;
        Picture {
            input_seconds: input_frames as f64 / rate,
            output_seconds: output_frames as f64 / rate,
            before: self.before.finish(rate),
            after: self.after.finish(rate),
            place_seconds: self.places.interval as f64 / rate,
            places_ms: self.places.outputs.into_iter().map(millis).collect(),
            chapters: Vec::new(),
        }
    }
}

/// The largest value of each interval, over all channels.
struct Peaks {
    channels: usize,
    /// Frames of an interval.
    interval: u64,
    peaks: Vec<f32>,
    /// Frames in the last of them.
    begun: u64,
    frames: u64,
}

impl Peaks {
    fn new(channels: usize) -> Self {
        Self {
            channels,
            interval: SHORTEST,
            peaks: Vec::with_capacity(PEAKS),
            begun: SHORTEST,
            frames: 0,
        }
    }

    fn add<T: MediaSample>(&mut self, mut block: &[T]) {
        self.frames += (block.len() / self.channels) as u64;
        while !block.is_empty() {
            if self.begun == self.interval {
                if self.peaks.len() == PEAKS {
                    self.double();
                    continue;
                }
                self.peaks.push(0.0);
                self.begun = 0;
            }
            let room = (self.interval - self.begun) as usize * self.channels;
            let (now, later) = block.split_at(room.min(block.len()));
            let largest = largest(now);
            if let Some(last) = self.peaks.last_mut() {
                *last = last.max(largest);
            }
            self.begun += (now.len() / self.channels) as u64;
            block = later;
        }
    }

    fn double(&mut self) {
        for at in 0..PEAKS / 2 {
            self.peaks[at] = self.peaks[2 * at].max(self.peaks[2 * at + 1]);
        }
        self.peaks.truncate(PEAKS / 2);
        self.interval *= 2;
        self.begun = self.interval;
    }

    fn finish(self, rate: f64) -> Waveform {
        Waveform::new(self.interval as f64 / rate, &self.peaks)
    }
}

/// Returns the largest absolute value, with full scale at 1.0.
fn largest<T: MediaSample>(samples: &[T]) -> f32 {
    match T::as_samples(samples) {
        Samples::Int16(samples) => {
            let (least, most) = samples.iter().fold((0, 0), |(least, most), &sample| {
                (sample.min(least), sample.max(most))
            });
            f32::from(most).max(-f32::from(least)) / 32_768.0
        }
        samples => largest_float(&samples.to_f32()),
    }
}

/// Compares values side by side: the compiler would not change the order of comparisons itself.
fn largest_float(samples: &[f32]) -> f32 {
    const LANES: usize = 16;
    let larger = |largest: f32, sample: f32| match sample.abs() > largest {
        true => sample.abs(),
        false => largest,
    };
    let (chunks, rest) = samples.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for chunk in chunks {
        for (lane, &sample) in lanes.iter_mut().zip(chunk) {
            *lane = larger(*lane, sample);
        }
    }
    let of_rest = rest.iter().copied().fold(0.0, larger);
    lanes.into_iter().fold(of_rest, f32::max)
}

/// Where the ends of intervals of the input went.
struct Places {
    /// Frames of an interval.
    interval: u64,
    /// In frames.
    outputs: Vec<u64>,
    last: TimePoint,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            interval: SHORTEST,
            outputs: Vec::with_capacity(PLACES),
            last: TimePoint::default(),
        }
    }
}

impl Places {
    fn add(&mut self, point: TimePoint) {
        loop {
            let next = (self.outputs.len() as u64 + 1) * self.interval;
            if next > point.input {
                break;
            }
            if self.outputs.len() == PLACES {
                let kept = self.outputs.iter().skip(1).step_by(2);
                self.outputs = kept.copied().collect();
                self.interval *= 2;
                continue;
            }
            let (run, rise) = (
                (point.input - self.last.input).max(1),
                point.output - self.last.output,
            );
            let along = next - self.last.input;
            let output = self.last.output as f64 + along as f64 * rise as f64 / run as f64;
            self.outputs.push(output.round() as u64);
        }
        self.last = point;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_small_whatever_the_length_and_does_not_depend_on_blocks() {
        for frames in [0usize, 1, 31, 32, 33, 5000, 15_360, 15_361, 1_000_000] {
            let samples: Vec<i16> = (0..2 * frames).map(|i| (i % 30_000) as i16).collect();
            let make = |block: usize| {
                let mut picture = Collector::new(2);
                for block in samples.chunks(2 * block) {
                    picture.read(block);
                    picture.written(&block[..block.len() / 4 * 2]);
                }
                for point in (0..=frames as u64).step_by(777) {
                    let output = point / 2;
                    picture.went(TimePoint {
                        input: point,
                        output,
                    });
                }
                picture.finish(1000)
            };
            let whole = make(frames.max(1));
            assert_eq!(make(1000).before, whole.before, "{frames}");
            assert!(whole.before.peaks.len() <= PEAKS);
            assert!(whole.places_ms.len() <= PLACES);
            if frames > 31 * 480 {
                assert!(whole.before.peaks.len() >= PEAKS / 2, "{frames}");
            }
            let covered = whole.before.seconds * whole.before.peaks.len() as f64;
            assert!(covered >= whole.input_seconds, "{frames}");
            for (number, place) in (1..).zip(&whole.places_ms) {
                let input = whole.place_seconds * f64::from(number) * 1000.0;
                assert!((input / 2.0 - *place as f64).abs() < 3.0, "{frames}");
            }
        }
    }

    #[test]
    fn the_loudest_sample_of_each_interval_counts() {
        let mut peaks = Peaks::new(1);
        let mut samples = vec![0.0f32; 320];
        samples[40] = -1.0;
        samples[300] = 0.25;
        peaks.add(&samples);
        assert_eq!(
            peaks.peaks,
            [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.25]
        );
    }
}
