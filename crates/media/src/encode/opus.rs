//! Ogg Opus files (RFC 7845).

use std::io::BufWriter;
use std::sync::Arc;

use opus_pure::{
    Application, Error, MAX_PACKET_BYTES, OggOpusWriter, OpusHead, OpusMSEncoder, OpusTags,
};

use super::chunks::{Chunk, ChunkEncoder, Chunks, Shape};
use super::encoder::{EncodeError, Encoded, Encoder, Sink};
use super::in_order::Workers;
use super::limits::Limits;
use super::spec::EncodeSpec;
use crate::channels;
use crate::format::{EncoderEffort, Format};
use crate::samples::Samples;

/// Opus holds 8 channels in Vorbis order (mapping family 1) at five sample rates.
pub(super) const LIMITS: Limits = Limits {
    channels: 8,
    depths: &[],
    sample_rate: |rate| match rate {
        8_000 | 12_000 | 16_000 | 24_000 => rate,
        _ => GRANULE_RATE,
    },
    layouts: &channels::VORBIS,
};

/// Positions in an Ogg Opus file count at this rate in Hz, whatever the audio's own.
const GRANULE_RATE: u32 = 48_000;
/// Packets a second: 20 ms each, as is usual for files.
const PACKETS_PER_SECOND: u32 = 50;
/// Bit rates in kbit/s of one channel between which the encoder has something to choose
/// (RFC 6716, section 2.1.1).
const CHANNEL_KBPS: (u32, u32) = (6, 256);
/// Room for the bytes of one stream's packet with its length in front.
const STREAM_BYTES: usize = MAX_PACKET_BYTES + 2;

/// Packets of a chunk: 30 s.
const CHUNK_PACKETS: usize = 1500;
/// Packets before a chunk that its encoder starts with: 1 s.
const EARLY_PACKETS: usize = 50;

pub(super) struct OpusEncoder<S: Sink> {
    writer: OggOpusWriter<BufWriter<S>>,
    chunks: Chunks<Opus>,
    /// What the granule position counts for one frame.
    ticks: u64,
    /// What it counts for one packet.
    packet_ticks: u64,
    pre_skip: u64,
}

impl<S: Sink> OpusEncoder<S> {
    pub(super) fn new(
        spec: &EncodeSpec,
        sink: S,
        workers: Option<Arc<dyn Workers>>,
    ) -> Result<Self, EncodeError> {
        let ticks = u64::from(GRANULE_RATE / spec.sample_rate);
        let mut opus = Opus {
            spec: spec.clone(),
            order: channels::order(channels::VORBIS[spec.channels - 1], spec.channel_mask),
            packet_frames: (spec.sample_rate / PACKETS_PER_SECOND) as usize,
            pre_skip: 0,
        };
        let head = OpusHead::for_ms_encoder(&opus.start()?, spec.sample_rate);
        let pre_skip = u64::from(head.pre_skip);
        opus.pre_skip = pre_skip.div_ceil(ticks) as usize;
        let sink = BufWriter::with_capacity(1 << 16, sink);
        let shape = Shape {
            frames: CHUNK_PACKETS * opus.packet_frames,
            before: EARLY_PACKETS * opus.packet_frames,
            after: 0,
        };
        Ok(Self {
            writer: OggOpusWriter::with_tags(sink, head, OpusTags::new()).map_err(failure)?,
            ticks,
            packet_ticks: opus.packet_frames as u64 * ticks,
            chunks: Chunks::new(opus, shape, spec.channels, workers),
            pre_skip,
        })
    }
}

impl<S: Sink> Encoder for OpusEncoder<S> {
    fn write(&mut self, samples: Samples<'_>) -> Result<(), EncodeError> {
        let (writer, ticks) = (&mut self.writer, self.packet_ticks);
        self.chunks.push(&samples, |packets| {
            packets.iter().try_for_each(|packet| {
                (writer.write_packet_with_duration(packet, ticks as u32)).map_err(failure)
            })
        })
    }

    fn finish(mut self: Box<Self>) -> Result<Encoded, EncodeError> {
        // Where the audio ends is told by the last granule position (RFC 7845, section 4.4).
        let frames = self.chunks.frames();
        let end = self.pre_skip + frames * self.ticks;
        let (writer, ticks) = (&mut self.writer, self.packet_ticks);
        self.chunks.finish(|packets| {
            packets.iter().try_for_each(|packet| {
                let left = end.saturating_sub(writer.granule() as u64);
                let ticks = ticks.min(left) as u32;
                (writer.write_packet_with_duration(packet, ticks)).map_err(failure)
            })
        })?;
        self.writer.finish().map_err(failure)?;
        Ok(Encoded {
            frames,
            clipped_samples: 0,
        })
    }
}

/// Encodes chunks, each with an encoder of its own.
struct Opus {
    spec: EncodeSpec,
    /// For each channel of Opus the one of the audio.
    order: Vec<usize>,
    packet_frames: usize,
    /// Frames by which the encoder is behind.
    pre_skip: usize,
}

impl Opus {
    fn start(&self) -> Result<OpusMSEncoder, EncodeError> {
        let spec = &self.spec;
        let family = u8::from(spec.channels > 2);
        let rate = spec.sample_rate as i32;
        let mut encoder =
            OpusMSEncoder::new(rate, spec.channels, family, Application::Audio).map_err(failure)?;
        encoder.set_bitrate(bitrate(spec));
        for stream in encoder.streams_mut() {
            stream.complexity = match spec.encoder_effort {
                EncoderEffort::Fast => 5,
                EncoderEffort::Default => 9,
                EncoderEffort::Best => 10,
            };
        }
        Ok(encoder)
    }
}

impl ChunkEncoder for Opus {
    /// Packets.
    type Encoded = Vec<Vec<u8>>;

    fn encode(&self, chunk: Chunk) -> Result<Self::Encoded, EncodeError> {
        let mut encoder = self.start()?;
        let mut frames = chunk.samples.len() / self.order.len();
        if chunk.is_last {
            // Silence brings the last of the audio out.
            frames += self.pre_skip;
        }
        let early = chunk.before / self.packet_frames;
        let count = frames.div_ceil(self.packet_frames).max(1);
        let packet_len = self.packet_frames * self.order.len();
        let mut blocks = chunk.samples.chunks(packet_len);
        let mut samples = Vec::with_capacity(packet_len);
        let mut packet = vec![0; STREAM_BYTES * encoder.nb_streams()];
        let mut packets = Vec::with_capacity(count - early);
        for number in 0..count {
            samples.clear();
            let block = blocks.next().unwrap_or_default();
            channels::reorder(&block.into(), &self.order, &mut samples);
            samples.resize(packet_len, 0.0);
            let len = encoder
                .encode(&samples, self.packet_frames, &mut packet)
                .map_err(failure)?;
            if number >= early {
                packets.push(packet[..len].to_vec());
            }
        }
        Ok(packets)
    }
}

/// Returns the bit rate of all channels in bit/s.
fn bitrate(spec: &EncodeSpec) -> i32 {
    let channels = spec.channels as u32;
    let (least, most) = (CHANNEL_KBPS.0 * channels, CHANNEL_KBPS.1 * channels);
    let kbps = match spec.quality {
        // Opus has no quality scale: from 16 to 160 kbit/s a channel in even steps.
        Some(quality) => (channels as f32 * (16.0 + 14.4 * quality)) as u32,
        None => spec.bitrate_kbps,
    };
    1000 * kbps.clamp(least, most) as i32
}

fn failure(error: Error) -> EncodeError {
    match error {
        Error::Io(error) => EncodeError::Io(error),
        other => EncodeError::Codec {
            format: Format::Opus,
            message: other.to_string(),
        },
    }
}
