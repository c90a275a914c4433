//! Files that consist of frames without a container (MP3, MP2 and ADTS): changes of format, files
//! cut within a frame, and frames that cannot be decoded. Also Ogg files whose format changes.

use std::path::PathBuf;

use super::{SECONDS, is_like, joined, power, sound};
use crate::files::{Files, decode, generate};

/// FFmpeg's options for a file without any tag.
const BARE: [&str; 4] = ["-write_xing", "0", "-id3v2_version", "0"];

const FORMATS: [(&str, &str); 3] = [("mp3", "libmp3lame"), ("mp2", "mp2"), ("aac", "aac")];

/// Encodes the same audio in one format, with several sample rates and channel counts.
fn encode(files: &Files, extension: &str, codec: &str, formats: &[(&str, &str)]) -> Vec<PathBuf> {
    let source = files.source(44_100, 1, SECONDS);
    let outputs = formats.iter().map(|&(rate, channels)| {
        let options = ["-c:a", codec, "-b:a", "96k", "-ar", rate, "-ac", channels];
        let bare = if extension == "mp3" { &BARE[..] } else { &[] };
        (
            format!("{rate}-{channels}.{extension}"),
            [&options[..], bare].concat(),
        )
    });
    files.encode_all(&source, &outputs.collect::<Vec<_>>())
}

#[test]
fn what_follows_a_change_of_rate_or_channels_is_converted() {
    let files = Files::new();
    let formats = [
        ("44100", "1"),
        ("44100", "2"),
        ("48000", "2"),
        ("32000", "1"),
        ("22050", "2"),
    ];
    for (extension, codec) in
        FORMATS
            .into_iter()
            .chain([("ogg", "libvorbis"), ("oga", "flac"), ("opus", "libopus")])
    {
        let formats = if codec == "libopus" {
            &formats[..2]
        } else {
            &formats
        };
        let formats = formats.iter().map(|format| match codec {
            "libopus" => ("48000", format.1),
            _ => *format,
        });
        let paths = encode(&files, extension, codec, &formats.collect::<Vec<_>>());
        let parts: Vec<_> = paths.iter().map(|path| sound(path)).collect();
        let order = if codec == "libopus" {
            vec![0, 1, 0]
        } else {
            vec![0, 1, 2, 4, 0, 3]
        };
        let chain: Vec<_> = order.iter().map(|&index| paths[index].as_path()).collect();
        let path = files.write(&format!("chain.{extension}"), &joined(&chain));
        let decoded = decode(&path).unwrap();
        let what = format!("{extension}: {:?}", decoded.damage);
        assert_eq!(
            (decoded.info.sample_rate, decoded.info.channels),
            (parts[0].info.sample_rate, 1)
        );
        assert_eq!(
            decoded.damage.format_changes as usize,
            order.len() - 1,
            "{what}"
        );
        assert_eq!(decoded.damage.lost_frames, 0, "{what}");
        assert!(!decoded.damage.cut_short, "{what}");
        let rate = u64::from(decoded.info.sample_rate);
        let mut at = 0;
        for &index in &order {
            let part = &parts[index];
            let frames = (part.frames * rate).div_ceil(part.info.sample_rate.into()) as usize;
            // Every part is as loud as before: mono is converted to stereo 3 dB softer.
            let end = (at + frames).min(decoded.samples.len());
            let found = power(&decoded.samples[at..end]) / power(&part.samples);
            assert!((0.9..1.1).contains(&found), "{what}, part {index}: {found}");
            at += frames;
        }
        assert!(
            decoded.samples.len().abs_diff(at) <= 1,
            "{what}: {}",
            decoded.samples.len()
        );
        is_like(&decoded.samples, &parts[0].samples, &what);
    }
}

#[test]
fn files_that_count_their_frames_are_joined_without_padding_whatever_their_format() {
    let files = Files::new();
    let source = files.source(44_100, 1, SECONDS);
    let frames = sound(&source).frames;
    let formats = [
        ("44100", "1"),
        ("44100", "2"),
        ("48000", "2"),
        ("22050", "1"),
    ];
    let outputs = formats.map(|(rate, channels)| {
        let options = vec!["-c:a", "libmp3lame", "-ar", rate, "-ac", channels];
        (format!("{rate}-{channels}.mp3"), options)
    });
    let paths = files.encode_all(&source, &outputs);
    for order in [[0, 1, 2], [1, 0, 3], [3, 2, 0], [2, 0, 1]] {
        let chain = order.map(|index| paths[index].as_path());
        let decoded = decode(&files.write("chain.mp3", &joined(&chain))).unwrap();
        let what = format!("{order:?}: {:?}", decoded.damage);
        let rate = u64::from(decoded.info.sample_rate);
        let expected = 3 * frames * rate / 44_100;
        assert!(
            decoded.frames.abs_diff(expected) <= 4,
            "{what}: {}",
            decoded.frames
        );
        assert_eq!(decoded.damage.format_changes, 2, "{what}");
        assert_eq!(decoded.damage.lost_frames, 0, "{what}");
        assert!(!decoded.damage.cut_short, "{what}");
    }
}

#[test]
fn a_file_that_ends_within_a_frame_says_so() {
    let files = Files::new();
    for (extension, codec) in FORMATS {
        let path = encode(&files, extension, codec, &[("44100", "1")]).remove(0);
        let whole = sound(&path);
        let bytes = std::fs::read(&path).unwrap();
        for missing in [1, 5, 100] {
            let name = format!("cut.{extension}");
            let cut = files.write(&name, &bytes[..bytes.len() - missing]);
            let decoded = decode(&cut).unwrap();
            assert!(
                decoded.damage.cut_short,
                "{extension}, {missing} bytes missing"
            );
            assert!(whole.frames - decoded.frames <= 1152, "{extension}");
        }
        let tagged = [&bytes[..], b"TAG", &[b' '; 125]].concat();
        let tagged = sound(&files.write(&format!("tagged.{extension}"), &tagged));
        assert_eq!(tagged.frames, whole.frames, "{extension}");
    }
    let source = files.source(44_100, 1, SECONDS);
    let counted = files.encode(&source, "counted.mp3", &["-c:a", "libmp3lame"]);
    let bytes = std::fs::read(&counted).unwrap();
    let cut = decode(&files.write("cut.mp3", &bytes[..bytes.len() - 50])).unwrap();
    assert!(cut.damage.cut_short);
}

/// Changes the first granule's first channel to mixed blocks.
fn mix_blocks(frame: &mut [u8]) {
    let is_mpeg1 = frame[1] & 8 != 0;
    let is_mono = frame[3] >> 6 == 3;
    let first = 32
        + match (is_mpeg1, is_mono) {
            (true, true) => 18,
            (true, false) => 20,
            (false, true) => 9,
            (false, false) => 10,
        };
    let flags = first + 12 + 9 + 8 + if is_mpeg1 { 4 } else { 9 };
    for (place, bit) in [1, 1, 0, 1].into_iter().enumerate() {
        let (at, mask) = ((flags + place) / 8, 0x80 >> ((flags + place) % 8));
        frame[at] = frame[at] & !mask | if bit == 1 { mask } else { 0 };
    }
}

#[test]
fn frames_with_mixed_blocks_are_silence_and_counted() {
    let files = Files::new();
    for (rate, channels, frame_len, frame) in [
        ("48000", "1", 288, 1152),
        ("48000", "2", 288, 1152),
        ("24000", "1", 288, 576),
        ("24000", "2", 288, 576),
    ] {
        let path = encode(&files, "mp3", "libmp3lame", &[(rate, channels)]).remove(0);
        let whole = sound(&path);
        let mut bytes = std::fs::read(&path).unwrap();
        for index in 10..14 {
            mix_blocks(&mut bytes[index * frame_len..][..frame_len]);
        }
        let decoded = decode(&files.write("mixed.mp3", &bytes)).unwrap();
        let what = format!("{rate} Hz, {channels}");
        assert_eq!(decoded.frames, whole.frames, "{what}");
        assert_eq!(decoded.damage.lost_frames, 4 * frame as u64, "{what}");
        let channels = whole.info.channels;
        let part = |samples: &[f32], from: usize, to: usize| {
            power(&samples[from * frame * channels..to * frame * channels])
        };
        // The sound before the gap goes on for a frame or two.
        assert!(
            part(&decoded.samples, 12, 14) < part(&whole.samples, 12, 14) / 50.0,
            "{what}"
        );
        is_like(
            &decoded.samples[17 * frame * channels..],
            &whole.samples[17 * frame * channels..],
            &what,
        );
        let loudest = |samples: &[f32]| samples.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
        assert!(
            loudest(&decoded.samples) < 2.0 * loudest(&whole.samples),
            "{what}"
        );
    }
}

#[test]
fn a_single_lost_frame_of_mp3_is_told() {
    let files = Files::new();
    let path = files.path("in.mp3");
    let noise = "anoisesrc=d=0.7:r=44100:a=0.3:seed=1";
    generate(noise, &["-c:a", "libmp3lame", "-b:a", "128k"], &path);
    let whole = sound(&path).samples.len();
    let bytes = std::fs::read(&path).unwrap();
    for from in [3000, 5000, 7000] {
        let mut bytes = bytes.clone();
        let header = bytes[from..]
            .windows(2)
            .position(|pair| pair == [0xFF, 0xFB]);
        bytes[from + header.unwrap()] = 0;
        let damaged = decode(&files.write("damaged.mp3", &bytes)).unwrap();
        assert!(
            damaged.damage.lost_frames >= 1152,
            "{from}: {:?}",
            damaged.damage
        );
        assert_eq!(damaged.samples.len(), whole, "{from}");
    }
}
