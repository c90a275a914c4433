//! Change the speed of audio, one piece or whole folders of files, without changing its pitch.
//!
//! The engine is time-domain harmonic scaling (TDHS), made for speech. On 16-bit audio its output
//! equals that of audio-stretch 0.4, the engine behind the AudioStretchy Python package, to the
//! last bit; the page `docs/from-python.md` puts each call of that package beside ours.
//!
//! # A file
//!
//! [`stretch_audio`] reads a file of any known format and writes one in the format that its name
//! tells. [`StretchOptions`] has all parameters, with their defaults and ranges.
//!
//! ```
//! use audiostretchy::{OutputOptions, StretchOptions, stretch_audio};
//!
//! # let folder = tempfile::tempdir()?;
//! # let output = folder.path().join("faster.mp3");
//! let input = "tests/data/recordings/lectures/evening.flac";
//! // A speed of 1.25 is a ratio of 0.8: output length / input length.
//! let options = StretchOptions::from_speed(1.25);
//! let outcome = stretch_audio(input, output, &options, &OutputOptions::default())?;
//! assert!(outcome.encoded.frames < outcome.input_frames);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Audio in memory
//!
//! [`AudioStretch`] holds a piece of audio: open it from a file or a reader, look at its samples or
//! replace them, stretch and resample it as often as wanted, save it to files or writers.
//!
//! ```
//! use audiostretchy::{AudioStretch, OutputOptions, StretchOptions};
//!
//! let tone: Vec<i16> = (0..44_100).map(|n| ((n as f32 * 0.06).sin() * 9000.0) as i16).collect();
//! let mut audio = AudioStretch::from_samples(tone, 44_100, 1)?;
//! audio.stretch(&StretchOptions { ratio: 2.0, ..StretchOptions::default() })?;
//! assert!((audio.seconds() - 2.0).abs() < 0.05);
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("tone.flac");
//! audio.save(path, &OutputOptions::default())?;
//! # Ok::<(), audiostretchy::Error>(())
//! ```
//!
//! # Readers, writers, pipes
//!
//! [`Conversion`] takes an [`Input`], which is a file, any reader, or a pipe, to a file or any
//! writer, in constant memory, with progress and a way to break off. For live audio, [`Stretcher`]
//! takes blocks of samples and gives blocks.
//!
//! # Folders
//!
//! A [`Plan`](batch::Plan) is checked before anything is written; a [`Session`](batch::Session)
//! carries it out on all processors, tells [`Event`](batch::Event)s, and returns a
//! [`Report`](report::Report). The program is a thin user of this.
//!
//! ```no_run
//! use audiostretchy::batch::{PlanRequest, RunOptions, Session, StopToken};
//! use audiostretchy::{Format, StretchOptions};
//!
//! let mut request = PlanRequest::new(vec!["podcasts".into()], "faster".into());
//! request.settings.stretch = StretchOptions { ratio: 0.8, ..StretchOptions::default() };
//! request.settings.encoding.format = Some(Format::Mp3);
//! let mut session = Session::start(&request)?;
//! session.probe();
//! let report = session.run(&RunOptions::default(), &StopToken::new(), |_event| {});
//! println!("{} files done", report.counts.done);
//! # Ok::<(), audiostretchy::batch::PlanError>(())
//! ```
//!
//! # Errors
//!
//! Each layer has one error type. [`Error`] is the top one: it distinguishes inputs that are missing,
//! unsupported or damaged, parameters out of range, and audio that cannot be processed or written. A
//! call that fails leaves nothing half-written. Panics of decoders and encoders on damaged files are
//! caught and returned as errors; like all panics, they pass through the process's panic hook first.
//!
//! # How long it takes
//!
//! [`estimate`] measures this machine for a third of a second and returns how long an output will be
//! and how long it will take to make.
//!
//! # Features
//!
//! `cli` is the program and what it needs. `mp3`, `flac`, `vorbis`, `opus` and `aac` are encoders;
//! WAV and AIFF are always written, and everything is always read. All are on by default; a format
//! that was left out is refused with an error that names its feature.
//!
//! The library never prints and never exits, other than in the program itself.

// The command line is written as any user of the library is.
#[cfg(feature = "cli")]
extern crate self as audiostretchy;

mod audio_stretch;
pub mod batch;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
mod conversion;
mod error;
mod pipeline;
pub mod preset;
mod progress;
pub mod report;
pub mod time;

pub use audio_stretch::AudioStretch;
pub use audiostretchy_containers::input::{Input, InputError};
pub use audiostretchy_containers::limits::Limits;
pub use audiostretchy_containers::warning::Warning;
pub use audiostretchy_engine::{
    Engine, OptionError, PositionMapper, Sample, StretchOptions, Stretcher, Style, TimeMap,
    TimePoint, options,
};
pub use audiostretchy_media::decode::{AudioInfo, Damage, DecodeError};
pub use audiostretchy_media::encode::{EncodeError, EncodeSpec, Encoded};
pub use audiostretchy_media::format::{
    BitDepth, EncoderEffort, Format, OutputChannels, OutputOptions,
};
pub use audiostretchy_media::resample::ResampleError;
pub use audiostretchy_media::samples::Samples;
pub use conversion::{Conversion, estimate, stretch_audio};
pub use error::{End, Error, with_causes};
pub use pipeline::estimate::Estimate;
pub use pipeline::keep::Keep;
pub use pipeline::{Outcome, PipelineError};
pub use progress::Progress;

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The examples of the page on the library.
#[cfg(doctest)]
#[doc = include_str!("../docs/library.md")]
struct Library;

/// The examples of the page for those who come from Python.
#[cfg(doctest)]
#[doc = include_str!("../docs/from-python.md")]
struct FromPython;
