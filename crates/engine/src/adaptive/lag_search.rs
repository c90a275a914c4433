//! Finds the lag at which the audio fits onto itself, for a splice.

use super::difference;
use super::input::Input;
use crate::kernels::{Code, Kernel, run_best};

/// Which lags are preferred, where several fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Preference {
    /// Short lags: for very fast speech.
    Short,
    /// Long lags, which need fewer splices.
    Long,
    /// Long lags even more: for slow speech.
    Longest,
}

impl Preference {
    const ALL: [Self; 3] = [Self::Short, Self::Long, Self::Longest];

    fn exponent(self) -> f64 {
        match self {
            Self::Short => -0.3,
            Self::Long => 0.3,
            Self::Longest => 0.6,
        }
    }
}

/// How lags are weighed against each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weighing {
    pub(super) preference: Preference,
    /// A misfit so small that it hardly matters: added to each before they are compared.
    pub(super) base: f32,
}

impl Weighing {
    /// Returns what a lag costs that misfits and has a factor.
    fn cost(self, misfit: f32, factor: f32) -> f32 {
        (misfit + self.base) * factor
    }

    /// Returns the misfit at which a lag with a factor costs so much.
    fn misfit(self, cost: f32, factor: f32) -> f32 {
        cost / factor - self.base
    }
}

/// A lag, and how badly the audio fits onto itself at it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fit {
    /// In frames; negative for a splice back.
    pub(super) lag: i64,
    /// Energy of the difference divided by the energies of both sides: 0 if they are equal, 1 if
    /// they do not correlate, 2 if they are opposite.
    pub(super) misfit: f32,
}

/// A reusable search.
pub(super) struct LagSearch {
    /// Lengths in frames: the shortest lag sought, the longest usual one, and the longest of all.
    pub(super) shortest: i64,
    pub(super) usual: i64,
    pub(super) longest: i64,
    /// The least length over which lags are compared.
    pub(super) least: i64,
    /// The same four in samples of the analysis, of which each is the mean of several frames at
    /// high rates.
    coarse: Lags,
    /// For each preference and lag, in samples of the analysis, what its misfit is multiplied by.
    factors: [Vec<f32>; 3],
    misfits: Vec<f32>,
    buffers: Buffers,
    /// The best lag of the last search, in samples of the analysis: likely to be good again, and so
    /// tried first.
    hint: i64,
}

#[derive(Debug, Clone, Copy)]
struct Lags {
    shortest: i64,
    usual: i64,
    longest: i64,
    least: i64,
    /// Frames in a sample of the analysis.
    frames: i64,
}

/// The highest sample rate, in Hz, at which every frame is a sample of the analysis.
const FULL_RATE: u32 = 80_000;
/// At higher rates, the lowest rate of the analysis.
const COARSE_RATE: u32 = 44_100;

impl LagSearch {
    /// Creates a search for a sample rate in Hz.
    pub(super) fn new(sample_rate: u32) -> Self {
        let (shortest, usual) = (i64::from(sample_rate / 400), i64::from(sample_rate / 55));
        let longest = i64::from(sample_rate / 30);
        let least = (0.005 * f64::from(sample_rate)) as i64;
        let frames = match sample_rate > FULL_RATE {
            true => i64::from(sample_rate / COARSE_RATE),
            false => 1,
        };
        let coarse = Lags {
            shortest: shortest / frames,
            usual: usual / frames,
            longest: longest / frames,
            least: least / frames,
            frames,
        };
        let factors = Preference::ALL.map(|preference| {
            let usual = coarse.usual as f64;
            let factor = |lag: i64| (usual / lag as f64).powf(preference.exponent()) as f32;
            (coarse.shortest..=coarse.usual).map(factor).collect()
        });
        Self {
            shortest,
            usual,
            longest,
            least,
            coarse,
            factors,
            misfits: Vec::with_capacity(coarse.usual as usize + 1),
            buffers: Buffers::with_capacity(2 * coarse.longest as usize),
            hint: 0,
        }
    }

    /// Forgets the last search.
    pub(super) fn reset(&mut self) {
        self.hint = 0;
    }

    /// Returns the misfit at one lag, over `frames` frames.
    pub(super) fn misfit(&self, input: &Input, at: i64, lag: i64, frames: i64) -> f32 {
        let here = input.mono(at, frames as usize);
        let there = input.mono(at + lag, frames as usize);
        misfit(here, there)
    }

    /// Returns the best lag from the shortest up to `limit`, forward or back.
    pub(super) fn best(
        &mut self,
        input: &Input,
        at: i64,
        forward: bool,
        limit: i64,
        weighing: Weighing,
    ) -> Fit {
        let coarse = self.coarse;
        let lags = (coarse.shortest, (limit / coarse.frames).min(coarse.usual));
        let factors = &self.factors[weighing.preference as usize];
        let around = Around::new(input, at, forward, lags.1, coarse, &mut self.buffers);
        if around.is_silent() {
            // All lags fit, and the shortest keeps nearest to the plan.
            self.hint = lags.0;
            let fit = around.fit(lags.0, 0.0);
            return self.refine(input, at, fit);
        }
        let best = run_best(Best {
            around,
            lags,
            hint: self.hint.clamp(lags.0, lags.1),
            factors,
            weighing,
            misfits: &mut self.misfits,
        });
        self.hint = best.lag.abs();
        self.refine(input, at, best)
    }

    /// Returns the best lag in frames around one in samples of the analysis.
    fn refine(&self, input: &Input, at: i64, fit: Fit) -> Fit {
        let frames = self.coarse.frames;
        if frames == 1 {
            return fit;
        }
        let middle = fit.lag * frames;
        let length = middle.abs().max(self.least);
        let lags = middle - frames + 1..=middle + frames - 1;
        let refined = self.least_misfit(input, at, lags, |_| length, |_| 0.0);
        refined.unwrap_or(Fit {
            lag: middle,
            misfit: fit.misfit,
        })
    }

    /// Returns whether [`best`](Self::best) would surely return a lag above `short`.
    ///
    /// Compares the short lags, which takes little time, with the best lag of the last search.
    pub(super) fn is_longer(
        &mut self,
        input: &Input,
        at: i64,
        forward: bool,
        short: i64,
        limit: i64,
        weighing: Weighing,
    ) -> bool {
        let (hint, coarse) = (self.hint, self.coarse);
        let short = short / coarse.frames;
        if hint <= short || hint > (limit / coarse.frames).min(coarse.usual) {
            return false;
        }
        let factors = &self.factors[weighing.preference as usize];
        let around = Around::new(input, at, forward, hint, coarse, &mut self.buffers);
        run_best(AllCost {
            around,
            lags: (coarse.shortest, short),
            hint,
            factors,
            weighing,
        })
    }

    /// Returns the last search's best lag, in frames, without its sign.
    pub(super) fn hint(&self) -> i64 {
        self.hint * self.coarse.frames
    }

    /// Returns the lag of least misfit above the usual ones, if it has less than `highest`.
    pub(super) fn longer(
        &mut self,
        input: &Input,
        at: i64,
        forward: bool,
        highest: f32,
    ) -> Option<Fit> {
        let coarse = self.coarse;
        let lags = (coarse.usual + 1, coarse.longest);
        let around = Around::new(input, at, forward, lags.1, coarse, &mut self.buffers);
        let longer = run_best(Least {
            around,
            lags,
            highest,
        });
        longer.map(|fit| self.refine(input, at, fit))
    }

    /// Returns the lag of least misfit from one to another, both inclusive, given their signs, over
    /// `frames(lag)` frames, plus a price for each lag.
    pub(super) fn least_misfit(
        &self,
        input: &Input,
        at: i64,
        lags: std::ops::RangeInclusive<i64>,
        frames: impl Fn(i64) -> i64,
        price: impl Fn(i64) -> f32,
    ) -> Option<Fit> {
        let mut best: Option<(f32, Fit)> = None;
        for lag in lags {
            let misfit = self.misfit(input, at, lag, frames(lag));
            let cost = misfit + price(lag);
            if best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, Fit { lag, misfit }));
            }
        }
        best.map(|(_, fit)| fit)
    }
}

/// Returns how badly two pieces of audio of the same length fit onto each other; see [`Fit::misfit`].
pub(super) fn misfit(here: &[f32], there: &[f32]) -> f32 {
    run_best(Misfit { here, there })
}

struct Misfit<'a> {
    here: &'a [f32],
    there: &'a [f32],
}

impl Code for Misfit<'_> {
    type Output = f32;

    #[inline(always)]
    fn run(self, _: impl Kernel) -> f32 {
        let difference = difference::below(self.here, self.there, f32::INFINITY);
        let energy = difference::energy(self.here) + difference::energy(self.there);
        difference.unwrap_or(f32::INFINITY) / (1e-9 + energy)
    }
}

/// The length of the blocks whose sums give a lower bound of a difference.
const BLOCK: usize = 8;
/// What bounds are multiplied by, so that their rounding never excludes a lag.
const MARGIN: f32 = 0.999;

/// What is computed once per search.
struct Buffers {
    /// Prefix sums of the squares of the audio.
    energies: Vec<f64>,
    /// Sums of the `BLOCK` values from each place on, over the root of `BLOCK`: first those of the
    /// places 0, `BLOCK`, and so on, then those of 1, `BLOCK + 1`, and so on.
    blocks: Vec<f32>,
    /// How many there are of each kind.
    stride: usize,
    /// The samples of the analysis, where they are not the frames.
    coarse: Vec<f32>,
}

impl Buffers {
    fn with_capacity(frames: usize) -> Self {
        Self {
            energies: Vec::with_capacity(frames + 1),
            blocks: Vec::with_capacity(frames + BLOCK),
            stride: 0,
            coarse: Vec::with_capacity(frames),
        }
    }

    /// Prepares the frames themselves, or the coarse samples.
    fn fill(&mut self, frames: &[f32], is_fine: bool) {
        let audio = if is_fine { frames } else { &self.coarse };
        self.energies.clear();
        self.energies.push(0.0);
        let mut sum = 0.0;
        for value in audio {
            sum += f64::from(value * value);
            self.energies.push(sum);
        }
        self.stride = audio.len() / BLOCK;
        self.blocks.clear();
        let scale = 1.0 / (BLOCK as f32).sqrt();
        for first in 0..BLOCK {
            let (blocks, _) = audio[first..].as_chunks::<BLOCK>();
            let sums = blocks.iter().map(|[a, b, c, d, e, f, g, h]| {
                (((a + b) + (c + d)) + ((e + f) + (g + h))) * scale
            });
            self.blocks.extend(sums);
            self.blocks.resize((first + 1) * self.stride, 0.0);
        }
    }

    /// Returns the sums of the blocks that lie within some frames from a place on, by eights; those
    /// that fill no eight are left out.
    #[inline(always)]
    fn blocks(&self, place: usize, frames: usize) -> &[[f32; 8]] {
        let start = place % BLOCK * self.stride + place / BLOCK;
        self.blocks[start..start + frames / BLOCK].as_chunks().0
    }
}

/// The audio around a place, for comparing it with itself at many lags.
struct Around<'a> {
    /// All audio that the lags touch, and where in it the place is.
    audio: &'a [f32],
    place: usize,
    buffers: &'a Buffers,
    forward: bool,
    least: i64,
}

impl<'a> Around<'a> {
    fn new(
        input: &'a Input,
        at: i64,
        forward: bool,
        longest: i64,
        lags: Lags,
        buffers: &'a mut Buffers,
    ) -> Self {
        let window = longest.max(lags.least);
        let place = if forward { 0 } else { longest };
        let frames = input.mono(
            at - place * lags.frames,
            ((longest + window) * lags.frames) as usize,
        );
        if lags.frames > 1 {
            let scale = 1.0 / lags.frames as f32;
            let samples = frames.chunks_exact(lags.frames as usize);
            let means = samples.map(|frames| frames.iter().sum::<f32>() * scale);
            buffers.coarse.clear();
            buffers.coarse.extend(means);
        }
        buffers.fill(frames, lags.frames == 1);
        let buffers = &*buffers;
        let audio = if lags.frames == 1 {
            frames
        } else {
            &buffers.coarse
        };
        Self {
            audio,
            place: place as usize,
            buffers,
            forward,
            least: lags.least,
        }
    }

    /// Returns the misfit at a lag, or nothing if it is higher than a limit.
    ///
    /// The sum of squared differences over a block is at least the square of the difference of the
    /// block's sums, divided by its length: most lags are told apart by that alone.
    #[inline(always)]
    fn misfit(&self, lag: i64, limit: f32) -> Option<f32> {
        let frames = lag.max(self.least) as usize;
        let here = self.place;
        let there = match self.forward {
            true => here + lag as usize,
            false => here - lag as usize,
        };
        let energy =
            |from: usize| self.buffers.energies[from + frames] - self.buffers.energies[from];
        let energy = (1e-9 + energy(here) + energy(there)) as f32;
        let limit = limit * energy;
        let blocks = |place| self.buffers.blocks(place, frames);
        if difference::of(blocks(here), blocks(there)) * MARGIN > limit {
            return None;
        }
        let audio = |place| &self.audio[place..place + frames];
        let difference = difference::below(audio(here), audio(there), limit)?;
        Some(difference / energy)
    }

    fn is_silent(&self) -> bool {
        self.buffers.energies.last() == Some(&0.0)
    }

    fn fit(&self, lag: i64, misfit: f32) -> Fit {
        Fit {
            lag: if self.forward { lag } else { -lag },
            misfit,
        }
    }
}

struct Least<'a> {
    around: Around<'a>,
    lags: (i64, i64),
    highest: f32,
}

impl Code for Least<'_> {
    type Output = Option<Fit>;

    #[inline(always)]
    fn run(self, _: impl Kernel) -> Option<Fit> {
        let (mut best, mut highest) = (None, self.highest);
        for lag in self.lags.0..=self.lags.1 {
            if let Some(misfit) = self.around.misfit(lag, highest)
                && misfit < highest
            {
                highest = misfit;
                best = Some(self.around.fit(lag, misfit));
            }
        }
        best
    }
}

struct AllCost<'a> {
    around: Around<'a>,
    lags: (i64, i64),
    hint: i64,
    factors: &'a [f32],
    weighing: Weighing,
}

impl Code for AllCost<'_> {
    type Output = bool;

    /// Returns whether all lags cost too much to be near the hinted one.
    #[inline(always)]
    fn run(self, _: impl Kernel) -> bool {
        let (shortest, longest) = self.lags;
        let hinted = self.around.misfit(self.hint, f32::INFINITY).unwrap_or(2.0);
        let highest = NEAR_BEST
            * self
                .weighing
                .cost(hinted, self.factors[(self.hint - shortest) as usize]);
        (shortest..=longest).zip(self.factors).all(|(lag, factor)| {
            let limit = self.weighing.misfit(highest, *factor);
            self.around.misfit(lag, limit).is_none()
        })
    }
}

/// In steady tones, where the best lag has less than this misfit, the lag of least misfit is taken of
/// all that cost little more: some multiple of the period is nearest to whole frames.
const STEADY: f32 = 0.015;
const NEAR_BEST: f32 = 1.12;

struct Best<'a> {
    around: Around<'a>,
    lags: (i64, i64),
    hint: i64,
    factors: &'a [f32],
    weighing: Weighing,
    misfits: &'a mut Vec<f32>,
}

impl Code for Best<'_> {
    type Output = Fit;

    #[inline(always)]
    fn run(self, _: impl Kernel) -> Fit {
        let (shortest, longest) = self.lags;
        self.misfits.clear();
        let hinted = self.around.misfit(self.hint, f32::INFINITY).unwrap_or(2.0);
        let mut least_cost = self
            .weighing
            .cost(hinted, self.factors[(self.hint - shortest) as usize]);
        for (lag, factor) in (shortest..=longest).zip(self.factors) {
            // A higher misfit can neither be the best nor near it.
            let limit = self.weighing.misfit(NEAR_BEST * least_cost, *factor);
            let misfit = self.around.misfit(lag, limit).unwrap_or(f32::INFINITY);
            least_cost = least_cost.min(self.weighing.cost(misfit, *factor));
            self.misfits.push(misfit);
        }
        let costs = || {
            let lags = (shortest..).zip(self.factors).zip(&*self.misfits);
            lags.map(|((lag, factor), &misfit)| {
                (
                    self.weighing.cost(misfit, *factor),
                    self.around.fit(lag, misfit),
                )
            })
        };
        let least = |best: Option<Fit>, (_, fit): (f32, Fit)| match best {
            Some(best) if best.misfit <= fit.misfit => Some(best),
            _ => Some(fit),
        };
        let best = costs().find(|(cost, _)| *cost == least_cost);
        let near = costs().filter(|(cost, _)| *cost <= NEAR_BEST * least_cost);
        match best {
            Some((_, best)) if best.misfit < STEADY => near.fold(None, least).unwrap_or(best),
            Some((_, best)) => best,
            None => self.around.fit(shortest, 2.0),
        }
    }
}
