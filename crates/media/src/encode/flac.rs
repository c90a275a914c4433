//! FLAC files (RFC 9639).

use std::io::{self, BufWriter, Seek, SeekFrom, Write};

use flac_codec::Error;
use flac_codec::encode::{FlacSampleWriter, Options};

use super::encoder::{EncodeError, Encoded, Encoder, Sink};
use super::limits::Limits;
use super::quantise::Quantiser;
use super::spec::EncodeSpec;
use crate::format::{BitDepth, Format};
use crate::samples::Samples;

/// FLAC holds 8 channels and rates of 20 bits (RFC 9639, section 8.2).
pub(super) const LIMITS: Limits = Limits {
    channels: 8,
    depths: &[BitDepth::Int16, BitDepth::Int24],
    sample_rate: |rate| rate.min((1 << 20) - 1),
    layouts: &[],
};

/// Seconds between the points of the seek table.
const SEEK_INTERVAL: u8 = 20;
/// Bytes kept free in the header: for the seek table, which takes its place there once the length
/// is known (18 bytes a point: five hours), and for tags.
const PADDING: u32 = 16_384;

pub(super) struct FlacEncoder<S: Sink> {
    writer: FlacSampleWriter<HeaderLast<S>>,
    channels: usize,
    quantiser: Quantiser,
    frames: u64,
    /// One block's samples.
    integers: Vec<i32>,
}

impl<S: Sink> FlacEncoder<S> {
    pub(super) fn new(spec: &EncodeSpec, sink: S) -> Result<Self, EncodeError> {
        let quantiser = Quantiser::new(spec);
        let mut options = Options::default()
            .seektable_seconds(SEEK_INTERVAL)
            .padding(PADDING)
            .map_err(failure)?;
        if let Some(mask) = spec.channel_mask
            && mask.count_ones() as usize == spec.channels
            && spec.channels > 2
        {
            // RFC 9639, section 8.6.2. Without it readers disagree about side and back speakers.
            options = options.tag("WAVEFORMATEXTENSIBLE_CHANNEL_MASK", format!("{mask:#06X}"));
        }
        let writer = FlacSampleWriter::new(
            HeaderLast::new(sink),
            options,
            spec.sample_rate,
            quantiser.bits(),
            spec.channels as u8,
            None,
        )
        .map_err(flac_failure)?;
        Ok(Self {
            writer,
            channels: spec.channels,
            quantiser,
            frames: 0,
            integers: Vec::new(),
        })
    }
}

impl<S: Sink> Encoder for FlacEncoder<S> {
    fn write(&mut self, samples: Samples<'_>) -> Result<(), EncodeError> {
        let integers = &mut self.integers;
        integers.clear();
        self.quantiser
            .quantise(samples, |value| integers.push(value));
        self.frames += (integers.len() / self.channels) as u64;
        self.writer.write(integers).map_err(flac_failure)
    }

    fn finish(self: Box<Self>) -> Result<Encoded, EncodeError> {
        match self.writer.finalize() {
            // The header that is there already says what there is to say of no audio.
            Ok(()) | Err(Error::NoSamples) => Ok(Encoded {
                frames: self.frames,
                clipped_samples: self.quantiser.clipped(),
            }),
            Err(error) => Err(flac_failure(error)),
        }
    }
}

/// A buffered sink whose buffer is out of the way once the encoder goes back to the header: the
/// encoder drops its sink without flushing it, and errors would be lost.
struct HeaderLast<S: Sink> {
    sink: BufWriter<S>,
    in_header: bool,
}

impl<S: Sink> HeaderLast<S> {
    fn new(sink: S) -> Self {
        Self {
            sink: BufWriter::with_capacity(1 << 16, sink),
            in_header: false,
        }
    }
}

impl<S: Sink> Write for HeaderLast<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.sink.write(bytes)?;
        if self.in_header {
            self.sink.flush()?;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

impl<S: Sink> Seek for HeaderLast<S> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.in_header = true;
        self.sink.seek(position)
    }

    fn stream_position(&mut self) -> io::Result<u64> {
        self.sink.stream_position()
    }
}

fn flac_failure(error: Error) -> EncodeError {
    match error {
        Error::Io(error) => EncodeError::Io(error),
        other => failure(other),
    }
}

fn failure(error: impl std::fmt::Display) -> EncodeError {
    EncodeError::Codec {
        format: Format::Flac,
        message: error.to_string(),
    }
}
