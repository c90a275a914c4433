//! FLAC files (RFC 9639).
//!
//! An encoder of our own: the crates there are take more than twice the time, make larger files, or
//! keep the whole stream in memory.

use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::sync::Arc;

use super::encoder::{EncodeError, Encoded, Encoder, Sink};
use super::in_order::{InOrder, Workers};
use super::limits::Limits;
use super::quantise::Quantiser;
use super::spec::EncodeSpec;
use crate::format::BitDepth;
use crate::samples::Samples;
use frame::{BLOCK, FrameEncoder};

mod bits;
mod frame;
mod predict;
mod rice;

/// FLAC holds 8 channels and rates of 20 bits (RFC 9639, section 8.2).
pub(super) const LIMITS: Limits = Limits {
    channels: 8,
    depths: &[BitDepth::Int16, BitDepth::Int24],
    sample_rate: |rate| rate.min((1 << 20) - 1),
    layouts: &[],
};

/// Blocks that are encoded at a time.
const BATCH_BLOCKS: usize = 32;
/// Seconds between the points of the seek table.
const SEEK_INTERVAL: u64 = 20;
/// Bytes of a point of the seek table.
const SEEK_POINT: usize = 18;
/// Bytes kept free in the header: for the seek table, which takes its place there once the length
/// is known, and for tags.
const PADDING: usize = 16_384;
/// The most points of the seek table, five hours; of longer audio, every second point is left out,
/// and so on.
const MOST_POINTS: usize = 900;
/// The most samples that the header can count.
const MOST_FRAMES: u64 = (1 << 36) - 1;
/// Where STREAMINFO is, after the marker and its own header.
const STREAM_INFO_AT: u64 = 8;

/// Types of metadata blocks.
const PADDING_TYPE: u8 = 1;
const SEEK_TABLE_TYPE: u8 = 3;
const COMMENT_TYPE: u8 = 4;
const LAST: u8 = 0x80;

pub(super) struct FlacEncoder<S: Sink> {
    sink: BufWriter<S>,
    frames: Arc<FrameEncoder>,
    channels: usize,
    bits: u32,
    sample_rate: u32,
    quantiser: Quantiser,
    /// Integers that fill no batch yet.
    pending: Vec<i32>,
    /// Blocks that were handed out.
    blocks: u64,
    batches: InOrder<Batch>,
    md5: md5::Context,
    /// Little-endian bytes of a block of samples, for the checksum.
    sample_bytes: Vec<u8>,
    written: Written,
    /// Where the space for the seek table begins.
    padding_at: u64,
}

/// Encoded blocks.
struct Batch {
    bytes: Vec<u8>,
    /// The bytes of each block.
    sizes: Vec<usize>,
    /// Frames of audio.
    frames: usize,
}

/// What is known about the blocks that were written.
#[derive(Default)]
struct Written {
    frames: u64,
    bytes: u64,
    least_size: Option<usize>,
    most_size: usize,
    /// First frame, place in bytes after the header, and frames of the blocks to be found quickly.
    points: Vec<(u64, u64, u16)>,
}

impl<S: Sink> FlacEncoder<S> {
    pub(super) fn new(
        spec: &EncodeSpec,
        sink: S,
        workers: Option<Arc<dyn Workers>>,
    ) -> Result<Self, EncodeError> {
        let quantiser = Quantiser::new(spec);
        let bits = quantiser.bits();
        let frames = FrameEncoder::new(spec.channels, bits, spec.sample_rate, spec.encoder_effort);
        let comments = comments(spec);
        let mut this = Self {
            sink: BufWriter::with_capacity(1 << 16, sink),
            frames: Arc::new(frames),
            channels: spec.channels,
            bits,
            sample_rate: spec.sample_rate,
            quantiser,
            pending: Vec::new(),
            blocks: 0,
            batches: InOrder::new(workers),
            md5: md5::Context::new(),
            sample_bytes: Vec::new(),
            written: Written::default(),
            padding_at: STREAM_INFO_AT + 34 + 4 + comments.len() as u64,
        };
        this.sink.write_all(b"fLaC\0\0\0\x22")?;
        let info = this.stream_info([0; 16]);
        this.sink.write_all(&info)?;
        this.sink
            .write_all(&block_header(COMMENT_TYPE, comments.len()))?;
        this.sink.write_all(&comments)?;
        this.sink
            .write_all(&block_header(PADDING_TYPE | LAST, PADDING))?;
        this.sink.write_all(&[0; PADDING])?;
        Ok(this)
    }

    /// Returns STREAMINFO (RFC 9639, section 8.2).
    fn stream_info(&self, md5: [u8; 16]) -> Vec<u8> {
        let written = &self.written;
        let mut info = Vec::with_capacity(34);
        info.extend((BLOCK as u16).to_be_bytes());
        info.extend((BLOCK as u16).to_be_bytes());
        info.extend(&(written.least_size.unwrap_or(0) as u32).to_be_bytes()[1..]);
        info.extend(&(written.most_size as u32).to_be_bytes()[1..]);
        let frames = match written.frames {
            frames @ 0..=MOST_FRAMES => frames,
            // Unknown.
            _ => 0,
        };
        let fields = u64::from(self.sample_rate) << 44
            | (self.channels as u64 - 1) << 41
            | u64::from(self.bits - 1) << 36
            | frames;
        info.extend(fields.to_be_bytes());
        info.extend(md5);
        info
    }

    /// Hands out blocks of what is pending: whole batches, or all.
    fn encode(&mut self, all: bool) -> Result<(), EncodeError> {
        let batch_len = BATCH_BLOCKS * BLOCK * self.channels;
        while self.pending.len() >= batch_len || all && !self.pending.is_empty() {
            let rest = self.pending.split_off(batch_len.min(self.pending.len()));
            let samples = std::mem::replace(&mut self.pending, rest);
            let (frames, channels, first) = (self.frames.clone(), self.channels, self.blocks);
            let blocks = samples.chunks(BLOCK * channels).count();
            self.blocks += blocks as u64;
            self.batches.add(move || {
                let mut batch = Batch {
                    bytes: Vec::new(),
                    sizes: Vec::with_capacity(blocks),
                    frames: samples.len() / channels,
                };
                for (block, number) in samples.chunks(BLOCK * channels).zip(first..) {
                    let frame = frames.encode(block, number);
                    batch.sizes.push(frame.len());
                    batch.bytes.extend(frame);
                }
                Ok(batch)
            });
            while let Some(batch) = self.batches.take()? {
                self.write_batch(&batch)?;
            }
        }
        Ok(())
    }

    fn write_batch(&mut self, batch: &Batch) -> Result<(), EncodeError> {
        self.sink.write_all(&batch.bytes)?;
        let interval = SEEK_INTERVAL * u64::from(self.sample_rate);
        let written = &mut self.written;
        let mut left = batch.frames;
        for &size in &batch.sizes {
            let frames = left.min(BLOCK);
            left -= frames;
            let due = written.points.last().map_or(0, |last| last.0 + interval);
            if written.frames + frames as u64 > due {
                let point = (written.frames, written.bytes, frames as u16);
                written.points.push(point);
            }
            written.frames += frames as u64;
            written.bytes += size as u64;
            written.most_size = written.most_size.max(size);
            let least = written.least_size.map_or(size, |least| least.min(size));
            written.least_size = Some(least);
        }
        Ok(())
    }

    /// Returns the seek table, with the space that it leaves.
    fn seek_table(&self) -> Vec<u8> {
        let points = &self.written.points;
        let every = points.len().div_ceil(MOST_POINTS).max(1);
        let points = points.iter().step_by(every);
        let len = points.len() * SEEK_POINT;
        let mut blocks = block_header(SEEK_TABLE_TYPE, len).to_vec();
        for (frame, at, frames) in points {
            blocks.extend(frame.to_be_bytes());
            blocks.extend(at.to_be_bytes());
            blocks.extend(frames.to_be_bytes());
        }
        // One header more than before.
        let left = PADDING - len - 4;
        blocks.extend(block_header(PADDING_TYPE | LAST, left));
        blocks
    }
}

impl<S: Sink> Encoder for FlacEncoder<S> {
    fn write(&mut self, samples: Samples<'_>) -> Result<(), EncodeError> {
        let start = self.pending.len();
        let pending = &mut self.pending;
        self.quantiser
            .quantise(samples, |value| pending.push(value));
        let integers = &self.pending[start..];
        let bytes = &mut self.sample_bytes;
        bytes.clear();
        bytes.resize(integers.len() * self.bits as usize / 8, 0);
        match self.bits {
            16 => {
                for (bytes, value) in bytes.as_chunks_mut::<2>().0.iter_mut().zip(integers) {
                    *bytes = (*value as i16).to_le_bytes();
                }
            }
            _ => {
                for (bytes, value) in bytes.as_chunks_mut::<3>().0.iter_mut().zip(integers) {
                    let [a, b, c, _] = value.to_le_bytes();
                    *bytes = [a, b, c];
                }
            }
        }
        self.md5.consume(bytes);
        self.encode(false)
    }

    fn finish(mut self: Box<Self>) -> Result<Encoded, EncodeError> {
        self.encode(true)?;
        while let Some(batch) = self.batches.wait()? {
            self.write_batch(&batch)?;
        }
        if !self.written.points.is_empty() {
            let seek_table = self.seek_table();
            self.sink.seek(SeekFrom::Start(self.padding_at))?;
            self.sink.write_all(&seek_table)?;
        }
        let md5 = std::mem::replace(&mut self.md5, md5::Context::new()).finalize();
        let info = self.stream_info(md5.0);
        self.sink.seek(SeekFrom::Start(STREAM_INFO_AT))?;
        self.sink.write_all(&info)?;
        self.sink.flush()?;
        Ok(Encoded {
            frames: self.written.frames,
            clipped_samples: self.quantiser.clipped(),
        })
    }
}

/// Returns the header of a metadata block.
fn block_header(kind: u8, len: usize) -> [u8; 4] {
    let [_, a, b, c] = (len as u32).to_be_bytes();
    [kind, a, b, c]
}

/// Returns the block of comments: who has written the file, and which speakers its channels are for.
fn comments(spec: &EncodeSpec) -> Vec<u8> {
    let vendor = concat!("audiostretchy ", env!("CARGO_PKG_VERSION"));
    let mut list = Vec::new();
    if let Some(mask) = spec.channel_mask
        && mask.count_ones() as usize == spec.channels
        && spec.channels > 2
    {
        // RFC 9639, section 8.6.2. Without it readers disagree about side and back speakers.
        list.push(format!("WAVEFORMATEXTENSIBLE_CHANNEL_MASK={mask:#06X}"));
    }
    let mut comments = Vec::new();
    push_text(&mut comments, vendor);
    comments.extend((list.len() as u32).to_le_bytes());
    for comment in &list {
        push_text(&mut comments, comment);
    }
    comments
}

/// Appends a text with its length in front.
fn push_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend(text.as_bytes());
}
