//! Sums of squared differences, always added in the same order.

/// The lanes in which sums are kept, whatever the processor's vectors hold.
const LANES: usize = 16;
/// Values after which a sum is compared with its limit.
const STEP: usize = 256;

/// Returns the sum of `(a[i] - b[i])^2` over two pieces of audio of the same length, or nothing if
/// it exceeds a limit.
#[inline(always)]
pub(super) fn below(a: &[f32], b: &[f32], limit: f32) -> Option<f32> {
    let mut lanes = [0.0f32; LANES];
    let (a_steps, a_rest) = a.as_chunks::<STEP>();
    let (b_steps, b_rest) = b.as_chunks::<STEP>();
    for (a, b) in a_steps.iter().zip(b_steps) {
        add(&mut lanes, a, b);
        if total(lanes) > limit {
            return None;
        }
    }
    add(&mut lanes, a_rest, b_rest);
    let total = total(lanes);
    (total <= limit).then_some(total)
}

/// Returns the sum of `(a[i] - b[i])^2` over two equally long lists of eights.
#[inline(always)]
pub(super) fn of(a: &[[f32; 8]], b: &[[f32; 8]]) -> f32 {
    let (mut even, mut odd) = ([0.0f32; 8], [0.0f32; 8]);
    let (a_pairs, a_rest) = a.as_chunks::<2>();
    let (b_pairs, b_rest) = b.as_chunks::<2>();
    let add = |lanes: &mut [f32; 8], a: &[f32; 8], b: &[f32; 8]| {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            let difference = a - b;
            *lane += difference * difference;
        }
    };
    for ([a, a_next], [b, b_next]) in a_pairs.iter().zip(b_pairs) {
        add(&mut even, a, b);
        add(&mut odd, a_next, b_next);
    }
    for (a, b) in a_rest.iter().zip(b_rest) {
        add(&mut even, a, b);
    }
    total(std::array::from_fn(|lane| {
        if lane < 8 { even[lane] } else { odd[lane - 8] }
    }))
}

/// Returns the sum of `a[i]^2`.
#[inline(always)]
pub(super) fn energy(a: &[f32]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (chunks, rest) = a.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] += chunk[lane] * chunk[lane];
        }
    }
    for (lane, value) in lanes.iter_mut().zip(rest) {
        *lane += value * value;
    }
    total(lanes)
}

#[inline(always)]
fn add(lanes: &mut [f32; LANES], a: &[f32], b: &[f32]) {
    let (a_chunks, a_rest) = a.as_chunks::<LANES>();
    let (b_chunks, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for lane in 0..LANES {
            let difference = a[lane] - b[lane];
            lanes[lane] += difference * difference;
        }
    }
    for ((lane, a), b) in lanes.iter_mut().zip(a_rest).zip(b_rest) {
        let difference = a - b;
        *lane += difference * difference;
    }
}

#[inline(always)]
fn total(lanes: [f32; LANES]) -> f32 {
    let mut sums: [f32; 8] = std::array::from_fn(|i| lanes[i] + lanes[i + 8]);
    for width in [4, 2, 1] {
        for i in 0..width {
            sums[i] += sums[i + width];
        }
    }
    sums[0]
}
