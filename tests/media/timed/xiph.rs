//! FLAC and Matroska.

use lofty::file::TaggedFileExt;
use lofty::tag::ItemKey;

use super::*;

#[test]
fn a_cue_sheet_is_moved() {
    let folder = Folder::new();
    folder.tone("tone.flac", 4);
    let sheet = "FILE \"tone.flac\" FLAC\n\
        TRACK 01 AUDIO\n    INDEX 01 00:00:00\n\
        TRACK 02 AUDIO\n    INDEX 00 00:01:00\n    INDEX 01 00:01:37\n\
        TRACK 03 AUDIO\n    INDEX 01 00:03:00\n";
    let sheet = folder.write("tone.txt", sheet.as_bytes());
    let input = folder.path("tone.flac");
    let import = format!("--import-cuesheet-from={}", sheet.display());
    run(
        "metaflac",
        &["--no-cued-seekpoints", &import, input.to_str().unwrap()],
    );
    let output = folder.path("out.flac");
    let done = convert(&input, &output, &at_half());
    run("flac", &["-ts", output.to_str().unwrap()]);
    let list = ["--list", "--block-type=CUESHEET", output.to_str().unwrap()];
    let list = String::from_utf8(run("metaflac", &list)).unwrap();
    let offsets = list
        .lines()
        .filter_map(|line| line.trim().strip_prefix("offset: "));
    let offsets: Vec<f64> = offsets.map(|offset| offset.parse().unwrap()).collect();
    // Track 1 and its index, track 2 and its two indexes, track 3 and its index, the lead-out.
    let expected = [0.0, 0.0, 1.0, 0.0, 37.0 / 75.0, 3.0, 0.0, 4.0];
    assert_eq!(offsets.len(), expected.len(), "{list}");
    for at in [0, 2, 5, 7] {
        done.assert_moved(expected[at], offsets[at] / 44_100.0, "track");
    }
    let second = (offsets[2] + offsets[4]) / 44_100.0;
    done.assert_moved(1.0 + expected[4], second, "index 1 of track 2");
    let frames = done.map["output_frames"].as_f64().unwrap();
    assert_eq!(offsets[7], frames);

    // In other formats the tracks become chapters.
    let other = folder.path("out.mp3");
    let done = convert(&input, &other, &at_half());
    let found = chapters(&other);
    assert_eq!(found.len(), 3);
    done.assert_moved(1.0 + expected[4], found[1].0, "chapter");
}

#[test]
fn the_gain_stays_and_the_peak_goes() {
    let folder = Folder::new();
    folder.tone("tone.flac", 4);
    let input = folder.path("tone.flac");
    let fields = [
        "--set-tag=LENGTH=4000",
        "--set-tag=BPM=120.0",
        "--add-replay-gain",
    ];
    run(
        "metaflac",
        &[&fields[..2], &[input.to_str().unwrap()]].concat(),
    );
    run("metaflac", &[fields[2], input.to_str().unwrap()]);
    for end in ["flac", "mp3", "ogg", "m4a"] {
        let output = folder.path(&format!("out.{end}"));
        let done = convert(&input, &output, &at_half());
        let file = lofty::read_from_path(&output).unwrap();
        let tag = file.primary_tag().unwrap();
        let gain = tag.get_string(ItemKey::ReplayGainTrackGain);
        assert!(
            gain.is_some_and(|gain| gain.ends_with(" dB")),
            "{end}: {gain:?}"
        );
        assert_eq!(tag.get_string(ItemKey::ReplayGainTrackPeak), None, "{end}");
        if end == "flac" {
            let length: f64 = probed_tag(&output, "LENGTH").parse().unwrap();
            assert!((length / 1000.0 - done.seconds()).abs() < 0.001);
            assert_eq!(probed_tag(&output, "BPM"), "240.00");
        }
    }
}

#[test]
fn chapters_that_ffmpeg_writes_into_matroska_are_moved() {
    let folder = Folder::new();
    let list = ";FFMETADATA1\ntitle=漢字\n\
        [CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=Intro\n\
        [CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND=2500\ntitle=\n\
        [CHAPTER]\nTIMEBASE=1/1000\nSTART=2500\nEND=4000\ntitle=Схід\n";
    let list = folder.write("list.txt", list.as_bytes());
    let list = list.to_str().unwrap();
    let source = [
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "sine=300:d=4",
        "-i",
        list,
    ];
    for name in ["in.mkv", "in.mka", "in.webm"] {
        let input = folder.path(name);
        let path = [input.to_str().unwrap()];
        run(
            "ffmpeg",
            &[&source[..], &["-map_metadata", "1"], &path].concat(),
        );
        assert_eq!(chapters(&input).len(), 3);
        for end in ["flac", "opus", "wav"] {
            let output = folder.path(&format!("out.{end}"));
            let done = convert(&input, &output, &at_half());
            let found = chapters(&output);
            let titles: Vec<_> = found.iter().map(|(_, title)| &**title).collect();
            assert_eq!(titles, ["Intro", "", "Схід"], "{name} to {end}");
            for (from, (start, _)) in [0.0, 1.0, 2.5].into_iter().zip(&found) {
                done.assert_moved(from, *start, name);
            }
        }
    }
}
