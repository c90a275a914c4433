//! What a resolved preset contains.

use super::*;

#[test]
fn the_result_lists_every_key_of_its_engine_with_value_and_source() {
    let podcast = built_in("podcast");
    let told: Vec<String> = (podcast.entries.iter())
        .map(|Entry { key, value, source }| match value {
            Some(value) => format!("{key} = {value} ({source})"),
            None => format!("{key} ({source})"),
        })
        .collect();
    assert_eq!(
        told,
        [
            "engine = \"adaptive\" (built-in preset podcast, line 3)",
            "style = \"auto\" (the default)",
            "ratio = 0.8 (built-in preset podcast, line 4)",
            "speed = 1.25 (built-in preset podcast, line 4)",
            "exact_length = false (the default)",
            "gap_ratio = 0.5 (built-in preset podcast, line 8)",
            "max_pause = 0.0 (the default)",
            "gap_scale = 0.625 (built-in preset podcast, line 8)",
            "buffer_ms = 25.0 (the default)",
            "threshold_gap_db = -38 (built-in preset podcast, line 13)",
            "sample_rate = 0 (the default)",
            "channels = \"keep\" (the default)",
            "format = \"keep\" (the default)",
            "bit_depth = \"keep\" (the default)",
            "bitrate_kbps (the default)",
            "quality (the default)",
            "dither = false (the default)",
            "encoder_effort = \"default\" (the default)",
        ]
    );
}

#[test]
fn the_name_and_description_are_those_of_the_preset_asked_for() {
    let folders = Folders::with(&[
        ("first/plain.toml", "extends = \"speech\""),
        ("first/told.toml", "description = \"Mine\""),
    ]);
    let plain = folders.resolve("plain").unwrap();
    assert_eq!(plain.preset.as_deref(), Some("plain"));
    assert_eq!(plain.description, None);
    let told = folders.resolve("told").unwrap();
    assert_eq!(told.description.as_deref(), Some("Mine"));
}

#[test]
fn the_result_can_be_put_into_a_json_report() {
    let layer = command_line(&[("bit_depth", "32f".into())]);
    let json = serde_json::to_value(under("speech", &layer)).unwrap();
    assert_eq!(json["preset"], "speech");
    assert_eq!(json["settings"]["stretch"]["upper_freq"], 300);
    assert_eq!(json["settings"]["output"]["bit_depth"], "32f");
    let entry = |key| {
        let entries = json["entries"].as_array().unwrap();
        entries.iter().find(|entry| entry["key"] == key).unwrap()
    };
    assert_eq!(
        entry("upper_freq")["source"],
        serde_json::json!({"from": "preset", "name": "speech", "file": null, "line": 2})
    );
    assert_eq!(entry("bit_depth")["source"]["from"], "command_line");
    assert_eq!(entry("quality")["source"]["from"], "default");
    assert!(entry("quality")["value"].is_null());
}

#[cfg(target_os = "linux")]
#[test]
fn a_preset_whose_path_is_not_utf8_works_and_can_be_reported() {
    use std::os::unix::ffi::OsStrExt;
    let folders = Folders::new();
    let path = folders.root.path().join(OsStr::from_bytes(b"k\xfchn.toml"));
    fs::write(&path, "speed = 2").unwrap();
    let resolved = (folders.store())
        .resolve(Some(path.as_os_str()), &Layer::default())
        .unwrap();
    assert_eq!(resolved.settings.stretch.ratio, 0.5);
    let json = serde_json::to_value(&resolved).unwrap();
    let entries = json["entries"].as_array().unwrap();
    let speed = entries
        .iter()
        .find(|entry| entry["key"] == "speed")
        .unwrap();
    let file = speed["source"]["file"].as_str().unwrap();
    assert!(file.ends_with("k\u{fffd}hn.toml"), "{file}");
}
