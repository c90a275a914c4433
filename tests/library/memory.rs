//! Audio in memory.

use std::io::Cursor;

use audiostretchy::{
    AudioStretch, Format, OutputOptions, Samples, StretchOptions, Stretcher, stretch_audio,
};

use super::{RECORDINGS, at_ratio, recording, written_as};
use crate::files::{Files, run};

/// Returns the bytes written through files, and those written by way of memory.
fn both_ways(
    input: &std::path::Path,
    encoding: &OutputOptions,
    options: &StretchOptions,
) -> [Vec<u8>; 2] {
    let format = encoding.format.unwrap();
    let files = Files::new();
    let output = files.path("out").with_extension(format.extensions()[0]);
    stretch_audio(input, &output, options, encoding).unwrap();
    let bytes = std::fs::read(input).unwrap();
    let mut audio = AudioStretch::open_reader(Cursor::new(bytes)).unwrap();
    audio.stretch(options).unwrap();
    let mut in_memory = Vec::new();
    audio.save_writer(&mut in_memory, encoding).unwrap();
    [std::fs::read(output).unwrap(), in_memory]
}

#[test]
fn in_memory_equals_through_files_byte_for_byte() {
    for name in RECORDINGS {
        for format in Format::ALL {
            let [through_files, in_memory] =
                both_ways(&recording(name), &written_as(format), &at_ratio(0.8));
            assert!(
                through_files == in_memory,
                "{name} to {format:?}: the same bytes"
            );
        }
    }
}

#[test]
fn in_memory_equals_through_files_with_gaps_chapters_and_another_rate() {
    let files = Files::new();
    let chapters = files.write(
        "chapters.txt",
        b";FFMETADATA1\ntitle=T\xc3\xa4g\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1234\ntitle=one\n\
          [CHAPTER]\nTIMEBASE=1/1000\nSTART=1234\nEND=2500\ntitle=two\n",
    );
    let tagged = files.path("tagged.mp3");
    let arguments = [
        "-v",
        "error",
        "-i",
        recording("stories/lighthouse.mp3").to_str().unwrap(),
        "-i",
        chapters.to_str().unwrap(),
        "-map_metadata",
        "1",
        "-c",
        "copy",
        tagged.to_str().unwrap(),
    ]
    .map(str::to_owned);
    run("ffmpeg", &arguments.each_ref().map(String::as_str));
    let options = StretchOptions {
        ratio: 1.3,
        gap_ratio: 0.5,
        ..StretchOptions::default()
    };
    let at_24_khz = |format| OutputOptions {
        format,
        sample_rate: Some(24_000),
        ..OutputOptions::default()
    };
    for format in Format::ALL {
        let [through_files, in_memory] = both_ways(&tagged, &at_24_khz(Some(format)), &options);
        assert!(through_files == in_memory, "{format:?}");
    }
    let output = files.path("out.mp3");
    stretch_audio(&tagged, &output, &options, &at_24_khz(None)).unwrap();
    let shown = run(
        "ffprobe",
        &[
            "-v",
            "error",
            "-show_chapters",
            "-of",
            "csv",
            output.to_str().unwrap(),
        ],
    );
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("one") && shown.contains("two"), "{shown}");
    assert!(!shown.contains(",1.234000,"), "the times moved: {shown}");
}

#[test]
fn a_rate_that_the_format_cannot_hold_is_converted_when_saved() {
    let files = Files::new();
    let source = files.source(96_000, 2, 1.0);
    for format in [Format::Mp3, Format::Opus] {
        let [through_files, in_memory] = both_ways(&source, &written_as(format), &at_ratio(1.1));
        assert!(through_files == in_memory, "{format:?}");
    }
    let mut audio = AudioStretch::open(&source).unwrap();
    audio.stretch(&at_ratio(1.1)).unwrap();
    let warnings = audio.save_writer(std::io::sink(), &written_as(Format::Mp3));
    let codes: Vec<_> = warnings
        .unwrap()
        .iter()
        .map(|warning| warning.code)
        .collect();
    assert_eq!(codes, ["resampled"]);
    assert_eq!(audio.sample_rate(), 96_000);
}

#[test]
fn sixteen_bit_sources_stay_16_bits_and_others_are_floats() {
    for (name, is_integer) in [
        ("lectures/scaling.wav", true),
        ("lectures/evening.flac", true),
        ("stories/lighthouse.mp3", false),
    ] {
        let audio = AudioStretch::open(recording(name)).unwrap();
        let is_found = matches!(audio.samples(), Samples::Int16(_));
        assert_eq!(is_found, is_integer, "{name}");
    }
}

#[test]
fn stretching_twice_multiplies_the_ratios() {
    let mut audio = AudioStretch::open(recording("stories/sea.wav")).unwrap();
    let frames = audio.frames() as f64;
    audio.stretch(&at_ratio(0.5)).unwrap();
    audio.stretch(&at_ratio(3.0)).unwrap();
    assert!((audio.frames() as f64 / frames - 1.5).abs() < 0.05);
}

#[test]
fn audio_made_of_samples_is_stretched_as_by_the_stretcher_itself() {
    let samples: Vec<i16> = (0..48_000)
        .map(|n| ((f64::from(n / 2) * 0.05).sin() * 9000.0) as i16)
        .collect();
    let mut expected = Vec::new();
    let mut stretcher = Stretcher::<i16>::new(&at_ratio(1.7), 24_000, 2).unwrap();
    stretcher.process(&samples, &mut expected);
    stretcher.finish(&mut expected);
    let mut audio = AudioStretch::from_samples(samples, 24_000, 2).unwrap();
    audio.stretch(&at_ratio(1.7)).unwrap();
    assert_eq!((audio.sample_rate(), audio.channels()), (24_000, 2));
    assert_eq!(audio.into_samples(), Samples::from(expected));
}

#[test]
fn samples_rate_and_channels_can_be_set() {
    let mut audio = AudioStretch::open(recording("lectures/scaling.wav")).unwrap();
    let Samples::Int16(samples) = audio.samples() else {
        panic!("a 16-bit file");
    };
    // Keep one channel of two, and of that only the first tenth.
    let mono: Vec<i16> = samples
        .chunks(audio.channels())
        .map(|frame| frame[0])
        .collect();
    let stereo: Vec<i16> = (mono.iter().take(mono.len() / 10))
        .flat_map(|&sample| [sample, sample])
        .collect();
    audio.set_samples(stereo.clone(), 2).unwrap();
    audio.set_sample_rate(12_000).unwrap();
    assert_eq!((audio.channels(), audio.sample_rate()), (2, 12_000));
    assert_eq!(audio.frames(), stereo.len() as u64 / 2);
    let files = Files::new();
    let path = files.path("set.wav");
    audio.save(&path, &OutputOptions::default()).unwrap();
    let mut wav = hound::WavReader::open(&path).unwrap();
    assert_eq!((wav.spec().channels, wav.spec().sample_rate), (2, 12_000));
    let read: Result<Vec<i16>, _> = wav.samples().collect();
    assert_eq!(read.unwrap(), stereo);
}

#[test]
fn resampling_keeps_the_length_in_seconds() {
    let mut audio = AudioStretch::open(recording("lectures/evening.flac")).unwrap();
    let (seconds, rate) = (audio.seconds(), audio.sample_rate());
    audio.resample(rate / 2).unwrap();
    assert_eq!(audio.sample_rate(), rate / 2);
    assert!((audio.seconds() - seconds).abs() < 0.001);
}

#[test]
fn the_level_of_a_sine_at_full_scale_is_zero() {
    let sine = |n: i32| (f64::from(n) * std::f64::consts::TAU / 100.0).sin();
    let integers: Vec<i16> = (0..10_000).map(|n| (sine(n) * 32767.0) as i16).collect();
    let halves: Vec<f32> = (0..10_000).map(|n| (sine(n) / 2.0) as f32).collect();
    let full = AudioStretch::from_samples(integers, 8000, 1).unwrap();
    assert!(full.rms_level_db().abs() < 0.01, "{}", full.rms_level_db());
    let half = AudioStretch::from_samples(halves, 8000, 1).unwrap();
    assert!((half.rms_level_db() + 6.02).abs() < 0.01);
}
