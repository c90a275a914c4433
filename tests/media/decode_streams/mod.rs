//! Streams without a length, several streams in a file, fragments, pauses, changes of format,
//! levels, and files that are not audio.

mod flac;
mod frames;
mod matroska;
mod mp4;
mod others;

use audiostretchy_media::decode::{Damage, DecodeError};
use std::path::Path;

use crate::files::{Decoded, Files, decode, difference, run};

const SECONDS: f64 = 0.6213;

/// Decodes a file and checks that no damage is found in it.
#[track_caller]
fn sound(path: &Path) -> Decoded {
    let decoded = decode(path).unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
    assert_eq!(decoded.damage, Damage::default(), "{}", path.display());
    decoded
}

/// Checks that samples are about the same over their common length: a correlation above 0.99.
#[track_caller]
fn is_like(samples: &[f32], reference: &[f32], what: &str) {
    let sum = |a: &[f32], b: &[f32]| -> f64 {
        let pairs = a.iter().zip(b);
        pairs.map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    };
    let len = samples.len().min(reference.len());
    let (a, b) = (&samples[..len], &reference[..len]);
    let correlation = sum(a, b) / (sum(a, a) * sum(b, b)).sqrt();
    assert!(correlation > 0.99, "{what}: {correlation}");
}

/// Returns the mean power of samples.
fn power(samples: &[f32]) -> f64 {
    let sum: f64 = samples
        .iter()
        .map(|&sample| f64::from(sample).powi(2))
        .sum();
    sum / samples.len().max(1) as f64
}

/// Returns the concatenated bytes of files.
fn joined(paths: &[&Path]) -> Vec<u8> {
    let files = paths.iter().map(|path| std::fs::read(path).unwrap());
    files.collect::<Vec<_>>().concat()
}

#[test]
fn the_output_gain_of_opus_is_applied() {
    let files = Files::new();
    let source = files.source(48_000, 2, SECONDS);
    let path = files.path("gain.opus");
    run(
        "opusenc",
        &["--quiet", source.to_str().unwrap(), path.to_str().unwrap()],
    );
    let plain = decode(&path).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let head = bytes
        .windows(8)
        .position(|bytes| bytes == b"OpusHead")
        .unwrap();
    bytes[head + 16..head + 18].copy_from_slice(&(-6 * 256_i16).to_le_bytes());
    mend_first_page(&mut bytes);
    let quieter = decode(&files.write("quieter.opus", &bytes)).unwrap();
    assert_eq!(quieter.frames, plain.frames);
    let gain = 10_f32.powf(-6.0 / 20.0);
    let expected: Vec<f32> = plain.samples.iter().map(|sample| sample * gain).collect();
    assert!(difference(&quieter.samples, &expected) < 0.001);
}

/// Corrects the checksum of an Ogg file's first page (RFC 3533, section 6).
fn mend_first_page(bytes: &mut [u8]) {
    let segments = usize::from(bytes[26]);
    let len: usize = bytes[27..27 + segments]
        .iter()
        .map(|&size| usize::from(size))
        .sum();
    let page = &mut bytes[..27 + segments + len];
    page[22..26].fill(0);
    let crc = page.iter().fold(0_u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte) << 24, |crc, _| {
            crc << 1 ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 }
        })
    });
    page[22..26].copy_from_slice(&crc.to_le_bytes());
}

#[test]
fn wav_of_unknown_length_is_played_to_its_end() {
    let files = Files::new();
    let source = files.source(44_100, 2, SECONDS);
    let path = files.encode(&source, "whole.wav", &["-c:a", "pcm_s16le", "-bitexact"]);
    let whole = decode(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let data = bytes.windows(4).position(|name| name == b"data").unwrap();
    for size in [0_u32, u32::MAX, 0x7fff_ffff, u32::MAX - 36] {
        let mut piped = bytes.clone();
        piped[4..8].copy_from_slice(&size.to_le_bytes());
        piped[data + 4..data + 8].copy_from_slice(&size.to_le_bytes());
        let decoded = decode(&files.write("piped.wav", &piped)).unwrap();
        assert_eq!(decoded.samples, whole.samples, "size {size:#x}");
    }
    let mut au = std::fs::read(files.encode(&source, "whole.au", &["-c:a", "pcm_s16be"])).unwrap();
    au[8..12].fill(0xff);
    let decoded = decode(&files.write("piped.au", &au)).unwrap();
    assert_eq!(decoded.frames, whole.frames);
}

#[test]
fn chained_ogg_and_joined_mp3_files_are_decoded_to_their_last() {
    let files = Files::new();
    let source = files.source(44_100, 2, SECONDS);
    for (name, options) in [
        ("v.ogg", &["-c:a", "libvorbis"][..]),
        ("o.opus", &["-c:a", "libopus"]),
        ("f.oga", &["-c:a", "flac"]),
        ("xing.mp3", &["-c:a", "libmp3lame", "-id3v2_version", "3"]),
        (
            "plain.mp3",
            &[
                "-c:a",
                "libmp3lame",
                "-write_xing",
                "0",
                "-id3v2_version",
                "0",
            ],
        ),
    ] {
        let path = files.encode(&source, name, options);
        let once = decode(&path).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend_from_within(..);
        let twice = decode(&files.write(&format!("twice-{name}"), &bytes)).unwrap();
        assert_eq!(twice.frames, 2 * once.frames, "{name}");
        assert_eq!(twice.damage, Damage::default(), "{name}");
        if name != "plain.mp3" {
            let (first, second) = twice.samples.split_at(once.samples.len());
            assert_eq!(first, once.samples, "{name}: the first");
            assert!(
                difference(second, &once.samples) < 0.001,
                "{name}: the second"
            );
        }
    }
}

#[test]
fn a_trailing_tag_of_mp3_is_no_audio() {
    let files = Files::new();
    let source = files.source(44_100, 2, SECONDS);
    let path = files.encode(&source, "plain.mp3", &["-c:a", "libmp3lame"]);
    let plain = decode(&path).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend(b"TAG");
    bytes.resize(bytes.len() + 125, b' ');
    let tagged = decode(&files.write("tagged.mp3", &bytes)).unwrap();
    assert_eq!(tagged.samples, plain.samples);
}

#[test]
fn what_is_no_audio_is_refused_with_a_clear_error() {
    let files = Files::new();
    let text = files.write(
        "notes.mp3",
        "Nothing to hear here.\n".repeat(500).as_bytes(),
    );
    let nothing = files.write("nothing.flac", b"");
    let error = decode(&text).err().unwrap();
    assert!(matches!(error, DecodeError::Unrecognised(_)), "{error:?}");
    assert_eq!(error.to_string(), "not audio but text");
    assert!(matches!(decode(&nothing).err(), Some(DecodeError::Empty)));
    let folder = files.path("folder.wav");
    std::fs::create_dir(&folder).unwrap();
    assert!(matches!(decode(&folder).err(), Some(DecodeError::NotAFile)));
}

#[test]
fn a_file_without_a_single_frame_is_empty() {
    let files = Files::new();
    let source = files.source(44_100, 2, SECONDS);
    for name in ["none.wav", "none.au", "none.aiff", "none.w64"] {
        let path = files.encode(
            &source,
            name,
            &[
                "-af",
                "atrim=end_sample=0",
                "-c:a",
                match name {
                    "none.wav" | "none.w64" => "pcm_s16le",
                    _ => "pcm_s16be",
                },
            ],
        );
        let error = decode(&path).map(|decoded| decoded.frames).err();
        assert!(
            matches!(error, Some(DecodeError::Empty)),
            "{name}: {error:?}"
        );
    }
}
