//! Audio to stretch, and how it is stretched.

use audiostretchy::{Sample, StretchOptions, Stretcher, TimePoint};
use proptest::prelude::*;

/// Audio to generate: its shape, its length and its format.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) shape: Shape,
    pub(super) sample_rate: u32,
    pub(super) channels: usize,
    pub(super) frames: usize,
}

#[derive(Debug, Clone)]
pub(super) enum Shape {
    Silence,
    /// A full-scale square wave with this period in frames.
    Square(usize),
    /// A sine wave of this frequency in Hz with a little noise and a different phase in each
    /// channel.
    Tone(f32),
    /// Noise from this seed.
    Noise(u32),
    /// Tone and near silence by turns, a tenth of a second each.
    Gaps(f32),
}

/// Returns a generator of deterministic noise from -1 to 1 (xorshift).
pub(super) fn noise(mut state: u32) -> impl FnMut() -> f32 {
    state |= 1;
    move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as f32 / u32::MAX as f32 * 2.0 - 1.0
    }
}

impl Source {
    /// Returns the samples, interleaved, with full scale at 1.0.
    pub(super) fn samples(&self) -> Vec<f32> {
        let mut noise = noise(match self.shape {
            Shape::Noise(seed) => seed,
            _ => 1,
        });
        let mut value = |frame: usize, channel: usize| {
            let mut tone = |freq: f32| {
                let turns = frame as f32 * freq / self.sample_rate as f32 + channel as f32 * 0.1;
                (turns.fract() * std::f32::consts::TAU).sin() * 0.9 + noise() * 0.05
            };
            match self.shape {
                Shape::Silence => 0.0,
                Shape::Square(period) if frame % period < period / 2 => -1.0,
                Shape::Square(_) => 1.0,
                Shape::Tone(freq) => tone(freq),
                Shape::Noise(_) => noise(),
                Shape::Gaps(freq) if (frame * 10 / self.sample_rate as usize).is_multiple_of(2) => {
                    tone(freq)
                }
                Shape::Gaps(_) => noise() * 0.001,
            }
        };
        (0..self.frames)
            .flat_map(|frame| (0..self.channels).map(move |channel| (frame, channel)))
            .map(|(frame, channel)| value(frame, channel))
            .collect()
    }

    pub(super) fn samples_i16(&self) -> Vec<i16> {
        let scaled = |sample: f32| (sample * 32768.0).round_ties_even();
        let limited = |sample| scaled(sample).clamp(-32768.0, 32767.0) as i16;
        self.samples().into_iter().map(limited).collect()
    }
}

/// Returns the whole output for `input`, passed in blocks whose lengths in frames are taken from
/// `blocks` by turns.
pub(super) fn stretch_in_blocks<T: Sample>(
    stretcher: &mut Stretcher<T>,
    input: &[T],
    channels: usize,
    blocks: &[usize],
) -> Vec<T> {
    let mut output = Vec::new();
    let mut rest = input;
    for &frames in blocks.iter().cycle() {
        let (now, later) = rest.split_at((frames * channels).min(rest.len()));
        stretcher.process(now, &mut output);
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    stretcher.finish(&mut output);
    output
}

pub(super) fn stretcher<T: Sample>(options: &StretchOptions, source: &Source) -> Stretcher<T> {
    Stretcher::new(options, source.sample_rate, source.channels).unwrap()
}

pub(super) fn stretch<T: Sample>(options: &StretchOptions, source: &Source, input: &[T]) -> Vec<T> {
    stretch_in_blocks(
        &mut stretcher(options, source),
        input,
        source.channels,
        &[usize::MAX / 8],
    )
}

pub(super) fn shapes() -> impl Strategy<Value = Shape> {
    prop_oneof![
        Just(Shape::Silence),
        (2usize..2000).prop_map(Shape::Square),
        (20.0f32..2000.0).prop_map(Shape::Tone),
        any::<u32>().prop_map(Shape::Noise),
        (60.0f32..400.0).prop_map(Shape::Gaps),
    ]
}

/// Generates up to about a second of audio at common sample rates.
pub(super) fn sources() -> impl Strategy<Value = Source> {
    let rates = prop::sample::select(vec![8_000, 16_000, 22_050, 32_000, 44_100, 48_000]);
    let channels = prop::sample::select(vec![1, 2, 6]);
    (shapes(), rates, channels, 0usize..40_000).prop_map(
        |(shape, sample_rate, channels, frames)| Source {
            shape,
            sample_rate,
            channels,
            frames,
        },
    )
}

pub(super) fn ratios() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 0.25f64..=4.0,
        1 => prop::sample::select(vec![0.25, 0.5, 1.0, 1.5, 2.0, 4.0]),
    ]
}

pub(super) fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Checks that points rise in both coordinates and end at the ends of the input and the output.
pub(super) fn check_points(points: &[TimePoint], input_frames: usize, output_frames: usize) {
    for pair in points.windows(2) {
        assert!(
            pair[0].input <= pair[1].input && pair[0].output < pair[1].output,
            "{pair:?} in {points:?}"
        );
    }
    let last = points.last().copied().unwrap_or_default();
    assert_eq!(
        (last.input, last.output),
        (input_frames as u64, output_frames as u64),
        "last of {points:?}"
    );
}
