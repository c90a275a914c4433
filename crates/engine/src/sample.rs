//! The two sample types that the engine works on.

use crate::kernels::{Code, Kernel, run_best};

/// A sample type that the engine can process.
pub trait EngineSample: Copy + Default + Send + Sync + 'static {
    /// Returns the value on the 16-bit scale, rounded and clamped. All decisions are based on it.
    fn to_i16(self) -> i16;

    /// Returns the value on the 16-bit scale, unrounded.
    fn to_16_bit_scale(self) -> f64;

    /// Returns the value with full scale at 1.0.
    fn to_full_scale(self) -> f32;

    /// Returns the sample for a value with full scale at 1.0.
    fn from_full_scale(value: f32) -> Self;

    /// Mixes `from` and `to` with the weights `(len - i) / len` and `i / len`.
    ///
    /// `inverse` is `1.0 / len`, computed once by the caller to keep the division out of its loop.
    fn fade(from: Self, to: Self, i: f64, len: f64, inverse: f64) -> Self;
}

impl EngineSample for i16 {
    #[inline(always)]
    fn to_i16(self) -> i16 {
        self
    }

    #[inline(always)]
    fn to_16_bit_scale(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn to_full_scale(self) -> f32 {
        f32::from(self) / 32768.0
    }

    #[inline(always)]
    fn from_full_scale(value: f32) -> Self {
        value.to_i16()
    }

    /// Equals integer division of the sum by `len`, for samples shifted up by 32768: the sum is
    /// exact in `f64`, and the half unit added before the multiplication keeps the quotient further
    /// from an integer than its rounding error.
    #[inline(always)]
    fn fade(from: Self, to: Self, i: f64, len: f64, inverse: f64) -> Self {
        let from = f64::from(i32::from(from) + 32768);
        let to = f64::from(i32::from(to) + 32768);
        let sum = from * (len - i) + to * i;
        // The quotient lies between 0 and 65,535.
        (((sum + 0.5) * inverse) as i32 - 32768) as i16
    }
}

impl EngineSample for f32 {
    #[inline(always)]
    fn to_i16(self) -> i16 {
        // Adding this to a number leaves no bits for a fraction: the number is rounded, ties to
        // even, and ends up in the low bits. Unlike a conversion, the compiler can vectorize this.
        const ROUNDER: f32 = 1.5 * (1 << 23) as f32;
        let scaled = if self.is_nan() { 0.0 } else { self * 32768.0 };
        (scaled.clamp(-32768.0, 32767.0) + ROUNDER).to_bits() as i16
    }

    #[inline(always)]
    fn to_16_bit_scale(self) -> f64 {
        f64::from(self) * 32768.0
    }

    #[inline(always)]
    fn to_full_scale(self) -> f32 {
        self
    }

    #[inline(always)]
    fn from_full_scale(value: f32) -> Self {
        value
    }

    #[inline(always)]
    fn fade(from: Self, to: Self, i: f64, len: f64, inverse: f64) -> Self {
        ((f64::from(from) * (len - i) + f64::from(to) * i) * inverse) as f32
    }
}

/// Appends the cross-fade from `from` to `to` (both interleaved, of the same length) to `output`.
///
/// The weights change with every value, so they differ slightly between the channels of a frame.
pub(crate) fn cross_fade<T: EngineSample>(from: &[T], to: &[T], output: &mut Vec<T>) {
    let start = output.len();
    output.resize(start + from.len(), T::default());
    run_best(CrossFade {
        from,
        to,
        output: &mut output[start..],
    });
}

struct CrossFade<'a, T> {
    from: &'a [T],
    to: &'a [T],
    output: &'a mut [T],
}

impl<T: EngineSample> Code for CrossFade<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self, _: impl Kernel) {
        let len = self.from.len() as f64;
        let inverse = 1.0 / len;
        let pairs = self.from.iter().zip(self.to);
        for ((value, (&from, &to)), i) in self.output.iter_mut().zip(pairs).zip(0i32..) {
            *value = T::fade(from, to, f64::from(i), len, inverse);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(a: i16, b: i16, i: u64, m: u64) -> i16 {
        let (a, b) = ((i32::from(a) + 32768) as u64, (i32::from(b) + 32768) as u64);
        (((a * (m - i) + b * i) / m) as i32 - 32768) as i16
    }

    #[test]
    fn the_16_bit_fade_equals_integer_division() {
        let extremes = [i16::MIN, -32767, -12345, -1, 0, 1, 77, 32766, i16::MAX];
        for m in [1, 2, 3, 7, 48, 801, 1604, 3206, 65_535, 65_536, 307_200] {
            for i in (0..m).step_by((m as usize / 997).max(1)) {
                for a in extremes {
                    for b in extremes {
                        let fast = i16::fade(a, b, i as f64, m as f64, 1.0 / m as f64);
                        assert_eq!(fast, exact(a, b, i, m), "a {a} b {b} i {i} m {m}");
                    }
                }
            }
        }
    }

    #[test]
    fn floats_are_rounded_for_decisions() {
        for step in -80_000..80_000 {
            let value = step as f32 / 2.0;
            let rounded = value.round_ties_even() as i16;
            assert_eq!((value / 32768.0).to_i16(), rounded, "{value}");
        }
    }

    #[test]
    fn floats_beyond_full_scale_are_limited_for_decisions_only() {
        assert_eq!(2.0f32.to_i16(), i16::MAX);
        assert_eq!((-2.0f32).to_i16(), i16::MIN);
        assert_eq!(f32::NAN.to_i16(), 0);
        assert_eq!(2.0f32.to_16_bit_scale(), 65536.0);
    }
}
