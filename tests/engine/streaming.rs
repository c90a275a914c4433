//! Properties of the engine that hold for any audio and any parameters.

use audiostretchy::{Sample, StretchOptions, Stretcher, TimeMap, TimePoint};
use proptest::prelude::*;

/// Audio to generate: its shape, its length and its format.
#[derive(Debug, Clone)]
struct Source {
    shape: Shape,
    sample_rate: u32,
    channels: usize,
    frames: usize,
}

#[derive(Debug, Clone)]
enum Shape {
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
fn noise(mut state: u32) -> impl FnMut() -> f32 {
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
    fn samples(&self) -> Vec<f32> {
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

    fn samples_i16(&self) -> Vec<i16> {
        let scaled = |sample: f32| (sample * 32768.0).round_ties_even();
        let limited = |sample| scaled(sample).clamp(-32768.0, 32767.0) as i16;
        self.samples().into_iter().map(limited).collect()
    }
}

/// Returns the whole output for `input`, passed in blocks whose lengths in frames are taken from
/// `blocks` by turns.
fn stretch_in_blocks<T: Sample>(
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

fn stretcher<T: Sample>(options: &StretchOptions, source: &Source) -> Stretcher<T> {
    Stretcher::new(options, source.sample_rate, source.channels).unwrap()
}

fn stretch<T: Sample>(options: &StretchOptions, source: &Source, input: &[T]) -> Vec<T> {
    stretch_in_blocks(
        &mut stretcher(options, source),
        input,
        source.channels,
        &[usize::MAX / 8],
    )
}

fn with_ratio(ratio: f64) -> StretchOptions {
    StretchOptions {
        ratio,
        ..StretchOptions::default()
    }
}

fn shapes() -> impl Strategy<Value = Shape> {
    prop_oneof![
        Just(Shape::Silence),
        (2usize..2000).prop_map(Shape::Square),
        (20.0f32..2000.0).prop_map(Shape::Tone),
        any::<u32>().prop_map(Shape::Noise),
        (60.0f32..400.0).prop_map(Shape::Gaps),
    ]
}

/// Generates up to about a second of audio at common sample rates.
fn sources() -> impl Strategy<Value = Source> {
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

fn ratios() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 0.25f64..=4.0,
        1 => prop::sample::select(vec![0.25, 0.5, 1.0, 1.5, 2.0, 4.0]),
    ]
}

/// Generates parameters that are valid at every rate of `sources`, with the default pitch range or
/// a narrow one.
fn options() -> impl Strategy<Value = StretchOptions> {
    let pitch_ranges = prop::sample::select(vec![(333, 55), (300, 80), (1000, 100)]);
    let gap_ratios = prop_oneof![Just(0.0), ratios()];
    (
        ratios(),
        gap_ratios,
        pitch_ranges,
        any::<bool>(),
        detections(),
        1.0f32..=100.0,
    )
        .prop_map(
            |(ratio, gap_ratio, (upper_freq, lower_freq), double_range, detection, buffer_ms)| {
                StretchOptions {
                    ratio,
                    gap_ratio,
                    upper_freq,
                    lower_freq,
                    double_range,
                    fast_detection: detection == Some(true),
                    normal_detection: detection == Some(false),
                    buffer_ms,
                    ..StretchOptions::default()
                }
            },
        )
}

/// Generates the setting of fast detection: on, off, or by the sample rate.
fn detections() -> impl Strategy<Value = Option<bool>> {
    prop::option::of(any::<bool>())
}

/// Generates every rate and every parameter that validation accepts.
fn everything_allowed() -> impl Strategy<Value = (StretchOptions, Source)> {
    (8_000u32..=384_000, 1usize..=8, 0.0f64..1.0, 0.0f64..1.0).prop_flat_map(
        |(sample_rate, channels, low, high)| {
            // The lower frequency is distributed evenly over the octaves.
            let most = f64::from((sample_rate - 1) / 2 / 2);
            let lower_freq = (20.0 * (most / 20.0).powf(low)) as u32;
            let least = (2 * lower_freq).max(41);
            let upper_freq =
                least + (f64::from((sample_rate - 1) / 2 - least) * high.powi(3)) as u32;
            let longest = (sample_rate / lower_freq) as usize;
            (
                options(),
                -70.0f32..=-10.0,
                shapes(),
                (longest..3 * longest, 0usize..4000).prop_map(|(a, b)| a + b),
            )
                .prop_map(move |(options, threshold_gap_db, shape, frames)| {
                    let options = StretchOptions {
                        upper_freq,
                        lower_freq,
                        threshold_gap_db,
                        ..options
                    };
                    let source = Source {
                        shape,
                        sample_rate,
                        channels,
                        frames,
                    };
                    (options, source)
                })
        },
    )
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Checks that points rise in both coordinates and end at the ends of the input and the output.
fn check_points(points: &[TimePoint], input_frames: usize, output_frames: usize) {
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

proptest! {
    #![proptest_config(config(96))]

    #[test]
    fn how_audio_is_cut_into_blocks_never_changes_the_output(
        options in options(),
        source in sources(),
        block in prop::sample::select(vec![1usize, 7, 1000]),
        blocks in prop::collection::vec(0usize..5000, 1..10).prop_filter("progress", |b| b.iter().sum::<usize>() > 0),
    ) {
        let input = source.samples();
        let whole = stretch(&options, &source, &input);
        let mut again = stretcher(&options, &source);
        for blocks in [&[block][..], &blocks] {
            // The same stretcher is used every time: `finish` must reset it completely.
            let cut = stretch_in_blocks(&mut again, &input, source.channels, blocks);
            prop_assert!(cut == whole, "f32 in blocks of {blocks:?}");
        }

        let input = source.samples_i16();
        let whole = stretch(&options, &source, &input);
        let mut again = stretcher(&options, &source);
        for blocks in [&[block][..], &blocks] {
            let cut = stretch_in_blocks(&mut again, &input, source.channels, blocks);
            prop_assert!(cut == whole, "i16 in blocks of {blocks:?}");
        }
    }

    #[test]
    fn the_output_is_as_long_as_the_ratio_asks_for(
        options in options(),
        source in sources(),
    ) {
        let options = StretchOptions { gap_ratio: 0.0, ..options };
        let output = stretch(&options, &source, &source.samples_i16());
        let (_, longest) = options.periods(source.sample_rate);
        let periods = if options.uses_cascade() { 16 } else { 5 };
        let wanted = source.frames as f64 * options.ratio;
        let frames = output.len() / source.channels;
        prop_assert!(
            (frames as f64 - wanted).abs() <= (periods * longest) as f64,
            "{frames} frames for {wanted}, longest period {longest}",
        );
    }

    #[test]
    fn a_ratio_of_one_changes_nothing(
        options in options(),
        source in sources(),
        gap_ratio in prop::sample::select(vec![0.0f64, 1.0]),
        channels in 1usize..=8,
        block in 1usize..40_000,
    ) {
        let options = StretchOptions { ratio: 1.0, gap_ratio, ..options };
        let source = Source { channels, ..source };
        let mut stretcher =
            Stretcher::with_time_map(&options, source.sample_rate, source.channels).unwrap();
        let input = source.samples();
        let output = stretch_in_blocks(&mut stretcher, &input, channels, &[block]);
        prop_assert!(output == input);
        let points: Vec<_> = stretcher.drain_time_points().collect();
        prop_assert!(points.iter().all(|point| point.input == point.output));
        check_points(&points, source.frames, source.frames);
    }

    #[test]
    fn silence_stays_silence(options in options(), source in sources()) {
        let source = Source { shape: Shape::Silence, ..source };
        prop_assert!(stretch(&options, &source, &source.samples_i16()).iter().all(|&v| v == 0));
        prop_assert!(stretch(&options, &source, &source.samples()).iter().all(|&v| v == 0.0));
    }

    #[test]
    fn the_time_map_rises_from_start_to_end(
        (options, source) in (options(), sources()),
        channels in 1usize..=8,
        block in 1usize..20_000,
    ) {
        let source = Source { channels, ..source };
        let mut stretcher =
            Stretcher::with_time_map(&options, source.sample_rate, channels).unwrap();
        let input = source.samples_i16();
        // Runs twice because `finish` must start a new map.
        for _ in 0..2 {
            let output = stretch_in_blocks(&mut stretcher, &input, channels, &[block]);
            let points: Vec<_> = stretcher.drain_time_points().collect();
            check_points(&points, source.frames, output.len() / channels);
        }
    }
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn whatever_validation_lets_through_works((options, source) in everything_allowed()) {
        options.validate_for(source.sample_rate, source.channels).unwrap();
        let mut stretcher =
            Stretcher::with_time_map(&options, source.sample_rate, source.channels).unwrap();
        let input = source.samples_i16();
        let output = stretch_in_blocks(&mut stretcher, &input, source.channels, &[source.frames / 2 + 1]);
        let points: Vec<_> = stretcher.drain_time_points().collect();
        check_points(&points, source.frames, output.len() / source.channels);
    }

    #[test]
    fn odd_floats_do_no_harm(
        options in options(),
        channels in 1usize..=8,
        values in prop::collection::vec(
            prop_oneof![
                any::<f32>(),
                Just(f32::NAN),
                Just(f32::INFINITY),
                Just(f32::NEG_INFINITY),
                Just(f32::MAX),
                -1.0f32..=1.0,
            ],
            1..200,
        ),
    ) {
        let source = Source { shape: Shape::Silence, sample_rate: 16_000, channels, frames: 8_000 };
        let input: Vec<f32> = values.into_iter().cycle().take(8_000 * channels).collect();
        let output = stretch(&options, &source, &input);
        prop_assert!(output.len().is_multiple_of(channels));
    }
}

#[test]
fn the_highest_rate_and_the_longest_periods_work() {
    for channels in [1, 8] {
        let source = Source {
            shape: Shape::Square(19_000),
            sample_rate: 384_000,
            channels,
            frames: 80_000,
        };
        for normal_detection in [false, true] {
            let options = StretchOptions {
                lower_freq: 20,
                upper_freq: 41,
                normal_detection,
                ..with_ratio(0.7)
            };
            let input = source.samples_i16();
            let output = stretch(&options, &source, &input);
            assert!((output.len() as f64) < 0.9 * input.len() as f64);
        }
    }
}

#[test]
fn nothing_in_gives_nothing_out() {
    for ratio in [0.25, 0.7, 1.0, 3.0] {
        let mut stretcher = Stretcher::<f32>::with_time_map(&with_ratio(ratio), 44_100, 2).unwrap();
        let mut output = Vec::new();
        stretcher.process(&[], &mut output);
        stretcher.finish(&mut output);
        assert!(output.is_empty());
        assert_eq!(stretcher.drain_time_points().count(), 0);
    }
}

#[test]
#[should_panic(expected = "whole frames of 2 channels")]
fn half_a_frame_is_refused() {
    let mut stretcher = Stretcher::<i16>::new(&with_ratio(0.5), 44_100, 2).unwrap();
    stretcher.process(&[1], &mut Vec::new());
}

#[test]
fn the_time_map_of_a_steady_tone_is_nearly_straight() {
    let source = Source {
        shape: Shape::Tone(200.0),
        sample_rate: 44_100,
        channels: 1,
        frames: 88_200,
    };
    let mut stretcher = Stretcher::with_time_map(&with_ratio(1.5), 44_100, 1).unwrap();
    stretch_in_blocks(&mut stretcher, &source.samples(), 1, &[4096]);
    let map = TimeMap::new(stretcher.drain_time_points().collect());
    for input in (0..88_200u64).step_by(500) {
        let found = map.output_position(input) as f64;
        // Twice the longest period, which is 802 frames.
        assert!(
            (found - input as f64 * 1.5).abs() < 1604.0,
            "{input}: {found}"
        );
    }
}
