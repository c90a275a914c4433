//! How much memory the codebooks of a Vorbis stream ask for: a header of a few kilobytes can name
//! gigabytes of them, which decoders make before they look at the audio.
//!
//! Codebooks are as in Vorbis I, section 3.2.1.

/// The most bytes of tables. Those of the usual encoders take some hundred kilobytes.
const MAX_BYTES: u64 = 24 << 20;

/// What an entry takes by itself: its code, and two nodes of a tree.
const ENTRY_BYTES: u64 = 16;

/// What a number takes in a table.
const NUMBER_BYTES: u64 = 4;

/// The name of the header's packet.
const NAME_LEN: usize = 7;

/// Returns whether the codebooks of a setup header are of a size that encoders write. Headers that
/// end too soon are left to the decoder.
pub(crate) fn is_modest(setup: &[u8]) -> bool {
    let mut bits = Bits {
        bytes: setup.get(NAME_LEN..).unwrap_or_default(),
        at: 0,
    };
    let mut room = MAX_BYTES;
    let count = bits.take(8).unwrap_or(0) + 1;
    for _ in 0..count {
        let Some(size) = codebook(&mut bits) else {
            // The sizes come first: what follows them cannot add to this one.
            return true;
        };
        match room.checked_sub(size.bytes) {
            Some(rest) => room = rest,
            None => return false,
        }
        if size.skip(&mut bits).is_none() {
            return true;
        }
    }
    true
}

/// A codebook as far as its size is known.
struct Codebook {
    dimensions: u64,
    entries: u64,
    bytes: u64,
}

fn codebook(bits: &mut Bits<'_>) -> Option<Codebook> {
    bits.take(24).filter(|&sync| sync == 0x56_4342)?;
    let (dimensions, entries) = (bits.take(16)?, bits.take(24)?);
    Some(Codebook {
        dimensions,
        entries,
        bytes: entries * (ENTRY_BYTES + dimensions * NUMBER_BYTES),
    })
}

impl Codebook {
    /// Goes past the rest of it; `None` at the end of the header.
    fn skip(&self, bits: &mut Bits<'_>) -> Option<()> {
        if bits.take(1)? == 1 {
            bits.take(5)?;
            let mut entry = 0;
            while entry < self.entries {
                let width = u64::BITS - (self.entries - entry).leading_zeros();
                entry += bits.take(width)?;
            }
        } else if bits.take(1)? == 1 {
            for _ in 0..self.entries {
                if bits.take(1)? == 1 {
                    bits.take(5)?;
                }
            }
        } else {
            bits.skip(5 * self.entries)?;
        }
        let numbers = match bits.take(4)? {
            0 => return Some(()),
            1 => root(self.entries, self.dimensions),
            _ => self.entries * self.dimensions,
        };
        bits.skip(64)?;
        let width = bits.take(4)? + 1;
        bits.skip(1 + width * numbers)
    }
}

/// Returns the largest number that, to the power of `dimensions`, is not above `entries`.
fn root(entries: u64, dimensions: u64) -> u64 {
    let exponent = u32::try_from(dimensions).unwrap_or(u32::MAX);
    let fits = |base: u64| {
        base.checked_pow(exponent)
            .is_some_and(|power| power <= entries)
    };
    (1..=entries)
        .take_while(|&base| dimensions > 0 && fits(base))
        .last()
        .unwrap_or(0)
}

/// Bits, the lowest of each byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: u64,
}

impl Bits<'_> {
    fn take(&mut self, count: u32) -> Option<u64> {
        let mut value = 0;
        for bit in 0..count {
            let byte = self.bytes.get(usize::try_from(self.at / 8).ok()?)?;
            value |= u64::from(byte >> (self.at % 8) & 1) << bit;
            self.at += 1;
        }
        Some(value)
    }

    fn skip(&mut self, count: u64) -> Option<()> {
        self.at = self.at.checked_add(count)?;
        (self.at <= 8 * self.bytes.len() as u64).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_that_of_the_specification() {
        for (entries, dimensions, expected) in [
            (0, 2, 0),
            (81, 4, 3),
            (80, 4, 2),
            (131_072, 32, 1),
            (10, 1, 10),
            (5, 0, 0),
        ] {
            assert_eq!(root(entries, dimensions), expected);
        }
    }

    #[test]
    fn a_header_that_ends_is_left_to_the_decoder() {
        assert!(is_modest(b""));
        assert!(is_modest(b"\x05vorbis\x01\x42\x43\x56\x01\0\xff"));
        assert!(!is_modest(
            b"\x05vorbis\x01\x42\x43\x56\xff\xff\xff\xff\xff"
        ));
    }
}
