//! Fourier transforms of windowed audio.

use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

/// A forward transform with a Hann window; reuses its buffers.
pub(super) struct Spectrum {
    forward: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    /// The windowed audio, followed by zeros if the transform is longer than the window.
    pub(super) samples: Vec<f32>,
    pub(super) bins: Vec<Complex32>,
    scratch: Vec<Complex32>,
}

impl Spectrum {
    /// Creates a transform of `len` values through a window of `window` values.
    pub(super) fn new(len: usize, window: usize) -> Self {
        let forward = RealFftPlanner::new().plan_fft_forward(len);
        Self {
            window: hann(window),
            samples: forward.make_input_vec(),
            bins: forward.make_output_vec(),
            scratch: forward.make_scratch_vec(),
            forward,
        }
    }

    /// Returns the window.
    pub(super) fn window(&self) -> &[f32] {
        &self.window
    }

    /// Transforms as many values as the window has into `bins`.
    pub(super) fn transform(&mut self, values: impl Iterator<Item = f32>) {
        self.samples.fill(0.0);
        for ((sample, value), weight) in self.samples.iter_mut().zip(values).zip(&self.window) {
            *sample = value * weight;
        }
        self.forward
            .process_with_scratch(&mut self.samples, &mut self.bins, &mut self.scratch)
            .expect("the buffers were made for this transform");
    }
}

/// An inverse transform; reuses its buffers.
pub(super) struct Inverse {
    inverse: Arc<dyn ComplexToReal<f32>>,
    /// What to transform. It is overwritten.
    pub(super) bins: Vec<Complex32>,
    pub(super) samples: Vec<f32>,
    scratch: Vec<Complex32>,
}

impl Inverse {
    /// Creates a transform to `len` values.
    pub(super) fn new(len: usize) -> Self {
        let inverse = RealFftPlanner::new().plan_fft_inverse(len);
        Self {
            bins: inverse.make_input_vec(),
            samples: inverse.make_output_vec(),
            scratch: inverse.make_scratch_vec(),
            inverse,
        }
    }

    /// Transforms `bins` into `samples`, which come out multiplied by the length.
    pub(super) fn transform(&mut self) {
        // The first and the last bin of a real signal's spectrum are real.
        self.bins[0].im = 0.0;
        if let Some(last) = self.bins.last_mut() {
            last.im = 0.0;
        }
        self.inverse
            .process_with_scratch(&mut self.bins, &mut self.samples, &mut self.scratch)
            .expect("the buffers were made for this transform");
    }
}

/// Returns a Hann window whose centre lies between two values.
fn hann(len: usize) -> Vec<f32> {
    let phase = |i: usize| std::f64::consts::TAU * (i as f64 + 0.5) / len as f64;
    (0..len)
        .map(|i| (0.5 - 0.5 * phase(i).cos()) as f32)
        .collect()
}
