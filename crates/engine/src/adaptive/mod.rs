//! The adaptive engine: splices single periods, or stretches in the frequency domain, whichever
//! suits the audio.
//!
//! Four parts work on a moving stretch of the input. [`onsets`] finds where notes and hits begin;
//! [`tonality`] tells polyphonic, tonal audio from the rest; [`time_line`] plans where each moment
//! goes; and one of two renderers, [`time_domain`] and [`spectral`], makes the output.
//!
//! The input becomes visible in blocks of a fixed length, and whatever is decided follows from the
//! visible part alone. So the output does not depend on how the input was split.

use self::input::Input;
use self::onsets::Onsets;
use self::output::Output;
use self::spectral::Spectral;
use self::time_domain::TimeDomain;
use self::time_line::TimeLine;
use self::tonality::Tonality;
use crate::options::{StretchOptions, Style};
use crate::sample::EngineSample;
use crate::time_map::TimePoint;

mod difference;
mod ending;
mod fraction;
mod input;
mod lag_search;
mod onsets;
mod output;
mod spectral;
mod spectrum;
mod time_domain;
mod time_line;
mod tonality;

/// Interleaved samples, in whole frames.
type Frames<'a> = &'a [f32];

/// What the renderers see: the input, and what is known about it.
struct Audio {
    input: Input,
    onsets: Onsets,
    time_line: TimeLine,
    /// The first frame that is none of the input, once that is known.
    input_end: i64,
}

/// The engine for one piece of audio at a time.
pub(crate) struct Adaptive {
    audio: Audio,
    /// With [`Style::Auto`] alone.
    tonality: Option<Tonality>,
    /// Unless with [`Style::Speech`].
    spectral: Option<Spectral>,
    time_domain: TimeDomain,
    mode: Mode,
    output: Output,
    /// The output in the time domain that fades into the frequency domain's.
    fading: Vec<f32>,
    /// The same, or what it fades into, mixed to one channel.
    mixed: Vec<f32>,
    points: Vec<TimePoint>,
    lengths: Lengths,
    /// Ratio 1 without gaps: everything is copied.
    is_identity: bool,
}

/// Lengths in frames.
struct Lengths {
    /// How far the input must be visible beyond what is rendered.
    lookahead: i64,
    /// Zeros after the input's end.
    padding: usize,
    /// How long before what is rendered the input is needed.
    history: i64,
    /// The cross-fade from the frequency domain back to the time domain, and how far from the plan
    /// its target may lie: 20 and 12 ms.
    exit_fade: i64,
    exit_reach: i64,
    /// How long before the end of the output it may fade to that of the input, and how long it does.
    end_reach: i64,
    end_fade: i64,
    millisecond: i64,
}

#[derive(Clone, Copy)]
enum Mode {
    /// In the time domain. At `next`, it is asked whether to change over.
    Time { next: i64 },
    /// In the time domain, to half a window beyond `at`, where the change-over begins.
    Entering { at: i64 },
    /// In the frequency domain since `since`; the output is complete.
    Frequency { since: i64 },
}

impl Adaptive {
    /// Creates an engine for audio of a sample rate in Hz. If `record` is set, time points are
    /// recorded.
    pub(crate) fn new(
        options: &StretchOptions,
        sample_rate: u32,
        channels: usize,
        record: bool,
    ) -> Self {
        let style = options.style;
        let onsets = Onsets::new(sample_rate);
        let tonality = (style == Style::Auto).then(|| Tonality::new(sample_rate));
        let spectral = (style != Style::Speech).then(|| Spectral::new(sample_rate, channels));
        let time_domain = TimeDomain::new(sample_rate, channels);
        let window = spectral::window_len(sample_rate);
        let time_line = TimeLine::new(sample_rate, window);
        let block = tonality::frame_len(sample_rate) / 4;
        let history = window + 2 * time_domain.longest_lag() as usize;
        let planning = match style {
            Style::Speech => 0,
            _ => time_line.lookahead(),
        };
        let knowing = (onsets.lookahead()).max(tonality.as_ref().map_or(0, Tonality::lookahead));
        let reach = time_domain.lookahead().max(window as i64);
        let lookahead = reach.max(planning) + knowing;
        let padding = lookahead as usize + 2 * window;
        // At the end, all that is left is rendered at once.
        let slowest = options.ratio.max(options.gap_ratio).ceil() as usize;
        let most = slowest * (lookahead as usize + 2 * block) + 2 * window;
        let frames = |seconds: f64| (seconds * f64::from(sample_rate)) as i64;
        Self {
            audio: Audio {
                input: Input::new(channels, block, history, lookahead as usize + padding),
                onsets,
                time_line,
                input_end: i64::MAX,
            },
            tonality,
            mode: Mode::Time {
                next: spectral.as_ref().map_or(i64::MAX, Spectral::hop),
            },
            spectral,
            time_domain,
            output: Output::new(channels, most, record),
            fading: Vec::with_capacity(window * channels),
            mixed: Vec::with_capacity(window),
            points: Vec::with_capacity(if record { most / 16 } else { 0 }),
            lengths: Lengths {
                lookahead,
                padding,
                history: history as i64,
                exit_fade: frames(0.020),
                exit_reach: frames(0.012),
                end_reach: frames(0.060).min(history as i64),
                end_fade: frames(0.010),
                millisecond: frames(0.001),
            },
            is_identity: options.ratio == 1.0 && !options.has_gap_ratio(),
        }
    }

    /// Consumes interleaved `input`, and appends the output that is ready to `output`.
    pub(crate) fn process<T: EngineSample>(
        &mut self,
        mut input: &[T],
        ratio: f64,
        output: &mut Vec<T>,
    ) {
        let channels = self.audio.input.channels();
        if self.is_identity {
            let nominal = &mut self.audio.time_line.nominal;
            nominal.extend(input.len() / channels, 1.0);
            let limited = |&sample: &T| input::limited(sample.to_full_scale());
            output.extend(input.iter().map(limited).map(T::from_full_scale));
            return;
        }
        while !input.is_empty() {
            let Audio {
                input: visible,
                time_line,
                ..
            } = &mut self.audio;
            let room = visible.room() * channels;
            let (now, later) = input.split_at(room.min(input.len()));
            input = later;
            time_line.nominal.extend(now.len() / channels, ratio);
            if visible.push(now.iter().map(|sample| sample.to_full_scale())) {
                self.analyse();
                self.render(None);
                self.release(self.settled(), output);
                self.forget();
            }
        }
    }

    /// Appends all remaining output, and resets the engine for the next piece of audio.
    pub(crate) fn finish<T: EngineSample>(&mut self, output: &mut Vec<T>) {
        let nominal = &self.audio.time_line.nominal;
        let end = TimePoint {
            input: nominal.input_frames(),
            output: nominal.output_frames(),
        };
        if !self.is_identity {
            self.audio.input_end = end.input as i64;
            self.audio.input.pad(self.lengths.padding);
            self.analyse();
            self.render(Some(end.output as i64));
            ending::end_as_input(
                &self.audio.input,
                &mut self.output,
                end,
                self.time_domain.overrun(),
                (self.lengths.end_reach, self.lengths.end_fade),
            );
            self.release(end.output as i64, output);
        }
        self.points
            .retain(|point| point.input < end.input && point.output < end.output);
        if self.output.records() && end != TimePoint::default() {
            self.points.push(end);
        }
        self.reset();
    }

    /// Returns the time points of what has been passed on.
    pub(crate) fn points(&mut self) -> &mut Vec<TimePoint> {
        &mut self.points
    }

    fn reset(&mut self) {
        self.audio.input.reset();
        self.audio.input_end = i64::MAX;
        self.audio.onsets.reset();
        self.audio.time_line.reset();
        if let Some(tonality) = &mut self.tonality {
            tonality.reset();
        }
        if let Some(spectral) = &mut self.spectral {
            spectral.reset();
        }
        self.time_domain.reset();
        self.output.reset();
        self.mode = Mode::Time {
            next: self.spectral.as_ref().map_or(i64::MAX, Spectral::hop),
        };
    }

    /// Learns what there is to know about the visible input.
    fn analyse(&mut self) {
        let Audio {
            input,
            onsets,
            time_line,
            ..
        } = &mut self.audio;
        onsets.advance(input);
        if let Some(tonality) = &mut self.tonality {
            tonality.advance(input);
        }
        if self.spectral.is_some() {
            let known = onsets
                .lookahead()
                .max(self.tonality.as_ref().map_or(0, Tonality::lookahead));
            let known = input.end() - known - time_line.needed();
            time_line.advance(known, onsets, self.tonality.as_ref());
        }
    }

    /// Renders as far as what is known allows, or up to the end of the output.
    fn render(&mut self, end: Option<i64>) {
        let finish = end.unwrap_or(i64::MAX);
        loop {
            let here = self.output.end();
            if self.settled() >= finish {
                return;
            }
            let can_see = |position: i64| {
                end.is_some() || position + self.lengths.lookahead <= self.audio.input.end()
            };
            let planned = |output: i64| self.audio.time_line.input(output as f64) as i64;
            match self.mode {
                Mode::Time { next } if here >= next => {
                    if !can_see(planned(next)) {
                        return;
                    }
                    self.mode = self.change_over(next);
                }
                Mode::Entering { at } if here >= at + self.half_window() => self.enter(at),
                Mode::Time { .. } | Mode::Entering { .. } => {
                    if !can_see(self.time_domain.position().max(planned(here))) {
                        return;
                    }
                    self.time_domain.step(&self.audio, &mut self.output);
                }
                Mode::Frequency { since } => {
                    let next = self.spectral.as_ref().map_or(0, Spectral::next);
                    if !can_see(planned(next)) {
                        return;
                    }
                    self.add_window(since);
                }
            }
        }
    }

    /// Returns the output position up to which nothing will change any more.
    fn settled(&self) -> i64 {
        let here = self.output.end();
        match self.mode {
            Mode::Time { next } => here.min(next),
            Mode::Entering { at } => at,
            Mode::Frequency { .. } => here,
        }
    }

    /// Passes on the output before a position.
    fn release<T: EngineSample>(&mut self, position: i64, output: &mut Vec<T>) {
        self.output
            .release(position, output, &mut self.points, T::from_full_scale);
    }

    /// Drops what is no longer needed.
    fn forget(&mut self) {
        let settled = self.settled();
        self.output.keep_from(settled - self.half_window());
        let planned = self.audio.time_line.input(settled as f64) as i64;
        let position = match self.mode {
            Mode::Frequency { .. } => planned,
            _ => planned.min(self.time_domain.position()),
        };
        let needed = position - self.lengths.history;
        self.audio.input.keep_from(needed);
        self.audio.onsets.keep_from(needed);
        self.audio
            .time_line
            .keep_from((settled - self.lengths.history) as f64);
        if let Some(tonality) = &mut self.tonality {
            tonality.keep_from(needed);
        }
    }

    fn half_window(&self) -> i64 {
        self.spectral.as_ref().map_or(0, Spectral::half)
    }

    /// Returns whether the input that belongs at an output position is polyphonic and tonal.
    fn is_tonal(&self, position: i64) -> bool {
        let input = self.audio.time_line.input(position as f64).round() as i64;
        self.tonality
            .as_ref()
            .is_none_or(|tonality| tonality.is_on(input))
    }

    /// Returns whether an onset comes out near an output position.
    fn has_onset(&self, position: i64, before: i64, after: i64) -> bool {
        let input = |output: i64| self.audio.time_line.input(output as f64).round() as i64;
        let (from, to) = (input(position - before), input(position + after));
        self.audio.onsets.any_within(from..to)
    }

    /// Returns whether a window around an input position would reach beyond the end of the input,
    /// where audio breaks off: in the frequency domain, that would be heard before it comes.
    fn nears_end(&self, input: i64) -> bool {
        input + self.half_window() > self.audio.input_end
    }

    /// Decides at an output position whether to go over to the frequency domain there.
    fn change_over(&self, position: i64) -> Mode {
        let Some(spectral) = &self.spectral else {
            return self.mode;
        };
        let ms = self.lengths.millisecond;
        let input = self
            .audio
            .time_line
            .input((position + spectral.hop()) as f64) as i64;
        if !self.nears_end(input)
            && self.is_tonal(position)
            && !self.has_onset(position, 10 * ms, spectral.hop() + 5 * ms)
        {
            Mode::Entering { at: position }
        } else {
            Mode::Time {
                next: position + spectral.hop() / 2,
            }
        }
    }

    fn enter(&mut self, at: i64) {
        let Some(spectral) = &mut self.spectral else {
            return;
        };
        spectral.start(at, &self.output);
        let hop = spectral.hop();
        self.fading.clear();
        let fading = self.output.frames(at, hop as usize);
        self.fading.extend_from_slice(fading);
        self.output.truncate(at);
        let input = self.audio.time_line.input(at as f64).round() as i64;
        self.output.note(input, at);
        self.mode = Mode::Frequency { since: at };
    }

    /// Adds one window of output in the frequency domain, and goes back to the time domain if that
    /// suits the audio there.
    fn add_window(&mut self, since: i64) {
        let Some(spectral) = &mut self.spectral else {
            return;
        };
        spectral.add(&self.audio);
        let (hop, ms) = (spectral.hop(), self.lengths.millisecond);
        let centre = spectral.next() - hop;
        let input = self.audio.time_line.input(centre as f64).round() as i64;
        self.output.note(input, centre);
        // The next window would begin half a hop before the centre of this one.
        self.read_windows(since, centre - hop / 2);
        let leaves = centre >= since + hop
            && (self.nears_end(input + hop)
                || !self.is_tonal(centre) && !self.has_onset(centre, 20 * ms, 40 * ms));
        if leaves {
            self.read_windows(since, centre);
            self.leave(centre, input);
        }
    }

    /// Appends what the windows hold up to a position to the output.
    fn read_windows(&mut self, since: i64, position: i64) {
        let here = self.output.end();
        let Some(spectral) = &self.spectral else {
            return;
        };
        if position <= here {
            return;
        }
        let samples = self.output.samples();
        let first = samples.len();
        spectral.read(here, (position - here) as usize, samples);
        let channels = self.audio.input.channels();
        let hop = spectral.hop();
        let done = (here - since) as usize;
        let fading = self.fading.chunks_exact(channels).enumerate().skip(done);
        for (frame, (i, before)) in samples[first..].chunks_exact_mut(channels).zip(fading) {
            let w = i as f32 / hop as f32;
            for (sample, before) in frame.iter_mut().zip(before) {
                *sample = (1.0 - w) * before + w * *sample;
            }
        }
    }

    /// Goes back to the time domain at an output position, near an input position.
    fn leave(&mut self, position: i64, input: i64) {
        let Some(spectral) = &self.spectral else {
            return;
        };
        let fade = self.lengths.exit_fade;
        let channels = self.audio.input.channels();
        self.fading.clear();
        spectral.read(position, fade as usize, &mut self.fading);
        let weights = self.audio.input.weights();
        let mix = |frame: &[f32]| frame.iter().zip(weights).map(|(a, b)| a * b).sum::<f32>();
        self.mixed.clear();
        self.mixed
            .extend(self.fading.chunks_exact(channels).map(mix));
        let reach = self.lengths.exit_reach;
        let mut best = (f32::INFINITY, input);
        for from in input - reach..=input + reach {
            let misfit =
                lag_search::misfit(&self.mixed, self.audio.input.mono(from, fade as usize));
            if misfit < best.0 {
                best = (misfit, from);
            }
        }
        let (misfit, from) = best;
        let to = self.audio.input.frames(from, fade as usize);
        time_domain::cross_fade(channels, &self.fading, to, misfit, self.output.samples());
        self.output.note_copy(from, position, position + fade);
        self.time_domain.go_to(from + fade);
        self.mode = Mode::Time {
            next: position + spectral.hop(),
        };
    }
}
