//! MP4 in fragments, of unknown length, with pauses, and with video.

use super::{SECONDS, is_like, sound};
use crate::files::{Files, generate, run};

#[test]
fn all_fragments_are_decoded_whatever_the_moov_says() {
    let files = Files::new();
    let source = files.source(44_100, 1, 2.5);
    let pieces = ["-frag_duration", "300000"];
    let outputs: Vec<(String, Vec<&str>)> = [
        ("moov.m4a", "aac", "frag_keyframe"),
        ("empty.m4a", "aac", "frag_keyframe+empty_moov"),
        ("delay.m4a", "aac", "frag_keyframe+delay_moov"),
        ("dash.m4a", "aac", "dash+global_sidx"),
        ("alac.m4a", "alac", "frag_keyframe"),
        ("flac.mp4", "flac", "frag_keyframe+empty_moov"),
        ("opus-delay.mp4", "libopus", "frag_keyframe+delay_moov"),
        ("pcm.mov", "pcm_s16le", "frag_keyframe"),
        ("smooth.ismv", "aac", "frag_keyframe"),
    ]
    .map(|(name, codec, flags)| {
        let options = ["-c:a", codec, "-movflags", flags, "-strict", "-2"];
        (name.to_owned(), [&options[..], &pieces].concat())
    })
    .into();
    let paths = files.encode_all(&source, &outputs);
    let references = files.ffmpeg_decode(&paths);
    for (path, reference) in paths.iter().zip(references) {
        let what = path.display().to_string();
        let decoded = sound(path);
        let missing = reference.len().abs_diff(decoded.samples.len());
        assert!(missing <= 1024, "{what}: {}", decoded.frames);
        assert!(decoded.frames * 10 > decoded.info.sample_rate as u64 * 24);
        // FFmpeg does not trim the start if the first fragment precedes the complete moov box.
        let delay = reference.len().saturating_sub(decoded.samples.len());
        let reference = if what.contains("delay") {
            &reference[delay..]
        } else {
            &reference
        };
        is_like(&decoded.samples, reference, &what);
        let hint = decoded.info.frames.unwrap();
        assert!(hint.abs_diff(decoded.frames) <= 1024, "{what}: {hint}");
    }
}

#[test]
fn a_length_of_all_ones_is_none() {
    let files = Files::new();
    let source = files.source(44_100, 1, 1.2);
    let pieces = ["-movflags", "frag_keyframe", "-frag_duration", "300000"];
    for (name, options) in [("whole.m4a", &[][..]), ("pieces.m4a", &pieces)] {
        let path = files.encode(&source, name, &[&["-c:a", "aac"], options].concat());
        let whole = sound(&path);
        let mut bytes = std::fs::read(&path).unwrap();
        for (name, field) in [(b"mvhd", 20), (b"tkhd", 24), (b"mdhd", 20)] {
            let at = bytes.windows(4).position(|bytes| bytes == name).unwrap();
            bytes[at + field..at + field + 4].fill(0xFF);
        }
        let endless = sound(&files.write("endless.m4a", &bytes));
        assert!(endless.frames.abs_diff(whole.frames) <= 1024, "{name}");
        is_like(&endless.samples, &whole.samples, name);
    }
}

#[test]
fn a_pause_in_the_times_is_silence_and_no_damage() {
    let files = Files::new();
    let source = files.source(44_100, 1, 2.0);
    let pause = "aselect='not(between(t,0.7,1))'";
    for (codec, movflags) in [
        ("aac", "faststart"),
        ("aac", "frag_keyframe"),
        ("libopus", "faststart"),
    ] {
        let options = ["-af", pause, "-c:a", codec, "-movflags", movflags];
        let path = files.encode(&source, "pause.mp4", &options);
        let decoded = sound(&path);
        let rate = decoded.info.sample_rate as usize;
        assert!(
            decoded.samples.len().abs_diff(2 * rate) < 4000,
            "{codec}: {}",
            decoded.frames
        );
        // After the pause, everything is in its place.
        let options = ["-c:a", codec, "-movflags", movflags];
        let expected = files.encode(&source, "all.mp4", &options);
        let expected = sound(&expected).samples;
        let what = format!("{codec}, {movflags}: {} {}", decoded.frames, expected.len());
        is_like(&decoded.samples[..rate / 2], &expected[..rate / 2], &what);
        assert!(
            decoded.samples[rate * 78 / 100..rate * 95 / 100]
                .iter()
                .all(|s| s.abs() < 0.05)
        );
        is_like(
            &decoded.samples[rate * 5 / 4..rate * 19 / 10],
            &expected[rate * 5 / 4..rate * 19 / 10],
            codec,
        );
    }
}

#[test]
fn times_that_are_a_little_off_change_nothing() {
    let files = Files::new();
    let source = files.source(44_100, 1, SECONDS);
    let path = files.encode(&source, "a.m4a", &["-c:a", "aac"]);
    let whole = sound(&path);
    let bytes = std::fs::read(&path).unwrap();
    let stts = bytes.windows(4).position(|bytes| bytes == b"stts").unwrap();
    // The first of its entries is for all packets except the last.
    for delta in [1000_u32, 1100] {
        let mut bytes = bytes.clone();
        bytes[stts + 16..stts + 20].copy_from_slice(&delta.to_be_bytes());
        let decoded = sound(&files.write("drift.m4a", &bytes));
        assert!(
            decoded.frames.abs_diff(whole.frames) <= 1024,
            "{delta}: {}",
            decoded.frames
        );
        is_like(&decoded.samples, &whole.samples, "drift");
    }
}

#[test]
fn what_is_no_audio_is_passed_over_in_mp4() {
    let files = Files::new();
    let source = files.source(44_100, 2, SECONDS);
    let video = files.path("video.mp4");
    let options = [
        "-c:v",
        "libx265",
        "-x265-params",
        "log-level=none",
        "-tag:v",
        "hvc1",
    ];
    generate("testsrc=s=64x64:d=0.6", &options, &video);
    let bytes = std::fs::read(&video).unwrap();
    let at = bytes.windows(4).position(|bytes| bytes == b"hvcC").unwrap();
    let size = u32::from_be_bytes(*bytes[at - 4..].first_chunk().unwrap());
    assert!(size > 1032, "{size}");
    let [video, audio] = [&video, &source].map(|path| path.to_str().unwrap());
    for (name, flags) in [
        ("plain.mp4", "faststart"),
        ("pieces.mp4", "frag_keyframe+empty_moov"),
    ] {
        let path = files.path(name);
        let inputs = [
            "-v", "error", "-i", video, "-i", audio, "-c:v", "copy", "-c:a", "aac",
        ];
        let output = ["-movflags", flags, path.to_str().unwrap()];
        run("ffmpeg", &[&inputs[..], &output].concat());
        let decoded = sound(&path);
        let reference = files.ffmpeg_decode(&[path]).remove(0);
        assert!(
            reference.len().abs_diff(decoded.samples.len()) <= 2 * 1024,
            "{name}"
        );
        is_like(&decoded.samples, &reference, name);
    }
}

#[test]
fn alac_in_mov_is_what_it_is_in_m4a() {
    let files = Files::new();
    for channels in [1, 2, 6] {
        let source = files.source(44_100, channels, SECONDS);
        let [mov, m4a] = ["in.mov", "in.m4a"]
            .map(|name| sound(&files.encode(&source, name, &["-c:a", "alac"])).samples);
        assert_eq!(mov, m4a, "{channels} channels");
    }
}
