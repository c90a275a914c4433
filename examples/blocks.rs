//! The engine alone: reads raw 16-bit little-endian mono samples from standard input and writes
//! them to standard output, block by block, as in a live stream. The arguments are the rate in Hz
//! and the ratio.
//!
//! ```sh
//! sox talk.wav -t raw -e signed -b 16 -c 1 -r 16000 - |
//!     cargo run --example blocks -- 16000 0.8 | play -t raw -e signed -b 16 -c 1 -r 16000 -
//! ```

use std::error::Error;
use std::io::{Read, Write};

use audiostretchy::{StretchOptions, Stretcher};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [rate, ratio] = &arguments[..] else {
        return Err("usage: blocks RATE RATIO".into());
    };
    let options = StretchOptions {
        ratio: ratio.parse()?,
        ..StretchOptions::default()
    };
    let mut stretcher = Stretcher::<i16>::new(&options, rate.parse()?, 1)?;
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut bytes = [0; 4096];
    let mut stretched = Vec::new();
    loop {
        // A block may end anywhere, but not within a sample.
        let len = fill(&mut input, &mut bytes)?;
        let (samples, _) = bytes[..len].as_chunks();
        let block: Vec<i16> = samples.iter().map(|&s| i16::from_le_bytes(s)).collect();
        stretched.clear();
        match len {
            0 => stretcher.finish(&mut stretched),
            _ => stretcher.process(&block, &mut stretched),
        }
        for sample in &stretched {
            output.write_all(&sample.to_le_bytes())?;
        }
        if len == 0 {
            return Ok(output.flush()?);
        }
    }
}

/// Reads until the buffer is full or the input ends.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut len = 0;
    while len < buffer.len() {
        match input.read(&mut buffer[len..])? {
            0 => break,
            count => len += count,
        }
    }
    Ok(len)
}
