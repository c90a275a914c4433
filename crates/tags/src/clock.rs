//! Converts times in the input to the times of the same audio in the output.

use std::ops::Range;

use audiostretchy_engine::TimePoint;

/// Input positions with their output positions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MovedPositions {
    /// The requested positions in rising order: input frames, and output frames at the output's
    /// rate.
    pub points: Vec<TimePoint>,
    /// Lengths of input and output in frames.
    pub end: TimePoint,
    /// Sample rate of the input in Hz.
    pub input_rate: u32,
    /// Sample rate of the output in Hz.
    pub output_rate: u32,
}

impl MovedPositions {
    /// Returns the output position for an input position, both in frames. Positions past the end of
    /// the input map to the end of the output.
    ///
    /// The result is exact for requested positions.
    pub fn output(&self, input: u64) -> u64 {
        if input >= self.end.input {
            return self.end.output;
        }
        match self
            .points
            .binary_search_by_key(&input, |point| point.input)
        {
            Ok(found) => self.points[found].output,
            Err(after) => self
                .points
                .get(after)
                .map_or(self.end.output, |point| point.output),
        }
    }
}

/// Converts every time in the metadata.
///
/// The same code visits the metadata twice: first to collect the positions it needs, then to move
/// them. The first visit changes nothing.
#[derive(Debug)]
pub struct Clock<'a> {
    rate: u32,
    mode: Mode<'a>,
    /// How many spans were found in the part that is asked for.
    spans: usize,
}

#[derive(Debug)]
enum Mode<'a> {
    Ask(Vec<u64>),
    Move {
        positions: &'a MovedPositions,
        /// The part of the output that times are moved to, in frames; they count from its start.
        part: Range<u64>,
    },
}

impl<'a> Clock<'a> {
    /// Creates a clock that collects the requested positions of an input, given its sample rate in
    /// Hz.
    pub fn asking(rate: u32) -> Self {
        Self {
            rate,
            mode: Mode::Ask(Vec::new()),
            spans: 0,
        }
    }

    /// Creates a clock that moves times.
    pub fn moving(positions: &'a MovedPositions) -> Self {
        Self::moving_to_part(positions, 0..u64::MAX)
    }

    /// Creates a clock that moves times to those of a part of the output, in frames, from whose
    /// start they count. What lies outside moves to the nearer end of it.
    pub fn moving_to_part(positions: &'a MovedPositions, part: Range<u64>) -> Self {
        Self {
            rate: positions.input_rate,
            mode: Mode::Move { positions, part },
            spans: 0,
        }
    }

    /// Returns the collected positions, in input frames.
    pub fn into_positions(self) -> Vec<u64> {
        match self.mode {
            Mode::Ask(positions) => positions,
            Mode::Move { .. } => Vec::new(),
        }
    }

    /// Returns the sample rate of input positions, in Hz.
    pub fn input_rate(&self) -> u32 {
        self.rate
    }

    /// Returns the sample rate of output positions, in Hz.
    pub fn output_rate(&self) -> u32 {
        match self.mode {
            Mode::Ask(_) => self.rate,
            Mode::Move { positions, .. } => positions.output_rate,
        }
    }

    /// Returns the length of the output, or of its part, in frames, once known.
    pub fn output_end(&self) -> Option<u64> {
        match &self.mode {
            Mode::Ask(_) => None,
            Mode::Move { positions, part } => Some(
                positions
                    .end
                    .output
                    .min(part.end)
                    .saturating_sub(part.start),
            ),
        }
    }

    /// Returns whether times are moved to a part of the output.
    pub fn is_of_part(&self) -> bool {
        matches!(&self.mode, Mode::Move { part, .. } if *part != (0..u64::MAX))
    }

    /// Returns whether anything was found in the part of the output that times are moved to.
    pub fn has_found_spans(&self) -> bool {
        self.spans > 0
    }

    /// Returns whether a position in input frames is known to lie at or after the end of the input.
    pub fn is_past_end(&self, input: u64) -> bool {
        matches!(&self.mode, Mode::Move { positions, .. } if input >= positions.end.input)
    }

    /// Moves a position in frames.
    pub fn frames(&mut self, input: u64) -> u64 {
        match &mut self.mode {
            Mode::Ask(positions) => {
                positions.push(input);
                input
            }
            Mode::Move { positions, part } => {
                positions.output(input).clamp(part.start, part.end) - part.start
            }
        }
    }

    /// Moves both ends of something, in units of `1 / per_second` seconds; `None` if no part of it
    /// lies in the part of the output that times are moved to.
    pub fn span(&mut self, start: u64, end: u64, per_second: u64) -> Option<(u64, u64)> {
        if let Mode::Move { positions, part } = &self.mode {
            let output = |time| positions.output(rescale(time, per_second, self.rate.into()));
            let (start, end) = (output(start), output(end));
            if start >= part.end || (start < part.start && end <= part.start) {
                return None;
            }
        }
        self.spans += 1;
        Some((self.units(start, per_second), self.units(end, per_second)))
    }

    /// Moves a time in units of `1 / per_second` seconds, rounded to the nearest unit.
    pub fn units(&mut self, input: u64, per_second: u64) -> u64 {
        let position = rescale(input, per_second, self.rate.into());
        let moved = self.frames(position);
        match self.mode {
            Mode::Ask(_) => input,
            Mode::Move { .. } => rescale(moved, self.output_rate().into(), per_second),
        }
    }

    /// Moves a time in milliseconds.
    pub fn millis(&mut self, input: u64) -> u64 {
        self.units(input, 1000)
    }
}

/// Converts a time from units of `1 / from` seconds to `1 / to` seconds, rounded to the nearest.
pub fn rescale(value: u64, from: u64, to: u64) -> u64 {
    let scaled = (u128::from(value) * u128::from(to) + u128::from(from) / 2) / u128::from(from);
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

/// Positions of audio of some frames, at a rate of 1000, that became half as long.
#[cfg(test)]
pub(crate) fn halved(frames: u64) -> MovedPositions {
    let point = |input| TimePoint {
        input,
        output: input / 2,
    };
    MovedPositions {
        points: (0..frames).map(point).collect(),
        end: point(frames),
        input_rate: 1000,
        output_rate: 1000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(input: u64, output: u64) -> TimePoint {
        TimePoint { input, output }
    }

    fn positions() -> MovedPositions {
        MovedPositions {
            points: vec![point(44_100, 48_000), point(88_200, 60_000)],
            end: point(100_000, 70_000),
            input_rate: 44_100,
            output_rate: 48_000,
        }
    }

    #[test]
    fn asking_changes_nothing() {
        let mut clock = Clock::asking(44_100);
        assert_eq!(clock.millis(1234), 1234);
        assert_eq!(clock.frames(7), 7);
        assert_eq!(clock.into_positions(), [54_419, 7]);
    }

    #[test]
    fn times_of_a_part_count_from_its_start() {
        let positions = MovedPositions {
            points: vec![point(0, 0), point(44_100, 48_000), point(88_200, 60_000)],
            ..positions()
        };
        let mut first = Clock::moving_to_part(&positions, 0..48_000);
        assert_eq!(first.span(0, 1000, 1000), Some((0, 1000)));
        assert_eq!(first.span(1000, 2000, 1000), None);
        assert_eq!(first.output_end(), Some(48_000));
        let mut last = Clock::moving_to_part(&positions, 48_000..u64::MAX);
        assert_eq!(last.span(0, 1000, 1000), None);
        assert_eq!(last.span(0, 2000, 1000), Some((0, 250)));
        assert_eq!(last.span(1000, 1000, 1000), Some((0, 0)));
        assert_eq!(last.span(1000, 9000, 1000), Some((0, 458)));
        assert_eq!(last.output_end(), Some(22_000));
    }

    #[test]
    fn times_move_in_their_own_unit() {
        let positions = positions();
        let mut clock = Clock::moving(&positions);
        assert_eq!(clock.frames(44_100), 48_000);
        assert_eq!(clock.millis(2000), 1250);
        assert_eq!(clock.millis(9000), 1458);
        assert!(clock.is_past_end(100_000));
    }
}
