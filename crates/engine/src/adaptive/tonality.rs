//! Tells chords and ensembles, which are stretched in the frequency domain, from everything else.

use std::collections::VecDeque;

use super::difference;
use super::input::Input;
use super::spectrum::Spectrum;
use crate::kernels::run_best;

/// Frames on either side over which the evidence is averaged.
const AVERAGED: usize = 8;
/// Averages at which the state turns on and off.
const ON: f32 = 0.90;
const OFF: f32 = 0.70;
/// The shortest stretch of tonal polyphony, in hops.
const SHORTEST: usize = 16;
/// Spectra less similar than this are no evidence.
const SIMILAR: f32 = 0.3;
/// Bins on either side with which a bin is compared.
const NEIGHBOURS: usize = 12;
/// The highest frequency looked at, in Hz.
const HIGHEST: f64 = 5000.0;

/// Decides for every hop whether the audio is polyphonic and tonal: whether its partials stay while
/// no single period explains it.
pub(super) struct Tonality {
    spectrum: Spectrum,
    hop: i64,
    period: PeriodFit,
    /// Prominences of one spectrum's bins, and the largest in the neighbourhood of each: the last
    /// three, newest first.
    prominences: VecDeque<Prominence>,
    sums: Vec<f64>,
    powers: Vec<f32>,
    /// Evidence of the last `2 * AVERAGED + 1` hops, newest last.
    evidence: VecDeque<f32>,
    /// The next frame to transform; the next hop to decide.
    next_frame: i64,
    next_state: i64,
    /// The states of the hops from `first_state` on.
    states: VecDeque<bool>,
    first_state: i64,
    /// The hop at which the current stretch began.
    on_since: Option<i64>,
}

#[derive(Clone, Default)]
struct Prominence {
    /// In dB above what is usual in a spectrum; 0 where a bin does not stand out.
    bins: Vec<f32>,
    /// The largest of the bins around each.
    around: Vec<f32>,
    norm: f32,
}

impl Tonality {
    /// Creates a classifier for a sample rate in Hz.
    pub(super) fn new(sample_rate: u32) -> Self {
        let rate = f64::from(sample_rate);
        let len = frame_len(sample_rate);
        let bins = ((HIGHEST * len as f64 / rate) as usize + 1).min(len / 2 + 1);
        let prominence = Prominence {
            bins: vec![0.0; bins],
            around: vec![0.0; bins],
            norm: 0.0,
        };
        let mut tonality = Self {
            spectrum: Spectrum::new(len, len),
            hop: len as i64 / 4,
            period: PeriodFit::new(sample_rate),
            prominences: VecDeque::from(vec![prominence; 3]),
            sums: Vec::with_capacity(len),
            powers: Vec::with_capacity(len),
            evidence: VecDeque::with_capacity(2 * AVERAGED + 2),
            next_frame: -1,
            next_state: 0,
            states: VecDeque::with_capacity(256),
            first_state: 0,
            on_since: None,
        };
        tonality.reset();
        tonality
    }

    /// Forgets everything.
    pub(super) fn reset(&mut self) {
        for prominence in &mut self.prominences {
            prominence.bins.fill(0.0);
            prominence.around.fill(0.0);
            prominence.norm = 0.0;
        }
        self.evidence.clear();
        self.next_frame = -1;
        self.next_state = 0;
        self.states.clear();
        self.first_state = 0;
        self.on_since = None;
    }

    /// Returns how many frames of input after a position must be visible before its state is known.
    pub(super) fn lookahead(&self) -> i64 {
        (2 + AVERAGED + SHORTEST) as i64 * self.hop + 2 * self.hop + self.period.longest as i64
    }

    /// Looks at what has become visible.
    pub(super) fn advance(&mut self, input: &Input) {
        let reach = (2 * self.hop).max(self.period.longest as i64);
        while self.next_frame * self.hop + reach <= input.end() {
            self.add_frame(input);
            // With the spectra on either side known, a hop's evidence can be told.
            let hop = self.next_frame - 1;
            self.next_frame += 1;
            if hop >= 0 {
                let evidence = self.evidence_at(input, hop);
                self.add_evidence(evidence);
            }
        }
    }

    fn add_frame(&mut self, input: &Input) {
        let len = 4 * self.hop;
        let values = input.mono(self.next_frame * self.hop - len / 2 - 1, len as usize + 1);
        self.spectrum
            .transform(values.windows(2).map(|pair| pair[1] - 0.9 * pair[0]));
        let mut newest = self.prominences.pop_back().expect("three spectra");
        let bins = newest.bins.len();
        // The neighbours of the last bin must be there too.
        let looked_at = (bins + NEIGHBOURS).min(self.spectrum.bins.len());
        self.powers.clear();
        let powers = self.spectrum.bins[..looked_at].iter();
        self.powers.extend(powers.map(|bin| bin.norm_sqr()));
        let whole = self.spectrum.bins.iter().map(|bin| bin.norm_sqr());
        let floor = whole.fold(0.0, f32::max) * 10f32.powf(-3.6) + 1e-20;
        self.sums.clear();
        self.sums.push(0.0);
        let mut sum = 0.0;
        for &power in &self.powers {
            sum += f64::from(power);
            self.sums.push(sum);
        }
        newest.bins[..2].fill(0.0);
        for bin in 2..bins {
            let from = bin.saturating_sub(NEIGHBOURS);
            let to = (bin + NEIGHBOURS + 1).min(looked_at);
            let around = ((self.sums[to] - self.sums[from]) / (to - from) as f64) as f32;
            let ratio = (self.powers[bin] + 1e-20) / (around + floor);
            // Below 3 dB, the logarithm is not needed.
            newest.bins[bin] = if ratio > 1.995_262_3 {
                10.0 * ratio.log10() - 3.0
            } else {
                0.0
            };
        }
        let mut energy = 0.0;
        for bin in 0..bins {
            let reach = (1.5 + 0.003 * bin as f64) as usize;
            let around = &newest.bins[bin.saturating_sub(reach)..(bin + reach + 1).min(bins)];
            let largest = around.iter().copied().fold(0.0, f32::max);
            newest.around[bin] = largest;
            energy += largest * largest;
        }
        newest.norm = energy.sqrt() + 1e-9;
        self.prominences.push_front(newest);
    }

    /// Returns the evidence for tonal polyphony at a hop, whose spectrum is the second newest.
    fn evidence_at(&mut self, input: &Input, hop: i64) -> f32 {
        let (after, here, before) = (
            &self.prominences[0],
            &self.prominences[1],
            &self.prominences[2],
        );
        let product: f32 = (after.around.iter().zip(&before.around))
            .map(|(a, b)| a * b)
            .sum();
        let similarity = product / (after.norm * before.norm);
        let mut evidence = 0.0;
        if similarity > SIMILAR {
            let misfit = self.period.misfit(input, hop * self.hop);
            evidence = (similarity - SIMILAR) * (misfit.max(1e-3).log10() + 2.9).max(0.0);
        }
        let bins = &here.bins;
        let peaks = (bins.windows(3))
            .filter(|near| near[1] > 3.0 && near[1] > near[0] && near[1] >= near[2])
            .count();
        evidence + 0.018 * peaks as f32
    }

    fn add_evidence(&mut self, evidence: f32) {
        if self.evidence.is_empty() {
            // Before the first hop is taken to be like it.
            self.evidence.extend([evidence; AVERAGED + 1]);
        } else {
            self.evidence.push_back(evidence);
        }
        if self.evidence.len() <= 2 * AVERAGED {
            return;
        }
        let mean = self.evidence.iter().sum::<f32>() / (2 * AVERAGED + 1) as f32;
        self.evidence.pop_front();
        let was_on = self.on_since.is_some();
        let is_on = mean > if was_on { OFF } else { ON };
        self.states.push_back(is_on);
        match self.on_since {
            None if is_on => self.on_since = Some(self.next_state),
            Some(start) if !is_on => {
                let length = (self.next_state - start) as usize;
                if length < SHORTEST {
                    let end = self.states.len() - 1;
                    let first = end.saturating_sub(length);
                    self.states
                        .range_mut(first..end)
                        .for_each(|state| *state = false);
                }
                self.on_since = None;
            }
            _ => {}
        }
        self.next_state += 1;
    }

    /// Forgets the states before a position.
    pub(super) fn keep_from(&mut self, position: i64) {
        while (self.first_state + 1) * self.hop < position && self.states.len() > 1 {
            self.states.pop_front();
            self.first_state += 1;
        }
    }

    /// Returns whether the audio at a position is polyphonic and tonal.
    pub(super) fn is_on(&self, position: i64) -> bool {
        let hop = (position + self.hop / 2).div_euclid(self.hop) - self.first_state;
        let last = self.states.len().saturating_sub(1);
        let index = (hop.max(0) as usize).min(last);
        self.states.get(index).copied().unwrap_or(false)
    }
}

/// Returns the length of the classifier's transform: 4096 at 44.1 kHz.
pub(super) fn frame_len(sample_rate: u32) -> usize {
    let shortest = 4096.0 / 44_100.0 / 1.41 * f64::from(sample_rate);
    (shortest.ceil() as usize).next_power_of_two()
}

/// Measures how well a single period explains the audio, on every second sample.
struct PeriodFit {
    shortest: usize,
    longest: usize,
    least: usize,
    /// The samples from the place on, and those up to it, each every second one.
    here: Vec<f32>,
    before: Vec<f32>,
    energies: Vec<f64>,
}

impl PeriodFit {
    fn new(sample_rate: u32) -> Self {
        let longest = (sample_rate / 30) as usize;
        let shortest = (sample_rate / 400) as usize;
        Self {
            shortest,
            // Only lags that differ from the shortest by an even number are tried.
            longest: longest - (longest - shortest) % 2,
            least: (0.006 * f64::from(sample_rate)) as usize,
            here: Vec::with_capacity(longest),
            before: Vec::with_capacity(longest),
            energies: Vec::with_capacity(2 * longest),
        }
    }

    /// Returns the least difference between the audio at a position and one period before, from 0
    /// (equal) to 2 (opposite).
    fn misfit(&mut self, input: &Input, position: i64) -> f32 {
        let longest = self.longest.max(self.least);
        self.here.clear();
        let here = input.mono(position, longest);
        self.here.extend(here.iter().step_by(2));
        // Starts one longest period before.
        self.before.clear();
        let from = position - self.longest as i64;
        let before = input.mono(from, self.longest + longest);
        self.before.extend(before.iter().step_by(2));
        let energies = |values: &[f32], energies: &mut Vec<f64>| {
            let start = energies.len();
            energies.push(0.0);
            let mut sum = 0.0;
            for value in values {
                sum += f64::from(value * value);
                energies.push(sum);
            }
            start
        };
        self.energies.clear();
        energies(&self.here, &mut self.energies);
        let later = energies(&self.before, &mut self.energies);
        run_best(BestPeriod {
            fit: self,
            before_energies: later,
        })
    }
}

struct BestPeriod<'a> {
    fit: &'a PeriodFit,
    before_energies: usize,
}

impl crate::kernels::Code for BestPeriod<'_> {
    type Output = f32;

    #[inline(always)]
    fn run(self, _: impl crate::kernels::Kernel) -> f32 {
        let fit = self.fit;
        let (here, before) = fit.energies.split_at(self.before_energies);
        let mut best = f32::INFINITY;
        for period in (fit.shortest..=fit.longest).step_by(2) {
            let count = period.max(fit.least).div_ceil(2);
            let start = (fit.longest - period) / 2;
            let energy = here[count] + before[start + count] - before[start];
            let energy = (energy + 1e-9) as f32;
            let difference = difference::below(
                &fit.here[..count],
                &fit.before[start..start + count],
                best * energy,
            );
            if let Some(difference) = difference {
                best = best.min(difference / energy);
            }
        }
        best
    }
}
