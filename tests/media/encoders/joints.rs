//! Long lossy files are encoded in chunks. Nobody must hear where they join, and players must find
//! nothing wrong there.

use std::process::Command;
use std::sync::Arc;

use audiostretchy_media::encode::{EncodeSpec, Task, Workers};
use audiostretchy_media::format::{Format, OutputOptions};
use audiostretchy_media::samples::Samples;

use super::support::{TestFile, decode, encode, output_of, source};

const RATE: u32 = 24_000;
const SECONDS: usize = 75;

/// Tones in noise, the same throughout.
fn steady(frames: usize) -> Vec<f32> {
    let mut noise = 1u32;
    let sample = |frame: usize| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let hiss = (noise >> 8) as f32 / (1 << 24) as f32 - 0.5;
        let tone = |hz: f64| (std::f64::consts::TAU * hz * frame as f64 / f64::from(RATE)).sin();
        (0.3 * tone(440.0) + 0.2 * tone(1234.5) + 0.05 * tone(5678.9)) as f32 + 0.3 * hiss
    };
    (0..frames).map(sample).collect()
}

/// Frames of a chunk, and the bit rates to try.
fn shapes() -> [(Format, usize); 3] {
    [
        (Format::Mp3, 384 * 576),
        (Format::M4a, 430 * 1024),
        (Format::Opus, 1500 * 480),
    ]
}

#[test]
fn joints_are_as_good_as_the_rest() {
    let samples = steady(RATE as usize * SECONDS);
    for (format, chunk) in shapes() {
        for (bitrate, quality) in [(Some(64), None), (None, Some(6.0))] {
            let options = OutputOptions {
                bitrate_kbps: bitrate,
                quality,
                ..OutputOptions::default()
            };
            let (spec, _) = EncodeSpec::new(&source(1, RATE, true), format, &options).unwrap();
            let file = TestFile::new(format);
            encode(&spec, &samples, true, &file.path);
            let mut decoded = decode(&file.path);
            if format == Format::Opus {
                // Opus is decoded at 48 kHz.
                decoded.samples = decoded.samples.into_iter().step_by(2).collect();
            }
            let what = format!("{} {options:?}", format.name());
            assert_eq!(decoded.samples.len(), samples.len(), "{what}");
            let error = |from: usize, len: usize| -> f64 {
                let pairs = samples[from..from + len]
                    .iter()
                    .zip(&decoded.samples[from..]);
                pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / len as f64
            };
            // A quarter of a second is about ten MP3 frames.
            let len = RATE as usize / 4;
            let windows = (4..4 * SECONDS - 4).map(|window| error(window * len, len));
            let mut windows: Vec<f64> = windows.collect();
            windows.sort_by(f64::total_cmp);
            let median = windows[windows.len() / 2];
            let mut joints = 0;
            for joint in (chunk..samples.len() - chunk + 1).step_by(chunk) {
                let ratio = error(joint - len / 4, len) / median;
                let decibels = 10.0 * ratio.log10();
                assert!(decibels < 1.5, "{what}: {decibels} dB at {joint}");
                joints += 1;
            }
            assert!(joints > 0, "{what}");
        }
    }
}

#[test]
fn other_decoders_find_nothing_wrong_at_joints() {
    let samples = steady(RATE as usize * SECONDS);
    for quality in [None, Some(6.0)] {
        let options = OutputOptions {
            quality,
            ..OutputOptions::default()
        };
        let (spec, _) = EncodeSpec::new(&source(1, RATE, true), Format::Mp3, &options).unwrap();
        let file = TestFile::new(Format::Mp3);
        encode(&spec, &samples, true, &file.path);
        let raw = output_of(
            Command::new("mpg123")
                .args(["-q", "-s", "-e", "s16"])
                .arg(&file.path),
        );
        assert_eq!(raw.len() / 2, samples.len());
    }
}

/// Starts a thread for each task.
struct Threads;

impl Workers for Threads {
    fn offer(&self, task: Task) -> Result<(), Task> {
        std::thread::spawn(task);
        Ok(())
    }

    fn help(&self) -> bool {
        false
    }
}

#[test]
fn bytes_do_not_depend_on_who_encodes() {
    let samples = steady(RATE as usize * SECONDS);
    for format in Format::ALL {
        // M4B is M4A by another name.
        if format == Format::M4b {
            continue;
        }
        let options = OutputOptions::default();
        let (spec, _) = EncodeSpec::new(&source(1, RATE, true), format, &options).unwrap();
        let files = [None, Some(Arc::new(Threads) as Arc<dyn Workers>)].map(|workers| {
            let file = TestFile::new(format);
            let sink = std::fs::File::create(&file.path).unwrap();
            let mut encoder = spec.start_with(sink, workers).unwrap();
            for block in samples.chunks(10_007) {
                encoder.write(Samples::from(block)).unwrap();
            }
            encoder.finish().unwrap();
            std::fs::read(&file.path).unwrap()
        });
        assert!(files[0] == files[1], "{}", format.name());
    }
}
