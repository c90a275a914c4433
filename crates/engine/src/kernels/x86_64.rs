//! Kernels for AVX2 and AVX-512.
//!
//! The only unsafe code of the library. It uses intrinsics because compilers generate neither the
//! multiply-add that sums pairs of 16-bit values nor the instruction that sums byte differences at
//! several offsets at once; for measurements, see `benches/engine.rs`.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::{BATCH, Code, GROUP, Kernel, MAX_LAG, PADDING, QUAD, range};

/// The lane indices of the widest vector, to select those before the end of a sum.
const POSITIONS: [i16; PADDING] = {
    let mut positions = [0; PADDING];
    let mut i = 0;
    while i < PADDING {
        positions[i] = i as i16;
        i += 1;
    }
    positions
};

/// The lag of a group that each lane of the first sum of differences stands for: half of every
/// sixteen lags. The lanes of the other sums stand for lags that are 8, 32 and 40 longer.
const LANE_LAGS: [i16; PADDING] = {
    let mut lags = POSITIONS;
    let mut i = 0;
    while i < PADDING {
        lags[i] += lags[i] / 8 * 8;
        i += 1;
    }
    lags
};

/// Returns the four bytes from `start` on, as a number.
#[inline(always)]
fn quad(y: &[u8], start: usize) -> i32 {
    i32::from_le_bytes(*y[start..].first_chunk().expect("four bytes"))
}

/// AVX2. A value of this type proves that the CPU supports it.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// Returns the kernel, if the CPU supports it.
    pub(crate) fn detect() -> Option<Self> {
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
        // SAFETY: `self` proves that the CPU supports AVX2.
        unsafe { built(self, code) }
    }

    #[inline(always)]
    fn sums_of_larger(self, y: &[i16], lags: [usize; BATCH]) -> [i32; BATCH] {
        // SAFETY: `self` proves that the CPU supports AVX2.
        unsafe { sums_of_larger_avx2(y, lags) }
    }

    #[inline(always)]
    fn sums_of_differences(self, y: &[u8], first: usize) -> [u16; GROUP] {
        // SAFETY: `self` proves that the CPU supports AVX2.
        unsafe { sums_of_differences_avx2(y, first) }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn sums_of_differences_avx2(y: &[u8], first: usize) -> [u16; GROUP] {
    // The first and last eight of every sixteen lags.
    const STARTS: [usize; 4] = [0, 8, 32, 40];
    assert!(first <= MAX_LAG && 2 * (first + 2 * GROUP) <= y.len());
    let mut sums = [_mm256_setzero_si256(); STARTS.len()];
    let differences = |start: usize, lag: usize| {
        // SAFETY: `start` is below `first + GROUP` and `lag` at most `first + 40`; 32 bytes from
        // their sum on are within twice `first + 2 * GROUP`; the load needs no alignment.
        let later = unsafe { _mm256_loadu_si256(y.as_ptr().add(start + lag).cast()) };
        // In each half of the vector, sums at eight consecutive offsets.
        _mm256_mpsadbw_epu8::<0>(later, _mm256_set1_epi32(quad(y, start)))
    };
    let whole = first / QUAD * QUAD;
    for start in (0..whole).step_by(QUAD) {
        for (sum, lag) in sums.iter_mut().zip(STARTS) {
            *sum = _mm256_adds_epu16(*sum, differences(start, first + lag));
        }
    }
    // SAFETY: the array is longer than 32 bytes, and this load needs no alignment.
    let lanes = unsafe { _mm256_loadu_si256(LANE_LAGS.as_ptr().cast()) };
    for start in (whole..first + GROUP).step_by(QUAD) {
        for (sum, lag) in sums.iter_mut().zip(STARTS) {
            // Selects the lags that reach beyond this quad.
            let least = ((start + QUAD) as isize - (first + lag) as isize) as i16;
            let mask = _mm256_cmpgt_epi16(lanes, _mm256_set1_epi16(least - 1));
            let more = _mm256_and_si256(mask, differences(start, first + lag));
            *sum = _mm256_adds_epu16(*sum, more);
        }
    }
    let mut out = [0; GROUP];
    let (eights, _) = out.as_chunks_mut::<8>();
    for (index, sum) in sums.into_iter().enumerate() {
        let eights = &mut eights[index / 2 * 4 + index % 2..];
        // SAFETY: each element is 16 bytes long, and these stores need no alignment.
        unsafe {
            _mm_storeu_si128(eights[0].as_mut_ptr().cast(), _mm256_castsi256_si128(sum));
            let high = _mm256_extracti128_si256::<1>(sum);
            _mm_storeu_si128(eights[2].as_mut_ptr().cast(), high);
        }
    }
    out
}

#[inline]
#[target_feature(enable = "avx2")]
fn sums_of_larger_avx2(y: &[i16], lags: [usize; BATCH]) -> [i32; BATCH] {
    const LANES: usize = 16;
    let (shortest, longest) = range(lags);
    assert!(longest <= MAX_LAG && 2 * longest + PADDING <= y.len());
    let len = longest.next_multiple_of(LANES);
    let load = |start: usize| {
        // SAFETY: `start` is at most the sum of one of the lags and `len - LANES`, which is less
        // than twice the longest lag, and `LANES` more values follow; the load needs no alignment.
        unsafe { _mm256_loadu_si256(y.as_ptr().add(start).cast()) }
    };
    let ones = _mm256_set1_epi16(1);
    let mut sums = [_mm256_setzero_si256(); BATCH];
    let whole = shortest / LANES * LANES;
    for start in (0..whole).step_by(LANES) {
        let a = load(start);
        for (sum, lag) in sums.iter_mut().zip(lags) {
            let larger = _mm256_max_epi16(a, load(start + lag));
            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(larger, ones));
        }
    }
    // SAFETY: the array is longer than 32 bytes, and this load needs no alignment.
    let lanes = unsafe { _mm256_loadu_si256(POSITIONS.as_ptr().cast()) };
    for start in (whole..len).step_by(LANES) {
        let a = load(start);
        for (sum, lag) in sums.iter_mut().zip(lags) {
            let left = _mm256_set1_epi16(lag as i16 - start as i16);
            let mask = _mm256_cmpgt_epi16(left, lanes);
            let larger = _mm256_max_epi16(a, load(start + lag));
            let ones = _mm256_and_si256(ones, mask);
            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(larger, ones));
        }
    }
    reduce(sums)
}

/// Returns the sum of the lanes of each vector, modulo 2^32.
#[inline]
#[target_feature(enable = "avx2")]
fn reduce([a, b, c, d]: [__m256i; BATCH]) -> [i32; BATCH] {
    let sums = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    let low = _mm256_castsi256_si128(sums);
    let sums = _mm_add_epi32(low, _mm256_extracti128_si256::<1>(sums));
    let mut out = [0; BATCH];
    // SAFETY: the array is 16 bytes long.
    unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), sums) };
    out
}

/// AVX-512 with byte and word instructions. A value of this type proves that the CPU supports it.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// Returns the kernel, if the CPU supports it.
    pub(crate) fn detect() -> Option<Self> {
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
        // SAFETY: `self` proves that the CPU supports these instructions.
        unsafe { built(self, code) }
    }

    #[inline(always)]
    fn sums_of_larger(self, y: &[i16], lags: [usize; BATCH]) -> [i32; BATCH] {
        // SAFETY: `self` proves that the CPU supports these instructions.
        unsafe { sums_of_larger_avx512(y, lags) }
    }

    #[inline(always)]
    fn sums_of_differences(self, y: &[u8], first: usize) -> [u16; GROUP] {
        // SAFETY: `self` proves that the CPU supports these instructions.
        unsafe { sums_of_differences_avx512(y, first) }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn sums_of_differences_avx512(y: &[u8], first: usize) -> [u16; GROUP] {
    // The first and last eight of every sixteen lags.
    const STARTS: [usize; 2] = [0, 8];
    assert!(first <= MAX_LAG && 2 * (first + 2 * GROUP) <= y.len());
    let mut sums = [_mm512_setzero_si512(); STARTS.len()];
    let differences = |start: usize, lag: usize| {
        // SAFETY: `start` is below `first + GROUP` and `lag` at most `first + 8`; 64 bytes from
        // their sum on are within twice `first + 2 * GROUP`; the load needs no alignment.
        let later = unsafe { _mm512_loadu_si512(y.as_ptr().add(start + lag).cast()) };
        // In each quarter of the vector, sums at eight consecutive offsets: four from its first two
        // quads, four from its second and third.
        _mm512_dbsad_epu8::<0b10_01_01_00>(_mm512_set1_epi32(quad(y, start)), later)
    };
    let whole = first / QUAD * QUAD;
    for start in (0..whole).step_by(QUAD) {
        for (sum, lag) in sums.iter_mut().zip(STARTS) {
            *sum = _mm512_adds_epu16(*sum, differences(start, first + lag));
        }
    }
    // SAFETY: the array is 64 bytes long, and this load needs no alignment.
    let lanes = unsafe { _mm512_loadu_si512(LANE_LAGS.as_ptr().cast()) };
    for start in (whole..first + GROUP).step_by(QUAD) {
        for (sum, lag) in sums.iter_mut().zip(STARTS) {
            // Selects the lags that reach beyond this quad.
            let least = ((start + QUAD) as isize - (first + lag) as isize) as i16;
            let mask = _mm512_cmpge_epi16_mask(lanes, _mm512_set1_epi16(least));
            let more = differences(start, first + lag);
            *sum = _mm512_mask_adds_epu16(*sum, mask, *sum, more);
        }
    }
    let mut out = [0; GROUP];
    let (eights, _) = out.as_chunks_mut::<8>();
    for (index, sum) in sums.into_iter().enumerate() {
        let mut lanes = [0u16; 32];
        // SAFETY: the array is 64 bytes long, and this store needs no alignment.
        unsafe { _mm512_storeu_si512(lanes.as_mut_ptr().cast(), sum) };
        let (from, _) = lanes.as_chunks::<8>();
        for (eight, &from) in eights[index..].iter_mut().step_by(2).zip(from) {
            *eight = from;
        }
    }
    out
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn sums_of_larger_avx512(y: &[i16], lags: [usize; BATCH]) -> [i32; BATCH] {
    const LANES: usize = 32;
    let (shortest, longest) = range(lags);
    assert!(longest <= MAX_LAG && 2 * longest + PADDING <= y.len());
    let len = longest.next_multiple_of(LANES);
    let load = |start: usize| {
        // SAFETY: `start` is at most the sum of one of the lags and `len - LANES`, which is less
        // than twice the longest lag, and `LANES` more values follow; the load needs no alignment.
        unsafe { _mm512_loadu_si512(y.as_ptr().add(start).cast()) }
    };
    let ones = _mm512_set1_epi16(1);
    let mut sums = [_mm512_setzero_si512(); BATCH];
    let whole = shortest / LANES * LANES;
    for start in (0..whole).step_by(LANES) {
        let a = load(start);
        for (sum, lag) in sums.iter_mut().zip(lags) {
            let larger = _mm512_max_epi16(a, load(start + lag));
            *sum = _mm512_add_epi32(*sum, _mm512_madd_epi16(larger, ones));
        }
    }
    // SAFETY: the array is 64 bytes long, and this load needs no alignment.
    let lanes = unsafe { _mm512_loadu_si512(POSITIONS.as_ptr().cast()) };
    for start in (whole..len).step_by(LANES) {
        let a = load(start);
        for (sum, lag) in sums.iter_mut().zip(lags) {
            let left = _mm512_set1_epi16(lag as i16 - start as i16);
            let mask = _mm512_cmpgt_epi16_mask(left, lanes);
            let larger = _mm512_maskz_max_epi16(mask, a, load(start + lag));
            *sum = _mm512_add_epi32(*sum, _mm512_madd_epi16(larger, ones));
        }
    }
    let mut halves = [_mm256_setzero_si256(); BATCH];
    for (half, sum) in halves.iter_mut().zip(sums) {
        let high = _mm512_extracti64x4_epi64::<1>(sum);
        *half = _mm256_add_epi32(_mm512_castsi512_si256(sum), high);
    }
    reduce(halves)
}
