//! AAC-LC in MP4 files (ISO 14496-3, 14496-12 and 14496-14).

use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::sync::Arc;

use syom::{AacError, EncodeOptions, EncodedFrame};

use super::chunks::{Chunk, ChunkEncoder, Chunks, Shape};
use super::encoder::{EncodeError, Encoded, Encoder, Sink};
use super::in_order::Workers;
use super::limits::Limits;
use super::mp4_boxes::{self, Track, UNIT_FRAMES};
use super::spec::EncodeSpec;
use crate::channels;
use crate::format::{Format, m4a_kbps};
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

/// Units of a chunk: about 10 s.
const CHUNK_UNITS: usize = 430;
/// Units before a chunk that its encoder starts with.
const EARLY_UNITS: usize = 8;
/// A unit depends on so many after it.
const UNITS_AHEAD: usize = 2;
/// Frames that the encoder puts before the audio.
const PRIMING: u64 = UNIT_FRAMES as u64;
/// Units handed to the encoder at a time.
const BLOCK_FRAMES: usize = 4 * UNIT_FRAMES;
/// The least bit rate of a channel in bit/s that is asked of the encoder.
const LEAST_CHANNEL_RATE: u32 = 8_000;

pub(super) struct M4aEncoder<S: Sink> {
    sink: BufWriter<S>,
    chunks: Chunks<Aac>,
    track: Track,
    clipped: u64,
}

impl<S: Sink> M4aEncoder<S> {
    pub(super) fn new(
        spec: &EncodeSpec,
        sink: S,
        workers: Option<Arc<dyn Workers>>,
    ) -> Result<Self, EncodeError> {
        let aac = Aac {
            spec: spec.clone(),
            order: channels::order(channels::AAC[spec.channels - 1], spec.channel_mask),
        };
        let track = Track::new(spec, aac.start()?.asc());
        let shape = Shape {
            frames: CHUNK_UNITS * UNIT_FRAMES,
            before: EARLY_UNITS * UNIT_FRAMES,
            after: UNITS_AHEAD * UNIT_FRAMES,
        };
        let mut sink = BufWriter::with_capacity(1 << 16, sink);
        sink.write_all(&mp4_boxes::head(spec.format))?;
        Ok(Self {
            sink,
            chunks: Chunks::new(aac, shape, spec.channels, workers),
            track,
            clipped: 0,
        })
    }
}

/// Writes units, and notes their lengths.
fn write_units(units: &Units, track: &mut Track, sink: &mut impl Write) -> Result<(), EncodeError> {
    units.lens.iter().for_each(|&len| track.add_unit(len));
    Ok(sink.write_all(&units.bytes)?)
}

impl<S: Sink> Encoder for M4aEncoder<S> {
    fn write(&mut self, samples: Samples<'_>) -> Result<(), EncodeError> {
        if let Samples::Float32(samples) = &samples {
            let beyond = samples
                .iter()
                .filter(|sample| sample.is_finite() && sample.abs() > 1.0);
            self.clipped += beyond.count() as u64;
        }
        let (sink, track) = (&mut self.sink, &mut self.track);
        self.chunks
            .push(&samples, |units| write_units(&units, track, sink))
    }

    fn finish(mut self: Box<Self>) -> Result<Encoded, EncodeError> {
        let (sink, track) = (&mut self.sink, &mut self.track);
        track.frames = self.chunks.frames();
        if track.frames > 0 {
            track.priming = PRIMING;
            self.chunks
                .finish(|units| write_units(&units, track, sink))?;
        }
        sink.write_all(&track.moov())?;
        sink.seek(SeekFrom::Start(mp4_boxes::DATA_LEN_AT))?;
        sink.write_all(&track.data_len().to_be_bytes())?;
        sink.flush()?;
        Ok(Encoded {
            frames: track.frames,
            clipped_samples: self.clipped,
        })
    }
}

/// Encoded units, one behind the other.
#[derive(Default)]
struct Units {
    bytes: Vec<u8>,
    lens: Vec<usize>,
}

/// Encodes chunks, each with an encoder of its own.
struct Aac {
    spec: EncodeSpec,
    /// For each channel of the encoder the one of the audio.
    order: Vec<usize>,
}

impl Aac {
    fn start(&self) -> Result<syom::Encoder, EncodeError> {
        // Of more than two channels, the encoder looks at no frame ahead.
        let options = EncodeOptions::raw()
            .with_bitrate_bps(bitrate(&self.spec))
            .with_lookahead(self.spec.channels <= 2);
        syom::Encoder::new(self.spec.sample_rate, self.spec.channels, &options).map_err(failure)
    }
}

impl ChunkEncoder for Aac {
    type Encoded = Units;

    fn encode(&self, chunk: Chunk) -> Result<Units, EncodeError> {
        let mut encoder = self.start()?;
        let mut units = Units::default();
        let mut early = chunk.before / UNIT_FRAMES;
        let most = if chunk.is_last {
            usize::MAX
        } else {
            CHUNK_UNITS
        };
        let mut take = |unit: EncodedFrame<'_>| {
            if early > 0 {
                early -= 1;
            } else if units.lens.len() < most {
                units.lens.push(unit.au.len());
                units.bytes.extend_from_slice(unit.au);
            }
            Ok(())
        };
        let mut planes = vec![Vec::with_capacity(BLOCK_FRAMES); self.order.len()];
        for block in chunk.samples.chunks(BLOCK_FRAMES * self.order.len()) {
            planes.iter_mut().for_each(Vec::clear);
            channels::deinterleave(&block.into(), &self.order, &mut planes);
            for sample in planes.iter_mut().flatten() {
                // The encoder gives up at any sample beyond full scale.
                *sample = sample.clamp(-1.0, 1.0);
            }
            let planes: Vec<&[f32]> = planes.iter().map(Vec::as_slice).collect();
            encoder.feed(&planes, &mut take).map_err(failure)?;
        }
        if chunk.is_last {
            encoder.finish(&mut take).map_err(failure)?;
        }
        Ok(units)
    }
}

/// Returns the bit rate of all channels in bit/s.
fn bitrate(spec: &EncodeSpec) -> u32 {
    let channels = spec.channels as u32;
    // A unit of 1024 frames has at most 6144 bits for each channel (ISO 14496-3, section 4.5.3).
    // The encoder damages tones when it is asked for all of them; five sixths are safe.
    let most = 5 * spec.sample_rate * channels;
    let wanted = match spec.quality {
        Some(quality) => (channels as f32 * 1000.0 * m4a_kbps(quality)) as u32,
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
