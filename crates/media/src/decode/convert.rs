//! What follows a change of channels or sample rate within a file, made like what came before.

use symphonia::core::audio::GenericAudioBufferRef;

use super::DecodeError;
use crate::resample::Resampler;

/// The most work that a change may make: the longest step of the resampler, in samples of all
/// channels. Rates that have hardly a divisor in common take the longest.
const MAX_STEP: usize = 1 << 22;

/// The most frames that one becomes: as from 8 to 192 kHz.
const MAX_RATIO: u32 = 24;

/// Sample rate in Hz and number of channels.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spec {
    pub rate: u32,
    pub channels: usize,
}

impl Spec {
    pub(super) fn of(audio: &GenericAudioBufferRef<'_>) -> Self {
        Self {
            rate: audio.spec().rate(),
            channels: audio.spec().channels().count(),
        }
    }
}

/// Converts interleaved audio to another number of channels and another sample rate.
pub(super) struct Converter {
    channels: (usize, usize),
    resampler: Option<Resampler>,
    mixed: Vec<f32>,
}

impl Converter {
    /// # Errors
    /// Returns an error if there is no sensible way from one rate to the other.
    pub(super) fn new(from: Spec, to: Spec) -> Result<Self, DecodeError> {
        let changed = || Self::refusal(from, to);
        let step = from.rate.max(to.rate) / common_divisor(from.rate, to.rate).max(1);
        if to.rate / from.rate.max(1) > MAX_RATIO
            || from.rate != to.rate && (step as usize).saturating_mul(to.channels) > MAX_STEP
        {
            return Err(changed());
        }
        let resampler = match from.rate == to.rate {
            true => None,
            false => Some(Resampler::new(from.rate, to.rate, to.channels).map_err(|_| changed())?),
        };
        Ok(Self {
            channels: (from.channels, to.channels),
            resampler,
            mixed: Vec::new(),
        })
    }

    /// Returns the error of a change that is not followed.
    pub(super) fn refusal(from: Spec, to: Spec) -> DecodeError {
        DecodeError::Changed {
            from_channels: to.channels,
            from_rate: to.rate,
            to_channels: from.channels,
            to_rate: from.rate,
        }
    }

    /// Appends to `output` what is ready.
    pub(super) fn process(&mut self, input: &[f32], output: &mut Vec<f32>) {
        let (from, to) = self.channels;
        self.mixed.clear();
        for frame in input.chunks_exact(from) {
            mix(frame, to, &mut self.mixed);
        }
        match &mut self.resampler {
            Some(resampler) => resampler.process(&self.mixed, output),
            None => output.append(&mut self.mixed),
        }
    }

    /// Appends to `output` all that is left.
    pub(super) fn finish(mut self, output: &mut Vec<f32>) {
        if let Some(resampler) = &mut self.resampler {
            resampler.finish(output);
        }
    }
}

/// One frame, in WAVE order, in another number of channels.
fn mix(frame: &[f32], channels: usize, output: &mut Vec<f32>) {
    let has_center = |count| count == 3 || count > 4;
    let has_lfe = |count| count > 5;
    match (frame, channels) {
        (&[sample], 1 | 2) => output.extend(std::iter::repeat_n(sample, channels)),
        (&[sample], _) if has_center(channels) => {
            output.extend((0..channels).map(|at| if at == 2 { sample } else { 0.0 }));
        }
        (&[sample], _) => output.extend((0..channels).map(|at| if at < 2 { sample } else { 0.0 })),
        (_, 1) => output.push(frame.iter().sum::<f32>() / frame.len() as f32),
        (_, 2) => {
            let (mut sums, mut weights) = ([0.0; 2], [0.0; 2]);
            for (at, sample) in frame.iter().enumerate() {
                let side = match at {
                    2 if has_center(frame.len()) => None,
                    3 if has_lfe(frame.len()) => continue,
                    // Behind the centre, if there is one and no LFE, left ones have odd places.
                    _ if has_center(frame.len()) && !has_lfe(frame.len()) && at > 2 => {
                        Some((at + 1) % 2)
                    }
                    _ => Some(at % 2),
                };
                let weight = if at < 2 {
                    1.0
                } else {
                    std::f32::consts::FRAC_1_SQRT_2
                };
                for (index, (sum, total)) in sums.iter_mut().zip(&mut weights).enumerate() {
                    if side.is_none_or(|side| side == index) {
                        *sum += weight * sample;
                        *total += weight;
                    }
                }
            }
            output.extend(sums.iter().zip(weights).map(|(sum, weight)| sum / weight));
        }
        _ => output.extend((0..channels).map(|at| frame.get(at).copied().unwrap_or(0.0))),
    }
}

fn common_divisor(a: u32, b: u32) -> u32 {
    match b {
        0 => a,
        _ => common_divisor(b, a % b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_is_heard_in_fewer_and_mono_is_heard_in_more() {
        for (frame, expected) in [
            (&[0.5][..], &[0.5, 0.5][..]),
            (&[0.5, 0.1], &[0.3]),
            (&[0.5], &[0.0, 0.0, 0.5, 0.0, 0.0, 0.0]),
            (&[0.5], &[0.5, 0.5, 0.0, 0.0]),
            (&[0.1, 0.2], &[0.1, 0.2, 0.0]),
            (&[0.0, 0.0, 1.0], &[0.414, 0.414]),
            (&[0.0, 0.0, 1.0, 0.0], &[0.414, 0.0]),
            (&[0.0, 0.0, 0.0, 1.0, 0.0], &[0.293, 0.0]),
            (&[0.0, 0.0, 0.0, 1.0, 0.0, 1.0], &[0.0, 0.293]),
        ] {
            let mut output = Vec::new();
            mix(frame, expected.len(), &mut output);
            let pairs = output.iter().zip(expected);
            assert!(
                pairs
                    .map(|(a, b): (&f32, &f32)| (a - b).abs())
                    .all(|off| off < 1e-3)
            );
            assert_eq!(output.len(), expected.len());
        }
    }

    #[test]
    fn rates_that_are_too_far_apart_or_take_too_long_are_refused() {
        let spec = |rate, channels| Spec { rate, channels };
        assert!(Converter::new(spec(44_100, 2), spec(48_000, 8)).is_ok());
        assert!(Converter::new(spec(767_999, 64), spec(768_000, 64)).is_err());
        assert!(Converter::new(spec(8000, 8), spec(192_000, 8)).is_ok());
        assert!(Converter::new(spec(1, 1), spec(768_000, 1)).is_err());
    }
}
