//! Every encoder against the usual decoders: `ffmpeg`, `ffprobe` and `flac` must be installed.
//!
//! Each channel holds a tone of its own, so that a swapped, lost or mistuned channel shows.

use std::f64::consts::TAU;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use audiostretchy::Warning;
use audiostretchy::media::decode::AudioInfo;
use audiostretchy::media::encode::{EncodeSpec, Encoded, Samples};
use audiostretchy::media::format::{BitDepth, Format, OutputOptions};

/// Tones in Hz of the channels of 5.1 in WAVE order; the fourth is the bass speaker.
const TONES: [f64; 6] = [300.0, 650.0, 1000.0, 100.0, 1700.0, 2050.0];
const AMPLITUDE: f64 = 0.5;
/// Lengths of the blocks given to the encoders, in frames, over and over.
const BLOCKS: [usize; 6] = [1, 700, 4096, 0, 33, 5000];
const RATES: [u32; 5] = [8_000, 22_050, 44_100, 48_000, 96_000];

fn source(channels: usize, sample_rate: u32, float: bool) -> AudioInfo {
    AudioInfo {
        container: "wave",
        codec: if float { "pcm_f32le" } else { "pcm_s16le" },
        sample_rate,
        channels,
        channel_mask: match channels {
            1 => Some(0x4),
            2 => Some(0x3),
            6 => Some(0x3F),
            _ => None,
        },
        bits_per_sample: Some(if float { 32 } else { 16 }),
        is_float: float,
        frames: None,
        bitrate_kbps: None,
    }
}

fn tones(channels: usize, sample_rate: u32, frames: usize) -> Vec<f32> {
    (0..frames * channels)
        .map(|i| {
            let (frame, channel) = (i / channels, i % channels);
            let phase = TONES[channel] * TAU * frame as f64 / f64::from(sample_rate);
            (AMPLITUDE * phase.sin()) as f32
        })
        .collect()
}

fn to_int16(samples: &[f32]) -> Vec<i16> {
    let int16 = |sample: &f32| (sample * 32768.0).round() as i16;
    samples.iter().map(int16).collect()
}

/// A file in a folder that is removed with it.
struct TestFile {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl TestFile {
    fn new(format: Format) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = format!("test.{}", format.extensions()[0]);
        Self {
            path: folder.path().join(name),
            _folder: folder,
        }
    }
}

/// Encodes in uneven blocks, as 16-bit integers or as floats.
fn encode(spec: &EncodeSpec, samples: &[f32], float: bool, path: &Path) -> Encoded {
    let mut encoder = spec.start(File::create(path).unwrap()).unwrap();
    let integers = to_int16(samples);
    let mut at = 0;
    for frames in BLOCKS.iter().cycle() {
        let end = samples.len().min(at + frames * spec.channels);
        let block = if float {
            Samples::Float32(&samples[at..end])
        } else {
            Samples::Int16(&integers[at..end])
        };
        encoder.write(block).unwrap();
        at = end;
        if at == samples.len() {
            break;
        }
    }
    encoder.finish().unwrap()
}

fn output_of(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    assert!(errors.is_empty(), "{command:?}: {errors}");
    output.stdout
}

/// What ffmpeg makes of a file.
struct Decoded {
    sample_rate: u32,
    channels: usize,
    samples: Vec<f32>,
}

/// Decodes into floats (exact for up to 24 bits), in WAVE order.
fn decode(path: &Path) -> Decoded {
    if path.extension().unwrap() == "ogg" {
        return decode_vorbis(path);
    }
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-i"]).arg(path);
    let au = output_of(command.args(["-c:a", "pcm_f32be", "-f", "au", "-"]));
    // An AU file: big-endian words, of which the second is the place of the samples.
    let word = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap());
    let samples = au[word(&au[4..8]) as usize..].chunks_exact(4);
    Decoded {
        sample_rate: word(&au[16..20]),
        channels: word(&au[20..24]) as usize,
        samples: samples.map(|bytes| f32::from_bits(word(bytes))).collect(),
    }
}

/// Decodes with oggdec: ffmpeg is some frames off, on what oggenc writes too.
fn decode_vorbis(path: &Path) -> Decoded {
    let mut command = Command::new("oggdec");
    let wav = output_of(command.args(["-Q", "-o", "-"]).arg(path));
    let int16 = |bytes: &[u8]| i16::from_le_bytes(bytes.try_into().unwrap());
    let channels = int16(&wav[22..24]) as usize;
    // oggdec has an order of its own for 5.1 (it gives the same for what oggenc writes).
    let order: &[usize] = match channels {
        6 => &[0, 1, 2, 4, 5, 3],
        _ => &[0, 1][..channels],
    };
    let frames = wav[44..].chunks_exact(2 * channels);
    let samples = frames.flat_map(|frame| {
        let sample = |&at: &usize| f32::from(int16(&frame[2 * at..2 * at + 2])) / 32768.0;
        order.iter().map(sample)
    });
    Decoded {
        sample_rate: u32::from_le_bytes(wav[24..28].try_into().unwrap()),
        channels,
        samples: samples.collect(),
    }
}

/// A property of the audio stream, according to ffprobe.
fn probe(path: &Path, key: &str) -> String {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-of", "csv=p=0", "-show_entries"]);
    let bytes = output_of(command.arg(format!("stream={key}")).arg(path));
    String::from_utf8(bytes).unwrap().trim().to_string()
}

/// Amplitude of a tone in one channel: a Goertzel filter over a Hann window.
fn amplitude(samples: &[f32], channels: usize, channel: usize, step: f64) -> f64 {
    let frames = samples.len() / channels;
    let coefficient = 2.0 * step.cos();
    let (mut last, mut before) = (0.0, 0.0);
    for frame in 0..frames {
        let window = 0.5 - 0.5 * (TAU * frame as f64 / frames as f64).cos();
        let sample = f64::from(samples[frame * channels + channel]);
        (last, before) = (window * sample + coefficient * last - before, last);
    }
    let power = last * last + before * before - coefficient * last * before;
    4.0 * power.sqrt() / frames as f64
}

fn check_tones(decoded: &[f32], channels: usize, sample_rate: u32, what: &str) {
    for channel in 0..channels {
        for (other, tone) in TONES[..channels].iter().enumerate() {
            let step = tone * TAU / f64::from(sample_rate);
            let found = amplitude(decoded, channels, channel, step);
            let expected = if other == channel { AMPLITUDE } else { 0.0 };
            // Vorbis makes the bass speaker's tone a third louder, and so does oggenc.
            let tolerance = if channel == 3 && other == 3 {
                0.2
            } else {
                0.05
            };
            assert!(
                (found - expected).abs() < tolerance,
                "{what}: {tone} Hz has amplitude {found} in channel {channel}"
            );
        }
    }
}

/// Encodes and decodes tones in every sort of file that a format holds.
fn check_round_trips(format: Format, channel_counts: &[usize], tolerance: f32) {
    for &channels in channel_counts {
        for rate in RATES {
            for float in [false, true] {
                check_round_trip(format, channels, rate, float, tolerance);
            }
        }
    }
}

fn check_round_trip(format: Format, channels: usize, rate: u32, float: bool, tolerance: f32) {
    let what = format!("{} {channels} channels {rate} Hz, {float}", format.name());
    let info = source(channels, rate, float);
    let (spec, _) = EncodeSpec::new(&info, format, &OutputOptions::default(), 0).unwrap();
    let frames = spec.sample_rate as usize / 8 + 13;
    let input = tones(channels, spec.sample_rate, frames);
    let file = TestFile::new(format);

    let encoded = encode(&spec, &input, float, &file.path);
    let decoded = decode(&file.path);

    assert_eq!(encoded.frames, frames as u64, "{what}");
    assert_eq!(encoded.clipped_samples, 0, "{what}");
    // Opus decoders always give 48 kHz.
    let decoded_rate = match format {
        Format::Opus => 48_000,
        _ => spec.sample_rate,
    };
    let decoded_frames = frames * decoded_rate as usize / spec.sample_rate as usize;
    assert_eq!(decoded.samples.len(), decoded_frames * channels, "{what}");
    assert_eq!(decoded.sample_rate, decoded_rate, "{what}");
    assert_eq!(decoded.channels, channels, "{what}");
    check_tones(&decoded.samples, channels, decoded_rate, &what);
    if decoded.samples.len() == input.len() {
        let worst = input
            .iter()
            .zip(&decoded.samples)
            .map(|(a, b)| (a - b).abs());
        let worst = worst.fold(0.0, f32::max);
        assert!(worst <= tolerance, "{what}: off by {worst}");
    }
}

/// Files of no frames and of one.
fn check_short_files(format: Format) {
    for frames in [0, 1, 2] {
        let info = source(2, 48_000, false);
        let (spec, _) = EncodeSpec::new(&info, format, &OutputOptions::default(), 0).unwrap();
        let file = TestFile::new(format);
        let encoded = encode(&spec, &tones(2, 48_000, frames), false, &file.path);
        assert_eq!(encoded.frames, frames as u64);
        assert_eq!(
            decode(&file.path).samples.len(),
            2 * frames,
            "{frames} frames"
        );
    }
}

/// The codes of the warnings for a conversion, and how it is then done.
fn converted(info: &AudioInfo, format: Format) -> (EncodeSpec, Vec<&'static str>) {
    let (spec, warnings) = EncodeSpec::new(info, format, &OutputOptions::default(), 0).unwrap();
    (
        spec,
        warnings.iter().map(|Warning { code, .. }| *code).collect(),
    )
}

/// Half a step of the larger of two depths: 16-bit input is rounded in the test itself.
const HALF_STEP_16: f32 = 0.5 / 32768.0;

#[test]
fn wav_is_exact() {
    check_round_trip(Format::Wav, 1, 8_000, false, HALF_STEP_16);
    check_round_trip(Format::Wav, 2, 44_100, true, 0.0);
    check_round_trip(Format::Wav, 6, 96_000, true, 0.0);
    check_short_files(Format::Wav);
}

#[test]
fn mp3_keeps_length_and_tones() {
    check_round_trip(Format::Mp3, 1, 8_000, false, 0.1);
    check_round_trip(Format::Mp3, 2, 22_050, true, 0.1);
    check_round_trip(Format::Mp3, 2, 96_000, false, 0.1);
}

#[test]
fn flac_is_exact() {
    check_round_trips(Format::Flac, &[1, 2, 6], HALF_STEP_16);
    check_short_files(Format::Flac);
}

#[test]
fn aiff_is_exact() {
    check_round_trips(Format::Aiff, &[1, 2, 6], HALF_STEP_16);
    check_short_files(Format::Aiff);
}

#[test]
fn aiff_keeps_depth_and_speakers() {
    for (bit_depth, codec) in [
        (BitDepth::Int16, "pcm_s16be"),
        (BitDepth::Int24, "pcm_s24be"),
        (BitDepth::Float32, "pcm_f32be"),
    ] {
        let options = OutputOptions {
            bit_depth: Some(bit_depth),
            ..OutputOptions::default()
        };
        let info = source(6, 44_100, true);
        let (spec, warnings) = EncodeSpec::new(&info, Format::Aiff, &options, 0).unwrap();
        let file = TestFile::new(Format::Aiff);
        encode(&spec, &tones(6, 44_100, 101), true, &file.path);
        assert!(warnings.is_empty());
        let described = probe(&file.path, "codec_name,channel_layout");
        assert_eq!(described, format!("{codec},5.1"));
    }
}

#[test]
fn ogg_vorbis_keeps_length_and_tones() {
    check_round_trips(Format::Ogg, &[1, 2, 6], 0.3);
    check_short_files(Format::Ogg);
}

#[test]
fn ogg_vorbis_is_not_given_rates_at_which_its_encoder_loses_tones() {
    let (spec, codes) = converted(&source(1, 8_000, false), Format::Ogg);
    assert_eq!(spec.sample_rate, 16_000);
    assert_eq!(codes, ["resampled"]);
}

#[test]
fn ogg_vorbis_takes_any_bit_rate_and_quality() {
    let input = tones(2, 96_000, 4_000);
    for sample_rate in [16_000, 44_100, 96_000] {
        for (bitrate_kbps, quality) in [
            (Some(8), None),
            (Some(512), None),
            (None, Some(0.0)),
            (None, Some(10.0)),
        ] {
            let options = OutputOptions {
                bitrate_kbps,
                quality,
                ..OutputOptions::default()
            };
            let info = source(2, sample_rate, true);
            let (spec, _) = EncodeSpec::new(&info, Format::Ogg, &options, 0).unwrap();
            let file = TestFile::new(Format::Ogg);
            assert_eq!(encode(&spec, &input, true, &file.path).frames, 4_000);
        }
    }
}

#[test]
fn opus_keeps_length_and_tones() {
    check_round_trips(Format::Opus, &[1, 2, 6], 0.3);
    check_short_files(Format::Opus);
}

#[test]
fn opus_is_given_one_of_its_own_rates() {
    for (rate, expected, warned) in [
        (8_000, 8_000, false),
        (24_000, 24_000, false),
        (22_050, 48_000, true),
        (44_100, 48_000, true),
        (96_000, 48_000, true),
    ] {
        let (spec, codes) = converted(&source(2, rate, false), Format::Opus);
        assert_eq!(spec.sample_rate, expected);
        assert_eq!(codes == ["resampled"], warned, "{rate} Hz: {codes:?}");
    }
}

#[test]
fn speakers_that_a_format_does_not_know_give_a_warning() {
    let mut info = source(6, 44_100, false);
    // Front and side speakers, a common 5.1, and then three front and three back ones.
    for (mask, expected) in [(0x60F, &[][..]), (0x137, &["speakers-changed"])] {
        info.channel_mask = Some(mask);
        let (_, codes) = converted(&info, Format::Ogg);
        assert_eq!(codes, expected);
    }
}

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

#[test]
fn a_format_with_too_few_channels_is_refused_with_the_option_to_change() {
    let info = source(9, 44_100, false);
    let refused = EncodeSpec::new(&info, Format::Flac, &OutputOptions::default(), 0);
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("at most 8 channels"), "{message}");
    assert!(message.contains("--format"), "{message}");
}
