//! Frames: how each block of samples is coded (RFC 9639, section 9).

use audiostretchy_containers::crc::{crc8, crc16};

use super::bits::BitWriter;
use super::predict::{self, Correlation, Estimate, Predictor, Signal, Window};
use super::rice::Coding;
use crate::format::EncoderEffort;

/// Frames of audio in a block; only the last may be shorter.
pub(super) const BLOCK: usize = 4096;
/// Below so many bits a sample, fixed prediction may do as well as a linear one.
const FIXED_BITS: u64 = 5;
/// Shorter blocks are not seen in parts.
const SEEN_IN_PARTS: usize = 128;
/// Where the parts of a block would take less than this much of what the whole takes, their
/// predictors are tried too.
const DIFFERENT: f64 = 0.95;

/// Encodes blocks, each by itself.
pub(super) struct FrameEncoder {
    channels: usize,
    bits: u32,
    sample_rate: u32,
    windows: Windows,
    effort: EncoderEffort,
}

/// Through which windows a block is seen, when predictors are looked for: with the least effort, the
/// whole; by default, its halves, and both together; at best, its first and last two thirds too.
struct Windows {
    len: usize,
    /// They cover the block.
    cover: Vec<Window>,
    more: Vec<Window>,
}

impl Windows {
    fn new(len: usize, effort: EncoderEffort) -> Self {
        let window = |part| Window::new(len, part, 0.2);
        let halves = || [(0.0, 0.5), (0.5, 1.0)].map(window).to_vec();
        let thirds = || [(0.0, 2.0 / 3.0), (1.0 / 3.0, 1.0)].map(window).to_vec();
        let (cover, more) = match effort {
            EncoderEffort::Default if len >= SEEN_IN_PARTS => (halves(), Vec::new()),
            EncoderEffort::Best if len >= SEEN_IN_PARTS => (halves(), thirds()),
            _ => (vec![window((0.0, 1.0))], Vec::new()),
        };
        Self { len, cover, more }
    }
}

/// How one channel of a block is coded.
struct Subframe {
    /// Bits of a sample, without those that are 0 in all of them.
    bits: u32,
    /// The lowest bits that are 0 in all samples.
    wasted: u32,
    kind: Kind,
    /// The samples that are not predicted, and the residual; or all samples.
    residual: Vec<i32>,
    coding: Coding,
}

enum Kind {
    Constant,
    Verbatim,
    Fixed(usize),
    Linear(Predictor),
}

/// One channel of a block, or a mix of two.
struct Channel {
    samples: Vec<i32>,
    signal: Signal,
    bits: u32,
    wasted: u32,
    /// The predictor of the whole block.
    whole: Option<Estimate>,
    /// Those of its parts, where they differ from that.
    parts: Vec<Estimate>,
}

impl Channel {
    fn new(samples: Vec<i32>, bits: u32, windows: &Windows, windowed: &mut Signal) -> Self {
        let mut samples = samples;
        let ones = samples.iter().fold(0, |ones, sample| ones | sample);
        let wasted = if ones == 0 { 0 } else { ones.trailing_zeros() };
        if wasted > 0 {
            samples.iter_mut().for_each(|sample| *sample >>= wasted);
        }
        let bits = bits - wasted;
        let signal = Signal::new(samples.iter().copied());
        let len = samples.len();
        let cover = windows.cover.iter();
        let cover: Vec<Correlation> = cover
            .map(|window| window.correlate(&signal, windowed))
            .collect();
        let estimate = |correlation: &Correlation| Estimate::new(correlation, len, bits);
        let whole = estimate(&Correlation::sum(&cover));
        let mut parts = Vec::new();
        if cover.len() > 1 {
            parts.extend(cover.iter().filter_map(estimate));
            let more = windows.more.iter();
            parts.extend(more.filter_map(|window| estimate(&window.correlate(&signal, windowed))));
            let mean = parts.iter().map(|part| part.bits).sum::<f64>() / parts.len() as f64;
            let is_like = |whole: Estimate| mean > DIFFERENT * whole.bits;
            if windows.more.is_empty() && whole.is_some_and(is_like) {
                parts.clear();
            }
        }
        Self {
            samples,
            signal,
            bits,
            wasted,
            whole,
            parts,
        }
    }

    /// Returns about how many bits the channel takes.
    fn cost(&self) -> f64 {
        match self.whole {
            Some(whole) => whole.bits,
            // Silence, or a single sample.
            None => f64::from(self.bits),
        }
    }

    fn into_subframe(self) -> Subframe {
        let len = self.samples.len();
        let mut best = Subframe {
            bits: self.bits,
            wasted: self.wasted,
            kind: Kind::Verbatim,
            residual: Vec::new(),
            coding: Coding::default(),
        };
        if self.samples.iter().all(|&sample| sample == self.samples[0]) {
            best.kind = Kind::Constant;
            best.residual = self.samples;
            return best;
        }
        let mut least = len as u64 * u64::from(self.bits);
        let mut residual = Vec::with_capacity(len);
        for estimate in self.whole.into_iter().chain(self.parts) {
            let Some(predictor) = estimate.rounded(self.bits) else {
                continue;
            };
            predictor.residual(&self.signal, &mut residual);
            let coding = Coding::new(&residual, predictor.order);
            let order = predictor.order as u64;
            let bits = coding.bits + order * u64::from(self.bits + predict::PRECISION) + 9;
            if bits < least {
                least = bits;
                best.kind = Kind::Linear(predictor);
                best.coding = coding;
                std::mem::swap(&mut best.residual, &mut residual);
            }
        }
        if !matches!(best.kind, Kind::Linear(_)) || least < FIXED_BITS * len as u64 {
            let order = predict::best_fixed_order(&self.samples);
            predict::fixed_residual(&self.samples, order, &mut residual);
            let coding = Coding::new(&residual, order);
            let bits = coding.bits + order as u64 * u64::from(self.bits);
            if bits < least {
                best.kind = Kind::Fixed(order);
                best.coding = coding;
                std::mem::swap(&mut best.residual, &mut residual);
            }
        }
        if matches!(best.kind, Kind::Verbatim) {
            best.residual = self.samples;
        }
        best
    }
}

impl Subframe {
    fn write(&self, writer: &mut BitWriter) {
        let kind = match self.kind {
            Kind::Constant => 0,
            Kind::Verbatim => 1,
            Kind::Fixed(order) => 0b00_1000 | order as u64,
            Kind::Linear(predictor) => 0b10_0000 | (predictor.order as u64 - 1),
        };
        writer.put(kind << 1 | u64::from(self.wasted > 0), 8);
        if self.wasted > 0 {
            writer.put(1, self.wasted);
        }
        let plain = match self.kind {
            Kind::Constant => 1,
            Kind::Verbatim => self.residual.len(),
            Kind::Fixed(order) => order,
            Kind::Linear(predictor) => predictor.order,
        };
        for &sample in &self.residual[..plain] {
            writer.put_signed(sample, self.bits);
        }
        if let Kind::Linear(predictor) = self.kind {
            writer.put(u64::from(predict::PRECISION) - 1, 4);
            writer.put(predictor.shift.into(), 5);
            for &coefficient in &predictor.coefficients[..predictor.order] {
                writer.put_signed(coefficient, predict::PRECISION);
            }
        }
        if matches!(self.kind, Kind::Fixed(_) | Kind::Linear(_)) {
            self.coding.write(&self.residual, plain, writer);
        }
    }
}

impl FrameEncoder {
    pub(super) fn new(channels: usize, bits: u32, sample_rate: u32, effort: EncoderEffort) -> Self {
        Self {
            channels,
            bits,
            sample_rate,
            windows: Windows::new(BLOCK, effort),
            effort,
        }
    }

    /// Encodes one block of interleaved samples: at most [`BLOCK`] frames.
    ///
    /// `number` is the count of the frames before it.
    pub(super) fn encode(&self, samples: &[i32], number: u64) -> Vec<u8> {
        let len = samples.len() / self.channels;
        let own;
        let windows = match self.windows.len == len {
            true => &self.windows,
            false => {
                own = Windows::new(len, self.effort);
                &own
            }
        };
        let mut windowed = Signal::default();
        let mut channel =
            |samples: Vec<i32>, bits: u32| Channel::new(samples, bits, windows, &mut windowed);
        let (assignment, channels) = match self.channels {
            2 => {
                let (pairs, _) = samples.as_chunks::<2>();
                let left = pairs.iter().map(|pair| pair[0]).collect();
                let right = pairs.iter().map(|pair| pair[1]).collect();
                let mid = pairs.iter().map(|pair| (pair[0] + pair[1]) >> 1).collect();
                let side = pairs.iter().map(|pair| pair[0] - pair[1]).collect();
                let [left, right, mid] = [left, right, mid].map(|one| channel(one, self.bits));
                let side = channel(side, self.bits + 1);
                cheapest_pair(left, right, mid, side)
            }
            channels => {
                let one = |first: usize| {
                    let samples = samples[first..].iter().step_by(channels);
                    channel(samples.copied().collect(), self.bits)
                };
                let all = (0..channels).map(one).collect();
                (channels as u64 - 1, all)
            }
        };
        let mut writer = BitWriter::default();
        self.write_header(len, number, assignment, &mut writer);
        for channel in channels {
            let subframe = channel.into_subframe();
            subframe.write(&mut writer);
        }
        writer.align();
        let crc = crc16(writer.bytes());
        writer.put(crc.into(), 16);
        writer.into_bytes()
    }

    fn write_header(&self, len: usize, number: u64, assignment: u64, writer: &mut BitWriter) {
        // Sync code, and blocks of one size.
        writer.put(0xFFF8, 16);
        let (size_code, size_bits) = match len {
            BLOCK => (0b1100, 0),
            1..=256 => (0b0110, 8),
            _ => (0b0111, 16),
        };
        writer.put(size_code, 4);
        let (rate_code, rate, rate_bits) = rate_code(self.sample_rate);
        writer.put(rate_code, 4);
        writer.put(assignment, 4);
        writer.put(if self.bits == 16 { 0b100 } else { 0b110 }, 3);
        writer.put(0, 1);
        write_number(number, writer);
        if size_bits > 0 {
            writer.put(len as u64 - 1, size_bits);
        }
        writer.put(rate.into(), rate_bits);
        let crc = crc8(writer.bytes());
        writer.put(crc.into(), 8);
    }
}

/// Returns the two channels that take the fewest bits, and the code for them: left and right, left
/// and side, side and right, mid and side.
fn cheapest_pair(
    left: Channel,
    right: Channel,
    mid: Channel,
    side: Channel,
) -> (u64, Vec<Channel>) {
    let [l, r, m, s] = [&left, &right, &mid, &side].map(Channel::cost);
    let costs = [l + r, l + s, s + r, m + s];
    let cheapest = (0..4).min_by(|&a: &usize, &b: &usize| costs[a].total_cmp(&costs[b]));
    match cheapest {
        Some(1) => (0b1000, vec![left, side]),
        Some(2) => (0b1001, vec![side, right]),
        Some(3) => (0b1010, vec![mid, side]),
        _ => (0b0001, vec![left, right]),
    }
}

/// Returns the code of a sample rate in Hz, and a number of so many bits that belongs to it
/// (RFC 9639, section 9.1.2).
fn rate_code(rate: u32) -> (u64, u32, u32) {
    match rate {
        88_200 => (1, 0, 0),
        176_400 => (2, 0, 0),
        192_000 => (3, 0, 0),
        8_000 => (4, 0, 0),
        16_000 => (5, 0, 0),
        22_050 => (6, 0, 0),
        24_000 => (7, 0, 0),
        32_000 => (8, 0, 0),
        44_100 => (9, 0, 0),
        48_000 => (10, 0, 0),
        96_000 => (11, 0, 0),
        _ if rate.is_multiple_of(1000) && rate < 256_000 => (12, rate / 1000, 8),
        _ if rate < 1 << 16 => (13, rate, 16),
        _ if rate.is_multiple_of(10) && rate < 10 << 16 => (14, rate / 10, 16),
        // As at the start of the file.
        _ => (0, 0, 0),
    }
}

/// Writes a number of up to 36 bits as UTF-8 would (RFC 9639, section 9.1.5).
fn write_number(number: u64, writer: &mut BitWriter) {
    if number < 0x80 {
        return writer.put(number, 8);
    }
    // Each further byte holds 6 bits, and takes one away from the first.
    let further = (1..=6)
        .find(|&further| number < 1 << (6 * further + 6 - further))
        .unwrap_or(6);
    let ones = (0xFF << (7 - further)) & 0xFF;
    writer.put(ones | number >> (6 * further), 8);
    for byte in (0..further).rev() {
        writer.put(0x80 | number >> (6 * byte) & 0x3F, 8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_in_utf_8() {
        for number in [0, 0x7F, 0x80, 0x7FF, 0x800, 0xFFFF, 0x10000, 0x10_FFFF] {
            let Some(char) = char::from_u32(number) else {
                continue;
            };
            let mut writer = BitWriter::default();
            write_number(number.into(), &mut writer);
            assert_eq!(writer.into_bytes(), char.to_string().as_bytes());
        }
        let mut writer = BitWriter::default();
        write_number((1 << 36) - 1, &mut writer);
        assert_eq!(
            writer.into_bytes(),
            [0xFE, 0xBF, 0xBF, 0xBF, 0xBF, 0xBF, 0xBF]
        );
    }
}
