//! Where the positions go that tags, chapters and text files beside the audio tell.

use super::picture::Collector;
use audiostretchy_engine::{PositionMapper, Sample, Stretcher, TimePoint};
use audiostretchy_media::decode::AudioInfo;
use audiostretchy_tags::sidecar::Sidecar;
use audiostretchy_tags::{Clock, Metadata, MovedPositions, rescale};

/// Finds where the positions went that something beside the audio asks for.
pub(super) struct Times {
    mapper: PositionMapper,
    is_needed: bool,
    /// Finds where parts of the output begin.
    starts: PositionMapper,
    /// How many of them were told.
    told: usize,
    /// The picture, if one is wanted.
    pub(super) picture: Option<Collector>,
    /// All points, if they are wanted.
    pub(super) whole: Option<Vec<TimePoint>>,
}

impl Times {
    pub(super) fn wanted_by(
        metadata: Option<&mut Metadata>,
        sidecars: &[Sidecar],
        starts: Vec<u64>,
        source: &AudioInfo,
    ) -> Self {
        let mut clock = Clock::asking(source.sample_rate);
        if let Some(metadata) = metadata {
            metadata.visit(&mut clock, 1.0);
        }
        for sidecar in sidecars {
            sidecar.visit(&mut clock);
        }
        let positions = clock.into_positions();
        Self {
            is_needed: !positions.is_empty() || !starts.is_empty(),
            mapper: PositionMapper::new(positions),
            starts: PositionMapper::new(starts),
            told: 0,
            picture: None,
            whole: None,
        }
    }

    /// Returns whether the stretcher has to keep its time map.
    pub(super) fn is_needed(&self) -> bool {
        self.is_needed || self.whole.is_some() || self.picture.is_some()
    }

    pub(super) fn advance<T: Sample>(&mut self, stretcher: &mut Stretcher<T>) {
        let (whole, starts, picture) = (&mut self.whole, &mut self.starts, &mut self.picture);
        let points = stretcher.drain_time_points();
        self.mapper.advance(points.inspect(|&point| {
            starts.advance([point]);
            if let Some(picture) = picture {
                picture.went(point);
            }
            if let Some(whole) = whole {
                whole.push(point);
            }
        }));
    }

    /// Returns the frames of the output, at the input's rate, up to which all starts are known.
    pub(super) fn known_frames(&self) -> u64 {
        self.starts.end().output
    }

    /// Returns the starts of parts that have become known, in frames at the input's rate.
    pub(super) fn next_starts(&mut self) -> impl Iterator<Item = u64> {
        let new = &self.starts.found()[self.told..];
        self.told += new.len();
        new.iter().map(|point| point.output)
    }

    /// Returns the positions at the output's rate; lengths are in frames, rates in Hz.
    pub(super) fn finish(
        self,
        input_frames: u64,
        source: &AudioInfo,
        output_frames: u64,
        output_rate: u32,
    ) -> (MovedPositions, Option<Vec<TimePoint>>) {
        let input_rate = source.sample_rate;
        let at_output_rate = |point: TimePoint| TimePoint {
            output: rescale(point.output, input_rate.into(), output_rate.into()).min(output_frames),
            ..point
        };
        let whole = self.whole.map(|points| {
            let points = points.into_iter().map(at_output_rate);
            points.collect()
        });
        let positions = MovedPositions {
            points: (self.mapper.finish().into_iter().map(at_output_rate)).collect(),
            end: TimePoint {
                input: input_frames,
                output: output_frames,
            },
            input_rate,
            output_rate,
        };
        (positions, whole)
    }
}
