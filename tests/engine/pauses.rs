//! `max_pause`: the middle of long pauses is left out, and nothing else.

use audiostretchy_engine::options::Engine;
use audiostretchy_engine::{StretchOptions, Stretcher, TimeMap};
use proptest::prelude::*;

const RATE: u32 = 16_000;
/// The level of the room, 5 dB below the threshold.
const ROOM_DB: f32 = -45.0;

/// Words and the pauses between them, in seconds, as audio: words rise from the room and fade.
struct Speech {
    samples: Vec<f32>,
    /// First frame and end of each word.
    words: Vec<(usize, usize)>,
}

fn speech(pauses: &[f32]) -> Speech {
    let mut noise = 1u32;
    let mut room = || {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let uniform = (noise >> 8) as f32 / (1 << 23) as f32 - 1.0;
        // The mean square of a uniform distribution is a third, that of a sine a half.
        uniform * (1.5f32).sqrt() * 10f32.powf(ROOM_DB / 20.0)
    };
    let mut samples = Vec::new();
    let mut words = Vec::new();
    for (number, pause) in pauses.iter().enumerate() {
        samples.extend((0..(pause * RATE as f32) as usize).map(|_| room()));
        let len = RATE as usize / 4;
        let start = samples.len();
        samples.extend((0..len).map(|i| {
            let hz = 110.0 + 20.0 * (number % 7) as f32;
            let phase = std::f32::consts::TAU * hz * i as f32 / RATE as f32;
            let rise = (std::f32::consts::PI * i as f32 / len as f32).sin();
            rise * 0.2 * (phase.sin() + 0.5 * (2.0 * phase).sin()) + room()
        }));
        words.push((start, samples.len()));
    }
    samples.extend((0..RATE).map(|_| room()));
    Speech { samples, words }
}

/// Returns the output, where the positions went, and how many frames were cut.
fn stretch(
    options: &StretchOptions,
    speech: &Speech,
    block: usize,
    asked: &[usize],
) -> (Vec<f32>, Vec<usize>, u64) {
    let mut stretcher = Stretcher::<f32>::with_time_map(options, RATE, 1).unwrap();
    let (mut output, mut points) = (Vec::new(), Vec::new());
    for block in speech.samples.chunks(block) {
        stretcher.process(block, &mut output);
        points.extend(stretcher.drain_time_points());
    }
    stretcher.finish(&mut output);
    points.extend(stretcher.drain_time_points());
    let end = points.last().unwrap();
    assert_eq!(end.input, speech.samples.len() as u64);
    assert_eq!(end.output, output.len() as u64);
    let map = TimeMap::new(points);
    let place = |&frame: &usize| map.output_position(frame as u64) as usize;
    let places = asked.iter().map(place).collect();
    (output, places, stretcher.cut_frames())
}

/// Returns the lengths of the stretches at or below a level in dB, in frames.
fn quiet_stretches(samples: &[f32], threshold_db: f64) -> Vec<usize> {
    let block = RATE as usize / 100;
    let is_quiet = |block: &[f32]| {
        let energy: f32 = block.iter().map(|sample| sample * sample).sum();
        10.0 * f64::from(2.0 * energy / block.len() as f32).log10() <= threshold_db
    };
    let quiet: Vec<bool> = samples.chunks(block).map(is_quiet).collect();
    let runs = quiet.chunk_by(|a, b| a == b).filter(|run| run[0]);
    runs.map(|run| run.len() * block).collect()
}

fn options(engine: Engine, ratio: f64, max_pause: f64) -> StretchOptions {
    StretchOptions {
        engine,
        ratio,
        max_pause,
        ..StretchOptions::default()
    }
}

#[test]
fn no_pause_is_longer_and_every_word_is_there() {
    let speech = speech(&[0.2, 0.5, 0.9, 1.7, 3.0, 5.0, 0.31, 0.42, 2.2]);
    let starts: Vec<usize> = speech.words.iter().map(|word| word.0 + 1000).collect();
    for engine in Engine::ALL {
        for (ratio, max_pause) in [(1.0, 0.4), (0.7, 0.3), (1.5, 0.6), (0.5, 0.1)] {
            let options = options(engine, ratio, max_pause);
            let (output, places, cut) = stretch(&options, &speech, 4000, &starts);
            let what = format!("{engine:?} {ratio} {max_pause}");
            assert!(cut > 0, "{what}");
            // The edges of words lie below the threshold too, for less than a block.
            let edges = 0.025 * ratio.max(1.0) + 0.01;
            let most = ((max_pause + edges) * f64::from(RATE)) as usize;
            let longest = quiet_stretches(&output, -40.0).into_iter().max().unwrap();
            assert!(longest <= most, "{what}: {longest} of {most}");
            let expected = (speech.samples.len() as u64 - cut) as f64 * ratio;
            assert!((output.len() as f64 - expected).abs() < 4000.0, "{what}");
            // Loud, where the middles of words are told to be.
            for (place, word) in places.iter().zip(&speech.words) {
                let level = |samples: &[f32]| samples.iter().map(|s| s * s).sum::<f32>();
                let here = level(&output[*place..*place + 400]);
                let there = level(&speech.samples[word.0 + 1000..word.0 + 1400]);
                let ratio = here / there;
                assert!((0.4..2.5).contains(&ratio), "{what}: {ratio} at {place}");
            }
        }
    }
}

#[test]
fn at_ratio_1_words_are_exact_and_short_pauses_too() {
    let speech = speech(&[0.2, 2.0, 0.3, 5.0, 0.1]);
    let starts: Vec<usize> = speech.words.iter().map(|word| word.0).collect();
    for engine in Engine::ALL {
        let (output, places, cut) = stretch(&options(engine, 1.0, 0.4), &speech, 777, &starts);
        assert_eq!(output.len() as u64, speech.samples.len() as u64 - cut);
        for (place, word) in places.iter().zip(&speech.words) {
            let word = &speech.samples[word.0..word.1];
            assert!(
                output[*place..*place + word.len()] == *word,
                "{engine:?} {place}"
            );
        }
        // The pauses of 0.2, 0.3 and 0.1 s.
        assert_eq!(places[0], starts[0]);
        assert_eq!(places[2] - places[1], starts[2] - starts[1]);
    }
}

#[test]
fn a_soft_word_at_the_threshold_is_no_pause() {
    // Between 2 dB below the threshold and the threshold.
    let samples = (0..3 * RATE).map(|i| {
        let phase = std::f32::consts::TAU * 150.0 * i as f32 / RATE as f32;
        10f32.powf(-41.0 / 20.0) * phase.sin()
    });
    let soft = Speech {
        samples: samples.collect(),
        words: Vec::new(),
    };
    let mut stretcher = Stretcher::<f32>::new(&options(Engine::Tdhs, 1.0, 0.2), RATE, 1).unwrap();
    let mut output = Vec::new();
    stretcher.process(&soft.samples, &mut output);
    stretcher.finish(&mut output);
    assert_eq!(stretcher.cut_frames(), 0);
    assert!(output == soft.samples);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn blocks_of_any_size_give_the_same(
        block in 1usize..9000,
        ratio in 0.5f64..2.0,
        max_pause in 0.1f64..1.0,
        adaptive in any::<bool>(),
        pauses in prop::collection::vec(0.05f32..2.0, 1..5),
    ) {
        let engine = if adaptive { Engine::Adaptive } else { Engine::Tdhs };
        let options = options(engine, ratio, max_pause);
        let speech = speech(&pauses);
        let whole = stretch(&options, &speech, usize::MAX, &[100]);
        prop_assert!(whole == stretch(&options, &speech, block, &[100]));
    }
}
