//! Checks that every readable format decodes to the same frames, samples and channel order as with
//! FFmpeg. FFmpeg (required) and the codecs' own programs make the files.

use std::path::{Path, PathBuf};

use crate::files::{Files, decode, difference, generate, run};
use audiostretchy_media::decode::Damage;

/// Length of the test files in seconds: not a whole number of packets in any format.
const SECONDS: f64 = 0.6213;

/// The sample format that the decoder should report.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Depth {
    Lossy,
    Bits(u32),
    Float(u32),
}

/// How many frames the decoder should return.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Length {
    /// As many as FFmpeg decodes.
    Ffmpeg,
    /// As many as the source has. The container says how to trim, which older versions of FFmpeg
    /// ignore.
    Source,
}

use Depth::{Bits, Float, Lossy};
use Length::{Ffmpeg, Source};

/// A file to make: its name, FFmpeg's options, and what is expected.
type Case<'a> = (String, Vec<&'a str>, (Depth, Length));

/// Returns the case of a file with no option but its codec.
fn plain<'a>(codec: &'a str, extension: &str, expected: (Depth, Length)) -> Case<'a> {
    let name = format!("{codec}.{extension}");
    (name, vec!["-c:a", codec], expected)
}

fn with<'a>(name: &str, options: &[&'a str], expected: (Depth, Length)) -> Case<'a> {
    (name.to_owned(), options.to_vec(), expected)
}

/// Encodes files with a sample rate (Hz) and a number of channels, decodes them, and compares.
fn check_all(files: &Files, rate: u32, channels: usize, cases: &[Case<'_>]) {
    let source = files.source(rate, channels, SECONDS);
    let outputs: Vec<(String, Vec<&str>)> = cases
        .iter()
        .map(|(name, options, _)| (format!("{rate}-{channels}-{name}"), options.clone()))
        .collect();
    let paths = files.encode_all(&source, &outputs);
    let expected: Vec<(Depth, Length)> = cases.iter().map(|case| case.2).collect();
    check_files(files, rate, channels, &paths, &expected);
}

fn check_files(
    files: &Files,
    rate: u32,
    channels: usize,
    paths: &[PathBuf],
    expected: &[(Depth, Length)],
) {
    let references = files.ffmpeg_decode(paths);
    for ((path, reference), &expected) in paths.iter().zip(&references).zip(expected) {
        check(files, rate, channels, path, reference, expected);
    }
}

fn check(
    files: &Files,
    rate: u32,
    channels: usize,
    path: &Path,
    reference: &[f32],
    (depth, length): (Depth, Length),
) {
    let what = format!("{}", path.file_name().unwrap().display());
    let decoded = decode(path).unwrap_or_else(|error| panic!("{what}: {error:?}"));
    let info = &decoded.info;
    assert_eq!(
        (info.sample_rate, info.channels),
        (rate, channels),
        "{what}"
    );
    let found = match (info.bits_per_sample, info.is_float) {
        (None, _) => Lossy,
        (Some(bits), true) => Float(bits),
        (Some(bits), false) => Bits(bits),
    };
    assert_eq!(found, depth, "{what}");
    assert_eq!(info.fits_16_bits(), matches!(depth, Bits(..=16)), "{what}");
    assert_eq!(decoded.damage, Damage::default(), "{what}");
    if let Some(mask) = info.channel_mask {
        assert_eq!(mask.count_ones() as usize, channels, "{what}");
    }
    let frames = match length {
        Ffmpeg => reference.len() as u64 / channels as u64,
        Source => {
            decode(&files.source(rate, channels, SECONDS))
                .unwrap()
                .frames
        }
    };
    assert_eq!(decoded.frames, frames, "{what}");
    assert_eq!(
        decoded.samples.len() as u64,
        frames * channels as u64,
        "{what}"
    );
    // Lossy decoders round differently.
    let error = difference(&decoded.samples, reference);
    assert!(error < 0.003, "{what}: differs from FFmpeg by {error}");
    if let Some(kbps) = info.bitrate_kbps {
        let bytes = path.metadata().unwrap().len() as f64;
        let mean = bytes * 8e-3 / (frames as f64 / f64::from(rate));
        let ratio = f64::from(kbps) / mean;
        assert!(
            (0.8..1.25).contains(&ratio),
            "{what}: {kbps} kbit/s, not {mean}"
        );
    }
}

#[test]
fn wav_of_every_sample_format_is_decoded() {
    let files = Files::new();
    let cases = [
        ("pcm_u8", Bits(8)),
        ("pcm_s16le", Bits(16)),
        ("pcm_s24le", Bits(24)),
        ("pcm_s32le", Bits(32)),
        ("pcm_f32le", Float(32)),
        ("pcm_f64le", Float(64)),
        ("pcm_alaw", Bits(16)),
        ("pcm_mulaw", Bits(16)),
    ]
    .map(|(codec, depth)| plain(codec, "wav", (depth, Ffmpeg)));
    for channels in [1, 2, 6] {
        check_all(&files, 44_100, channels, &cases);
    }
    let adpcm = ["adpcm_ms", "adpcm_ima_wav"].map(|codec| plain(codec, "wav", (Bits(16), Ffmpeg)));
    check_all(&files, 22_050, 1, &adpcm);
    check_all(&files, 22_050, 2, &adpcm);
    for rate in [8_000, 22_050, 48_000, 96_000] {
        check_all(
            &files,
            rate,
            2,
            &[plain("pcm_s16le", "wav", (Bits(16), Ffmpeg))],
        );
    }
}

#[test]
fn rf64_wave64_au_aiff_caf_and_mov_are_decoded() {
    let files = Files::new();
    let mut cases = vec![with(
        "rf64.wav",
        &["-c:a", "pcm_s24le", "-rf64", "always"],
        (Bits(24), Ffmpeg),
    )];
    for (extensions, codec, depth) in [
        (&["au", "aiff"][..], "pcm_s8", Bits(8)),
        (&["au", "aiff", "caf"], "pcm_s16be", Bits(16)),
        (&["au", "aiff"], "pcm_s24be", Bits(24)),
        (&["au", "aiff"], "pcm_f32be", Float(32)),
        (&["au", "aiff"], "pcm_f64be", Float(64)),
        (&["au", "aiff"], "pcm_alaw", Bits(16)),
        (&["au", "aiff", "caf"], "pcm_mulaw", Bits(16)),
        (&["w64"], "pcm_s16le", Bits(16)),
        (&["w64", "caf"], "pcm_s24le", Bits(24)),
        (&["w64", "caf"], "pcm_f32le", Float(32)),
        (&["caf"], "alac", Bits(24)),
    ] {
        for extension in extensions {
            cases.push(plain(codec, extension, (depth, Ffmpeg)));
        }
    }
    check_all(&files, 44_100, 6, &cases);
    for (codec, depth) in [
        ("pcm_s24be", Bits(24)),
        ("pcm_s16le", Bits(16)),
        ("pcm_f32be", Float(32)),
        ("pcm_s8", Bits(8)),
        ("pcm_u8", Bits(8)),
        ("pcm_s24le", Bits(24)),
        ("pcm_s32be", Bits(32)),
        ("pcm_f64le", Float(64)),
        ("pcm_alaw", Bits(16)),
        ("pcm_mulaw", Bits(16)),
    ] {
        cases.push(plain(codec, "mov", (depth, Ffmpeg)));
    }
    check_all(&files, 22_050, 1, &cases);
    check_all(&files, 48_000, 2, &cases);
}

/// FFmpeg 5 does not write PCM in MP4 as the standard says (ISO/IEC 23003-5). The test renames the
/// sample entry and replaces the box of the speakers by one with the byte order and bit depth.
#[test]
fn pcm_in_mp4_is_decoded_by_its_own_names() {
    let files = Files::new();
    let source = files.source(48_000, 2, SECONDS);
    for (codec, old, new, is_little, bits) in [
        ("pcm_s16le", b"sowt", b"ipcm", true, 16),
        ("pcm_s16be", b"twos", b"ipcm", false, 16),
        ("pcm_s24le", b"in24", b"ipcm", true, 24),
        ("pcm_s24be", b"in24", b"ipcm", false, 24),
        ("pcm_s32le", b"in32", b"ipcm", true, 32),
        ("pcm_f32le", b"fl32", b"fpcm", true, 32),
        ("pcm_f64be", b"fl64", b"fpcm", false, 64),
    ] {
        let mov = files.encode(&source, &format!("{codec}.mov"), &["-c:a", codec]);
        let mut bytes = std::fs::read(&mov).unwrap();
        let find = |bytes: &[u8], name: &[u8]| bytes.windows(4).position(|four| four == name);
        let at = find(&bytes, old).unwrap();
        bytes[at..at + 4].copy_from_slice(new);
        let at = find(&bytes, b"chan").unwrap();
        let config = [b"pcmC", &[0, 0, 0, 0, u8::from(is_little), bits][..]].concat();
        bytes[at..at + config.len()].copy_from_slice(&config);
        if let Some(at) = find(&bytes, b"enda") {
            bytes[at..at + 4].copy_from_slice(b"free");
        }
        let mp4 = decode(&files.write(&format!("{codec}.mp4"), &bytes)).unwrap();
        let expected = files.ffmpeg_decode(&[mov]).remove(0);
        assert_eq!(mp4.samples, expected, "{codec}");
    }
}

#[test]
fn flac_and_alac_are_decoded_in_every_container() {
    let files = Files::new();
    let cases = [
        with(
            "16.flac",
            &["-c:a", "flac", "-sample_fmt", "s16"],
            (Bits(16), Source),
        ),
        with(
            "24.flac",
            &["-c:a", "flac", "-sample_fmt", "s32"],
            (Bits(24), Source),
        ),
        plain("flac", "oga", (Bits(24), Source)),
        plain("flac", "mka", (Bits(24), Source)),
        with(
            "16.m4a",
            &["-c:a", "alac", "-sample_fmt", "s16p"],
            (Bits(16), Source),
        ),
        plain("alac", "m4a", (Bits(24), Source)),
        with(
            "flac.mp4",
            &["-c:a", "flac", "-strict", "-2"],
            (Bits(24), Source),
        ),
    ];
    for (rate, channels) in [(8_000, 1), (44_100, 2), (48_000, 6)] {
        check_all(&files, rate, channels, &cases);
    }
    // The sample entry of MP4 has too few bits for this rate.
    check_all(&files, 96_000, 2, &cases[..6]);
}

#[test]
fn mpeg_audio_is_decoded_gapless_where_it_says_how() {
    let files = Files::new();
    let cases = [
        with("xing.mp3", &["-c:a", "libmp3lame"], (Lossy, Ffmpeg)),
        with(
            "none.mp3",
            &["-c:a", "libmp3lame", "-write_xing", "0"],
            (Lossy, Ffmpeg),
        ),
        with(
            "vbr.mp3",
            &["-c:a", "libmp3lame", "-q:a", "2", "-write_xing", "0"],
            (Lossy, Ffmpeg),
        ),
        plain("libmp3lame", "mka", (Lossy, Ffmpeg)),
        plain("libmp3lame", "mp4", (Lossy, Source)),
        with("mp2.mp2", &["-c:a", "mp2", "-b:a", "96k"], (Lossy, Ffmpeg)),
    ];
    check_all(&files, 8_000, 1, &cases[..3]);
    for (rate, channels) in [(22_050, 2), (44_100, 1), (48_000, 2)] {
        check_all(&files, rate, channels, &cases);
    }
    let source = files.source(44_100, 2, SECONDS);
    let paths = ["-V2", "-b128"].map(|option| {
        let path = files.path(&format!("lame{option}.mp3"));
        run(
            "lame",
            &[
                "--quiet",
                option,
                source.to_str().unwrap(),
                path.to_str().unwrap(),
            ],
        );
        path
    });
    check_files(&files, 44_100, 2, &paths, &[(Lossy, Source); 2]);
}

#[test]
fn vorbis_is_decoded_in_every_container_and_channel_order() {
    let files = Files::new();
    let cases = [
        plain("libvorbis", "ogg", (Lossy, Source)),
        plain("libvorbis", "mka", (Lossy, Ffmpeg)),
        plain("libvorbis", "webm", (Lossy, Ffmpeg)),
    ];
    for (rate, channels) in [
        (8_000, 1),
        (22_050, 2),
        (44_100, 2),
        (44_100, 6),
        (48_000, 8),
    ] {
        check_all(&files, rate, channels, &cases);
    }
    for channels in [1, 2, 3, 6, 8] {
        let source = files.source(48_000, channels, SECONDS);
        let path = files.path("enc.ogg");
        run(
            "oggenc",
            &["-Q", "-o", path.to_str().unwrap(), source.to_str().unwrap()],
        );
        check_files(&files, 48_000, channels, &[path], &[(Lossy, Source)]);
    }
}

#[test]
fn opus_is_decoded_in_every_container_and_channel_order() {
    let files = Files::new();
    let cases = [
        plain("libopus", "opus", (Lossy, Ffmpeg)),
        plain("libopus", "mka", (Lossy, Ffmpeg)),
        plain("libopus", "webm", (Lossy, Ffmpeg)),
        plain("libopus", "mp4", (Lossy, Source)),
    ];
    for channels in [1, 2, 3, 6, 8] {
        check_all(&files, 48_000, channels, &cases);
        let source = files.source(48_000, channels, SECONDS);
        let path = files.path("enc.opus");
        run(
            "opusenc",
            &["--quiet", source.to_str().unwrap(), path.to_str().unwrap()],
        );
        check_files(&files, 48_000, channels, &[path], &[(Lossy, Source)]);
    }
}

#[test]
fn aac_is_decoded_to_the_exact_length_and_in_surround() {
    let files = Files::new();
    let fragments = [
        "-c:a",
        "aac",
        "-movflags",
        "frag_keyframe+empty_moov",
        "-frag_duration",
        "200000",
    ];
    let cases = [
        plain("aac", "m4a", (Lossy, Source)),
        plain("aac", "aac", (Lossy, Ffmpeg)),
        plain("aac", "mka", (Lossy, Ffmpeg)),
        with("fragments.mp4", &fragments, (Lossy, Ffmpeg)),
    ];
    for (rate, channels) in [
        (8_000, 1),
        (22_050, 2),
        (44_100, 2),
        (48_000, 6),
        (96_000, 2),
    ] {
        check_all(&files, rate, channels, &cases);
    }
}

#[test]
fn he_aac_is_decoded_at_its_full_rate() {
    let files = Files::new();
    let tone =
        |step: f32| -> Vec<f32> { (0..40_000).map(|n| 0.3 * (n as f32 * step).sin()).collect() };
    let planes = [tone(0.05), tone(0.31)];
    let plain = syom::EncodeOptions::adts()
        .with_he(true)
        .with_bitrate_bps(48_000);
    let parametric = syom::EncodeOptions::adts()
        .with_he_v2(true)
        .with_bitrate_bps(32_000);
    for (name, options) in [("he", plain), ("he-v2", parametric)] {
        let bytes = syom::encode_with(&planes, 44_100, &options).unwrap();
        let adts = files.write(&format!("{name}.aac"), &bytes);
        let copy = vec!["-c", "copy", "-bsf:a", "aac_adtstoasc"];
        let outputs = ["m4a", "mka"].map(|extension| (format!("{name}.{extension}"), copy.clone()));
        let mut paths = files.encode_all(&adts, &outputs);
        paths.push(adts);
        check_files(&files, 44_100, 2, &paths, &[(Lossy, Ffmpeg); 3]);
    }
}

#[test]
fn a_cover_is_no_part_of_the_bit_rate() {
    let files = Files::new();
    let cover = files.path("cover.png");
    let picture = "nullsrc=s=400x400,geq=random(1)*255:128:128";
    generate(picture, &["-frames:v", "1"], &cover);
    let cover = cover.to_str().unwrap();
    let source = files.source(44_100, 1, 10.0);
    for (extension, codec) in [("m4a", "aac"), ("mp3", "libmp3lame"), ("flac", "flac")] {
        let plain = files.encode(&source, &format!("plain.{extension}"), &["-c:a", codec]);
        let covered = files.path(&format!("covered.{extension}"));
        let [from, to] = [&plain, &covered].map(|path| path.to_str().unwrap());
        let inputs = [
            "-v", "error", "-i", from, "-i", cover, "-map", "0", "-map", "1",
        ];
        let options = ["-c", "copy", "-disposition:v", "attached_pic", to];
        run("ffmpeg", &[&inputs[..], &options].concat());
        let [plain, covered] = [&plain, &covered].map(|path| {
            let bytes = path.metadata().unwrap().len();
            (bytes, decode(path).unwrap().info.bitrate_kbps.unwrap())
        });
        assert!(covered.0 > plain.0 + 50_000, "{extension}");
        assert!(
            plain.1.abs_diff(covered.1) <= 2,
            "{extension}: {plain:?} {covered:?}"
        );
    }
}
