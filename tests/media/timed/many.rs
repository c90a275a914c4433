//! Three hundred chapters, more than fit into the single byte that some formats use for the count.

use std::collections::BTreeMap;

use audiostretchy::Format;
use lofty::id3::v2::Frame;

use super::*;

const COUNT: usize = 300;
const SPACING: f64 = 0.1;
/// The last chapter starts after the end of the audio.
const SECONDS: f64 = 29.81;

fn title(index: usize) -> String {
    match index % 7 {
        3 => String::new(),
        _ => format!("Größe 漢字 {index}"),
    }
}

/// Makes a file with all the chapters, with ffmpeg, or with metaflac where ffmpeg cannot write
/// them.
fn source(folder: &Folder, name: &str) -> PathBuf {
    let path = folder.path(name);
    let text = path.to_str().unwrap();
    let tone = format!("sine=300:d={SECONDS}:r=16000");
    let tone = ["-v", "error", "-y", "-f", "lavfi", "-i", &tone];
    let mut list = String::from(";FFMETADATA1\n");
    let mut fields = String::new();
    for index in 0..COUNT {
        let start = (index as f64 * SPACING * 1000.0).round() as usize;
        let (end, title) = (start + 100, title(index));
        list += &format!("[CHAPTER]\nTIMEBASE=1/1000\nSTART={start}\nEND={end}\ntitle={title}\n");
        let time = format!("00:00:{:02}.{:03}", start / 1000, start % 1000);
        fields += &format!("CHAPTER{index:03}={time}\nCHAPTER{index:03}NAME={title}\n");
    }
    if name.ends_with("flac") {
        run("ffmpeg", &[&tone[..], &[text]].concat());
        let fields = folder.write("fields.txt", fields.as_bytes());
        let import = format!("--import-tags-from={}", fields.display());
        run("metaflac", &["--no-utf8-convert", &import, text]);
    } else {
        let list = folder.write("list.txt", list.as_bytes());
        let list = ["-i", list.to_str().unwrap(), "-map_chapters", "1", text];
        run("ffmpeg", &[&tone[..], &list].concat());
    }
    path
}

#[test]
fn three_hundred_chapters_arrive_in_every_format() {
    let folder = Folder::new();
    for input in ["in.mp3", "in.flac", "in.m4a", "in.mkv"] {
        let source = source(&folder, input);
        for format in Format::ALL {
            let output = folder.path(&format!("out.{}", format.extensions()[0]));
            let done = convert(&source, &output, &at_half());
            let what = format!("{input} to {}", format.name());
            let found = chapters(&output);
            assert_eq!(found.len(), COUNT - 1, "{what}");
            for (index, (start, found)) in found.iter().enumerate() {
                // If an ID3v2 chapter has no title, ffprobe shows its element ID.
                let is_name = found == &format!("ch{index}") || found == &format!("chp{index}");
                let found = if is_name { "" } else { found };
                assert_eq!(found, title(index), "{what}");
                done.assert_moved(index as f64 * SPACING, *start, &what);
            }
            assert!(done.codes().contains(&"chapters-past-end"), "{what}");
            if format == Format::Mp3 {
                every_chapter_is_in_one_table(&output);
            }
        }
    }
}

fn every_chapter_is_in_one_table(path: &Path) {
    let (mut listed, mut chapters, mut top) = (BTreeMap::new(), Vec::new(), Vec::new());
    for frame in &id3::read(path) {
        match frame {
            Frame::Chapter(chapter) => chapters.push(chapter.id.to_string()),
            Frame::TableOfContents(toc) => {
                assert!(toc.flags.ordered);
                if toc.flags.top_level {
                    top.push(toc.id.to_string());
                } else {
                    chapters.push(toc.id.to_string());
                }
                for entry in toc.entries.iter() {
                    *listed.entry(entry.to_string()).or_insert(0) += 1;
                }
            }
            _ => {}
        }
    }
    assert_eq!(top.len(), 1);
    assert!(chapters.len() > COUNT);
    assert_eq!(listed.len(), chapters.len());
    assert!(chapters.iter().all(|id| listed.get(id) == Some(&1)));
}
