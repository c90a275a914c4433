//! From floats to integers: rounding, limiting to full scale, dither.

use super::spec::EncodeSpec;
use crate::format::BitDepth;
use crate::samples::Samples;

/// Turns samples into integers of one width and counts what lies beyond full scale.
pub(super) struct Quantiser {
    bits: u32,
    dither: Option<Noise>,
    clipped: u64,
}

impl Quantiser {
    /// A quantiser to the depth of a specification; 24 bits where that is floating point.
    ///
    /// Dither is for 16 bits only: at 24 bits the noise of any source lies above the steps.
    pub(super) fn new(spec: &EncodeSpec) -> Self {
        let bits = match spec.bit_depth {
            BitDepth::Int16 => 16,
            BitDepth::Int24 | BitDepth::Float32 => 24,
        };
        Self {
            bits,
            dither: (spec.dither && bits == 16).then(Noise::new),
            clipped: 0,
        }
    }

    /// Width of the integers.
    #[cfg(feature = "flac")]
    pub(super) fn bits(&self) -> u32 {
        self.bits
    }

    /// Samples so far that lay beyond full scale.
    pub(super) fn clipped(&self) -> u64 {
        self.clipped
    }

    /// Returns each sample as an integer to `write`; 16-bit samples keep their value exactly.
    pub(super) fn quantise(&mut self, samples: Samples<'_>, mut write: impl FnMut(i32)) {
        match samples {
            Samples::Int16(samples) => {
                let shift = self.bits - 16;
                samples
                    .iter()
                    .for_each(|&sample| write(i32::from(sample) << shift));
            }
            Samples::Float32(samples) => {
                let scale = (1i64 << (self.bits - 1)) as f32;
                for &sample in samples.iter() {
                    let exact = sample * scale;
                    let rounded = exact.round_ties_even();
                    self.clipped += u64::from(rounded < -scale || rounded > scale - 1.0);
                    let value = match &mut self.dither {
                        Some(noise) => (exact + noise.triangular()).round_ties_even(),
                        None => rounded,
                    };
                    write(value.clamp(-scale, scale - 1.0) as i32);
                }
            }
        }
    }
}

/// Pseudo-random numbers that are the same in every run, so that output can be reproduced.
///
/// The generator is SplitMix64 (Steele, Lea, Flood 2014).
struct Noise(u64);

impl Noise {
    fn new() -> Self {
        Self(0x5EED)
    }

    /// Noise of triangular distribution between -1 and 1.
    fn triangular(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        let uniform = |bits: u64| (bits & 0xFF_FFFF) as f32 / (1 << 24) as f32;
        uniform(z) - uniform(z >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{EncoderEffort, Format};

    fn quantiser(bit_depth: BitDepth, dither: bool) -> Quantiser {
        Quantiser::new(&EncodeSpec {
            format: Format::Wav,
            sample_rate: 44_100,
            channels: 1,
            channel_mask: None,
            bit_depth,
            bitrate_kbps: 0,
            quality: None,
            dither,
            encoder_effort: EncoderEffort::Default,
        })
    }

    fn quantise(quantiser: &mut Quantiser, samples: Samples<'_>) -> Vec<i32> {
        let mut values = Vec::new();
        quantiser.quantise(samples, |value| values.push(value));
        values
    }

    #[test]
    fn floats_are_rounded_and_limited() {
        let mut quantiser = quantiser(BitDepth::Int16, false);
        let floats = [0.0, 0.5, -1.0, 1.0, -1.5, 1.4 / 32768.0, f32::NAN];
        let values = quantise(&mut quantiser, Samples::from(&floats[..]));
        assert_eq!(values, [0, 16384, -32768, 32767, -32768, 1, 0]);
        assert_eq!(quantiser.clipped(), 2);
    }

    #[test]
    fn sixteen_bit_samples_are_never_dithered() {
        let mut quantiser = quantiser(BitDepth::Int16, true);
        let values = quantise(&mut quantiser, Samples::from(&[0i16, 1, -32768][..]));
        assert_eq!(values, [0, 1, -32768]);
    }

    #[test]
    fn dither_keeps_the_mean_of_a_level_between_two_steps() {
        let quiet = vec![0.25 / 32768.0; 100_000];
        let values = quantise(
            &mut quantiser(BitDepth::Int16, true),
            Samples::from(&quiet[..]),
        );
        let mean = values.iter().sum::<i32>() as f64 / values.len() as f64;
        assert!((mean - 0.25).abs() < 0.01, "mean is {mean}");
        let again = quantise(
            &mut quantiser(BitDepth::Int16, true),
            Samples::from(&quiet[..]),
        );
        assert_eq!(values, again);
    }

    #[test]
    fn twenty_four_bits_are_not_dithered() {
        let mut quantiser = quantiser(BitDepth::Int24, true);
        let values = quantise(&mut quantiser, Samples::from(&[0.5f32, -1.0][..]));
        assert_eq!(values, [1 << 22, -(1 << 23)]);
    }
}
