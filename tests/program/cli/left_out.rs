//! Files that are left out although they look like audio are reported and counted.

use crate::env::TestEnv;

#[test]
fn files_that_look_like_media_are_counted_and_named_on_demand() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/b.mp3", "in/deep/c.flac"]);
    for name in [
        "in/d.wma",
        "in/deep/e.MOV",
        "in/a.ttml",
        "in/other.ttml",
        "in/notes.txt",
    ] {
        env.write(name, "not looked at");
    }
    let all = "left out: 2 files (another extension was asked for), 2 files (a format that is not \
               read from folders), 1 file (subtitles that are not moved)";
    let run = env.run("in out -e wav --ratio 0.8").succeeds();
    let run = run.says(&[&format!("{all}; -v names them\n")]);
    assert!(!run.stderr.contains("d.wma"), "{run}");
    let run = env.run("in out -e wav --ratio 0.8 -v").succeeds().says(&[
        "left out: in/b.mp3: another extension was asked for\n",
        "left out: in/deep/c.flac: another extension",
        "left out: in/d.wma: a format that is not read from folders\n",
        "left out: in/deep/e.MOV: a format",
        "left out: in/a.ttml: subtitles that are not moved",
        &format!("{all}\n"),
    ]);
    for name in ["other.ttml", "notes.txt"] {
        assert!(!run.stderr.contains(name), "{run}");
    }
    let run = env.run("in out -e wav --ratio 0.8 -q").succeeds();
    assert_eq!(run.stderr, "");
    let run = env.run("in out2 --no-sidecars --ratio 0.8").succeeds();
    run.says(&["left out: 2 files (a format that is not read from folders); -v"]);
}

#[test]
fn links_are_counted_and_subtitles_in_a_language_belong_to_the_nearest_name() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/b.en.wav", "other/c.wav"]);
    for name in ["in/a.de.srt", "in/b.en.srt", "in/notes.old.srt"] {
        env.write(name, "1\n00:00:00,100 --> 00:00:00,200\nHello\n");
    }
    for (target, link) in [
        ("../other/c.wav", "c.wav"),
        ("../other", "deep"),
        ("x", "d.wav"),
    ] {
        std::os::unix::fs::symlink(target, env.path("in").join(link)).unwrap();
    }
    let run = env.run("in out --ratio 0.8 -v").succeeds().says(&[
        "left out: in/c.wav: a link; --follow takes it\n",
        "left out: in/deep: a link; --follow takes it\n",
    ]);
    for name in ["a.de.srt", "b.en.srt:", "notes", "d.wav"] {
        assert!(
            !run.stderr.contains(&format!("left out: in/{name}")),
            "{run}"
        );
    }
    assert!(env.exists("out/a.de.srt") && env.exists("out/b.en.srt"));
    assert!(!env.exists("out/notes.old.srt"));
    // One of the links is broken.
    env.run("in out --ratio 0.8 --follow").exits(1);
    assert!(env.exists("out/c.wav") && env.exists("out/deep/c.wav"));
}

#[test]
fn outputs_of_earlier_runs_are_not_left_out() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    for _ in 0..2 {
        let run = env.run("in in --format mp3 -e wav --ratio 0.8").succeeds();
        assert!(!run.stderr.contains("left out"), "{run}");
    }
}

#[test]
fn where_no_audio_is_found_the_filters_are_told() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/b.wav", "in/deep/c.mp3"]);
    env.write("in/.hidden.wav", "");
    env.write("in/.cache/d.wav", "");
    env.write("in/e.txt", "");
    for (args, left_out) in [
        (
            "-e flac",
            "; left out: 3 files by --extension, 1 hidden folder; known",
        ),
        (
            "--glob x*",
            "; left out: 3 files by --glob, 1 hidden file, 1 hidden folder; known",
        ),
        (
            "--exclude *.wav --exclude deep",
            "; left out: 2 files by --exclude, 1 folder by --exclude, 1 hidden file, 1 hidden folder; known",
        ),
        (
            "--max-depth 1 --exclude *.wav",
            "; left out: 2 files by --exclude, 1 folder by --max-depth, 1 hidden",
        ),
    ] {
        let args = format!("in out --ratio 0.8 {args}");
        env.refuses(
            &args,
            4,
            &[&format!("no audio files found in in{left_out}")],
        );
    }
    env.create_folder("empty");
    env.refuses(
        "empty out --ratio 0.8",
        4,
        &["no audio files found in empty; known"],
    );
}

#[test]
fn a_list_of_changed_files_works_as_git_gives_it() {
    let env = TestEnv::with_short_speech(&["audio/a.wav", "audio/b.mp3"]);
    env.write("README.md", "words");
    env.write("src/main.rs", "code");
    env.write(
        "list",
        "README.md\naudio/a.wav\nsrc/main.rs\naudio/gone.mp3\naudio/b.mp3\ndocs/gone.md\n",
    );
    let run = env.run("--files-from list out --ratio 0.8").exits(1);
    run.says(&[
        "left out: 3 files (listed, with no extension of audio); -v names them",
        "2 done, 1 failed",
        "failed: audio/gone.mp3: no such file or folder",
    ]);
    assert_eq!(env.files("out"), ["audio/a.wav", "audio/b.mp3"]);
    env.encode_recording("speech-16k-mono", "audio/gone.mp3", "-t 0.3");
    let rerun = "--files-from list out --ratio 0.8 --rerun-failed out/audiostretchy-report.json";
    env.run(rerun).succeeds();
    assert_eq!(env.files("out").len(), 3);
}

#[test]
fn a_list_without_audio_is_no_audio() {
    let env = TestEnv::new();
    env.write("README.md", "words");
    env.write("list", "README.md\n");
    let pieces = ["no audio files found in README.md; left out: 1 file of the list without"];
    env.refuses("--files-from list out --ratio 0.8", 4, &pieces);
    env.run("--files-from list out --ratio 0.8 --no-files pass")
        .succeeds();
}

#[test]
fn video_is_taken_by_hand_or_by_its_extension_alone() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    let picture = "-f lavfi -i color=size=32x32:duration=0.3";
    for (name, codecs) in [
        ("film.mp4", "-c:v mpeg4 -c:a aac"),
        ("film.webm", "-c:v vp8 -c:a libopus"),
        ("talk.mp4", "-vn -c:a aac"),
        ("talk.webm", "-vn -c:a libopus"),
    ] {
        let args = format!("-v error -i in/a.wav {picture} {codecs} -shortest in/{name}");
        env.tool("ffmpeg", args.split(' '));
    }
    let said = "left out: in/film.mp4: video; -e with its extension takes it\n";
    env.run("in out --ratio 0.8 -v").succeeds().says(&[said]);
    assert_eq!(env.files("out"), ["a.wav", "talk.m4a", "talk.opus"]);
    env.run("in out2 --ratio 0.8 -e mp4,webm").succeeds();
    assert_eq!(env.files("out2").len(), 4);
    env.run("in/film.mp4 out3/ --ratio 0.8").succeeds();
    assert_eq!(env.files("out3"), ["film.m4a"]);
}
