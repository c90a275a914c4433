//! Inserts bytes into finished files, block by block.

use std::io::{self, Read, Seek, SeekFrom, Write};

/// A file that tags are written to.
pub(crate) trait TagFile: Read + Write + Seek {}
impl<T: Read + Write + Seek> TagFile for T {}

const BLOCK: u64 = 1 << 20;

/// Replaces `len` bytes at `at` with `bytes`, which must not be shorter, and moves what follows.
///
/// # Errors
/// Returns an error if the file cannot be read or written.
pub(crate) fn replace(file: &mut dyn TagFile, at: u64, len: u64, bytes: &[u8]) -> io::Result<()> {
    let by = bytes.len() as u64 - len;
    let first = at + len;
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut block = Vec::new();
    // From the end backwards, so that nothing is overwritten before it has been read.
    while by > 0 && end > first {
        let start = first.max(end.saturating_sub(BLOCK));
        block.resize((end - start) as usize, 0);
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut block)?;
        file.seek(SeekFrom::Start(start + by))?;
        file.write_all(&block)?;
        end = start;
    }
    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn what_follows_moves_whole() {
        let audio: Vec<u8> = (0..3 * BLOCK as usize + 5)
            .map(|i| (i % 251) as u8)
            .collect();
        let mut file = Cursor::new(audio.clone());
        replace(&mut file, 10, 4, &[7; 1000]).unwrap();
        let file = file.into_inner();
        assert_eq!(file[..10], audio[..10]);
        assert_eq!(file[10..1010], [7; 1000]);
        assert_eq!(file[1010..], audio[14..]);
    }
}
