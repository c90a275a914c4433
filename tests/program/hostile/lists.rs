//! Lists of millions of items within one tag, block or line.

use crate::hostile::boxes::{mp4, mp4_box, tables};
use crate::hostile::streams::{mp3, page, silent_flac};
use crate::hostile::tags::{is_played_after, syncsafe, tag, whole};
use crate::hostile::{stretch, stretch_files};

#[test]
fn a_table_of_contents_of_half_a_million_entries() {
    let id = "q".repeat(200_000);
    let count = 510_000;
    let entries = [&[0, 3, (count % 256) as u8], "a\0".repeat(count).as_bytes()].concat();
    let contents = whole(b"CTOC", &[id.as_bytes(), &entries].concat());
    let chapter = whole(b"CHAP", &[&b"a\0"[..], &[0; 16]].concat());
    let body = [contents, chapter].concat();
    is_played_after(&tag(3, 0, body.len(), &body));
}

#[test]
fn ten_million_values_in_a_frame() {
    for frame in [b"TPE1", b"TIPL", b"SYLT", b"ETCO", b"RVA2"] {
        let values = [&[0][..], &b"a\0".repeat(10_000_000)].concat();
        let size = syncsafe(values.len());
        let body = [&frame[..], &size, &[0, 0], &values].concat();
        is_played_after(&tag(4, 0, body.len(), &body));
    }
}

#[test]
fn compressed_frames_are_left_out() {
    let compressed = |flag: u8| [&b"TIT2\0\0\0\x04\0"[..], &[flag], b"\0\0\0\xff"].concat();
    for (version, flag) in [(3, 0x80), (4, 0x09)] {
        let body = compressed(flag);
        let start = tag(version, 0, body.len(), &body);
        let told = stretch("any.mp3", &[start, mp3(20)].concat());
        told.warns("tags-damaged");
    }
}

#[test]
fn brackets_that_never_close() {
    let audio = silent_flac(2, 2 * 65_535);
    let lyrics = format!("[00:01.00]x\n{}", "[".repeat(1_000_000));
    stretch_files(&[("a.flac", &audio), ("a.lrc", lyrics.as_bytes())], &[]).is_done(2 * 65_535);
    let cue = "WEBVTT\n\n00:00.100 --> 00:00.200\n";
    let subtitles = format!("{cue}{}", "<".repeat(1_000_000));
    stretch_files(&[("a.flac", &audio), ("a.vtt", subtitles.as_bytes())], &[]).is_done(2 * 65_535);
}

#[test]
fn a_hundred_thousand_streams_side_by_side() {
    let streams = (0..100_000).flat_map(|_| page(2, 0, 0, &[1], b"x"));
    let streams: Vec<u8> = streams.collect();
    stretch("any.ogg", &streams).fails_with("unreadable");
}

#[test]
fn a_million_blocks_of_flac() {
    for block in [&b"\x02\0\0\x04abcd"[..], b"\x01\0\0\0", b"\x04\0\0\0"] {
        let mut file = silent_flac(2, 2 * 65_535);
        file[4] = 0;
        let last = [0x81, 0, 0, 0];
        file.splice(42..42, [block.repeat(1_000_000), last.to_vec()].concat());
        stretch("any.flac", &file).fails_with("unreadable");
    }
}

#[test]
fn a_seek_table_in_reverse() {
    let mut file = silent_flac(2, 2 * 65_535);
    file[4] = 0;
    let point = |number: u64| [&number.to_be_bytes()[..], &[0; 10]].concat();
    let points: Vec<u8> = (0..900_000).rev().flat_map(point).collect();
    let size = &(points.len() as u32).to_be_bytes()[1..];
    file.splice(42..42, [&[0x83], size, &points].concat());
    stretch("any.flac", &file).is_done(2 * 65_535);
}

#[test]
fn a_fragment_of_a_million_runs() {
    let runs = mp4_box(b"trun", &[0, 0, 0, 0, 0, 0, 0, 1]).repeat(1_000_000);
    let fragment = mp4_box(b"moof", &mp4_box(b"traf", &runs));
    stretch("any.wav", &[mp4(&tables(), &[]), fragment].concat()).fails_with("unreadable");
}
