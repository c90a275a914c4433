//! A reader of FLAC files, for what Symphonia's refuses or silently drops: anything behind
//! the last frame, more frames than the header counts, blocks of changing sizes, frames numbered in
//! their encoder's own way, and another format, or file, from some frame on.
//!
//! As in RFC 9639. A frame ends where its checksum is right and another frame, or nothing, follows;
//! where something else follows, at the first right checksum up to which it can be decoded.

use symphonia::core::codecs::registry::RegisterableAudioDecoder;
use symphonia::default::codecs::FlacDecoder;
use symphonia_core::codecs::CodecParameters;
use symphonia_core::codecs::audio::well_known::CODEC_ID_FLAC;
use symphonia_core::codecs::audio::{AudioCodecParameters, AudioDecoderOptions, VerificationCheck};
use symphonia_core::errors::{Error, Result, SeekErrorKind};
use symphonia_core::formats::well_known::FORMAT_ID_FLAC;
use symphonia_core::formats::{
    FormatInfo, FormatReader, MediaInfo, SeekMode, SeekTo, SeekedTo, Track,
};
use symphonia_core::io::MediaSourceStream;
use symphonia_core::meta::{Metadata, MetadataLog};
use symphonia_core::packet::Packet;
use symphonia_core::units::{Duration, TimeBase, Timestamp};

use super::flac_frame::Header;
use super::lookahead::{BLOCK, Lookahead};
use crate::channels::vorbis_channels;
use audiostretchy_containers::crc::crc16_step;
use audiostretchy_containers::limits::absurd;

const MARKER: &[u8; 4] = b"fLaC";
const INFO_LEN: usize = 34;

/// The most bytes of a frame's header.
const MAX_HEADER: usize = 16;

/// Bytes searched without finding the end of a frame before giving up.
const MAX_WASTE: usize = 64 << 20;
/// So many of them are forgiven for each byte of a frame that is whole.
const FORGIVEN: usize = 16;

/// Places looked at on the way to another.
const MAX_SEEK_STEPS: u32 = 32;

static FORMAT: FormatInfo = FormatInfo {
    format: FORMAT_ID_FLAC,
    short_name: "flac",
    long_name: "Free Lossless Audio Codec",
};

/// Reads the frames of FLAC files; see the module's description.
pub(crate) struct FlacReader {
    source: Lookahead,
    format: Format,
    tracks: Vec<Track>,
    media_info: MediaInfo,
    metadata: MetadataLog,
    first_frame: u64,
    /// Where the next packet starts, in frames of audio.
    position: u64,
    /// Number and length of the last frame.
    last: Option<(u64, u64)>,
    /// Whether something was passed over since then.
    is_torn: bool,
    waste: usize,
}

/// What the header of a file says of its frames.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Format {
    rate: u32,
    channels: usize,
    bits: u32,
    /// Length of the audio in frames, if known.
    total: Option<u64>,
    md5: Option<[u8; 16]>,
}

impl Format {
    fn parse(info: &[u8; INFO_LEN]) -> Option<Self> {
        let packed = u64::from_be_bytes(*info[10..].first_chunk()?);
        let md5 = *info.last_chunk::<16>()?;
        let format = Self {
            rate: (packed >> 44) as u32,
            channels: (packed >> 41 & 7) as usize + 1,
            bits: (packed >> 36 & 31) as u32 + 1,
            total: Some(packed & 0xF_FFFF_FFFF).filter(|&total| total > 0),
            md5: Some(md5).filter(|md5| *md5 != [0; 16]),
        };
        (format.rate > 0 && format.bits >= 4).then_some(format)
    }

    /// Returns the header as the decoder is to see it: blocks may have any size.
    fn info(&self) -> [u8; INFO_LEN] {
        let mut info = [0; INFO_LEN];
        info[1] = 16;
        info[2..4].fill(0xFF);
        let packed = u64::from(self.rate) << 44
            | (self.channels as u64 - 1) << 41
            | u64::from(self.bits - 1) << 36
            | self.total.unwrap_or(0);
        info[10..18].copy_from_slice(&packed.to_be_bytes());
        info[18..].copy_from_slice(&self.md5.unwrap_or_default());
        info
    }

    fn params(&self) -> AudioCodecParameters {
        let mut params = AudioCodecParameters::new();
        params
            .for_codec(CODEC_ID_FLAC)
            .with_extra_data(Box::new(self.info()))
            .with_sample_rate(self.rate)
            .with_bits_per_sample(self.bits)
            .with_channels(vorbis_channels(self.channels));
        if let Some(md5) = self.md5 {
            params.with_verification_code(VerificationCheck::Md5(md5));
        }
        params
    }

    fn track(&self) -> Track {
        let mut track = Track::new(0);
        track.with_codec_params(CodecParameters::Audio(self.params()));
        if let Some(time_base) = TimeBase::try_from_recip(self.rate) {
            track.with_time_base(time_base);
        }
        if let Some(total) = self.total {
            track.with_num_frames(total).with_duration(total.into());
        }
        track
    }
}

impl FlacReader {
    /// Opens a stream at the start of a FLAC file.
    ///
    /// # Errors
    /// Returns an error if reading fails, or there is no valid header.
    pub(crate) fn open(stream: MediaSourceStream<'static>) -> Result<Self> {
        let mut this = Self {
            source: Lookahead::new(stream),
            format: Format::default(),
            tracks: Vec::new(),
            media_info: MediaInfo::new(),
            metadata: MetadataLog::default(),
            first_frame: 0,
            position: 0,
            last: None,
            is_torn: false,
            waste: 0,
        };
        this.read_header()?;
        this.first_frame = this.source.position();
        this.media_info = MediaInfo::from_track(&this.tracks[0]);
        Ok(this)
    }

    /// Reads the blocks in front of the audio, of which one tells its format.
    fn read_header(&mut self) -> Result<()> {
        self.source.skip(MARKER.len())?;
        let mut format = None;
        loop {
            self.source.fill(4)?;
            let Some(&head) = self.source.ahead().first_chunk::<4>() else {
                return Err(Error::IoError(std::io::ErrorKind::UnexpectedEof.into()));
            };
            self.source.skip(4)?;
            let len = u32::from_be_bytes([0, head[1], head[2], head[3]]) as usize;
            if head[0] & 0x7F == 0 && format.is_none() && len >= INFO_LEN {
                self.source.fill(INFO_LEN)?;
                format = self.source.ahead().first_chunk().and_then(Format::parse);
            }
            self.source.skip(len)?;
            if head[0] & 0x80 != 0 {
                break;
            }
        }
        let format = format.ok_or(Error::DecodeError("flac: no valid header"))?;
        self.start_format(format);
        Ok(())
    }

    fn start_format(&mut self, format: Format) {
        self.tracks = vec![format.track()];
        self.format = format;
        self.position = 0;
        self.last = None;
        self.is_torn = false;
    }

    /// Goes on to the next thing that looks like a frame or another file; `None` at the end.
    fn sync(&mut self) -> Result<Option<Next>> {
        loop {
            self.source.fill(MAX_HEADER)?;
            let ahead = self.source.ahead();
            if ahead.is_empty() {
                return Ok(None);
            }
            if ahead.starts_with(MARKER) {
                return Ok(Some(Next::File));
            }
            if let Some(header) = Header::parse(ahead) {
                return Ok(Some(Next::Frame(header)));
            }
            // Whatever follows starts with one of these.
            let rest = ahead[1..].iter();
            let step = rest.take_while(|byte| !matches!(byte, 0xFF | b'f')).count();
            self.source.consume(1 + step);
            self.is_torn = true;
        }
    }

    /// Returns the length in bytes of the frame of a header, if it is whole.
    fn frame_len(&mut self, header: &Header) -> Result<Option<usize>> {
        let bits = header.bits.unwrap_or(self.format.bits);
        let samples = header.block as usize * header.channels;
        let most = 4096 + 2 * samples * (bits as usize + 1) / 8;
        let (mut crc, mut at) = (0, 0);
        let mut maybe = Vec::new();
        loop {
            self.source.fill(at + BLOCK)?;
            let ahead = self.source.ahead();
            // What follows must be there to be looked at, unless the stream ends.
            let is_end = ahead.len() < at + BLOCK;
            let until = match is_end {
                true => ahead.len(),
                false => ahead.len() - MAX_HEADER,
            };
            for (place, &byte) in ahead[..until].iter().enumerate().skip(at) {
                crc = crc16_step(crc, byte);
                let len = place + 1;
                if crc == 0 && len > header.len + header.channels {
                    let next = &ahead[len..];
                    if next.is_empty() || next.starts_with(MARKER) || Header::parse(next).is_some()
                    {
                        return Ok(Some(len));
                    }
                    maybe.push(len);
                }
            }
            at = until;
            if is_end || at > most {
                break;
            }
        }
        // Once there are enough bytes to decode it, there are for all that follow.
        let first = maybe.partition_point(|&len| !self.takes(header, len - 2));
        if let Some(&len) = maybe.get(first)
            && !self.takes(header, len - 3)
        {
            return Ok(Some(len));
        }
        self.waste += at;
        match self.waste > MAX_WASTE {
            true => Err(absurd("FLAC: too much that only looks like audio").into()),
            false => Ok(None),
        }
    }

    /// Returns whether so many bytes, without those of the checksum, are enough to decode a frame.
    fn takes(&self, header: &Header, len: usize) -> bool {
        let format = self.format_of(header);
        let params = format.as_ref().unwrap_or(&self.format).params();
        let bytes = &self.source.ahead()[..len];
        let block = Duration::new(header.block.into());
        let frame = Packet::new(0, Timestamp::ZERO, block, bytes);
        FlacDecoder::try_registry_new(&params, &AudioDecoderOptions::default())
            .is_ok_and(|mut decoder| decoder.decode(&frame).is_ok())
    }

    /// Returns the format of a frame, if it is another than that of those before.
    fn format_of(&self, header: &Header) -> Option<Format> {
        let known = &self.format;
        let rate = header.rate.unwrap_or(known.rate);
        let is_other = (rate, header.channels) != (known.rate, known.channels);
        is_other.then(|| Format {
            rate,
            channels: header.channels,
            bits: header.bits.unwrap_or(known.bits),
            total: None,
            md5: None,
        })
    }

    fn go_to(&mut self, at: u64) -> Result<()> {
        self.last = None;
        self.source.go_to(at)
    }

    /// Where in the audio the next frame starts by its number, of a file of a length in frames of
    /// audio, and its length in bytes; `None` if there is none.
    fn next_frame(&mut self, total: u64) -> Result<Option<(u64, usize)>> {
        while let Some(Next::Frame(header)) = self.sync()? {
            if let Some(len) = self.frame_len(&header)? {
                let counted = header.number.saturating_mul(header.block.into());
                let by_sample = header.is_variable || counted > total;
                return Ok(Some((if by_sample { header.number } else { counted }, len)));
            }
            self.source.consume(1);
        }
        Ok(None)
    }

    /// Frames of audio that are missing in front of a frame behind a damaged place.
    fn lost_before(&self, header: &Header) -> u64 {
        if !self.is_torn {
            return 0;
        }
        let Some((number, len)) = self.last else {
            let len = if header.is_variable { 1 } else { header.block };
            return header.number.saturating_mul(len.into());
        };
        // Blocks of changing sizes are numbered by their first sample, which old encoders do
        // silently; all others are counted. If the first is 0, either is possible.
        let by_sample = header.number.saturating_sub(number + len);
        let by_block = (header.number.saturating_sub(number + 1)).saturating_mul(len);
        match header.is_variable || number > 0 && number == self.position - len {
            true => by_sample,
            false if number == 0 => by_sample.min(by_block),
            false => by_block,
        }
    }
}

enum Next {
    Frame(Header),
    File,
}

impl FormatReader for FlacReader {
    fn format_info(&self) -> &FormatInfo {
        &FORMAT
    }

    fn media_info(&self) -> &MediaInfo {
        &self.media_info
    }

    fn metadata(&mut self) -> Metadata<'_> {
        self.metadata.metadata()
    }

    /// Goes to about the place wanted.
    fn seek(&mut self, _: SeekMode, to: SeekTo) -> Result<SeekedTo> {
        let unseekable = Error::SeekError(SeekErrorKind::Unseekable);
        let (Some(len), Some(total)) = (self.source.byte_len(), self.format.total) else {
            return Err(unseekable);
        };
        let time = match to {
            SeekTo::Timestamp { ts, .. } => Some(ts),
            SeekTo::Time { time, .. } => {
                (self.tracks[0].time_base).and_then(|base| base.calc_timestamp(time))
            }
        };
        let time = time.ok_or(unseekable)?;
        let wanted = u64::try_from(time.get()).unwrap_or(0).min(total);
        let (mut low, mut high) = ((self.first_frame, 0), (len, total));
        for step in 0..MAX_SEEK_STEPS {
            if high.0 - low.0 < 2 * BLOCK as u64 {
                break;
            }
            // By time, or where that leads nowhere, by halves.
            let fraction = match step % 2 {
                0 => (wanted - low.1) as f64 / (high.1 - low.1).max(1) as f64,
                _ => 0.5,
            };
            let at = low.0 + ((high.0 - low.0) as f64 * fraction) as u64;
            self.go_to(at)?;
            match self.next_frame(total)? {
                Some((start, _)) if start <= wanted => low = (at, start),
                Some((start, _)) => high = (at, start),
                None => high = (at, total),
            }
        }
        self.go_to(low.0)?;
        self.position = low.1;
        while let Some((start, frame_len)) = self.next_frame(total)? {
            self.position = start;
            if start + u64::from(self.format.rate) / 10 >= wanted {
                break;
            }
            self.source.consume(frame_len);
        }
        Ok(SeekedTo {
            track_id: 0,
            required_ts: time,
            actual_ts: Timestamp::new(self.position.cast_signed()),
        })
    }

    fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn next_packet(&mut self) -> Result<Option<Packet>> {
        let mut is_cut = false;
        loop {
            let header = match self.sync()? {
                Some(Next::Frame(header)) => header,
                Some(Next::File) => match self.read_header() {
                    Ok(()) => return Err(Error::ResetRequired),
                    // Bytes that only look like another file, or the start of one.
                    Err(Error::DecodeError(_)) => continue,
                    Err(error) => return Err(error),
                },
                None if is_cut => {
                    return Err(Error::IoError(std::io::ErrorKind::UnexpectedEof.into()));
                }
                None => return Ok(None),
            };
            let Some(len) = self.frame_len(&header)? else {
                self.source.consume(1);
                self.is_torn = true;
                is_cut = true;
                continue;
            };
            if let Some(format) = self.format_of(&header) {
                self.start_format(format);
                return Err(Error::ResetRequired);
            }
            self.position = self.position.saturating_add(self.lost_before(&header));
            let block = u64::from(header.block);
            let packet = Packet::new(
                0,
                Timestamp::new(self.position.cast_signed()),
                Duration::new(block),
                &self.source.ahead()[..len],
            );
            self.source.consume(len);
            self.position = self.position.saturating_add(block);
            self.last = Some((header.number, block));
            self.waste = self.waste.saturating_sub(FORGIVEN * len);
            self.is_torn = false;
            return Ok(Some(packet));
        }
    }

    fn into_inner<'s>(self: Box<Self>) -> MediaSourceStream<'s>
    where
        Self: 's,
    {
        self.source.into_inner()
    }
}
