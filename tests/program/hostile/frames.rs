//! Frames and fragments that take long to examine, or that expand to much more than their size.

use crate::hostile::boxes::{is_harmless, mp4, mp4_box, tables};
use crate::hostile::streams::{crc8, crc16};
use crate::hostile::{stretch, stretch_with};

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|n| n.to_be_bytes()).collect()
}

#[test]
fn runs_that_claim_more_packets_than_they_hold() {
    let run = mp4_box(b"trun", &numbers(&[0x100, u32::MAX]));
    let runs = mp4_box(b"traf", &run.repeat(200_000));
    let fragment = [mp4_box(b"moof", &runs), mp4_box(b"mdat", &[0; 5_000_000])];
    is_harmless(&[mp4(&tables(), &[]), fragment.concat()].concat());
}

#[test]
fn a_million_runs_of_the_last_of_many_tracks() {
    for tracks in [900, 90_000] {
        let runs = mp4_box(b"trun", &numbers(&[0, 1])).repeat(200_000);
        let header = mp4_box(b"tfhd", &numbers(&[0, u32::MAX]));
        let fragment = mp4_box(b"moof", &mp4_box(b"traf", &[header, runs].concat()));
        let tracks = mp4_box(b"trak", &[]).repeat(tracks);
        is_harmless(&[mp4(&tables(), &tracks), fragment.repeat(4)].concat());
    }
}

/// Returns a FLAC file of 16 bits up to its first frame.
fn flac(rate: u32, channels: u8) -> Vec<u8> {
    let mut file = b"fLaC\x80\0\0\x22\xff\xff\xff\xff\0\0\0\0\0\0".to_vec();
    let packed = u64::from(rate) << 44 | u64::from(channels - 1) << 41 | 15 << 36;
    file.extend(packed.to_be_bytes());
    file.resize(8 + 34, 0);
    file
}

/// Returns the longest possible frame, silent, with some more bytes before its checksum.
fn frame(channels: u8, more: &[u8]) -> Vec<u8> {
    let mut frame = vec![0xff, 0xf8, 0x70, (channels - 1) << 4 | 8, 0, 0xff, 0xfe];
    frame.push(crc8(&frame));
    frame.extend([0, 0, 0].repeat(channels.into()));
    frame.extend(more);
    frame.extend(crc16(&frame).to_be_bytes());
    frame
}

#[test]
fn a_frame_that_might_end_in_a_million_places() {
    // The checksum stays valid, however many zeros follow.
    let zeros = vec![0; 4_000_000];
    let right = [flac(8000, 8), frame(8, &[]), zeros.clone()].concat();
    stretch("any.flac", &right).is_done(65_535);
    is_harmless(&[flac(8000, 8), frame(8, &[1]), zeros].concat());
}

#[test]
fn a_hertz_after_a_megahertz() {
    let file = |rate, channels| [flac(rate, channels), frame(channels, &[])].concat();
    let told = stretch("any.flac", &[file(384_000, 1), file(1, 1)].concat());
    told.fails_with("format-changes");
    let joined = [file(192_000, 8), file(8000, 8)].concat();
    let told = stretch_with("any.flac", &joined, &["--format", "wav"]);
    told.warns("format-changes");
}
