//! Matroska and WebM: several frames in a block, live recordings, and joined files.

use std::path::Path;

use super::{SECONDS, is_like, joined, sound};
use crate::files::{Files, decode, run};

#[test]
fn what_mkvmerge_puts_together_is_decoded_without_holes() {
    let files = Files::new();
    let source = files.source(48_000, 2, SECONDS);
    for (name, codec) in [
        ("a.opus", "libopus"),
        ("a.ogg", "libvorbis"),
        ("a.mp3", "libmp3lame"),
    ] {
        let path = files.encode(&source, name, &["-c:a", codec]);
        let merged = files.path("merged.mka");
        let [from, to] = [&path, &merged].map(|path| path.to_str().unwrap());
        run("mkvmerge", &["-q", "-o", to, from]);
        let decoded = sound(&merged);
        let reference = files.ffmpeg_decode(&[merged]).remove(0);
        assert!(
            reference.len().abs_diff(decoded.samples.len()) <= 2 * 1152,
            "{name}"
        );
        is_like(&decoded.samples, &reference, name);
    }
}

/// Returns an element with its size in eight bytes, or with an unknown size.
fn element(id: &[u8], content: &[u8], is_known: bool) -> Vec<u8> {
    let mut size = (content.len() as u64 | 1 << 56).to_be_bytes().to_vec();
    if !is_known {
        size = vec![0xFF];
    }
    [id, &size, content].concat()
}

/// Returns the frames of an MP3 file without tags.
fn mp3_frames(path: &Path, kbps: usize, rate: usize) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(path).unwrap();
    let (mut frames, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let len = 144_000 * kbps / rate + usize::from(bytes[at + 2] >> 1 & 1);
        frames.push(bytes[at..at + len].to_vec());
        at += len;
    }
    frames
}

/// Returns a block of several frames (RFC 9559, section 5.1.4.5.3).
fn laced(lacing: u8, milliseconds: u16, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut block = vec![0x81];
    block.extend(milliseconds.to_be_bytes());
    block.extend([0x80 | lacing << 1, frames.len() as u8 - 1]);
    let sizes: Vec<i64> = frames.iter().map(|frame| frame.len() as i64).collect();
    for (index, &size) in sizes[..sizes.len() - 1].iter().enumerate() {
        match lacing {
            1 => {
                block.extend(std::iter::repeat_n(255, size as usize / 255));
                block.push((size % 255) as u8);
            }
            3 if index == 0 => block.extend((size as u16 | 0x4000).to_be_bytes()),
            3 => block.push((size - sizes[index - 1] + 63) as u8 | 0x80),
            _ => {}
        }
    }
    block.extend(frames.concat());
    block
}

/// Returns a Matroska file with an MP3 track in blocks of eight frames.
fn matroska(frames: &[Vec<u8>], rate: u32, lacing: u8, is_live: bool) -> Vec<u8> {
    matroska_with(frames, rate, lacing, is_live, &[])
}

/// Does the same as `matroska`, with more elements in the track's entry.
fn matroska_with(
    frames: &[Vec<u8>],
    rate: u32,
    lacing: u8,
    is_live: bool,
    entry: &[u8],
) -> Vec<u8> {
    let header = element(&[0x42, 0x82], b"matroska", true);
    let info = [
        &[0x2A, 0xD7, 0xB1, 0x83, 0x0F, 0x42, 0x40][..],
        &element(&[0x4D, 0x80], b"test", true),
        &element(&[0x57, 0x41], b"test", true),
    ];
    let info = element(&[0x15, 0x49, 0xA9, 0x66], &info.concat(), true);
    let rate_bytes = f64::from(rate).to_be_bytes();
    let audio = [&[0xB5, 0x88][..], &rate_bytes, &[0x9F, 0x81, 1]].concat();
    let track = [
        &[0xD7, 0x81, 1, 0x73, 0xC5, 0x81, 1, 0x83, 0x81, 2][..],
        &element(&[0x86], b"A_MPEG/L3", true),
        &element(&[0xE1], &audio, true),
        entry,
    ];
    let tracks = element(&[0xAE], &track.concat(), true);
    let mut segment = [info, element(&[0x16, 0x54, 0xAE, 0x6B], &tracks, true)].concat();
    let blocks = frames.chunks(8).enumerate().map(|(index, frames)| {
        let milliseconds = index as u32 * 8 * 1_152_000 / rate;
        element(&[0xA3], &laced(lacing, milliseconds as u16, frames), true)
    });
    let cluster = [vec![0xE7, 0x81, 0], blocks.collect::<Vec<_>>().concat()].concat();
    segment.extend(element(&[0x1F, 0x43, 0xB6, 0x75], &cluster, !is_live));
    let ebml = element(&[0x1A, 0x45, 0xDF, 0xA3], &header, true);
    [ebml, element(&[0x18, 0x53, 0x80, 0x67], &segment, !is_live)].concat()
}

#[test]
fn laced_frames_of_every_kind_follow_each_other_without_holes() {
    let files = Files::new();
    // Xiph lacing, fixed-size lacing, EBML lacing.
    for (lacing, rate) in [(1, 44_100), (2, 48_000), (3, 44_100)] {
        let source = files.source(rate, 1, SECONDS);
        let options = [
            "-c:a",
            "libmp3lame",
            "-b:a",
            "64k",
            "-write_xing",
            "0",
            "-id3v2_version",
            "0",
        ];
        let path = files.encode(&source, "plain.mp3", &options);
        let plain = sound(&path);
        let frames = mp3_frames(&path, 64, rate as usize);
        for is_live in [false, true] {
            let what = format!("kind {lacing}, live: {is_live}");
            let bytes = matroska(&frames, rate, lacing, is_live);
            let decoded = sound(&files.write("laced.mka", &bytes));
            assert_eq!(decoded.frames, plain.frames, "{what}");
            is_like(&decoded.samples, &plain.samples, &what);
        }
    }
}

#[test]
fn a_recording_of_unknown_size_is_whole_unless_it_breaks_off() {
    let files = Files::new();
    let source = files.source(48_000, 1, SECONDS);
    let input = source.to_str().unwrap();
    for codec in ["libopus", "libvorbis"] {
        let whole = sound(&files.encode(&source, "whole.webm", &["-c:a", codec]));
        let args = ["-v", "error", "-i", input, "-c:a", codec, "-f", "webm", "-"];
        let bytes = run("ffmpeg", &args);
        let live = sound(&files.write("live.webm", &bytes));
        assert_eq!(live.samples, whole.samples, "{codec}");
        let cut = decode(&files.write("cut.webm", &bytes[..bytes.len() - 30])).unwrap();
        assert!(
            cut.damage.cut_short && cut.damage.lost_frames == 0,
            "{codec}"
        );
        assert!(whole.frames - cut.frames < 4000, "{codec}: {}", cut.frames);
    }
}

#[test]
fn joined_webm_files_are_decoded_to_their_last() {
    let files = Files::new();
    let source = files.source(48_000, 1, SECONDS);
    let first = files.encode(&source, "first.webm", &["-c:a", "libopus"]);
    let stereo = files.encode(&source, "stereo.webm", &["-c:a", "libopus", "-ac", "2"]);
    let once = sound(&first);
    let input = source.to_str().unwrap();
    let args = [
        "-v", "error", "-i", input, "-c:a", "libopus", "-f", "webm", "-",
    ];
    let live = files.write("live.webm", &run("ffmpeg", &args));
    for part in [&first, &live] {
        let thrice = sound(&files.write("thrice.webm", &joined(&[part, part, part])));
        assert_eq!(thrice.frames, 3 * once.frames);
        for samples in thrice.samples.chunks(once.samples.len()) {
            is_like(samples, &once.samples, "each part");
        }
    }
    let changing = decode(&files.write("both.webm", &joined(&[&first, &stereo]))).unwrap();
    assert_eq!(changing.frames, 2 * once.frames);
    assert_eq!(changing.damage.format_changes, 1);
    is_like(
        &changing.samples[once.samples.len()..],
        &once.samples,
        "the second",
    );
}

#[test]
fn frames_without_their_first_bytes_are_put_together_and_compressed_ones_refused() {
    let files = Files::new();
    let source = files.source(48_000, 1, SECONDS);
    let options = [
        "-c:a",
        "libmp3lame",
        "-b:a",
        "64k",
        "-write_xing",
        "0",
        "-id3v2_version",
        "0",
    ];
    let path = files.encode(&source, "plain.mp3", &options);
    let plain = sound(&path);
    let frames = mp3_frames(&path, 64, 48_000);
    let (start, rest) = frames[0].split_at(2);
    assert!(frames.iter().all(|frame| frame.starts_with(start)) && !rest.is_empty());
    let without: Vec<Vec<u8>> = frames.iter().map(|frame| frame[2..].to_vec()).collect();
    let encodings = |compression: &[u8]| {
        let compression = element(&[0x50, 0x34], compression, true);
        element(
            &[0x6D, 0x80],
            &element(&[0x62, 0x40], &compression, true),
            true,
        )
    };
    let stripping = [&[0x42, 0x54, 0x81, 3, 0x42, 0x55, 0x82], start].concat();
    let bytes = matroska_with(&without, 48_000, 2, false, &encodings(&stripping));
    let decoded = sound(&files.write("stripped.mka", &bytes));
    assert_eq!(decoded.samples, plain.samples);
    for zlib in [&[][..], &[0x42, 0x54, 0x81, 0]] {
        let bytes = matroska_with(&frames, 48_000, 2, false, &encodings(zlib));
        let error = decode(&files.write("zlib.mka", &bytes)).err().unwrap();
        assert!(error.to_string().contains("compressed frames"), "{error}");
    }
}
