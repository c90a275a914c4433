//! The simplest function: stretches a file into another.
//!
//! ```sh
//! cargo run --example stretch_audio -- talk.mp3 faster.mp3 0.8
//! ```
#![allow(clippy::print_stdout)] // An example shows what it does.

use std::error::Error;

use audiostretchy::{OutputOptions, StretchOptions, stretch_audio};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, output, ratio] = &arguments[..] else {
        return Err("usage: stretch_audio INPUT OUTPUT RATIO".into());
    };
    let options = StretchOptions {
        ratio: ratio.parse()?,
        ..StretchOptions::default()
    };
    let outcome = stretch_audio(input, output, &options, &OutputOptions::default())?;
    println!(
        "{} frames became {}",
        outcome.input_frames, outcome.encoded.frames
    );
    for warning in &outcome.warnings {
        println!("warning {}: {}", warning.code, warning.message);
    }
    Ok(())
}
