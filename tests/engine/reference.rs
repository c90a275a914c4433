//! Compares the engine with the reference: 501 cases, equal to the last bit.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use audiostretchy::{Engine, Sample, StretchOptions, Stretcher, Style, TimePoint};
use serde::Deserialize;
use sha2::{Digest, Sha256};

#[derive(Deserialize)]
struct Case {
    case: u32,
    input: String,
    ratio: f64,
    gap_ratio: Option<f64>,
    upper_freq: Option<u32>,
    lower_freq: Option<u32>,
    buffer_ms: Option<f32>,
    threshold_gap_db: Option<f32>,
    #[serde(default)]
    double_range: bool,
    #[serde(default)]
    fast_detection: bool,
    #[serde(default)]
    normal_detection: bool,
    frames: usize,
    sha256: String,
}

impl Case {
    fn options(&self) -> StretchOptions {
        let default = StretchOptions::default();
        StretchOptions {
            engine: Engine::Tdhs,
            style: Style::Auto,
            ratio: self.ratio,
            gap_ratio: self.gap_ratio.unwrap_or(default.gap_ratio),
            upper_freq: self.upper_freq.unwrap_or(default.upper_freq),
            lower_freq: self.lower_freq.unwrap_or(default.lower_freq),
            buffer_ms: self.buffer_ms.unwrap_or(default.buffer_ms),
            threshold_gap_db: self.threshold_gap_db.unwrap_or(default.threshold_gap_db),
            double_range: self.double_range,
            fast_detection: self.fast_detection,
            normal_detection: self.normal_detection,
            max_pause: 0.0,
            duration: 0.0,
            exact_length: false,
        }
    }
}

struct Input {
    sample_rate: u32,
    channels: usize,
    samples: Vec<i16>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reference")
}

fn read_input(name: &str) -> Input {
    let mut reader = hound::WavReader::open(folder().join(name).with_extension("wav")).unwrap();
    Input {
        sample_rate: reader.spec().sample_rate,
        channels: reader.spec().channels.into(),
        samples: reader.samples().map(Result::unwrap).collect(),
    }
}

fn cases() -> Vec<Case> {
    let text = std::fs::read_to_string(folder().join("cases.jsonl")).unwrap();
    let parse = |line| serde_json::from_str(line).unwrap();
    text.lines().map(parse).collect()
}

fn inputs(cases: &[Case]) -> HashMap<&str, Input> {
    let read = |case: &'_ Case| read_input(&case.input);
    cases
        .iter()
        .map(|case| (case.input.as_str(), read(case)))
        .collect()
}

#[test]
fn every_reference_case_is_equal_to_the_last_bit() {
    let cases = cases();
    assert_eq!(cases.len(), 501);
    let inputs = inputs(&cases);
    let mut wrong = Vec::new();
    for case in &cases {
        let input = &inputs[case.input.as_str()];
        let mut output = Vec::new();
        let mut stretcher =
            Stretcher::new(&case.options(), input.sample_rate, input.channels).unwrap();
        stretcher.process(&input.samples, &mut output);
        stretcher.finish(&mut output);
        let mut hash = Sha256::new();
        for sample in &output {
            hash.update(sample.to_le_bytes());
        }
        let frames = output.len() / input.channels;
        if frames != case.frames || format!("{:x}", hash.finalize()) != case.sha256 {
            wrong.push((case.case, case.input.as_str(), frames, case.frames));
        }
    }
    assert!(wrong.is_empty(), "{} cases differ: {wrong:?}", wrong.len());
}

/// Returns an output sample on the 16-bit scale.
fn scaled(sample: f32) -> f64 {
    f64::from(sample) * 32768.0
}

/// Returns the output and the time points of one stretch.
fn stretch<T: Sample>(case: &Case, input: &Input, samples: &[T]) -> (Vec<T>, Vec<TimePoint>) {
    let mut stretcher =
        Stretcher::with_time_map(&case.options(), input.sample_rate, input.channels).unwrap();
    let mut output = Vec::new();
    stretcher.process(samples, &mut output);
    stretcher.finish(&mut output);
    (output, stretcher.drain_time_points().collect())
}

/// Only single stretchers are compared: in a cascade, the second one works on what the first one
/// has rounded.
#[test]
fn full_precision_audio_is_cut_at_the_same_places() {
    // Integer division rounds down, by less than 1. A float below 1.0 has an error of 2^-25 at
    // most, which is 2^-10 on the 16-bit scale.
    let tolerance = 1.0 + 1.0 / 1024.0;
    let cases = cases();
    let inputs = inputs(&cases);
    let mut compared = HashSet::new();
    for case in &cases {
        if case.options().uses_cascade() {
            continue;
        }
        compared.insert(case.input.as_str());
        let input = &inputs[case.input.as_str()];
        let (integers, cuts) = stretch(case, input, &input.samples);
        let floats: Vec<f32> = (input.samples.iter())
            .map(|&sample| f32::from(sample) / 32768.0)
            .collect();
        let (floats, float_cuts) = stretch(case, input, &floats);
        let name = format!("case {}, {}", case.case, case.input);
        assert_eq!(integers.len(), floats.len(), "{name}");
        assert!(cuts == float_cuts, "{name}: other cuts");
        let worst = (integers.iter().zip(&floats))
            .map(|(&integer, &float)| (scaled(float) - f64::from(integer)).abs())
            .fold(0.0, f64::max);
        assert!(worst <= tolerance, "{name}: off by {worst}");
    }
    assert_eq!(compared.len(), inputs.len(), "every input was compared");
}
