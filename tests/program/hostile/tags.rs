//! Tags before, within and after the audio.

use crate::hostile::streams::mp3;
use crate::hostile::stretch;

/// The number of frames of [`mp3`], which are about half a second of audio.
const FRAMES: usize = 20;

pub(super) fn syncsafe(size: usize) -> [u8; 4] {
    [21, 14, 7, 0].map(|shift| (size >> shift & 0x7f) as u8)
}

pub(super) fn tag(version: u8, flags: u8, size: usize, body: &[u8]) -> Vec<u8> {
    [&b"ID3"[..], &[version, 0, flags], &syncsafe(size), body].concat()
}

fn frame(id: &[u8; 4], size: u32, body: &[u8]) -> Vec<u8> {
    [id, &size.to_be_bytes()[..], &[0, 0], body].concat()
}

pub(super) fn whole(id: &[u8; 4], body: &[u8]) -> Vec<u8> {
    frame(id, body.len() as u32, body)
}

pub(super) fn is_played_after(start: &[u8]) {
    let told = stretch("any.mp3", &[start, &mp3(FRAMES)].concat());
    assert_eq!(told.report["status"], "done", "{}", told.report);
    let seconds = told.report["source"]["seconds"].as_f64().unwrap();
    assert!((0.4..0.6).contains(&seconds), "{seconds}");
}

#[test]
fn a_tag_of_256_megabytes() {
    is_played_after(&tag(3, 0, (1 << 28) - 1, &whole(b"TIT2", b"\0One")));
    // Unsynchronised, with an extended header and a footer.
    is_played_after(&tag(4, 0xd0, (1 << 28) - 1, &[0xff, 0, 0xff, 0, 0xff, 0]));
    is_played_after(&tag(3, 0xc0, 1000, &[&[0xff; 4][..], &[0; 996]].concat()));
}

#[test]
fn frames_of_four_gigabytes_in_a_tag() {
    for id in [b"APIC", b"TIT2", b"CHAP", b"SYLT", b"GEOB"] {
        let body = frame(id, u32::MAX, b"\0image/png\0\x03\0\x89PNG");
        is_played_after(&tag(3, 0, body.len(), &body));
        is_played_after(&tag(4, 0, body.len(), &body));
    }
}

#[test]
fn chapters_that_contain_themselves() {
    let contents = |id: &str, entries: &[&str]| {
        let mut body = [id.as_bytes(), &[0, 3, entries.len() as u8]].concat();
        for entry in entries {
            body.extend([entry.as_bytes(), &[0]].concat());
        }
        whole(b"CTOC", &body)
    };
    let tables = [
        contents("a", &["b", "a", "c"]),
        contents("b", &["a", "b"]),
        contents("c", &["c"; 255]),
    ];
    let body = tables.concat();
    is_played_after(&tag(3, 0, body.len(), &body));
    let mut nested = whole(b"TIT2", b"\0One");
    for _ in 0..2000 {
        nested = whole(b"CHAP", &[&b"a\0"[..], &[0; 16], &nested].concat());
    }
    is_played_after(&tag(3, 0, nested.len(), &nested));
}

#[test]
fn a_hundred_thousand_chapters() {
    let chapters = (0..100_000u32).map(|number| {
        let times = [number, number + 1, u32::MAX, u32::MAX]
            .map(u32::to_be_bytes)
            .concat();
        whole(
            b"CHAP",
            &[number.to_string().as_bytes(), &[0], &times].concat(),
        )
    });
    let body: Vec<u8> = chapters.flatten().collect();
    is_played_after(&tag(3, 0, body.len(), &body));
}

#[test]
fn tags_behind_tags() {
    let body = whole(b"TXXX", b"\0key\0value");
    is_played_after(&tag(3, 0, body.len(), &body).repeat(20_000));
    is_played_after(&tag(3, 0, 0, &[]).repeat(100_000));
}

#[test]
fn an_ape_tag_that_is_larger_than_its_file() {
    let ape = |size: u32, items: u32, body: &[u8]| {
        let mut footer = b"APETAGEX\xd0\x07\0\0".to_vec();
        footer.extend(size.to_le_bytes());
        footer.extend(items.to_le_bytes());
        footer.extend([0; 12]);
        [body, &footer].concat()
    };
    let item = [&u32::MAX.to_le_bytes()[..], &[0; 4], b"Title\0abc"].concat();
    for end in [
        ape(u32::MAX, u32::MAX, &item),
        ape(32, u32::MAX, &[]),
        ape(32 + item.len() as u32, 1, &item),
        ape(0, 1, &item),
    ] {
        let told = stretch("any.mp3", &[mp3(FRAMES), end].concat());
        assert_eq!(told.report["status"], "done", "{}", told.report);
    }
}

#[test]
fn lyrics_with_a_million_times() {
    let times = b"a\0\0\0\0\x01".repeat(300_000);
    let body = whole(b"SYLT", &[&b"\0eng\x02\x01\0"[..], &times].concat());
    is_played_after(&tag(3, 0, body.len(), &body));
}
