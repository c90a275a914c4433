//! Finds the lag at which the audio fits onto itself, for a splice.

use super::difference;
use super::input::Input;
use crate::kernels::{Code, Kernel, run_best};

/// How sought lags are weighed against each other.
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
    /// For each preference and lag, what its misfit is multiplied by.
    factors: [Vec<f32>; 3],
    misfits: Vec<f32>,
    energies: Vec<f64>,
}

impl LagSearch {
    /// Creates a search for a sample rate in Hz.
    pub(super) fn new(sample_rate: u32) -> Self {
        let (shortest, usual) = (i64::from(sample_rate / 400), i64::from(sample_rate / 55));
        let factors = Preference::ALL.map(|preference| {
            let factor = |lag: i64| (usual as f64 / lag as f64).powf(preference.exponent()) as f32;
            (shortest..=usual).map(factor).collect()
        });
        Self {
            shortest,
            usual,
            longest: i64::from(sample_rate / 30),
            least: (0.005 * f64::from(sample_rate)) as i64,
            factors,
            misfits: Vec::new(),
            energies: Vec::new(),
        }
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
        preference: Preference,
    ) -> Fit {
        let lags = self.shortest..=limit.min(self.usual);
        let factors = &self.factors[preference as usize];
        let direction = if forward { 1 } else { -1 };
        prefix_energies(
            input,
            at,
            direction,
            (*lags.start(), *lags.end()),
            self.least,
            &mut self.energies,
        );
        run_best(Search {
            input,
            at,
            direction,
            lags: (*lags.start(), *lags.end()),
            least: self.least,
            factors,
            misfits: &mut self.misfits,
            energies: &self.energies,
        })
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

/// Fills `energies` with prefix sums of the squares of all audio that lags between two touch.
fn prefix_energies(
    input: &Input,
    at: i64,
    direction: i64,
    (_, longest): (i64, i64),
    least: i64,
    energies: &mut Vec<f64>,
) {
    let window = longest.max(least);
    let (from, frames) = match direction {
        1 => (at, longest + window),
        _ => (at - longest, longest + window),
    };
    energies.clear();
    energies.push(0.0);
    let mut sum = 0.0;
    for value in input.mono(from, frames as usize) {
        sum += f64::from(value * value);
        energies.push(sum);
    }
}

struct Search<'a> {
    input: &'a Input,
    at: i64,
    direction: i64,
    lags: (i64, i64),
    least: i64,
    factors: &'a [f32],
    misfits: &'a mut Vec<f32>,
    energies: &'a [f64],
}

/// What is added to every misfit before it is weighed.
const BASE: f32 = 0.025;
/// In steady tones, where the best lag has less than this misfit, the lag of least misfit is taken of
/// all that cost little more: some multiple of the period is nearest to whole frames.
const STEADY: f32 = 0.015;
const NEAR_BEST: f32 = 1.12;

impl Code for Search<'_> {
    type Output = Fit;

    #[inline(always)]
    fn run(self, _: impl Kernel) -> Fit {
        let (shortest, longest) = self.lags;
        let back = if self.direction < 0 { longest } else { 0 };
        let here = self.input.mono(self.at, longest.max(self.least) as usize);
        self.misfits.clear();
        let mut least_cost = f32::INFINITY;
        for (lag, factor) in (shortest..=longest).zip(self.factors) {
            let frames = lag.max(self.least) as usize;
            let there = self.input.mono(self.at + self.direction * lag, frames);
            let energy = |offset: i64| {
                let start = (offset + back) as usize;
                self.energies[start + frames] - self.energies[start]
            };
            let energy = (1e-9 + energy(0) + energy(self.direction * lag)) as f32;
            // A higher difference can neither be the best nor near it.
            let limit = (NEAR_BEST * least_cost / factor - BASE) * energy;
            let difference = difference::below(&here[..frames], there, limit);
            let misfit = difference.map_or(f32::INFINITY, |difference| difference / energy);
            least_cost = least_cost.min((misfit + BASE) * factor);
            self.misfits.push(misfit);
        }
        let costs = || {
            (shortest..)
                .zip(self.factors)
                .zip(&*self.misfits)
                .map(|((lag, factor), &misfit)| {
                    let lag = self.direction * lag;
                    ((misfit + BASE) * factor, Fit { lag, misfit })
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
            None => Fit {
                lag: self.direction * shortest,
                misfit: 2.0,
            },
        }
    }
}
