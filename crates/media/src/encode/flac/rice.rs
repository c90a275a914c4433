//! Rice codes of residuals (RFC 9639, section 9.2.7).

use super::bits::BitWriter;

/// The highest order of partitions: 2^6 of them.
const MOST_ORDER: u32 = 6;
/// The highest parameter of 4 bits; 15 would be an escape.
const MOST_SHORT: u32 = 14;
/// The highest parameter of 5 bits.
const MOST_LONG: u32 = 30;

/// How a residual is to be coded.
#[derive(Debug, Clone, Default)]
pub(super) struct Coding {
    /// There are 2^`order` partitions.
    order: u32,
    /// Each partition's parameter.
    parameters: Vec<u32>,
    /// About how many bits the residual takes.
    pub(super) bits: u64,
}

/// Returns a value without its sign: 0, -1, 1, -2 and so on in this order.
#[inline(always)]
fn folded(value: i32) -> u32 {
    (value << 1 ^ value >> 31) as u32
}

/// Returns about how many bits `count` folded values of a sum take with a parameter.
fn bits(count: u64, sum: u64, parameter: u32) -> u64 {
    // What the lowest bits of all values come to, on average, is not coded in ones and zeros.
    let low = count * ((1 << parameter) - 1) / 2;
    count * u64::from(1 + parameter) + (sum.saturating_sub(low) >> parameter)
}

/// Returns the best parameter for `count` folded values of a sum, and the bits they take.
fn parameter(count: u64, sum: u64) -> (u32, u64) {
    // Of a geometric distribution, the best is near log2(ln 2 * mean).
    let scaled = std::f64::consts::LN_2 * sum as f64 / count.max(1) as f64;
    let low = (scaled as u64).max(1).ilog2().min(MOST_LONG - 1);
    let [low, high] = [low, low + 1].map(|parameter| (parameter, bits(count, sum, parameter)));
    if high.1 < low.1 { high } else { low }
}

impl Coding {
    /// Finds a coding of a block's residual, which begins with the samples that are not predicted.
    pub(super) fn new(residual: &[i32], predicted_from: usize) -> Self {
        let len = residual.len();
        let divides = |order: &u32| len.is_multiple_of(1 << order) && len >> order > predicted_from;
        let mut order = (0..=MOST_ORDER).rev().find(divides).unwrap_or(0);
        let mut sums = [0u64; 1 << MOST_ORDER];
        let part = (len >> order).max(1);
        for (i, (sum, part)) in sums.iter_mut().zip(residual.chunks(part)).enumerate() {
            let skipped = if i == 0 { predicted_from } else { 0 };
            *sum = (part[skipped..].iter())
                .map(|&value| u64::from(folded(value)))
                .sum();
        }
        let mut best = Self {
            bits: u64::MAX,
            ..Self::default()
        };
        let mut parameters = [0u32; 1 << MOST_ORDER];
        loop {
            let parts = 1usize << order;
            let mut total = 0;
            for (i, (parameter, &sum)) in parameters.iter_mut().zip(&sums[..parts]).enumerate() {
                let skipped = if i == 0 { predicted_from } else { 0 };
                let (best, bits) = self::parameter(((len >> order) - skipped) as u64, sum);
                *parameter = best;
                total += bits + 4;
            }
            if parameters[..parts].iter().any(|&one| one > MOST_SHORT) {
                total += parts as u64;
            }
            if total < best.bits {
                best.order = order;
                best.bits = total;
                best.parameters.clear();
                best.parameters.extend_from_slice(&parameters[..parts]);
            }
            if order == 0 {
                return best;
            }
            order -= 1;
            for i in 0..1 << order {
                sums[i] = sums[2 * i] + sums[2 * i + 1];
            }
        }
    }

    /// Writes the residual.
    pub(super) fn write(&self, residual: &[i32], predicted_from: usize, writer: &mut BitWriter) {
        let is_long = self.parameters.iter().any(|&one| one > MOST_SHORT);
        let parameter_bits = if is_long { 5 } else { 4 };
        writer.put(u64::from(is_long), 2);
        writer.put(self.order.into(), 4);
        let part = (residual.len() >> self.order).max(1);
        for (i, (part, &parameter)) in residual.chunks(part).zip(&self.parameters).enumerate() {
            writer.put(parameter.into(), parameter_bits);
            let skipped = if i == 0 { predicted_from } else { 0 };
            write_part(&part[skipped..], parameter, writer);
        }
    }
}

#[inline(always)]
fn write_part(values: &[i32], parameter: u32, writer: &mut BitWriter) {
    // A code: as many zeros as the high bits tell, a one, and the low bits.
    let code = |value: i32| {
        let folded = folded(value);
        let low = u64::from(folded) & ((1 << parameter) - 1) | 1 << parameter;
        (low, folded >> parameter)
    };
    let own = parameter + 1;
    let mut pairs = values.chunks_exact(2);
    for pair in &mut pairs {
        let ((first, first_zeros), (second, second_zeros)) = (code(pair[0]), code(pair[1]));
        let zeros = first_zeros.saturating_add(second_zeros);
        if zeros <= 56 && 2 * own + zeros <= 56 {
            writer.put(first << (own + second_zeros) | second, 2 * own + zeros);
        } else {
            writer.put_zeros(first_zeros);
            writer.put(first, own);
            writer.put_zeros(second_zeros);
            writer.put(second, own);
        }
    }
    for &value in pairs.remainder() {
        let (low, zeros) = code(value);
        writer.put_zeros(zeros);
        writer.put(low, own);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_are_about_as_many_as_told() {
        let mut noise = 1u32;
        for spread in [0, 1, 5, 100, 30_000, 1 << 24] {
            let residual: Vec<i32> = (0..4096)
                .map(|_| {
                    noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    ((noise >> 1) as i64 % (2 * spread + 1) - spread) as i32
                })
                .collect();
            let coding = Coding::new(&residual, 4);
            let mut writer = BitWriter::default();
            coding.write(&residual, 4, &mut writer);
            let written = 8.0 * writer.into_bytes().len() as f64;
            let told = coding.bits as f64;
            assert!(
                (written - told).abs() < 0.03 * told + 16.0,
                "{written} {told}"
            );
        }
    }
}
