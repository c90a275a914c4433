//! Test files in every readable format, made by ffmpeg.

use std::f64::consts::TAU;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use audiostretchy::{Format, OutputOptions};
use audiostretchy_media::encode::EncodeSpec;
use audiostretchy_media::samples::Samples;

use crate::encoders::support::{AMPLITUDE, output_of, source};

/// Returns the tones of the channels in Hz. All are multiples of one whose period is a whole number
/// of frames, so that removing periods does not change them.
pub(super) fn tones_of(rate: u32) -> [f64; 6] {
    let base = if rate == 22_050 { 150.0 } else { 100.0 };
    [3.0, 7.0, 11.0, 1.0, 17.0, 21.0].map(|multiple| multiple * base)
}

/// A kind of file.
#[derive(Debug)]
pub(super) struct Source {
    /// The row of the table that it belongs to.
    pub row: &'static str,
    /// The codec as the table names it.
    pub codec: &'static str,
    pub extension: &'static str,
    /// ffmpeg's options.
    args: &'static str,
    pub most_channels: usize,
}

const fn new(
    row: &'static str,
    codec: &'static str,
    extension: &'static str,
    args: &'static str,
) -> Source {
    Source {
        row,
        codec,
        extension,
        args,
        most_channels: 6,
    }
}

const fn stereo(source: Source) -> Source {
    Source {
        most_channels: 2,
        ..source
    }
}

/// Everything that is tested, in the order of the table.
pub(super) static ALL: [Source; 31] = [
    Source::WAV,
    new("WAV, RF64", "24-bit", "wav", "-c:a pcm_s24le"),
    new("WAV, RF64", "float", "wav", "-c:a pcm_f32le"),
    new("WAV, RF64", "8-bit", "wav", "-c:a pcm_u8"),
    new("WAV, RF64", "A-law", "wav", "-c:a pcm_alaw"),
    new("WAV, RF64", "RF64", "rf64", "-f wav -rf64 always"),
    stereo(new("WAV, RF64", "ADPCM", "wav", "-c:a adpcm_ms")),
    new("FLAC", "16-bit", "flac", "-sample_fmt s16"),
    new("FLAC", "24-bit", "flac", "-sample_fmt s32"),
    new("AIFF, AIFC", "16-bit", "aiff", "-c:a pcm_s16be"),
    new("AIFF, AIFC", "24-bit", "aiff", "-c:a pcm_s24be"),
    new("AIFF, AIFC", "float", "aifc", "-f aiff -c:a pcm_f32be"),
    stereo(new("MP3", "layer III", "mp3", "-b:a 192k")),
    new("Ogg", "Vorbis", "ogg", "-c:a libvorbis -q:a 6"),
    new("Ogg", "Opus", "opus", "-c:a libopus -b:a 256k"),
    new("Ogg", "FLAC", "oga", "-c:a flac"),
    new("M4A, MP4", "AAC", "m4a", "-c:a aac -b:a 384k"),
    new("M4A, MP4", "ALAC", "m4a", "-c:a alac"),
    new(
        "M4A, MP4",
        "Opus",
        "mp4",
        "-c:a libopus -strict -2 -b:a 256k",
    ),
    new("AAC (ADTS)", "AAC", "aac", "-c:a aac -b:a 384k"),
    stereo(new("MP2", "layer II", "mp2", "-b:a 192k")),
    new("CAF", "PCM", "caf", "-c:a pcm_s16le"),
    new("CAF", "ALAC", "caf", "-c:a alac"),
    new("Matroska, WebM", "Opus", "webm", "-c:a libopus -b:a 256k"),
    new("Matroska, WebM", "Vorbis", "webm", "-c:a libvorbis -q:a 6"),
    new("Matroska, WebM", "FLAC", "mka", "-c:a flac"),
    new("Matroska, WebM", "PCM", "mka", "-c:a pcm_s16le"),
    new("Wave64", "16-bit", "w64", "-c:a pcm_s16le"),
    new("Wave64", "float", "w64", "-c:a pcm_f32le"),
    new("AU", "16-bit", "au", "-c:a pcm_s16be"),
    new("AU", "float", "au", "-c:a pcm_f32be"),
];

impl Source {
    pub(super) const WAV: Self = new("WAV, RF64", "16-bit", "wav", "-c:a pcm_s16le");

    pub(super) fn name(&self) -> String {
        format!("{} in {}", self.codec, self.extension)
    }

    /// Makes a file of half a second and returns its path and its number of frames.
    pub(super) fn make(&self, folder: &Path, rate: u32, channels: usize) -> (PathBuf, u64) {
        let stem = format!("{}-{}-{rate}-{channels}", self.row, self.codec);
        let plain = folder.join(format!("{stem}-plain.wav"));
        let frames = rate as usize / 2 + 7;
        let tones = tones_of(rate);
        let samples: Vec<f32> = (0..frames * channels)
            .map(|at| {
                let phase = tones[at % channels] * TAU * (at / channels) as f64 / f64::from(rate);
                (AMPLITUDE * phase.sin()) as f32
            })
            .collect();
        let info = source(channels, rate, true);
        let options = OutputOptions::default();
        let (spec, _) = EncodeSpec::new(&info, Format::Wav, &options).unwrap();
        let mut encoder = spec.start(File::create(&plain).unwrap()).unwrap();
        encoder.write(Samples::from(&samples[..])).unwrap();
        encoder.finish().unwrap();
        let path = folder.join(format!("{stem}.{}", self.extension));
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-y", "-i"]).arg(plain);
        ffmpeg.args(self.args.split_whitespace()).arg(&path);
        output_of(&mut ffmpeg);
        (path, frames as u64)
    }
}
