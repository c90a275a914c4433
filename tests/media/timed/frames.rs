//! ID3 frames that other programs write incorrectly, and tags at the end of files.

use std::collections::BTreeSet;

use super::id3::{chapter, contents, frame, tag, text};
use super::*;

/// Returns what mutagen reads from a file: the name of each frame with all of its values.
fn frames(path: &Path) -> BTreeSet<(String, String)> {
    let script = "def values(frame):\n\
        \x20   found = getattr(frame, 'text', None) or getattr(frame, 'url', None) or ''\n\
        \x20   return [str(v) for v in found] if isinstance(found, list) else [str(found)]\n\
        frames = [(f.HashKey, v) for f in file.tags.values() for v in values(f)]\n\
        frames += [(c.element_id + ' ' + f.HashKey, v) for c in file.tags.getall('CHAP')\n\
        \x20   for f in c.sub_frames.values() for v in values(f)]\n\
        print(json.dumps(frames))";
    serde_json::from_value(mutagen(script, path)).unwrap()
}

fn has(frames: &BTreeSet<(String, String)>, key: &str, value: &str) -> bool {
    frames.contains(&(key.to_owned(), value.to_owned()))
}

/// Returns a cover and two chapters, of which the first contains the frames `children`.
fn behind(children: &[u8]) -> Vec<u8> {
    let cover = [
        b"\0image/jpeg\0\x03\0\xFF\xD8\xFF\xE0".as_slice(),
        &[7; 500],
    ]
    .concat();
    let first = [text("TIT2", "One"), children.to_vec(), text("TIT3", "Sub")].concat();
    [
        frame("APIC", &cover),
        contents("toc", 3, &["a", "b"], &[]),
        chapter("a", 0, 1000, &first),
        chapter("b", 1000, 2000, &text("TIT2", "Two")),
        text("TPE1", "Ärtist"),
    ]
    .concat()
}

#[test]
fn a_bad_frame_costs_itself_alone() {
    let folder = Folder::new();
    let audio = folder.tone("tone.mp3", 2);
    let cases: [(&str, Vec<u8>); 11] = [
        (
            "a link behind a zero",
            frame("WFED", b"\0https://example.org/feed"),
        ),
        (
            "a link behind an encoding",
            frame("WOAR", b"\x03https://example.org/feed"),
        ),
        (
            "a link with more behind its end",
            frame("WPUB", b"http://a\0more of it"),
        ),
        ("text of an unknown encoding", frame("TALB", b"\x09Album")),
        (
            "an own field of an unknown encoding",
            frame("TXXX", b"\x07key\0value"),
        ),
        ("a comment cut short", frame("COMM", b"\0en")),
        ("a comment that goes on behind its end", {
            let wide = b"\x01eng\xFF\xFE\0\0\xFF\xFEa\0\0\0b\0c\0";
            frame("COMM", wide)
        }),
        ("a picture cut short", frame("APIC", b"\0image")),
        (
            "a picture of an unknown encoding",
            frame("APIC", b"\x08image/png\0\0\0abc"),
        ),
        ("an owner cut short", frame("OWNE", b"\0USD1")),
        ("events cut short", frame("ETCO", b"\x02\x03\0\0")),
    ];
    for (what, bad) in cases {
        let body = [bad.clone(), behind(&bad)].concat();
        let input = folder.write("in.mp3", &[tag(&body), audio.clone()].concat());
        let output = folder.path("out.mp3");
        let done = convert(&input, &output, &at_half());
        assert_eq!(done.map["input_frames"], 88_200, "{what}");
        let found = frames(&output);
        let keys: Vec<_> = found.iter().map(|(key, _)| key.as_str()).collect();
        for key in ["APIC:", "CHAP:b", "CTOC:toc"] {
            assert!(keys.contains(&key), "{what}: {keys:?}");
        }
        for (key, value) in [("TPE1", "Ärtist"), ("a TIT2", "One"), ("a TIT3", "Sub")] {
            assert!(has(&found, key, value), "{what}: {found:?}");
        }
        // Frames that are understood in spite of their mistakes need no warning.
        let is_told = done.codes().contains(&"tags-damaged");
        assert_eq!(
            is_told,
            !what.ends_with("its end"),
            "{what}: {:?}",
            done.codes()
        );
    }
}

#[test]
fn links_are_latin1_whatever_the_encoding_of_their_description() {
    let folder = Folder::new();
    let audio = folder.tone("tone.mp3", 2);
    let wide = |text: &str| -> Vec<u8> {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        [0xFF, 0xFE].into_iter().chain(units).collect()
    };
    let (link, wide_link) = (
        b"https://example.org/?a=b".to_vec(),
        wide("https://example.org/?a=b"),
    );
    // As the standard says, and as programs write it that encode the link like the text.
    for link in [link, wide_link] {
        let wxxx = [&[1], wide("Тема").as_slice(), &[0, 0], &link].concat();
        let body = [frame("WXXX", &wxxx), behind(&frame("WXXX", &wxxx))].concat();
        let input = folder.write("in.mp3", &[tag(&body), audio.clone()].concat());
        for name in ["out.mp3", "out.wav", "out.aiff"] {
            let output = folder.path(name);
            let done = convert(&input, &output, &at_half());
            assert_eq!(done.codes(), [""; 0], "{name}");
            let found = frames(&output);
            for key in ["WXXX:Тема", "a WXXX:Тема"] {
                assert!(
                    has(&found, key, "https://example.org/?a=b"),
                    "{name}: {found:?}"
                );
            }
        }
    }
}

/// Returns an ID3v1 tag, version 1.1.
fn id3v1(title: &str, artist: &str, album: &str, year: &str, comment: &str) -> Vec<u8> {
    let mut tag = b"TAG".to_vec();
    for (field, len) in [
        (title, 30),
        (artist, 30),
        (album, 30),
        (year, 4),
        (comment, 28),
    ] {
        let mut field = field.as_bytes().to_vec();
        field.resize(len, 0);
        tag.extend(field);
    }
    // Track 7, genre Blues.
    tag.extend([0, 7, 0]);
    tag
}

#[test]
fn a_tag_at_the_end_fills_the_gaps_of_one_at_the_start() {
    let folder = Folder::new();
    let audio = folder.tone("tone.mp3", 1);
    let end = id3v1("Old title", "Old artist", "Album", "1999", "Comment");
    for version in [3, 4] {
        let mut start = tag(&frame("TIT2", b"\0Title"));
        start[3] = version;
        let input = folder.write("in.mp3", &[start, audio.clone(), end.clone()].concat());
        for name in ["out.mp3", "out.flac", "out.m4a"] {
            let output = folder.path(name);
            let done = convert(&input, &output, &at_half());
            assert_eq!(done.codes(), [""; 0], "{name}");
            for (key, value) in [
                ("title", "Title"),
                ("artist", "Old artist"),
                ("album", "Album"),
                ("date", "1999"),
                ("comment", "Comment"),
                ("track", "7"),
                ("genre", "Blues"),
            ] {
                assert_eq!(probed_tag(&output, key), value, "{name}: {key}");
            }
        }
    }
}

#[test]
fn the_year_of_a_tag_at_the_end_is_a_date() {
    let folder = Folder::new();
    let end = id3v1("Title", "", "", "1999", "");
    for source in ["in.mp3", "in.aac"] {
        let audio = folder.tone(source, 1);
        let input = folder.write(source, &[audio, end.clone()].concat());
        for name in ["out.mp3", "out.flac", "out.opus", "out.m4a", "out.wav"] {
            let output = folder.path(name);
            convert(&input, &output, &at_half());
            let stream = run(
                "ffprobe",
                &[
                    "-v",
                    "error",
                    "-of",
                    "json",
                    "-show_entries",
                    "format_tags:stream_tags",
                    output.to_str().unwrap(),
                ],
            );
            let tags = String::from_utf8(stream).unwrap().to_lowercase();
            assert!(
                tags.contains("\"date\": \"1999\""),
                "{source} to {name}: {tags}"
            );
            assert!(!tags.contains("\"year\""), "{source} to {name}: {tags}");
        }
    }
}

#[test]
fn comments_and_lyrics_without_a_language_are_kept() {
    let folder = Folder::new();
    let audio = folder.tone("tone.mp3", 1);
    for language in [b"\0\0\0", b"   ", b"12\0"] {
        let body = [
            frame("COMM", &[&[0], &language[..], b"\0A comment"].concat()),
            frame("USLT", &[&[0], &language[..], b"\0La la"].concat()),
        ];
        let input = folder.write("in.mp3", &[tag(&body.concat()), audio.clone()].concat());
        let output = folder.path("out.mp3");
        let done = convert(&input, &output, &at_half());
        assert_eq!(done.codes(), [""; 0]);
        let found = frames(&output);
        assert!(has(&found, "COMM::XXX", "A comment"), "{found:?}");
        assert!(has(&found, "USLT::XXX", "La la"), "{found:?}");
    }
}
