//! MP4 and Matroska: nested structures.

use crate::hostile::stretch;

fn sized(name: &[u8; 4], size: u32, body: &[u8]) -> Vec<u8> {
    [&size.to_be_bytes()[..], name, body].concat()
}

pub(super) fn mp4_box(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    sized(name, body.len() as u32 + 8, body)
}

fn full(name: &[u8; 4], numbers: &[u32]) -> Vec<u8> {
    let numbers: Vec<u8> = numbers.iter().flat_map(|n| n.to_be_bytes()).collect();
    mp4_box(name, &[vec![0; 4], numbers].concat())
}

/// Returns an MP4 file of 16-bit PCM with the given tables and user data.
pub(super) fn mp4(tables: &[Vec<u8>], user_data: &[u8]) -> Vec<u8> {
    let mut entry = [0; 28].to_vec();
    entry[7] = 1;
    entry[17] = 1;
    entry[19] = 16;
    entry[24..26].copy_from_slice(&8000u16.to_be_bytes());
    let stsd = [vec![0, 0, 0, 0, 0, 0, 0, 1], mp4_box(b"sowt", &entry)].concat();
    let stbl = [mp4_box(b"stsd", &stsd), tables.concat()].concat();
    let minf = [full(b"smhd", &[0]), mp4_box(b"stbl", &stbl)].concat();
    let mdhd = full(b"mdhd", &[0, 0, 8000, 8000, 0x55c4_0000]);
    let hdlr = full(b"hdlr", &[0, u32::from_be_bytes(*b"soun"), 0, 0, 0, 0]);
    let mdia = [mdhd, hdlr, mp4_box(b"minf", &minf)].concat();
    let tkhd = full(
        b"tkhd",
        &[
            0, 0, 1, 0, 8000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ],
    );
    let trak = [tkhd, mp4_box(b"mdia", &mdia)].concat();
    let mut mvhd = [0; 24].to_vec();
    mvhd[2] = 8000;
    mvhd[3] = 8000;
    let mvhd = full(b"mvhd", &mvhd);
    let moov = [mvhd, mp4_box(b"trak", &trak), user_data.to_vec()].concat();
    let start = [
        mp4_box(b"ftyp", b"qt  \0\0\0\0qt  "),
        mp4_box(b"mdat", &[0; 8000]),
    ];
    [start.concat(), mp4_box(b"moov", &moov)].concat()
}

/// Returns tables for 4000 samples in one chunk.
pub(super) fn tables() -> [Vec<u8>; 4] {
    [
        full(b"stts", &[1, 4000, 1]),
        full(b"stsc", &[1, 1, 4000, 1]),
        full(b"stsz", &[2, 4000]),
        full(b"stco", &[1, 28]),
    ]
}

pub(super) fn is_harmless(file: &[u8]) {
    let told = stretch("any.wav", file);
    assert!(["done", "failed"].contains(&told.report["status"].as_str().unwrap()));
}

#[test]
fn a_usual_mp4_file_is_right() {
    stretch("any.wav", &mp4(&tables(), &[])).is_done(4000);
}

#[test]
fn samples_by_the_billion() {
    let [_, _, _, stco] = tables();
    let stts = full(b"stts", &[1, u32::MAX, 1]);
    let stsc = full(b"stsc", &[1, 1, u32::MAX, 1]);
    let stsz = full(b"stsz", &[2, u32::MAX]);
    let told = stretch("any.wav", &mp4(&[stts, stsc, stsz, stco], &[]));
    told.fails();
}

#[test]
fn tables_that_claim_billions_of_entries() {
    let claim = |name| full(name, &[u32::MAX, 1, 1, 1]);
    for at in 0..4 {
        let mut tables = tables();
        tables[at] = match at {
            2 => full(b"stsz", &[0, u32::MAX, 2, 2]),
            at => claim([b"stts", b"stsc", b"stsz", b"stco"][at]),
        };
        stretch("any.wav", &mp4(&tables, &[])).fails_with("not-audio");
    }
}

#[test]
fn samples_of_four_gigabytes() {
    let [_, _, _, stco] = tables();
    let stts = full(b"stts", &[1, 2, 4000]);
    let stsc = full(b"stsc", &[1, 1, 2, 1]);
    let stsz = full(b"stsz", &[0, 2, u32::MAX, u32::MAX]);
    let told = stretch("any.wav", &mp4(&[stts, stsc, stsz, stco], &[]));
    told.fails();
}

#[test]
fn boxes_within_boxes() {
    for name in [b"moov", b"trak", b"udta", b"meta", b"wave"] {
        let nested = (1..=20_000)
            .rev()
            .flat_map(|depth| sized(name, 8 * depth, &[]));
        is_harmless(&mp4(&tables(), &nested.collect::<Vec<u8>>()));
    }
}

#[test]
fn a_picture_of_four_gigabytes() {
    let data = sized(b"data", u32::MAX, &[0, 0, 0, 13, 0, 0, 0, 0, 0xff, 0xd8]);
    let ilst = mp4_box(b"ilst", &sized(b"covr", u32::MAX, &data));
    let meta = mp4_box(b"meta", &[vec![0; 4], ilst].concat());
    is_harmless(&mp4(&tables(), &mp4_box(b"udta", &meta)));
}

#[test]
fn a_million_chapters_in_one_place() {
    // A text track whose samples are all the same byte, in this many chunks.
    let text = |offsets: u32| {
        let chunks: Vec<u32> = [offsets]
            .into_iter()
            .chain((0..offsets).map(|_| 28))
            .collect();
        let tables = [
            full(b"stts", &[1, u32::MAX, 1]),
            full(b"stsc", &[1, 1, u32::MAX, 1]),
            full(b"stsz", &[1, u32::MAX]),
            full(b"stco", &chunks),
        ];
        let stsd = full(b"stsd", &[0]);
        let stbl = mp4_box(b"stbl", &[stsd, tables.concat()].concat());
        let mdhd = full(b"mdhd", &[0, 0, 1000, 1000, 0x55c4_0000]);
        let hdlr = full(b"hdlr", &[0, u32::from_be_bytes(*b"text"), 0, 0, 0, 0]);
        let mdia = [mdhd, hdlr, mp4_box(b"minf", &stbl)].concat();
        let tkhd = full(
            b"tkhd",
            &[
                0, 0, 2, 0, 8000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            ],
        );
        let tref = mp4_box(b"tref", &mp4_box(b"chap", &2u32.to_be_bytes()));
        mp4_box(b"trak", &[tkhd, tref, mp4_box(b"mdia", &mdia)].concat())
    };
    is_harmless(&mp4(&tables(), &text(1000)));
}

/// Returns an element with its size in eight bytes.
pub(super) fn element(id: &[u8], body: &[u8]) -> Vec<u8> {
    let size = (body.len() as u64 | 1 << 56).to_be_bytes();
    [id, &size, body].concat()
}

fn unknown(id: &[u8]) -> Vec<u8> {
    [id, &[0x01], &[0xff; 7]].concat()
}

const EBML: &[u8] = &[0x1a, 0x45, 0xdf, 0xa3];
const SEGMENT: &[u8] = &[0x18, 0x53, 0x80, 0x67];
const TRACKS: &[u8] = &[0x16, 0x54, 0xae, 0x6b];
const TRACK: &[u8] = &[0xae];
pub(super) const CLUSTER: &[u8] = &[0x1f, 0x43, 0xb6, 0x75];
const CHAPTERS: &[u8] = &[0x10, 0x43, 0xa7, 0x70];
const EDITION: &[u8] = &[0x45, 0xb9];
const CHAPTER: &[u8] = &[0xb6];

/// Returns a Matroska file with half a second of 16-bit PCM, preceded by the given elements.
pub(super) fn mkv(before: &[u8]) -> Vec<u8> {
    let header = element(EBML, &element(&[0x42, 0x82], b"matroska"));
    let audio = [
        element(&[0xb5], &8000f64.to_be_bytes()),
        element(&[0x9f], &[1]),
        element(&[0x62, 0x64], &[16]),
    ];
    let track = [
        element(&[0xd7], &[1]),
        element(&[0x73, 0xc5], &[1]),
        element(&[0x83], &[2]),
        element(&[0x86], b"A_PCM/INT/LIT"),
        element(&[0xe1], &audio.concat()),
    ];
    let tracks = element(TRACKS, &element(TRACK, &track.concat()));
    let info = [
        element(&[0x2a, 0xd7, 0xb1], &[0x0f, 0x42, 0x40]),
        element(&[0x4d, 0x80], b"muxer"),
        element(&[0x57, 0x41], b"writer"),
    ];
    let info = element(&[0x15, 0x49, 0xa9, 0x66], &info.concat());
    let block = element(&[0xa3], &[vec![0x81, 0, 0, 0x80], vec![0; 8000]].concat());
    let cluster = element(CLUSTER, &[element(&[0xe7], &[0]), block].concat());
    let segment = [info, tracks, before.to_vec(), cluster].concat();
    [header, element(SEGMENT, &segment)].concat()
}

#[test]
fn a_usual_matroska_file_is_right() {
    stretch("any.wav", &mkv(&[])).is_done(4000);
}

#[test]
fn elements_within_elements() {
    for id in [SEGMENT, TRACKS, CLUSTER, CHAPTERS, &[0xa0]] {
        let len = id.len() as u64 + 8;
        let nested = (0..20_000).rev().flat_map(|depth: u64| {
            let size = ((len * depth) | (1 << 56)).to_be_bytes();
            [id, &size].concat()
        });
        is_harmless(&mkv(&nested.collect::<Vec<u8>>()));
    }
}

#[test]
fn elements_of_unknown_size_within_each_other() {
    for id in [SEGMENT, TRACKS, TRACK, CLUSTER, CHAPTERS] {
        is_harmless(&mkv(&unknown(id).repeat(50_000)));
    }
}

#[test]
fn chapters_within_chapters() {
    let mut chapters = element(CHAPTER, &element(&[0x91], &[1]));
    for _ in 0..3000 {
        let start = element(&[0x91], &[1]);
        chapters = element(CHAPTER, &[start, chapters].concat());
    }
    let all = element(CHAPTERS, &element(EDITION, &chapters));
    stretch("any.wav", &mkv(&all)).is_done(4000);
}

#[test]
fn a_million_tracks_and_lists_of_chapters() {
    is_harmless(&mkv(&element(TRACKS, &[0xae, 0x80].repeat(500_000))));
    is_harmless(&mkv(&[0x10, 0x43, 0xa7, 0x70, 0x80].repeat(200_000)));
}

#[test]
fn a_block_of_more_than_the_file_holds() {
    let mut file = mkv(&[]);
    let at = file
        .windows(2)
        .rposition(|pair| pair == [0xa3, 0x01])
        .unwrap();
    file[at + 1..at + 9].copy_from_slice(&[0x01, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    let told = stretch("any.wav", &file);
    told.fails();
}
