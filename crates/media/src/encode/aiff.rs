//! AIFF files, and AIFF-C where the samples are floats.

use std::io::BufWriter;

use aifc::{AifcError, AifcWriteInfo, AifcWriter, FileFormat, SampleFormat};

use super::encoder::{EncodeError, Encoded, Encoder, Sink};
use super::limits::Limits;
use super::quantise::Quantiser;
use super::spec::EncodeSpec;
use crate::format::{BitDepth, Format};
use crate::samples::Samples;
use audiostretchy_containers::limits::MAX_CHANNELS;

/// AIFF counts channels in a signed 16-bit number and holds any sample rate.
pub(super) const LIMITS: Limits = Limits {
    channels: MAX_CHANNELS,
    depths: &BitDepth::ALL,
    sample_rate: |rate| rate,
    layouts: &[],
};

/// Bytes of samples in a file: sizes have 32 bits, and the header is in them too.
const MAX_DATA_LEN: u64 = (u32::MAX - 1024) as u64;
/// A Core Audio channel layout that is given as a bit map, which has the bits of a WAVE mask.
const LAYOUT_IS_BITMAP: u32 = 1 << 16;

pub(super) struct AiffEncoder<S: Sink> {
    writer: AifcWriter<BufWriter<S>>,
    depth: BitDepth,
    frame_bytes: u64,
    data_len: u64,
    quantiser: Quantiser,
    /// One block's bytes.
    scratch: Vec<u8>,
}

impl<S: Sink> AiffEncoder<S> {
    pub(super) fn new(spec: &EncodeSpec, sink: S) -> Result<Self, EncodeError> {
        let (file_format, sample_format, sample_bytes) = match spec.bit_depth {
            BitDepth::Int16 => (FileFormat::Aiff, SampleFormat::I16, 2),
            BitDepth::Int24 => (FileFormat::Aiff, SampleFormat::I24, 3),
            BitDepth::Float32 => (FileFormat::Aifc, SampleFormat::F32, 4),
        };
        let info = AifcWriteInfo {
            file_format,
            channels: spec.channels as i16,
            sample_rate: spec.sample_rate.into(),
            sample_format,
        };
        let sink = BufWriter::with_capacity(1 << 16, sink);
        let mut writer = AifcWriter::new(sink, &info).map_err(failure)?;
        if let Some(mask) = spec.channel_mask
            && spec.channels > 2
        {
            let layout = [LAYOUT_IS_BITMAP, mask, 0].map(u32::to_be_bytes);
            let layout = layout.as_flattened();
            writer.write_chunk(b"CHAN", layout).map_err(failure)?;
        }
        Ok(Self {
            writer,
            depth: spec.bit_depth,
            frame_bytes: sample_bytes * spec.channels as u64,
            data_len: 0,
            quantiser: Quantiser::new(spec),
            scratch: Vec::new(),
        })
    }
}

impl<S: Sink> Encoder for AiffEncoder<S> {
    fn write(&mut self, samples: Samples<'_>) -> Result<(), EncodeError> {
        let bytes = &mut self.scratch;
        bytes.clear();
        match (samples, self.depth) {
            (samples, BitDepth::Float32) => {
                let floats = samples.to_f32();
                bytes.extend(floats.iter().flat_map(|sample| sample.to_be_bytes()));
            }
            (samples, BitDepth::Int16) => self.quantiser.quantise(samples, |value| {
                bytes.extend_from_slice(&(value as i16).to_be_bytes());
            }),
            (samples, BitDepth::Int24) => self.quantiser.quantise(samples, |value| {
                bytes.extend_from_slice(&value.to_be_bytes()[1..]);
            }),
        }
        let data_len = self.data_len + bytes.len() as u64;
        if data_len > MAX_DATA_LEN {
            return Err(EncodeError::TooLong {
                format: Format::Aiff,
                most_bytes: u32::MAX.into(),
            });
        }
        let frames = (data_len / self.frame_bytes) as u32;
        self.writer
            .write_samples_raw(bytes, frames)
            .map_err(failure)?;
        self.data_len = data_len;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Encoded, EncodeError> {
        self.writer.finalize().map_err(failure)?;
        Ok(Encoded {
            frames: self.data_len / self.frame_bytes,
            clipped_samples: self.quantiser.clipped(),
        })
    }
}

fn failure(error: AifcError) -> EncodeError {
    match error {
        AifcError::StdIoError(error) => EncodeError::Io(error),
        other => EncodeError::Codec {
            format: Format::Aiff,
            message: format!("{other:?}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::format::EncoderEffort;

    #[test]
    fn a_file_beyond_4_gib_is_refused_with_the_option_to_change() {
        let spec = EncodeSpec {
            format: Format::Aiff,
            sample_rate: 44_100,
            channels: 2,
            channel_mask: None,
            bit_depth: BitDepth::Int16,
            bitrate_kbps: 0,
            quality: None,
            dither: false,
            encoder_effort: EncoderEffort::Default,
        };
        let mut encoder = AiffEncoder::new(&spec, Cursor::new(Vec::new())).unwrap();
        encoder.data_len = MAX_DATA_LEN - 6;
        encoder.write(Samples::from(&[0i16, 0][..])).unwrap();
        let error = encoder.write(Samples::from(&[0i16, 0][..])).unwrap_err();
        assert!(error.to_string().contains("--format"), "{error}");
    }
}
