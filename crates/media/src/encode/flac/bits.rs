//! Writing bits, the most significant first.

/// Bytes that end in any bit.
#[derive(Default)]
pub(super) struct BitWriter {
    /// The bytes, with room for more behind.
    bytes: Vec<u8>,
    /// Whole bytes written.
    len: usize,
    /// The bits that fill no byte yet, at the top.
    partial: u64,
    /// How many there are: less than 8.
    bits: u32,
}

impl BitWriter {
    /// Writes the lowest `bits` bits of `value`, at most 56; the others must be 0.
    #[inline(always)]
    pub(super) fn put(&mut self, value: u64, bits: u32) {
        debug_assert!(bits <= 56 && value >> bits == 0, "{value} in {bits} bits");
        if bits == 0 {
            return;
        }
        self.partial |= value << (64 - self.bits - bits);
        if self.bytes.len() < self.len + 8 {
            self.bytes.resize(2 * self.len + 4096, 0);
        }
        self.bytes[self.len..self.len + 8].copy_from_slice(&self.partial.to_be_bytes());
        let total = self.bits + bits;
        self.len += (total / 8) as usize;
        // 56 bits and 7 more fill at most 7 bytes.
        self.partial <<= total & !7;
        self.bits = total & 7;
    }

    /// Writes a signed value in `bits` bits.
    pub(super) fn put_signed(&mut self, value: i32, bits: u32) {
        self.put(i64::from(value) as u64 & ((1 << bits) - 1), bits);
    }

    /// Writes `zeros` zeros.
    pub(super) fn put_zeros(&mut self, mut zeros: u32) {
        while zeros > 0 {
            let some = zeros.min(56);
            self.put(0, some);
            zeros -= some;
        }
    }

    /// Fills the last byte with zeros.
    pub(super) fn align(&mut self) {
        self.put_zeros((8 - self.bits) % 8);
    }

    /// Returns the whole bytes so far.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Returns all bytes.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        self.align();
        self.bytes.truncate(self.len);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bits_come_in_order(values in prop::collection::vec((any::<u64>(), 0u32..=56), 0..300)) {
            let mut writer = BitWriter::default();
            let mut expected = String::new();
            for (value, bits) in values {
                let value = value & ((1 << bits) - 1);
                writer.put(value, bits);
                if bits > 0 {
                    expected += &format!("{value:0width$b}", width = bits as usize);
                }
            }
            let bytes = writer.into_bytes();
            let mut written: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
            let filling = written.split_off(expected.len());
            prop_assert!(filling.chars().all(|bit| bit == '0'), "{}", filling);
            prop_assert_eq!(written, expected);
        }
    }

    #[test]
    fn long_runs_of_zeros_and_negative_values() {
        let mut writer = BitWriter::default();
        writer.put_signed(-1, 3);
        writer.put_zeros(130);
        writer.put_signed(-2, 7);
        let bytes = writer.into_bytes();
        assert_eq!(bytes.len(), 18);
        assert_eq!((bytes[0], bytes[16], bytes[17]), (0xE0, 0x07, 0xE0));
    }
}
