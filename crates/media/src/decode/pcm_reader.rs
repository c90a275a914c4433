//! A reader of uncompressed audio in WAV, RIFX, RF64, BW64, Sony Wave64 and AU (Sun/NeXT) files.
//!
//! Symphonia reads WAV only, and of that not everything: A-law and mu-law in the extensible form,
//! or data whose size a pipe could not fill in. Formats are as in EBU Tech 3306 (RF64), ITU-R
//! BS.2088 (BW64), Sony's "Wave64 File Format" and the Solaris `au(4)` manual page.

use std::io::{Read, Seek, SeekFrom};

use symphonia_core::audio::{Channels, Position};
use symphonia_core::codecs::CodecParameters;
use symphonia_core::codecs::audio::{AudioCodecId, AudioCodecParameters, well_known::*};
use symphonia_core::errors::{Error, Result, SeekErrorKind};
use symphonia_core::formats::{
    FormatId, FormatInfo, FormatReader, MediaInfo, SeekMode, SeekTo, SeekedTo, Track,
};
use symphonia_core::io::{MediaSource, MediaSourceStream, ReadBytes};
use symphonia_core::meta::{Metadata, MetadataLog};
use symphonia_core::packet::Packet;
use symphonia_core::units::{Duration, TimeBase, Timestamp};

use audiostretchy_containers::limits::MAX_CHUNKS;

/// Frames in a packet; with the most channels that are decoded it takes two megabytes.
const PACKET_FRAMES: u64 = 4096;

/// The size of an AU file's data when it is not known.
const UNKNOWN: u64 = 0xffff_ffff;

/// From here on, sizes of 64 bits are those of programs that do not know them yet.
const LEAST_UNKNOWN_64: u64 = 1 << 62;

/// The last twelve bytes of Wave64's chunk names that stand for RIFF's (all but "riff" itself).
const W64_TAIL: [u8; 12] = [
    0xf3, 0xac, 0xd3, 0x11, 0x8c, 0xd1, 0x00, 0xc0, 0x4f, 0x8e, 0xdb, 0x8a,
];

/// The same of Wave64's first chunk.
const W64_RIFF_TAIL: [u8; 12] = [
    0x2e, 0x91, 0xcf, 0x11, 0xa5, 0xd6, 0x28, 0xdb, 0x04, 0xc1, 0x00, 0x00,
];

/// The tail of the GUIDs that WAVE_FORMAT_EXTENSIBLE puts a format tag in.
const SUBFORMAT_TAIL: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

/// Reads PCM packets; see the module's description.
pub(crate) struct PcmReader {
    stream: MediaSourceStream<'static>,
    info: FormatInfo,
    media_info: MediaInfo,
    tracks: Vec<Track>,
    metadata: MetadataLog,
    bytes_per_frame: u64,
    /// Frames still to be read; `None`: to the end of the file.
    frames_left: Option<u64>,
    position: u64,
}

/// How chunks are written: RIFX is RIFF with the highest byte first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Riff,
    Rifx,
    Wave64,
}

/// What the header tells.
struct Layout {
    codec: AudioCodecId,
    sample_rate: u32,
    channels: u16,
    /// Speakers, if named.
    mask: u32,
    bytes_per_sample: u16,
    /// Significant bits of a sample.
    bits: u32,
    /// Size of the data in bytes, if known. Filled in by the container.
    data: Option<u64>,
}

impl PcmReader {
    /// Opens a stream at its start if it is such a file with audio that is not compressed;
    /// otherwise gives it back, at its start again.
    ///
    /// # Errors
    /// Returns an error if it is such a file, but damaged or of an unknown kind.
    pub(crate) fn open(
        mut stream: MediaSourceStream<'static>,
    ) -> Result<std::result::Result<Self, MediaSourceStream<'static>>> {
        let mut magic = [0; 12];
        let read = read_up_to(&mut stream, &mut magic)?;
        let layout = match &magic[..read] {
            [b'R', b'I', b'F', b'F' | b'X', .., b'W', b'A', b'V', b'E'] => {
                let kind = if magic[3] == b'X' {
                    Kind::Rifx
                } else {
                    Kind::Riff
                };
                chunks(&mut stream, kind).map(|layout| layout.map(|l| ("wave", "WAVE", l)))
            }
            [b'R', b'F', b'6', b'4', .., b'W', b'A', b'V', b'E']
            | [b'B', b'W', b'6', b'4', .., b'W', b'A', b'V', b'E'] => {
                chunks(&mut stream, Kind::Riff)
                    .map(|layout| layout.map(|l| ("rf64", "RF64 WAVE", l)))
            }
            [b'r', b'i', b'f', b'f', tail @ ..] if tail == &W64_RIFF_TAIL[..8] => {
                stream.ignore_bytes(28)?;
                chunks(&mut stream, Kind::Wave64).map(|layout| layout.map(|l| ("w64", "Wave64", l)))
            }
            [b'.', b's', b'n', b'd', ..] => {
                stream.seek(SeekFrom::Start(4))?;
                au(&mut stream).map(|layout| Some(("au", "AU (Sun/NeXT)", layout)))
            }
            _ => Ok(None),
        };
        match layout? {
            Some((short_name, long_name, layout)) => {
                let info = FormatInfo {
                    format: FormatId::new(symphonia_core::common::FourCc::new(*b"pcm ")),
                    short_name,
                    long_name,
                };
                Self::new(stream, info, layout).map(Ok)
            }
            None => {
                stream.seek(SeekFrom::Start(0))?;
                Ok(Err(stream))
            }
        }
    }

    fn new(stream: MediaSourceStream<'static>, info: FormatInfo, layout: Layout) -> Result<Self> {
        let channels = match Position::from_bits(layout.mask.into()) {
            Some(positions) if layout.mask.count_ones() == u32::from(layout.channels) => {
                Channels::Positioned(positions)
            }
            _ => Channels::Discrete(layout.channels),
        };
        let bytes_per_frame = u64::from(layout.bytes_per_sample) * u64::from(layout.channels);
        let time_base = TimeBase::try_from_recip(layout.sample_rate);
        if bytes_per_frame == 0 || time_base.is_none() {
            return Err(Error::DecodeError("pcm: impossible channels or rate"));
        }
        let frames = layout.data.map(|bytes| bytes / bytes_per_frame);
        let mut params = AudioCodecParameters::new();
        params
            .for_codec(layout.codec)
            .with_sample_rate(layout.sample_rate)
            .with_channels(channels)
            .with_bits_per_sample(layout.bits)
            .with_max_frames_per_packet(PACKET_FRAMES);
        let mut track = Track::new(0);
        track.with_codec_params(CodecParameters::Audio(params));
        if let Some(frames) = frames {
            track.with_num_frames(frames).with_duration(frames.into());
        }
        Ok(Self {
            stream,
            info,
            media_info: MediaInfo::from_track(&track),
            tracks: vec![track],
            metadata: MetadataLog::default(),
            bytes_per_frame,
            frames_left: frames,
            position: 0,
        })
    }
}

impl FormatReader for PcmReader {
    fn format_info(&self) -> &FormatInfo {
        &self.info
    }

    fn media_info(&self) -> &MediaInfo {
        &self.media_info
    }

    fn metadata(&mut self) -> Metadata<'_> {
        self.metadata.metadata()
    }

    fn seek(&mut self, _: SeekMode, _: SeekTo) -> Result<SeekedTo> {
        Err(Error::SeekError(SeekErrorKind::Unseekable))
    }

    fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn next_packet(&mut self) -> Result<Option<Packet>> {
        let frames = self.frames_left.unwrap_or(u64::MAX).min(PACKET_FRAMES);
        let mut data = vec![0; (frames * self.bytes_per_frame) as usize];
        let read = read_up_to(&mut self.stream, &mut data)? as u64;
        let frames = read / self.bytes_per_frame;
        if frames == 0 {
            return Ok(None);
        }
        data.truncate((frames * self.bytes_per_frame) as usize);
        let packet = Packet::new(
            0,
            Timestamp::new(self.position.cast_signed()),
            Duration::new(frames),
            data,
        );
        self.position += frames;
        if let Some(left) = &mut self.frames_left {
            *left -= frames;
        }
        Ok(Some(packet))
    }

    fn into_inner<'s>(self: Box<Self>) -> MediaSourceStream<'s>
    where
        Self: 's,
    {
        self.stream
    }
}

/// Reads until the buffer is full or the file ends; returns the number of bytes read.
fn read_up_to(stream: &mut MediaSourceStream<'_>, buffer: &mut [u8]) -> Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match stream.read(&mut buffer[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

/// Reads chunks up to the audio data of a RIFF or Wave64 file; `None` if the audio is compressed.
fn chunks(stream: &mut MediaSourceStream<'_>, kind: Kind) -> Result<Option<Layout>> {
    let mut layout = None;
    let mut ds64_data = None;
    for _ in 0..MAX_CHUNKS {
        let (name, size) = chunk_header(stream, kind)?;
        match (&name, &mut layout) {
            (b"fmt ", None) => match format(stream, size, kind == Kind::Rifx)? {
                Some(read) => layout = Some(read),
                None => return Ok(None),
            },
            (b"ds64", _) if size >= 24 => {
                stream.ignore_bytes(8)?;
                ds64_data = Some(stream.read_u64()?);
                stream.ignore_bytes(size - 16)?;
            }
            (b"data", Some(_)) => {
                let (size, is_64_bit) = match ds64_data {
                    Some(real) if size == UNKNOWN => (real, true),
                    _ => (size, kind == Kind::Wave64),
                };
                let is_known = !is_placeholder(stream, size, is_64_bit)?;
                let size = is_known.then_some(size);
                let mut layout = layout.take();
                if let Some(layout) = &mut layout {
                    layout.data = size;
                }
                return Ok(layout);
            }
            (b"data", None) => return Err(Error::DecodeError("wave: data before format")),
            _ => stream.ignore_bytes(size)?,
        }
        // RIFF pads chunks to two bytes, Wave64 to eight.
        let padding = if kind == Kind::Wave64 {
            size.wrapping_neg() % 8
        } else {
            size % 2
        };
        stream.ignore_bytes(padding)?;
    }
    Err(Error::DecodeError("wave: no audio data among the chunks"))
}

/// Returns the name of a chunk and the size of its content.
fn chunk_header(stream: &mut MediaSourceStream<'_>, kind: Kind) -> Result<([u8; 4], u64)> {
    let name = stream.read_quad_bytes()?;
    match kind {
        Kind::Riff => return Ok((name, u64::from(stream.read_u32()?))),
        Kind::Rifx => return Ok((name, u64::from(stream.read_be_u32()?))),
        Kind::Wave64 => {}
    }
    let mut tail = [0; 12];
    stream.read_exact(&mut tail)?;
    let size = stream.read_u64()?.checked_sub(24);
    let size = size.ok_or(Error::DecodeError("w64: chunk too small"))?;
    Ok((if tail == W64_TAIL { name } else { [0; 4] }, size))
}

/// Returns whether a size of audio data is what programs write that do not know it yet, rather than
/// a size.
fn is_placeholder(stream: &mut MediaSourceStream<'_>, size: u64, is_64_bit: bool) -> Result<bool> {
    let left = stream
        .byte_len()
        .map(|len| len.saturating_sub(stream.pos()));
    // Sizes near 2^32 - 1, and near 2^31 - 1 as written by sox.
    let looks_unknown = match is_64_bit {
        true => size >= LEAST_UNKNOWN_64,
        false => size >= UNKNOWN - 0x1000 || (0x7fff_f000 - 0x1000..=0x7fff_ffff).contains(&size),
    };
    if size != 0 {
        return Ok(looks_unknown && left.is_none_or(|left| size > left));
    }
    // A size of 0: audio follows, or another chunk, or nothing.
    let Some(left) = left.filter(|&left| left >= 8) else {
        return Ok(false);
    };
    let name = stream.read_quad_bytes()?;
    let next = u64::from(stream.read_u32()?);
    stream.seek(SeekFrom::Current(-8))?;
    let is_chunk = name.iter().all(|byte| (0x20..0x7f).contains(byte)) && next + 8 <= left;
    Ok(!is_chunk)
}

/// Reads the content of a format chunk; `None` for compressed audio.
fn format(
    stream: &mut MediaSourceStream<'_>,
    size: u64,
    is_big_endian: bool,
) -> Result<Option<Layout>> {
    // The extensible form takes 40 bytes; what may follow means nothing.
    let mut bytes = [0; 40];
    let kept = size.min(40) as usize;
    if kept < 16 {
        return Err(Error::DecodeError("wave: format chunk too small"));
    }
    stream.read_exact(&mut bytes[..kept])?;
    stream.ignore_bytes(size - kept as u64)?;
    let u16_at = |at: usize| match is_big_endian {
        true => u16::from_be_bytes([bytes[at], bytes[at + 1]]),
        false => u16::from_le_bytes([bytes[at], bytes[at + 1]]),
    };
    let u32_at = |at: usize| match is_big_endian {
        true => u32::from(u16_at(at)) << 16 | u32::from(u16_at(at + 2)),
        false => u32::from(u16_at(at)) | u32::from(u16_at(at + 2)) << 16,
    };
    let channels = u16_at(2);
    let container_bits = u16_at(14);
    let mut tag = u16_at(0);
    let mut mask = match channels {
        1 => Position::FRONT_CENTER.bits() as u32,
        2 => (Position::FRONT_LEFT | Position::FRONT_RIGHT).bits() as u32,
        _ => 0,
    };
    let mut bits = u32::from(container_bits);
    if tag == 0xfffe {
        if kept < 40 || bytes[26..40] != SUBFORMAT_TAIL {
            return Ok(None);
        }
        tag = u16_at(24);
        mask = u32_at(20);
        // Fewer valid bits than the container's are at its upper end: the values stay the same.
        if (1..bits).contains(&u32::from(u16_at(18))) {
            bits = u32::from(u16_at(18));
        }
    }
    let codec = match (tag, container_bits) {
        (1, 1..=8) => CODEC_ID_PCM_U8,
        (1, 9..=16) => CODEC_ID_PCM_S16LE,
        (1, 17..=24) => CODEC_ID_PCM_S24LE,
        (1, 25..=32) => CODEC_ID_PCM_S32LE,
        (3, 32) => CODEC_ID_PCM_F32LE,
        (3, 64) => CODEC_ID_PCM_F64LE,
        (6, _) => CODEC_ID_PCM_ALAW,
        (7, _) => CODEC_ID_PCM_MULAW,
        _ => return Ok(None),
    };
    let codec = match codec {
        CODEC_ID_PCM_S16LE if is_big_endian => CODEC_ID_PCM_S16BE,
        CODEC_ID_PCM_S24LE if is_big_endian => CODEC_ID_PCM_S24BE,
        CODEC_ID_PCM_S32LE if is_big_endian => CODEC_ID_PCM_S32BE,
        CODEC_ID_PCM_F32LE if is_big_endian => CODEC_ID_PCM_F32BE,
        CODEC_ID_PCM_F64LE if is_big_endian => CODEC_ID_PCM_F64BE,
        codec => codec,
    };
    let (bytes_per_sample, bits) = match codec {
        // Decoded to 16 bits.
        CODEC_ID_PCM_ALAW | CODEC_ID_PCM_MULAW => (1, 16),
        CODEC_ID_PCM_F32LE | CODEC_ID_PCM_F32BE | CODEC_ID_PCM_F64LE | CODEC_ID_PCM_F64BE => {
            (container_bits / 8, container_bits.into())
        }
        _ => (container_bits.div_ceil(8), bits),
    };
    Ok(Some(Layout {
        codec,
        sample_rate: u32_at(4),
        channels,
        mask,
        bytes_per_sample,
        bits,
        data: None,
    }))
}

/// Reads the header of an AU file after its magic number and skips to the audio data.
fn au(stream: &mut MediaSourceStream<'_>) -> Result<Layout> {
    let data_at = u64::from(stream.read_be_u32()?);
    let size = u64::from(stream.read_be_u32()?);
    let encoding = stream.read_be_u32()?;
    let sample_rate = stream.read_be_u32()?;
    let channels = stream.read_be_u32()?;
    let (codec, bytes_per_sample, bits) = match encoding {
        1 => (CODEC_ID_PCM_MULAW, 1, 16),
        2 => (CODEC_ID_PCM_S8, 1, 8),
        3 => (CODEC_ID_PCM_S16BE, 2, 16),
        4 => (CODEC_ID_PCM_S24BE, 3, 24),
        5 => (CODEC_ID_PCM_S32BE, 4, 32),
        6 => (CODEC_ID_PCM_F32BE, 4, 32),
        7 => (CODEC_ID_PCM_F64BE, 8, 64),
        27 => (CODEC_ID_PCM_ALAW, 1, 16),
        _ => return Err(Error::Unsupported("au: compressed audio")),
    };
    stream.ignore_bytes(data_at.saturating_sub(24))?;
    let mask = match channels {
        1 => Position::FRONT_CENTER.bits() as u32,
        2 => (Position::FRONT_LEFT | Position::FRONT_RIGHT).bits() as u32,
        _ => 0,
    };
    Ok(Layout {
        codec,
        sample_rate,
        channels: u16::try_from(channels).unwrap_or(u16::MAX),
        mask,
        bytes_per_sample,
        bits,
        data: (size != UNKNOWN).then_some(size),
    })
}
