//! Conversions from readers to writers.

use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;

use audiostretchy::{Conversion, Format, Input, OutputOptions, stretch_audio};

use super::{RECORDINGS, at_ratio, recording, written_as};
use crate::files::Files;

/// A reader that can only be read, a few bytes at a time, and not seeked.
struct Pipe(File);

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = buffer.len().min(1000);
        self.0.read(&mut buffer[..len])
    }
}

#[test]
fn a_pipe_to_a_pipe_equals_a_file_to_a_file() {
    let files = Files::new();
    for name in RECORDINGS {
        for format in [Format::Wav, Format::Mp3, Format::Flac, Format::Ogg] {
            let output = files.path("out").with_extension(format.name());
            stretch_audio(
                recording(name),
                &output,
                &at_ratio(1.2),
                &OutputOptions::default(),
            )
            .unwrap();
            let conversion = Conversion {
                stretch: at_ratio(1.2),
                encoding: written_as(format),
                ..Conversion::default()
            };
            let input = Input::spool(Pipe(File::open(recording(name)).unwrap())).unwrap();
            let mut piped = Vec::new();
            let outcome = conversion.to_writer(&input, &mut piped, |_| ControlFlow::Continue(()));
            assert!(outcome.unwrap().input_frames > 0);
            assert!(
                piped == std::fs::read(output).unwrap(),
                "{name} to {format:?}"
            );
        }
    }
}

#[test]
fn an_input_can_be_read_again() {
    let input = Input::open(recording("stories/sea.wav")).unwrap();
    let conversion = Conversion {
        encoding: written_as(Format::Flac),
        ..Conversion::default()
    };
    let mut outputs = [Vec::new(), Vec::new()];
    for output in &mut outputs {
        let done = conversion.to_writer(&input, output, |_| ControlFlow::Continue(()));
        done.unwrap();
    }
    assert!(outputs[0] == outputs[1] && !outputs[0].is_empty());
}

#[test]
fn tags_can_be_left_behind() {
    let input = Input::open(recording("stories/lighthouse.mp3")).unwrap();
    for tags in [true, false] {
        let conversion = Conversion {
            encoding: written_as(Format::Flac),
            tags,
            ..Conversion::default()
        };
        let mut output = Vec::new();
        let done = conversion.to_writer(&input, &mut output, |_| ControlFlow::Continue(()));
        done.unwrap();
        let title = b"The Lighthouse";
        let is_there = output.windows(title.len()).any(|bytes| bytes == title);
        assert_eq!(is_there, tags);
    }
}
