//! `--duration`, `--durations` and `--exact-length`.

use crate::env::TestEnv;

/// Returns the frames that ffmpeg decodes, and the sample rate.
///
/// It plays M4A, its own too, to the end of the last packet, but tells the length right.
fn frames(env: &TestEnv, name: &str) -> (u64, u32) {
    let probed = env.probe(name);
    let rate = probed["sample_rate"].as_str().unwrap().parse().unwrap();
    let channels = probed["channels"].as_u64().unwrap();
    let frames = match name.ends_with(".m4a") {
        true => probed["duration_ts"].as_u64().unwrap(),
        false => env.decode(name).len() as u64 / channels,
    };
    (frames, rate)
}

#[test]
fn every_output_of_any_format_lasts_as_long_as_asked() {
    let env = TestEnv::new();
    env.copy_recording("speech-8k-mono", "in/low.wav");
    env.copy_recording("speech-44k-stereo", "in/high.wav");
    // One by its number of seconds, one as a clock, one with units.
    let given = [("2.3451", 2.3451), ("0:01.75", 1.75), ("3s", 3.0)];
    let formats = ["wav", "aiff", "flac", "mp3", "m4a", "ogg", "opus"];
    for (turn, format) in formats.into_iter().enumerate() {
        let engines = [("--engine tdhs", given[0]), ("--engine adaptive", given[1])];
        // Each format by one of the engines, WAV by both.
        for (number, (options, (length, seconds))) in engines.into_iter().enumerate() {
            if turn > 0 && turn % 2 != number {
                continue;
            }
            let out = format!("{format}{number}");
            env.run(&format!(
                "in {out} --duration {length} --format {format} {options}"
            ))
            .succeeds();
            for file in &env.report(&out)["files"].as_array().unwrap()[..] {
                let output = file["output"].as_str().unwrap();
                // Opus tells 48 kHz whatever it was made from.
                let made_at = file["result"]["sample_rate"].as_u64().unwrap();
                let wanted = (seconds * made_at as f64).round() as u64;
                let (frames, rate) = frames(&env, output);
                let frames = frames * made_at / u64::from(rate);
                assert_eq!(frames, wanted, "{output} {options}");
                assert_eq!(file["result"]["frames"], wanted, "{output}");
            }
        }
    }
    env.run("in resampled --duration 3s --sample-rate 48000 -p music")
        .succeeds();
    for file in env.report("resampled")["files"].as_array().unwrap() {
        let output = file["output"].as_str().unwrap();
        assert_eq!(frames(&env, output), (144_000, 48_000));
    }
}

#[test]
fn a_length_that_cannot_be_had_fails_that_file_alone() {
    let env = TestEnv::new();
    env.copy_recording("speech-8k-mono", "in/a.wav");
    env.write("in/none.wav", "");
    env.write("list.csv", "in/a.wav,100\nin/b.wav,2\nin/none.wav,1\n");
    env.copy_recording("speech-8k-mono", "in/b.wav");
    env.run("in out --durations list.csv")
        .exits(1)
        .says(&["duration is 100 s: it must be from"]);
    assert!(!env.exists("out/a.wav") && env.exists("out/b.wav"));
    let report = env.report("out");
    let file = |name: &str| {
        let files = report["files"].as_array().unwrap();
        files
            .iter()
            .find(|file| file["input"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(file("in/a.wav")["error"]["code"], "invalid-parameter");
    assert_eq!(file("in/b.wav")["status"], "done");
    // A dry run tells the same.
    env.run("in new --durations list.csv --dry-run")
        .prints(&["duration is 100 s"]);
}

#[test]
fn exact_length_makes_outputs_as_long_as_the_ratio_says() {
    let env = TestEnv::new();
    env.copy_recording("speech-44k-stereo", "in.wav");
    let (input, rate) = frames(&env, "in.wav");
    for ratio in [0.3, 0.75, 1.3, 3.7] {
        let run = |options: &str| {
            env.run(&format!(
                "in.wav out.wav --ratio {ratio} --if-exists overwrite {options}"
            ))
            .succeeds();
            frames(&env, "out.wav").0
        };
        let wanted = ratio * input as f64;
        assert_ne!(run(""), wanted.round() as u64, "{ratio}: exact by chance");
        assert_eq!(run("--exact-length"), wanted.round() as u64);
        let other = wanted * 32_000.0 / f64::from(rate);
        assert_eq!(
            run("--exact-length --sample-rate 32000"),
            other.round() as u64
        );
    }
}

#[test]
fn chapters_and_subtitles_go_where_their_words_go() {
    let env = TestEnv::new();
    env.copy_recording("speech-44k-stereo", "in/talk.wav");
    env.write("in/talk.srt", "1\n00:00:00,500 --> 00:00:01,000\nword\n");
    env.run(&format!(
        "in out --duration {:.3}",
        env.seconds("in/talk.wav") / 2.0
    ))
    .succeeds();
    let moved = String::from_utf8(env.read("out/talk.srt")).unwrap();
    let times: Vec<f64> = (moved.split("00:00:00,").skip(1))
        .map(|time| time[..3].parse().unwrap())
        .collect();
    assert!((times[0] - 250.0).abs() < 25.0, "{moved}");
    assert!((times[1] - 500.0).abs() < 25.0, "{moved}");
}

#[test]
fn a_list_of_durations_has_a_line_for_each_input() {
    let env = TestEnv::new();
    for name in ["in/a, b.wav", "in/c.wav", "in/deep/d.wav"] {
        env.copy_recording("speech-8k-mono", name);
    }
    // A header, quotes, a path that goes another way, Windows line ends.
    env.write(
        "list.csv",
        "path,seconds\r\n\"in/a, b.wav\",1.5\r\n./in/deep/../c.wav,0:02\r\nin/deep/d.wav,2500ms\r\n",
    );
    env.run("in out --durations list.csv --format flac")
        .succeeds();
    for (name, seconds) in [("a, b", 1.5), ("c", 2.0), ("deep/d", 2.5)] {
        let (frames, rate) = frames(&env, &format!("out/{name}.flac"));
        assert_eq!(frames as f64, seconds * f64::from(rate), "{name}");
    }
    // Only what has another length now is made again.
    env.run("in out --durations list.csv --format flac")
        .says(&["3 up to date"]);
    env.write(
        "list.csv",
        "in/c.wav,2\n\"in/a, b.wav\",1.6\nin/deep/d.wav,2.5\n",
    );
    env.run("in out --durations list.csv --format flac")
        .succeeds()
        .says(&["1 done", "2 up to date"]);

    for (list, message) in [
        (
            "in/c.wav,2\nin/deep/d.wav,2\n",
            "list.csv: no line for in/a, b.wav",
        ),
        (
            "\"in/a, b.wav\",1\nin/c.wav,2\nin/deep/d.wav,2\nin/e.wav,1\n",
            "list.csv:4: in/e.wav is none of the inputs",
        ),
        (
            "\"in/a, b.wav\",1\nin/c.wav,2\nin/deep/d.wav,2\nin/../in/c.wav,2\n",
            "list.csv:4: in/../in/c.wav has a duration already, in line 2",
        ),
        (
            "in/c.wav,2\nin/a, b.wav,1\n",
            "list.csv:2: it must be a path and a length",
        ),
        (
            "in/c.wav,2\nin/deep/d.wav,soon\n",
            "list.csv:2: the length is \"soon\": it must be",
        ),
        ("in/c.wav,-2\n", "list.csv:1: the length is \"-2\""),
        ("in/c.wav,0\n", "list.csv:1: the length must be more than 0"),
        ("in/c.wav\n", "list.csv:1: it must be a path and a length"),
    ] {
        env.write("list.csv", list);
        env.refuses("in new --durations list.csv", 2, &[message]);
        assert!(!env.exists("new"));
    }
    env.refuses(
        "in new --durations nowhere.csv",
        2,
        &["cannot read", "nowhere.csv"],
    );
}

#[test]
fn lengths_exclude_what_else_decides_about_them() {
    let env = TestEnv::new();
    env.copy_recording("speech-8k-mono", "in/a.wav");
    env.write("list.csv", "in/a.wav,1.5\n");
    env.write("mine.toml", "duration = \"1.5s\"\n");
    env.write("fixed.toml", "extends = \"speech\"\ngap_ratio = 0.5\n");
    for (options, message) in [
        ("--duration 2 --speed 2", "cannot be used with"),
        ("--durations list.csv --ratio 2", "cannot be used with"),
        ("--durations list.csv --duration 2", "cannot be used with"),
        (
            "--duration 2 --max-pause 1",
            "--max-pause lets pauses decide",
        ),
        (
            "--duration 2 --gap-scale 0.5",
            "--gap-scale lets pauses decide",
        ),
        (
            "--exact-length --ratio 2 --gap-ratio 0.5",
            "--gap-ratio lets pauses decide",
        ),
        (
            "--durations list.csv -p podcast",
            "gap_scale lets pauses decide",
        ),
        (
            "--duration 2 -p fixed.toml",
            "fixed.toml:2: gap_ratio lets pauses decide",
        ),
        (
            "--duration 2 --suffix _{speed}",
            "{speed} stands for one speed",
        ),
        (
            "--durations list.csv --suffix _{speed}",
            "{speed} stands for one speed",
        ),
        ("--duration 0", "from 0.001"),
        ("--duration 1:75", "it must be a length of time"),
        ("--duration -1", "it must be a length of time"),
    ] {
        env.refuses(&format!("in out {options}"), 2, &[message]);
    }
    // Off is off, and lengths win over a preset's speed, whose other settings stay.
    env.run("in out --duration 2 -p podcast --gap-ratio 0")
        .succeeds();
    assert_eq!(env.report("out")["files"][0]["result"]["seconds"], 2.0);
    env.run("in own -p mine.toml").succeeds();
    assert_eq!(env.report("own")["files"][0]["result"]["seconds"], 1.5);
    env.run("in faster -p mine.toml --speed 2").succeeds();
    assert_ne!(env.report("faster")["files"][0]["result"]["seconds"], 1.5);
    env.run("in one -p fast --durations list.csv").succeeds();
    assert_eq!(env.report("one")["files"][0]["result"]["seconds"], 1.5);
}

#[test]
fn times_are_written_alike_everywhere() {
    let env = TestEnv::new();
    env.copy_recording("speech-8k-mono", "in/a.wav");
    env.run("in out --speed 2 --timeout 1:00 --max-duration-per-file 90 --max-pause 400ms")
        .succeeds();
    env.refuses(
        "in new --speed 2 --timeout soon",
        2,
        &["it must be a length of time"],
    );
    env.refuses("in new --speed 2 --timeout 0", 2, &["more than 0"]);
}
