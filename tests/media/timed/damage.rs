//! Checks that broken tags never cost any audio.

use super::id3::{chapter, contents, frame, tag, text};
use super::*;

/// Returns a tag of many frames with a picture, followed by padding.
fn whole_tag() -> Vec<u8> {
    let picture = [
        b"\0image/jpeg\0\x03\0\xFF\xD8\xFF\xE0".as_slice(),
        &[0xFF; 5000],
    ]
    .concat();
    let body = [
        text("TIT2", "Größe 漢字"),
        text("TALB", "Album"),
        chapter("a", 0, 500, &text("TIT2", "One")),
        frame("APIC", &picture),
        vec![0; 300],
    ];
    tag(&body.concat())
}

#[test]
fn a_damaged_header_never_costs_a_frame_of_audio() {
    let folder = Folder::new();
    let tag = whole_tag();
    for name in ["in.mp3", "in.flac", "in.aac"] {
        let audio = folder.tone(name, 2);
        let whole = [tag.clone(), audio].concat();
        let input = folder.write(name, &whole);
        let output = folder.path("out.flac");
        let expected = convert(&input, &output, &at_half());
        assert!(
            expected.codes().is_empty(),
            "{name}: {:?}",
            expected.codes()
        );
        assert_eq!(probed_tag(&output, "title"), "Größe 漢字", "{name}");
        for (at, value) in [
            (0, 0xFF),
            (1, 0),
            (3, 9),
            (4, 0xFF),
            (5, 0xFF),
            (5, 0x10),
            (5, 0x40),
            (6, 0xFF),
            (7, 0x7F),
            (8, 0),
            (8, 0x7F),
            (9, 0),
            (9, 0x7F),
            (10, 0xFF),
            (14, 0xFF),
            (15, 0x7F),
            (20, 0xFF),
            (21, 0),
        ] {
            let mut broken = whole.clone();
            broken[at] = value;
            let input = folder.write(name, &broken);
            let done = convert(&input, &output, &at_half());
            assert_eq!(
                done.map["input_frames"], expected.map["input_frames"],
                "{name}: byte {at} is {value}"
            );
            let title = probed_tag(&output, "title");
            assert!(
                title == "Größe 漢字" || done.codes().contains(&"tags-damaged"),
                "{name}: byte {at} is {value}: {title}, {:?}",
                done.codes()
            );
        }
    }
}

#[test]
fn odd_tags_never_cost_the_audio() {
    let folder = Folder::new();
    let audio = folder.tone("tone.mp3", 1);
    let mut deep = Vec::new();
    let (depth, head) = (100_000, chapter("a", 0, 1, &[]));
    for left in (0..depth).rev() {
        let size = (head.len() * (left + 1) - 10) as u32;
        deep.extend([&head[..4], &size.to_be_bytes(), &head[8..]].concat());
    }
    // The element IDs that the library gives to its tables of contents, and a table that contains
    // itself.
    let circle = [
        contents("toc", 3, &["toc", "toc0"], &[]),
        contents("toc0", 1, &["toc"], &[]),
        chapter("a", 0, 1, &text("TIT2", "One")),
    ];
    let surrogates = [1, 0xFE, 0xFF, 0xD8, 0, 0xD8, 0, 0];
    let cases: [(&str, Vec<u8>); 8] = [
        ("chapters in chapters to any depth", deep),
        ("tables of contents in a circle", circle.concat()),
        (
            "a table that counts what is not there",
            frame("CTOC", b"toc\0\x03\xFFa\0"),
        ),
        ("a chapter cut short", frame("CHAP", b"a\0\0\0")),
        ("half surrogates, an odd length", frame("TIT2", &surrogates)),
        ("no byte order mark", frame("TIT2", b"\x01G\0r\0")),
        ("an unknown encoding", frame("TALB", b"\x09Album")),
        (
            "lyrics cut short",
            frame("SYLT", b"\0eng\x02\x01x\0La\0\0\0"),
        ),
    ];
    for (what, body) in cases {
        let body = [body, text("TPE1", "Ärtist")].concat();
        let input = folder.write("in.mp3", &[tag(&body), audio.clone()].concat());
        let output = folder.path("out.mp3");
        let done = convert(&input, &output, &at_half());
        assert_eq!(done.map["input_frames"], 44_100, "{what}");
        assert_eq!(probed_tag(&output, "artist"), "Ärtist", "{what}");
    }
}
