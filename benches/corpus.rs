//! Decodes every file in a folder with this library and with ffmpeg, and compares the results.
//!
//! `cargo bench --bench corpus -- FOLDER` prints a row for each file that either of them accepts as
//! audio, and a summary. A file counts as the same if both decode it to the same number of channels
//! at the same sample rate, the lengths differ by no more than one packet of most codecs, and the
//! samples correlate by more than 0.99. The exit code is 1 if any file differs. Memory use does not
//! grow with the files.
//!
//! For Opus, ffmpeg is told to use libopus: its own decoder differs by more than that for speech.

#![allow(clippy::print_stdout, clippy::print_stderr)] // The table is the purpose.

use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::OnceLock;

use audiostretchy_media::decode::{DecodeError, Decoder};
use rayon::prelude::*;
use walkdir::WalkDir;

/// The least correlation of audio that counts as the same.
const CORRELATION: f64 = 0.99;
/// The largest difference in length of audio that counts as the same, in seconds.
const LENGTH: f64 = 0.05;
/// The amplitude below which everything counts as silence: one step of 16 bits.
const SILENCE: f64 = 1.0 / 32_768.0;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = arguments.iter().find(|argument| !argument.starts_with('-'));
    let Some(folder) = folder else {
        // Under `cargo test`, no folder is given.
        let benching = arguments.iter().any(|argument| argument == "--bench");
        eprintln!("usage: cargo bench --bench corpus -- FOLDER");
        return ExitCode::from(if benching { 2 } else { 0 });
    };
    let folder = Path::new(folder);
    let mut files = Vec::new();
    for entry in WalkDir::new(folder).sort_by_file_name() {
        match entry {
            Ok(entry) if entry.file_type().is_file() => files.push(entry.into_path()),
            Ok(_) => {}
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::from(2);
            }
        }
    }
    let rows: Vec<(PathBuf, Verdict)> = files
        .into_par_iter()
        .map(|path| {
            let verdict = compare(&path);
            (path, verdict)
        })
        .collect();
    print(folder, &rows)
}

/// The result for a file.
enum Verdict {
    /// Neither accepts it as audio.
    NotAudio,
    /// Only ffmpeg decodes it. The fields say whether this library should have decoded it, and the
    /// error.
    Refused(bool, String),
    /// Only this library decodes it.
    OursOnly,
    Both(Comparison),
}

/// What both decoded from a file.
struct Comparison {
    ours: Shape,
    theirs: Shape,
    correlation: f64,
    /// Whether this library found damage in it.
    is_damaged: bool,
}

#[derive(Clone, Copy, PartialEq)]
struct Shape {
    frames: u64,
    rate: u32,
    channels: usize,
}

impl Comparison {
    fn is_same(&self) -> bool {
        let frames = self.ours.frames.abs_diff(self.theirs.frames) as f64;
        self.ours.rate == self.theirs.rate
            && self.ours.channels == self.theirs.channels
            && frames <= LENGTH * f64::from(self.ours.rate)
            && self.correlation > CORRELATION
    }
}

fn compare(path: &Path) -> Verdict {
    let decoder = Decoder::open(path);
    let theirs = probe(path);
    match (decoder, theirs) {
        (Err(_), None) => Verdict::NotAudio,
        (Ok(_), None) => Verdict::OursOnly,
        (Err(error), Some(_)) => refused(&error, path),
        (Ok(decoder), Some(theirs)) => match both(path, decoder, &theirs) {
            Ok(comparison) => Verdict::Both(comparison),
            Err(error) => refused(&error, path),
        },
    }
}

/// Returns the verdict on a file that this library does not decode: it is justified if the codec is
/// not supported, or if ffmpeg complains as well.
fn refused(error: &DecodeError, path: &Path) -> Verdict {
    let is_known = matches!(error, DecodeError::UnsupportedCodec(_));
    let mut ffmpeg = ffmpeg(path, &[], &["-f", "null", "-"]);
    let mut complains = || {
        ffmpeg
            .output()
            .is_ok_and(|output| !output.stderr.is_empty())
    };
    Verdict::Refused(!is_known && !complains(), error.to_string())
}

/// What ffprobe reports of the first audio track.
struct Track {
    codec: String,
    rate: u32,
    channels: usize,
}

fn probe(path: &Path) -> Option<Track> {
    let entries = "stream=codec_name,sample_rate,channels";
    let output = Command::new("ffprobe")
        .args(["-v", "quiet", "-select_streams", "a:0", "-of", "csv=p=0"])
        .args(["-show_entries", entries])
        .arg(path)
        .output()
        .expect("ffprobe must be installed");
    let text = String::from_utf8_lossy(&output.stdout);
    let mut fields = text.lines().next()?.split(',');
    Some(Track {
        codec: fields.next()?.to_owned(),
        rate: fields.next()?.parse().ok().filter(|&rate| rate > 0)?,
        channels: fields.next()?.parse().ok().filter(|&count| count > 0)?,
    })
}

fn ffmpeg(path: &Path, decoder: &[&str], output: &[&str]) -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin"]).args(decoder);
    command
        .arg("-i")
        .arg(path)
        .args(["-map", "0:a:0"])
        .args(output);
    command
}

/// Returns whether ffmpeg was built with libopus.
fn has_libopus() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let output = Command::new("ffmpeg")
            .args(["-v", "quiet", "-decoders"])
            .output();
        output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(" libopus "))
    })
}

/// Decodes a file with both at once, block by block.
fn both(path: &Path, mut decoder: Decoder, track: &Track) -> Result<Comparison, DecodeError> {
    let better: &[&str] = match track.codec.as_str() {
        "opus" if has_libopus() => &["-c:a", "libopus"],
        _ => &[],
    };
    let mut child = ffmpeg(path, better, &["-c:a", "pcm_f32le", "-f", "f32le", "-"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut theirs = BufReader::with_capacity(1 << 16, child.stdout.take().expect("a pipe"));
    let (mut sums, mut samples) = (Sums::default(), 0);
    let mut block: Vec<f32> = Vec::new();
    let result = loop {
        match decoder.next_block(&mut block) {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
        for &ours in &block {
            let Some(theirs) = next_sample(&mut theirs)? else {
                break;
            };
            samples += 1;
            sums.add(ours.into(), theirs.into());
        }
    };
    let rest = io::copy(&mut theirs, &mut io::sink())?;
    child.wait()?;
    result?;
    let info = decoder.info();
    Ok(Comparison {
        ours: Shape {
            frames: decoder.frames(),
            rate: info.sample_rate,
            channels: info.channels,
        },
        theirs: Shape {
            frames: (samples + rest / 4) / track.channels as u64,
            rate: track.rate,
            channels: track.channels,
        },
        correlation: sums.correlation(),
        is_damaged: decoder.damage() != Default::default(),
    })
}

fn next_sample(from: &mut impl Read) -> io::Result<Option<f32>> {
    let mut bytes = [0; 4];
    match from.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(f32::from_le_bytes(bytes))),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// The sums from which a correlation is computed.
#[derive(Default)]
struct Sums {
    count: f64,
    ours: f64,
    theirs: f64,
    product: f64,
}

impl Sums {
    fn add(&mut self, ours: f64, theirs: f64) {
        self.count += 1.0;
        self.ours += ours * ours;
        self.theirs += theirs * theirs;
        self.product += ours * theirs;
    }

    fn correlation(&self) -> f64 {
        let silence = SILENCE * SILENCE * self.count;
        if self.ours <= silence && self.theirs <= silence {
            return 1.0;
        }
        self.product / (self.ours * self.theirs).sqrt().max(f64::MIN_POSITIVE)
    }
}

fn print(folder: &Path, rows: &[(PathBuf, Verdict)]) -> ExitCode {
    let (mut same, mut differ, mut refused, mut alone, mut not_audio) = (0, 0, 0, 0, 0);
    println!("       ours s   ffmpeg s   frames off  correlation  file");
    for (path, verdict) in rows {
        let name = path.strip_prefix(folder).unwrap_or(path).display();
        match verdict {
            Verdict::NotAudio => not_audio += 1,
            Verdict::OursOnly => {
                alone += 1;
                println!("alone  {:46}  {name}", "decoded here and not by ffmpeg");
            }
            Verdict::Refused(should_be, why) => {
                let word = if *should_be { "DIFFERS" } else { "refused" };
                let count = if *should_be {
                    &mut differ
                } else {
                    &mut refused
                };
                *count += 1;
                println!("{word} {name}: {why}");
            }
            Verdict::Both(found) => {
                let word = if found.is_same() { "same" } else { "DIFFERS" };
                let count = if found.is_same() {
                    &mut same
                } else {
                    &mut differ
                };
                *count += 1;
                let Comparison { ours, theirs, .. } = found;
                let seconds = |shape: &Shape| shape.frames as f64 / f64::from(shape.rate);
                let notes = match (ours.rate, ours.channels) == (theirs.rate, theirs.channels) {
                    _ if found.is_damaged => " (damaged)".to_owned(),
                    true => String::new(),
                    false => format!(
                        " ({} channels at {} Hz, ffmpeg {} at {})",
                        ours.channels, ours.rate, theirs.channels, theirs.rate
                    ),
                };
                println!(
                    "{word:7} {:8.3} {:9.3} {:12} {:12.6}  {name}{notes}",
                    seconds(ours),
                    seconds(theirs),
                    ours.frames.cast_signed() - theirs.frames.cast_signed(),
                    found.correlation,
                );
            }
        }
    }
    println!(
        "{same} same, {differ} differ, {refused} refused with reason, {alone} decoded here alone, \
         {not_audio} no audio"
    );
    ExitCode::from(u8::from(differ > 0))
}
