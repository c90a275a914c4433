//! Limits that the caller can set.

use std::io::{self, Read, Seek, SeekFrom};
use std::time::{Duration, Instant};

use audiostretchy::{Input, Limits};
use audiostretchy_media::decode::{DecodeError, Decoder};

/// A FLAC file that is read slowly and contains no frame.
struct Slow {
    at: usize,
}

const LEN: u64 = 1 << 40;

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        std::thread::sleep(Duration::from_millis(2));
        let len = buffer.len().min(1000);
        buffer[..len].fill(0);
        let header = b"fLaC\x80\0\0\x22\x10\0\x10\0\0\0\0\0\0\0\x0a\xc4\x42\xf0";
        for (byte, place) in buffer[..len].iter_mut().zip(self.at..) {
            *byte = header.get(place).copied().unwrap_or(0);
        }
        self.at += len;
        Ok(len)
    }
}

impl Seek for Slow {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => (self.at as u64).checked_add_signed(by),
            SeekFrom::End(by) => LEN.checked_add_signed(by),
        };
        let at = at.ok_or(io::ErrorKind::InvalidInput)?;
        self.at = at as usize;
        Ok(at)
    }
}

#[test]
fn the_deadline_holds_within_a_demuxer() {
    let limits = Limits {
        deadline: Some(Instant::now() + Duration::from_millis(100)),
        ..Limits::default()
    };
    // Without the deadline, 32 MiB would be read in search of a frame.
    let input = Input::from_reader(Slow { at: 0 }).unwrap();
    let error = Decoder::from_input_within(&input, &limits).err();
    assert!(
        matches!(&error, Some(DecodeError::Io(error)) if error.kind() == io::ErrorKind::TimedOut),
        "{error:?}"
    );
}
