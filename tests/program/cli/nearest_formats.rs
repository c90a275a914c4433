//! Files whose own format cannot be written are written in the nearest one. M4B can be written.

use crate::env::TestEnv;

/// The names of inputs, ffmpeg's options to make them, and the extension and codec of their
/// outputs.
const SUBSTITUTED: [(&str, &str, &str, &str); 12] = [
    ("aac.aac", "-c:a aac", "m4a", "aac"),
    ("aac.mp4", "-c:a aac", "m4a", "aac"),
    ("alac.caf", "-c:a alac", "flac", "flac"),
    ("alac.mp4", "-c:a alac", "flac", "flac"),
    ("opus.mka", "-c:a libopus -ar 48000", "opus", "opus"),
    ("opus.webm", "-c:a libopus -ar 48000", "opus", "opus"),
    ("vorbis.mka", "-c:a libvorbis", "ogg", "vorbis"),
    ("flac.mka", "-c:a flac", "flac", "flac"),
    ("pcm.w64", "-c:a pcm_s16le", "wav", "pcm_s16le"),
    ("pcm.au", "-c:a pcm_s16be", "wav", "pcm_s16le"),
    ("pcm.caf", "-c:a pcm_s24le", "wav", "pcm_s24le"),
    ("two.mp2", "-c:a mp2", "mp3", "mp3"),
];

#[test]
fn what_cannot_be_written_goes_to_the_format_that_holds_its_codec() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    for (name, options, ..) in SUBSTITUTED {
        let folder = name.replace('.', "-");
        let options = format!("-t 0.3 {options}");
        env.encode_recording("speech-16k-mono", &format!("in/{folder}/{name}"), &options);
    }
    let run = env.run("in out --ratio 0.8").succeeds();
    let report = env.report("out");
    for (name, _, extension, codec) in SUBSTITUTED {
        let (stem, own) = name.split_once('.').unwrap();
        let folder = name.replace('.', "-");
        let output = format!("out/{folder}/{stem}.{extension}");
        assert_eq!(env.probe(&output)["codec_name"], codec, "{name}");
        let files = report["files"].as_array().unwrap();
        let file = files.iter().find(|file| file["output"] == *output).unwrap();
        assert_eq!(file["warnings"][0]["code"], "format-substituted", "{file}");
        let warning = format!(
            "warning: in/{folder}/{name}: .{own} files cannot be written: the output is {extension}"
        );
        assert!(run.stderr.contains(&warning), "{warning}\n{run}");
    }
    let done = env.run("in out --ratio 0.8").succeeds();
    done.says(&["13 up to date"]);
}

#[test]
fn what_is_no_audio_fails_alone_whatever_it_is_called() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.write("in/b.mka", "no audio");
    let run = env.run("in out --ratio 0.8").exits(1);
    run.says(&["1 done, 1 failed", "failed: in/b.mka: not audio"]);
    assert_eq!(env.files("out"), ["a.wav"]);
}

#[test]
fn names_that_clash_because_of_that_are_collisions() {
    let env = TestEnv::new();
    env.encode_recording("speech-16k-mono", "in/a.mka", "-t 0.3 -c:a flac");
    env.encode_recording("speech-16k-mono", "in/a.flac", "-t 0.3");
    let pieces = [
        "in/a.flac",
        "in/a.mka",
        "would both be written to out/a.flac",
    ];
    env.refuses("in out --ratio 0.8", 2, &pieces);
}

#[test]
fn a_format_that_is_named_is_no_substitute() {
    let env = TestEnv::new();
    env.encode_recording("speech-16k-mono", "in/a.mka", "-t 0.3 -c:a flac");
    let run = env
        .run("in out --ratio 0.8 --format mp3 --strict")
        .succeeds();
    assert!(!run.stderr.contains("warning"), "{run}");
    assert_eq!(env.files("out"), ["a.mp3"]);
}

#[test]
fn audio_books_stay_audio_books_and_are_written_on_demand() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "books/b.m4a"]);
    std::fs::rename(env.path("books/b.m4a"), env.path("books/b.m4b")).unwrap();
    env.run("books kept --ratio 0.8").succeeds();
    env.run("in made --format m4b --ratio 0.8").succeeds();
    env.run("in/a.wav single.m4b --ratio 0.8").succeeds();
    for book in ["kept/b.m4b", "made/a.m4b", "single.m4b"] {
        let probed = env.probe(book);
        assert_eq!(probed["codec_name"], "aac", "{book}");
        assert_eq!(probed["format"]["tags"]["major_brand"], "M4B ", "{book}");
    }
    env.run("in song --format m4a --ratio 0.8").succeeds();
    assert_eq!(
        env.probe("song/a.m4a")["format"]["tags"]["major_brand"],
        "M4A "
    );
}
