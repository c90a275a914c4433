//! Opening a source of bytes: which demuxer takes it, and what is learned of its container before.

use std::io::{self, Seek, SeekFrom};

use audiostretchy_containers::leading_tags::ends_within_frame;
use audiostretchy_containers::limits::{MAX_FIELDS, Meter};
use audiostretchy_containers::matroska::Mkv;
use audiostretchy_containers::mp4::Mp4;
use audiostretchy_containers::ogg;
use audiostretchy_containers::sanitize::{MAGIC, SanitizedSource};
use audiostretchy_containers::source::read_at;
use audiostretchy_containers::unsupported::{self, Known};
use audiostretchy_containers::wav_codec::WavCodec;
use audiostretchy_containers::xing::Xing;
use symphonia::default::formats::{
    AiffReader, CafReader, IsoMp4Reader, MkvReader, MpaReader, OggReader, WavReader,
};
use symphonia::default::meta::Id3v2Reader;
use symphonia_core::codecs::audio::AudioCodecId;
use symphonia_core::errors::Error as SymphoniaError;
use symphonia_core::formats::probe::{Hint, Probe};
use symphonia_core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia_core::io::{MediaSource, MediaSourceStream};
use symphonia_core::meta::MetadataOptions;

use super::adts_reader::AdtsReader;
use super::error::DecodeError;
use super::flac_reader::FlacReader;
use super::pcm_reader::PcmReader;

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
    fn new(mut source: &mut SanitizedSource) -> io::Result<Self> {
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
            let head = read_at(&mut source, 0, unsupported::HEAD)?;
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

    /// Returns the error of a file that cannot be decoded, if its codec is known; else another.
    pub(super) fn refuse(&self, other: impl FnOnce() -> DecodeError) -> DecodeError {
        match &self.codec {
            Some(name) => DecodeError::UnsupportedCodec(name.clone()),
            None => other(),
        }
    }

    /// Returns whether the file ends before its container does.
    pub(super) fn is_cut_short(&self) -> bool {
        let is_mp3_cut = self.xing.and_then(|xing| xing.end).zip(self.byte_len);
        self.mp4.as_ref().is_some_and(|mp4| mp4.cut_short)
            || self.mkv.as_ref().is_some_and(|mkv| mkv.cut_short)
            || is_mp3_cut.is_some_and(|(end, len)| end > len)
    }

    /// Returns whether it is a recording that may end anywhere.
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

    /// Returns the codec of a track of PCM that Symphonia may take for another.
    pub(super) fn pcm(&self, track: &Track) -> Option<AudioCodecId> {
        self.mp4.as_ref()?.track(track.id)?.pcm
    }
}

/// Finds the demuxer for a source.
pub(super) fn open(
    source: Box<dyn MediaSource>,
    hint: &Hint,
    meter: &Meter,
) -> Result<(Box<dyn FormatReader>, Scan), DecodeError> {
    let mut source = SanitizedSource::new(source, meter.clone())?.for_decoding()?;
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

/// Returns whether an error is the system's, or one of our limits, rather than a demuxer's on its
/// way.
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

/// Returns the demuxer for another MP3 file that follows at the end of one; `None` if there is
/// none.
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

/// Returns the track that is decoded where there are several.
pub(super) fn default_track(reader: &dyn FormatReader) -> Result<&Track, DecodeError> {
    let track = reader.default_track(TrackType::Audio);
    track.ok_or(DecodeError::NoAudioTrack)
}

/// Returns whether the decoder is to drop what the demuxer marks as delay and padding.
///
/// Not for MP3 without a LAME tag: the mark then rests on an estimate of the length.
pub(super) fn trims_by_packet(container: &str, track: &Track) -> bool {
    container != "mp3" || track.delay.is_some()
}

/// Formats that are packets and nothing around them.
pub(super) fn is_headerless(container: &str) -> bool {
    ["mp3", "mp2", "mp1", "aac"].contains(&container)
}

/// Size of the pictures in a file's tags, in bytes.
pub(super) fn picture_bytes(reader: &mut dyn FormatReader) -> u64 {
    let mut metadata = reader.metadata();
    metadata.skip_to_latest().map_or(0, |revision| {
        let visuals = &revision.media.visuals;
        visuals.iter().map(|visual| visual.data.len() as u64).sum()
    })
}
