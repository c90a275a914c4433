//! Estimates how long an output will be and how long the conversion will take, then converts the
//! file and compares.
//!
//! ```sh
//! cargo run --release --example estimate -- talk.mp3 0.8
//! ```
#![allow(clippy::print_stdout)] // An example shows what it does.

use std::error::Error;
use std::ops::ControlFlow;
use std::time::Instant;

use audiostretchy::{Conversion, Format, Input, OutputOptions, StretchOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, ratio] = &arguments[..] else {
        return Err("usage: estimate INPUT RATIO".into());
    };
    let input = Input::open(path)?;
    let own_format = input.hint().and_then(Format::kept_from_extension);
    let conversion = Conversion {
        stretch: StretchOptions {
            ratio: ratio.parse()?,
            ..StretchOptions::default()
        },
        encoding: OutputOptions {
            format: Some(own_format.unwrap_or(Format::Wav)),
            ..OutputOptions::default()
        },
        ..Conversion::default()
    };
    // The function `estimate(path, &options, &encoding)` does the same.
    let estimate = conversion.estimate(&input)?;
    println!(
        "expected: {:.2} s of audio to {:.2} s, in {:.2} s",
        estimate.input_seconds,
        estimate.output_seconds,
        estimate.processing.as_secs_f64()
    );
    let clock = Instant::now();
    let go_on = |_| ControlFlow::Continue(());
    let outcome = conversion.to_writer(&input, std::io::sink(), go_on)?;
    let seconds = outcome.encoded.frames as f64 / f64::from(outcome.spec.sample_rate);
    println!(
        "it was: to {seconds:.2} s, in {:.2} s",
        clock.elapsed().as_secs_f64()
    );
    Ok(())
}
