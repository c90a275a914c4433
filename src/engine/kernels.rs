//! The innermost sum of the search, for each instruction set; and choosing one while running.
//!
//! The only unsafe code of the engine. Written with intrinsics, because compilers do not find the
//! multiply-add that sums 16-bit values two by two: `benches/engine.rs` has the figures.
#![allow(unsafe_code)]

/// Code that can be built for any instruction set: mark `run` with `#[inline(always)]`. (A closure
/// would do, but there is no way to have it inlined for certain.)
pub trait Code {
    /// What it gives.
    type Output;

    /// Runs it with the kernel that it is built for.
    fn run(self, kernel: impl Kernel) -> Self::Output;
}

/// An instruction set known to be there.
pub trait Kernel: Copy {
    /// Runs code built for this instruction set.
    fn run<C: Code>(self, code: C) -> C::Output;

    /// The sum of the larger of `y[i]` and `y[i+lag]` for `i < lag`, modulo 2^32.
    ///
    /// To be called within [`run`](Self::run), or it is slow.
    ///
    /// # Panics
    /// If `y` is shorter than twice the lag.
    fn sum_of_larger(self, y: &[i16], lag: usize) -> i32;
}

/// Whatever the program is built for. On AArch64 that has NEON, which compilers use well.
#[derive(Clone, Copy)]
pub struct Plain;

impl Kernel for Plain {
    #[inline(always)]
    fn run<C: Code>(self, code: C) -> C::Output {
        code.run(self)
    }

    #[inline(always)]
    fn sum_of_larger(self, y: &[i16], lag: usize) -> i32 {
        let (head, tail) = y[..2 * lag].split_at(lag);
        (head.iter().zip(tail))
            .map(|(&a, &b)| i32::from(a.max(b)))
            .fold(0, i32::wrapping_add)
    }
}

#[cfg(target_arch = "x86_64")]
pub use x86_64::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use std::arch::x86_64::*;

    use super::{Code, Kernel};

    /// AVX2. A value of this type is the proof that the machine has it.
    #[derive(Clone, Copy)]
    pub struct Avx2(());

    impl Avx2 {
        /// The kernel, if the machine has what it takes.
        pub fn detect() -> Option<Self> {
            is_x86_feature_detected!("avx2").then_some(Self(()))
        }
    }

    impl Kernel for Avx2 {
        #[inline(always)]
        fn run<C: Code>(self, code: C) -> C::Output {
            #[target_feature(enable = "avx2")]
            fn built<C: Code>(kernel: Avx2, code: C) -> C::Output {
                code.run(kernel)
            }
            // SAFETY: `self` proves that the machine has AVX2.
            unsafe { built(self, code) }
        }

        #[inline(always)]
        fn sum_of_larger(self, y: &[i16], lag: usize) -> i32 {
            // SAFETY: `self` proves that the machine has AVX2.
            unsafe { sum_of_larger_avx2(y, lag) }
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn sum_of_larger_avx2(y: &[i16], lag: usize) -> i32 {
        const LANES: usize = 16;
        let (head, tail) = y[..2 * lag].split_at(lag);
        let (heads, head_rest) = head.as_chunks::<LANES>();
        let (tails, tail_rest) = tail.as_chunks::<LANES>();
        let load = |chunk: &[i16; LANES]| {
            // SAFETY: the chunk is 32 bytes long, and this load asks for no alignment.
            unsafe { _mm256_loadu_si256(chunk.as_ptr().cast()) }
        };
        let ones = _mm256_set1_epi16(1);
        let mut sums = _mm256_setzero_si256();
        for (a, b) in heads.iter().zip(tails) {
            let larger = _mm256_max_epi16(load(a), load(b));
            sums = _mm256_add_epi32(sums, _mm256_madd_epi16(larger, ones));
        }
        let sums = _mm_add_epi32(
            _mm256_castsi256_si128(sums),
            _mm256_extracti128_si256::<1>(sums),
        );
        let sums = _mm_add_epi32(sums, _mm_shuffle_epi32::<0b01_00_11_10>(sums));
        let sums = _mm_add_epi32(sums, _mm_shuffle_epi32::<0b10_11_00_01>(sums));
        let mut sum = _mm_cvtsi128_si32(sums);
        for (&a, &b) in head_rest.iter().zip(tail_rest) {
            sum = sum.wrapping_add(i32::from(a.max(b)));
        }
        sum
    }

    /// AVX-512 with byte and word instructions. A value is the proof that the machine has it.
    #[derive(Clone, Copy)]
    pub struct Avx512(());

    impl Avx512 {
        /// The kernel, if the machine has what it takes.
        pub fn detect() -> Option<Self> {
            (is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl"))
            .then_some(Self(()))
        }
    }

    impl Kernel for Avx512 {
        #[inline(always)]
        fn run<C: Code>(self, code: C) -> C::Output {
            #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
            fn built<C: Code>(kernel: Avx512, code: C) -> C::Output {
                code.run(kernel)
            }
            // SAFETY: `self` proves that the machine has these.
            unsafe { built(self, code) }
        }

        #[inline(always)]
        fn sum_of_larger(self, y: &[i16], lag: usize) -> i32 {
            // SAFETY: `self` proves that the machine has these.
            unsafe { sum_of_larger_avx512(y, lag) }
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    fn sum_of_larger_avx512(y: &[i16], lag: usize) -> i32 {
        const LANES: usize = 32;
        let (head, tail) = y[..2 * lag].split_at(lag);
        let (heads, head_rest) = head.as_chunks::<LANES>();
        let (tails, tail_rest) = tail.as_chunks::<LANES>();
        let load = |chunk: &[i16; LANES]| {
            // SAFETY: the chunk is 64 bytes long, and this load asks for no alignment.
            unsafe { _mm512_loadu_si512(chunk.as_ptr().cast()) }
        };
        let load_rest = |rest: &[i16]| {
            let mask = (1u32 << rest.len()) - 1;
            // SAFETY: the mask leaves out all lanes past the end of the slice.
            unsafe { _mm512_maskz_loadu_epi16(mask, rest.as_ptr()) }
        };
        let ones = _mm512_set1_epi16(1);
        let larger = _mm512_max_epi16(load_rest(head_rest), load_rest(tail_rest));
        let mut sums = _mm512_madd_epi16(larger, ones);
        for (a, b) in heads.iter().zip(tails) {
            let larger = _mm512_max_epi16(load(a), load(b));
            sums = _mm512_add_epi32(sums, _mm512_madd_epi16(larger, ones));
        }
        _mm512_reduce_add_epi32(sums)
    }
}

/// Runs code built for the best instruction set that the machine has.
#[inline]
pub fn run_best<C: Code>(code: C) -> C::Output {
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

    fn check(y: &[i16], lag: usize) {
        let sum = Plain.sum_of_larger(y, lag);
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(kernel) = Avx2::detect() {
                assert_eq!(kernel.sum_of_larger(y, lag), sum, "AVX2, lag {lag}");
            }
            if let Some(kernel) = Avx512::detect() {
                assert_eq!(kernel.sum_of_larger(y, lag), sum, "AVX-512, lag {lag}");
            }
        }
        // Nothing else to hold the plain loop against on other machines.
        let _ = sum;
    }

    #[test]
    fn every_kernel_sums_extremes_like_the_plain_loop() {
        let low = [i16::MIN; 1000];
        let high = [i16::MAX; 1000];
        let mixed: Vec<i16> = [i16::MIN, i16::MAX, 0, -1].repeat(250);
        for lag in 1..=500 {
            for y in [&low[..], &high, &mixed] {
                check(&y[..2 * lag], lag);
            }
        }
    }

    proptest! {
        #[test]
        fn every_kernel_sums_like_the_plain_loop(y in prop::collection::vec(any::<i16>(), 2..1500)) {
            check(&y, y.len() / 2);
        }
    }
}
