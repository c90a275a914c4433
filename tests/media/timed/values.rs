//! Fields with several values, and chapters whose times are written in other forms.

use super::*;

/// Returns the values that mutagen finds of a custom field and of the lyrics, in any format.
fn values(path: &Path) -> (Vec<String>, Vec<String>) {
    let script = "tags = file.tags\n\
        if hasattr(tags, 'getall'):\n\
        \x20   own = [str(v) for f in tags.getall('TXXX:PERFORMER') for v in f.text]\n\
        \x20   lyrics = [f.text for f in tags.getall('USLT')]\n\
        elif '\\xa9lyr' in tags.keys():\n\
        \x20   own = [bytes(v).decode() for v in tags['----:com.apple.iTunes:PERFORMER']]\n\
        \x20   lyrics = list(tags['\\xa9lyr'])\n\
        else:\n\
        \x20   own, lyrics = list(tags['PERFORMER']), list(tags['LYRICS'])\n\
        print(json.dumps([own, lyrics]))";
    serde_json::from_value(mutagen(script, path)).unwrap()
}

#[test]
fn all_values_of_a_field_arrive_in_every_format_and_back() {
    let folder = Folder::new();
    folder.tone("tone.flac", 1);
    let input = folder.path("tone.flac");
    let fields = [
        "--set-tag=PERFORMER=Ann (voice)",
        "--set-tag=PERFORMER=Бен (lute)",
        "--set-tag=LYRICS=La la",
        "--set-tag=LYRICS=Ла ла",
        "--set-tag=MINE=one",
        "--set-tag=MINE=two",
    ];
    run(
        "metaflac",
        &[&fields[..], &[input.to_str().unwrap()]].concat(),
    );
    let expected = values(&input);
    assert_eq!((expected.0.len(), expected.1.len()), (2, 2));
    for name in [
        "out.mp3", "out.wav", "out.aiff", "out.m4a", "out.ogg", "out.opus", "out.flac",
    ] {
        let output = folder.path(name);
        convert(&input, &output, &at_half());
        assert_eq!(values(&output), expected, "{name}");
        let back = folder.path("back.flac");
        convert(&output, &back, &at_half());
        assert_eq!(values(&back), expected, "{name} and back");
        assert_eq!(probed_tag(&back, "MINE"), "one;two", "{name} and back");
    }
}

#[test]
fn own_fields_that_stand_twice_in_id3_are_both_kept() {
    use super::id3::{frame, tag};

    let folder = Folder::new();
    let body = [
        frame("TXXX", b"\0PERFORMER\0Ann"),
        frame("TXXX", b"\0PERFORMER\0Ben"),
        frame(
            "TXXX",
            b"\x01\xFF\xFEM\0I\0N\0E\0\0\0\xFF\xFEa\0\0\0\xFF\xFEb\0",
        ),
        frame("USLT", b"\0eng\0La la"),
        frame("USLT", b"\0eng\0Tra la"),
    ];
    let input = [tag(&body.concat()), folder.tone("tone.mp3", 1)].concat();
    let input = folder.write("in.mp3", &input);
    let expected = (
        vec!["Ann".to_owned(), "Ben".to_owned()],
        vec!["La la".to_owned(), "Tra la".to_owned()],
    );
    for name in ["out.mp3", "out.flac", "out.m4a", "out.wav"] {
        let output = folder.path(name);
        convert(&input, &output, &at_half());
        assert_eq!(values(&output), expected, "{name}");
    }
    assert_eq!(probed_tag(&folder.path("out.flac"), "MINE"), "a;b");
}

#[test]
fn chapter_times_are_understood_however_they_are_written() {
    let folder = Folder::new();
    let forms = ["00:00:02.500", "00:02.500", "00:00:02,500", "0:02,5", "2.5"];
    for (name, codec) in [
        ("in.opus", "libopus"),
        ("in.ogg", "libvorbis"),
        ("in.oga", "flac"),
        ("in.flac", "flac"),
    ] {
        // All of them contain the same text, so one form is enough for the others.
        let forms = if name == "in.opus" {
            &forms[..]
        } else {
            &forms[2..3]
        };
        for form in forms {
            let path = folder.path(name);
            let chapter = format!("CHAPTER002={form}");
            run(
                "ffmpeg",
                &[
                    "-v",
                    "error",
                    "-y",
                    "-f",
                    "lavfi",
                    "-i",
                    "sine=300:d=4",
                    "-c:a",
                    codec,
                    "-metadata",
                    "CHAPTER001=00:00.000",
                    "-metadata",
                    "CHAPTER001NAME=One",
                    "-metadata",
                    &chapter,
                    "-metadata",
                    "CHAPTER002NAME=Two",
                    path.to_str().unwrap(),
                ],
            );
            let output = folder.path("out.mp3");
            let done = convert(&path, &output, &at_half());
            assert_eq!(done.codes(), [""; 0], "{name}: {form}");
            let found = chapters(&output);
            assert_eq!(found.len(), 2, "{name}: {form}");
            assert_eq!(found[1].1, "Two", "{name}: {form}");
            done.assert_moved(2.5, found[1].0, form);
        }
    }
}

#[test]
fn chapters_that_are_not_understood_are_told() {
    let folder = Folder::new();
    for chapter in [
        "CHAPTER002=later",
        "CHAPTER002=1:2:3:4",
        "CHAPTER002NAME=Without a time",
    ] {
        let path = folder.path("in.opus");
        run(
            "ffmpeg",
            &[
                "-v",
                "error",
                "-y",
                "-f",
                "lavfi",
                "-i",
                "sine=300:d=2",
                "-c:a",
                "libopus",
                "-metadata",
                "CHAPTER001=00:00:00.000",
                "-metadata",
                "CHAPTER001NAME=One",
                "-metadata",
                chapter,
                path.to_str().unwrap(),
            ],
        );
        let output = folder.path("out.opus");
        let done = convert(&path, &output, &at_half());
        assert_eq!(done.codes(), ["chapters-unreadable"], "{chapter}");
        assert_eq!(chapters(&output).len(), 1, "{chapter}");
    }
}

#[test]
fn all_values_of_other_families_arrive_as_well() {
    let folder = Folder::new();
    for (name, script) in [
        (
            "in.m4a",
            "file['----:com.apple.iTunes:PERFORMER'] = [b'Ann', b'Ben']\n\
             file['\\xa9lyr'] = ['La la', 'Tra la']\nfile.save()\nprint('null')",
        ),
        (
            "in.mp3",
            "import mutagen.apev2\ntags = mutagen.apev2.APEv2()\n\
             tags['PERFORMER'] = ['Ann', 'Ben']\ntags['MINE'] = ['one', 'two']\n\
             tags['Lyrics'] = ['La la', 'Tra la']\ntags.save(sys.argv[1])\nprint('null')",
        ),
        (
            "in.oga",
            "file['PERFORMER'] = ['Ann', 'Ben']\nfile['MINE'] = ['one', 'two']\n\
             file['LYRICS'] = ['La la', 'Tra la']\nfile.save()\nprint('null')",
        ),
    ] {
        folder.tone(name, 1);
        let input = folder.path(name);
        mutagen(script, &input);
        let expected = (
            vec!["Ann".to_owned(), "Ben".to_owned()],
            vec!["La la".to_owned(), "Tra la".to_owned()],
        );
        for output in ["out.mp3", "out.flac"] {
            let output = folder.path(output);
            convert(&input, &output, &at_half());
            assert_eq!(values(&output), expected, "{name} to {output:?}");
        }
        if name != "in.m4a" {
            let mine = probed_tag(&folder.path("out.flac"), "MINE");
            assert_eq!(mine, "one;two", "{name}");
        }
    }
}
