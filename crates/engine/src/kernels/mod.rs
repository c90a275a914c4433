//! The innermost sums of the search, for each instruction set; and choosing one while running.

/// Lags that a kernel looks at together: the sums of their vectors are added up in one go.
pub(crate) const BATCH: usize = 4;

/// Values that must follow what is summed, so that whole vectors can be read.
pub(crate) const PADDING: usize = 32;

/// Lags whose differences are summed together.
pub(crate) const GROUP: usize = 64;

/// Bytes whose differences are summed in one instruction: a lag is summed up to a multiple of it.
pub(crate) const QUAD: usize = 4;

/// The longest lag that a kernel takes: the lanes of a vector are counted in 16 bits.
pub(crate) const MAX_LAG: usize = 32_000;

/// Code that can be built for any instruction set: mark `run` with `#[inline(always)]`. (A closure
/// would do, but there is no way to have it inlined for certain.)
pub(crate) trait Code {
    /// What it gives.
    type Output;

    /// Runs it with the kernel that it is built for.
    fn run(self, kernel: impl Kernel) -> Self::Output;
}

/// An instruction set known to be there.
pub(crate) trait Kernel: Copy {
    /// Runs code built for this instruction set.
    fn run<C: Code>(self, code: C) -> C::Output;

    /// For each lag, the sum of the larger of `y[i]` and `y[i+lag]` for `i < lag`, modulo 2^32.
    ///
    /// To be called within [`run`](Self::run), or it is slow.
    ///
    /// # Panics
    /// If a lag is above [`MAX_LAG`], or `y` is not [`PADDING`] values longer than twice the
    /// longest.
    fn sums_of_larger(self, y: &[i16], lags: [usize; BATCH]) -> [i32; BATCH];

    /// For each lag from `first` on, the sum of `|y[i] - y[i+lag]|` for `i` below `lag` rounded
    /// down to a multiple of [`QUAD`]; 65,535 where it is larger.
    ///
    /// To be called within [`run`](Self::run), or it is slow.
    ///
    /// # Panics
    /// If `first` is above [`MAX_LAG`], or `y` is not twice as long as `first + 2 * GROUP`.
    fn sums_of_differences(self, y: &[u8], first: usize) -> [u16; GROUP];
}

/// The shortest lag and the longest.
#[inline(always)]
fn range(lags: [usize; BATCH]) -> (usize, usize) {
    lags.iter()
        .fold((usize::MAX, 0), |(shortest, longest), &lag| {
            (shortest.min(lag), longest.max(lag))
        })
}

/// Whatever the program is built for. On AArch64 that has NEON, which compilers use well.
#[derive(Clone, Copy)]
pub(crate) struct Plain;

impl Kernel for Plain {
    #[inline(always)]
    fn run<C: Code>(self, code: C) -> C::Output {
        code.run(self)
    }

    #[inline(always)]
    fn sums_of_larger(self, y: &[i16], lags: [usize; BATCH]) -> [i32; BATCH] {
        lags.map(|lag| {
            let (head, tail) = y[..2 * lag].split_at(lag);
            (head.iter().zip(tail))
                .map(|(&a, &b)| i32::from(a.max(b)))
                .fold(0, i32::wrapping_add)
        })
    }

    #[inline(always)]
    fn sums_of_differences(self, y: &[u8], first: usize) -> [u16; GROUP] {
        assert!(first <= MAX_LAG && 2 * (first + 2 * GROUP) <= y.len());
        let sum = |a: &[u8], b: &[u8]| -> u32 {
            let pairs = a.iter().zip(b);
            pairs.map(|(&a, &b)| u32::from(a.abs_diff(b))).sum()
        };
        std::array::from_fn(|index| {
            let lag = first + index;
            let len = lag / QUAD * QUAD;
            // In pieces of a size that compilers know what to do with.
            let (here, here_rest) = y[..len].as_chunks::<16>();
            let (later, later_rest) = y[lag..lag + len].as_chunks::<16>();
            let pieces = here.iter().zip(later).map(|(a, b)| sum(a, b));
            let sum = pieces.sum::<u32>() + sum(here_rest, later_rest);
            sum.min(u16::MAX.into()) as u16
        })
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86_64;

/// Runs code built for the best instruction set that the machine has.
#[inline]
pub(crate) fn run_best<C: Code>(code: C) -> C::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(kernel) = Avx512::detect() {
            return kernel.run(code);
        }
        if let Some(kernel) = Avx2::detect() {
            return kernel.run(code);
        }
    }
    Plain.run(code)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Holds every kernel against the plain loop; `lags` may come in any order.
    fn check(y: &[i16], lags: [usize; BATCH]) {
        let mut padded = y.to_vec();
        // What must not be counted.
        padded.extend([12_345; PADDING]);
        let y = padded.as_slice();
        let sums = Plain.sums_of_larger(y, lags);
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(kernel) = Avx2::detect() {
                assert_eq!(kernel.sums_of_larger(y, lags), sums, "AVX2, {lags:?}");
            }
            if let Some(kernel) = Avx512::detect() {
                assert_eq!(kernel.sums_of_larger(y, lags), sums, "AVX-512, {lags:?}");
            }
        }
        // Nothing else to hold the plain loop against on other machines.
        let _ = sums;
    }

    /// Holds every kernel against the plain loop.
    fn check_differences(y: &[u8], first: usize) {
        let sums = Plain.sums_of_differences(y, first);
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(kernel) = Avx2::detect() {
                assert_eq!(kernel.sums_of_differences(y, first), sums, "AVX2, {first}");
            }
            if let Some(kernel) = Avx512::detect() {
                let found = kernel.sums_of_differences(y, first);
                assert_eq!(found, sums, "AVX-512, {first}");
            }
        }
        // Nothing else to hold the plain loop against on other machines.
        let _ = sums;
    }

    #[test]
    fn the_plain_loop_sums_differences_up_to_whole_quads() {
        let mut y = vec![0; 2 * (2 + 2 * GROUP)];
        y[..12].copy_from_slice(&[7, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8]);
        let sums = Plain.sums_of_differences(&y, 2);
        // Lags 2 and 3 hold no quad; 4 to 7 hold one.
        assert_eq!(
            sums[..6],
            [
                0,
                0,
                2 + 8 + 2 + 5,
                2 + 1 + 2 + 4,
                5 + 5 + 1 + 2,
                1 + 4 + 1 + 4
            ]
        );
    }

    #[test]
    fn sums_of_differences_stop_at_the_largest_16_bit_number() {
        let y = [vec![0; 400], vec![255; 1000]].concat();
        let sums = Plain.sums_of_differences(&y, 320);
        // What is silent follows itself for the first quads.
        assert_eq!(sums[0], 61_200);
        assert_eq!(sums[63], u16::MAX);
        for first in 0..500 {
            check_differences(&y, first);
        }
    }

    #[test]
    fn the_plain_loop_sums_what_is_larger() {
        let y = [3, -1, 4, 1, -5, 9, -2, 6];
        assert_eq!(Plain.sums_of_larger(&y, [1, 2, 3, 4]), [3, 5, 11, 22]);
    }

    #[test]
    fn every_kernel_sums_extremes_like_the_plain_loop() {
        let low = [i16::MIN; 1008];
        let high = [i16::MAX; 1008];
        let mixed: Vec<i16> = [i16::MIN, i16::MAX, 0, -1].repeat(252);
        for lag in 1..=500 {
            for y in [&low[..], &high, &mixed] {
                check(y, [lag, lag + 1, lag + 2, lag + 3]);
            }
        }
    }

    proptest! {
        #[test]
        fn every_kernel_sums_like_the_plain_loop(
            y in prop::collection::vec(any::<i16>(), 2..1500),
            parts in [0.0..=1.0, 0.0..=1.0, 0.0..=1.0, 0.0..=1.0f64],
        ) {
            let longest = y.len() / 2;
            check(&y, parts.map(|part| (part * longest as f64) as usize));
        }

        #[test]
        fn every_kernel_sums_differences_like_the_plain_loop(
            y in prop::collection::vec(any::<u8>(), 4 * GROUP..3000),
            part in 0.0..=1.0f64,
        ) {
            let furthest = y.len() / 2 - 2 * GROUP;
            check_differences(&y, (part * furthest as f64) as usize);
        }
    }
}
