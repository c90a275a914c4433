//! Parts of a source of bytes: some bytes at a place, or a window that looks like a whole source.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use symphonia_core::io::MediaSource;

/// Reads up to `len` bytes from a place on, fewer at the end of the source.
///
/// # Errors
/// Returns an error if reading fails.
pub fn read_at(source: &mut (impl Read + Seek), at: u64, len: usize) -> io::Result<Vec<u8>> {
    source.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::with_capacity(len);
    source.take(len as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads the bytes at a place; `None` where the source ends before or within them.
///
/// # Errors
/// Returns an error if reading fails.
pub fn peek<const N: usize>(
    source: &mut (impl Read + Seek),
    at: u64,
) -> io::Result<Option<[u8; N]>> {
    let mut bytes = [0; N];
    source.seek(SeekFrom::Start(at))?;
    match source.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// The bytes of a source from one place to another.
pub struct Window<S> {
    inner: S,
    range: Range<u64>,
    /// Where the inner source stands; behind the range, anywhere.
    position: u64,
}

impl<S: Read + Seek> Window<S> {
    /// # Errors
    /// Returns an error if the source cannot be sought in.
    pub fn new(mut inner: S, range: Range<u64>) -> io::Result<Self> {
        inner.seek(SeekFrom::Start(range.start))?;
        let position = range.start;
        Ok(Self {
            inner,
            range,
            position,
        })
    }
}

impl<S: Read> Read for Window<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.range.end.saturating_sub(self.position);
        let wanted = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        let count = self.inner.read(&mut buffer[..wanted])?;
        self.position += count as u64;
        Ok(count)
    }
}

impl<S: Read + Seek> Seek for Window<S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(at) => self.range.start.checked_add(at),
            SeekFrom::End(by) => self.range.end.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        let position = position.filter(|at| *at >= self.range.start);
        let position = position.ok_or(io::ErrorKind::InvalidInput)?;
        self.position = self.inner.seek(SeekFrom::Start(position))?;
        Ok(self.position - self.range.start)
    }
}

impl<S: Read + Seek + Send + Sync> MediaSource for Window<S> {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.range.end - self.range.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn nothing_is_seen_of_what_is_around_it() {
        let bytes: Vec<u8> = (0..20).collect();
        let mut window = Window::new(Cursor::new(bytes), 5..9).unwrap();
        let mut read = Vec::new();
        window.read_to_end(&mut read).unwrap();
        assert_eq!(read, [5, 6, 7, 8]);
        assert_eq!(window.seek(SeekFrom::End(-1)).unwrap(), 3);
        assert_eq!(window.read(&mut [0; 4]).unwrap(), 1);
        assert_eq!(window.seek(SeekFrom::Current(-2)).unwrap(), 2);
        assert!(window.seek(SeekFrom::Current(-3)).is_err());
        assert_eq!(window.seek(SeekFrom::Start(9)).unwrap(), 9);
        assert_eq!(window.read(&mut [0; 4]).unwrap(), 0);
    }
}
