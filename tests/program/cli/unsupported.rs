//! Files that cannot be decoded get an understandable message that names their format. A file that
//! is named on the command line is accepted with any extension of an audio format.

use crate::env::TestEnv;

/// Terms that only developers of the libraries understand, in lower case.
const INSIDES: [&str; 13] = [
    "symphonia",
    "lofty",
    "mp4ameta",
    "core (",
    "isomp4",
    "mkv:",
    "ogg:",
    "wav:",
    "mpa:",
    "aac:",
    "vorbis:",
    "feature:",
    "probe",
];

/// Makes several files with one run of ffmpeg. Each has a name, and options, which precede it.
fn encode(env: &TestEnv, outputs: &[(&str, &str)]) {
    let source = "-v error -f lavfi -i sine=300:d=0.4:r=16000 -f lavfi -i testsrc=d=0.2:s=64x64";
    let mut args: Vec<&str> = source.split(' ').collect();
    for (name, options) in outputs {
        if !options.contains("-map") {
            args.extend(["-map", "0:a"]);
        }
        args.extend(options.split(' ').chain(["-strict", "-2", name]));
    }
    env.tool("ffmpeg", args);
}

/// Checks that each file, converted alone, fails with a code and a message that contains a text.
#[track_caller]
fn all_fail(env: &TestEnv, cases: &[(&str, &str, &str)]) {
    let names = cases.iter().map(|(name, ..)| *name);
    let options = ["out", "--format", "wav", "--quiet"];
    env.run_args(names.chain(options)).exits(1);
    let report = env.report("out");
    let files = report["files"].as_array().unwrap();
    assert_eq!(files.len(), cases.len(), "{report}");
    for (name, code, text) in cases {
        let file = files.iter().find(|file| file["input"] == **name).unwrap();
        let error = file["error"].to_string();
        let message = file["error"]["message"].as_str().unwrap();
        assert_eq!(file["error"]["code"], *code, "{name}: {error}");
        assert!(message.contains(text), "{name}: {error}");
        let has_mend = message.contains("; convert it to FLAC");
        let wants_mend = *code == "unsupported-codec" && !text.contains(", which ");
        assert_eq!(has_mend, wants_mend, "{name}: {error}");
        let lower = error.to_lowercase();
        let inside = INSIDES.iter().find(|word| lower.contains(**word));
        assert_eq!(inside, None, "{name}: {error}");
    }
}

#[test]
fn codecs_that_are_not_decoded_are_named() {
    let env = TestEnv::new();
    let made = [
        ("speex.ogg", "-c:a libspeex", "Speex"),
        (
            "theora.ogg",
            "-map 1:v -c:v libtheora",
            "Theora, which is video",
        ),
        ("ac3.ac3", "-c:a ac3 -ar 48000", "AC-3"),
        ("eac3.eac3", "-c:a eac3 -ar 48000", "AC-3"),
        ("dts.dts", "-c:a dca -ar 48000", "DTS"),
        ("thd.thd", "-c:a truehd -ar 48000", "Dolby TrueHD"),
        ("tta.tta", "-c:a tta", "True Audio"),
        ("wv.wv", "-c:a wavpack", "WavPack"),
        ("wma.wma", "-c:a wmav2", "Windows Media"),
        ("latm.latm", "-c:a aac", "AAC (LATM)"),
        ("ts.ts", "-c:a mp2 -ar 48000", "MPEG transport streams"),
        ("mpg.mpg", "-c:a mp2 -ar 48000", "MPEG program streams"),
        ("avi.avi", "-c:a mp2 -ar 48000", "AVI"),
        ("flv.flv", "-c:a libmp3lame -ar 44100", "Flash Video"),
        ("rm.rm", "-c:a real_144 -ar 8000", "RealMedia"),
        ("voc.voc", "-c:a pcm_u8", "Creative Voice"),
        ("ac3-mp4.mp4", "-c:a ac3 -ar 48000", "AC-3"),
        (
            "vorbis-mp4.mp4",
            "-c:a libvorbis -ar 48000",
            "Vorbis in MP4",
        ),
        ("gsm-mov.mov", "-c:a libgsm -ar 8000", "GSM 6.10"),
        ("ima-mov.mov", "-c:a adpcm_ima_qt", "IMA ADPCM"),
        ("ac3-mka.mka", "-c:a ac3 -ar 48000", "AC-3"),
        ("dts-mka.mka", "-c:a dca -ar 48000", "DTS"),
        ("wavpack-mka.mka", "-c:a wavpack", "WavPack"),
        ("tta-mka.mka", "-c:a tta", "True Audio"),
        ("gsm-wav.wav", "-c:a libgsm_ms -ar 8000", "GSM 6.10"),
        ("g722-wav.wav", "-c:a g722", "G.722"),
        ("g726-wav.wav", "-c:a g726 -ar 8000", "G.726"),
        ("ac3-wav.wav", "-c:a ac3 -ar 48000", "AC-3 in WAV"),
        ("ima-aifc.aifc", "-c:a adpcm_ima_qt -f aiff", "IMA ADPCM"),
        (
            "mp2.mp2",
            "-c:a mp2 -ar 48000 -b:a 384k",
            "MP2 of more than 192",
        ),
        ("gsm-caf.caf", "-c:a libgsm -ar 8000", "GSM 6.10"),
    ];
    encode(&env, &made.map(|(name, options, _)| (name, options)));
    let mut cases: Vec<(&str, &str)> = made.iter().map(|made| (made.0, made.2)).collect();
    // There is no encoder for these. The RIFF header inside is that of the packed WAV file.
    encode(
        &env,
        &[
            ("pcm.wav", "-c:a pcm_s16le"),
            ("a.3gp", "-c:a aac -ar 8000"),
        ],
    );
    let wav = env.read("pcm.wav");
    let amr = replaced(
        &replaced(&env.read("a.3gp"), b"mp4a", b"samr"),
        b"esds",
        b"damr",
    );
    let adpcm = [
        &b"RIFX\0\0\0\x64WAVEfmt \0\0\0\x10\0\x02\0\x01\0\0\x1F\x40\0\0\x10\0\x01\0\0\x04"[..],
        b"data\0\0\0\x40",
        &[0; 64],
    ]
    .concat();
    let head = [
        &b"MAC \x96\x0F\0\0\x34\0\0\0\x18\0\0\0\x2C\0\0\0"[..],
        &[0; 56],
    ]
    .concat();
    for (name, bytes, codec) in [
        ("ape.ape", [head, wav].concat(), "Monkey's Audio"),
        ("amr-3gp.3gp", amr, "AMR"),
        ("adpcm.rifx", adpcm, "compressed audio in RIFX"),
        ("amr.amr", [&b"#!AMR\n"[..], &[0x3C; 320]].concat(), "AMR"),
        ("mpc.mpc", [&b"MPCKSH"[..], &[7; 100]].concat(), "Musepack"),
        ("dsf.dsf", [&b"DSD "[..], &[0; 100]].concat(), "DSD"),
        (
            "mid.mid",
            b"MThd\0\0\0\x06\0\0\0\x01\0\x60MTrk\0\0\0\x04\0\xFF\x2F\0".to_vec(),
            "MIDI, which holds notes and no sound",
        ),
    ] {
        env.write(name, bytes);
        cases.push((name, codec));
    }
    let texts = cases
        .iter()
        .map(|(_, codec)| format!("not supported: {codec}"));
    let texts: Vec<String> = texts.collect();
    let cases = cases.iter().zip(&texts);
    let cases: Vec<_> = cases
        .map(|((name, _), text)| (*name, "unsupported-codec", &**text))
        .collect();
    all_fail(&env, &cases);
}

/// Returns the bytes with the first occurrence of `old` replaced.
fn replaced(bytes: &[u8], old: &[u8; 4], new: &[u8; 4]) -> Vec<u8> {
    let at = bytes.windows(4).position(|window| window == old).unwrap();
    let mut bytes = bytes.to_vec();
    bytes[at..at + 4].copy_from_slice(new);
    bytes
}

#[test]
fn what_is_no_audio_is_named_as_what_it_is() {
    let env = TestEnv::new();
    let cases = [
        (
            "page.mp3",
            b"<!DOCTYPE html>\n<html><body>404 Not Found</body></html>".to_vec(),
            "a web page",
        ),
        (
            "answer.mp3",
            br#"{"error": "not found", "code": 404}"#.to_vec(),
            "JSON",
        ),
        (
            "list.mp3",
            b"#EXTM3U\n#EXTINF:1,One\none.mp3\n".to_vec(),
            "a playlist",
        ),
        (
            "words.mp3",
            "Größe, words, words.\n".repeat(9).into_bytes(),
            "text",
        ),
        (
            "document.mp3",
            b"%PDF-1.4\n%\xE2\xE3\xCF\xD3\n1 0 obj\n".to_vec(),
            "a PDF document",
        ),
        (
            "archive.wav",
            b"PK\x03\x04\x14\0\0\0\0\0RIFF\x24\0\0\0WAVEfmt ".to_vec(),
            "a ZIP archive",
        ),
        (
            "picture.m4a",
            [&b"\xFF\xD8\xFF\xE0\0\x10JFIF"[..], &[9; 90]].concat(),
            "a JPEG picture",
        ),
        (
            "pointer.flac",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n".to_vec(),
            "git lfs pull",
        ),
        ("zeros.ogg", vec![0; 20_000], "zeros"),
    ];
    for (name, bytes, _) in &cases {
        env.write(name, bytes);
    }
    env.write(
        "noise.wav",
        (0..20_000u32)
            .map(|n| (n * n % 251) as u8)
            .collect::<Vec<_>>(),
    );
    let mut expected = cases
        .map(|(name, _, what)| (name, "not-audio", what))
        .to_vec();
    expected.push((
        "noise.wav",
        "not-audio",
        "not audio in a format that can be read",
    ));
    all_fail(&env, &expected);
}

#[test]
fn mp4_that_is_cut_says_what_of_it_is_there() {
    let env = TestEnv::new();
    encode(
        &env,
        &[
            ("aac.m4a", "-c:a aac -movflags faststart"),
            ("alac.m4a", "-c:a alac -movflags faststart"),
            ("pcm.mov", "-c:a pcm_s16le -movflags faststart"),
            ("late.m4a", "-c:a aac"),
        ],
    );
    for name in ["aac.m4a", "alac.m4a", "pcm.mov", "late.m4a"] {
        let whole = env.read(name);
        let audio = whole
            .windows(4)
            .position(|window| window == b"mdat")
            .unwrap();
        let kept = match name {
            "late.m4a" => audio + 100,
            _ => audio + (whole.len() - audio) * 3 / 5,
        };
        env.write(name, &whole[..kept]);
    }
    let moov = "truncated: the moov is whole, 5";
    all_fail(
        &env,
        &[
            ("aac.m4a", "truncated", "truncated: the moov is whole, "),
            ("alac.m4a", "truncated", "truncated: the moov is whole, "),
            ("pcm.mov", "truncated", moov),
            ("late.m4a", "truncated", "its moov is missing"),
        ],
    );
}

#[test]
fn frames_that_a_header_counts_and_nobody_has_are_not_made_up() {
    let env = TestEnv::new();
    encode(&env, &[("a.mp3", "-c:a libmp3lame -q:a 4")]);
    env.run("a.mp3 whole.wav --ratio 0.8").succeeds();
    let whole = env.read("a.mp3");
    let xing = whole
        .windows(4)
        .position(|window| window == b"Xing")
        .unwrap();
    let count = u32::from_be_bytes(*whole[xing + 8..].first_chunk().unwrap());
    env.create_folder("out");
    for lie in [count + 5, 2 * count, 1 << 24] {
        let mut lying = whole.clone();
        lying[xing + 8..xing + 12].copy_from_slice(&lie.to_be_bytes());
        env.write("a.mp3", lying);
        let args = "a.mp3 out --format wav --ratio 0.8 --if-exists overwrite";
        env.run(args).succeeds();
        let report = env.report("out");
        let warnings = report["files"][0]["warnings"].as_array().unwrap();
        let codes: Vec<_> = warnings
            .iter()
            .map(|warning| warning["code"].as_str().unwrap())
            .collect();
        assert_eq!(codes, ["miscounted"], "{report}");
        // The length of the padding at the end is no longer known.
        let (found, expected) = (env.read("out/a.wav").len(), env.read("whole.wav").len());
        assert!(
            found.abs_diff(expected) < 2 * 1152,
            "{found}, not {expected}"
        );
    }
    env.run("a.mp3 out --format wav --if-exists overwrite --strict")
        .exits(1);
    assert_eq!(env.report("out")["files"][0]["error"]["code"], "damaged");
}

#[test]
fn all_names_that_audio_goes_by_are_taken_by_hand() {
    let env = TestEnv::new();
    let mpeg = "-c:a mp2 -f mp2";
    let outputs = [
        ("a.mpga", "-c:a libmp3lame -f mp3"),
        ("a.mp2", mpeg),
        ("a.bwf", "-c:a pcm_s24le -write_bext 1 -f wav"),
        ("a.m4r", "-c:a aac -f ipod"),
        ("a.m4b", "-c:a aac -f ipod"),
        ("a.adts", "-c:a aac -f adts"),
        ("a.3gp", "-c:a aac"),
        ("a.mov", "-map 0:a -map 1:v -c:a aac -c:v mpeg4"),
        ("b.mov", "-c:a pcm_s16le"),
        ("a.mp4", "-c:a mp2 -b:a 128k -ar 48000"),
        ("a.ogv", "-map 0:a -map 1:v -c:a libvorbis -c:v libtheora"),
    ];
    encode(&env, &outputs);
    // ffmpeg does not write layer I, so this is silence at 32 kbit/s, 32 bytes per frame.
    let frame = [&b"\xFF\xFF\x10\xC0"[..], &[0; 28]].concat();
    env.write("a.mp1", frame.repeat(20));
    for name in outputs.map(|(name, _)| name).iter().chain(&["a.mp1"]) {
        let args = format!("{name} out.wav --ratio 0.8 --if-exists overwrite");
        env.run(&args).succeeds();
        let seconds: f64 = env.probe("out.wav")["duration"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        let expected = if *name == "a.mp1" {
            20.0 * 384.0 / 44_100.0
        } else {
            0.4
        };
        assert!((seconds / 0.8 - expected).abs() < 0.2, "{name}: {seconds}");
    }
}

#[test]
fn what_has_no_name_is_told_by_its_number_and_what_is_cut_short_before_the_audio_says_so() {
    let env = TestEnv::new();
    let outputs = [
        ("swf.wav", "-ar 44100 -c:a adpcm_swf"),
        ("six.mov", "-ac 6 -c:a pcm_s16le"),
        ("a.aiff", "-c:a pcm_s16be"),
        ("b.mka", "-c:a libvorbis"),
        ("c.m4a", "-c:a aac"),
    ];
    encode(&env, &outputs);
    for name in ["a.aiff", "b.mka", "c.m4a"] {
        let mut bytes = env.read(name);
        bytes.truncate(bytes.len() - 5);
        env.write(name, bytes);
    }
    let cut = "cut short before its audio can be read; copy or download it again";
    all_fail(
        &env,
        &[
            (
                "swf.wav",
                "unsupported-codec",
                "not supported: WAV format 0x5346",
            ),
            (
                "six.mov",
                "unsupported-codec",
                "PCM of more than two channels",
            ),
            ("a.aiff", "truncated", cut),
            ("b.mka", "truncated", cut),
            ("c.m4a", "truncated", cut),
        ],
    );
}
