//! Checks every encoder with independent decoders: `ffmpeg`, `ffprobe` and `flac` must be
//! installed.
//!
//! Each channel contains a different tone, which shows if a channel is swapped, lost or mistuned.

mod flac;
mod joints;
pub(crate) mod support;

use audiostretchy_media::encode::EncodeSpec;
use audiostretchy_media::format::{BitDepth, EncoderEffort, Format, OutputOptions};
use audiostretchy_media::samples::Samples;

use support::*;

#[test]
fn wav_is_exact() {
    check_round_trip(Format::Wav, 1, 8_000, false, HALF_STEP_16);
    check_round_trip(Format::Wav, 2, 44_100, true, 0.0);
    check_round_trip(Format::Wav, 6, 96_000, true, 0.0);
    check_short_files(Format::Wav);
}

#[test]
fn mp3_keeps_length_and_tones() {
    check_round_trip(Format::Mp3, 1, 8_000, false, LOSSY);
    check_round_trip(Format::Mp3, 2, 22_050, true, LOSSY);
    check_round_trip(Format::Mp3, 2, 96_000, false, LOSSY);
}

#[test]
fn flac_is_exact() {
    check_lossless(Format::Flac);
    check_short_files(Format::Flac);
}

#[test]
fn aiff_is_exact() {
    check_lossless(Format::Aiff);
    check_short_files(Format::Aiff);
}

#[test]
fn aiff_keeps_depth_and_speakers() {
    for (bit_depth, codec) in [
        (BitDepth::Int16, "pcm_s16be"),
        (BitDepth::Int24, "pcm_s24be"),
        (BitDepth::Float32, "pcm_f32be"),
    ] {
        let options = OutputOptions {
            bit_depth: Some(bit_depth),
            ..OutputOptions::default()
        };
        let info = source(6, 44_100, true);
        let (spec, warnings) = EncodeSpec::new(&info, Format::Aiff, &options).unwrap();
        let file = TestFile::new(Format::Aiff);
        encode(&spec, &tones(6, 44_100, 101), true, &file.path);
        assert!(warnings.is_empty());
        let described = probe(&file.path, "codec_name,channel_layout");
        assert_eq!(described, format!("{codec},5.1"));
    }
}

#[test]
fn ogg_vorbis_keeps_length_and_tones() {
    check_lossy(Format::Ogg, &[1, 2, 6]);
    check_short_files(Format::Ogg);
}

#[test]
fn ogg_vorbis_is_not_given_rates_at_which_its_encoder_loses_tones() {
    let (spec, codes) = converted(&source(1, 8_000, false), Format::Ogg);
    assert_eq!(spec.sample_rate, 16_000);
    assert_eq!(codes, ["resampled"]);
}

#[test]
fn ogg_vorbis_takes_any_bit_rate_and_quality() {
    let input = tones(2, 96_000, 4_000);
    for sample_rate in [16_000, 44_100, 96_000] {
        for (bitrate_kbps, quality) in [
            (Some(8), None),
            (Some(512), None),
            (None, Some(0.0)),
            (None, Some(10.0)),
        ] {
            let options = OutputOptions {
                bitrate_kbps,
                quality,
                ..OutputOptions::default()
            };
            let info = source(2, sample_rate, true);
            let (spec, _) = EncodeSpec::new(&info, Format::Ogg, &options).unwrap();
            let file = TestFile::new(Format::Ogg);
            assert_eq!(encode(&spec, &input, true, &file.path).frames, 4_000);
        }
    }
}

#[test]
fn opus_keeps_length_and_tones() {
    check_lossy(Format::Opus, &[1, 2, 6]);
    check_short_files(Format::Opus);
}

#[test]
fn opus_is_given_one_of_its_own_rates() {
    for (rate, expected, warned) in [
        (8_000, 8_000, false),
        (24_000, 24_000, false),
        (22_050, 48_000, true),
        (44_100, 48_000, true),
        (96_000, 48_000, true),
    ] {
        let (spec, codes) = converted(&source(2, rate, false), Format::Opus);
        assert_eq!(spec.sample_rate, expected);
        assert_eq!(codes == ["resampled"], warned, "{rate} Hz: {codes:?}");
    }
}

#[test]
fn m4a_keeps_length_and_tones() {
    check_lossy(Format::M4a, &[1, 2, 6]);
    check_short_files(Format::M4a);
}

#[test]
fn m4a_tells_its_length_without_what_the_encoder_adds() {
    let (spec, _) = converted(&source(2, 44_100, false), Format::M4a);
    let file = TestFile::new(Format::M4a);
    encode(&spec, &tones(2, 44_100, 30_000), false, &file.path);
    assert_eq!(probe(&file.path, "codec_name,profile"), "aac,LC");
    assert_eq!(probe(&file.path, "start_pts,duration_ts"), "0,30000");
    let bytes = std::fs::read(&file.path).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let gapless = " 00000000 00000400 000002D0 0000000000007530";
    assert!(text.contains("iTunSMPB") && text.contains(gapless));
}

#[test]
fn m4a_limits_what_is_beyond_full_scale() {
    let (spec, _) = converted(&source(1, 44_100, true), Format::M4a);
    let file = TestFile::new(Format::M4a);
    let input = [0.0, 1.5, -2.0, f32::NAN, f32::INFINITY, 0.5];
    assert_eq!(encode(&spec, &input, true, &file.path).clipped_samples, 2);
    assert_eq!(decode(&file.path).samples.len(), input.len());
}

#[test]
fn speakers_that_a_format_does_not_know_give_a_warning() {
    let mut info = source(6, 44_100, false);
    // Front and side speakers (a common 5.1), then three front and three back speakers.
    for (mask, expected) in [(0x60F, &[][..]), (0x137, &["speakers-changed"])] {
        info.channel_mask = Some(mask);
        let (_, codes) = converted(&info, Format::Ogg);
        assert_eq!(codes, expected);
    }
}

#[test]
fn output_is_the_same_in_every_run() {
    let options = OutputOptions {
        dither: true,
        bit_depth: Some(BitDepth::Int16),
        ..OutputOptions::default()
    };
    for format in Format::ALL {
        let info = source(2, 48_000, true);
        let (spec, _) = EncodeSpec::new(&info, format, &options).unwrap();
        let files = [0, 1].map(|_| {
            let file = TestFile::new(format);
            encode(&spec, &tones(2, 48_000, 3_000), true, &file.path);
            std::fs::read(&file.path).unwrap()
        });
        assert!(files[0] == files[1], "{}", format.name());
    }
}

#[test]
fn a_format_with_too_few_channels_is_refused_with_the_option_to_change() {
    let info = source(9, 44_100, false);
    let refused = EncodeSpec::new(&info, Format::Flac, &OutputOptions::default());
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("at most 8 channels"), "{message}");
    assert!(message.contains("--format"), "{message}");
}

#[test]
fn no_specification_makes_an_encoder_panic() {
    let base = EncodeSpec {
        format: Format::Wav,
        sample_rate: 48_000,
        channels: 2,
        channel_mask: None,
        bit_depth: BitDepth::Int16,
        bitrate_kbps: 96,
        quality: None,
        dither: false,
        encoder_effort: EncoderEffort::Default,
    };
    let mut specs = Vec::new();
    for format in Format::ALL {
        let base = EncodeSpec {
            format,
            ..base.clone()
        };
        for channels in [0, 1, 8, 9, 64, 70_000] {
            specs.push((
                EncodeSpec {
                    channels,
                    ..base.clone()
                },
                channels == 1,
            ));
        }
        for sample_rate in [0, 1, 7_999, 44_100, 384_001, u32::MAX] {
            specs.push((
                EncodeSpec {
                    sample_rate,
                    ..base.clone()
                },
                false,
            ));
        }
        for bitrate_kbps in [0, 1, 7, 1_000_000, u32::MAX] {
            specs.push((
                EncodeSpec {
                    bitrate_kbps,
                    ..base.clone()
                },
                false,
            ));
        }
        for quality in [f32::NAN, f32::INFINITY, -1.0, 0.0, 10.0, 1e9] {
            let quality = Some(quality);
            specs.push((
                EncodeSpec {
                    quality,
                    ..base.clone()
                },
                false,
            ));
        }
        for bit_depth in BitDepth::ALL {
            specs.push((
                EncodeSpec {
                    bit_depth,
                    ..base.clone()
                },
                false,
            ));
        }
        let channel_mask = Some(u32::MAX);
        specs.push((
            EncodeSpec {
                channel_mask,
                ..base.clone()
            },
            false,
        ));
    }
    for (spec, must_work) in specs {
        let mut file = std::io::Cursor::new(Vec::new());
        let started = spec.start(&mut file);
        let result = started.and_then(|mut encoder| {
            encoder.write(Samples::from(vec![100i16; 480 * spec.channels]))?;
            encoder.finish()
        });
        assert!(result.is_ok() || !must_work, "{spec:?}: {result:?}");
        if matches!(spec.channels, 0 | 70_000) || spec.sample_rate == 0 {
            assert!(result.is_err(), "{spec:?}");
        }
    }
}
