//! Checks that every engine option has an effect.

use crate::env::TestEnv;

/// Creates a folder with a 16 kHz file: speech, a pause with noise at about -50 dB, and speech.
fn env_with_pauses() -> TestEnv {
    let env = TestEnv::with_short_speech(&["a.wav"]);
    let hiss = "-n -r 16000 -b 16 -c 1 hiss.wav synth 0.5 whitenoise gain -45";
    env.tool("sox", ["-R"].into_iter().chain(hiss.split(' ')));
    env.tool("sox", ["a.wav", "hiss.wav", "a.wav", "in.wav"]);
    env
}

fn output(env: &TestEnv, options: &str) -> Vec<u8> {
    env.run(&format!("in.wav out.wav --if-exists overwrite {options}"))
        .succeeds();
    env.read("out.wav")
}

#[test]
fn without_options_the_audio_stays_as_it_is() {
    let env = env_with_pauses();
    output(&env, "--ratio 1");
    assert!(env.decode("out.wav") == env.decode("in.wav"));
}

#[test]
fn every_option_changes_what_comes_out() {
    let env = env_with_pauses();
    let gaps = "-r 0.8 -g 0.5";
    for (options, option) in [
        ("--bit-depth 16", "-r 0.8"),
        ("-r 0.8", "-g 0.5"),
        ("-r 0.8", "-u 150"),
        ("-r 0.8", "-l 160"),
        ("-r 0.8", "-f"),
        ("-r 0.8", "-s 8000"),
        ("-r 0.8", "--engine adaptive"),
        ("-r 0.8 --engine adaptive", "--style music"),
        ("-r 0.8 --engine adaptive", "-g 0.5"),
        (gaps, "-b 60"),
        (gaps, "-t -60"),
    ] {
        let with = output(&env, &format!("{options} {option}"));
        let without = output(&env, options);
        assert!(with != without, "{option} changes nothing");
    }
}

#[test]
fn normal_detection_differs_from_the_default_at_high_rates_and_fast_is_the_default_there() {
    let env = TestEnv::new();
    env.encode_recording("speech-44k-mono", "in.wav", "-t 0.4");
    let [default, normal, fast] =
        ["", "-n", "-f"].map(|option| output(&env, &format!("-r 0.8 {option}")));
    assert!(normal != default, "-n changes nothing");
    assert!(fast == default, "-f is not what is done at 44.1 kHz");
}

#[test]
fn normal_detection_is_the_default_at_low_rates() {
    let env = env_with_pauses();
    assert!(output(&env, "-r 0.8 -n") == output(&env, "-r 0.8"));
}

#[test]
fn a_second_stretcher_passes_on_what_one_can_do_alone() {
    let env = env_with_pauses();
    assert!(output(&env, "-r 0.8 -g 0.5 -d") == output(&env, "-r 0.8 -g 0.5"));
}

#[test]
fn speed_is_the_inverse_of_the_ratio() {
    let env = env_with_pauses();
    assert!(output(&env, "--speed 1.25") == output(&env, "--ratio 0.8"));
}

#[test]
fn gaps_shrink_by_their_own_ratio() {
    let env = env_with_pauses();
    output(&env, "-r 1 -g 0.5 --report report.json");
    let shortened = env.seconds("in.wav") - env.seconds("out.wav");
    assert!((0.15..0.27).contains(&shortened), "{shortened} s of 0.5 s");
    let report: serde_json::Value = serde_json::from_slice(&env.read("report.json")).unwrap();
    let found = report["files"][0]["source"]["gap_seconds"]
        .as_f64()
        .unwrap();
    assert!((0.4..0.56).contains(&found), "{found} s of 0.5 s");
}

#[test]
fn ratios_beyond_a_single_stretcher_reach_their_length() {
    let env = env_with_pauses();
    for ratio in [0.25, 4.0] {
        output(&env, &format!("-r {ratio}"));
        let found = env.seconds("out.wav") / env.seconds("in.wav");
        assert!((found / ratio - 1.0).abs() < 0.15, "{found} for {ratio}");
    }
}

#[test]
fn a_preset_is_its_options_and_options_win_over_it() {
    let env = env_with_pauses();
    let options = output(&env, "-r 0.8 -u 300 -l 80 -n");
    assert!(output(&env, "-p speech -r 0.8") == options);
    env.write("mine.toml", "extends = \"speech\"\nratio = 0.6\n");
    assert!(output(&env, "-p mine.toml -r 0.8") == options);
    assert!(output(&env, "-p mine.toml") != options);
    env.write("presets/mine.toml", "extends = \"speech\"\nspeed = 1.25\n");
    assert!(output(&env, "-p mine") == options);
}

#[test]
fn snake_case_spellings_of_the_python_package_are_taken() {
    let env = env_with_pauses();
    let snake = "--gap_ratio 0.5 --upper_freq 300 --lower_freq 80 --buffer_ms 20 \
                 --threshold_gap_db -45 --double_range --fast_detection --sample_rate 8000";
    let kebab = snake.replace('_', "-");
    assert!(output(&env, &format!("-r 0.8 {snake}")) == output(&env, &format!("-r 0.8 {kebab}")));
    let snake = output(&env, "-r 0.8 --normal_detection");
    assert!(snake == output(&env, "-r 0.8 --normal-detection"));
}

#[test]
fn the_adaptive_engine_hits_the_length_to_the_frame() {
    let env = TestEnv::with_short_speech(&["in.wav"]);
    let frames = |name: &str| env.decode(name).len();
    let wanted = (frames("in.wav") as f64 * 0.7).round() as usize;
    for format in ["wav", "flac", "aiff", "mp3"] {
        let name = format!("out.{format}");
        env.run(&format!("in.wav {name} --ratio 0.7 -p natural"))
            .succeeds();
        assert_eq!(frames(&name), wanted, "{format}");
    }
}

#[test]
fn pauses_that_a_preset_makes_slower_than_the_rest_are_told() {
    let env = env_with_pauses();
    env.write("fixed.toml", "speed = 1.25\ngap_ratio = 0.5");
    let codes = |options: &str| {
        env.run(&format!("in.wav out/ --if-exists overwrite {options}"))
            .succeeds();
        let report = env.report("out");
        let warnings = report["warnings"].as_array().unwrap().iter();
        let codes = warnings.map(|warning| warning["code"].as_str().unwrap().to_owned());
        codes.collect::<Vec<_>>()
    };
    assert_eq!(codes("-p fixed.toml --speed 3"), ["slow-pauses"]);
    assert!(codes("-p fixed.toml").is_empty());
    assert!(codes("-p fixed.toml --speed 3 --gap-scale 0.8").is_empty());
    assert!(codes("-p podcast --speed 3").is_empty());
    assert!(codes("--speed 3 --gap-ratio 0.5").is_empty());
}

#[test]
fn names_in_the_suffix_are_replaced() {
    let env = env_with_pauses();
    env.run("in.wav out/ -p podcast --speed 1.5 --suffix _{preset}-{speed}x")
        .succeeds();
    assert!(env.exists("out/in_podcast-1.5x.wav"));
    env.refuses(
        "in.wav out/ --speed 2 --suffix {preset}",
        2,
        &["none is given"],
    );
    env.refuses(
        "in.wav out/ --speed 2 --suffix {date}",
        2,
        &["{date} is not known"],
    );
}

#[test]
fn long_pauses_are_shortened_and_subtitles_move_along() {
    let env = TestEnv::new();
    env.encode_recording("speech-16k-mono", "word.wav", "");
    let hiss = "-R -n -r 16000 -c 1 hiss.wav synth 5 whitenoise vol -48dB";
    env.tool("sox", hiss.split(' '));
    env.create_folder("in");
    env.tool("sox", ["word.wav", "hiss.wav", "word.wav", "in/a.wav"]);
    env.write("in/a.srt", "1\n00:00:07,500 --> 00:00:09,000\nAgain\n");
    env.run("in out --ratio 1 --max-pause 0.4").succeeds();
    let report = env.report("out");
    let cut = report["files"][0]["source"]["cut_seconds"]
        .as_f64()
        .unwrap();
    assert!((4.5..5.0).contains(&cut), "{cut}");
    let result = &report["files"][0]["result"];
    let saved = |by: &str| result[format!("{by}_saved_seconds")].as_f64().unwrap();
    assert!((saved("pauses") - cut).abs() < 1e-9 && saved("speed").abs() < 0.01);
    let lost = env.seconds("in/a.wav") - env.seconds("out/a.wav");
    assert!((lost - cut).abs() < 0.01, "{lost} {cut}");
    let moved = String::from_utf8(env.read("out/a.srt")).unwrap();
    let time = moved.lines().nth(1).unwrap();
    let seconds: f64 = time[6..12].replace(',', ".").parse().unwrap();
    assert!((seconds - (7.5 - cut)).abs() < 0.025, "{moved}");
    env.run("in again -p podcast --max-pause 0.3").succeeds();
    assert!(env.seconds("again/a.wav") < 5.0);
    env.refuses("in no --ratio 1 --max-pause 11", 2, &["from 0.1 to 10 s"]);
}
