//! The engine against the reference: 501 cases, to the last bit.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use audiostretchy::{StretchOptions, Stretcher};
use serde::Deserialize;
use sha2::{Digest, Sha256};

#[derive(Deserialize)]
struct Case {
    case: u32,
    input: String,
    ratio: f32,
    gap_ratio: Option<f32>,
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
            ratio: self.ratio,
            gap_ratio: self.gap_ratio.unwrap_or(default.gap_ratio),
            upper_freq: self.upper_freq.unwrap_or(default.upper_freq),
            lower_freq: self.lower_freq.unwrap_or(default.lower_freq),
            buffer_ms: self.buffer_ms.unwrap_or(default.buffer_ms),
            threshold_gap_db: self.threshold_gap_db.unwrap_or(default.threshold_gap_db),
            double_range: self.double_range,
            fast_detection: self.fast_detection,
            normal_detection: self.normal_detection,
            ..default
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
