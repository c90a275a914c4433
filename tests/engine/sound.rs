//! How the adaptive engine sounds: signals made from models, so that the stretched version is known
//! exactly, and the distance of the engine's output from it.

use std::f64::consts::TAU;

use audiostretchy::{Engine, StretchOptions, Stretcher};
use realfft::RealFftPlanner;

use super::sources::{noise, stretch_in_blocks};

const RATE: u32 = 44_100;
const SECONDS: f64 = 2.5;

/// A partial tone at a moment of the original: its frequency in Hz and its amplitude.
type Partials = fn(f64) -> Vec<(f64, f64)>;

/// Renders partials at `ratio` times the length.
fn render(partials: Partials, ratio: f64) -> Vec<f32> {
    let frames = (SECONDS * ratio * f64::from(RATE)).round() as usize;
    let mut phases = vec![0.0; partials(0.0).len()];
    (0..frames)
        .map(|frame| {
            let moment = frame as f64 / f64::from(RATE) / ratio;
            let fade = (moment.min(SECONDS - moment) / 0.05).clamp(0.0, 1.0);
            let mut sum = 0.0;
            for (phase, (hertz, amplitude)) in phases.iter_mut().zip(partials(moment)) {
                *phase += TAU * hertz / f64::from(RATE);
                sum += phase.cos() * amplitude;
            }
            (sum * fade) as f32
        })
        .collect()
}

/// Returns the harmonics of a tone below 10 kHz; `amplitude` is given their number and frequency.
fn harmonics(hertz: f64, count: usize, amplitude: impl Fn(f64, f64) -> f64) -> Vec<(f64, f64)> {
    let harmonic = |k: usize| {
        let (k, hertz) = (k as f64, hertz * k as f64);
        (
            hertz,
            if hertz < 10_000.0 {
                amplitude(k, hertz)
            } else {
                0.0
            },
        )
    };
    (1..=count).map(harmonic).collect()
}

/// A voice whose pitch and vowel glide.
fn voice(moment: f64) -> Vec<(f64, f64)> {
    let hertz = 130.0 + 30.0 * (moment * 2.3).sin() + 10.0 * (moment * 5.1).sin();
    let open = 0.5 + 0.5 * (moment * 4.0).sin();
    let formants = [
        (300.0 + 450.0 * open, 80.0),
        (2200.0 - 1100.0 * open, 100.0),
        (2600.0, 140.0),
    ];
    harmonics(hertz, 60, |_, hertz| {
        let resonance =
            |(centre, width): (f64, f64)| 1.0 / (1.0 + ((hertz - centre) / width).powi(2));
        0.3 * formants.map(resonance).iter().sum::<f64>() / (1.0 + hertz / 1000.0)
    })
}

/// A string with vibrato.
fn violin(moment: f64) -> Vec<(f64, f64)> {
    let cents = 20.0 * (moment * TAU * 5.3).sin();
    harmonics(440.0 * 2f64.powf(cents / 1200.0), 14, |k, _| 0.2 / k)
}

/// A low note that decays, twice a second.
fn bass(moment: f64) -> Vec<(f64, f64)> {
    let decay = (-(moment % 0.5) / 0.3).exp();
    harmonics(41.2, 12, |k, _| 0.3 * decay / k)
}

/// A chord of four held notes.
fn chord(_: f64) -> Vec<(f64, f64)> {
    let notes = [220.0, 277.9, 330.7, 441.7];
    let tone = |note: f64| harmonics(note, 8, |k, _| 0.1 / k);
    notes.into_iter().flat_map(tone).collect()
}

/// Five strings, each with a vibrato of its own.
fn strings(moment: f64) -> Vec<(f64, f64)> {
    let voices = [
        (130.8, 5.0),
        (196.1, 4.7),
        (262.4, 5.6),
        (330.3, 5.2),
        (392.8, 4.9),
    ];
    let tone = |(note, rate): (f64, f64)| {
        let cents = 15.0 * (moment * TAU * rate + note).sin();
        harmonics(note * 2f64.powf(cents / 1200.0), 12, |k, _| 0.1 / k)
    };
    voices.into_iter().flat_map(tone).collect()
}

/// A steady tone.
fn tone(_: f64) -> Vec<(f64, f64)> {
    vec![(440.0, 0.5)]
}

fn stretch(input: &[f32], ratio: f64) -> Vec<f32> {
    let options = StretchOptions {
        engine: Engine::Adaptive,
        ratio,
        ..StretchOptions::default()
    };
    let mut stretcher = Stretcher::new(&options, RATE, 1).unwrap();
    stretch_in_blocks(&mut stretcher, input, 1, &[4096])
}

/// Returns the levels of bands of about a fifth of an octave, in dB, for windows 10 ms apart.
fn levels(audio: &[f32], window: usize) -> Vec<Vec<f64>> {
    let transform = RealFftPlanner::<f64>::new().plan_fft_forward(window);
    let mut spectrum = transform.make_output_vec();
    let bin_width = f64::from(RATE) / window as f64;
    let mut edges: Vec<usize> = (0..46)
        .map(|band| (60.0 * 2f64.powf(f64::from(band) / 6.0) / bin_width) as usize)
        .filter(|&bin| bin < window / 2)
        .collect();
    edges.dedup();
    let starts = (0..audio.len().saturating_sub(window)).step_by(RATE as usize / 100);
    let powers: Vec<Vec<f64>> = starts
        .map(|start| {
            let values = audio[start..start + window].iter().enumerate();
            let hann = |i: usize| 0.5 - 0.5 * (TAU * i as f64 / window as f64).cos();
            let mut values: Vec<f64> = values.map(|(i, &x)| f64::from(x) * hann(i)).collect();
            transform.process(&mut values, &mut spectrum).unwrap();
            let power =
                |bins: &[usize]| spectrum[bins[0]..bins[1]].iter().map(|bin| bin.norm_sqr());
            edges.windows(2).map(|bins| power(bins).sum()).collect()
        })
        .collect();
    let loudest = powers.iter().flatten().copied().fold(0.0, f64::max);
    let level = |power: &f64| 10.0 * (power + loudest * 1e-6).log10();
    powers
        .iter()
        .map(|bands| bands.iter().map(level).collect())
        .collect()
}

/// Returns the mean distance in dB between what is heard and what should be, each window at its
/// best within 10 ms.
fn distance(heard: &[f32], ideal: &[f32], window: usize) -> f64 {
    let (heard, ideal) = (levels(heard, window), levels(ideal, window));
    let between = |a: &[f64], b: &[f64]| {
        let squares: f64 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
        (squares / a.len() as f64).sqrt()
    };
    let best = |(i, bands): (usize, &Vec<f64>)| {
        let near = i.saturating_sub(1)..(i + 2).min(heard.len());
        near.map(|j| between(bands, &heard[j]))
            .fold(f64::MAX, f64::min)
    };
    let count = ideal.len().min(heard.len());
    ideal[..count].iter().enumerate().map(best).sum::<f64>() / count as f64
}

/// Checks that an output is near the ideal, and exactly as long.
#[track_caller]
fn check(partials: Partials, ratio: f64, window: usize, limit: f64) {
    let (input, ideal) = (render(partials, 1.0), render(partials, ratio));
    let heard = stretch(&input, ratio);
    assert_eq!(heard.len(), ideal.len());
    let found = distance(&heard, &ideal, window);
    assert!(found < limit, "{found:.2} dB from the ideal");
    // The measure must be able to fail: played faster or slower, everything is wrong.
    let step = 1.0 / ratio;
    let resampled: Vec<f32> = (0..ideal.len())
        .map(|i| input[((i as f64 * step) as usize).min(input.len() - 1)])
        .collect();
    assert!(distance(&resampled, &ideal, window) > 2.0 * limit);
}

#[test]
fn a_voice_played_faster() {
    check(voice, 0.667, 1024, 1.0);
}

#[test]
fn a_voice_played_slower() {
    check(voice, 1.5, 1024, 1.0);
}

#[test]
fn a_violin_played_faster() {
    check(violin, 0.8, 4096, 1.0);
}

#[test]
fn a_violin_played_slower() {
    check(violin, 1.25, 4096, 1.0);
}

#[test]
fn a_low_note_keeps_its_pitch() {
    check(bass, 0.667, 4096, 2.6);
}

#[test]
fn a_chord_played_faster() {
    check(chord, 0.5, 4096, 2.5);
}

#[test]
fn a_chord_played_slower() {
    check(chord, 2.0, 4096, 2.5);
}

#[test]
fn an_ensemble_of_strings() {
    check(strings, 1.5, 4096, 2.5);
}

#[test]
fn a_steady_tone_stays_pure() {
    for ratio in [0.667, 1.5] {
        let heard = stretch(&render(tone, 1.0), ratio);
        let middle = &heard[RATE as usize / 2..][..RATE as usize];
        // What remains when the tone itself, of any phase, is taken away.
        let sum = |part: fn(f64) -> f64| -> f64 {
            let phase = |i: usize| i as f64 * 440.0 * TAU / f64::from(RATE);
            middle
                .iter()
                .enumerate()
                .map(|(i, &x)| f64::from(x) * part(phase(i)))
                .sum()
        };
        let energy: f64 = middle.iter().map(|&x| f64::from(x).powi(2)).sum();
        let tone = (sum(f64::cos).powi(2) + sum(f64::sin).powi(2)) * 2.0 / middle.len() as f64;
        let rest = 10.0 * ((energy - tone).max(0.0) / energy + 1e-12).log10();
        assert!(rest < -15.0, "{rest:.1} dB beside the tone at {ratio}");
    }
}

#[test]
fn hits_stay_in_place_and_are_heard_once() {
    let mut noise = noise(7);
    let hits: Vec<f64> = (0..9).map(|i| 0.15 + 0.27 * f64::from(i)).collect();
    let input: Vec<f32> = (0..(SECONDS * f64::from(RATE)) as usize)
        .map(|frame| {
            let moment = frame as f64 / f64::from(RATE);
            let since = hits
                .iter()
                .map(|hit| moment - hit)
                .filter(|&since| since >= 0.0);
            let level: f64 = since.map(|since| (-since / 0.01).exp()).sum();
            noise() * level as f32 * 0.5
        })
        .collect();
    for ratio in [0.667, 0.8, 1.25, 1.5, 2.0] {
        let heard = stretch(&input, ratio);
        // Where a millisecond has 10 times the energy of the four before it.
        let energies: Vec<f64> = heard
            .chunks(RATE as usize / 1000)
            .map(|chunk| chunk.iter().map(|&x| f64::from(x * x)).sum::<f64>() + 1e-4)
            .collect();
        let mut found: Vec<f64> = Vec::new();
        for (i, window) in energies.windows(5).enumerate() {
            let before = window[..4].iter().copied().fold(0.0, f64::max);
            let at = (i + 4) as f64 * (RATE as usize / 1000) as f64 / f64::from(RATE);
            if window[4] > 10.0 * before && found.last().is_none_or(|last| at - last > 0.01) {
                found.push(at);
            }
        }
        assert_eq!(found.len(), hits.len(), "at {ratio}: {found:?}");
        for (at, hit) in found.iter().zip(&hits) {
            assert!(
                (at - hit * ratio).abs() < 0.01,
                "at {ratio}: {at}, not {}",
                hit * ratio
            );
        }
    }
}
