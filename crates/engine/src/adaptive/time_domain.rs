//! Stretching in the time domain: single periods are left out or repeated.
//!
//! For voices, single instruments, drums and noise. The input is copied as it is; where it has
//! drifted half a period from the plan, a splice moves it by a whole period. Where audio is slowed
//! down, onsets are kept clear of splices, and come out where the plan has them.

use super::Audio;
use super::fraction::{self, Interpolation, PLACES};
use super::lag_search::{Fit, LagSearch, Preference, Weighing};
use super::output::Output;

/// The least level of [`TimeDomain::roughness`] at which audio is treated like speech.
const SPEECHLIKE: f32 = 0.045;

/// The misfit from which on audio is taken to have no period, and lags are whole frames.
const APERIODIC: f32 = 0.3;

/// Where the renderer is, and what it has learnt.
pub(super) struct TimeDomain {
    search: LagSearch,
    interpolation: Interpolation,
    channels: usize,
    lengths: Lengths,
    /// The next input frame to copy. The output position is the end of the output.
    position: i64,
    /// How far between that frame and the next the renderer is, in [`PLACES`] of a frame.
    place: i64,
    /// Both sides of a splice.
    sides: [Vec<f32>; 2],
    /// The input is copied up to here, whatever the plan says.
    hold: i64,
    /// The first input position at which an onset has not been dealt with.
    next_onset: i64,
    /// The first output frame for which there was no more input.
    overrun: Option<i64>,
    /// A slow average of the splices' misfits: low for single instruments, higher for speech.
    roughness: f32,
}

/// Lengths in frames.
struct Lengths {
    /// The most that is copied before things are looked at again: 2.5 ms.
    step: i64,
    /// A splice that leads to an onset: 8 ms.
    onset_splice: i64,
    /// How far before an onset a splice must end, and how long after it the input is held: 2 and
    /// 5 ms.
    before: i64,
    after: i64,
    /// The most that is copied in one step of a hold: 5 ms.
    hold_step: i64,
    /// The most that an onset may come out early or late: 7 ms.
    tolerance: f64,
    /// The window in which a short lag must fit, or a long one is looked for: 18 ms.
    check: i64,
    millisecond: i64,
}

impl TimeDomain {
    /// Creates a renderer for a sample rate in Hz.
    pub(super) fn new(sample_rate: u32, channels: usize) -> Self {
        let frames = |seconds: f64| (seconds * f64::from(sample_rate)) as i64;
        let search = LagSearch::new(sample_rate);
        Self {
            interpolation: Interpolation::new(),
            sides: [(); 2].map(|()| Vec::with_capacity(3 * search.longest as usize * channels)),
            search,
            channels,
            lengths: Lengths {
                step: frames(0.0025),
                onset_splice: frames(0.008),
                before: frames(0.002),
                after: frames(0.005),
                hold_step: frames(0.0025),
                tolerance: 0.007 * f64::from(sample_rate),
                check: frames(0.018),
                millisecond: frames(0.001),
            },
            position: 0,
            place: 0,
            hold: 0,
            next_onset: 0,
            overrun: None,
            roughness: 0.0,
        }
    }

    /// Goes back to the start.
    pub(super) fn reset(&mut self) {
        self.go_to(0);
        self.hold = 0;
        self.next_onset = 0;
        self.roughness = 0.0;
        self.overrun = None;
        self.search.reset();
    }

    /// Goes on from an input position.
    pub(super) fn go_to(&mut self, position: i64) {
        self.position = position;
        self.place = 0;
        self.hold = self.hold.min(position);
        self.next_onset = position;
    }

    /// Returns the next input frame to copy.
    pub(super) fn position(&self) -> i64 {
        self.position
    }

    /// Returns the first output frame for which there was no more input, if there is one.
    pub(super) fn overrun(&self) -> Option<i64> {
        self.overrun
    }

    /// Notes that frames of the input are used for the output at `at`.
    fn note_use(&mut self, audio: &Audio, position: i64, frames: i64, at: i64) {
        if position + frames > audio.input_end {
            let first = at + (audio.input_end - position).max(0);
            self.overrun = Some(self.overrun.map_or(first, |known| known.min(first)));
        }
    }

    /// Returns the longest lag, in frames.
    pub(super) fn longest_lag(&self) -> i64 {
        self.search.longest
    }

    /// Returns how many input frames after its position a step may read or ask onsets for.
    pub(super) fn lookahead(&self) -> i64 {
        // Very fast speech: a lag of three usual ones, give or take a third, and as much again.
        8 * self.search.usual + self.lengths.check
    }

    /// Renders a few milliseconds.
    pub(super) fn step(&mut self, audio: &Audio, output: &mut Output) {
        if self.position < self.hold {
            let frames = (self.hold - self.position).min(self.lengths.hold_step);
            return self.copy(audio, output, frames);
        }
        let nominal = &audio.time_line.nominal;
        let planned = audio.time_line.input(output.end() as f64);
        let drift = planned - self.position as f64;
        // Where onsets follow each other too closely for splices in between, the plan comes first.
        let is_far_off = drift.abs() > 2.0 * self.search.usual as f64;
        let onset = self.onset_ahead(audio).filter(|_| !is_far_off);
        let Lengths {
            before,
            onset_splice,
            step,
            ..
        } = self.lengths;
        if let Some(onset) = onset
            && self.position.max(planned.round() as i64) + onset_splice >= onset - before
        {
            return self.reach_onset(audio, output, onset);
        }
        let room = onset.map_or(i64::MAX, |onset| onset - before - self.position);
        let ratio = nominal.ratio(self.position as f64);
        // Frames of drift per frame of output.
        let slope = (1.0 / ratio - 1.0).abs();
        let copied = |until: f64| {
            let frames = ((until - drift.abs()) / slope).ceil();
            (frames.min(step as f64) as i64)
                .min(room - onset_splice)
                .max(1)
        };
        let shortest = self.search.shortest;
        if drift.abs() < shortest as f64 / 2.0 {
            return self.copy(audio, output, copied(shortest as f64 / 2.0));
        }
        let forward = drift > 0.0;
        // How far the input runs while a fade of the longest useful length passes.
        let run = 1.0 + (ratio / (ratio - 1.0).abs()).min(1.0);
        let limit = match onset {
            Some(_) if forward => (room as f64 / run) as i64,
            _ => i64::MAX,
        };
        if limit < shortest {
            return self.copy(audio, output, copied(shortest as f64 / 2.0));
        }
        let weighing = self.weighing(ratio);
        // Most of the time, the last splice's lag still fits best, and is not due yet.
        let due = 2 * drift.abs() as i64;
        if self
            .search
            .is_longer(&audio.input, self.position, forward, due, limit, weighing)
        {
            let wait = self.search.hint() as f64 / 2.0;
            return self.copy(audio, output, copied(wait));
        }
        let mut fit = self
            .search
            .best(&audio.input, self.position, forward, limit, weighing);
        // A longer lag would be due even later.
        if let Some(wait) = self.not_yet_due(drift, fit) {
            return self.copy(audio, output, copied(wait));
        }
        if limit >= self.search.usual {
            fit = self.or_longer(audio, fit);
        }
        let period = fit.lag.abs();
        if ratio < 0.5 && forward {
            fit = self.or_several(audio, fit, ratio, limit);
        }
        if let Some(wait) = self.not_yet_due(drift, fit) {
            return self.copy(audio, output, copied(wait));
        }
        let lag = fit.lag.abs();
        // A longer fade would not be over when the next splice is due.
        let most = (ratio * lag as f64 / (ratio - 1.0).abs()).max(8.0);
        let fade = (self.faded_periods(audio, fit) * period as f64).min(most) as i64;
        // A hit in the middle of what is left out would be lost, so it is passed first.
        if forward && drift < 2.0 * lag as f64 {
            let middle = self.position + fade / 2;
            if let Some(hit) = audio.onsets.hit_within(middle..middle + lag) {
                return self.copy(audio, output, (hit - middle + 1).min(step));
            }
        }
        let end = self.position + fade + fit.lag.max(0);
        let reaches = onset.is_some_and(|onset| end >= onset - before);
        let repeats = !forward && !is_far_off && self.repeats_onset(audio, fit.lag, fade);
        if reaches || repeats {
            let frames = step.min(room - onset_splice).max(1);
            return self.copy(audio, output, frames);
        }
        self.splice(audio, output, fit, fade);
        self.roughness += 0.05 * (fit.misfit.min(0.3) - self.roughness);
    }

    fn is_speech(&self) -> bool {
        self.roughness > SPEECHLIKE
    }

    fn weighing(&self, ratio: f64) -> Weighing {
        Weighing {
            preference: if ratio < 0.5 {
                Preference::Short
            } else if ratio > 1.0 && self.is_speech() {
                Preference::Longest
            } else {
                Preference::Long
            },
            // In single instruments and singers, small misfits tell of vibrato.
            base: if self.is_speech() { 0.02 } else { 0.003 },
        }
    }

    /// Returns how many periods a splice is to be faded over: many where they hardly differ.
    fn faded_periods(&self, audio: &Audio, fit: Fit) -> f64 {
        let frames = (2.5 * fit.lag.abs() as f64) as i64;
        if self.is_speech() {
            1.0
        } else if self.misfit(audio, fit.lag, frames) < 0.015 {
            2.5
        } else {
            1.25
        }
    }

    /// Returns the drift at which a splice is due, if that is not reached: half its lag, so that the
    /// drift goes from half a lag on one side of the plan to half a lag on the other.
    fn not_yet_due(&self, drift: f64, fit: Fit) -> Option<f64> {
        let due = fit.lag.abs() as f64 / 2.0;
        (drift.abs() < due).then_some(due)
    }

    /// Returns the next onset that must be kept clear.
    fn onset_ahead(&mut self, audio: &Audio) -> Option<i64> {
        let from = self.next_onset.max(self.position - self.lengths.before);
        let near = self.position + self.lookahead();
        let mut onset = audio.onsets.first_from(from)?;
        while audio.time_line.nominal.ratio(onset as f64) < 1.0 {
            // Where audio is made shorter, no onset can be heard twice.
            onset = audio.onsets.first_from(onset + 1)?;
        }
        (onset < near).then_some(onset)
    }

    /// Moves to where the onset comes out where it belongs, if it is too far from there, and holds
    /// the input over it.
    fn reach_onset(&mut self, audio: &Audio, output: &mut Output, onset: i64) {
        let Lengths {
            before,
            after,
            onset_splice,
            tolerance,
            ..
        } = self.lengths;
        let nominal = &audio.time_line.nominal;
        let (at, place) = (onset as f64, nominal.output(onset as f64));
        let limit = (onset - before - onset_splice - self.position).max(0);
        let lag = (at - (place - output.end() as f64) - self.position as f64).round() as i64;
        let lag = lag.min(limit);
        let tolerance = tolerance / nominal.ratio(at).max(1.0);
        if lag.abs() as f64 > tolerance {
            let reach = 0.75 * tolerance;
            let lags = lag - reach as i64..=(lag + reach as i64).min(limit);
            let fit = self.search.least_misfit(
                &audio.input,
                self.position,
                lags,
                |_| onset_splice,
                |tried| 0.03 * (tried - lag).abs() as f32 / reach as f32,
            );
            if let Some(fit) = fit
                && !self.repeats_onset(audio, fit.lag, onset_splice)
            {
                self.splice(audio, output, fit, onset_splice);
            }
        }
        self.hold = onset + after;
        self.next_onset = onset + 1;
    }

    /// Returns whether a splice would play an onset again.
    fn repeats_onset(&self, audio: &Audio, lag: i64, fade: i64) -> bool {
        let from = self.position + lag - self.lengths.millisecond;
        let onset = audio.onsets.first_from(from);
        lag < 0
            && onset.is_some_and(|onset| {
                onset < self.position + fade && audio.time_line.nominal.ratio(onset as f64) >= 1.0
            })
    }

    fn misfit(&self, audio: &Audio, lag: i64, frames: i64) -> f32 {
        self.search.misfit(&audio.input, self.position, lag, frames)
    }

    /// Returns a longer lag if the given one fits badly and the longer one does well: the note may
    /// be lower than usual.
    fn or_longer(&mut self, audio: &Audio, fit: Fit) -> Fit {
        let frames = fit.lag.abs().max(self.lengths.check);
        let misfit = self.misfit(audio, fit.lag, frames);
        if misfit <= 0.05 {
            return fit;
        }
        let highest = (0.4 * misfit).min(0.15);
        let longer = self
            .search
            .longer(&audio.input, self.position, fit.lag > 0, highest);
        longer.unwrap_or(fit)
    }

    /// Returns a lag of as many periods as very fast speech leaves out for each that it keeps, if
    /// one fits.
    fn or_several(&self, audio: &Audio, fit: Fit, ratio: f64, limit: i64) -> Fit {
        let periods = ((1.0 - ratio) / ratio).round() as i64;
        if fit.lag > self.search.usual || periods < 2 {
            return fit;
        }
        let reach = (0.3 * fit.lag as f64) as i64;
        let middle = periods * fit.lag;
        let frames = fit.lag.max(self.search.least);
        let several = self.search.least_misfit(
            &audio.input,
            self.position,
            middle - reach..=(middle + reach).min(limit),
            |_| frames,
            |_| 0.0,
        );
        several
            .filter(|several| several.misfit < 0.2)
            .unwrap_or(fit)
    }

    fn copy(&mut self, audio: &Audio, output: &mut Output, frames: i64) {
        let at = output.end();
        self.note_use(audio, self.position, frames, at);
        self.read(audio, (self.position, self.place), frames, output.samples());
        output.note_copy(self.position, at, at + frames);
        self.position += frames;
    }

    /// Appends frames of the input from a position, and a place between two frames, on.
    fn read(
        &self,
        audio: &Audio,
        (position, place): (i64, i64),
        frames: i64,
        output: &mut Vec<f32>,
    ) {
        let frames = frames as usize;
        if place == 0 {
            output.extend_from_slice(audio.input.frames(position, frames));
            return;
        }
        let first = position - fraction::BEFORE;
        let input = audio.input.frames(first, Interpolation::reach(frames));
        self.interpolation.read(input, self.channels, place, output);
    }

    /// Fades from where the renderer is to a lag away from there.
    fn splice(&mut self, audio: &Audio, output: &mut Output, fit: Fit, fade: i64) {
        let at = output.end();
        let place = match fit.misfit < APERIODIC {
            true => self.place + self.places_beyond(audio, fit.lag),
            false => 0,
        };
        let target = self.position + fit.lag + place.div_euclid(PLACES);
        let place = place.rem_euclid(PLACES);
        self.note_use(audio, self.position.max(target), fade, at);
        let [mut from, mut to] = std::mem::take(&mut self.sides);
        from.clear();
        self.read(audio, (self.position, self.place), fade, &mut from);
        to.clear();
        self.read(audio, (target, place), fade, &mut to);
        cross_fade(self.channels, &from, &to, fit.misfit, output.samples());
        self.sides = [from, to];
        let middle = fade / 2;
        output.note_copy(self.position, at, at + middle);
        // Positions in the output rise, so the target begins a frame later.
        let to = middle + 1;
        output.note_copy(target + to, at + to, at + fade);
        self.position = target + fade;
        self.place = place;
    }

    /// Returns how far beyond a lag the period is, in [`PLACES`] of a frame: where a parabola
    /// through the misfits at the lag and next to it is lowest.
    fn places_beyond(&self, audio: &Audio, lag: i64) -> i64 {
        let frames = lag.abs().max(self.search.least);
        let misfit = |lag| self.misfit(audio, lag, frames);
        let (before, here, after) = (misfit(lag - 1), misfit(lag), misfit(lag + 1));
        let bend = before - 2.0 * here + after;
        if bend <= 0.0 {
            return 0;
        }
        let half = PLACES / 2;
        let places = half as f32 * (before - after) / bend;
        (places.round() as i64).clamp(-half, half)
    }
}

/// Appends the cross-fade of two pieces of interleaved audio to `output`, at constant power.
///
/// With weights `1 - w` and `w` and a correlation `c`, the power is `(1-w)^2 + w^2 + 2w(1-w)c`
/// times that of either side; the fade is divided by its root.
pub(super) fn cross_fade(
    channels: usize,
    from: &[f32],
    to: &[f32],
    misfit: f32,
    output: &mut Vec<f32>,
) {
    let frames = from.len() / channels;
    let correlation = (1.0 - misfit).clamp(0.0, 1.0);
    let pairs = from.chunks_exact(channels).zip(to.chunks_exact(channels));
    for (i, (from, to)) in pairs.enumerate() {
        let w = (i as f32 + 0.5) / frames as f32;
        let power = w * w + (1.0 - w) * (1.0 - w) + 2.0 * w * (1.0 - w) * correlation;
        let gain = 1.0 / power.sqrt();
        let (from_gain, to_gain) = (gain * (1.0 - w), gain * w);
        let mixed = from
            .iter()
            .zip(to)
            .map(|(a, b)| from_gain * a + to_gain * b);
        output.extend(mixed);
    }
}
