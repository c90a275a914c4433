//! What the fuzzer does with arbitrary bytes. A target panics if something is wrong.

#![allow(
    unreachable_pub,
    reason = "public for the fuzzer, private in the tests"
)]

use std::fs::{self, File};
use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::Path;

use audiostretchy::batch::PlanRequest;
use audiostretchy::preset::PresetStore;
use audiostretchy::{
    BitDepth, Conversion, EncoderEffort, Engine, Format, Input, OutputOptions, Sample, Samples,
    StretchOptions, Stretcher, Style, TimePoint,
};
use audiostretchy_media::decode::Decoder;
use audiostretchy_media::encode::EncodeSpec;
use audiostretchy_tags::sidecar::Sidecar;
use audiostretchy_tags::{Clock, Metadata, MovedPositions};
use tempfile::TempDir;

/// The number of frames after which a target stops decoding.
const ENOUGH: u64 = 1 << 20;

/// A target's name and function.
pub(super) type Target = (&'static str, fn(&[u8]));

/// All targets.
#[allow(dead_code, reason = "the tests run all of them")]
pub(super) const ALL: [Target; 8] = [
    ("decode", decode),
    ("pipeline", pipeline),
    ("tags", tags),
    ("engine", engine),
    ("flac", flac),
    ("preset", preset),
    ("journal", journal),
    ("sidecar", sidecar),
];

/// Creates a folder for the files of one run, in memory if possible.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = match memory.is_dir() {
        true => TempDir::new_in(memory),
        false => TempDir::new(),
    };
    folder.expect("temporary folders can be made")
}

/// Returns an input that reads a file in memory.
fn input(data: &[u8]) -> Input {
    Input::from_reader(Cursor::new(data.to_vec())).expect("its length is known")
}

/// Decodes a file of any format: every block must consist of whole frames, and their number must be
/// the reported one.
pub fn decode(data: &[u8]) {
    let Ok(mut decoder) = Decoder::from_input(&input(data)) else {
        return;
    };
    let info = decoder.info().clone();
    assert!(info.channels > 0 && info.sample_rate > 0, "{info:?}");
    let (mut block, mut frames) = (Vec::<f32>::new(), 0);
    while frames < ENOUGH && matches!(decoder.next_block(&mut block), Ok(true)) {
        assert!(!block.is_empty() && block.len().is_multiple_of(info.channels));
        frames += (block.len() / info.channels) as u64;
        assert_eq!(decoder.frames(), frames);
    }
}

/// Stretches a file of any format to WAV: the output must be readable and have the right length.
pub fn pipeline(data: &[u8]) {
    let input = input(data);
    let stretch = StretchOptions {
        ratio: [0.25, 0.5, 0.8, 1.0, 1.7, 4.0][data.len() % 6],
        gap_ratio: [0.0, 0.5][data.len() / 6 % 2],
        ..StretchOptions::default()
    };
    let conversion = Conversion {
        stretch,
        encoding: OutputOptions {
            format: Some(Format::Wav),
            ..OutputOptions::default()
        },
        ..Conversion::default()
    };
    let mut wav = Vec::new();
    let outcome = conversion.to_writer(&input, &mut wav, |progress| {
        match progress.frames < ENOUGH {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    });
    let Ok(outcome) = outcome else {
        return;
    };
    let info = Decoder::from_input(&self::input(&wav)).map(|decoder| decoder.info().clone());
    match info {
        Ok(info) => assert_eq!(info.frames, Some(outcome.encoded.frames)),
        Err(_) => assert_eq!(outcome.encoded.frames, 0),
    }
}

/// Reads the tags of a file of any format, moves all times, and writes them to another file.
///
/// The last byte selects the format of the output.
pub fn tags(data: &[u8]) {
    let folder = folder();
    let container = match data {
        [b'R', b'I', b'F', b'F', ..] => "wave",
        [b'R', b'F', b'6', b'4', ..] => "rf64",
        [b'F', b'O', b'R', b'M', ..] => "aiff",
        [b'f', b'L', b'a', b'C', ..] => "flac",
        [b'O', b'g', b'g', b'S', ..] => "ogg",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "isomp4",
        [0x1a, 0x45, 0xdf, 0xa3, ..] => "matroska",
        [b'c', b'a', b'f', b'f', ..] => "caf",
        [0xff, 0xf0 | 0xf1 | 0xf8 | 0xf9, ..] => "aac",
        _ => "mp3",
    };
    let (mut metadata, _) = Metadata::read(&input(data), container, 44_100);
    let mut clock = Clock::asking(44_100);
    metadata.visit(&mut clock, 1.0);
    let positions = half_as_long(clock);
    metadata.visit(&mut Clock::moving(&positions), 0.5);
    let formats = Format::ALL;
    let format = formats[usize::from(data.last().copied().unwrap_or(0)) % formats.len()];
    let output = folder.path().join("out");
    fs::write(&output, short_file(format)).expect("writing to a temporary folder");
    let file = File::options().read(true).write(true).open(&output);
    let written = metadata.write(&file.expect("the file was just made"), format);
    written.expect("tags go into a whole file");
    let decoder = Decoder::open(&output).expect("tags leave the audio as it was");
    assert_eq!(decoder.info().channels, 1);
}

/// Returns the requested positions after all audio has become half as long.
fn half_as_long(clock: Clock<'_>) -> MovedPositions {
    let rate = clock.input_rate();
    let mut asked = clock.into_positions();
    asked.sort_unstable();
    asked.dedup();
    let point = |input| TimePoint {
        input,
        output: input / 2,
    };
    MovedPositions {
        points: asked.into_iter().map(point).collect(),
        end: point(1_000_000),
        input_rate: rate,
        output_rate: rate,
    }
}

/// Returns a file with a tenth of a second of silence.
fn short_file(format: Format) -> Vec<u8> {
    let mut wav = b"RIFF\x44\x22\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x44\xac\0\0\x88\x58\x01\0\x02\0\x10\0data\x20\x22\0\0".to_vec();
    wav.resize(wav.len() + 0x2220, 0);
    let wav = Decoder::from_input(&input(&wav)).expect("a plain WAV file");
    let (spec, _) = EncodeSpec::new(wav.info(), format, &OutputOptions::default())
        .expect("every format holds mono at 44.1 kHz");
    let mut file = Cursor::new(Vec::new());
    let mut encoder = spec.start(&mut file).expect("writing to memory");
    let samples = Samples::from(vec![0i16; 4410]);
    encoder.write(samples).expect("writing to memory");
    encoder.finish().expect("writing to memory");
    file.into_inner()
}

/// Stretches any audio with any parameters, in blocks of any size. The output must equal that of a
/// single block and have about the requested length.
pub fn engine(data: &[u8]) {
    let Some((head, audio)) = data.split_first_chunk::<24>() else {
        return;
    };
    let float = |at: usize, from: f32, to: f32| {
        let part = f32::from(u16::from_le_bytes([head[at], head[at + 1]])) / 65_535.0;
        from + part * (to - from)
    };
    let number = |at: usize| u32::from(u16::from_le_bytes([head[at], head[at + 1]]));
    let (engine, style) = match head[2] >> 5 {
        1 => (Engine::Adaptive, Style::Auto),
        2 => (Engine::Adaptive, Style::Speech),
        3 => (Engine::Adaptive, Style::Music),
        _ => (Engine::Tdhs, Style::Auto),
    };
    let options = StretchOptions {
        engine,
        style,
        // This goes slightly beyond the allowed range.
        ratio: float(0, 0.2, 4.1).into(),
        gap_ratio: if head[2] & 1 == 0 {
            0.0
        } else {
            float(3, 0.2, 4.1).into()
        },
        upper_freq: number(5) % 3000,
        lower_freq: number(7) % 1500,
        buffer_ms: float(9, 0.0, 110.0),
        threshold_gap_db: float(11, -80.0, 0.0),
        double_range: head[2] & 2 != 0,
        fast_detection: head[2] & 4 != 0,
        normal_detection: head[2] & 8 != 0,
        max_pause: f64::from(head[15] / 10) / 10.0,
        duration: 0.0,
        // One of the bits that are 0 in all older seeds.
        exact_length: number(5) >= 32_768,
    };
    let rate = number(13) * 6;
    let channels = usize::from(head[15] % 10);
    let samples = audio.chunks_exact(2);
    let samples: Vec<i16> = (samples.map(|two| i16::from_le_bytes([two[0], two[1]]))).collect();
    let sizes = &head[16..];
    if head[2] & 16 == 0 {
        stretch(&options, rate, channels, sizes, &samples);
    } else {
        let floats: Vec<f32> = samples.iter().map(|&s| f32::from(s) / 32_768.0).collect();
        stretch(&options, rate, channels, sizes, &floats);
    }
}

fn stretch<T: Sample + PartialEq + std::fmt::Debug>(
    options: &StretchOptions,
    rate: u32,
    channels: usize,
    sizes: &[u8],
    samples: &[T],
) {
    let Ok(mut whole) = Stretcher::<T>::with_time_map(options, rate, channels) else {
        return;
    };
    // Searching for low pitches takes long, so the audio is limited. (The adaptive engine ignores
    // the range, and may be given any.)
    let lower_freq = options.lower_freq.max(20) as usize;
    let most = 4 * rate as usize / lower_freq * 16;
    let samples = &samples[..samples.len().min(most * channels) / channels * channels];
    let mut expected = Vec::new();
    whole.process(samples, &mut expected);
    whole.finish(&mut expected);
    let points: Vec<_> = whole.drain_time_points().collect();
    let is_rising =
        |pair: &[TimePoint]| pair[0].input <= pair[1].input && pair[0].output <= pair[1].output;
    assert!(points.windows(2).all(is_rising), "{options:?}");
    let (frames, made) = (samples.len() / channels, expected.len() / channels);
    let longest = rate as usize / lower_freq + 2;
    let most = (frames as f64 * options.ratio.max(options.gap_ratio)) as usize + 16 * longest;
    assert!(made <= most, "{made} frames of {frames}: {options:?}");

    let mut parts = Stretcher::<T>::new(options, rate, channels).expect("as before");
    let (mut rest, mut output) = (samples, Vec::new());
    for size in sizes.iter().cycle() {
        let size = usize::from(*size).pow(2) * channels + channels;
        let (block, after) = rest.split_at(size.min(rest.len()));
        parts.process(block, &mut output);
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    parts.finish(&mut output);
    assert_eq!(output, expected, "{options:?}");
}

/// FLAC files hold the samples that were encoded: the channels, bits and effort come from the first
/// byte.
pub fn flac(data: &[u8]) {
    let Some((&head, audio)) = data.split_first() else {
        return;
    };
    let channels = usize::from(head & 7) + 1;
    let bit_depth = [BitDepth::Int16, BitDepth::Int24][usize::from(head >> 3 & 1)];
    let spec = EncodeSpec {
        format: Format::Flac,
        sample_rate: 44_100,
        channels,
        channel_mask: None,
        bit_depth,
        bitrate_kbps: 0,
        quality: None,
        dither: false,
        encoder_effort: EncoderEffort::ALL[usize::from(head >> 4) % 3],
    };
    let samples: Vec<f32> = match bit_depth {
        BitDepth::Int16 => (audio.chunks_exact(2))
            .map(|two| f32::from(i16::from_le_bytes([two[0], two[1]])) / 32_768.0)
            .collect(),
        _ => (audio.chunks_exact(3))
            .map(|three| i32::from_le_bytes([0, three[0], three[1], three[2]]) >> 8)
            .map(|value| value as f32 / 8_388_608.0)
            .collect(),
    };
    let samples = &samples[..samples.len() / channels * channels];
    let mut file = Vec::new();
    let mut encoder = spec
        .start(Cursor::new(&mut file))
        .expect("the specification is valid");
    encoder
        .write(samples.into())
        .expect("memory can be written");
    encoder.finish().expect("memory can be written");
    if samples.is_empty() {
        return;
    }
    let mut decoder = Decoder::from_input(&input(&file)).expect("the file is valid");
    let (mut decoded, mut block) = (Vec::new(), Vec::<f32>::new());
    while decoder.next_block(&mut block).expect("the file is valid") {
        decoded.extend_from_slice(&block);
    }
    assert!(decoder.damage().warnings(44_100).is_empty());
    assert!(decoded == samples);
}

/// Reads a preset: if it is accepted, it must be usable.
pub fn preset(data: &[u8]) {
    let folder = folder();
    let file = folder.path().join("any.toml");
    fs::write(&file, data).expect("writing to a temporary folder");
    match PresetStore::new([folder.path().to_owned()]).check(&file) {
        Ok(resolved) => {
            let stretch = resolved.settings.stretch;
            stretch.validate().expect("an accepted preset can be used");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Plans a run into a folder with an arbitrary journal: all outputs must be in that folder.
pub fn journal(data: &[u8]) {
    let folder = folder();
    let (input, output) = (folder.path().join("in"), folder.path().join("out"));
    for folder in [&input, &output] {
        fs::create_dir(folder).expect("writing to a temporary folder");
    }
    for (folder, name) in [(&input, "a.wav"), (&output, "a.wav"), (&input, "b.wav")] {
        fs::write(folder.join(name), "").expect("writing to a temporary folder");
    }
    fs::write(output.join(".audiostretchy.jsonl"), data).expect("writing to a temporary folder");
    if let Ok(plan) = PlanRequest::new(vec![input], output.clone()).plan() {
        assert_eq!(plan.jobs.len(), 2);
        assert!(plan.jobs.iter().all(|job| job.output.starts_with(&output)));
    }
}

/// Reads text files that may be beside the audio, and moves their times.
///
/// The first byte selects the extension of the file.
pub fn sidecar(data: &[u8]) {
    const EXTENSIONS: [&str; 10] = [
        "srt", "vtt", "lrc", "json", "cue", "txt", "sbv", "ass", "textgrid", "ttml",
    ];
    let Some((kind, text)) = data.split_first() else {
        return;
    };
    let folder = folder();
    let extension = EXTENSIONS[usize::from(*kind) % EXTENSIONS.len()];
    let path = folder.path().join("a").with_extension(extension);
    fs::write(&path, text).expect("writing to a temporary folder");
    let Ok((found, _)) = Sidecar::read_all(&[path]) else {
        return;
    };
    for sidecar in found {
        let mut clock = Clock::asking(44_100);
        sidecar.visit(&mut clock);
        let positions = half_as_long(clock);
        let output = folder.path().join("b.wav");
        let finished = sidecar.finish(&output, &mut Clock::moving(&positions));
        assert!(
            finished.is_some(),
            "what was read as a whole is written as a whole"
        );
    }
}
