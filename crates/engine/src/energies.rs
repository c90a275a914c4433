//! The search for the place where two pieces of audio differ least.

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
