//! Audio in memory: look at the samples, change them, stretch and resample them, save them twice.
//!
//! ```sh
//! cargo run --example audio_stretch -- talk.mp3 out/
//! ```
#![allow(clippy::print_stdout)] // An example shows what it does.

use std::error::Error;
use std::path::Path;

use audiostretchy::{AudioStretch, BitDepth, OutputOptions, StretchOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, folder] = &arguments[..] else {
        return Err("usage: audio_stretch INPUT FOLDER".into());
    };
    let mut audio = AudioStretch::open(input)?;
    println!(
        "{:.2} s, {} channels at {} Hz, {:.1} dB",
        audio.seconds(),
        audio.channels(),
        audio.sample_rate(),
        audio.rms_level_db()
    );

    // Make it half as loud.
    let samples = audio.samples();
    let quieter: Vec<f32> = samples.to_f32().iter().map(|sample| sample / 2.0).collect();
    audio.set_samples(quieter, audio.channels())?;

    audio.stretch(&StretchOptions {
        ratio: 1.5,
        gap_ratio: 0.75,
        ..StretchOptions::default()
    })?;
    audio.resample(16_000)?;
    println!("{:.2} s, {:.1} dB", audio.seconds(), audio.rms_level_db());

    let folder = Path::new(folder);
    audio.save(folder.join("slower.mp3"), &OutputOptions::default())?;
    let options = OutputOptions {
        bit_depth: Some(BitDepth::Int24),
        ..OutputOptions::default()
    };
    audio.save(folder.join("slower.flac"), &options)?;
    Ok(())
}
