//! Checks that every chapter and cue point is moved with its audio. `ffmpeg` and `ffprobe` must be
//! installed.
//!
//! The signal has a click at the start of each chapter, voice-like tones, and pauses between them.
//! The test looks for the clicks in the decoded output.

#![allow(clippy::print_stdout)] // Prints the figures of the click test.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use audiostretchy::batch::{FileSettings, IfExists, PlanRequest, RunOptions, Session, StopToken};
use audiostretchy::report::{FileReport, Status};
use audiostretchy::{Format, OutputOptions, StretchOptions};
use rayon::prelude::*;
use serde_json::Value;

const RATE: u32 = 16_000;
const SECONDS: f64 = 8.0;
/// The starts of the chapters, in seconds.
const STARTS: [f64; 6] = [0.9, 2.1, 3.45, 4.8, 6.2, 7.3];
/// How far a chapter may be from its click, in seconds.
const TOLERANCE: f64 = 0.025;

/// Returns a gain that rises and falls smoothly within `length` seconds, so that tones make no
/// clicks.
fn fade(time: f64, length: f64) -> f64 {
    let edge = time.min(length - time).clamp(0.0, 0.05) / 0.05;
    0.5 - 0.5 * (std::f64::consts::PI * edge).cos()
}

fn click_track() -> Vec<i16> {
    let count = (SECONDS * f64::from(RATE)) as usize;
    let mut samples = vec![0.0f64; count];
    for (index, start) in STARTS.iter().enumerate() {
        let next = STARTS.get(index + 1).copied().unwrap_or(SECONDS);
        for (frame, sample) in samples.iter_mut().enumerate() {
            let time = frame as f64 / f64::from(RATE) - start;
            let turns = std::f64::consts::TAU * time;
            if (0.0..0.008).contains(&time) {
                *sample += 0.9 * (3000.0 * turns).sin();
            }
            let pitch = 110.0 + 12.0 * index as f64;
            let voice = 0.2 * (pitch * turns).sin() + 0.1 * (2.0 * pitch * turns).sin();
            *sample += voice * fade(time - 0.01, next - start - 0.4);
        }
    }
    let to_int16 = |sample: &f64| (sample * 32767.0).round() as i16;
    samples.iter().map(to_int16).collect()
}

/// Returns a WAV file with a cue point and a label for each chapter.
fn wav_with_cues(samples: &[i16]) -> Vec<u8> {
    let mut body = b"WAVE".to_vec();
    let mut chunk = |id: &[u8], content: &[u8]| {
        body.extend(id);
        body.extend((content.len() as u32).to_le_bytes());
        body.extend(content);
        if content.len() % 2 == 1 {
            body.push(0);
        }
    };
    let mut format = Vec::new();
    format.extend([1, 0, 1, 0]);
    format.extend(RATE.to_le_bytes());
    format.extend((2 * RATE).to_le_bytes());
    format.extend([2, 0, 16, 0]);
    chunk(b"fmt ", &format);
    let data: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    chunk(b"data", &data);
    let mut cue = (STARTS.len() as u32).to_le_bytes().to_vec();
    let mut labels = b"adtl".to_vec();
    for (id, start) in (1u32..).zip(STARTS) {
        let position = ((start * f64::from(RATE)) as u32).to_le_bytes();
        cue.extend(id.to_le_bytes());
        cue.extend(position);
        cue.extend(b"data\0\0\0\0\0\0\0\0");
        cue.extend(position);
        let title = format!("Part {id}\0");
        labels.extend(b"labl");
        labels.extend((title.len() as u32 + 4).to_le_bytes());
        labels.extend(id.to_le_bytes());
        labels.extend(title.as_bytes());
        labels.resize(labels.len().next_multiple_of(2), 0);
    }
    chunk(b"cue ", &cue);
    chunk(b"LIST", &labels);
    let mut file = b"RIFF".to_vec();
    file.extend((body.len() as u32).to_le_bytes());
    file.extend(body);
    file
}

fn convert(
    input: &Path,
    output: &Path,
    stretch: &StretchOptions,
    sample_rate: Option<u32>,
) -> FileReport {
    let request = PlanRequest {
        settings: FileSettings {
            stretch: stretch.clone(),
            encoding: OutputOptions {
                bitrate_kbps: Some(96),
                sample_rate,
                ..OutputOptions::default()
            },
            ..FileSettings::default()
        },
        if_exists: IfExists::Overwrite,
        ..PlanRequest::new(vec![input.to_owned()], output.to_owned())
    };
    let session = Session::start(&request).unwrap();
    let options = RunOptions {
        jobs: 1,
        ..RunOptions::default()
    };
    let report = session.run(&options, &StopToken::new(), |_| {});
    let [file] = <[FileReport; 1]>::try_from(report.files).unwrap();
    assert_eq!(file.status, Status::Done, "{:?}", file.error);
    file
}

fn ffprobe_chapters(path: &Path) -> Vec<(f64, String)> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-show_chapters", "-of", "json"])
        .arg(path)
        .output()
        .unwrap();
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let chapters = json["chapters"].as_array().unwrap().iter();
    let mut chapters: Vec<_> = chapters
        .map(|chapter| {
            let start: f64 = chapter["start_time"].as_str().unwrap().parse().unwrap();
            let title = chapter["tags"]["title"].as_str().unwrap_or_default();
            (start, title.to_owned())
        })
        .collect();
    chapters.sort_by(|a, b| a.0.total_cmp(&b.0));
    chapters
}

/// Returns where the clicks start in a file as ffmpeg decodes it, in seconds.
fn clicks(path: &Path) -> Vec<f64> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args([
            "-map", "0:a", "-ac", "1", "-ar", "16000", "-f", "s16le", "-",
        ])
        .output()
        .unwrap();
    let samples: Vec<f64> = output
        .stdout
        .chunks_exact(2)
        .map(|bytes| f64::from(i16::from_le_bytes([bytes[0], bytes[1]])) / 32768.0)
        .collect();
    // The second difference keeps the clicks and removes the tones.
    let sharpness = |window: &[f64]| (window[0] - 2.0 * window[1] + window[2]).abs();
    let mut found: Vec<f64> = Vec::new();
    let mut last = f64::NEG_INFINITY;
    for (frame, window) in samples.windows(3).enumerate() {
        let time = frame as f64 / f64::from(RATE);
        if sharpness(window) > 0.12 {
            if time - last > 0.15 {
                found.push(time);
            }
            last = time;
        }
    }
    found
}

/// Returns the cases: options, and a sample rate for the output.
fn cases() -> Vec<(StretchOptions, Option<u32>)> {
    let mut cases = Vec::new();
    for ratio in [0.5, 0.667, 1.25, 2.0] {
        for gap_ratio in [0.25, 1.0] {
            for (sample_rate, double_range) in [(None, false), (Some(24_000), false), (None, true)]
            {
                let stretch = StretchOptions {
                    ratio,
                    gap_ratio,
                    double_range,
                    ..StretchOptions::default()
                };
                cases.push((stretch, sample_rate));
            }
        }
    }
    cases
}

#[test]
fn every_chapter_lies_at_its_click() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.wav");
    std::fs::write(&input, wav_with_cues(&click_track())).unwrap();
    assert_eq!(clicks(&input).len(), STARTS.len());
    let formats = [
        Format::Wav,
        Format::Mp3,
        Format::Flac,
        Format::Ogg,
        Format::Opus,
        Format::M4a,
    ];
    let all = formats.into_iter().flat_map(|format| {
        cases()
            .into_iter()
            .enumerate()
            .map(move |case| (format, case))
    });
    // WAV is tested with every case, and each other format with a third of them, which include
    // every ratio.
    let thinned =
        all.filter(|(format, (case, _))| *format == Format::Wav || case / 3 % 3 == case % 3);
    let jobs: Vec<_> = thinned
        .map(|(format, (_, stretch))| (format, stretch))
        .enumerate()
        .collect();
    let found: Vec<_> = jobs
        .into_par_iter()
        .map(|(index, (format, (stretch, sample_rate)))| {
            let name = format!("{index}.{}", format.extensions()[0]);
            let output: PathBuf = folder.path().join(name);
            convert(&input, &output, &stretch, sample_rate);
            let (chapters, clicks) = (ffprobe_chapters(&output), clicks(&output));
            let what = format!("{format:?} {sample_rate:?} {stretch:?}: {chapters:?} {clicks:?}");
            assert_eq!(chapters.len(), STARTS.len(), "{what}");
            assert_eq!(clicks.len(), STARTS.len(), "{what}");
            let pairs = chapters.iter().zip(&clicks);
            let worst = pairs.map(|((start, _), click)| (start - click).abs());
            let worst = worst.fold(0.0, f64::max);
            assert!(worst <= TOLERANCE, "{what}: {worst}");
            for (number, (_, title)) in (1..).zip(&chapters) {
                assert_eq!(*title, format!("Part {number}"), "{what}");
            }
            (format.name(), worst)
        })
        .collect();
    let mut worst: BTreeMap<&str, f64> = BTreeMap::new();
    for (format, offset) in found {
        let entry = worst.entry(format).or_default();
        *entry = entry.max(offset);
    }
    for (format, offset) in worst {
        println!("{format}: at most {:.1} ms off", offset * 1000.0);
    }
}

#[test]
fn the_written_time_map_tells_where_the_clicks_went() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.wav");
    std::fs::write(&input, wav_with_cues(&click_track())).unwrap();
    for (stretch, sample_rate) in cases() {
        let (output, map) = (
            folder.path().join("out.wav"),
            folder.path().join("map.json"),
        );
        let request = PlanRequest {
            settings: FileSettings {
                stretch: stretch.clone(),
                encoding: OutputOptions {
                    sample_rate,
                    ..OutputOptions::default()
                },
                ..FileSettings::default()
            },
            if_exists: IfExists::Overwrite,
            time_map: Some(map.clone()),
            ..PlanRequest::new(vec![input.clone()], output.clone())
        };
        let session = Session::start(&request).unwrap();
        let report = session.run(&RunOptions::default(), &StopToken::new(), |_| {});
        let file = &report.files[0];
        let map: Value = serde_json::from_slice(&std::fs::read(&map).unwrap()).unwrap();
        let number = |key: &str| map[key].as_u64().unwrap();
        let ends = (number("input_frames"), number("output_frames"));
        let result = file.result.as_ref().unwrap();
        assert_eq!(ends, (file.source.as_ref().unwrap().frames, result.frames));
        assert_eq!(number("input_rate"), u64::from(RATE));
        assert_eq!(number("output_rate"), u64::from(result.sample_rate));

        let points = map["points"].as_array().unwrap().iter();
        let points = points.map(|p| (p[0].as_u64().unwrap(), p[1].as_u64().unwrap()));
        let points: Vec<_> = [(0, 0)].into_iter().chain(points).chain([ends]).collect();
        let rising = |pair: &[(u64, u64)]| pair[0].0 <= pair[1].0 && pair[0].1 <= pair[1].1;
        assert!(points.windows(2).all(rising), "{stretch:?}");

        let found = clicks(&output);
        assert_eq!(found.len(), STARTS.len(), "{stretch:?}");
        for (start, click) in STARTS.into_iter().zip(found) {
            let position = start * f64::from(RATE);
            let after = points
                .partition_point(|point| (point.0 as f64) < position)
                .max(1);
            let (from, to) = (points[after - 1], points[after]);
            let part = (position - from.0 as f64) / (to.0 - from.0) as f64;
            let moved = from.1 as f64 + part * (to.1 - from.1) as f64;
            let moved = moved / f64::from(result.sample_rate);
            assert!(
                (moved - click).abs() <= TOLERANCE,
                "{stretch:?}: {moved} {click}"
            );
        }
    }
}
