//! Functions that make, decode and check test files.

use std::f64::consts::TAU;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use audiostretchy::Warning;
use audiostretchy_media::decode::AudioInfo;
use audiostretchy_media::encode::{EncodeSpec, Encoded};
use audiostretchy_media::format::{Format, OutputOptions};
use audiostretchy_media::samples::Samples;

/// The tones in Hz of the channels of 5.1 in WAVE order. The fourth is the bass speaker.
pub(crate) const TONES: [f64; 6] = [300.0, 650.0, 1000.0, 100.0, 1700.0, 2050.0];
pub(crate) const AMPLITUDE: f64 = 0.5;
/// Lengths in frames of the blocks passed to the encoders, by turns.
pub(crate) const BLOCKS: [usize; 6] = [1, 700, 4096, 0, 33, 5000];
pub(crate) const RATES: [u32; 5] = [8_000, 22_050, 44_100, 48_000, 96_000];
/// Half a step of 16 bits: the test itself rounds 16-bit input.
pub(crate) const HALF_STEP_16: f32 = 0.5 / 32768.0;
/// Root of the mean square error of lossy formats; most of it is at the abrupt ends.
pub(crate) const LOSSY: f32 = 0.1;

pub(crate) fn source(channels: usize, sample_rate: u32, float: bool) -> AudioInfo {
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

pub(crate) fn tones(channels: usize, sample_rate: u32, frames: usize) -> Vec<f32> {
    (0..frames * channels)
        .map(|i| {
            let (frame, channel) = (i / channels, i % channels);
            let phase = TONES[channel] * TAU * frame as f64 / f64::from(sample_rate);
            (AMPLITUDE * phase.sin()) as f32
        })
        .collect()
}

pub(crate) fn to_int16(samples: &[f32]) -> Vec<i16> {
    let int16 = |sample: &f32| (sample * 32768.0).round() as i16;
    samples.iter().map(int16).collect()
}

/// A file in a temporary folder, which is removed when this is dropped.
pub(crate) struct TestFile {
    pub path: PathBuf,
    _folder: tempfile::TempDir,
}

impl TestFile {
    pub(crate) fn new(format: Format) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = format!("test.{}", format.extensions()[0]);
        Self {
            path: folder.path().join(name),
            _folder: folder,
        }
    }
}

/// Encodes in blocks of different lengths, as 16-bit integers or as floats.
pub(crate) fn encode(spec: &EncodeSpec, samples: &[f32], float: bool, path: &Path) -> Encoded {
    let mut encoder = spec.start(File::create(path).unwrap()).unwrap();
    let integers = to_int16(samples);
    let mut at = 0;
    for frames in BLOCKS.iter().cycle() {
        let end = samples.len().min(at + frames * spec.channels);
        let block = if float {
            Samples::from(&samples[at..end])
        } else {
            Samples::from(&integers[at..end])
        };
        encoder.write(block).unwrap();
        at = end;
        if at == samples.len() {
            break;
        }
    }
    encoder.finish().unwrap()
}

pub(crate) fn output_of(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    assert!(errors.is_empty(), "{command:?}: {errors}");
    output.stdout
}

/// Audio that ffmpeg has decoded.
pub(crate) struct Decoded {
    pub sample_rate: u32,
    pub channels: usize,
    pub samples: Vec<f32>,
}

/// Decodes a file to floats (exact for up to 24 bits), in WAVE order.
pub(crate) fn decode(path: &Path) -> Decoded {
    if path.extension().unwrap() == "ogg" {
        return decode_vorbis(path);
    }
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-i"]).arg(path);
    let au = output_of(command.args(["-c:a", "pcm_f32be", "-f", "au", "-"]));
    // An AU file: big-endian words, of which the second is the offset of the samples.
    let word = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap());
    let channels = word(&au[20..24]) as usize;
    let samples = au[word(&au[4..8]) as usize..].chunks_exact(4);
    let samples = samples.map(|bytes| f32::from_bits(word(bytes)));
    let mut decoded = Decoded {
        sample_rate: word(&au[16..20]),
        channels,
        samples: samples.collect(),
    };
    if ["m4a", "m4b"]
        .iter()
        .any(|end| path.extension().unwrap() == *end)
    {
        // ffmpeg plays the last packet to its end, also in the files that it writes.
        let len = channels * probe(path, "duration_ts").parse::<usize>().unwrap();
        assert!((len..len + 1024 * channels).contains(&decoded.samples.len()));
        decoded.samples.truncate(len);
    }
    decoded
}

/// Decodes with oggdec: ffmpeg is off by some frames, also on the files that oggenc writes.
pub(crate) fn decode_vorbis(path: &Path) -> Decoded {
    let mut command = Command::new("oggdec");
    let wav = output_of(command.args(["-Q", "-o", "-"]).arg(path));
    let int16 = |bytes: &[u8]| i16::from_le_bytes(bytes.try_into().unwrap());
    let channels = int16(&wav[22..24]) as usize;
    // oggdec uses its own channel order for 5.1, also for the files that oggenc writes.
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

/// Returns a property of the audio stream, according to ffprobe.
pub(crate) fn probe(path: &Path, key: &str) -> String {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-of", "csv=p=0", "-show_entries"]);
    let bytes = output_of(command.arg(format!("stream={key}")).arg(path));
    String::from_utf8(bytes).unwrap().trim().to_string()
}

/// Returns the amplitude of a tone in one channel: a Goertzel filter with a Hann window.
pub(crate) fn amplitude(samples: &[f32], channels: usize, channel: usize, step: f64) -> f64 {
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

pub(crate) fn check_tones(decoded: &[f32], channels: usize, sample_rate: u32, what: &str) {
    for channel in 0..channels {
        for (other, tone) in TONES[..channels].iter().enumerate() {
            let step = tone * TAU / f64::from(sample_rate);
            let found = amplitude(decoded, channels, channel, step);
            let expected = if other == channel { AMPLITUDE } else { 0.0 };
            // Vorbis makes the bass speaker's tone louder by a third, and so does oggenc.
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

/// Encodes tones in every kind of file that a lossless format supports, and decodes them.
pub(crate) fn check_lossless(format: Format) {
    for channels in [1, 2, 6] {
        for rate in RATES {
            for float in [false, true] {
                check_round_trip(format, channels, rate, float, HALF_STEP_16);
            }
        }
    }
}

/// Does the same as `check_lossless` for a lossy format, with integers and floats by turns.
pub(crate) fn check_lossy(format: Format, channel_counts: &[usize]) {
    for (turn, rate) in RATES.into_iter().enumerate() {
        for &channels in channel_counts {
            check_round_trip(format, channels, rate, (turn + channels) % 2 == 0, LOSSY);
        }
    }
}

pub(crate) fn check_round_trip(
    format: Format,
    channels: usize,
    rate: u32,
    float: bool,
    tolerance: f32,
) {
    let what = format!("{} {channels} channels {rate} Hz, {float}", format.name());
    let info = source(channels, rate, float);
    let (spec, _) = EncodeSpec::new(&info, format, &OutputOptions::default()).unwrap();
    let frames = spec.sample_rate as usize / 8 + 13;
    let input = tones(channels, spec.sample_rate, frames);
    let file = TestFile::new(format);

    let encoded = encode(&spec, &input, float, &file.path);
    let decoded = decode(&file.path);

    assert_eq!(encoded.frames, frames as u64, "{what}");
    assert_eq!(encoded.clipped_samples, 0, "{what}");
    // Opus decoders always return 48 kHz.
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
        let errors = input.iter().zip(&decoded.samples).map(|(a, b)| a - b);
        let error = if tolerance == LOSSY {
            (errors.map(|error| error * error).sum::<f32>() / input.len() as f32).sqrt()
        } else {
            errors.map(f32::abs).fold(0.0, f32::max)
        };
        assert!(error <= tolerance, "{what}: off by {error}");
    }
}

/// Checks files of no frames and of one frame.
pub(crate) fn check_short_files(format: Format) {
    for frames in [0, 1, 2] {
        let info = source(2, 48_000, false);
        let (spec, _) = EncodeSpec::new(&info, format, &OutputOptions::default()).unwrap();
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

/// Returns how audio is converted for a format, and the codes of the warnings about it.
pub(crate) fn converted(info: &AudioInfo, format: Format) -> (EncodeSpec, Vec<&'static str>) {
    let (spec, warnings) = EncodeSpec::new(info, format, &OutputOptions::default()).unwrap();
    (
        spec,
        warnings.iter().map(|Warning { code, .. }| *code).collect(),
    )
}
