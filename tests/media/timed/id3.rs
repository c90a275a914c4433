//! ID3v2 tags made by hand.

use std::io::Cursor;

use lofty::config::ParseOptions;
use lofty::file::AudioFile;
use lofty::id3::v2::{Frame, FrameFlags, Id3v2Tag, SynchronizedTextFrame};
use lofty::mpeg::MpegFile;

use super::*;

/// Returns a frame of version 2.3.
pub(super) fn frame(id: &str, body: &[u8]) -> Vec<u8> {
    let size = (body.len() as u32).to_be_bytes();
    [id.as_bytes(), &size, &[0, 0], body].concat()
}

/// Returns a tag of version 2.3.
pub(super) fn tag(body: &[u8]) -> Vec<u8> {
    let size = body.len();
    let size = [21, 14, 7, 0].map(|shift| (size >> shift & 0x7F) as u8);
    [b"ID3\x03\0\0", &size[..], body].concat()
}

/// Returns a frame with text in UTF-16 with a byte order mark.
pub(super) fn text(id: &str, value: &str) -> Vec<u8> {
    let units = value.encode_utf16().flat_map(u16::to_le_bytes);
    let body: Vec<u8> = [1, 0xFF, 0xFE].into_iter().chain(units).collect();
    frame(id, &body)
}

pub(super) fn chapter(id: &str, start: u32, end: u32, children: &[u8]) -> Vec<u8> {
    let times = [start, end, 123, 456].map(u32::to_be_bytes).concat();
    frame("CHAP", &[id.as_bytes(), &[0], &times, children].concat())
}

pub(super) fn contents(id: &str, flags: u8, entries: &[&str], children: &[u8]) -> Vec<u8> {
    let list: Vec<u8> = entries
        .iter()
        .flat_map(|e| [e.as_bytes(), &[0]].concat())
        .collect();
    let head = [id.as_bytes(), &[0, flags, entries.len() as u8]].concat();
    frame("CTOC", &[head, list, children.to_vec()].concat())
}

pub(super) fn read(path: &Path) -> Id3v2Tag {
    let mut bytes = Cursor::new(std::fs::read(path).unwrap());
    let file = MpegFile::read_from(&mut bytes, ParseOptions::new()).unwrap();
    file.id3v2().unwrap().clone()
}

#[test]
fn nested_tables_of_contents_arrive_with_titles_pictures_and_links() {
    let folder = Folder::new();
    let picture = [b"\xFF\xD8\xFF\xE0".as_slice(), &[7; 500]].concat();
    let apic = [b"\0image/jpeg\0\x03\0", picture.as_slice()].concat();
    let link = frame("WXXX", b"\0chapter url\0https://example.org/one");
    let first = [text("TIT2", "第一章"), frame("APIC", &apic), link].concat();
    let body = [
        contents("root", 3, &["part1", "part2"], &text("TIT2", "Das Buch")),
        contents("part1", 1, &["a", "b"], &text("TIT2", "Первая часть")),
        contents("part2", 1, &["c"], &text("TIT2", "Part Two")),
        chapter("a", 0, 1500, &first),
        chapter("b", 1500, 2500, &text("TIT2", "Zweites")),
        chapter("c", 2500, 4000, &[]),
    ];
    let input = [tag(&body.concat()), folder.tone("tone.mp3", 4)].concat();
    let (input, output) = (folder.write("in.mp3", &input), folder.path("out.mp3"));
    let done = convert(&input, &output, &at_half());
    assert_eq!(done.codes(), [""; 0]);

    let found = read(&output);
    let mut tables = Vec::new();
    let mut seen = Vec::new();
    for frame in &found {
        match frame {
            Frame::TableOfContents(toc) => {
                let entries = toc.entries.iter().map(|entry| &**entry).collect::<Vec<_>>();
                tables.push(format!(
                    "{}{} {:?} {}",
                    if toc.flags.top_level { "top " } else { "" },
                    toc.id,
                    entries,
                    toc.title().unwrap_or("-"),
                ));
            }
            Frame::Chapter(chapter) => {
                seen.push(format!("{} {}", chapter.id, chapter.title().unwrap_or("-")));
                let (start, end) = match &*chapter.id {
                    "a" => (0.0, 1.5),
                    "b" => (1.5, 2.5),
                    _ => (2.5, 4.0),
                };
                done.assert_moved(start, f64::from(chapter.times.start) / 1000.0, "start");
                done.assert_moved(end, f64::from(chapter.times.end) / 1000.0, "end");
                assert_eq!(chapter.offsets, u32::MAX..u32::MAX);
                let kept = chapter.children.iter().any(|child| match child {
                    Frame::Picture(found) => found.picture.data() == picture,
                    _ => false,
                });
                let linked = chapter.children.iter().any(|child| match child {
                    Frame::UserUrl(url) => url.content == "https://example.org/one",
                    _ => false,
                });
                assert_eq!((kept, linked), (chapter.id == "a", chapter.id == "a"));
            }
            _ => {}
        }
    }
    tables.sort();
    assert_eq!(
        tables,
        [
            r#"part1 ["a", "b"] Первая часть"#,
            r#"part2 ["c"] Part Two"#,
            r#"top root ["part1", "part2"] Das Buch"#,
        ]
    );
    seen.sort();
    assert_eq!(seen, ["a 第一章", "b Zweites", "c -"]);
    let titles: Vec<_> = chapters(&output)
        .into_iter()
        .map(|(_, title)| title)
        .collect();
    // If a chapter has no title, ffprobe shows its element ID.
    assert_eq!(titles, ["第一章", "Zweites", "c"]);
}

#[test]
fn synchronised_lyrics_events_length_and_tempo_are_moved() {
    let folder = Folder::new();
    let times = [500u32, 1500, 2500];
    let mut lyrics = b"\0eng\x02\x01La la\0".to_vec();
    let mut events = vec![2];
    for (index, time) in times.iter().enumerate() {
        lyrics.extend(format!("Line {index}\0").as_bytes());
        lyrics.extend(time.to_be_bytes());
        events.push(3 + index as u8);
        events.extend(time.to_be_bytes());
    }
    let body = [
        frame("SYLT", &lyrics),
        frame("ETCO", &events),
        frame("TLEN", b"\x004000"),
        frame("TBPM", b"\x00120"),
        frame("TSSE", b"\0the old encoder"),
    ];
    let input = [tag(&body.concat()), folder.tone("tone.mp3", 4)].concat();
    let (input, output) = (folder.write("in.mp3", &input), folder.path("out.mp3"));
    let done = convert(&input, &output, &at_half());
    assert_eq!(done.codes(), [""; 0]);
    let (mut lines, mut codes) = (Vec::new(), Vec::new());
    let mut texts = Vec::new();
    for frame in &read(&output) {
        match frame {
            Frame::Binary(frame) if frame.id().as_str() == "SYLT" => {
                let parsed = SynchronizedTextFrame::parse(&frame.data, FrameFlags::default());
                lines = parsed.unwrap().content;
            }
            Frame::EventTimingCodes(frame) => {
                codes.extend(frame.events.iter().map(|event| event.timestamp));
            }
            Frame::Text(text) => {
                texts.push((text.id().as_str().to_owned(), text.value.to_string()))
            }
            _ => {}
        }
    }
    assert_eq!((lines.len(), codes.len()), (3, 3));
    for (index, time) in times.into_iter().enumerate() {
        let from = f64::from(time) / 1000.0;
        assert_eq!(lines[index].1, format!("Line {index}"));
        done.assert_moved(from, f64::from(lines[index].0) / 1000.0, "SYLT");
        done.assert_moved(from, f64::from(codes[index]) / 1000.0, "ETCO");
    }
    let value = |id: &str| &texts.iter().find(|text| text.0 == id).unwrap().1;
    let length: f64 = value("TLEN").parse().unwrap();
    assert!((length / 1000.0 - done.seconds()).abs() < 0.001, "{length}");
    assert_eq!(value("TBPM"), "240");
    assert!(value("TSSE").starts_with("audiostretchy "));
}
