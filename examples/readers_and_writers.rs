//! Reads from any reader and writes to any writer: a file in memory, and a pipe in constant memory.
//!
//! ```sh
//! cargo run --example readers_and_writers -- talk.mp3 < talk.mp3 > faster.flac
//! ```
#![allow(clippy::print_stderr)] // Standard output is for the audio.

use std::error::Error;
use std::io::Cursor;
use std::ops::ControlFlow;

use audiostretchy::{
    AudioStretch, Conversion, Format, Input, OutputOptions, Progress, StretchOptions,
};

fn main() -> Result<(), Box<dyn Error>> {
    let stretch = StretchOptions {
        ratio: 0.8,
        ..StretchOptions::default()
    };
    let flac = OutputOptions {
        format: Some(Format::Flac),
        ..OutputOptions::default()
    };

    // A whole file in memory, such as one that was received over the network.
    let path = std::env::args().nth(1);
    let path = path.ok_or("usage: readers_and_writers FILE < INPUT > OUTPUT")?;
    let mut audio = AudioStretch::open_reader(Cursor::new(std::fs::read(path)?))?;
    audio.stretch(&stretch)?;
    let mut in_memory = Cursor::new(Vec::new());
    audio.save_writer(&mut in_memory, &flac)?;
    eprintln!("{} bytes in memory", in_memory.get_ref().len());

    // From standard input to standard output, of any length.
    let conversion = Conversion {
        stretch,
        encoding: flac,
        ..Conversion::default()
    };
    let input = Input::spool(std::io::stdin().lock())?;
    let mut told = 0;
    let show = |progress: Progress| {
        if progress.frames >= told + 1_000_000 {
            told = progress.frames;
            let total = progress.total.map_or("?".into(), |total| total.to_string());
            eprintln!("{told} of {total} frames done");
        }
        ControlFlow::Continue(())
    };
    conversion.to_writer(&input, std::io::stdout().lock(), show)?;
    Ok(())
}
