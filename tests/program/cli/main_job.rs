//! The main task: files and folders are stretched.

use audiostretchy::{StretchOptions, Stretcher};

use crate::env::TestEnv;

/// Returns a file's samples after stretching them with the library.
fn stretched(env: &TestEnv, name: &str, options: &StretchOptions) -> Vec<i16> {
    let mut reader = hound::WavReader::open(env.path(name)).unwrap();
    let spec = reader.spec();
    let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
    let channels = spec.channels.into();
    let mut stretcher = Stretcher::new(options, spec.sample_rate, channels).unwrap();
    let mut output = Vec::new();
    stretcher.process(&samples, &mut output);
    stretcher.finish(&mut output);
    output
}

#[track_caller]
fn assert_near(found: f64, expected: f64, tolerance: f64) {
    let is_near = (found - expected).abs() <= tolerance;
    assert!(is_near, "{found} is not within {tolerance} of {expected}");
}

#[test]
fn a_folder_is_mirrored_and_every_file_keeps_its_format() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/deep/b.mp3", "in/deep/er/C.WAV"]);
    env.write("in/deep/notes.txt", "not audio, and not named so");
    env.run("in out --preset speech --speed 1.5").succeeds();
    assert_eq!(env.files("out"), ["a.wav", "deep/b.mp3", "deep/er/C.WAV"]);
    assert_eq!(env.probe("out/a.wav")["codec_name"], "pcm_s16le");
    assert_eq!(env.probe("out/deep/b.mp3")["codec_name"], "mp3");
    assert_eq!(env.probe("out/deep/er/C.WAV")["codec_name"], "pcm_s16le");
}

#[test]
fn lengths_are_the_inputs_times_the_ratio() {
    let env = TestEnv::with_speech(&["in/a.wav"]);
    env.encode_recording("speech-16k-mono", "in/b.mp3", "");
    env.run("in faster --preset speech --speed 1.5").succeeds();
    env.run("in slower --preset speech --ratio 1.3").succeeds();
    for name in ["a.wav", "b.mp3"] {
        // The length may differ by a few periods of the pitch search, of 1/80 s each.
        assert_near(env.seconds(&format!("faster/{name}")), 2.5 / 1.5, 0.06);
        assert_near(env.seconds(&format!("slower/{name}")), 2.5 * 1.3, 0.06);
    }
}

#[test]
fn sixteen_bit_wav_comes_out_exactly_as_the_library_stretches_it() {
    let env = TestEnv::new();
    env.copy_recording("speech-16k-mono", "in/mono.wav");
    env.encode_recording("speech-44k-stereo", "in/stereo.wav", "-t 0.6");
    env.run("in out --ratio 0.8 --gap-ratio 0.5").succeeds();
    let options = StretchOptions {
        ratio: 0.8,
        gap_ratio: 0.5,
        ..StretchOptions::default()
    };
    for name in ["mono.wav", "stereo.wav"] {
        let expected = stretched(&env, &format!("in/{name}"), &options);
        let found = env.decode(&format!("out/{name}"));
        assert!(found == expected, "{name} differs");
    }
}

#[test]
fn sample_depths_are_kept() {
    let env = TestEnv::new();
    for (name, codec) in [
        ("24.wav", "pcm_s24le"),
        ("float.wav", "pcm_f32le"),
        ("16.wav", "pcm_s16le"),
    ] {
        let options = format!("-t 0.3 -c:a {codec}");
        env.encode_recording("speech-16k-mono", &format!("in/{name}"), &options);
    }
    env.run("in out --ratio 1.2").succeeds();
    let kept = |name: &str| {
        let found = env.probe(&format!("out/{name}"));
        found["codec_name"].as_str().unwrap().to_owned()
    };
    assert_eq!(kept("24.wav"), "pcm_s24le");
    assert_eq!(kept("float.wav"), "pcm_f32le");
    assert_eq!(kept("16.wav"), "pcm_s16le");
}

#[test]
fn a_24_bit_file_keeps_what_lies_below_the_16th_bit() {
    let env = TestEnv::new();
    let quiet = "-n -r 16000 -b 24 -c 1 in.wav synth 0.4 sine 200 gain -60";
    env.tool("sox", quiet.split(' '));
    env.run("in.wav out.wav --ratio 0.8").succeeds();
    let mut reader = hound::WavReader::open(env.path("out.wav")).unwrap();
    assert_eq!(reader.spec().bits_per_sample, 24);
    let fine = reader
        .samples::<i32>()
        .filter(|s| s.as_ref().unwrap() % 256 != 0);
    assert!(fine.count() > 4000);
}

#[test]
fn bit_depth_converts() {
    let env = TestEnv::with_short_speech(&["a.wav"]);
    env.run("a.wav 24.wav --bit-depth 24").succeeds();
    env.run("a.wav float.wav --bit-depth 32f").succeeds();
    env.run("float.wav 16.wav --bit-depth 16").succeeds();
    assert_eq!(env.probe("24.wav")["codec_name"], "pcm_s24le");
    assert_eq!(env.probe("float.wav")["codec_name"], "pcm_f32le");
    // At a ratio of 1, nothing is lost in either direction.
    assert!(env.decode("16.wav") == env.decode("a.wav"));
}

#[test]
fn the_pitch_of_a_tone_does_not_change() {
    let env = TestEnv::new();
    for (name, hz) in [("a", "220"), ("b", "150")] {
        let tone = format!("-n -r 16000 -b 16 -c 1 {name}.wav synth 1.5 sine {hz} gain -6");
        env.tool("sox", tone.split(' '));
    }
    for ratio in ["0.6", "1.7"] {
        env.run(&format!(
            "a.wav b.wav out --ratio {ratio} --if-exists overwrite"
        ))
        .succeeds();
        for (name, hz) in [("a", 220.0), ("b", 150.0)] {
            let samples = env.decode(&format!("out/{name}.wav"));
            let rises = samples.windows(2).filter(|s| s[0] < 0 && s[1] >= 0).count();
            let found = rises as f64 / (samples.len() as f64 / 16_000.0);
            assert_near(found, hz, 0.01 * hz);
        }
    }
}

#[test]
fn mp3_output_is_gapless_to_the_frame() {
    let env = TestEnv::with_speech(&["a.wav"]);
    env.encode_recording("speech-44k-stereo", "b.wav", "-t 0.5");
    env.run("a.wav b.wav out --format mp3 --ratio 0.8")
        .succeeds();
    env.run("a.wav b.wav vbr --format mp3 --ratio 0.8 --quality 5")
        .succeeds();
    let options = StretchOptions {
        ratio: 0.8,
        ..StretchOptions::default()
    };
    for (name, input) in [("a.mp3", "a.wav"), ("b.mp3", "b.wav")] {
        let expected = stretched(&env, input, &options);
        for folder in ["out", "vbr"] {
            let found = env.decode(&format!("{folder}/{name}"));
            assert_eq!(found.len(), expected.len(), "{folder}/{name}");
            // The encoder's delay would shift the audio against the original.
            let alike = correlation(&found, &expected);
            assert!(alike > 0.95, "{folder}/{name}: correlation {alike}");
        }
    }
}

fn correlation(a: &[i16], b: &[i16]) -> f64 {
    let dot = |a: &[i16], b: &[i16]| -> f64 {
        let products = a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b));
        products.sum()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn mp3_input_is_read_to_the_frame() {
    let env = TestEnv::with_speech(&["a.wav"]);
    env.tool("lame", ["--quiet", "-b", "64", "a.wav", "a.mp3"]);
    env.run("a.mp3 out.wav --report report.json --ratio 1")
        .succeeds();
    assert_eq!(env.decode("out.wav").len(), env.decode("a.wav").len());
    assert_eq!(env.decode("out.wav").len(), env.decode("a.mp3").len());
}

#[test]
fn every_format_that_can_be_read_converts() {
    let names = ["wav", "flac", "mp3", "ogg", "m4a", "aiff", "caf"].map(|e| format!("in/{e}.{e}"));
    let env = TestEnv::with_short_speech(&names.each_ref().map(String::as_str));
    env.tool("flac", ["-s", "-t", "in/flac.flac"]);
    env.run("in wav --format wav --ratio 0.8").succeeds();
    env.run("in mp3 --format mp3 --ratio 0.8").succeeds();
    for name in ["wav", "flac", "mp3", "ogg", "m4a", "aiff", "caf"] {
        for format in ["wav", "mp3"] {
            let file = format!("{format}/{name}.{format}");
            // AAC adds up to two packets of 64 ms that are not part of the recording.
            let padding = if name == "m4a" { 0.1 } else { 0.0 };
            assert_near(env.seconds(&file), 0.3 * 0.8, 0.04 + padding);
        }
    }
    // All lossless formats contain the same audio.
    let wav = env.read("wav/wav.wav");
    for name in ["flac", "aiff", "caf"] {
        let file = format!("wav/{name}.wav");
        assert!(env.read(&file) == wav, "{file} differs from wav/wav.wav");
    }
}

#[test]
fn a_file_goes_to_a_file_without_a_report() {
    let env = TestEnv::with_short_speech(&["a.wav"]);
    env.run("a.wav b.mp3 --ratio 0.8").succeeds();
    assert_eq!(env.files(""), ["a.wav", "b.mp3"]);
    assert_eq!(env.probe("b.mp3")["codec_name"], "mp3");
    env.run("a.wav new/folder/c.wav --ratio 0.8").succeeds();
    assert_eq!(env.files("new"), ["folder/c.wav"]);
}

#[test]
fn a_file_goes_into_a_folder_that_exists_or_is_named_with_a_slash() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.create_folder("there");
    env.run("in/a.wav there --ratio 0.8").succeeds();
    env.run("in/a.wav new/ --format mp3").succeeds();
    assert_eq!(env.files("there"), ["a.wav"]);
    assert_eq!(env.files("new"), ["a.mp3"]);
}

#[test]
fn files_and_folders_go_into_one_folder() {
    let env = TestEnv::with_short_speech(&["a.wav", "one/b.wav", "two/deep/c.wav"]);
    env.run("a.wav one two/ out --ratio 0.8").succeeds();
    assert_eq!(env.files("out"), ["a.wav", "b.wav", "deep/c.wav"]);
}

#[test]
fn the_sample_rate_of_the_output_can_be_chosen() {
    let env = TestEnv::with_speech(&["a.wav"]);
    env.run("a.wav kept.wav --ratio 0.8").succeeds();
    env.run("a.wav up.wav --ratio 0.8 -s 44100").succeeds();
    env.run("a.wav down.mp3 --ratio 0.8 --sample-rate 8000")
        .succeeds();
    for (name, rate) in [
        ("kept.wav", "16000"),
        ("up.wav", "44100"),
        ("down.mp3", "8000"),
    ] {
        assert_eq!(env.probe(name)["sample_rate"], rate, "{name}");
    }
    let kept = env.seconds("kept.wav");
    assert_near(env.seconds("up.wav"), kept, 0.001);
    assert_near(env.seconds("down.mp3"), kept, 0.001);
}

#[test]
fn a_file_named_by_hand_is_taken_for_what_it_holds() {
    let env = TestEnv::with_short_speech(&["speech.mp3"]);
    let mp3 = env.read("speech.mp3");
    env.write("recording.dat", &mp3);
    env.write("wrong.wav", &mp3);
    env.run("recording.dat a.wav --ratio 1").succeeds();
    env.run("wrong.wav b.wav --ratio 1").succeeds();
    assert!(env.decode("a.wav").len() > 4000);
    assert!(env.read("a.wav") == env.read("b.wav"));
}
