//! The order of channels: blocks come in WAVE order, some formats want another.

use audiostretchy_engine::Sample;
use symphonia_core::audio::{Channels, Position};

use crate::samples::Samples;

/// Speaker positions as in WAVE_FORMAT_EXTENSIBLE's channel mask.
pub(crate) mod speaker {
    pub(crate) const FRONT_LEFT: u32 = 0x1;
    pub(crate) const FRONT_RIGHT: u32 = 0x2;
    pub(crate) const FRONT_CENTRE: u32 = 0x4;
    pub(crate) const LOW_FREQUENCY: u32 = 0x8;
    pub(crate) const BACK_LEFT: u32 = 0x10;
    pub(crate) const BACK_RIGHT: u32 = 0x20;
    pub(crate) const BACK_CENTRE: u32 = 0x100;
    pub(crate) const SIDE_LEFT: u32 = 0x200;
    pub(crate) const SIDE_RIGHT: u32 = 0x400;
}
use speaker::{
    BACK_CENTRE, BACK_LEFT, BACK_RIGHT, FRONT_CENTRE, FRONT_LEFT, FRONT_RIGHT, LOW_FREQUENCY,
    SIDE_LEFT, SIDE_RIGHT,
};

/// Vorbis order for 1 to 8 channels (Vorbis I specification, section 4.3.9), which Ogg Opus uses
/// too (RFC 7845, section 5.1.1.2).
pub(crate) const VORBIS: [&[u32]; 8] = [
    &[FRONT_CENTRE],
    &[FRONT_LEFT, FRONT_RIGHT],
    &[FRONT_LEFT, FRONT_CENTRE, FRONT_RIGHT],
    &[FRONT_LEFT, FRONT_RIGHT, BACK_LEFT, BACK_RIGHT],
    &[FRONT_LEFT, FRONT_CENTRE, FRONT_RIGHT, BACK_LEFT, BACK_RIGHT],
    &[
        FRONT_LEFT,
        FRONT_CENTRE,
        FRONT_RIGHT,
        BACK_LEFT,
        BACK_RIGHT,
        LOW_FREQUENCY,
    ],
    &[
        FRONT_LEFT,
        FRONT_CENTRE,
        FRONT_RIGHT,
        SIDE_LEFT,
        SIDE_RIGHT,
        BACK_CENTRE,
        LOW_FREQUENCY,
    ],
    &[
        FRONT_LEFT,
        FRONT_CENTRE,
        FRONT_RIGHT,
        SIDE_LEFT,
        SIDE_RIGHT,
        BACK_LEFT,
        BACK_RIGHT,
        LOW_FREQUENCY,
    ],
];

/// The channel configurations 1 to 6 of AAC (ISO/IEC 14496-3, table 1.19), in the order in which its
/// encoder wants them.
#[cfg(feature = "aac")]
pub(crate) const AAC: [&[u32]; 6] = [
    &[FRONT_CENTRE],
    &[FRONT_LEFT, FRONT_RIGHT],
    &[FRONT_LEFT, FRONT_RIGHT, FRONT_CENTRE],
    &[FRONT_LEFT, FRONT_RIGHT, FRONT_CENTRE, BACK_CENTRE],
    &[FRONT_LEFT, FRONT_RIGHT, FRONT_CENTRE, BACK_LEFT, BACK_RIGHT],
    &[
        FRONT_LEFT,
        FRONT_RIGHT,
        FRONT_CENTRE,
        LOW_FREQUENCY,
        BACK_LEFT,
        BACK_RIGHT,
    ],
];

/// Returns the WAVE mask of a layout's speakers.
fn mask_of(layout: &[u32]) -> u32 {
    layout.iter().fold(0, |mask, speaker| mask | speaker)
}

/// Returns the speakers of [`VORBIS`] order for 1 to 8 channels, which FLAC has as well (RFC 9639,
/// section 9.1.3).
///
/// # Panics
/// For any other number of channels.
pub(crate) fn vorbis_channels(count: usize) -> Channels {
    // Symphonia's bits are those of a WAVE mask.
    let mask = mask_of(VORBIS[count - 1]);
    Channels::Positioned(Position::from_bits_retain(mask.into()))
}

/// For each of 1 to 8 channels in WAVE order, the channel in [`VORBIS`] order.
///
/// # Panics
/// For any other number of channels.
pub(crate) fn vorbis_to_wave(count: usize) -> Vec<usize> {
    let to_vorbis = order(VORBIS[count - 1], None);
    let mut to_wave = vec![0; count];
    for (vorbis, wave) in to_vorbis.into_iter().enumerate() {
        to_wave[wave] = vorbis;
    }
    to_wave
}

/// Returns the speaker of each of so many channels in WAVE order: those of the mask, or the usual
/// ones where that is unknown; `None` for channels without one.
pub(crate) fn speakers(count: usize, mask: Option<u32>) -> Vec<Option<u32>> {
    let usual = || VORBIS.get(count - 1).map_or(0, |layout| mask_of(layout));
    let mask = mask.filter(|mask| *mask != 0).unwrap_or_else(usual);
    let named = (0..u32::BITS)
        .map(|bit| 1 << bit)
        .filter(|bit| mask & bit != 0);
    let named = named.map(Some).chain(std::iter::repeat(None));
    named.take(count).collect()
}

/// For each channel of `layout` the index of the block's channel that belongs there.
///
/// The blocks' channels are those of `mask`, in its order. Where the mask is unknown or has other
/// speakers than the layout, the speakers of the layout itself are assumed.
pub(crate) fn order(layout: &[u32], mask: Option<u32>) -> Vec<usize> {
    mask.and_then(|mask| order_by_speaker(layout, mask))
        .unwrap_or_else(|| {
            order_by_speaker(layout, mask_of(layout)).expect("a layout has its own speakers")
        })
}

/// Returns whether a mask of that many speakers names the speakers of `layout`.
pub(crate) fn fits(layout: &[u32], mask: u32) -> bool {
    layout.len() < 3 || order_by_speaker(layout, mask).is_some()
}

/// Appends a block of interleaved samples to one vector a channel, in the order of [`order`].
///
/// Encoders are not given what is no number: they answer with noise or an error.
pub(crate) fn deinterleave(samples: &Samples<'_>, order: &[usize], planes: &mut [Vec<f32>]) {
    let channels = order.len();
    for (plane, &channel) in planes.iter_mut().zip(order) {
        match samples {
            Samples::Int16(samples) => {
                let frames = samples.chunks_exact(channels);
                plane.extend(frames.map(|frame| frame[channel].to_f32()));
            }
            Samples::Float32(samples) => {
                let frames = samples.chunks_exact(channels);
                plane.extend(frames.map(|frame| finite(frame[channel])));
            }
        }
    }
}

/// Appends a block of interleaved samples to another, each frame in the order of [`order`].
pub(crate) fn reorder(samples: &Samples<'_>, order: &[usize], output: &mut Vec<f32>) {
    let channels = order.len();
    match samples {
        Samples::Int16(samples) => {
            for frame in samples.chunks_exact(channels) {
                let float = |&channel: &usize| frame[channel].to_f32();
                output.extend(order.iter().map(float));
            }
        }
        Samples::Float32(samples) => {
            for frame in samples.chunks_exact(channels) {
                output.extend(order.iter().map(|&channel| finite(frame[channel])));
            }
        }
    }
}

/// Returns the sample, or silence where it is no finite number.
fn finite(sample: f32) -> f32 {
    if sample.is_finite() { sample } else { 0.0 }
}

fn order_by_speaker(layout: &[u32], mask: u32) -> Option<Vec<usize>> {
    if mask.count_ones() as usize != layout.len() {
        return None;
    }
    let index_of =
        |speaker: u32| (mask & speaker != 0).then(|| (mask & (speaker - 1)).count_ones() as usize);
    let order: Vec<usize> = layout
        .iter()
        .map(|&speaker| index_of(speaker).or_else(|| index_of(other_surround(speaker)?)))
        .collect::<Option<_>>()?;
    let mut seen = order.clone();
    seen.sort_unstable();
    seen.dedup();
    (seen.len() == layout.len()).then_some(order)
}

/// Surround speakers are called side in some files and back in others.
fn other_surround(speaker: u32) -> Option<u32> {
    match speaker {
        BACK_LEFT => Some(SIDE_LEFT),
        BACK_RIGHT => Some(SIDE_RIGHT),
        SIDE_LEFT => Some(BACK_LEFT),
        SIDE_RIGHT => Some(BACK_RIGHT),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_point_one_puts_the_centre_second_and_the_bass_last() {
        for mask in [None, Some(0x3F), Some(0x60F)] {
            assert_eq!(order(VORBIS[5], mask), [0, 2, 1, 4, 5, 3], "{mask:?}");
        }
    }

    #[test]
    fn seven_point_one_puts_the_sides_before_the_backs() {
        let expected = [0, 2, 1, 6, 7, 4, 5, 3];
        assert_eq!(order(VORBIS[7], Some(0x63F)), expected);
    }

    #[test]
    fn a_mask_with_other_speakers_is_treated_as_unknown() {
        let two_point_one = FRONT_LEFT | FRONT_RIGHT | LOW_FREQUENCY;
        assert!(!fits(VORBIS[2], two_point_one));
        assert_eq!(order(VORBIS[2], Some(two_point_one)), [0, 2, 1]);
    }

    #[test]
    fn decoded_channels_go_back_to_wave_order() {
        assert_eq!(vorbis_to_wave(6), [0, 2, 1, 5, 3, 4]);
        assert_eq!(vorbis_to_wave(7), [0, 2, 1, 6, 5, 3, 4]);
        assert_eq!(vorbis_to_wave(8), [0, 2, 1, 7, 5, 6, 3, 4]);
    }

    #[test]
    fn every_layout_is_a_permutation() {
        for layout in VORBIS {
            let mut sorted = order(layout, None);
            sorted.sort_unstable();
            assert!(sorted.into_iter().eq(0..layout.len()));
        }
    }
}
