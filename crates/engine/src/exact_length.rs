//! Gives TDHS's output an exact length: the few periods by which it differs from the ratio are left
//! out, or put in, over the last part of it.
//!
//! TDHS leaves the end of its input unstretched, and ends anywhere within a period. What that comes
//! to is made up one splice at a time, each of which jumps by at most the longest period: ahead to
//! leave audio out, back to play it again. A splice goes where the audio on both of its sides
//! differs least, which is in a quiet place if there is one, and else where it repeats itself.

use std::ops::RangeInclusive;

use crate::energies::energies;
use crate::options::StretchOptions;
use crate::sample::EngineSample;
use crate::time_map::TimePoint;

/// Longest periods at the end of the output among which splices are placed: four for each of the
/// twelve that the length may be off.
const PERIODS: usize = 48;
/// Lags looked at coarsely, a longest period being this many.
const COARSE: usize = 128;

/// Holds the end of an output back, and changes its length at last.
pub(crate) struct ExactLength<T> {
    channels: usize,
    ratio: f64,
    /// Frames.
    longest_period: usize,
    input_frames: u64,
    /// Frames handed out.
    passed: u64,
    /// The end of the output so far, interleaved.
    end: Vec<T>,
    /// Points of the time map in it.
    points: Vec<TimePoint>,
}

/// A place where audio is left out or put in, in frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Splice {
    /// The first frame of the cross-fade.
    at: usize,
    /// The length that is jumped over.
    lag: usize,
    /// The length of the cross-fade.
    fade: usize,
}

impl<T: EngineSample> ExactLength<T> {
    pub(crate) fn new(options: &StretchOptions, sample_rate: u32, channels: usize) -> Self {
        Self {
            channels,
            ratio: options.ratio,
            longest_period: options.periods(sample_rate).1,
            input_frames: 0,
            passed: 0,
            end: Vec::new(),
            points: Vec::new(),
        }
    }

    /// Counts frames of the input.
    pub(crate) fn count(&mut self, input_frames: usize) {
        self.input_frames += input_frames as u64;
    }

    /// Returns where the engine is to append its output.
    pub(crate) fn end(&mut self) -> &mut Vec<T> {
        &mut self.end
    }

    /// Hands out what lies too far before the end to be changed, with its points of the time map.
    pub(crate) fn pass(
        &mut self,
        new_points: &mut Vec<TimePoint>,
        output: &mut Vec<T>,
        points: &mut Vec<TimePoint>,
    ) {
        // Not a little at a time, as the rest moves to the front.
        if self.frames() > 2 * PERIODS * self.longest_period {
            self.pass_audio(output);
        }
        self.points.append(new_points);
        let ready = self
            .points
            .partition_point(|point| point.output <= self.passed);
        points.extend(self.points.drain(..ready));
    }

    /// Hands out the rest, with the length of the whole made `ratio` times that of the input, and
    /// begins a new piece of audio.
    pub(crate) fn finish(
        &mut self,
        new_points: &mut Vec<TimePoint>,
        output: &mut Vec<T>,
        points: &mut Vec<TimePoint>,
    ) {
        self.points.append(new_points);
        // The same is left to be changed however the input was split.
        self.pass_audio(output);
        let wanted = (self.ratio * self.input_frames as f64).round() as u64;
        let wanted = wanted.saturating_sub(self.passed) as usize;
        match self.frames().checked_sub(wanted) {
            Some(more) => self.make_up(more, Self::leave_out),
            None => self.make_up(wanted - self.frames(), Self::put_in),
        }
        output.append(&mut self.end);
        points.append(&mut self.points);
        self.input_frames = 0;
        self.passed = 0;
    }

    /// Hands out all but the periods at the end.
    fn pass_audio(&mut self, output: &mut Vec<T>) {
        let ready = self.frames().saturating_sub(PERIODS * self.longest_period);
        output.extend(self.end.drain(..ready * self.channels));
        self.passed += ready as u64;
    }

    fn frames(&self) -> usize {
        self.end.len() / self.channels
    }

    /// Makes a number of frames up in splices that follow each other.
    fn make_up(&mut self, mut left: usize, splice: fn(&mut Self, Splice)) {
        let mut from = 0;
        while left > 0 && self.frames() > 0 {
            let frames = self.frames();
            let most = self.longest_period.min(frames / 2).max(1);
            if left <= most {
                // Its length is given, so that the place has to be the best of all.
                let (_, best) = self.best_place_in(&self.mono(), left, 0..=frames);
                return splice(self, best);
            }
            // As if every splice were as short as it can be, so that there is room for all.
            let section = frames.saturating_sub(from) / (2 * left.div_ceil(most) + 1);
            let best = self.best_lag(most.div_ceil(2)..=most, from..=from + section);
            splice(self, best);
            left -= best.lag;
            from = (self.frames() + from + section).saturating_sub(frames);
        }
    }

    /// Returns the splice of the best lag and place.
    fn best_lag(&self, lags: RangeInclusive<usize>, places: RangeInclusive<usize>) -> Splice {
        let step = (lags.end() / COARSE).max(1);
        let mono = self.mono();
        // Where all are alike, as in silence, the longest: the fewest splices.
        let coarse = lags.clone().rev().step_by(step);
        let (_, coarse) = best(coarse.map(|lag| self.best_place_in(&mono, lag, places.clone())));
        let near = coarse.lag.saturating_sub(step - 1)..coarse.lag + step;
        let near = near.rev().filter(|lag| lags.contains(lag));
        best(near.map(|lag| self.best_place_in(&mono, lag, coarse.at..=coarse.at))).1
    }

    /// Returns the splice of a lag at the best of some places, behind the energy of the difference
    /// between its two sides.
    fn best_place_in(
        &self,
        mono: &[f32],
        lag: usize,
        places: RangeInclusive<usize>,
    ) -> (f64, Splice) {
        let fade = self.longest_period.min(mono.len() - lag);
        let last = mono.len() - lag - fade;
        let (start, end) = (*places.start().min(&last), *places.end().min(&last));
        let difference = |at: usize| f64::from(mono[at] - mono[at + lag]).powi(2);
        best(
            energies(difference, fade, start..=end)
                .map(|(energy, at)| (energy, Splice { at, lag, fade })),
        )
    }

    /// Returns the end of the output with its channels mixed.
    fn mono(&self) -> Vec<f32> {
        let frames = self.end.chunks_exact(self.channels);
        frames
            .map(|frame| frame.iter().map(|value| value.to_full_scale()).sum())
            .collect()
    }

    /// Goes on at once where the splice's lag ends.
    fn leave_out(&mut self, splice: Splice) {
        let Splice { at, lag, fade } = splice;
        let faded = self.faded(at, at + lag, fade);
        let channels = self.channels;
        self.end
            .splice(at * channels..(at + lag + fade) * channels, faded);
        let cut = self.passed + (at + fade / 2) as u64;
        for point in &mut self.points {
            if point.output > cut {
                point.output = point.output.saturating_sub(lag as u64).max(cut);
            }
        }
    }

    /// Plays the splice's lag once more.
    fn put_in(&mut self, splice: Splice) {
        let Splice { at, lag, fade } = splice;
        let mut more = self.faded(at + lag, at, fade);
        let channels = self.channels;
        more.extend_from_slice(&self.end[(at + fade) * channels..(at + lag + fade) * channels]);
        self.end
            .splice((at + lag) * channels..(at + lag + fade) * channels, more);
        let again = self.passed + (at + lag + fade / 2) as u64;
        for point in &mut self.points {
            if point.output > again {
                point.output += lag as u64;
            }
        }
    }

    /// Returns the cross-fade between what begins at two frames.
    ///
    /// It begins and ends gently, so that not even a tone that turns its phase around has a corner.
    fn faded(&self, from: usize, to: usize, frames: usize) -> Vec<T> {
        let mut faded = Vec::with_capacity(frames * self.channels);
        for i in 0..frames {
            let place = std::f32::consts::PI * (i as f32 + 0.5) / frames as f32;
            let weight = 0.5 - 0.5 * place.cos();
            for channel in 0..self.channels {
                let value =
                    |frame: usize| self.end[(frame + i) * self.channels + channel].to_full_scale();
                let (from, to) = (value(from), value(to));
                faded.push(T::from_full_scale(from + weight * (to - from)));
            }
        }
        faded
    }
}

/// Returns the first splice with the least difference, behind that.
fn best(splices: impl Iterator<Item = (f64, Splice)>) -> (f64, Splice) {
    let least = splices.reduce(|best, next| if next.0 < best.0 { next } else { best });
    least.expect("there is a lag and a place")
}
