//! Ogg Opus files (RFC 7845).

use std::io::BufWriter;

use opus_pure::{
    Application, Error, MAX_PACKET_BYTES, OggOpusWriter, OpusHead, OpusMSEncoder, OpusTags,
};

use super::encoder::{EncodeError, Encoded, Encoder, Sink};
use super::limits::Limits;
use super::spec::EncodeSpec;
use crate::channels;
use crate::format::Format;
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

pub(super) struct OpusEncoder<S: Sink> {
    writer: OggOpusWriter<BufWriter<S>>,
    encoder: OpusMSEncoder,
    /// For each channel of Opus the one of the block.
    order: Vec<usize>,
    packet_frames: usize,
    /// What the granule position counts for one frame.
    ticks: u64,
    pre_skip: u64,
    frames: u64,
    /// Interleaved samples in the order of Opus that do not fill a packet yet.
    pending: Vec<f32>,
    packet: Vec<u8>,
}

impl<S: Sink> OpusEncoder<S> {
    pub(super) fn new(spec: &EncodeSpec, sink: S) -> Result<Self, EncodeError> {
        let family = u8::from(spec.channels > 2);
        let rate = spec.sample_rate as i32;
        let mut encoder =
            OpusMSEncoder::new(rate, spec.channels, family, Application::Audio).map_err(failure)?;
        encoder.set_bitrate(bitrate(spec));
        let head = OpusHead::for_ms_encoder(&encoder, spec.sample_rate);
        let pre_skip = head.pre_skip.into();
        let sink = BufWriter::with_capacity(1 << 16, sink);
        let packet_frames = (spec.sample_rate / PACKETS_PER_SECOND) as usize;
        Ok(Self {
            writer: OggOpusWriter::with_tags(sink, head, OpusTags::new()).map_err(failure)?,
            packet: vec![0; STREAM_BYTES * encoder.nb_streams()],
            encoder,
            order: channels::order(channels::VORBIS[spec.channels - 1], spec.channel_mask),
            packet_frames,
            ticks: (GRANULE_RATE / spec.sample_rate).into(),
            pre_skip,
            frames: 0,
            pending: Vec::with_capacity(packet_frames * spec.channels),
        })
    }

    /// Encodes the packet that is pending, which lasts `ticks` of the granule position.
    fn write_packet(&mut self, ticks: u64) -> Result<(), EncodeError> {
        let len = self
            .encoder
            .encode(&self.pending, self.packet_frames, &mut self.packet)
            .map_err(failure)?;
        self.pending.clear();
        self.writer
            .write_packet_with_duration(&self.packet[..len], ticks as u32)
            .map_err(failure)
    }
}

impl<S: Sink> Encoder for OpusEncoder<S> {
    fn write(&mut self, samples: Samples<'_>) -> Result<(), EncodeError> {
        let channels = self.order.len();
        let packet_len = self.packet_frames * channels;
        self.frames += (samples.len() / channels) as u64;
        let mut left = samples;
        while !left.is_empty() {
            let room = packet_len - self.pending.len();
            let (block, rest) = left.split_at(room);
            channels::reorder(&block, &self.order, &mut self.pending);
            left = rest;
            if self.pending.len() == packet_len {
                self.write_packet(self.packet_frames as u64 * self.ticks)?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Encoded, EncodeError> {
        // The encoder is some frames behind: silence brings the last of the audio out. Where the
        // audio ends is told by the last granule position (RFC 7845, section 4.4).
        let end = self.pre_skip + self.frames * self.ticks;
        let packet_ticks = self.packet_frames as u64 * self.ticks;
        let packet_len = self.packet_frames * self.order.len();
        loop {
            let left = end - self.writer.granule() as u64;
            self.pending.resize(packet_len, 0.0);
            self.write_packet(left.min(packet_ticks))?;
            if left <= packet_ticks {
                break;
            }
        }
        self.writer.finish().map_err(failure)?;
        Ok(Encoded {
            frames: self.frames,
            clipped_samples: 0,
        })
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
