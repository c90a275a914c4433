//! MP3 files, with LAME.

use std::io::{BufWriter, Seek, SeekFrom, Write};

use mp3lame_encoder::{
    Bitrate, Builder, EncoderInput, FlushGap, InterleavedPcm, MonoPcm, Quality, VbrMode,
    max_required_buffer_size,
};

use super::encoder::{EncodeError, Encoded, Encoder, Sink};
use super::limits::Limits;
use super::mp3_info::InfoFrame;
use super::spec::EncodeSpec;
use crate::format::Format;
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

/// Frames encoded at a time: bounds the buffer that LAME writes to.
const BLOCK_FRAMES: usize = 4608;

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
    lame: mp3lame_encoder::Encoder,
    channels: usize,
    frames: u64,
    /// Stands at the head of files of a constant bit rate; LAME heads the others.
    info: Option<InfoFrame>,
    encoded_bytes: u64,
    /// Encoded bytes on their way to the sink.
    bytes: Vec<u8>,
}

impl<S: Sink> Mp3Encoder<S> {
    pub(super) fn new(spec: &EncodeSpec, sink: S) -> Result<Self, EncodeError> {
        let mut builder = Builder::new().ok_or_else(|| failure("out of memory"))?;
        builder
            .set_num_channels(spec.channels as u8)
            .map_err(failure)?;
        builder.set_sample_rate(spec.sample_rate).map_err(failure)?;
        let rate = spec.sample_rate.try_into().ok();
        builder.set_output_sample_rate(rate).map_err(failure)?;
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
                builder.set_to_write_vbr_tag(false).map_err(failure)?;
            }
        }
        let lame = builder.build().map_err(failure)?;
        let mut sink = BufWriter::with_capacity(1 << 16, sink);
        let info = spec.quality.is_none().then_some(InfoFrame {
            sample_rate: spec.sample_rate,
            channels: spec.channels,
        });
        if let Some(info) = info {
            sink.write_all(&vec![0; info.len()])?;
        }
        Ok(Self {
            sink,
            lame,
            info,
            encoded_bytes: 0,
            channels: spec.channels,
            frames: 0,
            bytes: Vec::with_capacity(max_required_buffer_size(BLOCK_FRAMES)),
        })
    }

    fn encode<'a, T>(&mut self, samples: &'a [T]) -> Result<(), EncodeError>
    where
        MonoPcm<'a, T>: EncoderInput,
        InterleavedPcm<'a, T>: EncoderInput,
    {
        for block in samples.chunks(BLOCK_FRAMES * self.channels) {
            let (lame, bytes) = (&mut self.lame, &mut self.bytes);
            match self.channels {
                1 => lame.encode_to_vec(MonoPcm(block), bytes),
                _ => lame.encode_to_vec(InterleavedPcm(block), bytes),
            }
            .map_err(failure)?;
            self.frames += (block.len() / self.channels) as u64;
            self.write_bytes()?;
        }
        Ok(())
    }

    fn write_bytes(&mut self) -> Result<(), EncodeError> {
        self.sink.write_all(&self.bytes)?;
        self.encoded_bytes += self.bytes.len() as u64;
        self.bytes.clear();
        Ok(())
    }
}

impl<S: Sink> Encoder for Mp3Encoder<S> {
    fn write(&mut self, samples: Samples<'_>) -> Result<(), EncodeError> {
        match samples {
            Samples::Int16(samples) => self.encode(&samples),
            Samples::Float32(samples) => self.encode(&samples),
        }
    }

    fn finish(mut self: Box<Self>) -> Result<Encoded, EncodeError> {
        // The flush without a gap would lose the last 2,000 frames or so.
        self.lame
            .flush_to_vec::<FlushGap>(&mut self.bytes)
            .map_err(failure)?;
        self.write_bytes()?;
        // The frame with the length takes the place of an empty one at the head.
        let head = match self.info {
            Some(info) => info.bytes(self.frames, self.encoded_bytes),
            None => {
                let mut tag = Vec::with_capacity(self.lame.lame_tag_size());
                self.lame.lame_tag_encode_to_vec(&mut tag);
                tag
            }
        };
        self.sink.seek(SeekFrom::Start(0))?;
        self.sink.write_all(&head)?;
        self.sink.flush()?;
        Ok(Encoded {
            frames: self.frames,
            clipped_samples: 0,
        })
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
fn vbr_quality(quality: f32) -> Quality {
    match (10.0 - quality).round() as u32 {
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
