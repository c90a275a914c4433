//! Ogg Vorbis files, with libvorbis (aoTuV).

use std::cell::RefCell;
use std::io::{self, BufWriter, Write};
use std::num::{NonZeroU8, NonZeroU32};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use vorbis_rs::{
    VorbisBitrateManagementStrategy as Strategy, VorbisEncoder as Library, VorbisEncoderBuilder,
    VorbisError,
};

use super::encoder::{EncodeError, Encoded, Encoder, Sink};
use super::limits::Limits;
use super::spec::EncodeSpec;
use crate::channels;
use crate::format::Format;
use crate::samples::Samples;

/// Vorbis fixes the speakers of up to 8 channels; the encoder goes up to 200 kHz.
///
/// Its set-ups below 15 kHz lose steady tones: a sine of 0.21 of a sample rate of 8, 9, 11 or 12
/// kHz comes out 30 dB too weak at any quality. From 16 kHz on it is right.
pub(super) const LIMITS: Limits = Limits {
    channels: 8,
    depths: &[],
    sample_rate: |rate| match rate {
        200_001.. => 192_000,
        _ => rate.max(16_000),
    },
    layouts: &channels::VORBIS,
};

/// Frames encoded at a time: more slow the encoder down. Always as many, whatever the blocks that
/// come in, because the encoder's output depends on it.
const BLOCK_FRAMES: usize = 4096;
/// The number of the stream within its file; the same in every run, so that output can be
/// reproduced.
const SERIAL: i32 = 1;
/// Step between bit rates that are tried, as a factor.
const BITRATE_STEP: f64 = 1.03;
/// Bit rates a channel of the qualities 0.0, 0.1 and so on up to 1.0, in bit/s, as the library
/// tells them of stereo at 44.1 kHz.
const QUALITY_RATES: [f64; 11] = [
    32e3, 40e3, 48e3, 56e3, 64e3, 80e3, 96e3, 112e3, 128e3, 160e3, 250e3,
];

/// What comes back from the encoding thread.
struct Reply {
    /// Encoded bytes.
    bytes: Vec<u8>,
    /// The channels of the block, to be filled again.
    planes: Vec<Vec<f32>>,
}

/// Encodes on a thread of its own, because the library's encoder cannot be sent to another.
///
/// The thread works only while this side waits: no more than one processor is taken.
pub(super) struct VorbisEncoder<S: Sink> {
    sink: BufWriter<S>,
    blocks: SyncSender<Vec<Vec<f32>>>,
    replies: Receiver<Result<Reply, VorbisError>>,
    /// For each channel of Vorbis the one of the block.
    order: Vec<usize>,
    /// Frames that wait for a block to be full.
    planes: Vec<Vec<f32>>,
    frames: u64,
}

impl<S: Sink> VorbisEncoder<S> {
    pub(super) fn new(spec: &EncodeSpec, sink: S) -> Result<Self, EncodeError> {
        let (blocks, blocks_of_thread) = sync_channel(1);
        let (replies_of_thread, replies) = sync_channel(1);
        let thread_spec = spec.clone();
        thread::Builder::new()
            .name("vorbis".into())
            .spawn(move || run(&thread_spec, &blocks_of_thread, &replies_of_thread))?;
        let mut this = Self {
            sink: BufWriter::with_capacity(1 << 16, sink),
            blocks,
            replies,
            order: channels::order(channels::VORBIS[spec.channels - 1], spec.channel_mask),
            planes: vec![Vec::new(); spec.channels],
            frames: 0,
        };
        let header = receive(&this.replies)?;
        this.sink.write_all(&header.bytes)?;
        Ok(this)
    }
}

impl<S: Sink> VorbisEncoder<S> {
    /// Encodes the frames in `planes`.
    fn encode(&mut self) -> Result<(), EncodeError> {
        self.frames += self.planes[0].len() as u64;
        // Where this fails, the thread has sent the reason.
        let _ = self.blocks.send(std::mem::take(&mut self.planes));
        let reply = receive(&self.replies)?;
        self.sink.write_all(&reply.bytes)?;
        self.planes = reply.planes;
        self.planes.iter_mut().for_each(Vec::clear);
        Ok(())
    }
}

impl<S: Sink> Encoder for VorbisEncoder<S> {
    fn write(&mut self, samples: Samples<'_>) -> Result<(), EncodeError> {
        let mut rest = samples;
        while !rest.is_empty() {
            let room = BLOCK_FRAMES - self.planes[0].len();
            let (block, after) = rest.split_at(room * self.order.len());
            channels::deinterleave(&block, &self.order, &mut self.planes);
            if self.planes[0].len() == BLOCK_FRAMES {
                self.encode()?;
            }
            rest = after;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Encoded, EncodeError> {
        if !self.planes[0].is_empty() {
            self.encode()?;
        }
        let Self {
            mut sink,
            blocks,
            replies,
            frames,
            ..
        } = *self;
        // The thread takes this as the end.
        drop(blocks);
        sink.write_all(&receive(&replies)?.bytes)?;
        sink.flush()?;
        Ok(Encoded {
            frames,
            clipped_samples: 0,
        })
    }
}

fn receive(replies: &Receiver<Result<Reply, VorbisError>>) -> Result<Reply, EncodeError> {
    let failure = |message| EncodeError::Codec {
        format: Format::Ogg,
        message,
    };
    let reply = replies
        .recv()
        .map_err(|_| failure("its thread ended early".into()))?;
    reply.map_err(|error| failure(error.to_string()))
}

/// Sends the header, then what becomes of each block, then the end.
fn run(
    spec: &EncodeSpec,
    blocks: &Receiver<Vec<Vec<f32>>>,
    replies: &SyncSender<Result<Reply, VorbisError>>,
) {
    let output = Output::default();
    let mut encoder = match start(spec, &output) {
        Ok(encoder) => encoder,
        Err(error) => {
            let _ = replies.send(Err(error));
            return;
        }
    };
    let header = output.take_reply(Vec::new());
    if replies.send(Ok(header)).is_err() {
        return;
    }
    while let Ok(planes) = blocks.recv() {
        let result = encoder.encode_audio_block(&planes);
        let reply = result.map(|()| output.take_reply(planes));
        let failed = reply.is_err();
        if replies.send(reply).is_err() || failed {
            return;
        }
    }
    let end = encoder.finish().map(|_| output.take_reply(Vec::new()));
    let _ = replies.send(end);
}

/// Starts the library's encoder at the wanted quality or the nearest bit rate that it has.
fn start(spec: &EncodeSpec, output: &Output) -> Result<Library<Output>, VorbisError> {
    if let Some(quality) = spec.quality {
        let target_quality = (quality / 10.0).clamp(0.0, 1.0);
        return build(spec, output, Strategy::QualityVbr { target_quality });
    }
    let wanted = f64::from(spec.bitrate_kbps) * 1000.0;
    let at = |factor: f64| {
        let target_bitrate = NonZeroU32::new((wanted * factor) as u32).unwrap_or(NonZeroU32::MIN);
        build(spec, output, Strategy::Vbr { target_bitrate })
    };
    let mut result = at(1.0);
    let mut factor = 1.0;
    // Which rates there are depends on the sample rate and the channels.
    while result.is_err() && factor < 100.0 {
        factor *= BITRATE_STEP;
        result = at(1.0 / factor).or_else(|_| at(factor));
    }
    // Above 50 kHz the library knows no bit rates at all.
    result.or_else(|_| {
        let target_quality = quality_of(wanted / spec.channels as f64);
        build(spec, output, Strategy::QualityVbr { target_quality })
    })
}

/// Returns the quality, 0 to 1, that comes near a rate in bit/s for each channel.
fn quality_of(rate: f64) -> f32 {
    let above = QUALITY_RATES.iter().position(|&known| known >= rate);
    match above {
        None => 1.0,
        Some(0) => 0.0,
        Some(above) => {
            let (low, high) = (QUALITY_RATES[above - 1], QUALITY_RATES[above]);
            ((above - 1) as f64 + (rate - low) / (high - low)) as f32 / 10.0
        }
    }
}

fn build(
    spec: &EncodeSpec,
    output: &Output,
    strategy: Strategy,
) -> Result<Library<Output>, VorbisError> {
    let rate = NonZeroU32::new(spec.sample_rate).unwrap_or(NonZeroU32::MIN);
    let channels = NonZeroU8::new(spec.channels as u8).unwrap_or(NonZeroU8::MIN);
    VorbisEncoderBuilder::new_with_serial(rate, channels, output.clone(), SERIAL)
        .bitrate_management_strategy(strategy)
        .build()
}

/// Collects what the library writes.
#[derive(Clone, Default)]
struct Output(Rc<RefCell<Vec<u8>>>);

impl Output {
    fn take_reply(&self, planes: Vec<Vec<f32>>) -> Reply {
        Reply {
            bytes: self.0.take(),
            planes,
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::quality_of;

    #[test]
    fn the_quality_grows_with_the_bit_rate() {
        assert_eq!(quality_of(1.0), 0.0);
        assert!((quality_of(60e3) - 0.35).abs() < 1e-6);
        assert!((quality_of(250e3) - 1.0).abs() < 1e-6);
        assert_eq!(quality_of(1e6), 1.0);
    }
}
