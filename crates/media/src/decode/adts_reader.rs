//! A reader of AAC in ADTS frames that follows changes of their format, which Symphonia's drops.
//!
//! Frames are as in ISO/IEC 13818-7, section 6.2.

use symphonia_core::audio::Channels;
use symphonia_core::codecs::CodecParameters;
use symphonia_core::codecs::audio::AudioCodecParameters;
use symphonia_core::codecs::audio::well_known::CODEC_ID_AAC;
use symphonia_core::errors::{Error, Result, SeekErrorKind};
use symphonia_core::formats::well_known::FORMAT_ID_ADTS;
use symphonia_core::formats::{
    FormatInfo, FormatReader, MediaInfo, SeekMode, SeekTo, SeekedTo, Track,
};
use symphonia_core::io::MediaSourceStream;
use symphonia_core::meta::{Metadata, MetadataLog};
use symphonia_core::packet::Packet;
use symphonia_core::units::{Duration, TimeBase, Timestamp};

use super::lookahead::{BLOCK, Lookahead};
use audiostretchy_containers::mpeg::AAC_SAMPLE_RATES;

/// Frames of audio in a frame of ADTS.
const FRAMES: u64 = 1024;
/// The most bytes of a frame, and of the header of the next.
const MOST: usize = (1 << 13) + 16;

static FORMAT: FormatInfo = FormatInfo {
    format: FORMAT_ID_ADTS,
    short_name: "aac",
    long_name: "AAC in ADTS",
};

/// Reads the frames of an ADTS file; see the module's description.
pub(crate) struct AdtsReader {
    source: Lookahead,
    format: Format,
    tracks: Vec<Track>,
    media_info: MediaInfo,
    metadata: MetadataLog,
    /// Mean length of the first frames, in bytes.
    mean_len: f64,
    position: u64,
    /// Whether something was passed over before what comes next.
    is_torn: bool,
}

/// What headers say of the audio.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Format {
    /// In Hz.
    rate: u32,
    /// 0 if that is said within the frames.
    channels: u8,
}

struct Header {
    format: Format,
    /// In bytes.
    len: usize,
    frame_len: usize,
}

impl Header {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let [0xFF, second, third, fourth, fifth, sixth, seventh, ..] = *bytes else {
            return None;
        };
        let len = if second & 1 != 0 { 7 } else { 9 };
        let frame_len = usize::from(fourth & 3) << 11 | usize::from(fifth) << 3;
        let frame_len = frame_len | usize::from(sixth >> 5);
        let channels = (third & 1) << 2 | fourth >> 6;
        let rate = *AAC_SAMPLE_RATES.get(usize::from(third >> 2 & 15))?;
        // One block of audio: of more nothing tells where the second starts.
        let is_valid = second & 0xF6 == 0xF0 && frame_len > len && seventh & 3 == 0;
        is_valid.then_some(Self {
            format: Format { rate, channels },
            len,
            frame_len,
        })
    }
}

impl AdtsReader {
    /// Opens a stream at its first frame.
    ///
    /// # Errors
    /// Returns an error if reading fails, or there is none.
    pub(crate) fn open(stream: MediaSourceStream<'static>) -> Result<Self> {
        let mut this = Self {
            source: Lookahead::new(stream),
            format: Format::default(),
            tracks: Vec::new(),
            media_info: MediaInfo::new(),
            metadata: MetadataLog::default(),
            mean_len: 0.0,
            position: 0,
            is_torn: false,
        };
        this.source.fill(BLOCK)?;
        let Some(first) = Header::parse(this.source.ahead()) else {
            return Err(Error::Unsupported("adts: no frame"));
        };
        let (mut at, mut count) = (0, 0);
        while let Some(header) = Header::parse(this.source.ahead().get(at..).unwrap_or_default()) {
            at += header.frame_len;
            count += 1;
        }
        this.mean_len = at as f64 / f64::from(count);
        let frames = (this.source.byte_len()).map(|len| (len as f64 / this.mean_len) as u64);
        this.start_format(first.format, frames.map(|frames| frames * FRAMES));
        this.media_info = MediaInfo::from_track(&this.tracks[0]);
        Ok(this)
    }

    fn start_format(&mut self, format: Format, frames: Option<u64>) {
        let mut params = AudioCodecParameters::new();
        params.for_codec(CODEC_ID_AAC).with_sample_rate(format.rate);
        let channels = [0, 1, 2, 3, 4, 5, 6, 8][usize::from(format.channels)];
        if channels > 0 {
            params.with_channels(Channels::Discrete(channels));
        }
        let mut track = Track::new(0);
        track.with_codec_params(CodecParameters::Audio(params));
        if let Some(time_base) = TimeBase::try_from_recip(format.rate) {
            track.with_time_base(time_base);
        }
        if let Some(frames) = frames {
            track.with_num_frames(frames).with_duration(frames.into());
        }
        self.format = format;
        self.tracks = vec![track];
        self.position = 0;
    }

    /// Returns the header of the next whole frame; `None` at the end.
    ///
    /// Behind a torn place, and where the format changes, a frame is believed in if another follows
    /// it, or the end.
    fn sync(&mut self) -> Result<Option<Header>> {
        loop {
            self.source.fill(MOST)?;
            let ahead = self.source.ahead();
            if ahead.is_empty() {
                return Ok(None);
            }
            if let Some(header) = Header::parse(ahead)
                && let Some(behind) = ahead.get(header.frame_len..)
            {
                let is_sure = !self.is_torn && header.format == self.format;
                let next = Header::parse(behind);
                if is_sure || behind.is_empty() || next.is_some_and(|n| n.format == header.format) {
                    return Ok(Some(header));
                }
            }
            let step = ahead[1..].iter().take_while(|byte| **byte != 0xFF).count();
            self.source.consume(1 + step);
            self.is_torn = true;
        }
    }
}

impl FormatReader for AdtsReader {
    fn format_info(&self) -> &FormatInfo {
        &FORMAT
    }

    fn media_info(&self) -> &MediaInfo {
        &self.media_info
    }

    fn metadata(&mut self) -> Metadata<'_> {
        self.metadata.metadata()
    }

    /// Goes to a place that is about right.
    fn seek(&mut self, _: SeekMode, to: SeekTo) -> Result<SeekedTo> {
        let wanted = match to {
            SeekTo::Timestamp { ts, .. } => Some(ts),
            SeekTo::Time { time, .. } => {
                (self.tracks[0].time_base).and_then(|base| base.calc_timestamp(time))
            }
        };
        let wanted = wanted.ok_or(Error::SeekError(SeekErrorKind::Unseekable))?;
        let frames = wanted.get().max(0) as f64 / FRAMES as f64;
        let at = (frames * self.mean_len) as u64;
        self.source.go_to(at)?;
        self.is_torn = true;
        Ok(SeekedTo {
            track_id: 0,
            required_ts: wanted,
            actual_ts: wanted,
        })
    }

    fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn next_packet(&mut self) -> Result<Option<Packet>> {
        let Some(header) = self.sync()? else {
            return Ok(None);
        };
        if header.format != self.format {
            self.start_format(header.format, None);
            return Err(Error::ResetRequired);
        }
        let data = &self.source.ahead()[header.len..header.frame_len];
        let start = Timestamp::new(self.position.cast_signed());
        let packet = Packet::new(0, start, Duration::new(FRAMES), data);
        self.source.consume(header.frame_len);
        self.position += FRAMES;
        self.is_torn = false;
        Ok(Some(packet))
    }

    fn into_inner<'s>(self: Box<Self>) -> MediaSourceStream<'s>
    where
        Self: 's,
    {
        self.source.into_inner()
    }
}
