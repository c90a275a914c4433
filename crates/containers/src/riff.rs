//! Chunks of RIFF files (Microsoft and IBM, Multimedia Programming Interface and Data
//! Specifications 1.0) in memory: names of four letters, little-endian sizes, bodies filled up to
//! an even length.

/// Returns the chunks within a list: names and bodies, as far as they are whole.
pub fn sub_chunks(mut bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let (head, rest) = bytes.split_at_checked(8)?;
        let size = u32_at(head, 4) as usize;
        let body = rest.get(..size)?;
        bytes = rest.get(size.next_multiple_of(2)..).unwrap_or_default();
        Some(([head[0], head[1], head[2], head[3]], body))
    })
}

/// Text up to its end mark: UTF-8, or else the Latin-1 of old.
pub fn decode_text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0);
    let bytes = &bytes[..end.unwrap_or(bytes.len())];
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    };
    text.trim_end().to_owned()
}

/// Returns the unsigned number at an offset, little-endian; 0 behind the end.
pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let bytes = bytes
        .get(at..at + 4)
        .and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, u32::from_le_bytes)
}

/// Text with an end mark.
pub fn terminated(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    bytes
}

/// Appends a chunk, filled up to an even length.
pub fn push_chunk(to: &mut Vec<u8>, id: [u8; 4], body: &[u8]) {
    to.extend(id);
    to.extend((body.len() as u32).to_le_bytes());
    to.extend(body);
    if !body.len().is_multiple_of(2) {
        to.push(0);
    }
}
