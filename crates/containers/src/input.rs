//! The bytes of an input, from a file or any reader, which several parsers can read side by side.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use symphonia_core::io::MediaSource;

use crate::limits::Limits;

/// Bytes copied from a pipe between two looks at the limits.
const SPOOL_BLOCK: u64 = 1 << 20;

trait ReadSeek: Read + Seek + Send {}
impl<T: Read + Seek + Send> ReadSeek for T {}

/// Opens a file to read it; `None` for a folder, a pipe or a device, none of which is waited for.
///
/// # Errors
/// Returns an error if it cannot be opened.
pub fn open_file(path: &Path) -> io::Result<Option<File>> {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NONBLOCK);
    }
    // To open some devices is to do something with them.
    if !path.metadata()?.is_file() {
        return Ok(None);
    }
    let file = options.open(path)?;
    Ok(file.metadata()?.is_file().then_some(file))
}

/// Returns whether an error says that this process, or the system, has no room for one more open
/// file or thread.
pub fn is_out_of_room(error: &io::Error) -> bool {
    #[cfg(unix)]
    return matches!(
        error.raw_os_error(),
        Some(libc::EMFILE | libc::ENFILE | libc::EAGAIN)
    );
    #[cfg(not(unix))]
    return error.raw_os_error() == Some(4); // ERROR_TOO_MANY_OPEN_FILES
}

/// Why an input cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// The file cannot be opened or read.
    #[error("cannot read the file")]
    Io(#[from] io::Error),
    /// The path is a folder or something else that is not a file.
    #[error("not a regular file")]
    NotAFile,
}

/// What the bytes come from.
enum Source {
    File(File),
    Reader(Box<dyn ReadSeek>),
}

impl Source {
    fn as_read_seek(&mut self) -> &mut dyn ReadSeek {
        match self {
            Self::File(file) => file,
            Self::Reader(reader) => reader.as_mut(),
        }
    }
}

/// An input: a file, a reader, or a pipe that was copied to a temporary file.
///
/// A copy made with [`reopen`](Self::reopen) reads the same bytes from a place of its own, so that
/// audio and tags can be read one beside the other.
///
/// ```
/// use std::io::Cursor;
/// use audiostretchy_containers::input::Input;
///
/// let from_memory = Input::from_reader(Cursor::new(b"RIFF".to_vec()))?;
/// let from_pipe = Input::spool(std::io::empty())?;
/// assert_eq!((from_memory.byte_len(), from_pipe.byte_len()), (4, 0));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Input {
    bytes: Arc<Mutex<Bytes>>,
    len: u64,
    /// Where this copy reads next.
    position: u64,
    path: Option<PathBuf>,
    /// Of the file, before anything was read from it.
    metadata: Option<Metadata>,
    hint: Option<String>,
}

struct Bytes {
    source: Source,
    /// Where the reader stands, if known.
    position: Option<u64>,
}

impl Input {
    /// Opens a file.
    ///
    /// # Errors
    /// Returns an error if it cannot be opened, or is a folder, a pipe or a device.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, InputError> {
        let path = path.as_ref();
        let file = open_file(path)?.ok_or(InputError::NotAFile)?;
        let metadata = file.metadata()?;
        let extension = path.extension().and_then(OsStr::to_str);
        Ok(Self {
            path: Some(path.to_owned()),
            hint: extension.map(str::to_owned),
            metadata: Some(metadata),
            ..Self::from_source(Source::File(file))?
        })
    }

    /// Takes all bytes of a reader, from its very start, whatever its position.
    ///
    /// # Errors
    /// Returns an error if it cannot tell its length.
    pub fn from_reader(reader: impl Read + Seek + Send + 'static) -> io::Result<Self> {
        Self::from_source(Source::Reader(Box::new(reader)))
    }

    fn from_source(mut source: Source) -> io::Result<Self> {
        let len = source.as_read_seek().seek(SeekFrom::End(0))?;
        let bytes = Bytes {
            source,
            position: Some(len),
        };
        Ok(Self {
            bytes: Arc::new(Mutex::new(bytes)),
            len,
            position: 0,
            path: None,
            metadata: None,
            hint: None,
        })
    }

    /// Copies all that a reader gives, such as a pipe, to a temporary file, which has no name and
    /// goes away by itself.
    ///
    /// Some formats cannot be read without going back and forth, and tags stand at the end of
    /// others; so they are all spooled, in constant memory.
    ///
    /// # Errors
    /// Returns an error if reading fails, or writing to the system's folder for temporary files.
    pub fn spool(reader: impl Read) -> io::Result<Self> {
        Self::spool_within(reader, &Limits::default())
    }

    /// As [`spool`](Self::spool), with a limit on the bytes, and on the time that their writer may
    /// take between any two reads.
    ///
    /// # Errors
    /// Returns the same errors as [`spool`](Self::spool); `FileTooLarge` or `TimedOut` where a
    /// limit is reached.
    pub fn spool_within(mut reader: impl Read, limits: &Limits) -> io::Result<Self> {
        let mut file = tempfile::tempfile()?;
        let mut len = 0;
        loop {
            if limits
                .deadline
                .is_some_and(|deadline| Instant::now() >= deadline)
            {
                return Err(io::ErrorKind::TimedOut.into());
            }
            match io::copy(&mut (&mut reader).take(SPOOL_BLOCK), &mut file)? {
                0 => return Self::from_reader(file),
                more => len += more,
            }
            if len > limits.max_spooled_bytes {
                let most = limits.max_spooled_bytes;
                let message = format!("there are more than the {most} bytes that are allowed");
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
            }
        }
    }

    /// Returns a hint of the format, as a file name extension without the dot.
    ///
    /// The content decides; the hint only says what is tried first.
    #[must_use]
    pub fn with_hint(mut self, extension: &str) -> Self {
        self.hint = Some(extension.to_owned());
        self
    }

    /// Returns the extension that hints at the format, if any.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Returns the file's path; `None` for readers.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Returns the metadata that the file had when it was opened; `None` for readers.
    pub fn metadata(&self) -> Option<&Metadata> {
        self.metadata.as_ref()
    }

    /// Returns whether the file was written to since it was opened, as its size and modification
    /// time tell.
    ///
    /// A file that was only replaced by another of its name has not changed: the one that was
    /// opened is read to its end. Readers are taken not to change.
    pub fn is_changed(&self) -> bool {
        let Some(opened) = &self.metadata else {
            return false;
        };
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let Source::File(file) = &bytes.source else {
            return false;
        };
        file.metadata().is_ok_and(|now| {
            now.len() != opened.len() || now.modified().ok() != opened.modified().ok()
        })
    }

    /// Length in bytes.
    pub fn byte_len(&self) -> u64 {
        self.len
    }

    /// The same bytes, read from the start.
    pub fn reopen(&self) -> Self {
        Self {
            bytes: Arc::clone(&self.bytes),
            len: self.len,
            position: 0,
            path: self.path.clone(),
            metadata: self.metadata.clone(),
            hint: self.hint.clone(),
        }
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // A reader that panicked stands anywhere, which is as good as unknown.
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = Some(self.position);
        if bytes.position.take() != wanted {
            let reader = bytes.source.as_read_seek();
            reader.seek(SeekFrom::Start(self.position))?;
        }
        let count = bytes.source.as_read_seek().read(buffer)?;
        self.position += count as u64;
        bytes.position = Some(self.position);
        Ok(count)
    }
}

impl Seek for Input {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.len.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        let before_start = || io::Error::new(io::ErrorKind::InvalidInput, "seek before the start");
        self.position = position.ok_or_else(before_start)?;
        Ok(self.position)
    }
}

impl MediaSource for Input {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.len)
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input")
            .field("path", &self.path)
            .field("hint", &self.hint)
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn copies_read_side_by_side() {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut first = Input::from_reader(Cursor::new(bytes.clone())).unwrap();
        let mut second = first.reopen();
        let mut found = [Vec::new(), Vec::new()];
        for _ in 0..64 {
            for (input, found) in [&mut first, &mut second].into_iter().zip(&mut found) {
                let mut part = [0; 4];
                input.read_exact(&mut part).unwrap();
                found.extend(part);
            }
        }
        assert_eq!(found, [bytes.clone(), bytes]);
    }

    #[test]
    fn a_pipe_without_end_is_given_up() {
        let limits = Limits {
            max_spooled_bytes: 3 << 20,
            ..Limits::default()
        };
        let error = Input::spool_within(io::repeat(0), &limits).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert!(Input::spool_within(&b"0123"[..], &limits).is_ok());
        let limits = Limits {
            deadline: Some(Instant::now() + std::time::Duration::from_millis(20)),
            ..Limits::default()
        };
        let error = Input::spool_within(io::repeat(0), &limits).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn positions_count_from_start_end_and_here() {
        let mut input = Input::spool(&b"0123456789"[..]).unwrap();
        let mut at = |to| {
            input.seek(to).unwrap();
            let mut byte = [0];
            input.read_exact(&mut byte).unwrap();
            byte[0]
        };
        assert_eq!(at(SeekFrom::End(-1)), b'9');
        assert_eq!(at(SeekFrom::Start(2)), b'2');
        assert_eq!(at(SeekFrom::Current(3)), b'6');
        assert!(input.seek(SeekFrom::End(-11)).is_err());
        assert_eq!(input.seek(SeekFrom::End(5)).unwrap(), 15);
        assert_eq!(input.read(&mut [0]).unwrap(), 0);
    }
}
