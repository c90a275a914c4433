//! Change the speed of audio, one piece or whole folders of files, without changing its pitch.
//!
//! The parts, from the innermost out; each needs only those before it:
//!
//! - [`engine`]: [`Stretcher`] takes blocks of samples and gives blocks, in bounded memory;
//!   [`options`] are its parameters.
//! - [`media`]: decoders and encoders of audio files.
//! - [`pipeline`]: one file from end to end.
//! - [`batch`]: whole folders: a [`Plan`](batch::Plan), checked before anything is written, is
//!   carried out by a [`Session`](batch::Session) that tells [`Event`](batch::Event)s and returns a
//!   [`Report`](report::Report).
//! - [`preset`]: named settings in TOML files.
//!
//! Stretching a folder:
//!
//! ```no_run
//! use audiostretchy::batch::{PlanRequest, RunOptions, Session, StopToken};
//! use audiostretchy::{Format, StretchOptions};
//!
//! let mut request = PlanRequest::new(vec!["podcasts".into()], "faster".into());
//! request.stretch = StretchOptions { ratio: 0.8, ..StretchOptions::default() };
//! request.encoding.format = Some(Format::Mp3);
//! let mut session = Session::start(request.plan()?)?;
//! session.probe();
//! let report = session.run(&RunOptions::default(), &StopToken::new(), &|_event| {});
//! println!("{} files done", report.counts.done);
//! # Ok::<(), audiostretchy::batch::PlanError>(())
//! ```

mod audio_stretch;
pub mod batch;
mod conversion;
pub mod engine;
mod error;
pub mod media;
pub mod options;
pub mod pipeline;
pub mod preset;
pub mod report;
mod warning;

pub use audio_stretch::{AudioSamples, AudioStretch};
pub use batch::Estimate;
pub use conversion::{Conversion, estimate, stretch_audio};
pub use engine::{PositionMapper, Sample, Stretcher, TimeMap, TimePoint};
pub use error::{End, Error};
pub use media::format::{BitDepth, Format, OutputOptions};
pub use media::input::Input;
pub use options::{Keep, OptionError, StretchOptions};
pub use warning::Warning;

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
