//! What both engines need to go over from one piece of audio to another.

use std::ops::RangeInclusive;

/// Returns the energy of a difference over `len` frames from each of some places on, with the place.
pub(crate) fn energies(
    difference: impl Fn(usize) -> f64,
    len: usize,
    places: RangeInclusive<usize>,
) -> impl Iterator<Item = (f64, usize)> {
    let first = *places.start();
    let mut energy: f64 = (first..first + len).map(&difference).sum();
    places.map(move |place| {
        if place > first {
            energy += difference(place - 1 + len) - difference(place - 1);
        }
        (energy, place)
    })
}

/// Returns the weight of what is faded to, in frame `i` of a fade of `len` frames: a raised cosine,
/// which begins and ends gently, so that not even a tone that turns its phase around has a corner.
pub(crate) fn weight(i: usize, len: usize) -> f32 {
    let place = (i as f32 + 0.5) / len as f32;
    0.5 - 0.5 * (std::f32::consts::PI * place).cos()
}
