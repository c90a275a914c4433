//! Decoding audio files, packet by packet, with Symphonia.

mod blocks;
mod codecs;
mod convert;
mod info;
mod link;
mod source;
mod tour;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use symphonia::core::audio::conv::ConvertibleSample;
use symphonia::core::codecs::audio::AudioDecoder;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatReader, Track, TrackType};
use symphonia::core::io::MediaSource;
use symphonia::core::packet::Packet;

use super::input::Input;
use super::limits::{self, Limits, Meter};
use convert::{Converter, Spec};
pub use info::{AudioInfo, Damage, DecodeError};
use link::Link;
use source::{Scan, ticks_to_frames};
use tour::Tour;

/// The fewest bytes that a second of audio takes, in any codec. A file cannot have lost more
/// audio than would fit into it at this rate; what claims to be more is a broken timestamp.
const MIN_BYTES_PER_SECOND: u64 = 500;

/// Frames in an MPEG-1 layer III frame; in later versions there are half as many.
const MPEG_FRAME: u64 = 1152;

/// Reads one file's audio from start to end.
pub struct Decoder {
    /// Always there, but for a moment between two files in one.
    reader: Option<Box<dyn FormatReader>>,
    decoder: Box<dyn AudioDecoder>,
    info: AudioInfo,
    /// Short name of the format that the demuxer reads.
    kind: &'static str,
    scan: Scan,
    link: Link,
    /// The packet that comes next, where the last one must be known as such.
    ahead: Option<Packet>,
    /// A packet that was read to see whether the format really changes.
    after_next: Option<Packet>,
    /// The decoder holds a decoded packet that was not given out yet.
    primed: bool,
    /// The demuxer met the end of the file where it did not expect it.
    is_cut_short: bool,
    /// Frames of silence still to be given out.
    silence: u64,
    /// Frames of silence that may still be put in, see [`MIN_BYTES_PER_SECOND`].
    silence_allowed: u64,
    /// Frames that may be given out, see [`Limits`].
    max_frames: u64,
    limits: Limits,
    meter: Meter,
    frames: u64,
    /// Bytes of all packets so far.
    packet_bytes: u64,
    damage: Damage,
    /// Set where not the whole file is wanted.
    tour: Option<Tour>,
    /// The bytes, where they can be read again.
    input: Option<Input>,
    /// Where in them another file starts that was appended.
    next_file: Option<u64>,
    /// What is decoded at present.
    spec: Spec,
    /// What makes it like what was decoded first; `None` if it is.
    converter: Option<Converter>,
    /// What is to be converted, interleaved.
    native: Vec<f32>,
    /// What was converted and not given out yet.
    converted: Vec<f32>,
}

impl Decoder {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// Where the file cannot be opened, is no audio, or has no decoder.
    pub fn open(path: &Path) -> Result<Self, DecodeError> {
        Self::from_input(&Input::open(path)?)
    }

    /// Reads the header of an input, from its start.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_input(input: &Input) -> Result<Self, DecodeError> {
        Self::from_input_within(input, &Limits::default())
    }

    /// As [`from_input`](Self::from_input), within limits of one's own.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_input_within(input: &Input, limits: &Limits) -> Result<Self, DecodeError> {
        let mut hint = Hint::new();
        if let Some(extension) = input.hint() {
            hint.with_extension(extension);
        }
        let source = Box::new(input.reopen());
        guarded(|| Self::start(source, Some(input.reopen()), &hint, limits))
    }

    /// Reads the header of any source of bytes, and decodes its first packet: what a header says
    /// of channels and sample rate is not always so.
    ///
    /// # Errors
    /// Where the source cannot be read, is no audio, has no decoder, or holds not a single frame.
    pub fn new(source: Box<dyn MediaSource>, hint: &Hint) -> Result<Self, DecodeError> {
        Self::new_within(source, hint, &Limits::default())
    }

    /// As [`new`](Self::new), within limits of one's own.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn new_within(
        source: Box<dyn MediaSource>,
        hint: &Hint,
        limits: &Limits,
    ) -> Result<Self, DecodeError> {
        if source.byte_len().is_none() || !source.is_seekable() {
            return guarded(|| Self::start(source, None, hint, limits));
        }
        let input = Input::from_reader(source)?;
        let source = Box::new(input.reopen());
        guarded(|| Self::start(source, Some(input), hint, limits))
    }

    fn start(
        source: Box<dyn MediaSource>,
        input: Option<Input>,
        hint: &Hint,
        limits: &Limits,
    ) -> Result<Self, DecodeError> {
        let meter = Meter::new(limits);
        let (mut reader, scan) = source::open(source, hint, &meter)?;
        let hidden_bytes = picture_bytes(reader.as_mut()) + scan.hidden_bytes;
        let container = reader.format_info().short_name;
        let track = default_track(reader.as_ref());
        let track = track.map_err(|error| scan.refuse(|| error))?.clone();
        scan.check_compression(&track)?;
        let params = codecs::audio_params(&track, scan.pcm(&track))?;
        codecs::check(&params)?;
        let decoder = codecs::make_decoder(&params, trims_by_packet(container, &track));
        let decoder = decoder.map_err(|error| scan.refuse(|| error))?;
        let media_duration = reader.media_info().duration;
        let media_time_base = reader.media_info().time_base;
        let mut this = Self {
            kind: container,
            info: AudioInfo {
                container: if scan.is_framed_wav {
                    "wave"
                } else {
                    container
                },
                codec: decoder.codec_info().short_name,
                sample_rate: 0,
                channels: 0,
                channel_mask: None,
                bits_per_sample: codecs::bits_per_sample(&params, decoder.as_ref()),
                is_float: codecs::is_float(params.codec),
                frames: None,
                bitrate_kbps: None,
            },
            link: Link::new(&scan, container, &track),
            reader: Some(reader),
            decoder,
            ahead: None,
            after_next: None,
            primed: false,
            is_cut_short: scan.is_cut_short(),
            silence: 0,
            silence_allowed: 0,
            max_frames: 0,
            limits: *limits,
            meter,
            frames: 0,
            packet_bytes: 0,
            damage: Damage::default(),
            tour: None,
            input,
            next_file: scan.next_file(),
            spec: Spec::default(),
            converter: None,
            native: Vec::new(),
            converted: Vec::new(),
            scan,
        };
        this.prime(&track)?;
        let rate = this.info.sample_rate;
        this.info.frames = this.link.extent.frames.or_else(|| {
            let duration = media_duration.filter(|_| container != "isomp4")?.get();
            Some(ticks_to_frames(duration, media_time_base, rate)).filter(|&frames| frames > 0)
        });
        let bytes = this.scan.byte_len;
        this.info.bitrate_kbps = bytes
            .zip(this.info.seconds())
            .map(|(bytes, seconds)| bytes.saturating_sub(hidden_bytes) as f64 * 8e-3 / seconds)
            .map(|kbps| kbps.round() as u32);
        Ok(this)
    }

    /// What the header told.
    pub fn info(&self) -> &AudioInfo {
        &self.info
    }

    /// Frames given out so far.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// What was found wrong so far; complete once all is read.
    pub fn damage(&self) -> Damage {
        self.damage
    }

    /// Puts the next block into `block`, interleaved, channels in WAVE order; false at the end.
    ///
    /// Packets that cannot be decoded and frames that are missing are replaced by silence and
    /// counted in [`damage`](Self::damage). After a change of sample rate or channels, what follows is
    /// converted to the first ones.
    ///
    /// # Errors
    /// Where reading fails, the file is truncated, holds no audio, or changes its sample rate or
    /// channel count in a way that cannot be followed.
    pub fn next_block<T: ConvertibleSample>(
        &mut self,
        block: &mut Vec<T>,
    ) -> Result<bool, DecodeError> {
        if self.frames > self.max_frames {
            return Err(self.too_long());
        }
        guarded(|| self.read_block(block))
    }

    /// Decodes up to the first frames to learn what the header does not tell, or tells wrongly.
    fn prime(&mut self, track: &Track) -> Result<(), DecodeError> {
        let mut first_pts = None;
        let mut last_error = None;
        while let Some(packet) = self.next_packet()? {
            let codec = self.decoder.codec_params().codec;
            if let Some(layer) = codecs::other_layer(codec, &packet.data) {
                let params = codecs::audio_params(track, Some(layer))?;
                self.decoder = codecs::make_decoder(&params, true)?;
                self.info.codec = self.decoder.codec_info().short_name;
            }
            match codecs::decode(self.decoder.as_mut(), &packet) {
                Ok(0) => {}
                Ok(frames) => {
                    let audio = self.decoder.last_decoded();
                    self.spec = Spec::of(&audio);
                    let rate = self.spec.rate;
                    let channels = audio.spec().channels();
                    check_spec(rate, channels.count())?;
                    self.max_frames = self.limits.max_frames(rate, self.scan.byte_len);
                    self.info.sample_rate = rate;
                    self.info.channels = channels.count();
                    self.info.channel_mask = codecs::channel_mask(channels);
                    self.primed = true;
                    if codecs::is_silenced(self.decoder.as_ref(), &packet) {
                        self.damage.lost_frames += frames;
                    }
                    let container = self.kind;
                    self.link
                        .set_extent(&self.scan, container, track, rate, frames);
                    self.link.note_decoded(&packet, frames, rate);
                    self.silence_allowed = match self.scan.byte_len {
                        Some(bytes) => bytes.saturating_mul(rate.into()) / MIN_BYTES_PER_SECOND,
                        None => u64::from(rate) * 600,
                    };
                    // From the first packet that is damaged to the first that is not.
                    if container == "flac" {
                        first_pts.get_or_insert(0);
                    }
                    let lost = packet
                        .pts
                        .get()
                        .saturating_sub(first_pts.unwrap_or(i64::MAX));
                    let lost = u64::try_from(lost).unwrap_or(0);
                    self.lose(self.link.extent.late);
                    self.lose(self.link.frames_of(lost, rate));
                    if self.link.extent.tail > 0 {
                        self.ahead = self.read_packet(false)?;
                    }
                    return Ok(());
                }
                Err(error) => {
                    first_pts.get_or_insert(packet.pts.get());
                    last_error = Some(error);
                }
            }
        }
        let rate = self.link.header_rate;
        let extent = self.scan.extent(self.kind, track, rate.unwrap_or(0));
        Err(match (last_error, extent.frames) {
            (Some(error), _) => DecodeError::Damaged(error),
            (None, Some(expected)) if extent.is_exact && expected > 0 => self.truncated(expected),
            _ if self.is_cut_short => DecodeError::CutShort { found: 0 },
            _ => DecodeError::Empty,
        })
    }
}

/// Makes a panic in code that is not ours an error of the file.
fn guarded<T>(read: impl FnOnce() -> Result<T, DecodeError>) -> Result<T, DecodeError> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|panic| Err(DecodeError::Panic(panic_message(panic.as_ref()))))
}

/// What a panic says.
pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic".into())
}

/// Refuses audio that no decoder is made for: buffers are as large as these say.
fn check_spec(rate: u32, channels: usize) -> Result<(), DecodeError> {
    let is_possible = (1..=limits::MAX_SAMPLE_RATE).contains(&rate)
        && (1..=limits::MAX_CHANNELS).contains(&channels);
    match is_possible {
        true => Ok(()),
        false => Err(DecodeError::Impossible { channels, rate }),
    }
}

fn default_track(reader: &dyn FormatReader) -> Result<&Track, DecodeError> {
    let track = reader.default_track(TrackType::Audio);
    track.ok_or(DecodeError::NoAudioTrack)
}

/// Whether the decoder is to drop what the demuxer marks as delay and padding.
///
/// Not for MP3 without a LAME tag: the mark then rests on an estimate of the length.
fn trims_by_packet(container: &str, track: &Track) -> bool {
    container != "mp3" || track.delay.is_some()
}

/// Formats that are packets and nothing around them.
fn is_headerless(container: &str) -> bool {
    ["mp3", "mp2", "mp1", "aac"].contains(&container)
}

/// Size of the pictures in a file's tags, in bytes.
fn picture_bytes(reader: &mut dyn FormatReader) -> u64 {
    let mut metadata = reader.metadata();
    metadata.skip_to_latest().map_or(0, |revision| {
        let visuals = &revision.media.visuals;
        visuals.iter().map(|visual| visual.data.len() as u64).sum()
    })
}
