//! FLAC, Ogg and MP3: streams of frames.

use crate::hostile::stretch;

/// Bits, the most significant first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    fn put(&mut self, value: u64, bits: u32) -> &mut Self {
        for bit in (0..bits).rev() {
            if self.count.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= ((value >> bit & 1) as u8) << (7 - self.count % 8);
            self.count += 1;
        }
        self
    }
}

pub(super) fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ byte, |crc: u8, _| (crc << 1) ^ ((crc >> 7) * 0x07))
    })
}

pub(super) fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ u16::from(byte) << 8, |crc: u16, _| {
            (crc << 1) ^ ((crc >> 15) * 0x8005)
        })
    })
}

/// Returns a FLAC file of silence at 8 kHz in blocks of the largest size, which take a few bytes
/// for eight seconds. The header declares `total` frames.
pub(super) fn silent_flac(blocks: u32, total: u64) -> Vec<u8> {
    let mut info = Bits::default();
    info.put(65_535, 16).put(65_535, 16).put(0, 24).put(0, 24);
    info.put(8000, 20).put(0, 3).put(15, 5).put(total, 36);
    let mut file = b"fLaC\x80\0\0\x22".to_vec();
    file.extend(info.bytes);
    file.resize(8 + 34, 0);
    for number in 0..blocks {
        // The frame number, encoded like UTF-8.
        let number = match number {
            0..0x80 => vec![number as u8],
            0x80..0x800 => vec![0xc0 | (number >> 6) as u8, 0x80 | (number & 0x3f) as u8],
            _ => vec![
                0xe0 | (number >> 12) as u8,
                0x80 | (number >> 6 & 0x3f) as u8,
                0x80 | (number & 0x3f) as u8,
            ],
        };
        // Fixed block size, stored in 16 bits after the number; 8 kHz; one channel of 16 bits.
        let mut frame = [
            &[0xff, 0xf8, 0x74, 0x08][..],
            &number,
            &65_534u16.to_be_bytes(),
        ]
        .concat();
        frame.push(crc8(&frame));
        // A constant subframe.
        frame.extend([0, 0, 0]);
        frame.extend(crc16(&frame).to_be_bytes());
        file.extend(frame);
    }
    file
}

#[test]
fn days_of_silence_in_a_few_kilobytes_of_flac() {
    stretch("any.wav", &silent_flac(2, 2 * 65_535)).is_done(2 * 65_535);
    // Five hours, with an unknown length in the header, and then with the right one.
    stretch("any.wav", &silent_flac(2200, 0)).fails_with("too-long");
    stretch("any.wav", &silent_flac(2200, 2200 * 65_535)).fails_with("too-long");
}

#[test]
fn a_flac_file_of_two_to_the_36_frames() {
    stretch("any.wav", &silent_flac(2, (1 << 36) - 1)).fails_with("truncated");
}

#[test]
fn a_picture_that_claims_to_be_larger_than_its_block() {
    let mut picture = [3u32, u32::MAX].map(u32::to_be_bytes).concat();
    picture.extend(b"image/png");
    let mut file = silent_flac(2, 2 * 65_535);
    file[4] = 0;
    let block = [&[0x86, 0, 0, picture.len() as u8][..], &picture].concat();
    file.splice(42..42, block);
    stretch("any.wav", &file).is_done(2 * 65_535);
}

/// Returns a comment header with an empty vendor string and this many fields.
fn comments(count: u32) -> Vec<u8> {
    let mut comments = [0, count].map(u32::to_le_bytes).concat();
    for number in 0..count {
        let field = format!("KEY{number}=a");
        comments.extend((field.len() as u32).to_le_bytes());
        comments.extend(field.bytes());
    }
    comments
}

#[test]
fn half_a_million_comments() {
    for (count, is_kept) in [(20_000, true), (500_000, false)] {
        let comments = comments(count);
        let mut file = silent_flac(2, 2 * 65_535);
        file[4] = 0;
        let size = &(comments.len() as u32).to_be_bytes()[1..];
        file.splice(42..42, [&[0x84], size, &comments].concat());
        let told = stretch("any.wav", &file);
        told.is_done(2 * 65_535);
        let warnings = told.report["warnings"].as_array().unwrap();
        let is_warned = warnings
            .iter()
            .any(|warning| warning["code"] == "tags-unreadable");
        assert_eq!(is_warned, !is_kept, "{}", told.report);
    }
    let tags = [&b"OpusTags"[..], &comments(500_000)].concat();
    let laces = vec![255; 255];
    let body = &tags[..255 * 255];
    let head = [&b"OpusHead"[..], &MONO].concat();
    let pages = [packet(2, 0, 0, &head), page(0, 0, 1, &laces, body)];
    stretch("any.wav", &pages.concat()).fails_with("over-limit");
}

fn ogg_crc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte) << 24, |crc: u32, _| {
            (crc << 1) ^ ((crc >> 31) * 0x04c1_1db7)
        })
    })
}

/// Returns a page with the given segments, which need not end a packet.
pub(super) fn page(flags: u8, granule: u64, sequence: u32, laces: &[u8], body: &[u8]) -> Vec<u8> {
    let mut page = b"OggS\0".to_vec();
    page.push(flags);
    page.extend(granule.to_le_bytes());
    page.extend([1, 0, 0, 0]);
    page.extend(sequence.to_le_bytes());
    page.extend([0; 4]);
    page.push(laces.len() as u8);
    page.extend(laces);
    page.extend(body);
    let crc = ogg_crc(&page).to_le_bytes();
    page[22..26].copy_from_slice(&crc);
    page
}

/// Returns a page with one whole packet.
fn packet(flags: u8, granule: u64, sequence: u32, body: &[u8]) -> Vec<u8> {
    let mut laces = vec![255; body.len() / 255];
    laces.push((body.len() % 255) as u8);
    page(flags, granule, sequence, &laces, body)
}

fn opus(head: &[u8], more: &[Vec<u8>]) -> Vec<u8> {
    let head = [b"OpusHead".to_vec(), head.to_vec()].concat();
    let tags = b"OpusTags\0\0\0\0\0\0\0\0";
    [packet(2, 0, 0, &head), packet(0, 0, 1, tags), more.concat()].concat()
}

/// Version, one channel, no pre-skip, 48 kHz, no gain, channel mapping family 0.
const MONO: [u8; 11] = [1, 1, 0, 0, 0x80, 0xbb, 0, 0, 0, 0, 0];

/// A packet of 20 ms of silence.
const QUIET: [u8; 3] = [0x78, 0, 0];

#[test]
fn an_ogg_stream_whose_time_runs_away() {
    let times = [960, 1920, 1 << 40, 1 << 61, i64::MAX as u64 - 1];
    let pages = times.iter().zip(2..);
    let pages: Vec<_> = pages
        .map(|(&time, number)| packet(0, time, number, &QUIET))
        .collect();
    let told = stretch("any.wav", &opus(&MONO, &pages));
    let seconds = told.report["source"]["seconds"].as_f64();
    assert!(
        seconds.is_none_or(|seconds| seconds < 10.0),
        "{}",
        told.report
    );
}

#[test]
fn a_packet_without_end() {
    let body = [0; 255 * 255];
    let pages = (2..60).map(|number| page(1, u64::MAX, number, &[255; 255], &body));
    let told = stretch("any.wav", &opus(&MONO, &pages.collect::<Vec<_>>()));
    told.fails();
}

#[test]
fn an_ogg_stream_that_starts_anew_without_end() {
    let links = opus(&MONO, &[packet(4, 960, 2, &QUIET)]).repeat(3000);
    let told = stretch("any.wav", &links);
    assert_eq!(told.report["source"]["seconds"], 60.0, "{}", told.report);
}

#[test]
fn channel_maps_that_lead_nowhere() {
    let mapped = |channels: u8, family: u8, map: &[u8]| {
        let mut head = MONO.to_vec();
        head[1] = channels;
        head[10] = family;
        opus(&[&head, map].concat(), &[packet(4, 960, 2, &QUIET)])
    };
    for file in [
        mapped(255, 0, &[]),
        mapped(255, 255, &[255; 257]),
        mapped(0, 0, &[]),
        mapped(2, 1, &[1, 1, 200, 201]),
        mapped(8, 1, &[255, 255, 0, 1, 2, 3, 4, 5, 6, 7]),
        mapped(2, 2, &[0, 0, 0, 0]),
    ] {
        let told = stretch("any.wav", &file);
        told.fails();
    }
}

/// Bits, the least significant first.
#[derive(Default)]
struct VorbisBits(Bits);

impl VorbisBits {
    fn put(&mut self, value: u64, bits: u32) -> &mut Self {
        for bit in 0..bits {
            if self.0.count.is_multiple_of(8) {
                self.0.bytes.push(0);
            }
            let at = self.0.count % 8;
            *self.0.bytes.last_mut().unwrap() |= ((value >> bit & 1) as u8) << at;
            self.0.count += 1;
        }
        self
    }
}

#[test]
fn a_setup_header_that_asks_for_four_gigabytes() {
    for channels in [1, 6] {
        let mut setup = VorbisBits::default();
        setup.put(255, 8);
        for _ in 0..256 {
            // 131,072 entries of 32 numbers, all with code length 17 and the same value.
            setup.put(0x56_4342, 24).put(32, 16).put(131_072, 24);
            setup.put(1, 1).put(16, 5).put(131_072, 18);
            setup.put(1, 4).put(0, 32).put(0, 32).put(0, 4).put(0, 1);
            setup.put(0, 1);
        }
        let mut head = b"\x01vorbis\0\0\0\0".to_vec();
        head.push(channels);
        head.extend([0x40, 0x1f, 0, 0]);
        head.extend([0; 12]);
        head.extend([0xb8, 1]);
        let comment = b"\x03vorbis\0\0\0\0\0\0\0\0\x01";
        let setup = [b"\x05vorbis".to_vec(), setup.0.bytes].concat();
        let pages = [
            packet(2, 0, 0, &head),
            packet(0, 0, 1, comment),
            packet(0, 0, 2, &setup),
            packet(4, 960, 3, &[0; 20]),
        ];
        let told = stretch("any.wav", &pages.concat());
        told.fails();
    }
}

/// Returns empty frames of MPEG-1 layer III, 128 kbit/s at 44.1 kHz.
pub(super) fn mp3(frames: usize) -> Vec<u8> {
    let mut frame = vec![0xff, 0xfb, 0x90, 0xc0];
    frame.resize(417, 0);
    frame.repeat(frames)
}

#[test]
fn a_xing_header_of_four_billion_frames() {
    let mut file = mp3(20);
    file[21..33].copy_from_slice(b"Xing\0\0\0\x03\xff\xff\xff\xff");
    file[33..37].copy_from_slice(&[0xff; 4]);
    stretch("any.mp3", &file).fails_with("truncated");
}

#[test]
fn a_megabyte_that_might_be_the_start_of_a_frame() {
    for (name, start) in [("any.mp3", &b""[..]), ("any.mp3", b"ID3\x03\0\0\0\0\0\x0a")] {
        let mut file = start.to_vec();
        file.resize(file.len() + (1 << 20), 0xff);
        let told = stretch(name, &file);
        told.fails();
        // Every fourth byte starts a frame header, and others seem to follow each of these frames.
        let mut file = start.to_vec();
        file.extend(b"\xff\xfb\x10\xc0".repeat(1 << 18));
        let told = stretch(name, &file);
        assert!(told.report["status"].is_string());
    }
}
