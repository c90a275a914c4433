//! A source of tags for parsers of others, which may believe whatever a table says: of chapters that
//! all have the same place, or pictures without end.

use std::io::{self, Read, Seek, SeekFrom};

use audiostretchy_containers::limits::MAX_TAG_BYTES;

/// What a parser may read: all tags that are kept, and as much again to get there.
const BUDGET: u64 = 2 * MAX_TAG_BYTES;

/// What going to another place costs, in bytes: whoever does it makes something of what is there.
const SEEK_COST: u64 = 128;

/// A source that fails once too much was read of it.
pub(crate) struct Budget<R> {
    inner: R,
    left: u64,
}

impl<R> Budget<R> {
    /// A source of which nothing was read yet.
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner,
            left: BUDGET,
        }
    }

    fn spend(&mut self, bytes: u64) -> io::Result<()> {
        self.left = self
            .left
            .checked_sub(bytes)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "more tags than are read"))?;
        Ok(())
    }
}

impl<R: Read> Read for Budget<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.spend(count as u64)?;
        Ok(count)
    }
}

impl<R: Seek> Seek for Budget<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.spend(SEEK_COST)?;
        self.inner.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parser_that_goes_in_circles_comes_to_an_end() {
        let mut source = Budget::new(io::Cursor::new([0; 4]));
        let mut rounds = 0;
        let read = |source: &mut Budget<_>| -> io::Result<()> {
            source.seek(SeekFrom::Start(0))?;
            source.read_exact(&mut [0; 4])
        };
        while read(&mut source).is_ok() {
            rounds += 1;
        }
        assert_eq!(rounds, BUDGET / (SEEK_COST + 4));
    }
}
