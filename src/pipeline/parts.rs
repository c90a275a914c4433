//! One stream of audio, written to several files one after another.

use std::collections::VecDeque;
use std::sync::Arc;

use audiostretchy_media::decode::AudioInfo;
use audiostretchy_media::encode::{EncodeError, EncodeSpec, Encoded, Encoder, Sink, Workers};
use audiostretchy_media::samples::Samples;
use audiostretchy_tags::{Chapter, Clock, MovedPositions};

/// Chapters that begin closer to each other than this, in seconds, are one: a part and its first
/// chapter.
const SHORTEST: f64 = 0.1;

/// A chapter that becomes a file of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// Its start in frames of the input.
    pub(crate) start: u64,
    /// Its title.
    pub(crate) title: String,
}

/// Returns what audio with these chapters is split into: the first part begins where the audio does.
pub(crate) fn of(chapters: &[Chapter], info: &AudioInfo) -> Vec<Part> {
    let shortest = (SHORTEST * f64::from(info.sample_rate)) as u64;
    let end = info.frames.unwrap_or(u64::MAX);
    let mut parts: Vec<Part> = Vec::new();
    for chapter in chapters {
        match parts.last_mut() {
            _ if chapter.start.saturating_add(shortest) > end => {}
            Some(last) if chapter.start < last.start + shortest => {
                last.title.clone_from(&chapter.title);
            }
            _ => parts.push(Part {
                start: chapter.start,
                title: chapter.title.clone(),
            }),
        }
    }
    if let Some(first) = parts.first_mut() {
        first.start = 0;
    }
    for (number, part) in (1..).zip(&mut parts) {
        if part.title.trim().is_empty() {
            part.title = format!("Chapter {number}");
        }
    }
    parts
}

/// Returns the clock of a part, of which its first frame in the whole output and what was written are
/// given; without one, that of the whole.
pub(crate) fn clock<'a>(positions: &'a MovedPositions, part: Option<&(u64, Encoded)>) -> Clock<'a> {
    match part {
        Some((start, encoded)) => Clock::moving_to_part(positions, *start..start + encoded.frames),
        None => Clock::moving(positions),
    }
}

/// Encoders for files that follow each other, all of one specification.
pub(super) struct Parts<'a, S> {
    spec: &'a EncodeSpec,
    workers: Option<Arc<dyn Workers>>,
    sinks: std::vec::IntoIter<S>,
    encoder: Box<dyn Encoder + 'a>,
    /// Where the next parts begin, in frames of the whole output, as far as that is known.
    starts: VecDeque<u64>,
    frames: u64,
    done: Vec<Encoded>,
}

impl<'a, S: Sink + 'a> Parts<'a, S> {
    /// Begins the first of at least one file.
    ///
    /// # Errors
    /// Returns an error if the encoder refuses the specification or writing fails.
    pub(super) fn start(
        spec: &'a EncodeSpec,
        sinks: Vec<S>,
        workers: Option<Arc<dyn Workers>>,
    ) -> Result<Self, EncodeError> {
        let mut sinks = sinks.into_iter();
        let first = sinks.next().expect("there is at least one output");
        Ok(Self {
            spec,
            encoder: spec.start_with(first, workers.clone())?,
            workers,
            sinks,
            starts: VecDeque::new(),
            frames: 0,
            done: Vec::new(),
        })
    }

    /// Lets the next part begin at a frame that was not written yet.
    pub(super) fn begin_at(&mut self, frame: u64) {
        self.starts.push_back(frame);
    }

    /// Encodes a block of whole frames.
    ///
    /// # Errors
    /// Returns an error if writing fails or the format cannot hold more.
    pub(super) fn write(&mut self, mut samples: Samples<'_>) -> Result<(), EncodeError> {
        let channels = self.spec.channels;
        while let Some(&start) = self.starts.front()
            && start < self.frames + (samples.len() / channels) as u64
        {
            let before = start.saturating_sub(self.frames) as usize;
            let (now, later) = samples.split_at(before * channels);
            self.frames += before as u64;
            self.encoder.write(now)?;
            self.next_part()?;
            samples = later;
        }
        self.frames += (samples.len() / channels) as u64;
        self.encoder.write(samples)
    }

    fn next_part(&mut self) -> Result<(), EncodeError> {
        self.starts.pop_front();
        let sink = self.sinks.next().expect("a file for each part");
        let next = self.spec.start_with(sink, self.workers.clone())?;
        let finished = std::mem::replace(&mut self.encoder, next);
        self.done.push(finished.finish()?);
        Ok(())
    }

    /// Completes the last file; returns what was written to each that was begun.
    ///
    /// # Errors
    /// Returns an error if writing fails.
    pub(super) fn finish(mut self) -> Result<Vec<Encoded>, EncodeError> {
        self.done.push(self.encoder.finish()?);
        Ok(self.done)
    }
}
