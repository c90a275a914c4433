//! Mixing channels down to one or two, or one up to two.

use crate::channels::{self, speaker};
use crate::decode::AudioInfo;
use crate::format::OutputChannels;
use crate::samples::{MediaSample, Samples};

/// The weight of a speaker that stands between two channels, or behind one (ITU-R BS.775-3, annex 4,
/// table 2): half the power.
const HALF_POWER: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// Mixes blocks of audio to another number of channels.
#[derive(Debug, Clone)]
pub struct Mix {
    /// For each channel of the result the weight of each of the source.
    weights: Vec<Vec<f32>>,
}

impl Mix {
    /// Returns how to mix the audio of a source to the channels that are asked for; `None` if it has
    /// them already.
    ///
    /// One channel is the mean of all but that for low frequencies. Two are made as ITU-R BS.775 has
    /// it, without low frequencies, and scaled so that they cannot clip.
    pub fn new(source: &AudioInfo, wanted: OutputChannels) -> Option<Self> {
        let speakers = channels::speakers(source.channels, source.channel_mask);
        let weights = match (wanted, source.channels) {
            (OutputChannels::Keep, _) | (OutputChannels::Mono, 1) | (OutputChannels::Stereo, 2) => {
                return None;
            }
            (OutputChannels::Mono, _) => vec![mono(&speakers)],
            (OutputChannels::Stereo, 1) => vec![vec![1.0]; 2],
            (OutputChannels::Stereo, _) => stereo(&speakers),
        };
        Some(Self { weights })
    }

    /// Returns what a source's header would tell if it had the channels of the result: a bit rate
    /// that is kept is shared by fewer or more.
    pub fn info(&self, source: &AudioInfo) -> AudioInfo {
        let channels = self.weights.len();
        let shared = |kbps: u32| (kbps * channels as u32).div_ceil(source.channels as u32);
        AudioInfo {
            channels,
            channel_mask: None,
            bitrate_kbps: source.bitrate_kbps.map(shared),
            ..source.clone()
        }
    }

    /// Returns mixed samples of either type.
    pub fn apply_to(&self, samples: &Samples<'_>) -> Samples<'static> {
        match samples {
            Samples::Int16(samples) => self.mixed(samples).into(),
            Samples::Float32(samples) => self.mixed(samples).into(),
        }
    }

    fn mixed<T: MediaSample>(&self, samples: &[T]) -> Vec<T> {
        let mut output = Vec::new();
        self.apply(samples, &mut output);
        output
    }

    /// Appends a mixed block to `output`; both interleaved.
    pub fn apply<T: MediaSample>(&self, block: &[T], output: &mut Vec<T>) {
        let channels = self.weights[0].len();
        for frame in block.chunks_exact(channels) {
            for weights in &self.weights {
                let weighted = frame.iter().zip(weights);
                let sum = weighted
                    .map(|(sample, weight)| sample.to_f32() * weight)
                    .sum();
                output.push(T::from_f32(sum));
            }
        }
    }
}

/// Returns the weights of a mean of all speakers but that for low frequencies.
fn mono(speakers: &[Option<u32>]) -> Vec<f32> {
    let is_heard = |one: &Option<u32>| *one != Some(speaker::LOW_FREQUENCY);
    let count = speakers.iter().filter(|one| is_heard(one)).count().max(1);
    let weight = |one| {
        if is_heard(one) {
            1.0 / count as f32
        } else {
            0.0
        }
    };
    speakers.iter().map(weight).collect()
}

/// Returns the weights of a mix for two speakers, of sum 1 at most.
fn stereo(speakers: &[Option<u32>]) -> Vec<Vec<f32>> {
    let sides: Vec<(f32, f32)> = (0..).zip(speakers).map(|(i, one)| side(i, *one)).collect();
    let sum = |side: fn(&(f32, f32)) -> f32| sides.iter().map(side).sum::<f32>();
    let most = sum(|side| side.0)
        .max(sum(|side| side.1))
        .max(f32::MIN_POSITIVE);
    vec![
        sides.iter().map(|side| side.0 / most).collect(),
        sides.iter().map(|side| side.1 / most).collect(),
    ]
}

/// Returns how much of a speaker goes to the left and to the right; channels without one are taken
/// for left and right by turns.
fn side(index: usize, one: Option<u32>) -> (f32, f32) {
    match one {
        Some(speaker::FRONT_LEFT) => (1.0, 0.0),
        Some(speaker::FRONT_RIGHT) => (0.0, 1.0),
        Some(speaker::FRONT_CENTRE) => (HALF_POWER, HALF_POWER),
        Some(speaker::LOW_FREQUENCY) => (0.0, 0.0),
        Some(speaker::BACK_LEFT | speaker::SIDE_LEFT) => (HALF_POWER, 0.0),
        Some(speaker::BACK_RIGHT | speaker::SIDE_RIGHT) => (0.0, HALF_POWER),
        Some(speaker::BACK_CENTRE) => (0.5, 0.5),
        _ if index.is_multiple_of(2) => (1.0, 0.0),
        _ => (0.0, 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed(
        channels: usize,
        mask: Option<u32>,
        wanted: OutputChannels,
        frame: &[f32],
    ) -> Vec<f32> {
        let source = AudioInfo {
            container: "wave",
            codec: "pcm_f32le",
            sample_rate: 48_000,
            channels,
            channel_mask: mask,
            bits_per_sample: Some(32),
            is_float: true,
            frames: None,
            bitrate_kbps: None,
        };
        let mut output = Vec::new();
        Mix::new(&source, wanted).unwrap().apply(frame, &mut output);
        output
    }

    fn near(a: &[f32], b: &[f32]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6)
    }

    #[test]
    fn mono_is_the_mean_of_all_but_low_frequencies() {
        use OutputChannels::Mono;
        assert!(near(&mixed(2, None, Mono, &[1.0, 0.0]), &[0.5]));
        // Front left and right, centre, low frequencies, back left and right.
        let frame = [0.5, 0.25, 0.25, 1.0, 0.0, 0.0];
        assert!(near(&mixed(6, Some(0x3F), Mono, &frame), &[0.2]));
        assert!(near(&mixed(6, None, Mono, &frame), &[0.2]));
    }

    #[test]
    fn surround_becomes_stereo_as_in_bs_775_and_cannot_clip() {
        use OutputChannels::Stereo;
        let scale = 1.0 / (1.0 + 2.0 * HALF_POWER);
        let left = mixed(6, Some(0x3F), Stereo, &[1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        assert!(near(&left, &[scale, 0.0]));
        let centre = mixed(6, Some(0x60F), Stereo, &[0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
        assert!(near(&centre, &[scale * HALF_POWER; 2]));
        let right = mixed(6, Some(0x60F), Stereo, &[0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        assert!(near(&right, &[0.0, scale * HALF_POWER]));
        for channels in 3..=12 {
            let loudest = mixed(channels, None, Stereo, &vec![1.0; channels]);
            assert!(
                loudest.iter().all(|sample| *sample <= 1.0 + 1e-6),
                "{channels}"
            );
        }
        assert!(near(&mixed(1, None, Stereo, &[0.3]), &[0.3, 0.3]));
    }

    #[test]
    fn sixteen_bit_samples_are_rounded() {
        let mix = Mix {
            weights: vec![vec![0.5, 0.5]],
        };
        let mut output = Vec::new();
        mix.apply(
            &[1i16, 2, -32_768, -32_768, 32_767, 32_767, 3, 4],
            &mut output,
        );
        assert_eq!(output, [2, -32_768, 32_767, 4]);
    }
}
