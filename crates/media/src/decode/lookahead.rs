//! A stream of bytes that can be looked at before it is consumed.

use std::io::{ErrorKind, Read, Seek, SeekFrom};

use symphonia_core::errors::{Error, Result};
use symphonia_core::io::{MediaSource, MediaSourceStream, ReadBytes};

/// Bytes read at a time.
pub(super) const BLOCK: usize = 1 << 16;

/// A stream, and what was read of it and not consumed yet.
pub(super) struct Lookahead {
    stream: MediaSourceStream<'static>,
    buffer: Vec<u8>,
    /// Where in the buffer the bytes start that were not consumed yet.
    start: usize,
}

impl Lookahead {
    pub(super) fn new(stream: MediaSourceStream<'static>) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
            start: 0,
        }
    }

    /// Returns the bytes that were read and not consumed.
    pub(super) fn ahead(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Reads on until there are `wanted` bytes ahead, or the stream ends.
    ///
    /// # Errors
    /// Returns an error if reading fails.
    pub(super) fn fill(&mut self, wanted: usize) -> Result<()> {
        while self.ahead().len() < wanted {
            if self.start >= BLOCK {
                self.buffer.drain(..self.start);
                self.start = 0;
            }
            let old = self.buffer.len();
            self.buffer.resize(old + BLOCK, 0);
            let read = self.stream.read(&mut self.buffer[old..]);
            self.buffer.truncate(old + *read.as_ref().unwrap_or(&0));
            if read? == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Consumes bytes that are ahead.
    ///
    /// # Panics
    /// Panics if there are not so many.
    pub(super) fn consume(&mut self, bytes: usize) {
        assert!(
            bytes <= self.ahead().len(),
            "only what is ahead is consumed"
        );
        self.start += bytes;
    }

    /// Reads and consumes bytes, whether they are ahead or not.
    ///
    /// # Errors
    /// Returns an error if the stream ends before, or reading fails.
    pub(super) fn skip(&mut self, mut bytes: usize) -> Result<()> {
        while bytes > 0 {
            self.fill(1)?;
            let step = bytes.min(self.ahead().len());
            if step == 0 {
                return Err(Error::IoError(ErrorKind::UnexpectedEof.into()));
            }
            self.start += step;
            bytes -= step;
        }
        Ok(())
    }

    /// Returns where the bytes ahead start in the stream.
    pub(super) fn position(&self) -> u64 {
        self.stream.pos() - self.ahead().len() as u64
    }

    /// Returns the length of the stream in bytes, if it is known.
    pub(super) fn byte_len(&self) -> Option<u64> {
        self.stream.byte_len()
    }

    /// Goes to a place in the stream; nothing is ahead then.
    ///
    /// # Errors
    /// Returns an error if that cannot be done.
    pub(super) fn go_to(&mut self, at: u64) -> Result<()> {
        self.stream.seek(SeekFrom::Start(at))?;
        self.buffer.clear();
        self.start = 0;
        Ok(())
    }

    pub(super) fn into_inner(self) -> MediaSourceStream<'static> {
        self.stream
    }
}
