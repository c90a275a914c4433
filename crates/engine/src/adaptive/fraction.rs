//! Reading the input between its frames.
//!
//! A period is hardly ever a whole number of frames. Splices by whole frames would make a voice of
//! 200 Hz waver by up to 8 cents at a sample rate of 22,050 Hz.

/// Places between two frames that can be read from.
pub(super) const PLACES: i64 = 32;
/// Frames that each value is computed from.
const TAPS: usize = 32;
/// Frames before the first one read.
pub(super) const BEFORE: i64 = TAPS as i64 / 2 - 1;
/// Samples computed side by side.
const WIDTH: usize = 16;

/// Interpolation by a sinc under a Hann window; flat up to 0.9 of the Nyquist frequency.
pub(super) struct Interpolation {
    taps: Vec<[f32; TAPS]>,
}

impl Interpolation {
    pub(super) fn new() -> Self {
        Self {
            taps: (0..PLACES).map(taps).collect(),
        }
    }

    /// Returns how many frames `frames` frames are computed from.
    pub(super) fn reach(frames: usize) -> usize {
        frames + TAPS - 1
    }

    /// Appends the frames that lie `place / PLACES` of a frame after each of the `input` from
    /// [`BEFORE`] on, both interleaved.
    pub(super) fn read(&self, input: &[f32], channels: usize, place: i64, output: &mut Vec<f32>) {
        let taps = &self.taps[place as usize];
        let start = output.len();
        output.resize(start + input.len() - (TAPS - 1) * channels, 0.0);
        let (chunks, rest) = output[start..].as_chunks_mut::<WIDTH>();
        let done = chunks.len() * WIDTH;
        for (chunk, from) in chunks.iter_mut().zip((0..).step_by(WIDTH)) {
            for (tap, from) in taps.iter().zip((from..).step_by(channels)) {
                for (sum, value) in chunk.iter_mut().zip(&input[from..from + WIDTH]) {
                    *sum += tap * value;
                }
            }
        }
        for (sum, from) in rest.iter_mut().zip(done..) {
            let values = input[from..].iter().step_by(channels);
            *sum = taps
                .iter()
                .zip(values)
                .map(|(tap, value)| tap * value)
                .sum();
        }
    }
}

/// Returns the weights of the frames around a place, of sum 1.
fn taps(place: i64) -> [f32; TAPS] {
    let weight = |tap: usize| {
        let x = tap as f64 - BEFORE as f64 - place as f64 / PLACES as f64;
        let angle = std::f64::consts::PI * x;
        let sinc = if x == 0.0 { 1.0 } else { angle.sin() / angle };
        let window = 0.5 + 0.5 * (angle * 2.0 / TAPS as f64).cos();
        sinc * window
    };
    let weights: [f64; TAPS] = std::array::from_fn(weight);
    let sum: f64 = weights.iter().sum();
    weights.map(|weight| (weight / sum) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sine_is_read_between_its_frames() {
        let interpolation = Interpolation::new();
        for channels in [1, 2, 3] {
            // Each channel has a frequency of its own, up to 0.8 of the Nyquist frequency.
            let value = |frame: f64, channel: usize| {
                let frequency = 0.1 + 0.35 * channel as f64;
                (std::f64::consts::PI * frequency * frame).sin() as f32
            };
            let frames = Interpolation::reach(100);
            let input: Vec<f32> = (0..frames * channels)
                .map(|i| value((i / channels) as f64, i % channels))
                .collect();
            for place in 0..PLACES {
                let mut output = Vec::new();
                interpolation.read(&input, channels, place, &mut output);
                assert_eq!(output.len(), 100 * channels);
                for (i, sample) in output.iter().enumerate() {
                    let frame = (i / channels) as i64 + BEFORE;
                    let at = frame as f64 + place as f64 / PLACES as f64;
                    let expected = value(at, i % channels);
                    assert!((sample - expected).abs() < 5e-3, "{channels} {place} {i}");
                }
            }
        }
    }
}
