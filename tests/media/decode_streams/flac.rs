//! FLAC files with data after their end, wrong headers, unusual block sizes, and changes of format.

use super::{SECONDS, is_like, joined, sound};
use crate::files::{Files, decode, difference};

#[test]
fn what_is_behind_the_last_frame_is_passed_over() {
    let files = Files::new();
    let source = files.source(44_100, 2, SECONDS);
    let path = files.encode(&source, "a.flac", &["-c:a", "flac", "-sample_fmt", "s16"]);
    let whole = sound(&path);
    let bytes = std::fs::read(&path).unwrap();
    let mut noise = 1_u32;
    let noise = (0..50_000).map(|_| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (noise >> 24) as u8
    });
    let id3v1 = [b"TAG".as_slice(), &[b' '; 125]].concat();
    let half = &bytes[bytes.len() - 3000..bytes.len() - 1000];
    for tail in [
        id3v1,
        vec![0; 5000],
        vec![0xFF; 5000],
        noise.collect(),
        half.to_vec(),
        vec![b'f'],
    ] {
        let decoded = sound(&files.write("tail.flac", &[&bytes[..], &tail].concat()));
        assert_eq!(decoded.samples, whole.samples, "{:?}", &tail[..1]);
    }
}

/// Where STREAMINFO stores the length of the audio; the first four bits belong to another field.
const TOTAL: std::ops::Range<usize> = 21..26;

#[test]
fn more_is_decoded_than_the_header_counts() {
    let files = Files::new();
    let source = files.source(44_100, 1, SECONDS);
    let path = files.encode(&source, "a.flac", &["-c:a", "flac"]);
    let whole = sound(&path);
    let bytes = std::fs::read(&path).unwrap();
    for total in [0_u64, 1, whole.frames / 2, whole.frames - 1] {
        let mut bytes = bytes.clone();
        let high = bytes[TOTAL.start] & 0xF0;
        bytes[TOTAL].copy_from_slice(&total.to_be_bytes()[3..]);
        bytes[TOTAL.start] |= high;
        let decoded = sound(&files.write("few.flac", &bytes));
        assert_eq!(decoded.samples, whole.samples, "{total}");
    }
}

#[test]
fn a_damaged_first_frame_is_silence() {
    let files = Files::new();
    let source = files.source(44_100, 1, SECONDS);
    let path = files.encode(&source, "a.flac", &["-c:a", "flac", "-frame_size", "1152"]);
    let whole = sound(&path);
    let mut bytes = std::fs::read(&path).unwrap();
    let first = bytes
        .windows(2)
        .position(|bytes| bytes == [0xFF, 0xF8])
        .unwrap();
    bytes[first + 100] ^= 1;
    let decoded = decode(&files.write("damaged.flac", &bytes)).unwrap();
    assert_eq!(decoded.frames, whole.frames);
    assert_eq!(decoded.damage.lost_frames, 1152);
    assert_eq!(decoded.samples[1152..], whole.samples[1152..]);
}

/// How frames are numbered, and how their header declares it.
#[derive(Debug, Clone, Copy)]
struct Numbers {
    by_sample: bool,
    says_so: bool,
    first: u64,
}

/// Returns a FLAC file with uncompressed 16-bit samples, in blocks whose sizes are taken from
/// `sizes` by turns.
fn verbatim(samples: &[i16], info_blocks: [u16; 2], sizes: &[usize], numbers: Numbers) -> Vec<u8> {
    let mut file = b"fLaC\x80\0\0\x22".to_vec();
    file.extend(info_blocks.map(u16::to_be_bytes).concat());
    file.extend([0; 6]);
    let packed = 44_100_u64 << 44 | 15 << 36 | samples.len() as u64;
    file.extend(packed.to_be_bytes());
    file.extend([0; 16]);
    let (mut rest, mut index) = (samples, 0);
    while !rest.is_empty() {
        let (block, after) = rest.split_at(sizes[index % sizes.len()].min(rest.len()));
        let number = match numbers.by_sample {
            true => (samples.len() - rest.len()) as u64,
            false => index as u64,
        };
        let mut frame = vec![0xFF, 0xF8 | u8::from(numbers.says_so), 0x79, 0x08];
        frame.extend(number_of(numbers.first + number));
        frame.extend((block.len() as u16 - 1).to_be_bytes());
        frame.push(crc(&frame, 0x07 << 8) as u8);
        frame.push(2);
        frame.extend(block.iter().flat_map(|sample| sample.to_be_bytes()));
        frame.extend(crc(&frame, 0x8005).to_be_bytes());
        file.extend(frame);
        (rest, index) = (after, index + 1);
    }
    file
}

/// Encodes a frame number like UTF-8, which FLAC extends beyond Unicode. Three bytes are enough
/// here.
fn number_of(number: u64) -> Vec<u8> {
    let low = |by: u64| 0x80 | (number >> by & 0x3F) as u8;
    match number {
        0..0x80 => vec![number as u8],
        0x80..0x800 => vec![0xC0 | (number >> 6) as u8, low(0)],
        _ => vec![0xE0 | (number >> 12) as u8, low(6), low(0)],
    }
}

/// Computes a checksum of 16 bits, or of 8 bits if only the upper byte of the polynomial is used.
fn crc(bytes: &[u8], polynomial: u16) -> u16 {
    let crc = bytes.iter().fold(0_u16, |crc, &byte| {
        (0..8).fold(crc ^ u16::from(byte) << 8, |crc, _| {
            crc << 1 ^ if crc & 0x8000 != 0 { polynomial } else { 0 }
        })
    });
    if polynomial & 0xFF == 0 {
        crc >> 8
    } else {
        crc
    }
}

#[test]
fn frames_of_any_size_and_numbering_are_decoded() {
    let files = Files::new();
    let samples: Vec<i16> = (0..20_000)
        .map(|n| (8000.0 * (n as f32 * 0.03).sin()) as i16)
        .collect();
    let expected: Vec<f32> = samples
        .iter()
        .map(|&sample| f32::from(sample) / 32_768.0)
        .collect();
    let changing = &[1152, 4608, 256, 2000][..];
    let constant = &[1152][..];
    for (blocks, sizes, by_sample, says_so, first) in [
        // As Flake writes it: numbered by sample, but not declared so.
        ([16, 4608], changing, true, false, 0),
        ([16, 4608], changing, true, true, 0),
        ([16, 4608], changing, false, false, 0),
        ([4608, 4608], changing, true, true, 0),
        ([576, 4608], constant, false, false, 0),
        // A part of a longer recording.
        ([1152, 1152], constant, false, false, 77),
        // Blocks that are larger than the header says.
        ([576, 576], constant, false, false, 0),
    ] {
        let numbers = Numbers {
            by_sample,
            says_so,
            first,
        };
        let file = verbatim(&samples, blocks, sizes, numbers);
        let decoded = sound(&files.write("odd.flac", &file));
        let what = format!("{blocks:?} {sizes:?} {numbers:?}");
        assert_eq!(decoded.frames, 20_000, "{what}");
        assert!(difference(&decoded.samples, &expected) < 1e-4, "{what}");
    }
}

#[test]
fn what_follows_a_change_is_converted_with_or_without_a_header() {
    let files = Files::new();
    let source = files.source(44_100, 1, SECONDS);
    let first = files.encode(&source, "first.flac", &["-c:a", "flac"]);
    let options = [
        "-c:a",
        "flac",
        "-ar",
        "48000",
        "-ac",
        "2",
        "-sample_fmt",
        "s16",
    ];
    let second = files.encode(&source, "second.flac", &options);
    let whole = sound(&first);
    let bytes = std::fs::read(&second).unwrap();
    let frames_at = bytes
        .windows(2)
        .position(|bytes| bytes == [0xFF, 0xF8])
        .unwrap();
    let with_header = joined(&[&first, &second, &first]);
    let without = [&std::fs::read(&first).unwrap(), &bytes[frames_at..]].concat();
    for (name, bytes, parts) in [("header", with_header, 3), ("none", without, 2)] {
        let decoded = decode(&files.write("changing.flac", &bytes)).unwrap();
        assert_eq!(decoded.damage.format_changes, parts as u32 - 1, "{name}");
        assert_eq!(decoded.damage.lost_frames, 0, "{name}");
        assert!(
            decoded.frames.abs_diff(parts * whole.frames) <= parts,
            "{name}: {}",
            decoded.frames
        );
        assert_eq!(
            decoded.samples[..whole.samples.len()],
            whole.samples,
            "{name}"
        );
        for part in decoded
            .samples
            .chunks(whole.samples.len())
            .take(parts as usize)
        {
            is_like(part, &whole.samples, name);
        }
    }
    let cut = std::fs::read(&first).unwrap();
    let cut = [&cut[..cut.len() - 100], &cut].concat();
    let cut = decode(&files.write("cut.flac", &cut)).unwrap();
    assert!(cut.damage.cut_short, "a part that was cut");
    let twice = sound(&files.write("twice.flac", &joined(&[&first, &first])));
    assert_eq!(twice.samples, whole.samples.repeat(2));
}
