//! The search for the period at which the audio resembles itself most.

use multiversion::multiversion;

use super::sample::Sample;

/// Finds periods; keeps its scratch space from one search to the next.
pub struct PeriodSearch {
    channels: usize,
    /// Shortest and longest lag in analysis samples (in fast mode: of two frames each).
    lags: (usize, usize),
    fast: bool,
    analysis: Vec<i16>,
    scores: Vec<u32>,
}

impl PeriodSearch {
    /// A search between two periods in frames, both included and in fast mode both even.
    pub fn new(channels: usize, shortest: usize, longest: usize, fast: bool) -> Self {
        let divisor = if fast { 2 } else { 1 };
        let lags = (shortest / divisor, longest / divisor);
        Self {
            channels,
            lags,
            fast,
            analysis: vec![0; 2 * lags.1],
            scores: vec![0; lags.1 - lags.0 + 1],
        }
    }

    /// The best period, in frames, for the start of `audio` (interleaved, at least two of the
    /// longest periods long).
    pub fn find<T: Sample>(&mut self, audio: &[T]) -> usize {
        find(self, audio)
    }

    /// As [`find`](Self::find), built for the instructions that the caller is built for.
    #[inline(always)]
    pub fn find_inline<T: Sample>(&mut self, audio: &[T]) -> usize {
        mix_down(
            audio,
            self.channels * if self.fast { 2 } else { 1 },
            &mut self.analysis,
        );
        let (shortest, longest) = self.lags;
        if !score_lags(&self.analysis, shortest, &mut self.scores) {
            return if self.fast { 2 * longest } else { longest };
        }
        // `max_by_key` gives the last of equals, which is the longest lag.
        let (best, _) = (self.scores.iter().enumerate())
            .max_by_key(|&(_, &score)| score)
            .expect("there is at least one lag");
        if self.fast {
            2 * (shortest + best) + self.refine(best) - 1
        } else {
            shortest + best
        }
    }

    /// The frame to add to twice a half-rate lag, plus 1: 0, 1 or 2, as its neighbours' scores say.
    fn refine(&self, best: usize) -> usize {
        if best == 0 || best + 1 == self.scores.len() {
            return 1;
        }
        let score = self.scores[best];
        let above = score - self.scores[best + 1];
        let below = score - self.scores[best - 1];
        // u64, because a difference of u32::MAX plus one does not fit.
        if (u64::from(below) + 1) / 2 > u64::from(above) {
            2
        } else if (u64::from(above) + 1) / 2 > u64::from(below) {
            0
        } else {
            1
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2", "aarch64+neon"))]
fn find<T: Sample>(search: &mut PeriodSearch, audio: &[T]) -> usize {
    search.find_inline(audio)
}

/// Fills `analysis` with the floor of the mean of every `values` values in a row.
#[inline(always)]
fn mix_down<T: Sample>(audio: &[T], values: usize, analysis: &mut [i16]) {
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
fn mix_down_by<T: Sample, const N: usize>(audio: &[T], analysis: &mut [i16]) {
    let (groups, _) = audio.as_chunks::<N>();
    for (mean, group) in analysis.iter_mut().zip(groups) {
        let sum: i32 = group.iter().map(|&value| i32::from(value.to_i16())).sum();
        *mean = sum.div_euclid(N as i32) as i16;
    }
}

/// Scores the lags from `shortest` up; false, with no scores, if the audio is silent.
///
/// The score of a lag `p` is `sum |y[i]| (i < 2p) * k / sum |y[i] - y[i+p]| (i < p)`, with `k` such
/// that nothing overflows, and `u32::MAX` where the audio repeats exactly.
#[inline(always)]
fn score_lags(analysis: &[i16], shortest: usize, scores: &mut [u32]) -> bool {
    let magnitude = |part: &[i16]| {
        part.iter()
            .map(|&y| u32::from(y.unsigned_abs()))
            .sum::<u32>()
    };
    let total = magnitude(analysis);
    if total == 0 {
        return false;
    }
    let scale = (u32::MAX - 1) / total;
    let mut sum = magnitude(&analysis[..2 * shortest]);
    for (lag, score) in (shortest..).zip(scores) {
        let (head, tail) = analysis[..2 * lag].split_at(lag);
        let difference: u32 = (head.iter().zip(tail))
            .map(|(&a, &b)| u32::from(a.abs_diff(b)))
            .sum();
        *score = (sum * scale).checked_div(difference).unwrap_or(u32::MAX);
        if let [a, b, ..] = analysis[2 * lag..] {
            sum += u32::from(a.unsigned_abs()) + u32::from(b.unsigned_abs());
        }
    }
    true
}
