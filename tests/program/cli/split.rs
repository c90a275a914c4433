//! `--split chapters`.

use serde_json::Value;

use crate::env::TestEnv;

/// Chapters of two seconds, but for the last.
const TITLES: [&str; 4] = ["Intro", "a/b: \u{7}c?", "", "The End"];

/// Creates `in/book.m4b` of seven seconds with chapters, tags, a cover and subtitles.
pub(crate) fn book() -> TestEnv {
    let env = TestEnv::new();
    let mut meta = String::from(";FFMETADATA1\ntitle=The Book\nartist=Somebody\n");
    for (number, title) in TITLES.iter().enumerate() {
        // The first begins late, and has what is before it all the same.
        let (start, end) = (2000 * number + 500, 2000 * number + 2500);
        meta += &format!("[CHAPTER]\nTIMEBASE=1/1000\nSTART={start}\nEND={end}\ntitle={title}\n");
    }
    env.write("meta.txt", meta);
    env.create_folder("in");
    let sound = "sine=f=300:r=22050:d=7,volume='0.5+0.4*sin(t*9)':eval=frame";
    let args = "-v error -f lavfi -i color=red:s=32x32 -frames:v 1 cover.png";
    env.tool("ffmpeg", args.split(' '));
    let args = [
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        sound,
        "-i",
        "meta.txt",
        "-i",
        "cover.png",
    ];
    let more = "-map 0:a -map 2:v -map_metadata 1 -c:a aac -c:v copy -disposition:v attached_pic in/book.m4b";
    env.tool("ffmpeg", args.into_iter().chain(more.split(' ')));
    env
}

fn files(report: &Value) -> &Vec<Value> {
    report["files"].as_array().unwrap()
}

#[test]
fn the_parts_are_the_whole_cut_at_the_chapters() {
    let env = book();
    for (options, number) in [
        ("--speed 1.4", 0),
        ("-p music --ratio 1.3", 1),
        ("--ratio 0.4 --sample-rate 48000", 2),
    ] {
        let (whole, parts) = (format!("whole{number}"), format!("parts{number}"));
        env.run(&format!("in {whole} --format wav {options}"))
            .succeeds();
        env.run(&format!(
            "in {parts} --format wav {options} --split chapters"
        ))
        .succeeds();
        let names = ["1 Intro", "2 a_b: _c?", "3 Chapter 3", "4 The End"];
        let names = names.map(|name| format!("book/{name}.wav"));
        assert_eq!(env.files(&parts), names, "{options}");
        let joined: Vec<i16> = (names.iter())
            .flat_map(|name| env.decode(&format!("{parts}/{name}")))
            .collect();
        assert!(
            joined == env.decode(&format!("{whole}/book.wav")),
            "{options}"
        );
        // Where the chapters of the whole begin.
        let chapters = env.tool(
            "ffprobe",
            [
                "-v",
                "error",
                "-show_chapters",
                "-of",
                "json",
                &format!("{whole}/book.wav"),
            ],
        );
        let chapters: Value = serde_json::from_slice(&chapters).unwrap();
        let report = env.report(&parts);
        let told = files(&report)[0]["chapters"].as_array().unwrap();
        for (chapter, told) in chapters["chapters"]
            .as_array()
            .unwrap()
            .iter()
            .zip(told)
            .skip(1)
        {
            let start: f64 = chapter["start_time"].as_str().unwrap().parse().unwrap();
            let told = told["start_seconds"].as_f64().unwrap();
            assert!((start - told).abs() < 0.001, "{start} and {told}");
        }
    }
}

#[test]
fn each_part_has_its_title_its_number_and_the_cover() {
    let env = book();
    for format in ["mp3", "m4a", "flac", "ogg", "opus"] {
        env.run(&format!(
            "in {format} --format {format} --speed 2 --split chapters"
        ))
        .succeeds();
        assert_eq!(env.files(format).len(), 4);
        for (number, name) in [(2, "2 a_b: _c?"), (4, "4 The End")] {
            let name = format!("{format}/book/{name}.{format}");
            let args = [
                "-v",
                "error",
                "-of",
                "json",
                "-show_streams",
                "-show_format",
                "-show_chapters",
                &name,
            ];
            let told: Value = serde_json::from_slice(&env.tool("ffprobe", args)).unwrap();
            let tag = |wanted: &str| {
                let places = [&told["format"]["tags"], &told["streams"][0]["tags"]];
                let found = places.into_iter().filter_map(Value::as_object).flatten();
                let mut found = found.filter(|(key, _)| key.eq_ignore_ascii_case(wanted));
                found
                    .next()
                    .map(|(_, value)| value.as_str().unwrap().to_owned())
            };
            assert_eq!(
                tag("album").as_deref(),
                Some("The Book"),
                "{name}: {told:#}"
            );
            assert_eq!(tag("artist").as_deref(), Some("Somebody"), "{name}");
            let track = tag("track").unwrap();
            assert!(
                track == format!("{number}/4") || track == number.to_string(),
                "{name}: {track}"
            );
            if number == 4 {
                assert_eq!(tag("title").as_deref(), Some("The End"), "{name}");
            }
            assert!(told["chapters"].as_array().unwrap().is_empty(), "{name}");
            let video = told["streams"].as_array().unwrap().iter();
            assert_eq!(
                video
                    .filter(|stream| stream["codec_type"] == "video")
                    .count(),
                1,
                "{name}"
            );
        }
    }
}

#[test]
fn a_split_book_is_up_to_date_and_made_again_as_any_other() {
    let env = book();
    let again = |options: &str, said: &str| {
        env.run(&format!(
            "in out --format flac --speed 2 --split chapters {options}"
        ))
        .succeeds()
        .says(&[said]);
    };
    again("", "in/book.m4b: 0:07");
    let made = env.outputs("out");
    again("", "1 up to date");
    std::fs::remove_file(env.path("out/book/3 Chapter 3.flac")).unwrap();
    again("-v", "[1/1] done");
    assert!(env.outputs("out") == made);
    again("--dither", "[1/1] done");
    // A chapter that somebody has edited is kept.
    env.write("out/book/2 a_b: _c?.flac", "mine");
    again(
        "--dither",
        "2 a_b: _c?.flac was changed since it was made and was kept",
    );
    env.run("in out --format flac --speed 3 --split chapters")
        .exits(1)
        .says(&["was changed"]);
    assert_eq!(env.read("out/book/2 a_b: _c?.flac"), b"mine");
    again("--if-exists overwrite", "in/book.m4b");
    // What is there and not ours is not touched.
    env.write("new/book/4 The End.flac", "theirs");
    env.refuses(
        "in new --format flac --speed 2 --split chapters",
        2,
        &["4 The End.flac"],
    );
    assert_eq!(env.files("new"), ["book/4 The End.flac"]);
}

#[test]
fn chapters_that_are_gone_go_and_so_do_those_of_books_that_are_gone() {
    let env = book();
    let command = "in out --format flac --speed 2 --split chapters";
    env.run(command).succeeds();
    env.copy_recording("speech-8k-mono", "in/other.wav");
    // The same book with two chapters.
    env.write(
        "two.txt",
        ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=3\ntitle=Start\n[CHAPTER]\nTIMEBASE=1/1\nSTART=3\nEND=7\ntitle=Rest\n",
    );
    let args = "-v error -y -i in/book.m4b -i two.txt -map 0:a -map_metadata 1 -map_chapters 1 -c copy in/new.m4b";
    env.tool("ffmpeg", args.split(' '));
    std::fs::rename(env.path("in/new.m4b"), env.path("in/book.m4b")).unwrap();
    env.run(command).succeeds().says(&[
        "other.wav: it has no chapters",
        "3 Chapter 3.flac was a chapter before",
    ]);
    assert_eq!(
        env.files("out"),
        ["book/1 Start.flac", "book/2 Rest.flac", "other.flac"]
    );
    std::fs::remove_file(env.path("in/book.m4b")).unwrap();
    env.run(&format!("{command} --prune"))
        .succeeds()
        .says(&["2 removed"]);
    assert_eq!(env.files("out"), ["other.flac"]);
}

#[test]
fn two_books_never_share_a_folder() {
    let env = book();
    std::fs::copy(env.path("in/book.m4b"), env.path("in/book.m4a")).unwrap();
    env.refuses(
        "in out --format mp3 --speed 2 --split chapters",
        2,
        &["book.m4a", "book.m4b"],
    );
    env.refuses(
        "in/book.m4b out.mp3 --speed 2 --split chapters",
        2,
        &["--split", "folder"],
    );
    env.refuses(
        "- out.mp3 --speed 2 --split chapters",
        2,
        &["--split does not work with -"],
    );
    std::fs::remove_file(env.path("in/book.m4a")).unwrap();
    env.run("in out --format mp3 --speed 2 --split chapters --portable-names --suffix _fast")
        .succeeds();
    let names = ["1 Intro", "2 a_b_ _c_", "3 Chapter 3", "4 The End"];
    assert_eq!(
        env.files("out"),
        names.map(|name| format!("book/{name}_fast.mp3"))
    );
    env.run("in plan --format mp3 --speed 2 --split chapters --dry-run")
        .succeeds()
        .prints(&["in/book.m4b -> plan/book/1 Intro.mp3 and 3 more"]);
}

#[test]
fn subtitles_are_divided_and_what_cannot_be_is_told() {
    let env = book();
    let cue = |n: u32, from: u32, to: u32| {
        format!(
            "{n}\n00:00:0{},{:03} --> 00:00:0{},{:03}\nword {n}\n\n",
            from / 1000,
            from % 1000,
            to / 1000,
            to % 1000
        )
    };
    env.write(
        "in/book.srt",
        [cue(1, 100, 900), cue(2, 2300, 2800), cue(3, 6600, 6900)].concat(),
    );
    env.write(
        "in/book.cue",
        "FILE \"book.m4b\" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n",
    );
    env.write("in/book.vtt", "WEBVTT\n\n00:01.000 --> 00:xx\nbroken\n");
    env.write("in/book.json", "{\"just\": \"a file\"}");
    env.run("in out --format wav --ratio 0.5 --split chapters -v")
        .succeeds()
        .says(&[
            "moved in/book.srt to out/book/1 Intro.srt",
            "left in/book.cue: it cannot be divided among chapters",
            "left in/book.vtt: it cannot be read in line 3",
            "left in/book.json: it has no times",
            "warning: in/book.m4b: book.vtt beside the input was left behind: it cannot be read in line 3",
        ]);
    let texts: Vec<String> = (env.files("out").into_iter())
        .filter(|name| name.ends_with(".srt"))
        .collect();
    assert_eq!(
        texts,
        [
            "book/1 Intro.srt",
            "book/2 a_b: _c?.srt",
            "book/4 The End.srt"
        ]
    );
    let text = |name: &str| String::from_utf8(env.read(format!("out/book/{name}.srt"))).unwrap();
    let (first, second) = (text("1 Intro"), text("2 a_b: _c?"));
    assert!(first.contains("word 1") && first.contains("word 2") && !first.contains("word 3"));
    // The cue that lies across both begins with the second part.
    assert!(
        second.starts_with("2\n00:00:00,000 --> 00:00:00,1"),
        "{second}"
    );
    assert!(
        text("4 The End").starts_with("3\n00:00:00,0"),
        "{}",
        text("4 The End")
    );
    let report = env.report("out");
    assert_eq!(files(&report)[0]["sidecars"].as_array().unwrap().len(), 6);
    env.run("report show out -v")
        .prints(&["moved in/book.srt to", "chapter out/book/4 The End.wav"]);
    env.run("in out --format wav --ratio 0.5 --split chapters")
        .succeeds()
        .says(&["1 up to date"]);
}
