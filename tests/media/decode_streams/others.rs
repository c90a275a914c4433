//! Formats that are recognised but not decoded, and unknown or wrong sizes in WAV, AIFF and CAF.

use audiostretchy_media::decode::DecodeError;

use super::{SECONDS, is_like, sound};
use crate::files::{Files, decode, run};

#[test]
fn formats_that_cannot_be_read_are_named_and_nothing_within_them_is_taken_for_audio() {
    let files = Files::new();
    let source = files.source(44_100, 1, SECONDS);
    let wav = std::fs::read(files.encode(&source, "in.wav", &["-c:a", "pcm_s16le"])).unwrap();
    let mp3 = std::fs::read(files.encode(&source, "in.mp3", &["-c:a", "libmp3lame"])).unwrap();
    let tag = b"ID3\x03\0\0\0\0\0\x0A\0\0\0\0\0\0\0\0\0\0";
    for (magic, name) in [
        (b"MAC \x96\x0F\0\0", "Monkey's Audio"),
        (b"wvpk\0\0\0\0", "WavPack"),
        (b"TTA1\x01\0\x01\0", "True Audio"),
        (b"MPCKSH\0\0", "Musepack"),
        (b"#!AMR\n<\0", "AMR"),
    ] {
        for inside in [&wav, &mp3] {
            for start in [&[][..], tag] {
                let file = [start, magic, &[0; 60], inside].concat();
                let error = decode(&files.write("named.mp3", &file)).err().unwrap();
                assert!(
                    matches!(error, DecodeError::UnsupportedCodec(_)),
                    "{error:?}"
                );
                assert!(error.to_string().contains(name), "{error}");
            }
        }
    }
    // A container is recognised only at the start of a file.
    let hidden = [b"Nothing that is known. ".repeat(20), wav].concat();
    let error = decode(&files.write("hidden.wav", &hidden)).err();
    assert!(
        matches!(error, Some(DecodeError::Unrecognised(_))),
        "{error:?}"
    );
}

#[test]
fn caf_of_unknown_size_is_read_to_its_end() {
    let files = Files::new();
    let source = files.source(44_100, 2, SECONDS);
    for codec in ["pcm_s16be", "pcm_f32le", "pcm_mulaw"] {
        let path = files.encode(&source, "whole.caf", &["-c:a", codec]);
        let whole = sound(&path);
        let mut bytes = std::fs::read(&path).unwrap();
        let data = bytes.windows(4).position(|name| name == b"data").unwrap();
        bytes[data + 4..data + 12].fill(0xFF);
        assert_eq!(
            sound(&files.write("live.caf", &bytes)).samples,
            whole.samples,
            "{codec}"
        );
    }
}

#[test]
fn aiff_with_wrong_sizes_is_read_whole() {
    let files = Files::new();
    let source = files.source(44_100, 2, SECONDS);
    let path = files.encode(&source, "whole.aiff", &["-c:a", "pcm_s16be"]);
    let whole = sound(&path);
    let bytes = std::fs::read(&path).unwrap();
    let ssnd = bytes.windows(4).position(|name| name == b"SSND").unwrap();
    let size = u32::from_be_bytes(*bytes[ssnd + 4..].first_chunk().unwrap());
    let sized = |form: u32, sound: u32| {
        let mut bytes = bytes.clone();
        bytes[4..8].copy_from_slice(&form.to_be_bytes());
        bytes[ssnd + 4..ssnd + 8].copy_from_slice(&sound.to_be_bytes());
        bytes
    };
    let form = bytes.len() as u32 - 8;
    let tagged =
        |name: &[u8], claimed: u32| [&bytes[..], name, &claimed.to_be_bytes(), b"Hello"].concat();
    for (index, file) in [
        sized(100, size),
        sized(0, size),
        sized(form, size + 8),
        sized(u32::MAX, u32::MAX),
        sized(0x7F00_0024, 0x7F00_0000),
        tagged(b"NAME", 2000),
        [&bytes[..12], b"ANNO\0\0\0\x06Hello!", &bytes[12..]].concat(),
        [
            &sized(20, size)[..12],
            b"ANNO\0\0\0\x06Hello!",
            &bytes[12..],
        ]
        .concat(),
    ]
    .iter()
    .enumerate()
    {
        assert_eq!(
            sound(&files.write("wrong.aiff", file)).samples,
            whole.samples,
            "{index}"
        );
    }
}

#[test]
fn wav_in_the_other_byte_order_is_read() {
    let files = Files::new();
    let source = files.source(22_050, 2, SECONDS);
    for (codec, tag, width) in [
        ("pcm_s16le", 1, 2),
        ("pcm_s24le", 1, 3),
        ("pcm_s32le", 1, 4),
        ("pcm_f32le", 3, 4),
    ] {
        let path = files.encode(&source, "little.wav", &["-c:a", codec]);
        let little = sound(&path);
        let bytes = std::fs::read(&path).unwrap();
        let data = bytes.windows(4).position(|name| name == b"data").unwrap();
        let audio: Vec<u8> = bytes[data + 8..]
            .chunks(width)
            .flat_map(|s| s.iter().rev())
            .copied()
            .collect();
        let frame = 2 * width as u16;
        let mut file = b"RIFX".to_vec();
        file.extend((36 + audio.len() as u32).to_be_bytes());
        file.extend(b"WAVEfmt \0\0\0\x10");
        file.extend([tag, 2_u16].map(u16::to_be_bytes).concat());
        file.extend(
            [22_050, 22_050 * u32::from(frame)]
                .map(u32::to_be_bytes)
                .concat(),
        );
        file.extend([frame, 8 * width as u16].map(u16::to_be_bytes).concat());
        file.extend(b"data");
        file.extend((audio.len() as u32).to_be_bytes());
        file.extend(audio);
        let big = sound(&files.write("big.wav", &file));
        assert_eq!(big.samples, little.samples, "{codec}");
        assert_eq!(big.info.bits_per_sample, little.info.bits_per_sample);
    }
}

#[test]
fn mpeg_audio_in_wav_is_read_and_other_codecs_are_named() {
    let files = Files::new();
    let source = files.source(44_100, 1, SECONDS);
    for codec in ["libmp3lame", "mp2"] {
        let path = files.encode(&source, "mpeg.wav", &["-c:a", codec, "-b:a", "96k"]);
        let decoded = sound(&path);
        assert_eq!(decoded.info.container, "wave");
        let reference = files.ffmpeg_decode(&[path]).remove(0);
        assert_eq!(decoded.samples.len(), reference.len(), "{codec}");
        is_like(&decoded.samples, &reference, codec);
    }
    for (tag, name) in [
        (0x31_u16, "GSM 6.10"),
        (0x161, "Windows Media"),
        (0xFF, "AAC"),
    ] {
        let mut file = b"RIFF\0\x10\0\0WAVEfmt \x12\0\0\0".to_vec();
        file.extend(tag.to_le_bytes());
        file.extend(b"\x01\0\x40\x1F\0\0\x59\x06\0\0\x41\0\0\0\0\0data\0\x08\0\0");
        file.extend([7; 2048]);
        let error = decode(&files.write("other.wav", &file)).err().unwrap();
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn a_container_is_taken_only_where_the_file_starts() {
    let files = Files::new();
    let source = files.source(44_100, 2, SECONDS);
    let junk: Vec<u8> = (0..2000_u32).map(|i| (i * i / 7 % 251) as u8).collect();
    let tag = b"ID3\x03\0\0\0\0\0\x0A\0\0\0\0\0\0\0\0\0\0";
    for (name, codec) in [("in.flac", "flac"), ("in.ogg", "libvorbis")] {
        let path = files.encode(&source, name, &["-c:a", codec]);
        let whole = std::fs::read(&path).unwrap();
        let error = decode(&files.write("far.bin", &[&junk, &whole[..]].concat())).err();
        assert!(
            matches!(error, Some(DecodeError::Unrecognised(_))),
            "{name}: {error:?}"
        );
        let tagged = files.write("tagged.bin", &[tag, &whole[..]].concat());
        assert_eq!(sound(&tagged).samples, sound(&path).samples, "{name}");
    }
}

#[test]
fn sizes_of_64_bits_that_a_pipe_left_unknown_are_those_of_the_rest_of_the_file() {
    let files = Files::new();
    let source = files.source(44_100, 2, SECONDS);
    let whole = sound(&source).samples;
    for options in [&["-f", "w64"][..], &["-rf64", "always", "-f", "wav"]] {
        let input = [
            "-v",
            "error",
            "-i",
            source.to_str().unwrap(),
            "-c:a",
            "pcm_f32le",
        ];
        let bytes = run("ffmpeg", &[&input, options, &["-"]].concat());
        let piped = files.write("piped", &bytes);
        assert_eq!(sound(&piped).samples, whole, "{options:?}");
        let cut = files.write("cut", &bytes[..bytes.len() - 80]);
        assert_eq!(
            sound(&cut).samples,
            whole[..whole.len() - 20],
            "{options:?}"
        );
    }
}
