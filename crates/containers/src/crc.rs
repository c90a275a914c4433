//! The checksums of audio formats.

/// Returns the CRC-8 of FLAC frame headers: polynomial 0x07, starting at 0 (RFC 9639, section
/// 9.1.8).
pub fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ byte, |crc, _| {
            crc << 1 ^ if crc & 0x80 != 0 { 7 } else { 0 }
        })
    })
}

/// CRC-16s of each byte followed by 0 to 7 zeros: polynomial 0x8005.
const CRC_16: [[u16; 256]; 8] = {
    let mut tables = [[0; 256]; 8];
    let mut index = 0;
    while index < 256 {
        let mut crc = (index as u16) << 8;
        let mut bit = 0;
        while bit < 64 {
            crc = crc << 1 ^ if crc & 0x8000 != 0 { 0x8005 } else { 0 };
            bit += 1;
            if bit % 8 == 0 {
                tables[bit / 8 - 1][index] = crc;
            }
        }
        index += 1;
    }
    tables
};

/// Returns the CRC-16 of FLAC frames: polynomial 0x8005, starting at 0 (RFC 9639, section 9.3).
///
/// It is 0 over a frame that includes its own checksum.
pub fn crc16(bytes: &[u8]) -> u16 {
    let (eights, rest) = bytes.as_chunks::<8>();
    let crc = eights.iter().fold(0u16, |crc, eight| {
        let [high, low] = crc.to_be_bytes();
        let table = |zeros: usize, byte: u8| CRC_16[zeros][usize::from(byte)];
        let first = table(7, eight[0] ^ high) ^ table(6, eight[1] ^ low);
        (2..8).fold(first, |crc, i| crc ^ table(7 - i, eight[i]))
    });
    rest.iter().fold(crc, |crc, &byte| crc16_step(crc, byte))
}

/// Returns the [`crc16`] of some bytes and one more, from that of those before it.
pub fn crc16_step(crc: u16, byte: u8) -> u16 {
    crc << 8 ^ CRC_16[0][usize::from((crc >> 8) as u8 ^ byte)]
}

/// CRC-16/ARC, which an MP3 file's LAME tag ends with: [`crc16`] with the bits in reverse order.
pub fn crc16_arc(bytes: &[u8]) -> u16 {
    let reversed = |crc, byte: &u8| crc16_step(crc, byte.reverse_bits());
    bytes.iter().fold(0, reversed).reverse_bits()
}

/// Returns the CRC-32 of Ogg pages: polynomial 0x04C11DB7, not reflected (RFC 3533, section 6).
/// `crc` is that of the bytes before, 0 at the start.
pub fn crc32_ogg(crc: u32, bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut index = 0;
        while index < 256 {
            let mut crc = (index as u32) << 24;
            let mut bit = 0;
            while bit < 8 {
                crc = crc << 1 ^ if crc >> 31 == 1 { 0x04C1_1DB7 } else { 0 };
                bit += 1;
            }
            table[index] = crc;
            index += 1;
        }
        table
    };
    bytes.iter().fold(crc, |crc, &byte| {
        crc << 8 ^ TABLE[(crc >> 24) as usize ^ usize::from(byte)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the catalogue of parametrised CRC algorithms (reveng).
    #[test]
    fn checksums_have_their_check_values() {
        let check = b"123456789";
        assert_eq!(crc8(check), 0xF4);
        assert_eq!(crc16(check), 0xFEE8);
        assert_eq!(crc16_arc(check), 0xBB3D);
        // CRC-32/MPEG-2 is the same but for its start value.
        assert_eq!(crc32_ogg(0xFFFF_FFFF, check), 0x0376_E6E7);
    }
}
