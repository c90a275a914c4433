//! The time map: the output position of each input position.

use std::collections::VecDeque;

/// A pair of corresponding positions, in frames from the start of input and output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimePoint {
    /// Input position in frames.
    pub input: u64,
    /// Output position in frames.
    pub output: u64,
}

/// Returns the `y` that belongs to `x` on the straight line through `a` and `b`, each a pair (x,
/// y).
fn interpolate(a: (u64, u64), b: (u64, u64), x: u64) -> u64 {
    if b.0 <= a.0 {
        return b.1;
    }
    let along = u128::from(x.clamp(a.0, b.0) - a.0);
    a.1 + (along * u128::from(b.1 - a.1) / u128::from(b.0 - a.0)) as u64
}

/// Joins the time maps of two stretchers in cascade as their points arrive.
///
/// Memory is bounded by how far the second stretcher lags behind the first.
pub(crate) struct Cascade {
    /// Points of the first stretcher (input, middle) that the second has not passed.
    first: VecDeque<TimePoint>,
    /// The last point of the first stretcher that the second has passed.
    passed: TimePoint,
}

impl Cascade {
    /// Creates a cascade with capacity for this many points between the two.
    pub(crate) fn with_capacity(points: usize) -> Self {
        Self {
            first: VecDeque::with_capacity(points),
            passed: TimePoint::default(),
        }
    }

    /// Resets both maps to their start.
    pub(crate) fn reset(&mut self) {
        self.first.clear();
        self.passed = TimePoint::default();
    }

    /// Takes new points (input, middle) of the first stretcher and (middle, output) of the second,
    /// and appends points (input, output) for every cut of the second.
    pub(crate) fn join(
        &mut self,
        first: &mut Vec<TimePoint>,
        second: &mut Vec<TimePoint>,
        joined: &mut Vec<TimePoint>,
    ) {
        self.first.extend(first.drain(..));
        for point in second.drain(..) {
            let middle = point.input;
            while let Some(&next) = self.first.front()
                && next.output <= middle
            {
                self.passed = next;
                self.first.pop_front();
            }
            let next = self.first.front().copied().unwrap_or(self.passed);
            let (a, b) = (self.passed, next);
            joined.push(TimePoint {
                input: interpolate((a.output, a.input), (b.output, b.input), middle),
                output: point.output,
            });
        }
    }
}

/// The whole time map of one stretch, for looking positions up in any order.
///
/// Between two points, which lie at most a few periods apart, positions are interpolated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TimeMap {
    points: Vec<TimePoint>,
}

impl TimeMap {
    /// Creates a map from points in rising order, as a [`Stretcher`](super::Stretcher) returns
    /// them.
    pub fn new(points: Vec<TimePoint>) -> Self {
        Self { points }
    }

    /// Returns the points, in rising order; the map starts at (0, 0) before the first.
    pub fn points(&self) -> &[TimePoint] {
        &self.points
    }

    /// Returns the output position for an input position, both in frames. Positions past the end of
    /// the input map to the end of the output.
    pub fn output_position(&self, input: u64) -> u64 {
        let after = self.points.partition_point(|point| point.input < input);
        let Some(&next) = self.points.get(after) else {
            return self.points.last().map_or(0, |last| last.output);
        };
        let last = match after {
            0 => TimePoint::default(),
            _ => self.points[after - 1],
        };
        interpolate((last.input, last.output), (next.input, next.output), input)
    }
}

/// Looks up sorted positions while the points of a time map stream by.
///
/// Memory use depends on the number of positions only, not on the length of the audio.
///
/// ```
/// use audiostretchy_engine::{PositionMapper, TimePoint};
///
/// let mut mapper = PositionMapper::new(vec![50, 150, 900]);
/// mapper.advance([TimePoint { input: 100, output: 50 }, TimePoint { input: 200, output: 100 }]);
/// let outputs: Vec<_> = mapper.finish().iter().map(|point| point.output).collect();
/// assert_eq!(outputs, [25, 75, 100]);
/// ```
#[derive(Debug, Clone)]
pub struct PositionMapper {
    /// The requested positions; those before `next` have their output.
    found: Vec<TimePoint>,
    next: usize,
    last: TimePoint,
}

impl PositionMapper {
    /// Creates a mapper for input positions in frames, which need not be sorted or unique.
    pub fn new(mut positions: Vec<u64>) -> Self {
        positions.sort_unstable();
        positions.dedup();
        let point = |input| TimePoint { input, output: 0 };
        Self {
            found: positions.into_iter().map(point).collect(),
            next: 0,
            last: TimePoint::default(),
        }
    }

    /// Takes the next points of the map, in rising order.
    pub fn advance(&mut self, points: impl IntoIterator<Item = TimePoint>) {
        for point in points {
            let (from, to) = (
                (self.last.input, self.last.output),
                (point.input, point.output),
            );
            while let Some(wanted) = self.found.get_mut(self.next)
                && wanted.input <= point.input
            {
                wanted.output = interpolate(from, to, wanted.input);
                self.next += 1;
            }
            self.last = point;
        }
    }

    /// Returns the positions that are found so far, with their outputs, in rising order.
    pub fn found(&self) -> &[TimePoint] {
        &self.found[..self.next]
    }

    /// Returns the last point seen. After all points, this is the end of input and output.
    pub fn end(&self) -> TimePoint {
        self.last
    }

    /// Returns the positions with their outputs, in rising order. Positions past the end map to the
    /// end.
    pub fn finish(mut self) -> Vec<TimePoint> {
        for wanted in &mut self.found[self.next..] {
            wanted.output = self.last.output;
        }
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streamed_positions_are_those_of_the_whole_map() {
        let map = points(&[(100, 50), (100, 60), (240, 260), (240, 300), (400, 301)]);
        let positions = || (0..500).step_by(7);
        let mut mapper = PositionMapper::new(positions().collect());
        for block in map.chunks(2) {
            mapper.advance(block.iter().copied());
        }
        assert_eq!(mapper.end(), map[4]);
        let whole = TimeMap::new(map);
        for point in mapper.finish() {
            assert_eq!(point.output, whole.output_position(point.input));
        }
    }

    fn points(pairs: &[(u64, u64)]) -> Vec<TimePoint> {
        let point = |&(input, output)| TimePoint { input, output };
        pairs.iter().map(point).collect()
    }

    #[test]
    fn positions_between_points_are_interpolated() {
        let map = TimeMap::new(points(&[(100, 50), (200, 250)]));
        let found = [0, 50, 100, 150, 200, 300].map(|input| map.output_position(input));
        assert_eq!(found, [0, 25, 50, 150, 250, 250]);
    }

    #[test]
    fn an_empty_map_maps_everything_to_zero() {
        assert_eq!(TimeMap::default().output_position(5), 0);
    }

    #[test]
    fn a_cascade_joins_its_maps() {
        let mut joined = Vec::new();
        Cascade::with_capacity(2).join(
            &mut points(&[(100, 200), (200, 400)]),
            &mut points(&[(100, 200), (200, 400), (300, 600)]),
            &mut joined,
        );
        assert_eq!(joined, points(&[(50, 200), (100, 400), (150, 600)]));
    }
}
