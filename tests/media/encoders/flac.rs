//! FLAC files, whose encoder is our own.

use std::io::Cursor;
use std::process::Command;

use audiostretchy_containers::input::Input;
use audiostretchy_media::decode::Decoder;
use audiostretchy_media::encode::EncodeSpec;
use audiostretchy_media::format::{BitDepth, EncoderEffort, Format};
use audiostretchy_media::samples::Samples;

use super::support::{TestFile, converted, decode, encode, output_of, probe, source, tones};

#[test]
fn flac_files_pass_the_reference_decoder() {
    for channels in 1..=6 {
        for float in [false, true] {
            let (spec, _) = converted(&source(channels, 44_100, float), Format::Flac);
            let file = TestFile::new(Format::Flac);
            encode(&spec, &tones(channels, 44_100, 9_000), float, &file.path);
            output_of(
                Command::new("flac")
                    .args(["-t", "-s", "-w"])
                    .arg(&file.path),
            );
            let depth = if float { "24" } else { "16" };
            assert_eq!(probe(&file.path, "bits_per_raw_sample"), depth);
        }
    }
}

#[test]
fn flac_keeps_the_choice_of_speakers() {
    let mut info = source(6, 44_100, false);
    for (mask, layout) in [(0x3F, "5.1"), (0x60F, "5.1(side)")] {
        info.channel_mask = Some(mask);
        let (spec, _) = converted(&info, Format::Flac);
        let file = TestFile::new(Format::Flac);
        encode(&spec, &tones(6, 44_100, 101), false, &file.path);
        assert_eq!(probe(&file.path, "channel_layout"), layout);
    }
}

#[test]
fn flac_takes_24_bits_of_a_float_source_with_a_warning() {
    let (spec, codes) = converted(&source(2, 44_100, true), Format::Flac);
    assert_eq!(spec.bit_depth, BitDepth::Int24);
    assert_eq!(codes, ["bit-depth-reduced"]);
    let (spec, codes) = converted(&source(2, 44_100, false), Format::Flac);
    assert_eq!(spec.bit_depth, BitDepth::Int16);
    assert!(codes.is_empty());
}

#[test]
fn flac_counts_clipped_samples() {
    let (spec, _) = converted(&source(1, 44_100, true), Format::Flac);
    let file = TestFile::new(Format::Flac);
    let encoded = encode(&spec, &[0.0, 1.5, -1.5, 0.5], true, &file.path);
    assert_eq!(encoded.clipped_samples, 2);
    assert_eq!(decode(&file.path).samples[2], -1.0);
}

#[test]
fn noise_and_silence_are_exact_in_flac() {
    let mut state = 1u32;
    let noise: Vec<f32> = (0..40_000)
        .map(|i| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let loud = if (i / 5_000) % 2 == 0 { 1.0 } else { 0.0 };
            loud * (state as i32 >> 16) as f32 / 32768.0
        })
        .collect();
    let (spec, _) = converted(&source(2, 44_100, false), Format::Flac);
    let file = TestFile::new(Format::Flac);
    encode(&spec, &noise, false, &file.path);
    assert_eq!(decode(&file.path).samples, noise);
}

/// A signal's name, and its integer at a frame.
type Signal = (&'static str, Box<dyn FnMut(usize) -> i32>);

/// What is hard to encode: signals without end, as integers of so many bits.
fn signals(bits: u32) -> [Signal; 7] {
    let full = (1i32 << (bits - 1)) - 1;
    let mut noise = 1u32;
    let mut next = move || {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        noise as i32 >> (32 - bits)
    };
    let sine = move |i: usize| (f64::from(full) * (i as f64 * 0.05).sin()) as i32;
    [
        ("noise at full scale", Box::new(move |_| next())),
        (
            "alternation",
            Box::new(move |i| if i % 2 == 0 { full } else { -full - 1 }),
        ),
        ("silence", Box::new(|_| 0)),
        ("one sample off silence", Box::new(|i| i32::from(i == 7))),
        ("full scale", Box::new(move |_| -full - 1)),
        ("a loud sine", Box::new(sine)),
        ("every 16th step", Box::new(move |i| sine(i) & !15)),
    ]
}

/// Encodes integers, decodes them with our own decoder, and compares. Returns the file.
fn check_exact(spec: &EncodeSpec, integers: &[i32], what: &str) -> Vec<u8> {
    let bits = if spec.bit_depth == BitDepth::Int16 {
        16
    } else {
        24
    };
    let scale = (1i64 << (bits - 1)) as f32;
    let samples: Vec<f32> = integers.iter().map(|&value| value as f32 / scale).collect();
    let mut file = Vec::new();
    let mut encoder = spec.start(Cursor::new(&mut file)).unwrap();
    for block in samples.chunks(1000 * spec.channels) {
        encoder.write(Samples::from(block)).unwrap();
    }
    let encoded = encoder.finish().unwrap();
    assert_eq!(
        encoded.frames as usize * spec.channels,
        samples.len(),
        "{what}"
    );
    let input = Input::from_reader(Cursor::new(file.clone())).unwrap();
    let mut decoder = Decoder::from_input(&input).unwrap();
    let (mut decoded, mut block) = (Vec::new(), Vec::<f32>::new());
    while decoder.next_block(&mut block).unwrap() {
        decoded.extend_from_slice(&block);
    }
    assert!(decoder.damage().warnings(44_100).is_empty(), "{what}");
    assert!(decoded == samples, "{what}");
    file
}

#[test]
fn three_thousand_edge_cases_are_exact() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    let lengths = [
        1, 2, 3, 4, 5, 11, 12, 13, 14, 31, 127, 128, 255, 256, 257, 300, 4095, 4096, 4097, 8999,
    ];
    for float in [false, true] {
        for (channels, frames) in (1..=8).flat_map(|n| lengths.map(|frames| (n, frames))) {
            for effort in EncoderEffort::ALL {
                let (mut spec, _) = converted(&source(channels, 44_100, float), Format::Flac);
                spec.encoder_effort = effort;
                let bits = if float { 24 } else { 16 };
                for (what, mut signal) in signals(bits) {
                    // Long ones with the default effort alone: this takes time.
                    if frames > 300 && effort != EncoderEffort::Default && channels > 2 {
                        continue;
                    }
                    let integers: Vec<i32> = (0..frames * channels)
                        .map(|i| signal(i / channels + 3 * (i % channels)))
                        .collect();
                    let what = format!("{what}, {channels} channels, {frames} frames, {effort:?}");
                    let path = folder.path().join(format!("{}.flac", files.len()));
                    std::fs::write(&path, check_exact(&spec, &integers, &what)).unwrap();
                    files.push(path);
                }
            }
        }
    }
    assert!(files.len() > 3000, "{}", files.len());
    for files in files.chunks(500) {
        output_of(Command::new("flac").args(["-t", "-s", "-w"]).args(files));
    }
}

#[test]
fn every_sample_rate_is_in_the_header() {
    for rate in [
        8000, 22_050, 44_100, 44_101, 65_537, 88_200, 96_000, 176_400, 192_000, 250_000, 352_800,
        384_000, 383_999,
    ] {
        let (spec, _) = converted(&source(2, rate, false), Format::Flac);
        let file = TestFile::new(Format::Flac);
        encode(&spec, &tones(2, rate, 5_000), false, &file.path);
        output_of(
            Command::new("flac")
                .args(["-t", "-s", "-w"])
                .arg(&file.path),
        );
        assert_eq!(probe(&file.path, "sample_rate"), rate.to_string());
    }
}

#[test]
fn flac_files_can_be_searched() {
    let (spec, _) = converted(&source(1, 8000, false), Format::Flac);
    let file = TestFile::new(Format::Flac);
    let samples = tones(1, 8000, 8000 * 65);
    encode(&spec, &samples, false, &file.path);
    let list = output_of(
        Command::new("metaflac")
            .args(["--list", "--block-type=SEEKTABLE"])
            .arg(&file.path),
    );
    let list = String::from_utf8(list).unwrap();
    assert!(list.contains("seek points: 4"), "{list}");
    let part = output_of(
        Command::new("flac")
            .args([
                "-d",
                "-s",
                "-c",
                "--skip=0:41.00",
                "--until=0:42.00",
                "--force-raw-format",
                "--endian=little",
                "--sign=signed",
            ])
            .arg(&file.path),
    );
    let part: Vec<f32> = part
        .chunks_exact(2)
        .map(|two| f32::from(i16::from_le_bytes([two[0], two[1]])) / 32768.0)
        .collect();
    let expected = super::support::to_int16(&samples[41 * 8000..42 * 8000]);
    let expected: Vec<f32> = expected
        .into_iter()
        .map(|value| f32::from(value) / 32768.0)
        .collect();
    assert!(part == expected);
}
