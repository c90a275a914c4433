//! How to distinguish errors. The exit code shows the kind of error.
//!
//! ```sh
//! cargo run --example errors -- talk.mp3 faster.mp3 0.8
//! ```
#![allow(clippy::print_stderr)] // An example shows what it does.

use std::error::Error as _;
use std::process::ExitCode;

use audiostretchy::{Error, OptionError, OutputOptions, StretchOptions, stretch_audio};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, output, ratio] = &arguments[..] else {
        eprintln!("usage: errors INPUT OUTPUT RATIO");
        return ExitCode::FAILURE;
    };
    let options = StretchOptions {
        ratio: ratio.parse().unwrap_or(f64::NAN),
        ..StretchOptions::default()
    };
    let Err(error) = stretch_audio(input, output, &options, &OutputOptions::default()) else {
        return ExitCode::SUCCESS;
    };
    let (code, advice) = match &error {
        Error::NotFound { .. } => (10, "check the name".into()),
        Error::Unreadable { .. } => (11, "check its permissions".into()),
        Error::Unsupported { .. } => (12, "convert it to WAV or FLAC first".into()),
        Error::Damaged { .. } => (13, "copy or download it again".into()),
        Error::InvalidParameter(OptionError::OutOfRange { name, allowed, .. }) => {
            (14, format!("set {name} to a value {allowed}"))
        }
        Error::Output { .. } => (15, "choose another place".into()),
        // More kinds may be added later.
        _ => (1, "see the cause".into()),
    };
    eprintln!("{error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
    eprintln!("  advice: {advice}");
    code.into()
}
