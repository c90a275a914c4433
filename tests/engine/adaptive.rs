//! Properties of the adaptive engine.

use std::f32::consts::TAU;

use audiostretchy::{Engine, StretchOptions, Stretcher, Style, TimeMap};
use proptest::prelude::*;

use super::sources::*;

fn adaptive(ratio: f64) -> StretchOptions {
    StretchOptions {
        engine: Engine::Adaptive,
        ratio,
        ..StretchOptions::default()
    }
}

fn styles() -> impl Strategy<Value = Style> {
    prop::sample::select(Style::ALL.to_vec())
}

/// Generates options with and without a ratio for gaps.
fn options() -> impl Strategy<Value = StretchOptions> {
    let gap_ratios = prop_oneof![Just(0.0), ratios()];
    (ratios(), gap_ratios, styles(), 10.0f32..=100.0).prop_map(
        |(ratio, gap_ratio, style, buffer_ms)| StretchOptions {
            gap_ratio,
            style,
            buffer_ms,
            ..adaptive(ratio)
        },
    )
}

/// Returns seconds of music with a bit of everything: chords, which are stretched in the frequency
/// domain, hits, a voice and pauses.
fn medley(sample_rate: u32, channels: usize, seconds: f32, seed: u32) -> Vec<f32> {
    let mut noise = noise(seed);
    let frames = (sample_rate as f32 * seconds) as usize;
    let mut samples = Vec::with_capacity(frames * channels);
    for frame in 0..frames {
        let time = frame as f32 / sample_rate as f32 + seed as f32 % 7.0;
        let tone = |hertz: f32| (time * hertz).fract();
        let sine = |hertz: f32| (tone(hertz) * TAU).sin();
        let chord = |root: f32| {
            let notes = [1.0, 1.26, 1.498, 2.52];
            let partials = |note: f32| (1..6).map(move |k| sine(root * note * k as f32) / k as f32);
            notes
                .iter()
                .map(|&note| partials(note).sum::<f32>())
                .sum::<f32>()
                * 0.1
        };
        let hit = (-40.0 * (time * 3.0).fract() / 3.0).exp() * noise() * 0.5;
        let value = match (time * 0.7) as u32 % 4 {
            0 => chord(220.0),
            1 => chord(196.0) + hit,
            2 => (tone(130.0 + 20.0 * (time * 2.0).sin()) - 0.5) * 0.6,
            _ => noise() * 0.001 + hit * 0.3,
        };
        for channel in 0..channels {
            samples.push(value * (1.0 - 0.1 * channel as f32) + noise() * 0.001);
        }
    }
    samples
}

proptest! {
    #![proptest_config(config(12))]

    #[test]
    fn blocks_never_change_the_output(
        options in options(),
        (sample_rate, channels) in prop::sample::select(vec![(8_000, 1), (16_000, 2), (22_050, 1), (44_100, 2)]),
        seed in any::<u32>(),
        blocks in prop::collection::vec(0usize..30_000, 1..10).prop_filter("progress", |b| b.iter().sum::<usize>() > 0),
    ) {
        let input = medley(sample_rate, channels, 6.0, seed);
        let mut stretcher = Stretcher::with_time_map(&options, sample_rate, channels).unwrap();
        let mut stretch = |blocks: &[usize]| {
            let output = stretch_in_blocks(&mut stretcher, &input, channels, blocks);
            (output, stretcher.drain_time_points().collect::<Vec<_>>())
        };
        let whole = stretch(&[usize::MAX / 8]);
        // The same stretcher is used every time: `finish` must reset it completely.
        for blocks in [&[1000][..], &[1], &blocks] {
            let cut = stretch(blocks);
            prop_assert!(cut == whole, "in blocks of {blocks:?}");
        }
        check_points(&whole.1, input.len() / channels, whole.0.len() / channels);
    }
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn the_output_has_exactly_the_length_asked_for(
        ratio in ratios(),
        style in styles(),
        source in sources(),
    ) {
        let options = StretchOptions { style, ..adaptive(ratio) };
        let frames = (source.frames as f64 * ratio).round() as usize;
        let output = stretch(&options, &source, &source.samples_i16());
        prop_assert_eq!(output.len() / source.channels, frames);
    }

    #[test]
    fn a_ratio_of_one_changes_nothing(style in styles(), source in sources()) {
        let options = StretchOptions { style, ..adaptive(1.0) };
        let input = source.samples();
        prop_assert!(stretch(&options, &source, &input) == input);
        let input = source.samples_i16();
        prop_assert!(stretch(&options, &source, &input) == input);
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
                Just(f32::MIN_POSITIVE / 2.0),
                -1.0f32..=1.0,
            ],
            1..200,
        ),
        run in 1usize..50,
    ) {
        let source = Source { shape: Shape::Silence, sample_rate: 16_000, channels, frames: 24_000 };
        let values = values.into_iter().flat_map(|value| std::iter::repeat_n(value, run));
        let values: Vec<f32> = values.collect();
        let input: Vec<f32> = values.into_iter().cycle().take(24_000 * channels).collect();
        let output = stretch(&options, &source, &input);
        prop_assert!(output.iter().all(|value| value.is_finite()));
    }

    #[test]
    fn every_rate_and_channel_count_works(
        options in options(),
        shape in shapes(),
        sample_rate in prop_oneof![8_000u32..=48_000, 48_000u32..=384_000],
        channels in 1usize..=8,
        frames in 0usize..3_000,
    ) {
        let source = Source { shape, sample_rate, channels, frames };
        let mut stretcher = Stretcher::with_time_map(&options, sample_rate, channels).unwrap();
        let input = source.samples_i16();
        let output = stretch_in_blocks(&mut stretcher, &input, channels, &[777]);
        let points: Vec<_> = stretcher.drain_time_points().collect();
        check_points(&points, frames, output.len() / channels);
    }
}

#[test]
fn gaps_have_exactly_their_own_ratio() {
    // A second of tone, a second of silence, by turns.
    let rate = 16_000;
    let tone = |i: usize| ((i as f32 * 0.05).sin() * 20_000.0) as i16;
    let input: Vec<i16> = (0..8 * rate)
        .map(|i| if i / rate % 2 == 0 { tone(i) } else { 0 })
        .collect();
    for (ratio, gap_ratio) in [(0.8, 0.3), (1.0, 0.25), (1.5, 1.0)] {
        let options = StretchOptions {
            gap_ratio,
            ..adaptive(ratio)
        };
        let mut stretcher = Stretcher::new(&options, rate as u32, 1).unwrap();
        let output = stretch_in_blocks(&mut stretcher, &input, 1, &[1234]);
        let gaps = stretcher.gap_frames() as f64;
        let wanted = (input.len() as f64 - gaps) * ratio + gaps * gap_ratio;
        assert_eq!(
            output.len(),
            wanted.round() as usize,
            "{ratio}, {gap_ratio}"
        );
        assert!(gaps > 3.5 * rate as f64, "{gaps}");
    }
}

#[test]
fn equal_channels_stay_equal() {
    let mono = medley(22_050, 1, 5.0, 3);
    let stereo: Vec<f32> = mono.iter().flat_map(|&value| [value, value]).collect();
    for style in Style::ALL {
        let options = StretchOptions {
            style,
            ..adaptive(1.4)
        };
        let mut stretcher = Stretcher::new(&options, 22_050, 2).unwrap();
        let output = stretch_in_blocks(&mut stretcher, &stereo, 2, &[4096]);
        assert!(
            output.chunks(2).all(|frame| frame[0] == frame[1]),
            "{style:?}"
        );
    }
}

/// Returns a 150 Hz voice as stereo whose channels differ by a factor.
fn voice(factor: f32) -> Vec<f32> {
    (0..3 * 22_050)
        .flat_map(|i| {
            let value = (i as f32 * 150.0 / 22_050.0).fract() * 0.5 - 0.25;
            [value, value * factor]
        })
        .collect()
}

#[test]
fn channels_that_cancel_out_are_cut_as_well_as_others() {
    let spectrum_is_kept = |factor: f32| {
        let mut stretcher = Stretcher::new(&adaptive(0.7), 22_050, 2).unwrap();
        let output = stretch_in_blocks(&mut stretcher, &voice(factor), 2, &[4096]);
        // A badly cut voice is far from periodic.
        let left: Vec<f32> = output.iter().step_by(2).copied().collect();
        let (now, later) = (&left[5_000..30_000], &left[5_147..30_147]);
        let difference: f32 = now.iter().zip(later).map(|(a, b)| (a - b) * (a - b)).sum();
        let energy: f32 = now.iter().map(|a| a * a).sum();
        difference / energy
    };
    assert!(spectrum_is_kept(1.0) < 0.05);
    assert!(spectrum_is_kept(-1.0) < 0.05);
}

#[test]
fn clicks_land_where_the_time_map_says() {
    // Clicks over a soft tone, half a second apart.
    let rate = 44_100;
    let clicks: Vec<usize> = (1..12).map(|i| i * rate / 2).collect();
    let mut input: Vec<f32> = (0..6 * rate + rate / 2)
        .map(|i| (i as f32 * 220.0 * TAU / rate as f32).sin() * 0.05)
        .collect();
    for &click in &clicks {
        for (i, value) in input[click..click + 60].iter_mut().enumerate() {
            *value += if i % 2 == 0 { 0.8 } else { -0.8 } * (1.0 - i as f32 / 60.0);
        }
    }
    for style in Style::ALL {
        for ratio in [0.5, 0.75, 1.3, 2.0] {
            let options = StretchOptions {
                style,
                ..adaptive(ratio)
            };
            let mut stretcher = Stretcher::with_time_map(&options, rate as u32, 1).unwrap();
            let output = stretch_in_blocks(&mut stretcher, &input, 1, &[4096]);
            let map = TimeMap::new(stretcher.drain_time_points().collect());
            for &click in &clicks {
                let mapped = map.output_position(click as u64) as usize;
                let near = &output[mapped - rate / 20..mapped + rate / 20];
                let loudest =
                    (0..near.len()).max_by(|&a, &b| near[a].abs().total_cmp(&near[b].abs()));
                let off = loudest.unwrap() as f64 - rate as f64 / 20.0;
                let ms = off / rate as f64 * 1000.0;
                assert!(ms.abs() < 10.0, "{style:?}, {ratio}: {ms:.1} ms at {click}");
            }
        }
    }
}

#[test]
fn hits_too_close_for_splices_do_not_throw_the_output_off_its_plan() {
    let rate = 22_050;
    let input: Vec<f32> = (0..5 * rate)
        .map(|i| (-((i % (rate / 40)) as f32) / 60.0).exp() * if i % 2 == 0 { 0.8 } else { -0.8 })
        .collect();
    for ratio in [2.0, 3.9] {
        let mut stretcher = Stretcher::with_time_map(&adaptive(ratio), rate as u32, 1).unwrap();
        let output = stretch_in_blocks(&mut stretcher, &input, 1, &[4096]);
        assert_eq!(output.len(), (input.len() as f64 * ratio).round() as usize);
        let map = TimeMap::new(stretcher.drain_time_points().collect());
        for second in 1..5 {
            let position = second * rate;
            let off = map.output_position(position as u64) as f64 / ratio - position as f64;
            assert!(off.abs() < 0.06 * rate as f64, "{off} frames at {ratio}");
        }
    }
}

#[test]
fn sound_that_breaks_off_ends_without_a_click() {
    // Chords, whose end is no zero crossing, in both domains.
    let rate = 24_000u32;
    for tones in [vec![221.3], vec![180.0, 333.3, 521.7, 1103.1]] {
        let samples: Vec<f32> = (0..60_011)
            .map(|i| {
                let time = f64::from(i) / f64::from(rate);
                let wave = |hz: &f64| (std::f64::consts::TAU * hz * time + hz).sin() * 0.15;
                tones.iter().map(wave).sum::<f64>() as f32
            })
            .collect();
        let roughness = |samples: &[f32]| {
            let bends = samples.windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).abs());
            bends.fold(0.0, f32::max)
        };
        for ratio in [0.3, 0.5, 0.8, 1.3, 2.0, 3.9] {
            let options = StretchOptions {
                engine: Engine::Adaptive,
                ratio,
                ..StretchOptions::default()
            };
            let mut stretcher = Stretcher::<f32>::new(&options, rate, 1).unwrap();
            let mut output = Vec::new();
            stretcher.process(&samples, &mut output);
            stretcher.finish(&mut output);
            let (within, last) = output.split_at(output.len() - 4000);
            let before = roughness(&samples).max(roughness(within));
            let after = roughness(last);
            let what = format!("{tones:?}, ratio {ratio}");
            assert!(after < 1.15 * before, "{what}: {after} of {before}");
            assert_eq!(last[3995..], samples[samples.len() - 5..], "{what}");
        }
    }
}
