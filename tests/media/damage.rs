//! Damaged files: each format cut at ten places, with changed bytes, and with a broken header. None
//! may hang, panic, or decode to more than the file held. Lost audio is replaced by silence and
//! counted, or there is an error: half a file is never passed off as a whole one.

use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use crate::files::{Decoded, Files, decode};
use audiostretchy_media::decode::{DecodeError, Decoder};

const SECONDS: f64 = 3.0;
const RATE: u32 = 22_050;

/// The extension, FFmpeg's options, and whether the format stores the length of the audio.
const FORMATS: [(&str, &[&str], bool); 14] = [
    ("wav", &["-c:a", "pcm_s16le"], true),
    ("w64", &["-c:a", "pcm_s24le"], true),
    ("au", &["-c:a", "pcm_s16be"], true),
    ("aiff", &["-c:a", "pcm_s16be"], true),
    ("flac", &["-c:a", "flac", "-frame_size", "1152"], true),
    ("mp3", &["-c:a", "libmp3lame"], true),
    (
        "ogg",
        &["-c:a", "libvorbis", "-page_duration", "100000"],
        true,
    ),
    (
        "opus",
        &["-c:a", "libopus", "-page_duration", "100000"],
        true,
    ),
    ("m4a", &["-c:a", "aac", "-movflags", "faststart"], true),
    (
        "mp4",
        &["-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"],
        true,
    ),
    ("mka", &["-c:a", "flac", "-frame_size", "1152"], true),
    ("webm", &["-c:a", "libopus"], true),
    ("caf", &["-c:a", "alac", "-frame_size", "1152"], true),
    ("aac", &["-c:a", "aac"], false),
];

/// Decodes in another thread, which has to end in time.
fn decode_in_time(path: PathBuf, what: &str) -> Result<Decoded, DecodeError> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || drop(sender.send(decode(&path))));
    receiver
        .recv_timeout(Duration::from_secs(60))
        .unwrap_or_else(|error| panic!("{what}: hangs or panics: {error}"))
}

/// Returns the undamaged files: extension, whether the length is stored, bytes, frames.
fn originals(files: &Files) -> Vec<(&'static str, bool, Vec<u8>, u64)> {
    let source = files.source(RATE, 2, SECONDS);
    let outputs: Vec<(String, Vec<&str>)> = FORMATS
        .iter()
        .map(|(extension, options, _)| (format!("whole.{extension}"), options.to_vec()))
        .collect();
    let paths = files.encode_all(&source, &outputs);
    FORMATS
        .iter()
        .zip(paths)
        .map(|(&(extension, _, has_length), path)| {
            let whole = decode(&path).unwrap();
            assert_eq!(whole.damage.lost_frames, 0, "{extension}");
            assert!(!whole.damage.checksum_mismatch, "{extension}");
            (
                extension,
                has_length,
                std::fs::read(path).unwrap(),
                whole.frames,
            )
        })
        .collect()
}

fn is_about(frames: u64, whole: u64) -> bool {
    frames.abs_diff(whole) * 50 <= whole
}

/// A generator of pseudo-random numbers that are the same in every run (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

#[test]
fn a_file_that_is_cut_is_an_error_or_plays_to_the_cut() {
    let files = Files::new();
    for (extension, has_length, bytes, whole) in originals(&files) {
        for tenth in 1..=10 {
            let what = format!("{extension}, cut at {tenth}/11");
            let cut = &bytes[..bytes.len() * tenth / 11];
            let path = files.write(&format!("cut.{extension}"), cut);
            match decode_in_time(path, &what) {
                Ok(decoded) if has_length => {
                    assert!(
                        is_about(decoded.frames, whole),
                        "{what}: {}",
                        decoded.frames
                    );
                }
                // Nothing in the file says that more should follow.
                Ok(decoded) => assert!(decoded.frames <= whole, "{what}"),
                Err(
                    DecodeError::Truncated { found, expected }
                    | DecodeError::TruncatedMp4 { found, expected },
                ) => {
                    assert!(
                        found < expected && expected == whole,
                        "{what}: {found}/{expected}"
                    );
                }
                Err(DecodeError::CutShort { found }) => assert!(found <= whole, "{what}"),
                Err(DecodeError::NoMoov) if extension == "m4a" => {}
                Err(error) => panic!("{what}: {error:?}"),
            }
        }
    }
}

#[test]
fn changed_bytes_are_silence_or_an_error_and_never_change_the_length() {
    let files = Files::new();
    let mut numbers = Numbers(0x5eed);
    for (extension, has_length, bytes, whole) in originals(&files) {
        for changes in [1, 2, 4, 8] {
            let what = format!("{extension}, {changes} bytes changed");
            let mut damaged = bytes.clone();
            let header = bytes.len() / 4;
            for _ in 0..changes {
                let at = header + numbers.below(bytes.len() - header);
                damaged[at] ^= 1 + numbers.below(255) as u8;
            }
            let path = files.write(&format!("changed.{extension}"), &damaged);
            let Ok(decoded) = decode_in_time(path, &what) else {
                continue;
            };
            // If an ADTS header is damaged, its packet is lost without a trace.
            let is_right = is_about(decoded.frames, whole) || !has_length && decoded.frames < whole;
            assert!(is_right, "{what}: {} of {whole}", decoded.frames);
            assert!(decoded.damage.lost_frames <= whole, "{what}");
        }
    }
}

#[test]
fn a_broken_header_gives_an_error_or_no_more_than_the_file_can_hold() {
    let files = Files::new();
    let mut numbers = Numbers(0xbad_c0de);
    for (extension, _, bytes, _) in originals(&files) {
        for changes in [1, 3, 9, 27] {
            let what = format!("{extension}, {changes} bytes of the header changed");
            let mut damaged = bytes.clone();
            for _ in 0..changes {
                damaged[numbers.below(400)] = numbers.below(256) as u8;
            }
            let path = files.write(&format!("header.{extension}"), &damaged);
            if let Ok(decoded) = decode_in_time(path, &what) {
                // Half a bit per frame, which is less than any codec needs for these tones.
                let most = bytes.len() as u64 * 16;
                assert!(decoded.frames <= most, "{what}: {}", decoded.frames);
            }
        }
    }
}

#[test]
fn random_bytes_after_each_format_s_first_ones_do_no_harm() {
    let files = Files::new();
    let mut numbers = Numbers(0xfeed);
    for (extension, _, bytes, _) in originals(&files) {
        for kept in [4, 12, 64, 300] {
            let what = format!("{extension}, {kept} bytes and noise");
            let mut noise = bytes[..kept].to_vec();
            noise.extend((0..20_000).map(|_| numbers.below(256) as u8));
            let path = files.write(&format!("noise.{extension}"), &noise);
            if let Ok(decoded) = decode_in_time(path, &what) {
                assert!(decoded.frames <= 16 * noise.len() as u64, "{what}");
            }
        }
    }
}

#[test]
fn what_is_lost_is_silence_in_its_place_and_counted() {
    let files = Files::new();
    for (extension, _, bytes, whole) in originals(&files) {
        // Only the formats that detect damage, by a checksum or because a packet is invalid.
        if !["flac", "ogg", "opus", "mka"].contains(&extension) {
            continue;
        }
        let reference = decode(&files.write(&format!("good.{extension}"), &bytes)).unwrap();
        let mut damaged = bytes.clone();
        let at = bytes.len() / 2;
        damaged[at] ^= 0x55;
        let decoded = decode(&files.write(&format!("bad.{extension}"), &damaged)).unwrap();
        assert_eq!(decoded.frames, whole, "{extension}");
        let lost = decoded.damage.lost_frames;
        assert!((1..whole / 4).contains(&lost), "{extension}: {lost}");
        let pairs = decoded.samples.iter().zip(&reference.samples);
        let changed = pairs.filter(|(a, b)| (*a - *b).abs() > 1e-3).count() as u64 / 2;
        // Vorbis and Opus need some packets to recover.
        assert!(
            changed <= lost + 12_000,
            "{extension}: {changed} changed, {lost} lost"
        );
        let silent = decoded
            .samples
            .iter()
            .filter(|&&sample| sample == 0.0)
            .count() as u64
            / 2;
        assert!(
            silent >= lost * 9 / 10,
            "{extension}: {silent} silent, {lost} lost"
        );
    }
}

#[test]
fn flac_that_does_not_match_its_checksum_is_known() {
    let files = Files::new();
    let source = files.source(RATE, 2, SECONDS);
    let path = files.encode(&source, "a.flac", &["-c:a", "flac"]);
    let mut bytes = std::fs::read(path).unwrap();
    // The MD5 sum is at the end of STREAMINFO, which is the first block.
    bytes[4 + 4 + 18] ^= 1;
    let decoded = decode(&files.write("b.flac", &bytes)).unwrap();
    assert!(decoded.damage.checksum_mismatch);
    assert_eq!(decoded.damage.lost_frames, 0);
}

#[test]
fn an_mp3_file_that_counts_more_frames_than_it_has_has_lost_them() {
    let files = Files::new();
    let source = files.source(RATE, 2, SECONDS);
    let path = files.encode(
        &source,
        "a.mp3",
        &["-c:a", "libmp3lame", "-b:a", "64k", "-id3v2_version", "0"],
    );
    let whole = decode(&path).unwrap();
    let mut bytes = std::fs::read(path).unwrap();
    // Overwrite the header and more of some frames in the middle.
    let middle = bytes.len() / 2;
    bytes[middle..middle + 1000].fill(0);
    let decoded = decode(&files.write("b.mp3", &bytes)).unwrap();
    assert_eq!(decoded.frames, whole.frames);
    assert!(
        (576 * 3..576 * 10).contains(&decoded.damage.lost_frames),
        "{:?}",
        decoded.damage
    );
}

#[test]
fn a_header_that_claims_terabytes_costs_no_memory_and_no_time() {
    let files = Files::new();
    let mut rf64 = b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0".to_vec();
    rf64.extend([0x0f; 28]);
    rf64.extend(
        b"fmt \x10\0\0\0\x01\0\x02\0\x44\xac\0\0\x10\xb1\x02\0\x04\0\x10\0data\xff\xff\xff\xff",
    );
    rf64.extend([0; 400]);
    let error = decode(&files.write("huge.wav", &rf64)).err();
    assert!(
        matches!(error, Some(DecodeError::Truncated { found: 100, .. })),
        "{error:?}"
    );
    // As many channels as the field can hold.
    let mut wide =
        b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\xff\xff\x44\xac\0\0\0\0\0\0\0\0\x10\0data"
            .to_vec();
    wide.extend([0xff; 4000]);
    let error = Decoder::open(&files.write("wide.wav", &wide)).err();
    assert!(error.is_some());
}
