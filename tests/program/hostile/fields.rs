//! Millions of small items, each of which takes a reader much more memory than its bytes.

use crate::hostile::boxes::{CLUSTER, element, is_harmless, mkv, mp4, mp4_box, tables};
use crate::hostile::chunks::{RATE, aiff_with};
use crate::hostile::streams::mp3;
use crate::hostile::stretch;

/// How many bytes of them a file has. If a value were created for each item, the memory limit would
/// be exceeded.
const BYTES: usize = 24 << 20;

fn many(one: &[u8]) -> Vec<u8> {
    one.repeat(BYTES / one.len())
}

#[test]
fn a_million_fields_of_mp4() {
    let data = mp4_box(b"data", &[0, 0, 0, 1, 0, 0, 0, 0, b'x']);
    let fields = mp4_box(b"ilst", &many(&mp4_box(b"\xa9ART", &data)));
    let meta = mp4_box(b"meta", &[vec![0; 4], fields].concat());
    let told = stretch("any.wav", &mp4(&tables(), &mp4_box(b"udta", &meta)));
    told.is_done(4000);
    told.warns("tags-unreadable");
}

#[test]
fn a_million_boxes_of_mp4() {
    let boxes = many(&mp4_box(b"free", &[]));
    stretch("any.wav", &mp4(&tables(), &boxes)).fails_with("unreadable");
    let behind = [mp4(&tables(), &[]), boxes].concat();
    stretch("any.wav", &behind).is_done(4000);
}

#[test]
fn a_million_chunks_of_aiff() {
    let note = b"ANNO\0\0\0\x02xy";
    let told = stretch("any.aiff", &aiff_with(8000, RATE, &many(note)));
    told.fails_with("unreadable");
    stretch("any.aiff", &aiff_with(8000, RATE, &note.repeat(9000))).is_done(8000);
}

#[test]
fn what_follows_the_form_of_aiff_is_no_part_of_it() {
    let whole = aiff_with(8000, RATE, &[]);
    let odd = [&b"ANNO\0\0\0\x05"[..], b"words"].concat();
    let mut unpadded = [&whole[..], &odd].concat();
    let size = unpadded.len() as u32 - 8;
    unpadded[4..8].copy_from_slice(&size.to_be_bytes());
    stretch("any.aiff", &unpadded).is_done(8000);
    for behind in [&[0; 1][..], &[0; 512], &[b'x'; 128], &[0; 200_000]] {
        stretch("any.aiff", &[&unpadded, behind].concat()).is_done(8000);
    }
}

#[test]
fn a_million_tags_of_matroska() {
    let text = [element(&[0x45, 0xa3], b"A"), element(&[0x44, 0x87], b"x")];
    let field = element(&[0x67, 0xc8], &text.concat());
    let tags = |fields: &[u8]| {
        let target = element(&[0x63, 0xc0], &[]);
        let tag = element(&[0x73, 0x73], &[&target, fields].concat());
        element(&[0x12, 0x54, 0xc3, 0x67], &tag)
    };
    let told = stretch("any.wav", &mkv(&tags(&many(&field))));
    told.is_done(4000);
    told.warns("tags-too-large");
    // The same bytes, divided into fifty parts.
    let part = tags(&field.repeat(BYTES / 50 / field.len()));
    stretch("any.wav", &mkv(&part.repeat(50))).is_done(4000);
}

#[test]
fn a_million_entries_in_tables_of_matroska() {
    let place = [element(&[0xf7], &[1]), element(&[0xf1], &[0])].concat();
    let cue = [element(&[0xb3], &[0]), element(&[0xb7], &place)].concat();
    let cues = element(&[0x1c, 0x53, 0xbb, 0x6b], &many(&element(&[0xbb], &cue)));
    stretch("any.wav", &mkv(&cues)).is_done(4000);

    let file = element(&[0x61, 0xa7], &element(&[0x46, 0x6e], b"a"));
    let files = element(&[0x19, 0x41, 0xa4, 0x69], &many(&file));
    stretch("any.wav", &mkv(&files)).fails_with("unreadable");
    let files = element(&[0x19, 0x41, 0xa4, 0x69], &file.repeat(2000));
    stretch("any.wav", &mkv(&files)).is_done(4000);

    let place = [
        element(&[0x53, 0xab], CLUSTER),
        element(&[0x53, 0xac], &[0]),
    ];
    let seek = element(&[0x4d, 0xbb], &place.concat());
    let seeks = element(&[0x11, 0x4d, 0x9b, 0x74], &many(&seek));
    stretch("any.wav", &mkv(&seeks)).is_done(4000);

    let numbers = [element(&[0xd7], &[9]), element(&[0x73, 0xc5], &[9])];
    let track = element(&[0xae], &numbers.concat());
    is_harmless(&mkv(&element(&[0x16, 0x54, 0xae, 0x6b], &many(&track))));
    is_harmless(&mkv(&many(&[0xec, 0x80])));
}

#[test]
fn a_million_items_of_ape() {
    let item = |number: usize| {
        let key = format!("{number:06}\0");
        [&[1, 0, 0, 0, 0, 0, 0, 0], key.as_bytes(), b"x"].concat()
    };
    let count = BYTES / item(0).len();
    let items: Vec<u8> = (0..count).flat_map(item).collect();
    let head = |flags: u8| {
        let mut head = b"APETAGEX".to_vec();
        head.extend(2000u32.to_le_bytes());
        head.extend((items.len() as u32 + 32).to_le_bytes());
        head.extend((count as u32).to_le_bytes());
        head.extend([0, 0, 0, flags, 0, 0, 0, 0, 0, 0, 0, 0]);
        head
    };
    let behind = [mp3(20), head(0xa0), items.clone(), head(0x80)].concat();
    let told = stretch("any.mp3", &behind);
    assert_eq!(told.report["status"], "done", "{}", told.report);
    told.warns("tags-unreadable");
    let id3v1 = [&b"TAG"[..], &[b' '; 125]].concat();
    let before_id3v1 = [behind, id3v1].concat();
    assert_eq!(stretch("any.mp3", &before_id3v1).report["status"], "done");
    let at_the_start = [head(0xa0), items.clone(), head(0x80), mp3(20)].concat();
    assert_eq!(stretch("any.mp3", &at_the_start).report["status"], "done");
}
