//! WAV files, as RF64 where they outgrow 4 GiB (EBU Tech 3306).

use std::io::{BufWriter, Seek, SeekFrom, Write};

use super::encoder::{EncodeError, Encoded, Encoder, Sink};
use super::limits::Limits;
use super::quantise::Quantiser;
use super::spec::EncodeSpec;
use crate::format::BitDepth;
use crate::samples::Samples;
use audiostretchy_containers::limits::MAX_CHANNELS;

const FORMAT_PCM: u16 = 1;
const FORMAT_FLOAT: u16 = 3;
const FORMAT_EXTENSIBLE: u16 = 0xFFFE;
/// The GUID of an extensible sub-format, behind its two bytes of format tag.
const SUBFORMAT_TAIL: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71];
/// WAV holds any sample rate and as many channels as 16 bits can count.
pub(super) const LIMITS: Limits = Limits {
    channels: MAX_CHANNELS,
    depths: &BitDepth::ALL,
    sample_rate: |rate| rate,
    layouts: &[],
};
/// Body of the chunk kept free for the 64-bit sizes.
const DS64_LEN: u32 = 28;

pub(super) struct WavEncoder<S: Sink> {
    sink: BufWriter<S>,
    depth: BitDepth,
    frame_bytes: u64,
    /// Bytes before the samples.
    header_len: u64,
    data_len: u64,
    quantiser: Quantiser,
    /// One block's bytes.
    scratch: Vec<u8>,
}

impl<S: Sink> WavEncoder<S> {
    pub(super) fn new(spec: &EncodeSpec, sink: S) -> Result<Self, EncodeError> {
        let mut sink = BufWriter::with_capacity(1 << 16, sink);
        let header = header(spec);
        sink.write_all(&header)?;
        Ok(Self {
            sink,
            depth: spec.bit_depth,
            frame_bytes: sample_bytes(spec.bit_depth) * spec.channels as u64,
            header_len: header.len() as u64,
            data_len: 0,
            quantiser: Quantiser::new(spec),
            scratch: Vec::new(),
        })
    }

    /// Writes the final sizes over the header.
    fn write_sizes(&mut self) -> Result<(), EncodeError> {
        if !self.data_len.is_multiple_of(2) {
            self.sink.write_all(&[0])?;
        }
        let riff_len = self.header_len + self.data_len.next_multiple_of(2) - 8;
        if let (Ok(riff), Ok(data)) = (u32::try_from(riff_len), u32::try_from(self.data_len)) {
            self.sink.seek(SeekFrom::Start(4))?;
            self.sink.write_all(&riff.to_le_bytes())?;
            self.sink.seek(SeekFrom::Start(self.header_len - 4))?;
            self.sink.write_all(&data.to_le_bytes())?;
        } else {
            let frames = self.data_len / self.frame_bytes;
            self.sink.seek(SeekFrom::Start(0))?;
            self.sink.write_all(b"RF64\xFF\xFF\xFF\xFFWAVEds64")?;
            self.sink.write_all(&DS64_LEN.to_le_bytes())?;
            for size in [riff_len, self.data_len, frames] {
                self.sink.write_all(&size.to_le_bytes())?;
            }
            self.sink.write_all(&0u32.to_le_bytes())?;
            self.sink.seek(SeekFrom::Start(self.header_len - 4))?;
            self.sink.write_all(&u32::MAX.to_le_bytes())?;
        }
        self.sink.flush()?;
        Ok(())
    }
}

impl<S: Sink> Encoder for WavEncoder<S> {
    fn write(&mut self, samples: Samples<'_>) -> Result<(), EncodeError> {
        let bytes = &mut self.scratch;
        bytes.clear();
        match (samples, self.depth) {
            (samples, BitDepth::Float32) => {
                let floats = samples.to_f32();
                bytes.extend(floats.iter().flat_map(|sample| sample.to_le_bytes()));
            }
            (Samples::Int16(samples), BitDepth::Int16) => {
                bytes.resize(2 * samples.len(), 0);
                let (stored, _) = bytes.as_chunks_mut::<2>();
                for (stored, sample) in stored.iter_mut().zip(samples.iter()) {
                    *stored = sample.to_le_bytes();
                }
            }
            (samples, BitDepth::Int16) => self.quantiser.quantise(samples, |value| {
                bytes.extend_from_slice(&(value as i16).to_le_bytes());
            }),
            (samples, BitDepth::Int24) => self.quantiser.quantise(samples, |value| {
                bytes.extend_from_slice(&value.to_le_bytes()[..3]);
            }),
        }
        self.sink.write_all(bytes)?;
        self.data_len += bytes.len() as u64;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Encoded, EncodeError> {
        self.write_sizes()?;
        Ok(Encoded {
            frames: self.data_len / self.frame_bytes,
            clipped_samples: self.quantiser.clipped(),
        })
    }
}

fn sample_bytes(depth: BitDepth) -> u64 {
    match depth {
        BitDepth::Int16 => 2,
        BitDepth::Int24 => 3,
        BitDepth::Float32 => 4,
    }
}

/// Returns the header up to the samples, with sizes of 0, ending in the data chunk's size.
///
/// A `JUNK` chunk keeps the place of the `ds64` chunk that makes a file RF64.
fn header(spec: &EncodeSpec) -> Vec<u8> {
    let bytes = sample_bytes(spec.bit_depth) as u16;
    let channels = spec.channels as u16;
    let tag = match spec.bit_depth {
        BitDepth::Float32 => FORMAT_FLOAT,
        BitDepth::Int16 | BitDepth::Int24 => FORMAT_PCM,
    };
    // Plain PCM is only defined for up to 16 bits and 2 channels.
    let extensible = bytes > 2 || channels > 2;
    let mut header = b"RIFF\0\0\0\0WAVEJUNK".to_vec();
    header.extend(DS64_LEN.to_le_bytes());
    header.extend([0; DS64_LEN as usize]);
    header.extend(b"fmt ");
    header.extend(if extensible { 40u32 } else { 16 }.to_le_bytes());
    header.extend(if extensible { FORMAT_EXTENSIBLE } else { tag }.to_le_bytes());
    header.extend(channels.to_le_bytes());
    header.extend(spec.sample_rate.to_le_bytes());
    let frame_bytes = channels * bytes;
    header.extend((spec.sample_rate * u32::from(frame_bytes)).to_le_bytes());
    header.extend(frame_bytes.to_le_bytes());
    header.extend((8 * bytes).to_le_bytes());
    if extensible {
        header.extend(22u16.to_le_bytes());
        header.extend((8 * bytes).to_le_bytes());
        header.extend(spec.channel_mask.unwrap_or(0).to_le_bytes());
        header.extend(tag.to_le_bytes());
        header.extend(SUBFORMAT_TAIL);
    }
    header.extend(b"data\0\0\0\0");
    header
}
