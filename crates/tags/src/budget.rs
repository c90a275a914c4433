//! A reader with a limit, for third-party tag parsers. These may trust whatever a table in the file
//! claims, such as many chapters at one offset, or an endless list of pictures.

use std::io::{self, Read, Seek, SeekFrom};

use audiostretchy_containers::limits::MAX_TAG_BYTES;

/// The number of bytes that a parser may read: the most tag data that is kept, twice over.
const BUDGET: u64 = 2 * MAX_TAG_BYTES;

/// The cost of a seek, in bytes. A parser that seeks usually allocates something for what it finds.
const SEEK_COST: u64 = 128;

/// A reader that returns an error once the parser has read too much.
pub(crate) struct Budget<R> {
    inner: R,
    left: u64,
}

impl<R> Budget<R> {
    /// Creates a reader with its whole budget left.
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
