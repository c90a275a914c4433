//! Properties of the engine that hold for any audio and any parameters.

use audiostretchy::{StretchOptions, Stretcher, TimeMap};
use proptest::prelude::*;

use super::sources::*;

fn with_ratio(ratio: f64) -> StretchOptions {
    StretchOptions {
        ratio,
        ..StretchOptions::default()
    }
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
