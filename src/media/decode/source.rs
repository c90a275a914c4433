//! Opening a source of bytes: which demuxer takes it, and what its container says about length
//! that the demuxer does not pass on.

use std::io::{self, Read, Seek, SeekFrom};

use symphonia::core::codecs::audio::AudioCodecId;
use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::probe::{Hint, Probe};
use symphonia::core::formats::{FormatOptions, FormatReader, Track};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::units::TimeBase;
use symphonia::default::formats::{
    AiffReader, CafReader, IsoMp4Reader, MkvReader, MpaReader, OggReader, WavReader,
};
use symphonia::default::meta::Id3v2Reader;

use super::DecodeError;
use crate::media::adts::AdtsReader;
use crate::media::audio_start::ends_within_frame;
use crate::media::flac::FlacReader;
use crate::media::limits::{MAX_FIELDS, Meter};
use crate::media::mkv::Mkv;
use crate::media::mp4::Mp4;
use crate::media::ogg;
use crate::media::opus::OpusHead;
use crate::media::patched::{MAGIC, PatchedSource};
use crate::media::pcm::PcmReader;
use crate::media::unsupported::{self, Known};
use crate::media::wav_codec::WavCodec;
use crate::media::xing::Xing;

/// A container's own words on what of a track is to be heard. All in frames.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// To drop from the start of what is decoded.
    pub skip: u64,
    /// To drop from the end of the last packet.
    pub tail: u64,
    /// Missing before the first packet.
    pub late: u64,
    /// Length of what then remains, if known.
    pub frames: Option<u64>,
    /// Whether a file that holds fewer frames has lost some; else the length is an estimate.
    pub is_exact: bool,
    /// The number of packets, where the container has a table of them. Once all were read nothing
    /// is missing, whatever their times say.
    pub packets: Option<u64>,
    /// There may be more than the length says.
    pub is_least: bool,
    /// The length is the sum of what the packets say of theirs, which may be less than they hold.
    pub is_sum: bool,
}

/// The most frames that encoders add at the end, to be trimmed again.
const MAX_TRIM: u64 = 4 * 2048;

/// What was learned of a container before its demuxer was started.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub mp4: Option<Mp4>,
    pub mkv: Option<Mkv>,
    pub xing: Option<Xing>,
    /// The last timestamp of an Ogg file that is not chained.
    pub ogg_frames: Option<u64>,
    /// Whether it is a WAV file with MPEG audio or ADTS in it.
    pub is_framed_wav: bool,
    /// The first bytes.
    start: [u8; 16],
    /// The file starts as one of a known format does.
    pub has_known_magic: bool,
    /// The file ends within a frame of MPEG audio or ADTS.
    pub ends_within_frame: bool,
    /// Length of the source in bytes.
    pub byte_len: Option<u64>,
    /// Bytes of pictures and tags that the demuxer is not shown.
    pub hidden_bytes: u64,
    /// Fields that the comments of an Ogg file claim to hold.
    pub comment_fields: Option<u32>,
    /// What the file is, if it is known not to be decoded.
    known: Option<Known>,
    /// If it cannot be decoded: the name of its codec, or what text it is.
    codec: Option<String>,
    text: Option<&'static str>,
}

impl Scan {
    fn new(mut source: &mut PatchedSource) -> io::Result<Self> {
        let byte_len = source.byte_len();
        let mut scan = Self {
            byte_len,
            hidden_bytes: source.hidden_bytes(),
            is_framed_wav: source.wav().is_some_and(WavCodec::is_frames),
            ..Self::default()
        };
        if let Some(len) = byte_len.filter(|_| source.is_seekable()) {
            scan.mp4 = source.take_mp4();
            if scan.mp4.is_none() {
                scan.mkv = source.take_mkv();
                scan.xing = Xing::scan(&mut source)?;
                scan.ogg_frames = ogg::last_granule(&mut source, len)?;
                scan.comment_fields = ogg::comment_fields(&mut source)?;
            }
            source.seek(SeekFrom::Start(0))?;
            let mut head = Vec::with_capacity(unsupported::HEAD);
            (&mut *source)
                .take(unsupported::HEAD as u64)
                .read_to_end(&mut head)?;
            scan.look_at(&head, source.wav());
            if head.starts_with(&[0xFF]) {
                scan.ends_within_frame = ends_within_frame(&mut source, len)?;
            }
            source.seek(SeekFrom::Start(0))?;
        }
        Ok(scan)
    }

    fn look_at(&mut self, head: &[u8], wav: Option<&WavCodec>) {
        let len = head.len().min(self.start.len());
        self.start[..len].copy_from_slice(&head[..len]);
        self.has_known_magic = MAGIC.iter().any(|magic| head.starts_with(magic));
        self.known = unsupported::recognise(head);
        self.text = unsupported::text(head);
        let of_mp4 = self.mp4.as_ref().and_then(Mp4::unsupported);
        let of_mkv = self.mkv.as_ref().and_then(Mkv::unsupported);
        let of_wav = wav.and_then(WavCodec::unsupported);
        let named = of_mkv.or_else(|| unsupported::codec(head));
        self.codec = of_mp4.or(of_wav).or(named.map(str::to_owned));
    }

    /// The error of a file that cannot be decoded, if its codec is known; else another.
    pub(super) fn refuse(&self, other: impl FnOnce() -> DecodeError) -> DecodeError {
        match &self.codec {
            Some(name) => DecodeError::UnsupportedCodec(name.clone()),
            None => other(),
        }
    }

    /// Whether the file ends before its container does.
    pub(super) fn is_cut_short(&self) -> bool {
        let is_mp3_cut = self.xing.and_then(|xing| xing.end).zip(self.byte_len);
        self.mp4.as_ref().is_some_and(|mp4| mp4.cut_short)
            || self.mkv.as_ref().is_some_and(|mkv| mkv.cut_short)
            || is_mp3_cut.is_some_and(|(end, len)| end > len)
    }

    /// Whether it is a recording that may end anywhere.
    pub(super) fn is_live(&self) -> bool {
        self.mkv.as_ref().is_some_and(|mkv| mkv.is_live)
    }

    /// Where another file starts that was appended to this one.
    pub(super) fn next_file(&self) -> Option<u64> {
        self.mkv.as_ref().and_then(|mkv| mkv.next)
    }

    /// Refuses a track of Matroska whose frames are compressed.
    pub(super) fn check_compression(&self, track: &Track) -> Result<(), DecodeError> {
        let mkv = self.mkv.as_ref().and_then(|mkv| mkv.track(track.id));
        match mkv.is_some_and(|track| track.is_compressed) {
            true => Err(DecodeError::UnsupportedCodec(
                "Matroska with compressed frames".into(),
            )),
            false => Ok(()),
        }
    }

    /// What every frame of a track starts with and was left out of all.
    pub(super) fn stripped(&self, track: u32) -> &[u8] {
        let mkv = self.mkv.as_ref().and_then(|mkv| mkv.track(track));
        mkv.map_or(&[], |track| &track.stripped)
    }

    /// The codec of a track of PCM that Symphonia may take for another.
    pub(super) fn pcm(&self, track: &Track) -> Option<AudioCodecId> {
        self.mp4.as_ref()?.track(track.id)?.pcm
    }

    /// What of a track is to be heard, at a sample rate in Hz.
    pub(super) fn extent(&self, container: &str, track: &Track, sample_rate: u32) -> Extent {
        let counted = track.num_frames.filter(|&frames| frames > 0);
        let opus = track.codec_params.as_ref().and_then(|params| {
            let data = params.audio()?.extra_data.as_deref()?;
            OpusHead::parse(data)
        });
        match container {
            "isomp4" => self.mp4_extent(track, sample_rate),
            "matroska" => {
                let extent = self.mkv_extent(track, sample_rate);
                Extent {
                    // FFmpeg gets the container's own word for it wrong at other rates.
                    skip: opus.map_or(extent.skip, |head| head.pre_skip.into()),
                    ..extent
                }
            }
            "ogg" => {
                let counted = counted.or(self.ogg_frames);
                let skip = opus.map_or(0, |head| u64::from(head.pre_skip));
                // A recording of a live stream starts late, by minutes; a little late is one whose
                // first page was dropped, since a page holds about a second at most.
                let start = u64::try_from(track.start_ts.get()).unwrap_or(0);
                let (late, start) = if start <= u64::from(sample_rate) {
                    (start, 0)
                } else {
                    (0, start)
                };
                Extent {
                    skip,
                    late,
                    // The count is the last timestamp.
                    frames: counted.map(|frames| frames.saturating_sub(start + skip)),
                    is_exact: counted.is_some(),
                    ..Extent::default()
                }
            }
            "mp3" => Extent {
                // The demuxer's count leaves out the delay and padding that the decoder drops.
                frames: counted,
                is_exact: track.delay.is_some() || self.xing.is_some(),
                ..Extent::default()
            },
            // HE-AAC counts at half the rate that it is decoded to.
            "aac" => Extent {
                frames: counted.map(|ticks| ticks_to_frames(ticks, track.time_base, sample_rate)),
                ..Extent::default()
            },
            "flac" => Extent {
                frames: counted,
                is_exact: counted.is_some(),
                is_least: true,
                ..Extent::default()
            },
            _ => Extent {
                frames: counted,
                is_exact: ["wave", "rf64", "w64", "au", "aiff"].contains(&container),
                ..Extent::default()
            },
        }
    }

    /// MPEG frames of an MP3 file that counts them, those of delay and padding included.
    pub(super) fn mpeg_frames(&self, container: &str, track: &Track) -> Option<u64> {
        if container != "mp3" {
            return None;
        }
        if let Some(xing) = &self.xing {
            return Some(xing.mpeg_frames.into());
        }
        let rate = track.codec_params.as_ref()?.audio()?.sample_rate?;
        let frames_each = if rate >= 32_000 { 1152 } else { 576 };
        let trimmed = u64::from(track.delay?) + u64::from(track.padding.unwrap_or(0));
        Some((track.num_frames? + trimmed) / frames_each)
    }

    fn mp4_extent(&self, track: &Track, sample_rate: u32) -> Extent {
        let to_frames = |ticks| ticks_to_frames(ticks, track.time_base, sample_rate);
        let Some(mp4) = &self.mp4 else {
            return Extent::default();
        };
        let edit = mp4.track(track.id).cloned().unwrap_or_default();
        let mut skip = to_frames(edit.media_time);
        let all = edit.packets;
        // Where fragments are missing nobody knows how many.
        if mp4.is_fragmented && (mp4.cut_short || mp4.is_endless) || all.ticks == 0 {
            return Extent {
                skip,
                ..Extent::default()
            };
        }
        let total = to_frames(all.ticks);
        let mut frames = total.saturating_sub(skip);
        let mut is_sum = true;
        // The movie's ticks are often milliseconds, too coarse to prefer to the count of samples.
        let movie_tick = TimeBase::try_new(1, mp4.movie_timescale);
        let tolerance = ticks_to_frames(2, movie_tick, sample_rate) + 1;
        if let Some(duration) = edit.edit_duration.filter(|_| movie_tick.is_some()) {
            let wanted = ticks_to_frames(duration, movie_tick, sample_rate);
            // Written before the fragments were known, it means what came before them.
            let is_known = !mp4.is_fragmented || wanted.saturating_add(MAX_TRIM) >= frames;
            if is_known && wanted.saturating_add(tolerance) < frames {
                frames = wanted;
                is_sum = false;
            }
        }
        // iTunes' own tag counts in frames. Only where it agrees with the rest of the file, since
        // programs that cut files are known to leave it as it was.
        if let Some((delay, length)) = mp4.gapless
            && delay.saturating_add(length) <= total
            && (skip == 0 || skip.abs_diff(delay) <= tolerance)
            && total - delay - length <= MAX_TRIM
        {
            skip = delay;
            frames = length;
            is_sum = false;
        }
        Extent {
            skip,
            frames: Some(frames),
            is_exact: true,
            packets: Some(all.count),
            // How long the last packet of a fragment is, not all programs know when they write it.
            is_least: is_sum && mp4.is_fragmented,
            is_sum,
            ..Extent::default()
        }
    }

    fn mkv_extent(&self, track: &Track, sample_rate: u32) -> Extent {
        let found = self.mkv.as_ref().and_then(|mkv| mkv.track(track.id));
        let to_frames = |nanoseconds: u64| {
            let frames = u128::from(nanoseconds) * u128::from(sample_rate);
            u64::try_from((frames + 500_000_000) / 1_000_000_000).unwrap_or(u64::MAX)
        };
        Extent {
            skip: found.map_or(0, |track| to_frames(track.codec_delay)),
            tail: found.map_or(0, |track| to_frames(track.discard_padding)),
            ..Extent::default()
        }
    }
}

/// Converts a duration to frames, rounding to the nearest; 0 without a time base.
pub(super) fn ticks_to_frames(ticks: u64, base: Option<TimeBase>, sample_rate: u32) -> u64 {
    let Some(base) = base else { return 0 };
    let denominator = u128::from(base.denom.get());
    let frames = u128::from(ticks) * u128::from(base.numer.get()) * u128::from(sample_rate);
    u64::try_from((frames + denominator / 2) / denominator).unwrap_or(u64::MAX)
}

/// Finds the demuxer for a source.
pub(super) fn open(
    source: Box<dyn MediaSource>,
    hint: &Hint,
    meter: &Meter,
) -> Result<(Box<dyn FormatReader>, Scan), DecodeError> {
    let mut source = PatchedSource::new(source, meter.clone())?.for_decoding()?;
    let scan = Scan::new(&mut source)?;
    if let Some(fields) = scan.comment_fields.filter(|&fields| fields > MAX_FIELDS) {
        return Err(DecodeError::TooManyFields { fields });
    }
    match scan.known {
        _ if scan.byte_len == Some(0) => return Err(DecodeError::Empty),
        Some(Known::Format(name)) => return Err(DecodeError::UnsupportedCodec(name.into())),
        Some(Known::NotAudio(what)) => return Err(DecodeError::Unrecognised(Some(what))),
        None => {}
    }
    let stream = MediaSourceStream::new(Box::new(source), Default::default());
    let refuse = |error| match error {
        SymphoniaError::IoError(io) if is_of_system(&io) => DecodeError::Io(io),
        SymphoniaError::IoError(_) if scan.has_known_magic => {
            scan.refuse(|| DecodeError::CutShort { found: 0 })
        }
        _ => scan.refuse(|| match &scan.mp4 {
            Some(mp4) if !mp4.has_movie() => DecodeError::NoMoov,
            _ if scan.is_cut_short() => DecodeError::CutShort { found: 0 },
            _ => DecodeError::Unrecognised(scan.text),
        }),
    };
    let start = scan.start;
    if start.starts_with(b"fLaC") {
        let reader = FlacReader::open(stream).map_err(refuse)?;
        return Ok((Box::new(reader), scan));
    }
    if start[0] == 0xFF && start[1] & 0xF6 == 0xF0 {
        let reader = AdtsReader::open(stream).map_err(refuse)?;
        return Ok((Box::new(reader), scan));
    }
    let stream = match PcmReader::open(stream).map_err(refuse)? {
        Ok(reader) => return Ok((Box::new(reader), scan)),
        Err(stream) => stream,
    };
    let reader = probe(&start)
        .probe(
            hint,
            stream,
            FormatOptions::default(),
            MetadataOptions::default(),
        )
        .map_err(refuse)?;
    Ok((reader, scan))
}

/// Whether an error is the system's, or one of our limits, rather than a demuxer's on its way.
fn is_of_system(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::Other
    )
}

/// The demuxer of what starts with some bytes, which is nowhere else to be looked for.
fn probe(start: &[u8; 16]) -> Probe {
    let mut probe = Probe::default();
    match start {
        [b'R', b'I', b'F', b'F', ..] => probe.register_format::<WavReader<'_>>(),
        [b'F', b'O', b'R', b'M', ..] => probe.register_format::<AiffReader<'_>>(),
        [b'c', b'a', b'f', b'f', ..] => probe.register_format::<CafReader<'_>>(),
        [b'O', b'g', b'g', b'S', ..] => probe.register_format::<OggReader<'_>>(),
        [0x1A, 0x45, 0xDF, 0xA3, ..] => probe.register_format::<MkvReader<'_>>(),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => probe.register_format::<IsoMp4Reader<'_>>(),
        _ => probe.register_format::<MpaReader<'_>>(),
    }
    probe
}

/// The demuxer for another MP3 file that follows at the end of one; `None` if there is none.
pub(super) fn open_next_mp3(reader: Box<dyn FormatReader>) -> Option<Box<dyn FormatReader>> {
    let mut probe = Probe::default();
    probe.register_format::<MpaReader<'_>>();
    probe.register_metadata::<Id3v2Reader<'_>>();
    probe
        .probe(
            &Hint::new(),
            reader.into_inner(),
            FormatOptions::default(),
            MetadataOptions::default(),
        )
        .ok()
}
