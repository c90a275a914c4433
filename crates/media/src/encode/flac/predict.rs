//! Linear prediction (RFC 9639, sections 9.2.5 and 9.2.6).

/// The highest order of linear prediction. Files for rates up to 48 kHz may use at most 12 in the
/// streamable subset of the format.
pub(super) const MOST_ORDER: usize = 12;
/// Bits of a coefficient.
pub(super) const PRECISION: u32 = 15;
/// Zeros before a block, so that sums need not begin anew at its start.
const BEFORE: usize = 32;
/// Zeros behind a block, so that sums may run over its end.
const BEHIND: usize = 16;
/// The highest order of fixed prediction.
const MOST_FIXED: usize = 4;
/// Added to and taken from a number, rounds it to a whole one: so large that its unit is 1.
const MAGIC: f64 = 1.5 * (1u64 << 52) as f64;

/// A block of one channel, with zeros before and behind.
#[derive(Clone, Default)]
pub(super) struct Signal(Vec<f64>);

impl Signal {
    pub(super) fn new(values: impl ExactSizeIterator<Item = i32>) -> Self {
        let mut signal = Self(Vec::with_capacity(BEFORE + values.len() + BEHIND));
        signal.fill(values.map(f64::from));
        signal
    }

    /// Replaces the block.
    fn fill(&mut self, values: impl Iterator<Item = f64>) {
        self.0.clear();
        self.0.resize(BEFORE, 0.0);
        self.0.extend(values);
        self.0.resize(self.0.len() + BEHIND, 0.0);
    }

    fn values(&self) -> &[f64] {
        &self.0[BEFORE..self.0.len() - BEHIND]
    }
}

/// A Tukey window over a part of a block, and zero elsewhere.
#[derive(Clone)]
pub(super) struct Window {
    start: usize,
    weights: Vec<f64>,
}

impl Window {
    /// Creates a window over a part of a block of `len` values, given in fractions of it, whose
    /// slopes take up the fraction `taper` of that.
    pub(super) fn new(len: usize, part: (f64, f64), taper: f64) -> Self {
        let place = |fraction: f64| (fraction * len as f64).round() as usize;
        let (start, end) = (place(part.0), place(part.1));
        let part = end - start;
        let slope = (taper * part as f64 / 2.0).max(1.0);
        let weight = |i: usize| {
            let from_edge = i.min(part - 1 - i) as f64 + 0.5;
            let angle = std::f64::consts::PI * (from_edge / slope).min(1.0);
            0.5 - 0.5 * angle.cos()
        };
        Self {
            start,
            weights: (0..part).map(weight).collect(),
        }
    }

    /// Returns the autocorrelation of the windowed part of a signal, for which `windowed` is space.
    pub(super) fn correlate(&self, signal: &Signal, windowed: &mut Signal) -> Correlation {
        let values = &signal.values()[self.start..];
        let products = self.weights.iter().zip(values);
        windowed.fill(products.map(|(weight, value)| weight * value));
        Correlation {
            lags: autocorrelation(windowed),
            len: self.weights.len(),
        }
    }
}

/// The autocorrelation of a part of a block.
pub(super) struct Correlation {
    /// At lags from 0.
    lags: [f64; MOST_ORDER + 1],
    /// Values of the part.
    len: usize,
}

impl Correlation {
    /// Returns the autocorrelation of several parts together.
    pub(super) fn sum(parts: &[Self]) -> Self {
        let lag = |lag: usize| parts.iter().map(|part| part.lags[lag]).sum();
        Self {
            lags: std::array::from_fn(lag),
            len: parts.iter().map(|part| part.len).sum(),
        }
    }
}

/// Returns the autocorrelation of a signal, at lags from 0.
fn autocorrelation(signal: &Signal) -> [f64; MOST_ORDER + 1] {
    // As many at a time as registers hold.
    let mut correlation = [0.0; MOST_ORDER + 1];
    correlation[..5].copy_from_slice(&some_lags::<0, 5>(signal));
    correlation[5..9].copy_from_slice(&some_lags::<5, 4>(signal));
    correlation[9..].copy_from_slice(&some_lags::<9, 4>(signal));
    correlation
}

/// Returns the autocorrelation at `COUNT` lags from `FIRST` on, always added in the same order.
fn some_lags<const FIRST: usize, const COUNT: usize>(signal: &Signal) -> [f64; COUNT] {
    let mut sums = [[0.0f64; 4]; COUNT];
    let len = signal.0.len() - BEFORE - BEHIND;
    // At each step, 4 values and the 16 before them.
    for start in (BEFORE..BEFORE + len).step_by(4) {
        let values: &[f64; 20] = (signal.0[start - 16..start + 4].try_into()).expect("20 values");
        for (lag, sums) in sums.iter_mut().enumerate() {
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum += values[16 + i] * values[16 + i - FIRST - lag];
            }
        }
    }
    sums.map(|[a, b, c, d]| (a + b) + (c + d))
}

/// A linear predictor: the sum of the last values times `coefficients`, over 2^`shift`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Predictor {
    pub(super) order: usize,
    /// The first is that of the last value.
    pub(super) coefficients: [i32; MOST_ORDER],
    pub(super) shift: u32,
}

/// A predictor before its coefficients are rounded, and about how many bits a block takes with it.
#[derive(Clone, Copy)]
pub(super) struct Estimate {
    order: usize,
    coefficients: [f64; MOST_ORDER],
    pub(super) bits: f64,
}

impl Estimate {
    /// Finds the best order for a block of `len` values of so many bits, by Levinson-Durbin
    /// recursion. `None` where nothing can be predicted.
    pub(super) fn new(correlation: &Correlation, len: usize, sample_bits: u32) -> Option<Self> {
        let Correlation {
            lags: correlation,
            len: windowed_len,
        } = correlation;
        let most = MOST_ORDER.min(len.checked_sub(1)?);
        let mut error = correlation[0];
        if error <= 0.0 {
            return None;
        }
        let mut best: Option<Self> = None;
        let mut coefficients = [0.0; MOST_ORDER];
        for order in 1..=most {
            let last = order - 1;
            let predicted: f64 = (0..last)
                .map(|i| coefficients[i] * correlation[last - i])
                .sum();
            let reflection = (correlation[order] - predicted) / error;
            let before = coefficients;
            for i in 0..last {
                coefficients[i] = before[i] - reflection * before[last - 1 - i];
            }
            coefficients[last] = reflection;
            error *= 1.0 - reflection * reflection;
            let value_bits = match error > 0.0 {
                true => (0.5 * (0.5 / *windowed_len as f64 * error).log2()).max(0.0),
                false => 0.0,
            };
            let bits = value_bits * (len - order) as f64
                + order as f64 * f64::from(sample_bits + PRECISION);
            if best.is_none_or(|best| bits < best.bits) {
                best = Some(Self {
                    order,
                    coefficients,
                    bits,
                });
            }
            // What is left is no more than rounding.
            if error.is_nan() || error <= 1e-12 * correlation[0] {
                break;
            }
        }
        best
    }

    /// Returns the predictor with rounded coefficients, for samples of so many bits; `None` where
    /// they cannot be, or a residual might not fit into 32 bits.
    pub(super) fn rounded(&self, sample_bits: u32) -> Option<Predictor> {
        let coefficients = &self.coefficients[..self.order];
        let largest = coefficients.iter().fold(0.0f64, |a, b| a.max(b.abs()));
        if !largest.is_finite() || largest == 0.0 {
            return None;
        }
        let exponent = largest.log2().floor() as i32 + 1;
        let shift = u32::try_from((PRECISION as i32 - 1 - exponent).min(15)).ok()?;
        let (low, high) = (-(1 << (PRECISION - 1)), (1 << (PRECISION - 1)) - 1);
        let mut predictor = Predictor {
            order: self.order,
            shift,
            ..Predictor::default()
        };
        let mut rest = 0.0;
        for (rounded, exact) in predictor.coefficients.iter_mut().zip(coefficients) {
            rest += exact * f64::from(1u32 << shift);
            *rounded = (rest.round() as i32).clamp(low, high);
            rest -= f64::from(*rounded);
        }
        let sum: i64 = (predictor.coefficients.iter())
            .map(|&coefficient| i64::from(coefficient).abs())
            .sum();
        // The largest prediction and the largest value opposite to it.
        let largest = ((sum >> shift) + 2) << (sample_bits - 1);
        (largest < 1 << 31).then_some(predictor)
    }
}

impl Predictor {
    /// Puts the residual of a block into `residual`, whose first values are the samples themselves.
    pub(super) fn residual(&self, signal: &Signal, residual: &mut Vec<i32>) {
        match self.order {
            0..=4 => self.residual_of::<4>(signal, residual),
            5..=6 => self.residual_of::<6>(signal, residual),
            7..=8 => self.residual_of::<8>(signal, residual),
            9..=10 => self.residual_of::<10>(signal, residual),
            _ => self.residual_of::<12>(signal, residual),
        }
        for (residual, value) in residual.iter_mut().zip(signal.values()).take(self.order) {
            *residual = *value as i32;
        }
    }

    /// In floats, exactly: products and sums have at most 44 bits. The last coefficients are 0.
    fn residual_of<const TAPS: usize>(&self, signal: &Signal, residual: &mut Vec<i32>) {
        let coefficients: [f64; TAPS] = std::array::from_fn(|i| f64::from(self.coefficients[i]));
        let scale = 1.0 / f64::from(1u32 << self.shift);
        // Rounding to the nearest from here is rounding down.
        let offset = 0.5 * scale - 0.5;
        residual.clear();
        let windows = signal.0[BEFORE - TAPS..].windows(TAPS + 1);
        residual.extend(windows.take(signal.values().len()).map(|window| {
            let mut sum = 0.0;
            for (i, coefficient) in coefficients.iter().enumerate() {
                sum += coefficient * window[TAPS - 1 - i];
            }
            let floor = (sum * scale + offset) + MAGIC - MAGIC;
            // The lowest bits of a number beyond 2^52 are a whole number.
            (window[TAPS] - floor + MAGIC).to_bits() as i32
        }));
    }
}

/// Returns the order of fixed prediction with the least sum of absolute residuals.
pub(super) fn best_fixed_order(samples: &[i32]) -> usize {
    let mut sums = [0u64; MOST_FIXED + 1];
    for window in samples.windows(MOST_FIXED + 1) {
        let mut differences = [0i32; MOST_FIXED + 1];
        differences.copy_from_slice(window);
        for (order, sum) in sums.iter_mut().enumerate() {
            *sum += u64::from(differences[MOST_FIXED].unsigned_abs());
            for i in (order + 1..=MOST_FIXED).rev() {
                differences[i] -= differences[i - 1];
            }
        }
    }
    let most = samples.len().saturating_sub(1).min(MOST_FIXED);
    (0..=most).min_by_key(|&order| sums[order]).unwrap_or(0)
}

/// Puts the residual of fixed prediction into `residual`.
pub(super) fn fixed_residual(samples: &[i32], order: usize, residual: &mut Vec<i32>) {
    residual.clear();
    residual.extend_from_slice(samples);
    for done in 0..order {
        for i in (done + 1..residual.len()).rev() {
            residual[i] -= residual[i - 1];
        }
    }
    // The first are samples, not differences.
    residual[..order].copy_from_slice(&samples[..order]);
}
