//! Blocks of interleaved samples, of either type that audio is worked on in.

use std::borrow::Cow;

use audiostretchy_engine::Sample;
use symphonia_core::audio::conv::ConvertibleSample;

/// Interleaved samples, one after the other for all channels of a frame, borrowed or owned.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Samples<'a> {
    /// 16-bit integers: what 16-bit sources are kept as.
    Int16(Cow<'a, [i16]>),
    /// 32-bit floats with full scale at 1.0: what all other sources are kept as.
    Float32(Cow<'a, [f32]>),
}

impl<'a> From<&'a [i16]> for Samples<'a> {
    fn from(samples: &'a [i16]) -> Self {
        Self::Int16(samples.into())
    }
}

impl<'a> From<&'a [f32]> for Samples<'a> {
    fn from(samples: &'a [f32]) -> Self {
        Self::Float32(samples.into())
    }
}

impl From<Vec<i16>> for Samples<'_> {
    fn from(samples: Vec<i16>) -> Self {
        Self::Int16(samples.into())
    }
}

impl From<Vec<f32>> for Samples<'_> {
    fn from(samples: Vec<f32>) -> Self {
        Self::Float32(samples.into())
    }
}

impl<'a> Samples<'a> {
    /// Samples of all channels together.
    pub fn len(&self) -> usize {
        match self {
            Self::Int16(samples) => samples.len(),
            Self::Float32(samples) => samples.len(),
        }
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the same samples, borrowed.
    pub fn as_borrowed(&self) -> Samples<'_> {
        match self {
            Self::Int16(samples) => Samples::Int16(Cow::Borrowed(samples)),
            Self::Float32(samples) => Samples::Float32(Cow::Borrowed(samples)),
        }
    }

    /// Returns the same samples, owned; copied if they are borrowed.
    pub fn into_owned(self) -> Samples<'static> {
        match self {
            Self::Int16(samples) => samples.into_owned().into(),
            Self::Float32(samples) => samples.into_owned().into(),
        }
    }

    /// Returns the samples as floats with full scale at 1.0; not copied if they are floats already.
    pub fn to_f32(&self) -> Cow<'_, [f32]> {
        match self {
            Self::Int16(samples) => samples.iter().map(|sample| sample.to_f32()).collect(),
            Self::Float32(samples) => Cow::Borrowed(samples),
        }
    }

    /// The first `len` samples, or all if there are fewer, and the rest.
    pub fn split_at(self, len: usize) -> (Self, Self) {
        match self {
            Self::Int16(samples) => {
                let (first, rest) = split(samples, len);
                (Self::Int16(first), Self::Int16(rest))
            }
            Self::Float32(samples) => {
                let (first, rest) = split(samples, len);
                (Self::Float32(first), Self::Float32(rest))
            }
        }
    }

    /// Returns the samples in parts of at most `len` samples.
    pub fn chunks(&self, len: usize) -> impl Iterator<Item = Samples<'_>> {
        let (integers, floats): (&[i16], &[f32]) = match self {
            Self::Int16(samples) => (samples, &[]),
            Self::Float32(samples) => (&[], samples),
        };
        let integers = integers.chunks(len).map(Samples::from);
        integers.chain(floats.chunks(len).map(Samples::from))
    }
}

fn split<T: Clone>(samples: Cow<'_, [T]>, len: usize) -> (Cow<'_, [T]>, Cow<'_, [T]>) {
    let len = len.min(samples.len());
    match samples {
        Cow::Borrowed(samples) => {
            let (first, rest) = samples.split_at(len);
            (first.into(), rest.into())
        }
        Cow::Owned(mut samples) => {
            let rest = samples.split_off(len);
            (samples.into(), rest.into())
        }
    }
}

/// A type of sample that files are decoded to and encoded from: `i16` or `f32`.
pub trait MediaSample: Sample + ConvertibleSample {
    /// A block of interleaved samples as encoders take it.
    fn as_samples(block: &[Self]) -> Samples<'_>;

    /// Returns the sample of a value with full scale at 1.0.
    fn from_f32(value: f32) -> Self;
}

impl MediaSample for i16 {
    fn as_samples(block: &[Self]) -> Samples<'_> {
        block.into()
    }

    fn from_f32(value: f32) -> Self {
        // Values beyond the range become its ends.
        (value * 32_768.0).round_ties_even() as i16
    }
}

impl MediaSample for f32 {
    fn as_samples(block: &[Self]) -> Samples<'_> {
        block.into()
    }

    fn from_f32(value: f32) -> Self {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owned_and_borrowed_samples_are_cut_alike() {
        let values = [1i16, -2, 3, -4, 5];
        for samples in [Samples::from(&values[..]), Samples::from(values.to_vec())] {
            let (first, rest) = samples.clone().split_at(2);
            assert_eq!((first.len(), rest.len()), (2, 3));
            assert!(samples.clone().split_at(9).1.is_empty());
            let lengths: Vec<usize> = samples.chunks(2).map(|part| part.len()).collect();
            assert_eq!(lengths, [2, 2, 1]);
            assert_eq!(samples.to_f32()[3], -4.0 / 32768.0);
            assert_eq!(samples.into_owned(), Samples::from(values.to_vec()));
        }
    }
}
