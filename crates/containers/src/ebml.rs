//! The numbers of EBML, the binary form of Matroska and WebM (RFC 8794).

use std::io::{self, Read};

/// A number of variable length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vint {
    /// The number with the marker bit that tells its length, as element IDs are written.
    pub with_marker: u64,
    /// Bytes that it takes, 1 to 8.
    pub len: u32,
}

impl Vint {
    /// Reads a number (RFC 8794, section 4).
    ///
    /// # Errors
    /// Returns an error if reading fails, or no number starts with the first byte.
    pub fn read(source: &mut (impl Read + ?Sized)) -> io::Result<Self> {
        let mut bytes = [0; 8];
        source.read_exact(&mut bytes[..1])?;
        let len = bytes[0].leading_zeros() + 1;
        let rest = bytes.get_mut(1..len as usize);
        // Where a number is broken, all that follows is as good as missing.
        source.read_exact(rest.ok_or(io::ErrorKind::UnexpectedEof)?)?;
        Ok(Self {
            with_marker: unsigned(&bytes[..len as usize]),
            len,
        })
    }

    /// Returns the number without its marker bit, as sizes are meant.
    pub fn value(self) -> u64 {
        self.with_marker & self.max_value()
    }

    /// Returns whether all bits of the number are ones: the size of an element is not known then.
    pub fn is_unknown_size(self) -> bool {
        self.value() == self.max_value()
    }

    fn max_value(self) -> u64 {
        (1 << (7 * self.len)) - 1
    }
}

/// An unsigned integer of up to 8 bytes, big-endian (RFC 8794, section 7.2).
pub fn unsigned(bytes: &[u8]) -> u64 {
    let bytes = bytes.iter().take(8);
    bytes.fold(0, |sum, &byte| sum << 8 | u64::from(byte))
}

/// Returns the elements within another: IDs and contents, as far as they are whole.
pub fn elements(mut bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    std::iter::from_fn(move || {
        let id = Vint::read(&mut bytes).ok()?;
        let size = Vint::read(&mut bytes).ok()?;
        let (body, rest) = bytes.split_at_checked(usize::try_from(size.value()).ok()?)?;
        bytes = rest;
        Some((id.with_marker, body))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_to_eight_bytes() {
        for (bytes, with_marker, value) in [
            (&[0x81][..], 0x81, 1),
            (&[0x40, 2], 0x4002, 2),
            (&[1, 0, 0, 0, 0, 0, 0, 3], 0x0100_0000_0000_0003, 3),
        ] {
            let number = Vint::read(&mut &bytes[..]).unwrap();
            assert_eq!((number.with_marker, number.value()), (with_marker, value));
            assert_eq!(number.len as usize, bytes.len());
            assert!(!number.is_unknown_size());
        }
        assert!(Vint::read(&mut &[0xFF][..]).unwrap().is_unknown_size());
        assert!(Vint::read(&mut &[0, 1][..]).is_err());
        assert!(Vint::read(&mut &[0x40][..]).is_err());
    }
}
