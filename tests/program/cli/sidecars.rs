//! Text files beside audio, whose times move along with it.

use serde_json::{Value, json};

use crate::env::TestEnv;

#[test]
fn subtitles_annotations_and_transcripts_of_all_kinds_move_along() {
    let env = TestEnv::new();
    env.create_folder("in");
    let tone = "-R -n -r 8000 -c 1 in/a.wav synth 8 sine 200";
    env.tool("sox", tone.split(' '));
    let events = "[Events]\nFormat: Layer, Start, End, Style, Text\n";
    env.write(
        "in/a.ass",
        format!("{events}Dialogue: 0,0:00:02.00,0:00:04.00,Default,Hello, you\n"),
    );
    env.write("in/a.sbv", "0:00:02.000,0:00:04.000\nHello\n");
    env.write(
        "in/a.TextGrid",
        "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\nxmin = 0\nxmax = 8\n\
         tiers? <exists>\nsize = 1\nitem []:\n    item [1]:\n        class = \"IntervalTier\"\n        \
         name = \"words\"\n        xmin = 0\n        xmax = 8\n        intervals: size = 1\n        \
         intervals [1]:\n            xmin = 2\n            xmax = 4\n            text = \"Hello\"\n",
    );
    let word = json!({"word": "Hello", "start": 2.0, "end": 4.0, "probability": 0.9});
    let unaligned = json!({"word": "you"});
    let segment = json!({"id": 0, "start": 2.0, "end": 4.0, "words": [word, unaligned]});
    env.write(
        "in/a.json",
        json!({"text": "Hello", "segments": [segment]}).to_string(),
    );
    env.write("in/a labels.txt", "2.000000\t4.000000\tHello\n");
    env.run("in out --ratio 0.5 --engine adaptive").succeeds();
    let text = |name: &str| String::from_utf8(env.read(format!("out/{name}"))).unwrap();
    let near = |time: f64, expected: f64| assert!((time - expected).abs() < 0.015, "{time}");
    let seconds = |time: &str| -> f64 {
        let parts = time.split(':').map(|part| part.parse::<f64>().unwrap());
        parts.fold(0.0, |sum, part| 60.0 * sum + part)
    };
    let ass = text("a.ass");
    let line = ass.strip_prefix(events).unwrap();
    let fields: Vec<&str> = line.trim_end().splitn(5, ',').collect();
    near(seconds(fields[1]), 1.0);
    near(seconds(fields[2]), 2.0);
    assert_eq!(fields[4], "Hello, you");
    let labels = text("a labels.txt");
    let fields: Vec<&str> = labels.trim_end().split('\t').collect();
    near(fields[0].parse().unwrap(), 1.0);
    near(fields[1].parse().unwrap(), 2.0);
    let sbv = text("a.sbv");
    let (start, end) = sbv.lines().next().unwrap().split_once(',').unwrap();
    near(seconds(start), 1.0);
    near(seconds(end), 2.0);
    let grid = text("a.TextGrid");
    let times: Vec<f64> = (grid.lines())
        .filter_map(|line| line.trim().strip_prefix("xm")?.split_once("= "))
        .map(|(_, time)| time.parse().unwrap())
        .collect();
    for (time, expected) in times.iter().zip([0.0, 4.0, 0.0, 4.0, 1.0, 2.0]) {
        near(*time, expected);
    }
    let json: Value = serde_json::from_str(&text("a.json")).unwrap();
    let segment = &json["segments"][0];
    near(segment["start"].as_f64().unwrap(), 1.0);
    near(segment["words"][0]["end"].as_f64().unwrap(), 2.0);
    assert_eq!(segment["words"][1]["word"], "you");
    assert_eq!(segment["words"][0]["probability"], 0.9);
}

#[test]
fn what_does_not_parse_is_left_behind_with_a_warning() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.write("in/a.ass", "Dialogue: 0,0:00:0x.00,0:00:04.00,Hello\n");
    env.write("in/a.sbv", "Hello\n");
    env.write("in/a.TextGrid", "\"ooTextFile\"\n\"TextGrid\"\n0\n8\n");
    env.run("in out --ratio 0.8").succeeds();
    let report = env.report("out");
    let warnings = report["files"][0]["warnings"].as_array().unwrap();
    let codes: Vec<_> = warnings.iter().map(|warning| &warning["code"]).collect();
    assert_eq!(codes, ["sidecar-unreadable"; 3]);
    assert_eq!(env.files("out"), ["a.wav"]);
}

#[test]
fn each_language_is_a_file_of_its_own() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/a.b.wav"]);
    let cue = "1\n00:00:00,100 --> 00:00:00,200\nHello\n";
    let names = [
        "a.srt",
        "a.en.srt",
        "a.pt-BR.vtt",
        "a.en.forced.srt",
        "a.b.en.srt",
        "a.b.srt",
    ];
    for name in names {
        let head = if name.ends_with("vtt") {
            "WEBVTT\n\n"
        } else {
            ""
        };
        env.write(format!("in/{name}"), format!("{head}{cue}"));
    }
    env.run("in out --ratio 0.5 --suffix _2x").succeeds();
    assert_eq!(
        env.files("out"),
        [
            "a.b_2x.en.srt",
            "a.b_2x.srt",
            "a.b_2x.wav",
            "a_2x.en.forced.srt",
            "a_2x.en.srt",
            "a_2x.pt-BR.vtt",
            "a_2x.srt",
            "a_2x.wav"
        ]
    );
    env.run("in out --ratio 0.5 --suffix _2x")
        .succeeds()
        .says(&["2 up to date"]);
    // A language that comes later is a reason to make the file again.
    env.write("in/a.de.srt", cue);
    env.run("in out --ratio 0.5 --suffix _2x").succeeds();
    assert!(env.exists("out/a_2x.de.srt"));
}
