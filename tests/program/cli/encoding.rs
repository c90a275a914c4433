//! How outputs are encoded: by any number of workers alike, with more or less effort, and at bit
//! rates that do not disappoint.

use audiostretchy::Format;

use crate::env::TestEnv;

/// Makes a sound with sox.
fn make(env: &TestEnv, arguments: &str) {
    env.create_folder("in");
    env.tool(
        "sox",
        ["-R", "-n"].into_iter().chain(arguments.split_whitespace()),
    );
}

#[test]
fn the_number_of_workers_changes_no_byte() {
    let env = TestEnv::new();
    // Long enough for several chunks in every format, and a short file beside it.
    let long = "-r 24000 -c 2 in/long.wav synth 95 sine 300-900 sine 500 vol 0.5";
    make(&env, long);
    make(&env, "-r 24000 -c 1 in/short.wav synth 2 pinknoise vol 0.3");
    // Of those that are encoded in chunks.
    for format in Format::ALL {
        if matches!(format, Format::Wav | Format::Aiff | Format::M4b) {
            continue;
        }
        let name = format.name();
        for jobs in [1, 8] {
            let command = format!("in {name}{jobs} --speed 1.1 --format {name} -j {jobs}");
            env.run(&command).succeeds();
        }
        for file in ["long", "short"] {
            let read = |jobs: u32| {
                let extension = format.extensions()[0];
                env.read(format!("{name}{jobs}/{file}.{extension}"))
            };
            let alone = read(1);
            assert!(!alone.is_empty());
            assert!(read(8) == alone, "{file} as {name}");
        }
    }
}

#[test]
fn effort_acts_on_the_formats_that_have_it() {
    let env = TestEnv::new();
    env.encode_recording("speech-16k-mono", "in/a.wav", "");
    for effort in ["fast", "default", "best"] {
        for format in ["flac", "mp3", "wav"] {
            let command = format!(
                "in/a.wav {effort}.{format} --speed 1.5 --encoder-effort {effort} --if-exists overwrite"
            );
            env.run(&command).succeeds();
        }
    }
    let len = |name: &str| env.read(name).len();
    let sizes = ["fast.flac", "default.flac", "best.flac"].map(len);
    assert!(sizes[0] > sizes[1] && sizes[1] > sizes[2], "{sizes:?}");
    assert_ne!(env.read("fast.mp3"), env.read("default.mp3"));
    assert_eq!(env.read("fast.wav"), env.read("best.wav"));
    env.write("quick.toml", "speed = 1.5\nencoder_effort = \"fast\"");
    env.run("in/a.wav preset.flac -p quick.toml").succeeds();
    assert_eq!(env.read("preset.flac"), env.read("fast.flac"));
    let run = env
        .run("in/a.wav b.flac --speed 1.5 --encoder-effort extreme")
        .exits(2);
    run.says(&["extreme", "fast, default, best"]);
}

#[test]
fn what_does_not_act_makes_nothing_again() {
    let env = TestEnv::new();
    make(&env, "-r 8000 -c 1 in/a.wav synth 1 sine 200");
    env.run("in out --speed 1.5").succeeds();
    env.run("in out --speed 1.5 --encoder-effort best")
        .succeeds();
    assert_eq!(env.report("out")["files"][0]["status"], "skipped");
    env.run("in flac --speed 1.5 --format flac").succeeds();
    env.run("in flac --speed 1.5 --format flac --encoder-effort best")
        .succeeds();
    assert_eq!(env.report("flac")["files"][0]["status"], "done");
}

#[test]
fn a_bit_rate_at_which_m4a_is_dull_is_told_once() {
    let env = TestEnv::new();
    for name in ["a", "b"] {
        make(
            &env,
            &format!("-r 44100 -c 2 in/{name}.wav synth 1 pinknoise"),
        );
    }
    let codes = |folder: &str| -> Vec<String> {
        let report = env.report(folder);
        let warnings = report["warnings"].as_array().unwrap().iter();
        warnings
            .map(|warning| warning["code"].as_str().unwrap().to_owned())
            .collect()
    };
    let run = env
        .run("in low --speed 1.5 --format m4a --bitrate 96")
        .succeeds();
    run.says(&["--bitrate 160"]);
    assert_eq!(codes("low"), ["low-bitrate"]);
    env.run("in quality --speed 1.5 --format m4a --quality 3")
        .succeeds();
    assert_eq!(codes("quality"), ["low-bitrate"]);
    for (folder, options) in [
        ("default", "--format m4a"),
        ("enough", "--format m4a --bitrate 160"),
        ("opus", "--format opus --bitrate 96"),
    ] {
        env.run(&format!("in {folder} --speed 1.5 {options}"))
            .succeeds();
        assert!(codes(folder).is_empty(), "{folder}");
    }
    // A rate that is kept is nobody's choice.
    env.create_folder("kept");
    let convert = "-v error -i in/a.wav -b:a 96k kept/a.m4a";
    env.tool("ffmpeg", convert.split_whitespace());
    env.run("kept again --speed 1.5").succeeds();
    assert!(codes("again").is_empty());
}

#[test]
fn channels_are_mixed_before_the_engine() {
    let env = TestEnv::new();
    // A different tone in each of six channels; the fourth is for low frequencies.
    let tones = "synth 2 sine 300 sine 500 sine 700 sine 60 sine 1100 sine 1300 vol 0.9";
    make(
        &env,
        &format!("-r 24000 -c 6 -b 24 in/surround.wav {tones}"),
    );
    make(
        &env,
        "-r 24000 -c 2 in/stereo.wav synth 2 sine 300 sine 500 vol 0.9",
    );
    make(&env, "-r 24000 -c 1 in/mono.wav synth 2 sine 300 vol 0.9");
    for (choice, channels) in [("mono", 1), ("stereo", 2)] {
        env.run(&format!("in {choice} --speed 1.25 --channels {choice}"))
            .succeeds();
        let report = env.report(choice);
        for (at, name) in ["mono", "stereo", "surround"].into_iter().enumerate() {
            let file = format!("{choice}/{name}.wav");
            assert_eq!(env.probe(&file)["channels"], channels, "{file}");
            assert!((env.seconds(&file) - 1.6).abs() < 0.05, "{file}");
            assert_eq!(report["files"][at]["result"]["channels"], channels);
        }
    }
    // At ratio 1, sox mixes alike.
    env.run("in/stereo.wav same.wav --ratio 1 --channels mono")
        .succeeds();
    env.tool("sox", ["-D", "in/stereo.wav", "sox.wav", "remix", "1,2"]);
    let pairs = env
        .decode("same.wav")
        .into_iter()
        .zip(env.decode("sox.wav"));
    assert!(
        pairs
            .into_iter()
            .all(|(ours, theirs)| (ours - theirs).abs() <= 1)
    );
    // Nothing of the low frequencies is left.
    let rms = |band: &str| -> f64 {
        let arguments = format!("stereo/surround.wav -n sinc {band} stat");
        let output = std::process::Command::new("sox")
            .args(arguments.split(' '))
            .current_dir(env.path(""))
            .output()
            .unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        let line = text
            .lines()
            .find(|line| line.starts_with("RMS     amplitude"))
            .unwrap();
        line.split_whitespace().last().unwrap().parse().unwrap()
    };
    assert!(rms("-100") < 0.01 * rms("200"));
}

#[test]
fn the_preset_for_phones_makes_small_files() {
    let env = TestEnv::new();
    make(&env, "-r 44100 -c 2 in/a.wav synth 3 pinknoise vol 0.5");
    env.run("in out -p phone").succeeds();
    let probe = env.probe("out/a.mp3");
    assert_eq!(probe["channels"], 1);
    assert_eq!(probe["sample_rate"], "24000");
    let bytes = env.read("out/a.mp3").len() as f64;
    assert!(bytes * 8.0 / env.seconds("out/a.mp3") < 60_000.0);
}
