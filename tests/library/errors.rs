//! The errors of failed calls, and the files that such calls leave.

use std::error::Error as _;
use std::io::{self, Cursor, Write};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use audiostretchy::batch::StopToken;
use audiostretchy::{
    AudioStretch, Conversion, Error, Format, Input, OptionError, OutputOptions, StretchOptions,
    stretch_audio,
};
use audiostretchy_containers::limits::Limits;

use super::{at_ratio, recording, written_as};
use crate::files::Files;

/// Returns the names of the files in a folder.
fn names(files: &Files) -> Vec<String> {
    let folder = files.path("").read_dir().unwrap();
    let mut names: Vec<_> = folder
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Returns the error of stretching a file with these bytes, after checking that no other file was
/// left beside it.
fn error_of(name: &str, bytes: &[u8], options: &StretchOptions) -> Error {
    let files = Files::new();
    let input = files.write(name, bytes);
    let error = stretch_audio(
        input,
        files.path("out.wav"),
        options,
        &OutputOptions::default(),
    )
    .unwrap_err();
    assert_eq!(names(&files), [name]);
    error
}

#[test]
fn a_missing_file_is_not_found() {
    let error = stretch_audio(
        "missing.wav",
        "out.wav",
        &at_ratio(0.5),
        &OutputOptions::default(),
    )
    .unwrap_err();
    assert!(matches!(&error, Error::NotFound { path, .. } if path.ends_with("missing.wav")));
    let mut cause = error.source();
    while let Some(next) = cause.and_then(|cause| cause.source()) {
        cause = Some(next);
    }
    let cause = cause.unwrap().downcast_ref::<io::Error>().unwrap();
    assert_eq!(cause.kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_folder_cannot_be_read() {
    let files = Files::new();
    let error = AudioStretch::open(files.path("")).unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
}

#[test]
fn what_is_no_audio_is_not_supported() {
    let error = error_of("text.wav", b"not audio at all", &at_ratio(0.5));
    assert!(matches!(error, Error::Unsupported { .. }), "{error:?}");
    let error = AudioStretch::open_reader(Cursor::new(vec![7; 5000])).unwrap_err();
    assert!(matches!(error, Error::Unsupported { .. }), "{error:?}");
    assert!(error.to_string().starts_with("the input: "), "{error}");
}

#[test]
fn half_a_file_is_damaged() {
    for name in ["stories/sea.wav", "lectures/evening.flac"] {
        let bytes = std::fs::read(recording(name)).unwrap();
        let error = error_of("half", &bytes[..bytes.len() / 2], &at_ratio(0.5));
        assert!(matches!(error, Error::Damaged { .. }), "{name}: {error:?}");
    }
}

#[test]
fn damage_that_can_be_filled_up_fails_only_if_asked_to() {
    let mut bytes = std::fs::read(recording("lectures/evening.flac")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 300].fill(0);
    let input = Input::from_reader(Cursor::new(bytes)).unwrap();
    let run = |strict| {
        let conversion = Conversion {
            encoding: written_as(Format::Wav),
            strict,
            ..Conversion::default()
        };
        let mut output = Vec::new();
        let result = conversion.to_writer(&input, &mut output, |_| ControlFlow::Continue(()));
        (result, output)
    };
    let (result, output) = run(false);
    assert!(result.unwrap().damage.lost_frames > 0 && !output.is_empty());
    let (result, output) = run(true);
    assert!(matches!(result, Err(Error::Damaged { .. })));
    assert!(output.is_empty(), "nothing is written");
}

#[test]
fn a_parameter_is_named_with_its_value_and_range() {
    let bytes = std::fs::read(recording("stories/sea.wav")).unwrap();
    let upper_freq = StretchOptions {
        upper_freq: 30_000,
        ..StretchOptions::default()
    };
    for (options, name) in [(at_ratio(4.5), "ratio"), (upper_freq, "upper_freq")] {
        match error_of("in.wav", &bytes, &options) {
            Error::InvalidParameter(OptionError::OutOfRange { name: found, .. }) => {
                assert_eq!(found, name);
            }
            other => panic!("{other:?}"),
        }
    }
    let mut audio = AudioStretch::from_samples(vec![0.0; 100], 8000, 2).unwrap();
    assert_eq!(
        audio.resample(7999).unwrap_err().to_string(),
        "sample_rate is 7999: it must be from 8000 to 384000 Hz"
    );
    for samples in [(vec![0i16; 9], 2), (vec![0; 9], 0), (vec![0; 9], 9)] {
        let result = audio.set_samples(samples.0, samples.1);
        assert!(matches!(result, Err(Error::InvalidParameter(_))));
    }
    assert_eq!(
        (audio.frames(), audio.channels()),
        (50, 2),
        "it stays as it was"
    );
}

#[test]
fn a_format_must_be_told() {
    let audio = AudioStretch::open(recording("stories/sea.wav")).unwrap();
    let files = Files::new();
    let defaults = OutputOptions::default();
    for result in [
        audio.save(files.path("out"), &defaults),
        audio.save(files.path("out.docx"), &defaults),
        audio.save_writer(Vec::new(), &defaults),
    ] {
        let error = result.unwrap_err();
        assert!(error.to_string().starts_with("format is "), "{error}");
    }
    assert!(names(&files).is_empty());
    audio
        .save(files.path("out"), &written_as(Format::Flac))
        .unwrap();
    assert_eq!(&std::fs::read(files.path("out")).unwrap()[..4], b"fLaC");
}

#[test]
fn what_a_format_cannot_hold_is_a_failure_of_processing() {
    let files = Files::new();
    let surround = files.source(44_100, 6, 0.2);
    let before = names(&files);
    let error = stretch_audio(
        &surround,
        files.path("out.mp3"),
        &at_ratio(0.5),
        &OutputOptions::default(),
    )
    .unwrap_err();
    assert!(matches!(error, Error::Processing { .. }), "{error:?}");
    assert_eq!(names(&files), before);
}

#[test]
fn an_output_that_cannot_be_written_is_told_and_leaves_nothing() {
    let files = Files::new();
    let in_the_way = files.write("file", b"");
    let output = in_the_way.join("out.wav");
    let error = stretch_audio(
        recording("stories/sea.wav"),
        output,
        &at_ratio(0.5),
        &OutputOptions::default(),
    )
    .unwrap_err();
    assert!(matches!(error, Error::Output { .. }), "{error:?}");
    assert_eq!(names(&files), ["file"]);

    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let audio = AudioStretch::open(recording("stories/sea.wav")).unwrap();
    let error = audio
        .save_writer(Full, &written_as(Format::Wav))
        .unwrap_err();
    assert!(matches!(error, Error::Output { .. }), "{error:?}");
}

#[test]
fn a_file_is_never_written_over_itself() {
    let files = Files::new();
    let bytes = std::fs::read(recording("stories/sea.wav")).unwrap();
    let path = files.write("in.wav", &bytes);
    let error = stretch_audio(&path, &path, &at_ratio(0.5), &OutputOptions::default()).unwrap_err();
    assert!(matches!(error, Error::OutputIsInput { .. }), "{error:?}");
    let audio = AudioStretch::open(&path).unwrap();
    assert!(audio.save(&path, &OutputOptions::default()).is_err());
    assert!(std::fs::read(&path).unwrap() == bytes);
}

#[test]
fn a_file_is_replaced_by_what_it_became_where_that_is_asked_for() {
    let files = Files::new();
    let bytes = std::fs::read(recording("stories/sea.wav")).unwrap();
    let (path, other) = (files.write("in.wav", &bytes), files.path("other.wav"));
    let conversion = Conversion {
        stretch: at_ratio(0.5),
        in_place: true,
        ..Conversion::default()
    };
    for output in [&other, &path] {
        let input = Input::open(&path).unwrap();
        let done = conversion.to_file(&input, output, |_| ControlFlow::Continue(()));
        done.unwrap();
    }
    let half = std::fs::read(&path).unwrap();
    assert!(half == std::fs::read(&other).unwrap() && half != bytes);
    let audio = AudioStretch::open(&path).unwrap();
    audio
        .save_in_place(&path, &OutputOptions::default())
        .unwrap();
    assert!(std::fs::read(&path).unwrap() == half);
    assert_eq!(names(&files), ["in.wav", "other.wav"]);
}

#[test]
fn a_cancelled_conversion_leaves_nothing() {
    let files = Files::new();
    let input = Input::open(recording("stories/sea.wav")).unwrap();
    let mut told = 0;
    let result = Conversion::default().to_file(&input, files.path("out.wav"), |progress| {
        told = progress.frames;
        ControlFlow::Break(())
    });
    assert!(matches!(result, Err(Error::Cancelled)));
    assert!(told > 0);
    assert!(names(&files).is_empty());
}

#[test]
fn audio_in_memory_that_is_stopped_stays_as_it_was() {
    let files = Files::new();
    let input = Input::open(recording("stories/sea.wav")).unwrap();
    let stop = StopToken::new();
    let mut audio =
        AudioStretch::open_input_until(&input, &Limits::default(), stop.clone()).unwrap();
    let frames = audio.frames();
    stop.stop();
    let options = OutputOptions::default();
    for result in [
        audio.stretch(&at_ratio(0.5)),
        audio.resample(48_000),
        audio.save(files.path("out.wav"), &options).map(drop),
        AudioStretch::open_input_until(&input, &Limits::default(), stop).map(drop),
    ] {
        assert!(matches!(result, Err(Error::Cancelled)), "{result:?}");
    }
    assert_eq!(audio.frames(), frames);
    assert!(names(&files).is_empty());
    audio.set_stop(StopToken::new());
    audio.stretch(&at_ratio(0.5)).unwrap();
}

#[test]
fn an_output_is_replaced_only_by_a_whole_one() {
    let files = Files::new();
    let output = files.write("out.wav", b"old");
    let broken = files.write("broken.wav", b"RIFF....WAVE");
    assert!(stretch_audio(broken, &output, &at_ratio(0.5), &OutputOptions::default()).is_err());
    assert_eq!(std::fs::read(&output).unwrap(), b"old");
    stretch_audio(
        recording("stories/sea.wav"),
        &output,
        &at_ratio(0.5),
        &OutputOptions::default(),
    )
    .unwrap();
    assert_eq!(&std::fs::read(&output).unwrap()[..4], b"RIFF");
}

#[test]
fn audio_in_memory_keeps_to_its_limits() {
    let input = Input::open(recording("stories/sea.wav")).unwrap();
    let limits = |max_duration, deadline| Limits {
        max_duration,
        deadline,
        ..Limits::default()
    };
    let second = Duration::from_secs(1);
    let too_long = AudioStretch::open_input_within(&input, &limits(second, None));
    assert!(matches!(too_long.unwrap_err(), Error::Unsupported { .. }));
    let too_late = limits(Limits::MAX_DURATION, Some(Instant::now()));
    let too_late = AudioStretch::open_input_within(&input, &too_late);
    assert!(matches!(too_late.unwrap_err(), Error::Unreadable { .. }));
    let enough = AudioStretch::open_input_within(&input, &limits(60 * second, None));
    assert_eq!(enough.unwrap().seconds(), 6.0);
}

#[test]
fn an_input_that_changes_while_it_is_read_is_unreadable() {
    let files = Files::new();
    let path = files.write(
        "a.wav",
        &std::fs::read(recording("stories/sea.wav")).unwrap(),
    );
    let input = Input::open(&path).unwrap();
    let file = std::fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .unwrap();
    (&file).write_all(b"more").unwrap();
    let conversion = Conversion {
        encoding: written_as(Format::Wav),
        ..Conversion::default()
    };
    let go_on = |_| ControlFlow::Continue(());
    let error = conversion.to_writer(&input, io::sink(), go_on).unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
    let error = AudioStretch::open_input(&input).unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
}

#[test]
fn a_sample_rate_that_nothing_has_is_refused_by_every_call() {
    let output = OutputOptions {
        sample_rate: Some(5),
        ..OutputOptions::default()
    };
    let is_refused = |result: Result<(), Error>| {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::InvalidParameter { .. }), "{error:?}");
        assert!(error.to_string().contains("sample_rate"), "{error}");
    };
    let files = Files::new();
    let input = recording(super::RECORDINGS[0]);
    let to = files.path("out.wav");
    is_refused(stretch_audio(&input, &to, &at_ratio(0.8), &output).map(drop));
    is_refused(
        AudioStretch::open(&input)
            .unwrap()
            .save(&to, &output)
            .map(drop),
    );
    assert_eq!(names(&files), [""; 0]);
}
