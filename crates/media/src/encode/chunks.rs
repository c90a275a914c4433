//! Streams in chunks that can be encoded side by side.
//!
//! Each chunk is encoded by an encoder of its own, which starts some frames early and whose first
//! output is dropped: by then it is in about the state in which one encoder for all would be. Where
//! the chunks begin is fixed by the stream, never by the number of threads, so that the bytes are
//! always the same.

use std::sync::Arc;

use super::encoder::EncodeError;
use super::in_order::{InOrder, Workers};
use crate::samples::Samples;

/// How a stream is cut, in frames.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// Frames of a chunk. The last is longer, up to twice as long, and so is the only one of a
    /// stream that is shorter than two.
    pub(super) frames: usize,
    /// Frames given before a chunk.
    pub(super) before: usize,
    /// Frames given after a chunk.
    pub(super) after: usize,
}

/// Audio to be encoded by one encoder.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// Interleaved samples, with those before and after the chunk.
    pub(super) samples: Vec<f32>,
    /// Frames before the chunk: none before the first.
    pub(super) before: usize,
    /// Whether the stream ends here. Then there is nothing after it.
    pub(super) is_last: bool,
}

/// Cuts a stream.
struct Cutter {
    shape: Shape,
    channels: usize,
    /// What is not in a chunk yet, with the frames before it.
    pending: Vec<f32>,
    /// How many frames of that are before the next chunk.
    before: usize,
}

impl Cutter {
    fn new(shape: Shape, channels: usize) -> Self {
        Self {
            shape,
            channels,
            pending: Vec::new(),
            before: 0,
        }
    }

    /// Returns the next chunk, if two are complete.
    fn next(&mut self) -> Option<Chunk> {
        let Shape {
            frames,
            before,
            after,
        } = self.shape;
        let pending = self.pending.len() / self.channels;
        if pending < self.before + 2 * frames {
            return None;
        }
        let end = self.before + frames;
        // Copied, so that the chunk takes no more memory than it needs.
        let samples = self.pending[..(end + after) * self.channels].to_vec();
        self.pending.drain(..(end - before) * self.channels);
        let chunk = Chunk {
            samples,
            before: self.before,
            is_last: false,
        };
        self.before = before;
        Some(chunk)
    }

    fn last(&mut self) -> Chunk {
        Chunk {
            samples: std::mem::take(&mut self.pending),
            before: self.before,
            is_last: true,
        }
    }
}

/// Encodes chunks, each by itself.
pub(super) trait ChunkEncoder: Send + Sync + 'static {
    /// An encoded chunk.
    type Encoded: Send + 'static;

    /// Encodes a chunk.
    fn encode(&self, chunk: Chunk) -> Result<Self::Encoded, EncodeError>;
}

/// A stream on its way through its chunks' encoders.
pub(super) struct Chunks<E: ChunkEncoder> {
    encoder: Arc<E>,
    cutter: Cutter,
    encoded: InOrder<E::Encoded>,
    frames: u64,
}

impl<E: ChunkEncoder> Chunks<E> {
    pub(super) fn new(
        encoder: E,
        shape: Shape,
        channels: usize,
        workers: Option<Arc<dyn Workers>>,
    ) -> Self {
        Self {
            encoder: Arc::new(encoder),
            cutter: Cutter::new(shape, channels),
            encoded: InOrder::new(workers),
            frames: 0,
        }
    }

    /// Returns the frames given so far.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// Takes interleaved samples, and hands out what is encoded, in order.
    pub(super) fn push(
        &mut self,
        samples: &Samples<'_>,
        mut write: impl FnMut(E::Encoded) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.frames += (samples.len() / self.cutter.channels) as u64;
        self.cutter.pending.extend_from_slice(&samples.to_f32());
        while let Some(chunk) = self.cutter.next() {
            self.start(chunk);
            while let Some(encoded) = self.encoded.take()? {
                write(encoded)?;
            }
        }
        Ok(())
    }

    /// Ends the stream, and hands out the rest, in order.
    pub(super) fn finish(
        &mut self,
        mut write: impl FnMut(E::Encoded) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let chunk = self.cutter.last();
        self.start(chunk);
        while let Some(encoded) = self.encoded.wait()? {
            write(encoded)?;
        }
        Ok(())
    }

    fn start(&mut self, chunk: Chunk) {
        let encoder = self.encoder.clone();
        self.encoded.add(move || encoder.encode(chunk));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a chunk as it is, without what is before and after.
    struct Copy(Shape);

    impl ChunkEncoder for Copy {
        type Encoded = (usize, Vec<f32>);

        fn encode(&self, chunk: Chunk) -> Result<Self::Encoded, EncodeError> {
            let after = if chunk.is_last { 0 } else { self.0.after };
            let mut samples = chunk.samples;
            samples.truncate(samples.len() - after);
            Ok((chunk.before, samples.split_off(chunk.before)))
        }
    }

    #[test]
    fn chunks_cover_the_stream_whatever_the_blocks() {
        let shape = Shape {
            frames: 10,
            before: 3,
            after: 2,
        };
        for len in [0, 1, 9, 19, 20, 21, 29, 30, 31, 57] {
            let samples: Vec<f32> = (0..len).map(|i| i as f32).collect();
            for block in [1, 7, 100] {
                let mut chunks = Chunks::new(Copy(shape), shape, 1, None);
                let mut encoded = Vec::new();
                for block in samples.chunks(block) {
                    let keep = |chunk| {
                        encoded.push(chunk);
                        Ok(())
                    };
                    chunks.push(&block.into(), keep).unwrap();
                }
                let keep = |chunk| {
                    encoded.push(chunk);
                    Ok(())
                };
                chunks.finish(keep).unwrap();
                assert_eq!(encoded.len(), (len / 10).max(1), "{len}");
                for (i, (before, chunk)) in encoded.iter().enumerate() {
                    assert_eq!(*before, if i == 0 { 0 } else { 3 });
                    assert!(chunk.len() < 20);
                }
                let all: Vec<f32> = encoded.into_iter().flat_map(|(_, chunk)| chunk).collect();
                assert_eq!(all, samples, "{len} in blocks of {block}");
            }
        }
    }
}
