//! Compares each encoder's processor time with that of the usual program, on the same audio.
//!
//! `cargo bench --bench encoders [-- FILE.wav]` prints a table. It needs `flac`, `lame`, `oggenc`
//! and `opusenc`, and `ffmpeg` for M4A. Without a file, a minute of audio is generated. Under
//! `cargo test`, only a second is encoded, and no other program is run.

#![allow(clippy::print_stdout)] // The table is the purpose.

use std::f32::consts::TAU;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use audiostretchy_media::decode::{AudioInfo, Decoder};
use audiostretchy_media::encode::EncodeSpec;
use audiostretchy_media::format::{Format, OutputOptions};
use audiostretchy_media::samples::Samples;

const RATE: u32 = 48_000;
const CHANNELS: usize = 2;
const BLOCK: usize = 8192;
/// The number of runs, of which the fastest counts.
const RUNS: usize = 3;

fn main() {
    let benching = std::env::args().any(|argument| argument == "--bench");
    let folder = tempfile::tempdir().unwrap();
    let input = std::env::args().find(|argument| argument.ends_with(".wav"));
    let (rate, channels, samples) = match &input {
        Some(path) => read(Path::new(path)),
        None => (RATE, CHANNELS, music(if benching { 60 } else { 1 })),
    };
    let wav = folder.path().join("input.wav");
    encode(Format::Wav, rate, channels, &samples, &wav);
    println!("format other                                      ours s   other s   ratio   size");
    // M4B is M4A by another name.
    for format in Format::ALL
        .into_iter()
        .filter(|&format| format != Format::M4b)
    {
        let ours = folder
            .path()
            .join(format!("ours.{}", format.extensions()[0]));
        let theirs = ours.with_file_name(format!("theirs.{}", format.extensions()[0]));
        let runs = if benching { RUNS } else { 1 };
        let our_time = fastest(runs, || encode(format, rate, channels, &samples, &ours));
        if !benching {
            continue;
        }
        for (name, mut command) in usual_programs(format, &wav, &theirs) {
            let their_time = fastest(runs, || {
                command.stdout(Stdio::null()).stderr(Stdio::null());
                let status = command.status();
                assert!(status.is_ok_and(|status| status.success()), "{command:?}");
            });
            let size = |path: &Path| fs::metadata(path).unwrap().len() as f64;
            println!(
                "{:6} {name:40} {our_time:8.3} {their_time:9.3} {:7.2} {:+6.1} %",
                format.name(),
                our_time / their_time,
                100.0 * (size(&ours) / size(&theirs) - 1.0)
            );
        }
    }
}

/// Returns the processor seconds of the fastest run, which was disturbed the least.
fn fastest(runs: usize, mut work: impl FnMut()) -> f64 {
    let timed = (0..runs).map(|_| {
        let start = processor_seconds();
        work();
        processor_seconds() - start
    });
    timed.fold(f64::INFINITY, f64::min)
}

/// Returns the processor time of this process and of its children that have ended (Linux only, in
/// steps of 10 ms).
fn processor_seconds() -> f64 {
    let Ok(stat) = fs::read_to_string("/proc/self/stat") else {
        return 0.0;
    };
    // Fields 14 to 17 (proc_pid_stat(5)). Field 3 is the first after the name.
    let behind_name = stat.rsplit(')').next().unwrap();
    let fields = behind_name.split_whitespace().skip(11).take(4);
    let ticks: f64 = fields.map(|field| field.parse::<f64>().unwrap()).sum();
    ticks / 100.0
}

/// Returns the usual programs for a format, at the default bit rate of our encoder.
fn usual_programs(format: Format, wav: &Path, output: &Path) -> Vec<(&'static str, Command)> {
    let lines: &[&str] = match format {
        Format::Flac => &["flac -5 -s -f WAV -o OUT", "flac -8 -s -f WAV -o OUT"],
        Format::Mp3 => &["lame --quiet -b 192 WAV OUT"],
        Format::Ogg => &["oggenc -Q -b 192 WAV -o OUT"],
        Format::M4a => &["ffmpeg -y -i WAV -b:a 192k OUT"],
        Format::Opus => &["opusenc --quiet --bitrate 192 WAV OUT"],
        _ => &[],
    };
    let command = |line: &&'static str| {
        let mut words = line.split(' ');
        let mut command = Command::new(words.next().unwrap());
        for word in words {
            match word {
                "WAV" => command.arg(wav),
                "OUT" => command.arg(output),
                word => command.arg(word),
            };
        }
        command
    };
    lines.iter().map(|line| (*line, command(line))).collect()
}

fn encode(format: Format, rate: u32, channels: usize, samples: &[i16], output: &Path) {
    let info = AudioInfo {
        container: "wave",
        codec: "pcm_s16le",
        sample_rate: rate,
        channels,
        channel_mask: None,
        bits_per_sample: Some(16),
        is_float: false,
        frames: None,
        bitrate_kbps: None,
    };
    let (spec, _) = EncodeSpec::new(&info, format, &OutputOptions::default()).unwrap();
    let mut encoder = spec.start(fs::File::create(output).unwrap()).unwrap();
    for block in samples.chunks(BLOCK * channels) {
        encoder.write(Samples::from(block)).unwrap();
    }
    encoder.finish().unwrap();
}

fn read(path: &Path) -> (u32, usize, Vec<i16>) {
    let mut decoder = Decoder::open(path).unwrap();
    let (mut samples, mut block) = (Vec::new(), Vec::<i16>::new());
    while decoder.next_block(&mut block).unwrap() {
        samples.extend_from_slice(&block);
    }
    let info = decoder.info();
    (info.sample_rate, info.channels, samples)
}

/// Generates decaying chords over a little noise, with a different mix in each channel.
fn music(seconds: u32) -> Vec<i16> {
    let mut noise = 1u32;
    let mut samples = Vec::new();
    for frame in 0..seconds * RATE {
        let beat = frame / (RATE / 2);
        let time = (frame % (RATE / 2)) as f32 / RATE as f32;
        let root = 110.0 * 2f32.powf((beat * 7 % 12) as f32 / 12.0);
        let partial = |factor: f32| (TAU * root * factor * time).sin() / factor;
        let [first, second] = [[1.0, 3.0, 5.0, 8.0], [1.5, 2.0, 4.0, 7.0]]
            .map(|factors| factors.map(partial).iter().sum::<f32>());
        for mix in [0.7 * first + 0.3 * second, 0.3 * first + 0.7 * second] {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let hiss = (noise >> 16) as f32 / 65536.0 - 0.5;
            let level = 9000.0 * (-4.0 * time).exp();
            samples.push((level * mix + 200.0 * hiss) as i16);
        }
    }
    samples
}
