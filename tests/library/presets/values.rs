//! The values of the built-in presets.

use super::*;

#[test]
fn speech_music_and_fast_are_as_the_python_package_documents_them() {
    let default = StretchOptions::default;
    assert_eq!(
        built_in("speech").settings.stretch,
        StretchOptions {
            upper_freq: 300,
            lower_freq: 80,
            normal_detection: true,
            ..default()
        }
    );
    assert_eq!(
        built_in("music").settings.stretch,
        StretchOptions {
            upper_freq: 400,
            lower_freq: 50,
            normal_detection: true,
            ..default()
        }
    );
    assert_eq!(
        built_in("fast").settings.stretch,
        StretchOptions {
            fast_detection: true,
            ..default()
        }
    );
}

#[test]
fn podcast_is_natural_speech_faster_with_its_gaps_shortened_more() {
    let podcast = built_in("podcast").settings.stretch;
    assert_eq!(
        podcast,
        StretchOptions {
            engine: Engine::Adaptive,
            ratio: 0.8,
            gap_ratio: 0.5,
            threshold_gap_db: -38.0,
            ..StretchOptions::default()
        }
    );
    assert!(podcast.gap_ratio < podcast.ratio);
    assert!(!podcast.uses_cascade());
}

#[test]
fn no_built_in_preset_but_phone_decides_the_output_format() {
    for name in [
        "speech",
        "music",
        "fast",
        "natural",
        "natural-music",
        "podcast",
    ] {
        let output = built_in(name).settings.output;
        assert_eq!(output, OutputOptions::default(), "{name}");
    }
    let phone = built_in("phone").settings;
    assert_eq!(phone.stretch, built_in("podcast").settings.stretch);
    assert_eq!(
        phone.output,
        OutputOptions {
            channels: OutputChannels::Mono,
            sample_rate: Some(24_000),
            format: Some(Format::Mp3),
            bitrate_kbps: Some(48),
            ..OutputOptions::default()
        }
    );
}

#[test]
fn without_a_preset_the_command_line_alone_decides() {
    let resolved = PresetStore::new([])
        .resolve(None, &command_line(&[("speed", 2.0.into())]))
        .unwrap();
    assert_eq!(resolved.preset, None);
    assert_eq!(resolved.settings.stretch.ratio, 0.5);
    let nothing = PresetStore::new([]).resolve(None, &Layer::default());
    assert_eq!(nothing.unwrap().settings.stretch, StretchOptions::default());
}

#[test]
fn natural_is_the_adaptive_engine() {
    let adaptive = StretchOptions {
        engine: Engine::Adaptive,
        ..StretchOptions::default()
    };
    assert_eq!(built_in("natural").settings.stretch, adaptive);
    let music = StretchOptions {
        style: Style::Music,
        ..adaptive
    };
    assert_eq!(built_in("natural-music").settings.stretch, music);
}
