//! Faults that similar tools have, as far as no other module tests them.

use serde_json::Value;

use crate::env::TestEnv;

#[test]
fn a_bad_file_stops_nothing_and_is_told_in_the_exit_code() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/c.mp3", "in/e.flac"]);
    env.write("in/b.wav", "no audio");
    env.write("in/d.mp3", "");
    for jobs in ["1", "2"] {
        let out = format!("out{jobs}");
        let run = env.run(&format!("in {out} --ratio 0.8 -j {jobs}")).exits(1);
        run.says(&[
            "3 done, 2 failed",
            "failed: in/b.wav: ",
            "failed: in/d.mp3: ",
        ]);
        assert_eq!(env.files(&out), ["a.wav", "c.mp3", "e.flac"]);
        assert_eq!(env.report(&out)["exit_code"], 1);
        // The next run reports the failures again.
        env.run(&format!("in {out} --ratio 0.8"))
            .exits(1)
            .says(&["3 up to date, 2 failed"]);
    }
}

#[test]
fn a_misspelt_preset_key_is_refused_before_anything_is_read() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.write("p.toml", "ratio = 0.8\ngap_ration = 0.5\n");
    let pieces = ["p.toml", "2", "gap_ration", "gap_ratio"];
    env.refuses("in out --preset p.toml", 2, &pieces);
}

#[test]
fn an_input_is_never_its_own_output() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/b.wav"]);
    for if_exists in ["resume", "skip", "overwrite", "error"] {
        for paths in [
            "in in",
            "in/a.wav in",
            "in/a.wav in/a.wav",
            "in ./in/../in/",
            "in/a.wav in/b.wav in",
        ] {
            let args = format!("{paths} --ratio 0.8 --if-exists {if_exists}");
            env.refuses(&args, 2, &["is an input"]);
        }
    }
}

#[test]
fn chapters_move_with_their_audio() {
    let env = TestEnv::new();
    env.write(
        "chapters.txt",
        ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=one\n[CHAPTER]\n\
         TIMEBASE=1/1000\nSTART=1000\nEND=2500\ntitle=two\n",
    );
    let options = "-i chapters.txt -map_metadata 1 -map_chapters 1";
    env.encode_recording("speech-16k-mono", "in/a.mp3", options);
    env.run("in out --ratio 0.5").succeeds();
    let args = "-v error -of json -show_chapters out/a.mp3";
    let found: Value = serde_json::from_slice(&env.tool("ffprobe", args.split(' '))).unwrap();
    let chapters = found["chapters"].as_array().unwrap();
    let start = |index: usize| -> f64 {
        let start = chapters[index]["start_time"].as_str().unwrap();
        start.parse().unwrap()
    };
    assert_eq!(chapters.len(), 2, "{found}");
    assert_eq!(chapters[1]["tags"]["title"], "two");
    assert!(start(0) < 0.01 && (start(1) - 0.5).abs() < 0.05, "{found}");
}

#[test]
fn cue_points_and_info_of_wav_are_kept() {
    let env = TestEnv::with_speech(&["in/a.wav"]);
    let mut wav = env.read("in/a.wav");
    // One cue point at frame 20000, in the middle, and a title.
    let mut cue = b"cue \x1c\0\0\0\x01\0\0\0\x01\0\0\0".to_vec();
    let frame = 20_000u32.to_le_bytes();
    cue.extend([&frame[..], b"data", &[0; 8], &frame[..]].concat());
    wav.extend(cue);
    wav.extend(b"LIST\x12\0\0\0INFOINAM\x06\0\0\0Title\0");
    let size = (wav.len() as u32 - 8).to_le_bytes();
    wav[4..8].copy_from_slice(&size);
    env.write("in/a.wav", &wav);
    env.run("in out --ratio 0.5").succeeds();

    let output = env.read("out/a.wav");
    let find = |id: &[u8]| output.windows(id.len()).position(|found| found == id);
    let at = find(b"cue ").expect("the cue chunk is kept");
    let moved = u32::from_le_bytes(output[at + 32..at + 36].try_into().unwrap());
    assert!(moved.abs_diff(10_000) < 800, "the cue point is at {moved}");
    assert!(find(b"INAM\x06\0\0\0Title\0").is_some());
}
