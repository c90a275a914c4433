//! AIFF files as Symphonia can take them: it refuses those whose sizes are wrong, and makes more of
//! tags than their bytes.

use std::io::{self, Read, Seek};

use crate::limits::{MAX_CHANNELS, MAX_CHUNKS, absurd};
use crate::source::peek;

/// The chunks of AIFF files that tell of the audio.
const AUDIO: [&[u8]; 3] = [b"FVER", b"COMM", b"SSND"];

/// From here on, sizes in AIFF files are those of programs that do not know them yet.
const UNKNOWN: u64 = 0x7F00_0000;

/// The most bytes of an AIFF file's headers without its audio, as such programs write them.
const MAX_HEADERS: u32 = 128;

/// What to put where, to make one of all chunks in a row of an AIFF file that do not tell of the audio, and put right
/// the sizes of the file and of the audio.
///
/// # Errors
/// Returns an error if reading fails, or there are more chunks than in any real file.
pub fn patches<R: Read + Seek>(
    source: &mut R,
    start: u64,
    len: u64,
) -> io::Result<Vec<(u64, Vec<u8>)>> {
    let mut patches = Vec::new();
    let form = peek::<12>(source, start)?.unwrap_or_default();
    if !form.starts_with(b"FORM") || ![b"AIFF", b"AIFC"].iter().any(|kind| form.ends_with(*kind)) {
        return Ok(patches);
    }
    // Zeros, or another tag, may follow the form.
    let [.., a, b, c, d, _, _, _, _] = form;
    let form_size = u32::from_be_bytes([a, b, c, d]);
    let mut end = start + 8 + u64::from(form_size);
    let mut at = start + 12;
    let mut hidden_from = None;
    let mut found = 0;
    let mut audio_bytes = None;
    for _ in 0..MAX_CHUNKS {
        // The form's size may be wrong, and the audio behind its end.
        let head = match at + 8 <= end || found < 2 {
            true => peek::<8>(source, at)?,
            false => None,
        };
        let audio = head.is_none_or(|head| AUDIO.iter().any(|name| head.starts_with(name)));
        match hidden_from {
            Some(from) if audio => {
                let until = if head.is_some() { at } else { at.min(end) };
                let size = until.saturating_sub(from + 8);
                let size = u32::try_from(size).unwrap_or(u32::MAX);
                patches.push((from, [*b"JUNK", size.to_be_bytes()].concat()));
                hidden_from = None;
            }
            None if !audio => hidden_from = Some(at),
            _ => {}
        }
        let Some([name @ .., a, b, c, d]) = head else {
            break;
        };
        let mut size = u64::from(u32::from_be_bytes([a, b, c, d]));
        if name == *b"COMM" || name == *b"SSND" {
            found += 1;
        }
        if name == *b"COMM" {
            let fields = peek::<8>(source, at + 8)?.unwrap_or_default();
            let [a, b, c, d, e, f, g, h] = fields.map(u64::from);
            let (channels, bits) = (a << 8 | b, g << 8 | h);
            let frames = c << 24 | d << 16 | e << 8 | f;
            if channels > MAX_CHANNELS as u64 {
                // Not worth more than an error.
                return Ok(patches);
            }
            let is_plain = form.ends_with(b"AIFF");
            audio_bytes = is_plain.then(|| 8 + frames * channels * bits.div_ceil(8));
        }
        let left = len.saturating_sub(at + 8);
        if name == *b"SSND" && (size > left || size == 0) {
            // Written to a pipe, or wrong, though all of the audio is there.
            let is_unknown = size >= UNKNOWN || size == 0 && form_size <= MAX_HEADERS;
            let real = match audio_bytes.filter(|bytes| *bytes <= left) {
                Some(bytes) if size > 0 => Some(bytes),
                _ => is_unknown.then_some(left),
            };
            if let Some(real) = real {
                size = real;
                let size = u32::try_from(size).unwrap_or(u32::MAX);
                patches.push((at + 4, size.to_be_bytes().to_vec()));
            }
        }
        at += 8 + size.next_multiple_of(2);
        if audio && at > end {
            end = at;
        }
        if name == *b"SSND" && at - size % 2 <= len {
            // All of the audio is there, whatever else may be missing.
            end = end.min(len);
        }
    }
    let real_size = u32::try_from(end - start - 8).unwrap_or(u32::MAX);
    if real_size != form_size {
        let size = real_size.to_be_bytes().to_vec();
        patches.push((start + 4, size));
    }
    match hidden_from {
        None => Ok(patches),
        Some(_) => Err(absurd(format!("AIFF: more than {MAX_CHUNKS} chunks"))),
    }
}
