//! AAC-LC in MP4 files (ISO 14496-3, 14496-12 and 14496-14).

use std::io::{BufWriter, Seek, SeekFrom, Write};

use syom::{AacError, EncodeOptions};

use super::encoder::{EncodeError, Encoded, Encoder, Sink};
use super::limits::Limits;
use super::mp4_boxes::{self, Track};
use super::spec::EncodeSpec;
use crate::channels;
use crate::format::Format;
use crate::samples::Samples;

/// The sample rates of AAC in Hz (ISO 14496-3, table 1.18).
const SAMPLE_RATES: [u32; 12] = [
    8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000,
];

/// AAC has a fixed list of rates; of more than 6 channels the speakers are read differently by
/// different decoders.
pub(super) const LIMITS: Limits = Limits {
    channels: channels::AAC.len(),
    depths: &[],
    sample_rate: |rate| {
        let [.., highest] = SAMPLE_RATES;
        let fits = |&allowed: &u32| allowed >= rate;
        SAMPLE_RATES.into_iter().find(fits).unwrap_or(highest)
    },
    layouts: &channels::AAC,
};

/// Frames handed to the encoder at a time.
const BLOCK_FRAMES: usize = 4096;
/// The least bit rate of a channel in bit/s that is asked of the encoder.
const LEAST_CHANNEL_RATE: u32 = 8_000;

pub(super) struct M4aEncoder<S: Sink> {
    sink: BufWriter<S>,
    encoder: syom::Encoder,
    /// For each channel of the encoder the one of the block.
    order: Vec<usize>,
    planes: Vec<Vec<f32>>,
    track: Track,
    clipped: u64,
    /// Encoded bytes on their way to the sink.
    bytes: Vec<u8>,
}

impl<S: Sink> M4aEncoder<S> {
    pub(super) fn new(spec: &EncodeSpec, sink: S) -> Result<Self, EncodeError> {
        let options = EncodeOptions::raw().with_bitrate_bps(bitrate(spec));
        let encoder =
            syom::Encoder::new(spec.sample_rate, spec.channels, &options).map_err(failure)?;
        let mut sink = BufWriter::with_capacity(1 << 16, sink);
        sink.write_all(&mp4_boxes::head(spec.format))?;
        Ok(Self {
            sink,
            track: Track::new(spec, encoder.asc()),
            encoder,
            order: channels::order(channels::AAC[spec.channels - 1], spec.channel_mask),
            planes: vec![Vec::new(); spec.channels],
            clipped: 0,
            bytes: Vec::new(),
        })
    }

    /// Encodes what is in the planes.
    fn encode(&mut self) -> Result<(), EncodeError> {
        for sample in self.planes.iter_mut().flatten() {
            // The encoder gives up at any sample beyond full scale.
            self.clipped += u64::from(sample.abs() > 1.0);
            *sample = sample.clamp(-1.0, 1.0);
        }
        let planes: Vec<&[f32]> = self.planes.iter().map(Vec::as_slice).collect();
        let (track, bytes) = (&mut self.track, &mut self.bytes);
        self.encoder
            .feed(&planes, |unit| {
                track.add_unit(unit.au.len());
                bytes.extend_from_slice(unit.au);
                Ok(())
            })
            .map_err(failure)?;
        self.track.frames += self.planes[0].len() as u64;
        self.write_bytes()
    }

    fn write_bytes(&mut self) -> Result<(), EncodeError> {
        self.sink.write_all(&self.bytes)?;
        self.bytes.clear();
        Ok(())
    }
}

impl<S: Sink> Encoder for M4aEncoder<S> {
    fn write(&mut self, samples: Samples<'_>) -> Result<(), EncodeError> {
        for block in samples.chunks(BLOCK_FRAMES * self.order.len()) {
            self.planes.iter_mut().for_each(Vec::clear);
            channels::deinterleave(&block, &self.order, &mut self.planes);
            self.encode()?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Encoded, EncodeError> {
        if self.track.frames > 0 {
            let (track, bytes) = (&mut self.track, &mut self.bytes);
            let info = self
                .encoder
                .finish(|unit| {
                    track.add_unit(unit.au.len());
                    bytes.extend_from_slice(unit.au);
                    Ok(())
                })
                .map_err(failure)?;
            self.track.priming = info.priming;
            self.write_bytes()?;
        }
        self.sink.write_all(&self.track.moov())?;
        self.sink.seek(SeekFrom::Start(mp4_boxes::DATA_LEN_AT))?;
        self.sink.write_all(&self.track.data_len().to_be_bytes())?;
        self.sink.flush()?;
        Ok(Encoded {
            frames: self.track.frames,
            clipped_samples: self.clipped,
        })
    }
}

/// Returns the bit rate of all channels in bit/s.
fn bitrate(spec: &EncodeSpec) -> u32 {
    let channels = spec.channels as u32;
    // A unit of 1024 frames has at most 6144 bits for each channel (ISO 14496-3, section 4.5.3).
    // The encoder damages tones when it is asked for all of them; five sixths are safe.
    let most = 5 * spec.sample_rate * channels;
    let wanted = match spec.quality {
        // From 16 to 160 kbit/s a channel in even steps.
        Some(quality) => (channels as f32 * (16_000.0 + 14_400.0 * quality)) as u32,
        None => spec.bitrate_kbps * 1000,
    };
    wanted.clamp(LEAST_CHANNEL_RATE * channels, most)
}

fn failure(error: AacError) -> EncodeError {
    EncodeError::Codec {
        format: Format::M4a,
        message: error.to_string(),
    }
}
