//! The inner loops of the search for each instruction set, and the selection of one at run time.

/// Number of lags that a kernel handles together: their vectors are summed in one go.
pub(crate) const BATCH: usize = 4;

/// Number of values that must follow the summed ones, so that whole vectors can be read.
pub(crate) const PADDING: usize = 32;

/// Number of lags whose differences are summed together.
pub(crate) const GROUP: usize = 64;

/// Bytes whose differences one instruction sums: sums cover a multiple of this.
pub(crate) const QUAD: usize = 4;

/// The longest lag that a kernel supports: the lanes of a vector are counted in 16 bits.
pub(crate) const MAX_LAG: usize = 32_000;

/// Code that can be compiled for any instruction set. Mark `run` with `#[inline(always)]`. (A
/// closure would do, but there is no way to guarantee that it is inlined.)
pub(crate) trait Code {
    /// The result type.
    type Output;

    /// Runs the code with the kernel that it is compiled for.
    fn run(self, kernel: impl Kernel) -> Self::Output;
}

/// An instruction set known to be available.
pub(crate) trait Kernel: Copy {
    /// Runs code compiled for this instruction set.
    fn run<C: Code>(self, code: C) -> C::Output;

    /// Returns, for each lag, the sum of the larger of `y[i]` and `y[i+lag]` for `i < lag`, modulo
    /// 2^32.
    ///
    /// Only fast when called within [`run`](Self::run).
    ///
    /// # Panics
    /// Panics if a lag is above [`MAX_LAG`], or `y` is not [`PADDING`] values longer than twice the
    /// longest lag.
    fn sums_of_larger(self, y: &[i16], lags: [usize; BATCH]) -> [i32; BATCH];

    /// Returns, for each lag from `first` on, the sum of `|y[i] - y[i+lag]|` for `i` below `lag`
    /// rounded down to a multiple of [`QUAD`], saturated at 65,535.
    ///
    /// Only fast when called within [`run`](Self::run).
    ///
    /// # Panics
    /// Panics if `first` is above [`MAX_LAG`], or `y` is not at least twice as long as
    /// `first + 2 * GROUP`.
    fn sums_of_differences(self, y: &[u8], first: usize) -> [u16; GROUP];
}

/// Returns the shortest and the longest lag.
#[inline(always)]
fn range(lags: [usize; BATCH]) -> (usize, usize) {
    lags.iter()
        .fold((usize::MAX, 0), |(shortest, longest), &lag| {
            (shortest.min(lag), longest.max(lag))
        })
}

/// The target's baseline instruction set. On AArch64 it includes NEON, which compilers use well.
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
            // In chunks of a size that the compiler vectorizes well.
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

/// Runs code compiled for the best instruction set of the CPU.
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

    /// Compares every kernel with the plain loop; `lags` may be in any order.
    fn check(y: &[i16], lags: [usize; BATCH]) {
        let mut padded = y.to_vec();
        // These values must not be counted.
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
        // On other machines there is no other kernel to compare with.
        let _ = sums;
    }

    /// Compares every kernel with the plain loop.
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
        // On other machines there is no other kernel to compare with.
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
        // The first quads compare silence with silence.
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
