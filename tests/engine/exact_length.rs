//! `exact_length` and `duration`: the length to the frame, and nothing to be heard of it.

use audiostretchy_engine::options::Engine;
use audiostretchy_engine::{OptionError, Sample, StretchOptions, Stretcher, TimePoint};
use proptest::prelude::*;

use super::sources::{config, noise, ratios, sources};

const RATE: u32 = 16_000;

fn exact(ratio: f64) -> StretchOptions {
    StretchOptions {
        ratio,
        exact_length: true,
        ..StretchOptions::default()
    }
}

/// Returns the output and the time map.
fn stretch<T: Sample>(
    options: &StretchOptions,
    samples: &[T],
    (rate, channels): (u32, usize),
    block: usize,
) -> (Vec<T>, Vec<TimePoint>) {
    let mut stretcher = Stretcher::<T>::with_time_map(options, rate, channels).unwrap();
    let (mut output, mut points) = (Vec::new(), Vec::new());
    for block in samples.chunks(block * channels) {
        stretcher.process(block, &mut output);
        points.extend(stretcher.drain_time_points());
        // Points never run ahead of the audio that was handed out.
        let end = points.last().map_or(0, |point| point.output as usize);
        assert!(end * channels <= output.len());
    }
    stretcher.finish(&mut output);
    points.extend(stretcher.drain_time_points());
    (output, points)
}

/// Words of half a second with a pitch that falls, in hardly any noise, and pauses of a tenth
/// between them; a tenth of silence at the end, or none.
fn speech(seconds: f64, ends_quietly: bool) -> Vec<f32> {
    let mut noise = noise(3);
    let frames = (seconds * f64::from(RATE)) as usize;
    let mut turns = 0.0;
    (0..frames)
        .map(|i| {
            let time = i as f64 / f64::from(RATE);
            let word = time % 0.6 / 0.5;
            turns += (140.0 - 40.0 * word) / f64::from(RATE);
            let level = match word < 1.0 && !(ends_quietly && time > seconds - 0.1) {
                true => 0.3 * (std::f64::consts::PI * word).sin(),
                false => 0.0,
            };
            let wave: f64 = (1..5)
                .map(|k| (std::f64::consts::TAU * f64::from(k) * turns).sin() / f64::from(k))
                .sum();
            (level * wave) as f32 + 0.0005 * noise()
        })
        .collect()
}

/// Returns the largest second difference: high where there is a click.
fn roughness(samples: &[f32]) -> f32 {
    let bends = samples.windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).abs());
    bends.fold(0.0, f32::max)
}

proptest! {
    #![proptest_config(config(150))]

    #[test]
    fn the_length_is_exact_for_any_audio(
        source in sources(),
        ratio in ratios(),
        adaptive: bool,
        block in 1..5000usize,
    ) {
        let options = StretchOptions {
            engine: if adaptive { Engine::Adaptive } else { Engine::Tdhs },
            ratio,
            exact_length: true,
            ..StretchOptions::default()
        };
        let (rate, channels) = (source.sample_rate, source.channels);
        let samples = source.samples();
        let (output, points) = stretch(&options, &samples, (rate, channels), block);
        let frames = samples.len() / channels;
        let wanted = (ratio * frames as f64).round() as usize;
        prop_assert_eq!(output.len(), wanted * channels);
        prop_assert!(points.windows(2).all(|w| w[0].input <= w[1].input && w[0].output <= w[1].output));
        if let Some(end) = points.last() {
            prop_assert_eq!((end.input as usize, end.output as usize), (frames, wanted));
        }
        let (whole, _) = stretch(&options, &samples, (rate, channels), frames.max(1));
        prop_assert!(output == whole, "the blocks make a difference");
    }

    #[test]
    fn audio_of_16_bits_gets_the_same_length(frames in 0..9000usize, ratio in 0.25..=4.0f64) {
        let samples: Vec<i16> = (0..frames).map(|i| ((i * 97) % 3000) as i16 - 1500).collect();
        let (output, _) = stretch(&exact(ratio), &samples, (RATE, 1), 777);
        prop_assert_eq!(output.len(), (ratio * frames as f64).round() as usize);
    }
}

#[test]
fn only_the_end_differs_from_the_engine_alone() {
    let speech = speech(6.0, false);
    for ratio in [0.3, 0.8, 1.0, 1.7, 3.1] {
        let alone = StretchOptions {
            exact_length: false,
            ..exact(ratio)
        };
        let (alone, _) = stretch(&alone, &speech, (RATE, 1), 4000);
        let (exact, _) = stretch(&exact(ratio), &speech, (RATE, 1), 4000);
        let held = 48 * (RATE as usize / 55 + 1);
        assert!(alone.len().abs_diff(exact.len()) <= 12 * (RATE as usize / 55 + 1));
        let same = exact.len().saturating_sub(held + 4000);
        assert_eq!(alone[..same], exact[..same], "{ratio}");
        if ratio == 1.0 {
            assert_eq!(alone, exact);
        }
    }
}

#[test]
fn nothing_clicks_and_the_end_is_the_end() {
    for ends_quietly in [true, false] {
        for length in [0.03, 0.2, 1.0, 3.3, 5.05] {
            let speech = speech(length, ends_quietly);
            for ratio in [0.25, 0.5, 0.61, 0.9, 1.1, 1.5, 2.2, 4.0] {
                let (output, _) = stretch(&exact(ratio), &speech, (RATE, 1), 4000);
                let what = format!("{length} s, ratio {ratio}, {ends_quietly}");
                // As rough as the source: TDHS alone adds corners of its own, by less than half.
                let (before, after) = (roughness(&speech), roughness(&output));
                assert!(
                    after <= 1.05 * before.max(0.004),
                    "{what}: {after} of {before}"
                );
                // The last frames are those of the source, which is not faded out.
                if length > 0.1 {
                    let last = 20;
                    assert_eq!(
                        output[output.len() - last..],
                        speech[speech.len() - last..],
                        "{what}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_tone_that_cannot_match_keeps_its_shape() {
    for hz in [100.0, 221.7, 440.0, 1000.0] {
        let tone: Vec<f32> = (0..40_000)
            .map(|i| {
                0.5 * (std::f64::consts::TAU * hz * f64::from(i) / f64::from(RATE)).sin() as f32
            })
            .collect();
        for ratio in [0.5, 0.77, 1.3, 2.0] {
            let (output, _) = stretch(&exact(ratio), &tone, (RATE, 1), 4000);
            let end = output.len() - 10_000;
            let (before, after) = (roughness(&tone), roughness(&output[end..]));
            assert!(
                after <= 1.03 * before,
                "{hz} Hz, {ratio}: {after} of {before}"
            );
        }
    }
}

#[test]
fn what_is_quiet_gives_way_before_what_is_not() {
    // Noise, which repeats nowhere, with a quiet place in the last half second.
    let mut noise = noise(9);
    let quiet = 40_000..44_000;
    let samples: Vec<f32> = (0..48_000)
        .map(|i| noise() * if quiet.contains(&i) { 0.001 } else { 0.3 })
        .collect();
    let loud = |samples: &[f32]| samples.iter().filter(|s| s.abs() > 0.01).count();
    let (alone, _) = stretch(
        &StretchOptions {
            exact_length: false,
            ..exact(0.9)
        },
        &samples,
        (RATE, 1),
        4000,
    );
    let (output, _) = stretch(&exact(0.9), &samples, (RATE, 1), 4000);
    assert_ne!(alone.len(), output.len());
    let lost = loud(&alone).abs_diff(loud(&output));
    assert!(lost < 20, "{lost} frames of noise");
}

#[test]
fn a_duration_decides_the_ratio() {
    let options = StretchOptions {
        duration: 2.0,
        ratio: 0.3,
        ..StretchOptions::default()
    };
    let for_input = options.for_input(3 * u64::from(RATE), RATE).unwrap();
    assert!((for_input.ratio - 2.0 / 3.0).abs() < 1e-9);
    let speech = speech(3.0, true);
    let (output, _) = stretch(&for_input, &speech, (RATE, 1), 1000);
    assert_eq!(output.len(), 2 * RATE as usize);
    // At other rates too.
    assert_eq!(options.exact_frames(48_000, RATE, 44_100), Some(88_200));
    assert_eq!(for_input.exact_frames(48_000, RATE, 44_100), Some(88_200));
    assert_eq!(exact(0.5).exact_frames(1001, 48_000, 96_000), Some(1001));
    assert_eq!(
        StretchOptions::default().exact_frames(1000, RATE, RATE),
        None
    );
}

#[test]
fn lengths_that_cannot_be_had_name_those_that_can() {
    let options = |duration| StretchOptions {
        duration,
        ..StretchOptions::default()
    };
    let error = options(1.0).for_input(10 * 44_100, 44_100).unwrap_err();
    assert_eq!(
        error.to_string(),
        "duration is 1 s: it must be from 2.5 to 40 s for an input of 10.000 s"
    );
    let error = options(41.0).for_input(10 * 44_100, 44_100).unwrap_err();
    assert!(error.to_string().contains("from 2.5 to 40 s"), "{error}");
    for frames in [70u64, 1000, 44_101, 441_007] {
        let error = options(0.001).for_input(frames * 100, 44_100);
        let allowed = error.unwrap_err().to_string();
        let ends: Vec<f64> = (allowed.split(' '))
            .filter_map(|word| word.parse().ok())
            .collect();
        for end in [ends[1], ends[2]] {
            let options = options(end).for_input(frames * 100, 44_100).unwrap();
            options.validate().unwrap();
        }
    }
    let error = options(1.0).for_input(0, 44_100).unwrap_err();
    assert!(error.to_string().contains("empty"), "{error}");
    assert_eq!(
        Stretcher::<f32>::new(&options(1.0), RATE, 1).err(),
        Some(OptionError::DurationOfUnknown)
    );
}

#[test]
fn pauses_and_a_length_exclude_each_other() {
    for exact in [
        exact(0.5),
        StretchOptions {
            duration: 1.0,
            ..StretchOptions::default()
        },
    ] {
        let gap = StretchOptions {
            gap_ratio: 0.3,
            ..exact.clone()
        };
        assert_eq!(
            gap.validate(),
            Err(OptionError::LengthAndPauses("gap_ratio"))
        );
        let pause = StretchOptions {
            max_pause: 0.3,
            ..exact
        };
        assert_eq!(
            pause.validate(),
            Err(OptionError::LengthAndPauses("max_pause"))
        );
    }
}
