//! Stretching in the frequency domain, for chords and ensembles: a phase vocoder.
//!
//! Windows of the input are added up at another distance than they were taken at. So that they
//! fit, each spectral peak, with the bins around it, is rotated by one angle: that by which the
//! output of the window before would have turned in one hop, as the input does in one hop. The
//! rotation is the product of the last output spectrum and the conjugate of the input spectrum one
//! hop back, so no angle is ever computed or unwrapped (the phase-locked vocoder with two
//! transforms after Puckette, 1995, and the identity phase locking of Laroche and Dolson, 1999).
//! All channels share the rotation.

use realfft::num_complex::Complex32;

use super::Audio;
use super::output::Output;
use super::spectrum::{Inverse, Spectrum};
use super::tonality::frame_len;

/// The floor of what overlapping windows are divided by.
const LEAST_WEIGHT: f32 = 0.05;
/// How much louder than before an onset a partial must be to start with its own phase.
const NEW_PARTIAL: f32 = 2.5;

/// The length of the window in frames for a sample rate in Hz: 139 ms.
pub(super) fn window_len(sample_rate: u32) -> usize {
    let frames = (6144.0 / 44_100.0 * f64::from(sample_rate)) as usize;
    frames / 12 * 12
}

/// The renderer; reuses its buffers.
pub(super) struct Spectral {
    channels: usize,
    hop: i64,
    spectrum: Spectrum,
    inverse: Inverse,
    /// For each channel: the input's spectrum, and the last one written.
    now: Vec<Vec<Complex32>>,
    written: Vec<Vec<Complex32>>,
    /// For each channel: the input's spectrum one hop back.
    back: Vec<Vec<Complex32>>,
    /// The energy of each bin, now and in the last frame that held no onset, if there was one.
    energies: Vec<f32>,
    calm: Vec<f32>,
    has_calm: bool,
    peaks: Vec<usize>,
    /// Sums of windowed output, interleaved, from `start` on, and of the squared windows.
    sums: Vec<f32>,
    weights: Vec<f32>,
    start: i64,
    /// The output position of the next window's centre.
    next: i64,
    /// The samples of an onset's fade-out: 1 ms.
    fade: i64,
}

impl Spectral {
    /// Creates a renderer for a sample rate in Hz.
    pub(super) fn new(sample_rate: u32, channels: usize) -> Self {
        let window = window_len(sample_rate);
        let len = window.next_power_of_two().max(frame_len(sample_rate));
        let spectrum = Spectrum::new(len, window);
        let bins = spectrum.bins.len();
        let spectra = || vec![vec![Complex32::default(); bins]; channels];
        Self {
            channels,
            hop: window as i64 / 3,
            inverse: Inverse::new(len),
            spectrum,
            now: spectra(),
            written: spectra(),
            back: spectra(),
            energies: vec![0.0; bins],
            calm: vec![0.0; bins],
            has_calm: false,
            peaks: Vec::with_capacity(bins / 3),
            sums: vec![0.0; window * channels],
            weights: vec![0.0; window],
            start: 0,
            next: 0,
            fade: i64::from(sample_rate / 1000),
        }
    }

    /// Forgets everything.
    pub(super) fn reset(&mut self) {
        self.has_calm = false;
    }

    /// Returns the distance of windows in the output, in frames.
    pub(super) fn hop(&self) -> i64 {
        self.hop
    }

    /// Returns half the length of a window in frames.
    pub(super) fn half(&self) -> i64 {
        self.spectrum.window().len() as i64 / 2
    }

    /// Returns the output position of the next window's centre.
    pub(super) fn next(&self) -> i64 {
        self.next
    }

    /// Starts at an output position, around which half a window of output lies on either side.
    pub(super) fn start(&mut self, position: i64, output: &Output) {
        self.start = position - self.half();
        self.sums.fill(0.0);
        self.weights.fill(0.0);
        let window = 2 * self.half();
        // At the very start there is no output before.
        let missing = (output.start() - self.start).max(0);
        let frames = output.frames(self.start + missing, (window - missing) as usize);
        for (channel, written) in self.written.iter_mut().enumerate() {
            let values = frames.iter().skip(channel).step_by(self.channels).copied();
            let silence = std::iter::repeat_n(0.0, missing as usize);
            self.spectrum.transform(silence.chain(values));
            written.copy_from_slice(&self.spectrum.bins);
        }
        self.add_windows();
        self.next = position + self.hop;
    }

    /// Adds the next window, and advances by a hop.
    pub(super) fn add(&mut self, audio: &Audio) {
        let centre = audio.time_line.input(self.next as f64).round() as i64;
        let quarter = self.half() / 2;
        let onsets = &audio.onsets;
        let cut = onsets
            .first_from(centre + quarter + 1)
            .filter(|&onset| onset < centre + self.half());
        let has_onset = onsets.any_within(centre - quarter..centre + quarter + 1);
        for channel in 0..self.channels {
            self.transform(audio, channel, centre - self.hop, cut);
            self.back[channel].copy_from_slice(&self.spectrum.bins);
            self.transform(audio, channel, centre, cut);
            self.now[channel].copy_from_slice(&self.spectrum.bins);
        }
        self.find_peaks();
        self.rotate(has_onset);
        if !has_onset {
            self.calm.copy_from_slice(&self.energies);
            self.has_calm = true;
        }
        std::mem::swap(&mut self.now, &mut self.written);
        self.shift();
        self.add_windows();
        self.next += self.hop;
    }

    /// Transforms the input around a position. It is silent from `cut` on.
    fn transform(&mut self, audio: &Audio, channel: usize, centre: i64, cut: Option<i64>) {
        let first = centre - self.half();
        let frames = audio.input.frames(first, 2 * self.half() as usize);
        let values = frames.iter().skip(channel).step_by(self.channels).copied();
        match cut {
            None => self.spectrum.transform(values),
            Some(cut) => {
                let fade = self.fade;
                let gain = |at: i64| ((cut - at) as f32 / fade as f32).clamp(0.0, 1.0);
                let faded = values.zip(first..).map(|(value, at)| value * gain(at));
                self.spectrum.transform(faded);
            }
        }
    }

    fn find_peaks(&mut self) {
        self.energies.fill(0.0);
        for spectrum in &self.now {
            for (energy, bin) in self.energies.iter_mut().zip(spectrum) {
                *energy += bin.norm_sqr();
            }
        }
        self.peaks.clear();
        for (i, near) in self.energies.windows(5).enumerate() {
            let [a, b, peak, c, d] = *near else { continue };
            if peak > a && peak > b && peak > c && peak > d {
                self.peaks.push(i + 2);
            }
        }
    }

    /// Rotates each peak of the current spectrum, with the bins around it.
    fn rotate(&mut self, has_onset: bool) {
        let mut from = 0;
        for (index, &peak) in self.peaks.iter().enumerate() {
            let to = match self.peaks.get(index + 1) {
                None => self.energies.len(),
                Some(&next) => {
                    let between = &self.energies[peak..next];
                    let least = between.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1));
                    peak + least.map_or(0, |(offset, _)| offset).max(1)
                }
            };
            let is_new = has_onset && (!self.has_calm || self.is_new(peak));
            if !is_new {
                let rotation = self.rotation(peak);
                for spectrum in &mut self.now {
                    for bin in &mut spectrum[from..to] {
                        *bin *= rotation;
                    }
                }
            }
            from = to;
        }
    }

    /// Returns whether a peak is much louder than before the onset.
    fn is_new(&self, peak: usize) -> bool {
        let around = peak - 1..=peak + 1;
        let energy = |energies: &[f32]| energies[around.clone()].iter().sum::<f32>();
        energy(&self.energies) > NEW_PARTIAL * energy(&self.calm)
    }

    fn rotation(&self, peak: usize) -> Complex32 {
        let mut product = Complex32::default();
        for (written, back) in self.written.iter().zip(&self.back) {
            for bin in peak - 1..=peak + 1 {
                product += written[bin] * back[bin].conj();
            }
        }
        let norm = product.norm();
        if norm > 1e-20 {
            product / norm
        } else {
            Complex32::new(1.0, 0.0)
        }
    }

    /// Moves the sums on by a hop, to where the next window starts.
    fn shift(&mut self) {
        let hop = self.hop as usize;
        self.sums.copy_within(hop * self.channels.., 0);
        self.weights.copy_within(hop.., 0);
        let kept = self.weights.len() - hop;
        self.sums[kept * self.channels..].fill(0.0);
        self.weights[kept..].fill(0.0);
        self.start += self.hop;
    }

    /// Adds what was written last to the sums.
    fn add_windows(&mut self) {
        let window = self.spectrum.window();
        let scale = 1.0 / self.inverse.samples.len() as f32;
        for (channel, written) in self.written.iter().enumerate() {
            self.inverse.bins.copy_from_slice(written);
            self.inverse.transform();
            let sums = self.sums.iter_mut().skip(channel).step_by(self.channels);
            let samples = self.inverse.samples.iter().zip(window);
            for (sum, (sample, weight)) in sums.zip(samples) {
                *sum += sample * weight * scale;
            }
        }
        for (sum, weight) in self.weights.iter_mut().zip(window) {
            *sum += weight * weight;
        }
    }

    /// Appends `frames` frames of output from a position on to `output`.
    pub(super) fn read(&self, position: i64, frames: usize, output: &mut Vec<f32>) {
        let first = (position - self.start) as usize;
        let sums = &self.sums[first * self.channels..(first + frames) * self.channels];
        let weights = &self.weights[first..first + frames];
        for (frame, weight) in sums.chunks_exact(self.channels).zip(weights) {
            let weight = weight.max(LEAST_WEIGHT);
            output.extend(frame.iter().map(|sum| sum / weight));
        }
    }
}
