//! The plan of where each moment of the input goes.

use std::collections::VecDeque;

use super::onsets::Onsets;
use super::tonality::Tonality;

/// A piece of the input with one ratio, up to the next piece.
#[derive(Clone, Copy)]
struct Piece {
    input: f64,
    output: f64,
    ratio: f64,
}

/// Corresponding positions in input and output, in frames: what the ratios ask for.
///
/// Exact, so that the length of the output is known exactly too.
pub(super) struct Nominal {
    pieces: VecDeque<Piece>,
    /// The input given so far.
    end: u64,
}

impl Nominal {
    pub(super) fn new() -> Self {
        Self {
            pieces: VecDeque::with_capacity(64),
            end: 0,
        }
    }

    pub(super) fn reset(&mut self) {
        self.pieces.clear();
        self.end = 0;
    }

    /// Adds input frames with a ratio.
    pub(super) fn extend(&mut self, frames: usize, ratio: f64) {
        let input = self.end as f64;
        if self.pieces.back().is_none_or(|last| last.ratio != ratio) {
            let output = self.output(input);
            self.pieces.push_back(Piece {
                input,
                output,
                ratio,
            });
        }
        self.end += frames as u64;
    }

    /// Returns the number of input frames given so far.
    pub(super) fn input_frames(&self) -> u64 {
        self.end
    }

    /// Returns the number of output frames that the input given so far makes.
    pub(super) fn output_frames(&self) -> u64 {
        self.output(self.end as f64).round() as u64
    }

    fn piece(&self, is_before: impl Fn(&Piece) -> bool) -> Piece {
        let after = self.pieces.partition_point(is_before);
        let none = Piece {
            input: 0.0,
            output: 0.0,
            ratio: 1.0,
        };
        self.pieces
            .get(after.saturating_sub(1))
            .copied()
            .unwrap_or(none)
    }

    /// Returns the output position of an input position.
    pub(super) fn output(&self, input: f64) -> f64 {
        let piece = self.piece(|piece| piece.input <= input);
        piece.output + (input - piece.input) * piece.ratio
    }

    /// Returns the input position of an output position.
    pub(super) fn input(&self, output: f64) -> f64 {
        let piece = self.piece(|piece| piece.output <= output);
        piece.input + (output - piece.output) / piece.ratio
    }

    /// Returns the ratio at an input position.
    pub(super) fn ratio(&self, input: f64) -> f64 {
        self.piece(|piece| piece.input <= input).ratio
    }

    /// Forgets the pieces before an input position.
    fn keep_from(&mut self, input: f64) {
        while self
            .pieces
            .get(1)
            .is_some_and(|second| second.input < input)
        {
            self.pieces.pop_front();
        }
    }
}

/// The nominal line, with onsets in polyphonic stretches played at their own speed.
///
/// Around such an onset the rate is exactly 1, and the onset itself lies where the nominal line has
/// it. A while before and after, the plan returns to the nominal line.
pub(super) struct TimeLine {
    pub(super) nominal: Nominal,
    /// Points that the plan goes through, in rising order; straight lines between them.
    points: VecDeque<Point>,
    /// How far the last point lies before the nominal line, in output frames.
    offset: f64,
    /// All onsets before this have been planned for.
    planned: i64,
    /// How much of the nominal line is kept, in frames.
    kept: f64,
    lengths: Lengths,
}

#[derive(Clone, Copy)]
struct Point {
    output: f64,
    input: f64,
}

/// Lengths in frames.
#[derive(Clone, Copy)]
struct Lengths {
    /// How long before an onset the sound may begin: 2 ms.
    before: f64,
    /// The longest zone on either side of an onset.
    zone: f64,
    /// The time in which the plan returns to the nominal line: 150 ms.
    way: f64,
    /// How far onsets are looked for ahead.
    ahead: i64,
}

impl TimeLine {
    /// Creates a plan for a sample rate in Hz and a spectral window's length in frames.
    pub(super) fn new(sample_rate: u32, window: usize) -> Self {
        let frames = |seconds: f64| (seconds * f64::from(sample_rate)).trunc();
        Self {
            nominal: Nominal::new(),
            points: VecDeque::with_capacity(64),
            offset: 0.0,
            planned: 0,
            kept: frames(2.0),
            lengths: Lengths {
                before: frames(0.002),
                zone: (window / 4) as f64,
                way: frames(0.150),
                ahead: frames(0.400) as i64,
            },
        }
    }

    /// Forgets everything.
    pub(super) fn reset(&mut self) {
        self.nominal.reset();
        self.points.clear();
        self.offset = 0.0;
        self.planned = 0;
    }

    /// Returns how many frames after an onset the others must be known to plan for it.
    pub(super) fn needed(&self) -> i64 {
        self.lengths.ahead + self.lengths.zone as i64
    }

    /// Returns how many frames after a position must be known before the plan is final there: it
    /// may leave the nominal line well before an onset.
    pub(super) fn lookahead(&self) -> i64 {
        let Lengths {
            before, zone, way, ..
        } = self.lengths;
        (before + zone + way) as i64 + self.needed()
    }

    /// Plans for the onsets before `known`. Others must be known for [`needed`](Self::needed) frames
    /// more.
    pub(super) fn advance(&mut self, known: i64, onsets: &Onsets, tonality: Option<&Tonality>) {
        while let Some(onset) = onsets.first_from(self.planned)
            && onset < known
        {
            self.plan(onset, onsets, tonality);
            self.planned = onset + 1;
        }
        self.planned = self.planned.max(known);
    }

    fn plan(&mut self, onset: i64, onsets: &Onsets, tonality: Option<&Tonality>) {
        let Lengths {
            before,
            zone,
            way,
            ahead,
        } = self.lengths;
        let is_on = tonality
            .is_none_or(|tonality| tonality.is_on(onset) || tonality.is_on(onset + zone as i64));
        let at = onset as f64;
        let there = self.nominal.output(at);
        if !is_on {
            // The last onset's zone may lead here, instead of back to the nominal line.
            if self.offset.abs() > 1e-6 {
                self.add(there, at);
            }
            return;
        }
        let slowest = self.nominal.ratio(at).min(1.0);
        let after_last = onsets
            .last_before(onset)
            .map_or(f64::INFINITY, |last| at - last as f64);
        let to_next = onsets
            .first_from(onset + 1)
            .filter(|&next| next <= onset + ahead)
            .map_or(f64::INFINITY, |next| next as f64 - at);
        let lead = zone.min(0.3 * after_last * slowest);
        let tail = zone.min(0.3 * to_next.min(ahead as f64) * slowest);
        let start = at - before - lead;
        let last = self.points.back().copied().unwrap_or(Point {
            output: 0.0,
            input: 0.0,
        });
        let leave = start - way;
        if leave > last.input && self.nominal.output(leave) > last.output {
            self.add(self.nominal.output(leave), leave);
        }
        let last = self.points.back().copied().unwrap_or(Point {
            output: 0.0,
            input: 0.0,
        });
        self.add(
            (there - before - lead).max(last.output + 1.0),
            start.max(last.input + 1.0),
        );
        self.add(there + tail, at + tail);
        if tail + 2.0 * way < to_next - before - zone {
            let back = at + tail + way;
            self.add(self.nominal.output(back), back);
        }
    }

    /// Adds a point, unless that would lead back.
    fn add(&mut self, output: f64, input: f64) {
        let last = self.points.back().copied().unwrap_or(Point {
            output: 0.0,
            input: 0.0,
        });
        if output > last.output && input > last.input {
            self.points.push_back(Point { output, input });
            self.offset = self.nominal.output(input) - output;
        }
    }

    /// Returns the input position that belongs at an output position.
    pub(super) fn input(&self, output: f64) -> f64 {
        let after = self.points.partition_point(|point| point.output <= output);
        let Some(&to) = self.points.get(after) else {
            return self.nominal.input(output + self.offset);
        };
        let from = match after {
            0 => Point {
                output: 0.0,
                input: 0.0,
            },
            _ => self.points[after - 1],
        };
        from.input + (output - from.output) * (to.input - from.input) / (to.output - from.output)
    }

    /// Forgets what lies before an output position, except for the last point before it.
    pub(super) fn keep_from(&mut self, output: f64) {
        let input = self.input(output);
        while self
            .points
            .get(1)
            .is_some_and(|second| second.output < output)
        {
            self.points.pop_front();
        }
        self.nominal.keep_from(input - self.kept);
    }
}
