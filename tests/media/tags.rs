//! Checks that tags, pictures and text files are kept. `ffmpeg` and `ffprobe` must be installed.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use audiostretchy::batch::{FileSettings, IfExists, PlanRequest, RunOptions, Session, StopToken};
use audiostretchy::report::{FileReport, Status};
use audiostretchy::{Format, Keep, StretchOptions};
use lofty::TextEncoding;
use lofty::config::{ParseOptions, WriteOptions};
use lofty::file::{AudioFile, TaggedFileExt};
use lofty::id3::v2::{AttachedPictureFrame, ExtendedUrlFrame, Frame};
use lofty::mpeg::MpegFile;
use lofty::picture::{MimeType, Picture, PictureType};
use lofty::tag::{ItemKey, Tag};

use crate::pages::{has_part, is_page};

const TITLE: &str = "Größe 漢字 🎵";
const CUSTOM: &str = "value of a field of my own";
const CHAPTER_LINK: &str = "https://example.org/chapter";
const CHAPTER_PICTURE: &[u8] = b"a picture of a chapter";
const CHAPTERS: &str = "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=Intro\n\
    [CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND=2000\ntitle=漢字\n";

fn ffmpeg(args: &[&str], output: &Path) {
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-y"])
        .args(args)
        .arg(output)
        .status()
        .unwrap();
    assert!(status.success(), "ffmpeg {args:?}");
}

/// Makes two seconds of tone with all the tags that ffmpeg can write to the format of that name.
fn tagged(folder: &Path, name: &str) -> PathBuf {
    let (text, cover, output) = (
        folder.join("tags.txt"),
        folder.join("cover.png"),
        folder.join(name),
    );
    let fields = [
        ("title", TITLE),
        ("artist", "Ärtist"),
        ("album", "Album"),
        ("genre", "Podcast"),
        ("date", "2021"),
        ("track", "3"),
        ("comment", "A comment"),
        ("lyrics", "La la la"),
        ("MYKEY", CUSTOM),
        ("encoder", "the old one"),
    ];
    let mut tags = String::from(";FFMETADATA1\n");
    for (key, value) in fields {
        tags.push_str(&format!("{key}={value}\n"));
    }
    fs::write(&text, tags + CHAPTERS).unwrap();
    ffmpeg(
        &[
            "-f",
            "lavfi",
            "-i",
            "color=red:s=64x64:d=1",
            "-frames:v",
            "1",
        ],
        &cover,
    );
    let with_cover = ["mp3", "flac", "m4a"].iter().any(|end| name.ends_with(end));
    let mut args = vec![
        "-f",
        "lavfi",
        "-i",
        "sine=300:d=2",
        "-i",
        text.to_str().unwrap(),
    ];
    if with_cover {
        args.extend(["-i", cover.to_str().unwrap(), "-map", "2:v", "-c:v", "copy"]);
        args.extend(["-disposition:v", "attached_pic"]);
    }
    args.extend(["-map", "0:a", "-map_metadata", "1", "-map_chapters", "1"]);
    if name.ends_with("aiff") {
        args.extend(["-write_id3v2", "1"]);
    }
    if name.ends_with("opus") {
        args.extend(["-c:a", "libopus"]);
    }
    if name.ends_with("ogg") {
        args.extend(["-c:a", "libvorbis"]);
    }
    ffmpeg(&args, &output);
    if name.ends_with("mp3") {
        add_to_chapters(&output);
    }
    output
}

/// Adds a link and a picture to every chapter of an MP3 file, which ffmpeg cannot do.
fn add_to_chapters(path: &Path) {
    let mut file = fs::File::open(path).unwrap();
    let mut mpeg = MpegFile::read_from(&mut file, ParseOptions::new()).unwrap();
    let mut picture = b"\xFF\xD8\xFF\xE0".to_vec();
    picture.extend(CHAPTER_PICTURE);
    let picture = Picture::unchecked(picture)
        .mime_type(MimeType::Jpeg)
        .build();
    mpeg.id3v2_mut().unwrap().retain_mut(|frame| {
        if let Frame::Chapter(chapter) = frame {
            let link = ExtendedUrlFrame::new(TextEncoding::Latin1, "chapter url", CHAPTER_LINK);
            chapter.children.insert(Frame::UserUrl(link));
            let picture = AttachedPictureFrame::new(TextEncoding::Latin1, picture.clone());
            chapter.children.insert(Frame::Picture(picture));
        }
        true
    });
    mpeg.save_to_path(path, WriteOptions::default()).unwrap();
}

fn convert(input: &Path, output: &Path, ratio: f64, keep: Keep) -> FileReport {
    let request = PlanRequest {
        settings: FileSettings {
            stretch: StretchOptions {
                ratio,
                ..StretchOptions::default()
            },
            keep,
            ..FileSettings::default()
        },
        if_exists: IfExists::Overwrite,
        ..PlanRequest::new(vec![input.to_owned()], output.to_owned())
    };
    let session = Session::start(&request).unwrap();
    let report = session.run(&RunOptions::default(), &StopToken::new(), |_| {});
    let [file] = <[FileReport; 1]>::try_from(report.files).unwrap();
    assert_eq!(file.status, Status::Done, "{:?}", file.error);
    file
}

fn codes(report: &FileReport) -> Vec<String> {
    let codes = report.warnings.iter();
    codes.map(|warning| warning.code.to_string()).collect()
}

fn chapters(path: &Path) -> Vec<(String, String)> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-show_chapters", "-of", "json"])
        .arg(path)
        .output()
        .unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let chapters = json["chapters"].as_array().unwrap().iter();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    chapters
        .map(|c| (text(&c["start_time"]), text(&c["tags"]["title"])))
        .collect()
}

/// Returns what lofty and ffprobe find in a file, by the names of the table.
fn found(path: &Path) -> Vec<&'static str> {
    let tagged = lofty::read_from_path(path).ok();
    let tags: Vec<Tag> = tagged.map_or(Vec::new(), |file| file.tags().to_vec());
    let has = |key, text: &str| tags.iter().any(|tag| tag.get_string(key) == Some(text));
    let bytes = fs::read(path).unwrap();
    let holds = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    let wide: Vec<u8> = CUSTOM.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let date =
        |key| (tags.iter()).any(|tag| tag.get_string(key).is_some_and(|t| t.starts_with("2021")));
    let checks = [
        ("title", has(ItemKey::TrackTitle, TITLE)),
        ("artist", has(ItemKey::TrackArtist, "Ärtist")),
        ("album", has(ItemKey::AlbumTitle, "Album")),
        ("genre", has(ItemKey::Genre, "Podcast")),
        ("date", date(ItemKey::RecordingDate) || date(ItemKey::Year)),
        ("track", has(ItemKey::TrackNumber, "3")),
        ("comment", has(ItemKey::Comment, "A comment")),
        (
            "lyrics",
            has(ItemKey::Lyrics, "La la la") || has(ItemKey::UnsyncLyrics, "La la la"),
        ),
        ("own field", holds(CUSTOM.as_bytes()) || holds(&wide)),
        ("cover", tags.iter().any(|tag| !tag.pictures().is_empty())),
        ("chapters", chapters(path).len() == 2),
        ("chapter links", holds(CHAPTER_LINK.as_bytes())),
        ("chapter pictures", holds(CHAPTER_PICTURE)),
    ];
    let kept = checks.into_iter().filter(|(_, found)| *found);
    kept.map(|(name, _)| name).collect()
}

#[test]
fn the_table_of_what_is_kept_is_true() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = [
        "mp3", "flac", "ogg", "opus", "wav", "aiff", "m4a", "mkv", "webm",
    ];
    let outputs = Format::ALL;
    let names = outputs.map(|format| format.name().to_owned());
    let mut table = format!(
        "| from \\ to | {} |\n|{}\n",
        names.join(" | "),
        " --- |".repeat(outputs.len() + 1)
    );
    let mut arrived = HashMap::new();
    for input in inputs {
        let source = tagged(folder.path(), &format!("in.{input}"));
        let before = found(&source);
        let mut cells = Vec::new();
        for format in outputs {
            let output = folder
                .path()
                .join(format!("out.{}", format.extensions()[0]));
            convert(&source, &output, 0.5, Keep::default());
            let after = found(&output);
            let mut lost = Vec::new();
            for &kind in &before {
                let is_there = after.contains(&kind);
                arrived
                    .entry((kind, format))
                    .or_insert_with(Vec::new)
                    .push(is_there);
                if !is_there {
                    lost.push(kind);
                }
            }
            cells.push(match lost.is_empty() {
                true => "all".to_owned(),
                false => format!("not {}", lost.join(", ")),
            });
            let bytes = fs::read(&output).unwrap();
            let old = b"the old one";
            assert!(!bytes.windows(old.len()).any(|window| window == old));
        }
        table.push_str(&format!("| {input} | {} |\n", cells.join(" | ")));
    }
    is_page("docs/tags.md", &format!("{INTRODUCTION}{table}{NOTES}"));
    has_part(
        "docs/formats.md",
        "tags",
        &format!("\n{}\n", summary(&arrived)),
    );
}

/// For each kind of tag and each format, whether it was kept, one value for each input.
type Arrived = HashMap<(&'static str, Format), Vec<bool>>;

/// The families of tags, and the formats that use them.
const FAMILIES: [(&str, &[Format]); 5] = [
    ("MP3", &[Format::Mp3]),
    (
        "FLAC, Ogg, Opus",
        &[Format::Flac, Format::Ogg, Format::Opus],
    ),
    ("M4A, M4B", &[Format::M4a, Format::M4b]),
    ("WAV", &[Format::Wav]),
    ("AIFF", &[Format::Aiff]),
];

fn summary(arrived: &Arrived) -> String {
    let rows: [(&str, &[&str]); 7] = [
        (
            "title, artist, album, genre, date, track",
            &["title", "artist", "album", "genre", "date", "track"],
        ),
        ("comment, lyrics", &["comment", "lyrics"]),
        ("fields of one's own", &["own field"]),
        ("pictures", &["cover"]),
        ("chapters with titles", &["chapters"]),
        ("links of chapters", &["chapter links"]),
        ("pictures of chapters", &["chapter pictures"]),
    ];
    let families = FAMILIES.map(|(name, _)| name).join(" | ");
    let mut table = format!(
        "| kept into | {families} |\n|{}\n",
        " --- |".repeat(FAMILIES.len() + 1)
    );
    for (row, kinds) in rows {
        let cells = FAMILIES.map(|(_, formats)| {
            let pairs = kinds
                .iter()
                .flat_map(|&kind| formats.iter().map(move |&f| (kind, f)));
            let all = pairs.flat_map(|pair| &arrived[&pair]).all(|&there| there);
            if all { "yes" } else { "no" }
        });
        table.push_str(&format!("| {row} | {} |\n", cells.join(" | ")));
    }
    table
}

const NOTES: &str = "
The tests in `tests/media/timed` show the rest, with files made by hand and by other programs:

- ID3v2: nested tables of contents keep their titles, pictures and links. Synchronised lyrics (SYLT),
  events (ETCO), length (TLEN) and tempo (TBPM) are moved. A tag keeps its version. One bad frame is
  left out with the warning `tags-damaged`; the others are kept. Tags at the end of a file (ID3v1,
  APE) fill the gaps of those at its start.
- Several values of a field arrive in every format. In ID3v2, all comments and lyrics but the first
  get a number as their description.
- WAV: cue points, labels, notes, regions and sampler loops are moved, and so is the broadcast
  extension, whose time of day stays the same.
- FLAC: cue sheets are moved. They are no longer those of a CD, whose sectors have another length.
- ReplayGain: the gain is kept, since stretching does not change how loud audio is. The peak is not.
- Chapters that start after the end of the audio are left out with the warning `chapters-past-end`;
  chapters whose times cannot be read, with `chapters-unreadable`. Of several editions of chapters in
  Matroska, the default one is kept.
";

const INTRODUCTION: &str = "# Which tags are kept

Each input has a title, artist, album, genre, date, track, comment, lyrics, a custom field, a cover
and chapters, as far as ffmpeg can put them into its format. In MP3 files the chapters have links and
pictures of their own as well. The table shows what arrives in the output. The test
`tests/media/tags.rs` makes and checks it.

";

#[test]
fn the_version_of_a_tag_stays_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    for version in [3u8, 4] {
        let (input, output) = (folder.path().join("in.mp3"), folder.path().join("out.mp3"));
        let number = version.to_string();
        let args = [
            "-f",
            "lavfi",
            "-i",
            "sine=300:d=1",
            "-metadata",
            "title=Größe 漢字",
        ];
        ffmpeg(&[&args[..], &["-id3v2_version", &number]].concat(), &input);
        convert(&input, &output, 2.0, Keep::default());
        let bytes = fs::read(&output).unwrap();
        assert_eq!(&bytes[..4], [b'I', b'D', b'3', version]);
    }
}

#[test]
fn without_tags_there_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let input = tagged(folder.path(), "in.mp3");
    let output = folder.path().join("out.mp3");
    convert(&input, &output, 0.5, Keep::NOTHING);
    assert_eq!(found(&output), Vec::<&str>::new());
}

#[test]
fn a_cover_of_ten_megabytes_arrives_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let input = tagged(folder.path(), "in.mp3");
    let mut picture = b"\xFF\xD8\xFF\xE0".to_vec();
    picture.resize(10 << 20, 0x55);
    let cover = Picture::unchecked(picture.clone())
        .pic_type(PictureType::CoverFront)
        .mime_type(MimeType::Jpeg)
        .build();
    let mut file = fs::File::open(&input).unwrap();
    let mut mpeg = MpegFile::read_from(&mut file, ParseOptions::new()).unwrap();
    mpeg.id3v2_mut().unwrap().insert_picture(cover);
    mpeg.save_to_path(&input, WriteOptions::default()).unwrap();
    for format in Format::ALL {
        let output = folder
            .path()
            .join(format!("out.{}", format.extensions()[0]));
        convert(&input, &output, 0.5, Keep::default());
        assert!(covers(&output).contains(&picture), "{format:?}");
        let back = folder.path().join("back.mp3");
        convert(&output, &back, 2.0, Keep::default());
        assert!(covers(&back).contains(&picture), "{format:?} and back");
    }
}

fn covers(path: &Path) -> Vec<Vec<u8>> {
    let file = lofty::read_from_path(path).unwrap();
    let pictures = file.tags().iter().flat_map(Tag::pictures);
    pictures.map(|picture| picture.data().to_vec()).collect()
}

#[test]
fn text_files_come_along_and_broken_ones_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let input = tagged(folder.path(), "in.wav");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("in.srt", "1\n00:00:00,500 --> 00:00:01,000\nHello\n");
    write("in.lrc", "[00:01.00]La\n");
    write("in.vtt", "WEBVTT\n\n00:00.oops --> 00:01.000\nHello\n");
    write("in.txt", "Just notes.\n");
    let output = folder.path().join("out/out.mp3");
    let report = convert(&input, &output, 0.5, Keep::default());
    assert_eq!(codes(&report), ["sidecar-unreadable"]);
    let read = |end: &str| fs::read_to_string(output.with_extension(end)).ok();
    let subtitles = read("srt").unwrap();
    let times = subtitles
        .lines()
        .nth(1)
        .unwrap()
        .replace("00:00:", "")
        .replace(',', ".");
    let (start, end) = times.split_once(" --> ").unwrap();
    for (time, expected) in [(start, 0.25), (end, 0.5)] {
        let time: f64 = time.parse().unwrap();
        assert!((time - expected).abs() < 0.02, "{times}");
    }
    assert!(read("lrc").is_some());
    assert_eq!((read("vtt"), read("txt")), (None, None));

    let other = folder.path().join("bare/out.mp3");
    convert(&input, &other, 0.5, Keep::NOTHING);
    assert!(!other.with_extension("srt").exists());
}
