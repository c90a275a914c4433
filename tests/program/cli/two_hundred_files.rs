//! A folder of 200 files in 5 formats on 3 levels, three of which cannot be stretched.

use std::collections::BTreeMap;

use crate::env::TestEnv;

const FORMATS: [&str; 5] = ["wav", "flac", "mp3", "ogg", "m4a"];
const FOLDERS: [&str; 4] = ["", "one/", "one/two/", "one/two/three/"];

/// The bad files, with the error code that each must be reported with.
const BAD: [(&str, &str); 3] = [
    ("file-040.wav", "truncated"),
    ("one/file-086.flac", "not-audio"),
    ("one/two/three/file-192.mp3", "not-audio"),
];

fn make_inputs(env: &TestEnv) -> Vec<String> {
    let mut content = BTreeMap::new();
    for format in FORMATS {
        let name = format!("speech.{format}");
        // A tenth of a second is enough: this test is about files, not about sound.
        env.encode_recording("speech-8k-mono", &name, "-t 0.1");
        content.insert(format, env.read(&name));
    }
    let names = (0..200).map(|number| {
        let (folder, format) = (FOLDERS[number / 50], FORMATS[number % 5]);
        let name = format!("{folder}file-{number:03}.{format}");
        env.write(format!("in/{name}"), &content[format]);
        name
    });
    names.collect()
}

#[test]
fn all_but_the_bad_ones_are_stretched_and_the_bad_ones_are_reported() {
    let env = TestEnv::new();
    let names = make_inputs(&env);
    let [truncated, headless, text] = BAD.map(|(name, _)| format!("in/{name}"));
    let whole = env.read(&truncated);
    env.write(&truncated, &whole[..whole.len() / 2]);
    let mut bytes = env.read(&headless);
    bytes[..64].fill(0);
    env.write(&headless, &bytes);
    env.write(&text, "A text about audio is no audio.\n".repeat(100));

    let run = env
        .run("in out --format mp3 --speed 1.5 --preset speech")
        .exits(1);
    let run = run.says(&["197 done, 3 failed"]);
    for (name, _) in BAD {
        assert!(
            run.stderr.contains(&format!("failed: in/{name}: ")),
            "{run}"
        );
    }

    // Only the outputs are there: no temporary file, and nothing of the bad files.
    let is_good = |name: &&String| BAD.iter().all(|(bad, _)| bad != name);
    let mut expected: Vec<String> = names
        .iter()
        .filter(is_good)
        .map(|name| name.rsplit_once('.').unwrap().0.to_owned() + ".mp3")
        .collect();
    expected.sort();
    let mut found = env.files("out");
    found.sort();
    assert_eq!(found.len(), 197);
    assert_eq!(found, expected);
    for name in [
        "file-001.mp3",
        "one/two/file-100.mp3",
        "one/two/three/file-199.mp3",
    ] {
        let seconds = env.seconds(&format!("out/{name}"));
        assert!((0.04..0.2).contains(&seconds), "{name}: {seconds} s");
    }

    let report = env.report("out");
    assert_eq!(report["outcome"], "failure");
    assert_eq!(report["exit_code"], 1);
    assert_eq!(report["counts"]["total"], 200);
    assert_eq!(report["counts"]["done"], 197);
    assert_eq!(report["counts"]["failed"], 3);
    assert_eq!(report["counts"]["skipped"], 0);
    assert_eq!(report["counts"]["not_run"], 0);
    let files = report["files"].as_array().unwrap();
    assert_eq!(files.len(), 200);
    let paths = || files.iter().map(|file| file["input"].as_str().unwrap());
    assert!(paths().is_sorted());
    let failed: BTreeMap<_, _> = files
        .iter()
        .filter(|file| file["status"] == "failed")
        .map(|file| {
            let input = file["input"].as_str().unwrap();
            assert_ne!(file["error"]["message"], "", "{file}");
            (input, file["error"]["code"].as_str().unwrap())
        })
        .collect();
    let expected = BAD.map(|(name, code)| (format!("in/{name}"), code));
    let expected: BTreeMap<_, _> = expected
        .iter()
        .map(|(name, code)| (&**name, *code))
        .collect();
    assert_eq!(failed, expected);
    for file in files.iter().filter(|file| file["status"] == "done") {
        let ratio = file["result"]["ratio"].as_f64().unwrap();
        let frames = file["source"]["frames"].as_f64().unwrap();
        // The length may differ by a few periods of 1/80 s.
        let frames_off = (ratio - 1.0 / 1.5).abs() * frames;
        assert!(frames_off < 5.0 * 8000.0 / 80.0, "{file}");
    }
}
