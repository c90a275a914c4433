//! WAV, AIFF and CAF: chunks.

use crate::hostile::{stretch, stretch_with};

/// Returns a format chunk of PCM.
fn fmt(channels: u16, rate: u32, bytes_per_frame: u16, bits: u16) -> Vec<u8> {
    let mut body = 1u16.to_le_bytes().to_vec();
    body.extend(channels.to_le_bytes());
    body.extend(rate.to_le_bytes());
    body.extend(rate.wrapping_mul(bytes_per_frame.into()).to_le_bytes());
    body.extend(bytes_per_frame.to_le_bytes());
    body.extend(bits.to_le_bytes());
    body
}

/// Returns a chunk whose header has the given size, whatever the size of its body.
fn sized(id: &[u8; 4], size: u32, body: &[u8]) -> Vec<u8> {
    [id, &size.to_le_bytes()[..], body].concat()
}

fn chunk(id: &[u8; 4], body: &[u8]) -> Vec<u8> {
    sized(id, body.len() as u32, body)
}

fn wav(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = [b"WAVE".to_vec(), chunks.concat()].concat();
    chunk(b"RIFF", &body)
}

/// Returns a chunk with a second of silence at 8 kHz. The test adds the fault before or after it.
fn silence() -> Vec<u8> {
    chunk(b"data", &[0; 16_000])
}

fn usual() -> Vec<u8> {
    chunk(b"fmt ", &fmt(1, 8000, 2, 16))
}

#[test]
fn four_billion_frames_in_the_header() {
    let ds64 = [
        u64::MAX.to_le_bytes(),
        (1u64 << 33).to_le_bytes(),
        (1u64 << 32).to_le_bytes(),
    ];
    let ds64 = chunk(b"ds64", &[ds64.concat(), vec![0; 4]].concat());
    let data = sized(b"data", u32::MAX, &[0; 4000]);
    let mut file = wav(&[ds64, usual(), data]);
    file[..4].copy_from_slice(b"RF64");
    stretch("any.wav", &file).fails_with("truncated");
}

#[test]
fn as_many_channels_as_the_header_can_say() {
    let fmt = chunk(b"fmt ", &fmt(u16::MAX, 8000, u16::MAX, 8));
    stretch("any.wav", &wav(&[fmt, silence()])).fails_with("over-limit");
}

#[test]
fn no_sample_rate() {
    let fmt = chunk(b"fmt ", &fmt(1, 0, 2, 16));
    stretch("any.wav", &wav(&[fmt, silence()])).fails_with("not-audio");
}

#[test]
fn a_sample_rate_of_four_gigahertz() {
    let fmt = chunk(b"fmt ", &fmt(1, u32::MAX, 2, 16));
    stretch("any.wav", &wav(&[fmt, silence()])).fails_with("over-limit");
}

#[test]
fn frames_of_no_bytes() {
    let fmt = chunk(b"fmt ", &fmt(1, 8000, 0, 0));
    stretch("any.wav", &wav(&[fmt, silence()])).fails_with("not-audio");
}

#[test]
fn adpcm_in_blocks_of_64_kilobytes() {
    let mut adpcm = fmt(1, 8000, u16::MAX, 4);
    adpcm[0] = 0x11;
    adpcm.extend([2, 0, 0xff, 0xff]);
    let told = stretch("any.wav", &wav(&[chunk(b"fmt ", &adpcm), silence()]));
    told.fails_with("empty");
}

#[test]
fn chunks_of_four_gigabytes_behind_the_audio() {
    let huge = [b"LIST", b"cue ", b"bext", b"smpl", b"id3 "].map(|id| sized(id, u32::MAX, b"INFO"));
    stretch("any.wav", &wav(&[usual(), silence(), huge.concat()])).is_done(8000);
}

#[test]
fn cue_points_by_the_billion() {
    let cue = chunk(
        b"cue ",
        &[u32::MAX.to_le_bytes().to_vec(), vec![1; 2400]].concat(),
    );
    let label = sized(b"labl", u32::MAX, &[1, 0, 0, 0]);
    let list = chunk(b"LIST", &[b"adtl".to_vec(), label].concat());
    let loops = [vec![0; 28], u32::MAX.to_le_bytes().to_vec(), vec![0; 28]].concat();
    let smpl = chunk(b"smpl", &loops);
    stretch("any.wav", &wav(&[usual(), silence(), cue, list, smpl])).is_done(8000);
}

#[test]
fn half_a_million_chunks_of_nothing() {
    let nothing = chunk(b"nil ", &[]).repeat(500_000);
    let told = stretch("any.wav", &wav(&[usual(), silence(), nothing.clone()]));
    told.is_done(8000);
    stretch("any.wav", &wav(&[nothing, usual(), silence()])).fails_with("not-audio");
}

#[test]
fn half_a_million_fields() {
    let fields = (0..500_000u32).flat_map(|n| {
        let id = [
            b'I',
            b'A' + (n / 676 % 26) as u8,
            b'A' + (n / 26 % 26) as u8,
            b'A' + (n % 26) as u8,
        ];
        chunk(&id, b"a\0")
    });
    let list = chunk(b"LIST", &[b"INFO".to_vec(), fields.collect()].concat());
    stretch("any.wav", &wav(&[usual(), silence(), list])).is_done(8000);
}

#[test]
fn lists_within_lists() {
    let mut list = chunk(b"LIST", b"INFO");
    for _ in 0..5000 {
        list = chunk(b"LIST", &[b"INFO".to_vec(), list].concat());
    }
    stretch("any.wav", &wav(&[usual(), silence(), list])).is_done(8000);
}

#[test]
fn a_second_more_than_is_allowed() {
    let data = chunk(b"data", &vec![0; 16_000 * 3]);
    let file = wav(&[usual(), data]);
    let told = stretch_with("any.wav", &file, &["--max-duration-per-file", "2s"]);
    told.fails_with("too-long");
    stretch_with("any.wav", &file, &["--max-duration-per-file", "3s"]).is_done(24_000);
}

/// Returns an AIFF file of 16-bit samples.
fn aiff(channels: i16, frames: u32, rate: [u8; 10], data_size: u32) -> Vec<u8> {
    aiff_of(channels, frames, rate, data_size, &[])
}

/// Returns an AIFF file with more chunks before the samples.
pub(super) fn aiff_with(frames: u32, rate: [u8; 10], chunks: &[u8]) -> Vec<u8> {
    aiff_of(1, frames, rate, 16_008, chunks)
}

fn aiff_of(channels: i16, frames: u32, rate: [u8; 10], data_size: u32, chunks: &[u8]) -> Vec<u8> {
    let mut comm = channels.to_be_bytes().to_vec();
    comm.extend(frames.to_be_bytes());
    comm.extend(16u16.to_be_bytes());
    comm.extend(rate);
    let sized = |id: &[u8; 4], size: u32, body: &[u8]| [id, &size.to_be_bytes()[..], body].concat();
    let sound = sized(b"SSND", data_size, &[0; 16_008]);
    let body = [
        b"AIFF".to_vec(),
        sized(b"COMM", 18, &comm),
        chunks.to_vec(),
        sound,
    ]
    .concat();
    sized(b"FORM", body.len() as u32, &body)
}

/// The sample rate 8000 as an 80-bit float.
pub(super) const RATE: [u8; 10] = [0x40, 0x0b, 0xfa, 0, 0, 0, 0, 0, 0, 0];

#[test]
fn negative_sizes() {
    stretch("any.aiff", &aiff(1, 8000, RATE, 16_008)).is_done(8000);
    let told = stretch("any.aiff", &aiff(-1, u32::MAX, RATE, u32::MAX));
    told.fails_with("not-audio");
    // As a program writes it that does not know the size yet.
    let told = stretch("any.aiff", &aiff(1, u32::MAX, RATE, u32::MAX));
    told.is_done(8000);
}

#[test]
fn a_sample_rate_that_is_not_a_number() {
    stretch("any.aiff", &aiff(1, 8000, [0xff; 10], 16_008)).fails_with("not-audio");
    let told = stretch("any.aiff", &aiff(1, 8000, [0x7f; 10], 16_008));
    told.fails_with("not-audio");
}

/// Returns a CAF file with a description, a packet table and four kilobytes of data.
fn caf(format: &[u8; 4], numbers: [u32; 4], table: [i64; 2], rest: &[u8]) -> Vec<u8> {
    let chunk =
        |id: &[u8; 4], body: &[u8]| [id, &(body.len() as u64).to_be_bytes()[..], body].concat();
    let mut desc = 8000f64.to_be_bytes().to_vec();
    desc.extend(format);
    desc.extend(0u32.to_be_bytes());
    desc.extend(numbers.map(u32::to_be_bytes).concat());
    desc.extend(16u32.to_be_bytes());
    desc.truncate(32);
    let pakt = [
        table.map(i64::to_be_bytes).concat(),
        vec![0; 8],
        rest.to_vec(),
    ]
    .concat();
    let data = chunk(b"data", &[0; 4004]);
    let chunks = [chunk(b"desc", &desc), chunk(b"pakt", &pakt), data];
    [b"caff\0\x01\0\0".to_vec(), chunks.concat()].concat()
}

#[test]
fn a_packet_table_without_end() {
    // Packets of variable size; packets of constant size and variable length.
    for numbers in [[0, 0, 2, 16], [0, 4096, 2, 16], [4, 0, 2, 16]] {
        let file = caf(b"alac", numbers, [i64::MAX, i64::MAX], &[0xff; 900_000]);
        let told = stretch("any.wav", &file);
        told.fails();
    }
}

#[test]
fn packets_of_four_billion_frames() {
    let file = caf(b"ima4", [u32::MAX, u32::MAX, u32::MAX, 16], [0, 0], &[]);
    let told = stretch("any.wav", &file);
    told.fails();
    let file = caf(b"ima4", [34, 1 << 31, 2, 16], [0, 0], &[]);
    let told = stretch("any.wav", &file);
    told.fails();
}
