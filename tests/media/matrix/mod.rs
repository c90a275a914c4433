//! Converts every readable format to every format that can be written, and checks length, pitch and
//! channel order.
//!
//! `ffmpeg`, `ffprobe`, `flac` and `oggdec` must be installed. Half of the pairs are tested at 48 kHz,
//! and all of them by `.ci/long`; each output format is also tested at the other sample rates. Each
//! channel contains a different tone.

#[allow(dead_code)]
mod large;
mod sources;
mod table;

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use audiostretchy::batch::FileError;
use audiostretchy::{
    EncodeError, Error, Format, OutputOptions, PipelineError, StretchOptions, Stretcher,
    stretch_audio,
};
use audiostretchy_media::decode::Decoder;

use crate::encoders::support::{AMPLITUDE, RATES, TestFile, amplitude, decode, output_of};
use sources::{Source, tones_of};

const RATE: u32 = 48_000;

/// The numbers of channels that are tested.
const CHANNELS: [usize; 3] = [1, 2, 6];

/// The formats that are written. M4B is M4A with another brand.
const FORMATS: [Format; 7] = [
    Format::Wav,
    Format::Mp3,
    Format::Flac,
    Format::Aiff,
    Format::Ogg,
    Format::Opus,
    Format::M4a,
];

/// If this variable is set, every pair of formats is tested with every number of channels.
/// `.ci/long` does this.
const WHOLE: &str = "AUDIOSTRETCHY_WHOLE_MATRIX";

fn options() -> StretchOptions {
    StretchOptions {
        ratio: 0.8,
        ..StretchOptions::default()
    }
}

#[test]
fn every_format_goes_to_others_with_exact_length_pitch_and_channels() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = Vec::new();
    for (number, source) in sources::ALL.iter().enumerate() {
        let counts = CHANNELS.into_iter();
        let counts: Vec<_> = counts.filter(|&n| n <= source.most_channels).collect();
        for (index, &channels) in counts.iter().enumerate() {
            // Each source is converted to every other format, and each format from every other
            // source, with one of the source's numbers of channels.
            let takes = (0..FORMATS.len()).map(|format| {
                (number + format) % 2 == 0 && (number + format) / 2 % counts.len() == index
            });
            work.push((source, channels, takes.collect::<Vec<_>>()));
        }
    }
    let is_whole = std::env::var_os(WHOLE).is_some();
    let read = in_parallel(work, |(source, channels, takes)| {
        let (path, frames) = source.make(folder.path(), RATE, channels);
        let what = format!("{} {channels} channels", source.name());
        let (given, stretched) = stretched_frames(&path).map_err(|why| format!("{what}: {why}"))?;
        for (format, is_taken) in FORMATS.into_iter().zip(takes) {
            if !(is_taken || is_whole) {
                continue;
            }
            check(&path, format, stretched, channels, RATE)
                .map_err(|why| format!("{what} to {}: {why}", format.name()))?;
        }
        Ok((source, given as i64 - frames as i64))
    });
    table::check(&read);
}

#[test]
fn every_writer_takes_every_rate() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = Vec::new();
    for (number, rate) in RATES.into_iter().enumerate() {
        for (index, channels) in CHANNELS.into_iter().enumerate() {
            work.push((rate, channels, number + index));
        }
    }
    let is_whole = std::env::var_os(WHOLE).is_some();
    in_parallel(work, |(rate, channels, turn)| {
        let (path, frames) = Source::WAV.make(folder.path(), rate, channels);
        let (given, stretched) = stretched_frames(&path)?;
        assert_eq!(given, frames);
        for (number, format) in FORMATS.into_iter().enumerate() {
            // Each rate is tested with each format in one number of channels.
            if !(is_whole || (turn + number).is_multiple_of(CHANNELS.len())) {
                continue;
            }
            check(&path, format, stretched, channels, rate).map_err(|why| {
                let name = format.name();
                format!("{rate} Hz, {channels} channels to {name}: {why}")
            })?;
        }
        Ok(())
    });
}

/// Runs a job for all work on all processors, and reports all failures at the end.
fn in_parallel<T: Send, R: Send>(
    work: Vec<T>,
    job: impl Fn(T) -> Result<R, String> + Sync,
) -> Vec<R> {
    let work = Mutex::new(work.into_iter());
    let results = Mutex::new(Vec::new());
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..processors {
            scope.spawn(|| {
                loop {
                    let next = work.lock().unwrap().next();
                    let Some(next) = next else { break };
                    let result = job(next);
                    results.lock().unwrap().push(result);
                }
            });
        }
    });
    let (mut good, mut wrong) = (Vec::new(), Vec::new());
    for result in results.into_inner().unwrap() {
        match result {
            Ok(result) => good.push(result),
            Err(why) => wrong.push(why),
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    good
}

/// Returns the number of frames that a file decodes to, and the number that the engine makes of
/// them.
fn stretched_frames(path: &Path) -> Result<(u64, u64), String> {
    let mut decoder = Decoder::open(path).map_err(|error| error.to_string())?;
    let info = decoder.info().clone();
    let (rate, channels) = (info.sample_rate, info.channels);
    let mut frames = 0;
    macro_rules! stretch {
        ($sample:ty) => {{
            let mut stretcher = Stretcher::<$sample>::new(&options(), rate, channels).unwrap();
            let (mut block, mut stretched) = (Vec::new(), Vec::new());
            while decoder
                .next_block(&mut block)
                .map_err(|error| error.to_string())?
            {
                frames += block.len() / channels;
                stretcher.process(&block, &mut stretched);
            }
            stretcher.finish(&mut stretched);
            stretched.len() / channels
        }};
    }
    let stretched = match info.fits_16_bits() {
        true => stretch!(i16),
        false => stretch!(f32),
    };
    Ok((frames as u64, stretched as u64))
}

/// Converts a file and checks the output with other programs.
fn check(
    input: &Path,
    format: Format,
    stretched: u64,
    channels: usize,
    tones_for: u32,
) -> Result<(), String> {
    let file = TestFile::new(format);
    let encoding = OutputOptions {
        format: Some(format),
        ..OutputOptions::default()
    };
    let outcome = match stretch_audio(input, &file.path, &options(), &encoding) {
        Err(Error::Processing {
            source: FileError::Pipeline(PipelineError::Encode(EncodeError::TooManyChannels { .. })),
            ..
        }) if format == Format::Mp3 && channels > 2 => {
            return Ok(());
        }
        other => other.map_err(|error| format!("{error:?}"))?,
    };
    let from = u64::from(outcome.source.sample_rate);
    let to = u64::from(outcome.spec.sample_rate);
    let expected = (stretched * to).div_ceil(from);
    if outcome.encoded.frames != expected {
        let found = outcome.encoded.frames;
        return Err(format!("wrote {found} frames instead of {expected}"));
    }
    if format == Format::Flac {
        output_of(Command::new("flac").args(["-tsw"]).arg(&file.path));
    }
    let decoded = decode(&file.path);
    // Opus decoders always return 48 kHz.
    let decoded_rate = if format == Format::Opus { 48_000 } else { to };
    let expected = expected * decoded_rate / to;
    let found = (decoded.samples.len() / decoded.channels) as u64;
    if (decoded.channels, decoded.sample_rate) != (channels, decoded_rate as u32) {
        let (channels, rate) = (decoded.channels, decoded.sample_rate);
        return Err(format!("has {channels} channels at {rate} Hz"));
    }
    if found != expected {
        return Err(format!("has {found} frames instead of {expected}"));
    }
    check_tones(&decoded.samples, channels, decoded_rate as f64, tones_for)
}

fn check_tones(samples: &[f32], channels: usize, rate: f64, tones_for: u32) -> Result<(), String> {
    let tones = tones_of(tones_for);
    for channel in 0..channels {
        for (other, tone) in tones[..channels].iter().enumerate() {
            let step = tone * std::f64::consts::TAU / rate;
            let found = amplitude(samples, channels, channel, step);
            let allowed = match (channel, other) {
                // AAC encodes it with only 12 lines of 1024; at low rates these end below the tone.
                (3, 3) if rate < 32_000.0 => 0.0..2.2 * AMPLITUDE,
                // Lossy encoders change the level of the bass speaker, some of them by a factor of
                // two here.
                (3, 3) => 0.5 * AMPLITUDE..2.2 * AMPLITUDE,
                _ if channel == other => 0.8 * AMPLITUDE..1.2 * AMPLITUDE,
                _ => 0.0..0.12 * AMPLITUDE,
            };
            if !allowed.contains(&found) {
                return Err(format!("{tone} Hz is {found:.3} in channel {channel}"));
            }
        }
    }
    Ok(())
}
