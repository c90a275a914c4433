//! Searches for the period at which the audio is most similar to itself.

use crate::kernels::{self, BATCH, Code, GROUP, Kernel, QUAD};
use crate::sample::EngineSample;

/// Zeros after the audio, so that the last group can read past the last lag.
const PADDING: usize = 4 * GROUP;
/// Number of levels that the audio is quantized to for the bounds.
const LEVELS: u16 = 256;

/// Finds periods. Reuses its buffers for each search.
///
/// The score of a lag `p` is `S(p) * k / D(p)` in integers, with
/// `S(p) = sum |y[i]| (i < 2p)`, `D(p) = sum |y[i] - y[i+p]| (i < p)` and `k` such that nothing
/// overflows; it is `u32::MAX` if `D(p)` is 0. The lag with the highest score wins; of equal ones,
/// the longest.
///
/// `D` would take nearly all of the time, so it is computed for few lags only. For every lag, the
/// same sum over the audio quantized to 256 levels gives a lower bound, as CPUs sum differences of
/// bytes much faster. Lags whose bound shows that they cannot win are skipped; the others are
/// computed in small batches.
pub(crate) struct PeriodSearch {
    channels: usize,
    /// Shortest and longest lag in analysis samples; in fast mode each sample stands for two
    /// frames.
    lags: (usize, usize),
    fast: bool,
    /// The audio to search, twice the longest lag in length, followed by padding.
    analysis: Vec<i16>,
    /// The quantized audio, followed by padding.
    levels: Vec<u8>,
    /// For each lag `p`, shortest first: `S(p)`, and the sum of `y[i]` for `i < 2p`.
    sums: Vec<Sums>,
    /// For each lag: the lower bound of `D(p) / S(p)`.
    bounds: Vec<f32>,
    /// The indices of the remaining lags, with space to fill up the last batch.
    candidates: Vec<u32>,
}

impl PeriodSearch {
    /// Creates a search between two periods in frames, both inclusive and in fast mode both even.
    pub(crate) fn new(channels: usize, shortest: usize, longest: usize, fast: bool) -> Self {
        let divisor = if fast { 2 } else { 1 };
        let lags = (shortest / divisor, longest / divisor);
        let len = 2 * lags.1 + PADDING;
        let count = lags.1 - lags.0 + 1;
        Self {
            channels,
            lags,
            fast,
            analysis: vec![0; len],
            levels: vec![0; len],
            sums: vec![Sums(0); count],
            bounds: vec![0.0; count.next_multiple_of(GROUP)],
            candidates: vec![0; count + BATCH],
        }
    }

    /// Returns the best period, in frames, for the start of `audio` (interleaved, at least twice as
    /// long as the longest period).
    pub(crate) fn find<T: EngineSample>(&mut self, audio: &[T]) -> usize {
        kernels::run_best(Find {
            search: self,
            audio,
        })
    }

    #[inline(always)]
    fn find_inline<T: EngineSample>(&mut self, audio: &[T], kernel: impl Kernel) -> usize {
        let (shortest, longest) = self.lags;
        mix_down(
            audio,
            self.channels * if self.fast { 2 } else { 1 },
            &mut self.analysis[..2 * longest],
        );
        self.add_up();
        let loudness = self.sums.last().map_or(0, |sums| sums.magnitude());
        if loudness == 0 {
            return if self.fast { 2 * longest } else { longest };
        }
        let scale = (u32::MAX - 1) / loudness;
        self.bound(kernel);
        let (best, score) = self.best(scale, kernel);
        if self.fast {
            2 * (shortest + best) + self.refine(best, score, scale, kernel) - 1
        } else {
            shortest + best
        }
    }

    /// Fills `sums`.
    #[inline(always)]
    fn add_up(&mut self) {
        let (shortest, longest) = self.lags;
        let (start, rest) = self.analysis[..2 * longest].split_at(2 * shortest);
        let start = start.iter().map(|&y| Sums::of(y).0).sum::<u64>();
        // In two steps, so that the compiler can vectorize the first one.
        let (pairs, _) = rest.as_chunks::<2>();
        self.sums[0] = Sums(start);
        for (sums, &[a, b]) in self.sums[1..].iter_mut().zip(pairs) {
            *sums = Sums(Sums::of(a).0 + Sums::of(b).0);
        }
        let mut sum = 0;
        for sums in &mut self.sums {
            sum += sums.0;
            sums.0 = sum;
        }
    }

    /// Fills `levels`. Returns the size of one level, and by how many levels the difference of two
    /// samples can be too large.
    #[inline(always)]
    fn quantize(&mut self) -> (f32, u32) {
        let analysis = &self.analysis[..2 * self.lags.1];
        let low = analysis.iter().copied().fold(i16::MAX, i16::min);
        let high = analysis.iter().copied().fold(i16::MIN, i16::max);
        let range = high.abs_diff(low);
        if range < LEVELS {
            for (level, &y) in self.levels.iter_mut().zip(analysis) {
                *level = y.abs_diff(low) as u8;
            }
            return (1.0, 0);
        }
        // The largest factor that maps the loudest value to the highest level.
        let factor = (u32::from(LEVELS) * 65536 - 1) / u32::from(range);
        for (level, &y) in self.levels.iter_mut().zip(analysis) {
            *level = ((u32::from(y.abs_diff(low)) * factor) >> 16) as u8;
        }
        (65536.0 / factor as f32, 1)
    }

    /// Fills `bounds`.
    #[inline(always)]
    fn bound(&mut self, kernel: impl Kernel) {
        let (unit, slack) = self.quantize();
        let first = self.lags.0;
        let (groups, _) = self.bounds.as_chunks_mut::<GROUP>();
        for (first, bounds) in (first..).step_by(GROUP).zip(groups) {
            let sums = kernel.sums_of_differences(&self.levels, first);
            for ((bound, sum), lag) in bounds.iter_mut().zip(sums).zip(first as u32..) {
                let surplus = lag / QUAD as u32 * QUAD as u32 * slack;
                *bound = u32::from(sum).saturating_sub(surplus) as f32 * unit;
            }
        }
        for (bound, sums) in self.bounds.iter_mut().zip(&self.sums) {
            *bound /= sums.magnitude().max(1) as f32;
        }
    }

    /// Returns the index of the best lag, and its score.
    #[inline(always)]
    fn best(&mut self, scale: u32, kernel: impl Kernel) -> (usize, u32) {
        let bounds = &self.bounds[..self.sums.len()];
        // Bounds are not negative, so their bits sort in the same order.
        let least = bounds.iter().map(|b| b.to_bits()).min().unwrap_or(0);
        let mut best = bounds
            .iter()
            .rposition(|b| b.to_bits() == least)
            .unwrap_or(0);
        let mut score = self.score(best, scale, kernel);
        let count = self.choose_candidates(limit(score, scale));
        for batch in self.candidates[..count].as_chunks::<BATCH>().0 {
            let lags = batch.map(|i| self.lags.0 + i as usize);
            let larger = kernel.sums_of_larger(&self.analysis, lags);
            for (i, larger) in batch.map(|i| i as usize).into_iter().zip(larger) {
                let (numerator, difference) = self.ratio(i, larger, scale);
                // Rarely true, so the division is rarely needed.
                if u64::from(numerator) >= u64::from(score) * u64::from(difference) {
                    let new = quotient(numerator, difference);
                    if (new, i) > (score, best) {
                        (score, best) = (new, i);
                    }
                }
            }
        }
        (best, score)
    }

    /// Puts the indices of all lags within the limit into `candidates`, and repeats the last one to
    /// fill the last batch. Returns how many there are.
    #[inline(always)]
    fn choose_candidates(&mut self, limit: f32) -> usize {
        let bounds = &self.bounds[..self.sums.len()];
        let mut count = 0;
        for (start, chunk) in (0..).step_by(16).zip(bounds.chunks(16)) {
            let none = |none, &bound: &f32| none & (bound > limit);
            if chunk.iter().fold(true, none) {
                continue;
            }
            for (i, &bound) in (start..).zip(chunk) {
                // Without a branch, because it would be unpredictable.
                self.candidates[count] = i;
                count += usize::from(bound <= limit);
            }
        }
        let full = count.next_multiple_of(BATCH);
        if let Some(&last) = self.candidates[..count].last() {
            self.candidates[count..full].fill(last);
        }
        full
    }

    /// Returns `S(p) * k` and `D(p)` for the lag at an index, from its sum of the larger values.
    #[inline(always)]
    fn ratio(&self, i: usize, larger: i32, scale: u32) -> (u32, u32) {
        // |a - b| = 2 max(a, b) - (a + b)
        let total = self.sums[i].total(self.lags.0 + i);
        let difference = larger.wrapping_mul(2).wrapping_sub(total);
        (self.sums[i].magnitude() * scale, difference.cast_unsigned())
    }

    /// Returns the score of the lag at an index.
    #[inline(always)]
    fn score(&self, i: usize, scale: u32, kernel: impl Kernel) -> u32 {
        let lags = [self.lags.0 + i; BATCH];
        let [larger, ..] = kernel.sums_of_larger(&self.analysis, lags);
        let (numerator, difference) = self.ratio(i, larger, scale);
        quotient(numerator, difference)
    }

    /// Returns 1 plus the correction in frames to twice a half-rate lag: 0, 1 or 2, depending on
    /// the scores of its neighbours.
    #[inline(always)]
    fn refine(&self, best: usize, score: u32, scale: u32, kernel: impl Kernel) -> usize {
        if best == 0 || best + 1 == self.sums.len() {
            return 1;
        }
        let above = score - self.score(best + 1, scale, kernel);
        let below = score - self.score(best - 1, scale, kernel);
        if below.div_ceil(2) > above {
            2
        } else if above.div_ceil(2) > below {
            0
        } else {
            1
        }
    }
}

/// The sum of `|y|` in the upper half and that of `y + 32768` in the lower half. Both fit in 32
/// bits, so one addition updates both.
#[derive(Debug, Clone, Copy)]
struct Sums(u64);

impl Sums {
    #[inline(always)]
    fn of(y: i16) -> Self {
        let moved = (y as u16) ^ 0x8000;
        Self((u64::from(y.unsigned_abs()) << 32) | u64::from(moved))
    }

    #[inline(always)]
    fn magnitude(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Returns the sum of `y[i]` for `i < 2 * lag`.
    #[inline(always)]
    fn total(self, lag: usize) -> i32 {
        (self.0 as u32).wrapping_sub((lag as u32) << 16) as i32
    }
}

/// A search that can be compiled for any instruction set; the result is the same with each.
pub(crate) struct Find<'a, T> {
    /// The search to run.
    pub search: &'a mut PeriodSearch,
    /// The audio to search.
    pub audio: &'a [T],
}

impl<T: EngineSample> Code for Find<'_, T> {
    type Output = usize;

    #[inline(always)]
    fn run(self, kernel: impl Kernel) -> usize {
        self.search.find_inline(self.audio, kernel)
    }
}

fn quotient(numerator: u32, difference: u32) -> u32 {
    numerator.checked_div(difference).unwrap_or(u32::MAX)
}

/// Returns the largest `D / S` that can still reach a score, plus a margin for rounding errors.
fn limit(score: u32, scale: u32) -> f32 {
    (f64::from(scale) / f64::from(score) * 1.000_001) as f32
}

/// Fills `analysis` with the floor of the mean of every `values` values in a row.
#[inline(always)]
fn mix_down<T: EngineSample>(audio: &[T], values: usize, analysis: &mut [i16]) {
    match values {
        1 => mix_down_by::<T, 1>(audio, analysis),
        2 => mix_down_by::<T, 2>(audio, analysis),
        4 => mix_down_by::<T, 4>(audio, analysis),
        _ => {
            for (mean, group) in analysis.iter_mut().zip(audio.chunks_exact(values)) {
                let sum: i32 = group.iter().map(|&value| i32::from(value.to_i16())).sum();
                *mean = sum.div_euclid(values as i32) as i16;
            }
        }
    }
}

#[inline(always)]
fn mix_down_by<T: EngineSample, const N: usize>(audio: &[T], analysis: &mut [i16]) {
    let (groups, _) = audio.as_chunks::<N>();
    for (mean, group) in analysis.iter_mut().zip(groups) {
        let sum: i32 = group.iter().map(|&value| i32::from(value.to_i16())).sum();
        *mean = (sum >> N.ilog2()) as i16;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Computes the exact score of every lag.
    fn scores(y: &[i16], shortest: usize, longest: usize) -> Vec<u32> {
        let magnitude =
            |part: &[i16]| -> u32 { part.iter().map(|&y| u32::from(y.unsigned_abs())).sum() };
        let scale = (u32::MAX - 1) / magnitude(&y[..2 * longest]).max(1);
        (shortest..=longest)
            .map(|lag| {
                let (head, tail) = y[..2 * lag].split_at(lag);
                let pairs = head.iter().zip(tail);
                let difference = pairs.map(|(&a, &b)| u32::from(a.abs_diff(b))).sum();
                quotient(magnitude(&y[..2 * lag]) * scale, difference)
            })
            .collect()
    }

    fn check(y: &[i16], shortest: usize, longest: usize) {
        let scores = scores(y, shortest, longest);
        // The last of equals is the longest lag.
        let (best, _) = (shortest..).zip(scores).max_by_key(|&(_, s)| s).unwrap();
        let mut search = PeriodSearch::new(1, shortest, longest, false);
        let with = |kernel: &str, found: usize| assert_eq!(found, best, "{kernel}");
        with("plain", {
            let search = &mut search;
            kernels::Plain.run(Find { search, audio: y })
        });
        #[cfg(target_arch = "x86_64")]
        {
            let search = &mut search;
            if let Some(kernel) = kernels::Avx2::detect() {
                with("AVX2", kernel.run(Find { search, audio: y }));
            }
            if let Some(kernel) = kernels::Avx512::detect() {
                with("AVX-512", kernel.run(Find { search, audio: y }));
            }
        }
    }

    /// Generates audio with or without a period, at up to full scale, and with or without ties.
    fn audio(len: usize) -> impl Strategy<Value = Vec<i16>> {
        let noisy = prop::collection::vec(any::<i16>(), len);
        let quiet = prop::collection::vec(-3i16..=3, len);
        let square = (1..len).prop_map(move |period| {
            let value = |i: usize| {
                if i % period < period / 2 {
                    i16::MIN
                } else {
                    i16::MAX
                }
            };
            (0..len).map(value).collect::<Vec<_>>()
        });
        let tone = (noisy.clone(), 0.001f64..1.0, 0u32..16).prop_map(|(noise, step, shift)| {
            (noise.into_iter().enumerate())
                .map(|(i, noise)| {
                    ((i as f64 * step).sin() * 20_000.0) as i16 / 2 + (noise >> shift) / 2
                })
                .collect()
        });
        prop_oneof![noisy, quiet, square, tone, Just(vec![0; len])]
    }

    proptest! {
        #[test]
        fn leaving_out_lags_never_changes_the_best(
            (shortest, longest, y) in (2usize..400, 1usize..900)
                .prop_map(|(shortest, more)| (shortest, shortest + more))
                .prop_flat_map(|(s, l)| (Just(s), Just(l), audio(2 * l)))
        ) {
            check(&y, shortest, longest);
        }
    }
}
