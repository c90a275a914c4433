//! The end of the output: it is that of the input.
//!
//! A renderer is up to half a lag ahead of the plan, and has no more input then, or behind it, and
//! does not come to the end. Audio that ends in the middle of a sound would click.

use super::input::Input;
use super::output::Output;
use crate::energies::energies;
use crate::time_map::TimePoint;

/// Fades from what was rendered to the input as it ends, where the two differ least.
///
/// `overrun` is the first frame for which the renderer had no more input. `reach` is how many frames
/// before that, or the end, the fade may begin, and `fade` its length in frames.
pub(super) fn end_as_input(
    input: &Input,
    output: &mut Output,
    end: TimePoint,
    overrun: Option<i64>,
    (reach, fade): (i64, i64),
) {
    let (last_in, last_out) = (end.input as i64, end.output as i64);
    let good = overrun.unwrap_or(last_out).min(last_out);
    let first = (good - reach)
        .max(last_out - last_in)
        .max(output.released());
    // Of a fade that is not over in time, the rest is cut off.
    let room = (good - first).max(0);
    let fade = fade.min(room).max(1);
    if first + fade > last_out {
        return;
    }
    let (channels, weights) = (input.channels(), input.weights());
    let frames = (last_out - first) as usize;
    let from = last_in - (last_out - first);
    let (rendered, wanted) = (output.frames(first, frames), input.frames(from, frames));
    let difference = |at: usize| {
        let frame = at * channels..(at + 1) * channels;
        let pairs = rendered[frame.clone()].iter().zip(&wanted[frame]);
        let pairs = pairs.zip(weights);
        let difference: f32 = pairs.map(|((a, b), weight)| (a - b) * weight).sum();
        f64::from(difference * difference)
    };
    let fade_len = fade as usize;
    let places = 0..=(room as usize).saturating_sub(fade_len);
    let later = |best: (f64, usize), next: (f64, usize)| if next.0 <= best.0 { next } else { best };
    let best = energies(difference, fade_len, places).reduce(later);
    let (_, at) = best.expect("there is a place");
    let wanted = input.frames(from + at as i64, frames - at);
    let rendered = output.frames_mut(first + at as i64, frames - at);
    let (faded, rest) = rendered.split_at_mut(fade_len * channels);
    let (to, ending) = wanted.split_at(fade_len * channels);
    let pairs = (faded.chunks_exact_mut(channels)).zip(to.chunks_exact(channels));
    for (i, (rendered, wanted)) in pairs.enumerate() {
        let place = (i as f32 + 0.5) / fade_len as f32;
        let weight = 0.5 - 0.5 * (std::f32::consts::PI * place).cos();
        for (rendered, wanted) in rendered.iter_mut().zip(wanted) {
            *rendered += weight * (wanted - *rendered);
        }
    }
    rest.copy_from_slice(ending);
}
