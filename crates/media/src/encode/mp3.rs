//! MP3 files, with LAME.

use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::sync::Arc;

use audiostretchy_containers::mpeg;
use mp3lame_encoder::{
    Bitrate, Builder, FlushGap, FlushNoGap, InterleavedPcm, MonoPcm, Quality, VbrMode,
    max_required_buffer_size,
};

use super::chunks::{Chunk, ChunkEncoder, Chunks, Shape};
use super::encoder::{EncodeError, Encoded, Encoder, Sink};
use super::in_order::Workers;
use super::limits::Limits;
use super::mp3_info::InfoFrame;
use super::spec::EncodeSpec;
use crate::format::{EncoderEffort, Format};
use crate::samples::Samples;

/// MP3 holds mono and stereo.
pub(super) const LIMITS: Limits = Limits {
    channels: 2,
    depths: &[],
    sample_rate: nearest_sample_rate,
    layouts: &[],
};

/// The sample rates of MPEG 1, 2 and 2.5, in Hz.
const SAMPLE_RATES: [u32; 9] = [
    8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000,
];

/// MP3 frames of a chunk: about 10 s.
const CHUNK_FRAMES: usize = 384;
/// MP3 frames before a chunk that its encoder starts with.
const EARLY_FRAMES: usize = 8;
/// MP3 frames encoded at a time: bounds the buffer that LAME writes to.
const BLOCK_FRAMES: usize = 4;

/// Returns the lowest rate of MP3 that holds audio of a rate in Hz whole, or the highest there is.
///
/// LAME would silently resample other rates itself.
fn nearest_sample_rate(rate: u32) -> u32 {
    let [.., highest] = SAMPLE_RATES;
    let fits = |&allowed: &u32| allowed >= rate;
    SAMPLE_RATES.into_iter().find(fits).unwrap_or(highest)
}

pub(super) struct Mp3Encoder<S: Sink> {
    sink: BufWriter<S>,
    chunks: Chunks<Lame>,
    /// Stands at the head of the file.
    info: InfoFrame,
    written: Written,
}

/// What was written behind the info frame.
#[derive(Default)]
struct Written {
    bytes: u64,
    /// Where each MP3 frame begins, at a variable bit rate.
    places: Vec<u32>,
}

impl Written {
    fn add(&mut self, bytes: &[u8], info: InfoFrame) {
        if info.vbr.is_some() {
            let start = self.bytes as u32;
            let frames = mpeg::frames(bytes).map(|place| start + place as u32);
            self.places.extend(frames);
        }
        self.bytes += bytes.len() as u64;
    }
}

impl<S: Sink> Mp3Encoder<S> {
    pub(super) fn new(
        spec: &EncodeSpec,
        sink: S,
        workers: Option<Arc<dyn Workers>>,
    ) -> Result<Self, EncodeError> {
        let lame = Lame(spec.clone());
        // What it refuses, it refuses now.
        lame.start()?;
        let info = InfoFrame {
            sample_rate: spec.sample_rate,
            channels: spec.channels,
            vbr: spec.quality.map(vbr_number),
        };
        let frame = info.samples_per_frame() as usize;
        let shape = Shape {
            frames: CHUNK_FRAMES * frame,
            before: EARLY_FRAMES * frame,
            after: frame,
        };
        let mut sink = BufWriter::with_capacity(1 << 16, sink);
        sink.write_all(&vec![0; info.len()])?;
        Ok(Self {
            sink,
            chunks: Chunks::new(lame, shape, spec.channels, workers),
            info,
            written: Written::default(),
        })
    }
}

impl<S: Sink> Encoder for Mp3Encoder<S> {
    fn write(&mut self, samples: Samples<'_>) -> Result<(), EncodeError> {
        let (sink, written) = (&mut self.sink, &mut self.written);
        self.chunks.push(&samples, |bytes| {
            written.add(&bytes, self.info);
            Ok(sink.write_all(&bytes)?)
        })
    }

    fn finish(mut self: Box<Self>) -> Result<Encoded, EncodeError> {
        let (sink, written) = (&mut self.sink, &mut self.written);
        self.chunks.finish(|bytes| {
            written.add(&bytes, self.info);
            Ok(sink.write_all(&bytes)?)
        })?;
        // The frame with the length takes the place of an empty one at the head.
        let frames = self.chunks.frames();
        let head = self.info.bytes(frames, written.bytes, &written.places);
        sink.seek(SeekFrom::Start(0))?;
        sink.write_all(&head)?;
        sink.flush()?;
        Ok(Encoded {
            frames,
            clipped_samples: 0,
        })
    }
}

/// Encodes chunks, each with a LAME of its own.
struct Lame(EncodeSpec);

impl Lame {
    fn start(&self) -> Result<mp3lame_encoder::Encoder, EncodeError> {
        let spec = &self.0;
        let mut builder = Builder::new().ok_or_else(|| failure("out of memory"))?;
        builder
            .set_num_channels(spec.channels as u8)
            .map_err(failure)?;
        builder.set_sample_rate(spec.sample_rate).map_err(failure)?;
        let rate = spec.sample_rate.try_into().ok();
        builder.set_output_sample_rate(rate).map_err(failure)?;
        builder.set_to_write_vbr_tag(false).map_err(failure)?;
        builder
            .set_quality(match spec.encoder_effort {
                EncoderEffort::Fast => Quality::Good,
                EncoderEffort::Default => Quality::VeryNice,
                EncoderEffort::Best => Quality::NearBest,
            })
            .map_err(failure)?;
        match spec.quality {
            Some(quality) => {
                builder.set_vbr_mode(VbrMode::Mtrh).map_err(failure)?;
                builder
                    .set_vbr_quality(vbr_quality(quality))
                    .map_err(failure)?;
            }
            None => {
                let bitrate = nearest_bitrate(spec.bitrate_kbps, spec.sample_rate);
                builder.set_brate(bitrate).map_err(failure)?;
            }
        }
        builder.build().map_err(failure)
    }

    /// Encodes samples, and appends what comes out to `bytes`.
    fn feed(
        &self,
        lame: &mut mp3lame_encoder::Encoder,
        samples: &[f32],
        bytes: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let block = BLOCK_FRAMES * 1152;
        for samples in samples.chunks(block * self.0.channels) {
            bytes.reserve(max_required_buffer_size(block));
            match self.0.channels {
                1 => lame.encode_to_vec(MonoPcm(samples), bytes),
                _ => lame.encode_to_vec(InterleavedPcm(samples), bytes),
            }
            .map_err(failure)?;
        }
        Ok(())
    }
}

impl ChunkEncoder for Lame {
    type Encoded = Vec<u8>;

    fn encode(&self, chunk: Chunk) -> Result<Vec<u8>, EncodeError> {
        let mut lame = self.start()?;
        let mut bytes = Vec::new();
        let mut samples = &chunk.samples[..];
        if chunk.before > 0 {
            // A frame comes out when the one after it is there. All that is out then is emptied of
            // its reservoir of bits, and dropped.
            let frame = chunk.before / EARLY_FRAMES;
            let (early, rest) = samples.split_at((chunk.before + frame) * self.0.channels);
            self.feed(&mut lame, early, &mut bytes)?;
            bytes.reserve(max_required_buffer_size(0));
            lame.flush_to_vec::<FlushNoGap>(&mut bytes)
                .map_err(failure)?;
            bytes.clear();
            samples = rest;
        }
        self.feed(&mut lame, samples, &mut bytes)?;
        bytes.reserve(max_required_buffer_size(0));
        match chunk.is_last {
            // Without a gap, the last 2,000 frames of audio or so would be lost.
            true => lame.flush_to_vec::<FlushGap>(&mut bytes),
            false => lame.flush_to_vec::<FlushNoGap>(&mut bytes),
        }
        .map_err(failure)?;
        Ok(bytes)
    }
}

fn failure(error: impl std::fmt::Display) -> EncodeError {
    EncodeError::Codec {
        format: Format::Mp3,
        message: error.to_string(),
    }
}

/// Returns the bit rate nearest to `kbps` that exists at a sample rate in Hz (ISO 11172-3 and
/// 13818-3).
fn nearest_bitrate(kbps: u32, sample_rate: u32) -> Bitrate {
    use Bitrate::{
        Kbps8, Kbps16, Kbps24, Kbps32, Kbps40, Kbps48, Kbps64, Kbps80, Kbps96, Kbps112, Kbps128,
        Kbps160, Kbps192, Kbps224, Kbps256, Kbps320,
    };
    let allowed: &[Bitrate] = match sample_rate {
        0..16_000 => &[Kbps8, Kbps16, Kbps24, Kbps32, Kbps40, Kbps48, Kbps64],
        16_000..32_000 => &[
            Kbps8, Kbps16, Kbps24, Kbps32, Kbps40, Kbps48, Kbps64, Kbps80, Kbps96, Kbps112,
            Kbps128, Kbps160,
        ],
        _ => &[
            Kbps32, Kbps40, Kbps48, Kbps64, Kbps80, Kbps96, Kbps112, Kbps128, Kbps160, Kbps192,
            Kbps224, Kbps256, Kbps320,
        ],
    };
    let distance = |bitrate: &Bitrate| (*bitrate as u32).abs_diff(kbps);
    let nearest = allowed.iter().copied().min_by_key(distance);
    nearest.expect("the table has entries")
}

/// LAME's variable bit rate setting, V0 (best) to V9, of a quality from 0 to 10 (best).
fn vbr_number(quality: f32) -> u8 {
    ((10.0 - quality).round() as u8).min(9)
}

fn vbr_quality(quality: f32) -> Quality {
    match vbr_number(quality) {
        0 => Quality::Best,
        1 => Quality::SecondBest,
        2 => Quality::NearBest,
        3 => Quality::VeryNice,
        4 => Quality::Nice,
        5 => Quality::Good,
        6 => Quality::Decent,
        7 => Quality::Ok,
        8 => Quality::SecondWorst,
        _ => Quality::Worst,
    }
}
