//! What Symphonia leaves unread in MP4 and MOV files: edit lists, iTunes' gapless tag, what kind of
//! PCM there is, how much the fragments hold, and whether the file is whole; and what it had better
//! not be shown: tags, of which it makes more than it takes to read them, tracks that are no audio,
//! for which it refuses some files, and indexes, whose clock it takes for the audio's.
//!
//! Boxes are as in ISO/IEC 14496-12; `enda` is from the QuickTime File Format specification.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use symphonia_core::codecs::audio::AudioCodecId;
use symphonia_core::codecs::audio::well_known::*;

use crate::limits::{MAX_FIELDS, absurd};
use crate::unsupported;

/// Boxes looked at before giving up; a moov box of a real file holds some hundreds.
const MAX_BOXES: u32 = 100_000;

/// Boxes looked at behind the moov box: a fragment takes seven, and may be of a single packet.
const MAX_FRAGMENT_BOXES: u32 = 1_000_000;

/// Bytes read at a time: small boxes in a row cost little, and large ones are passed over.
const BUFFER: usize = 512;

/// Bytes of the tables of a fragment, which is some seconds long.
const MAX_FRAGMENT: u64 = 4 << 20;

/// Entries of a list of edits; real ones have one or two.
const MAX_EDITS: u32 = 10_000;

/// Boxes that hold tags.
const MAX_TAG_BOXES: usize = 1000;

/// Tracks, each of which is looked for in every fragment.
const MAX_TRACKS: usize = 1000;

/// Most bytes read from one iTunes tag in search of the gapless one.
const MAX_TAG: usize = 512;

/// What was found in a file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Mp4 {
    /// Ticks per second of the whole presentation, in which edit lists give durations.
    pub movie_timescale: u32,
    /// Per track.
    pub tracks: Vec<Mp4Track>,
    /// Frames to skip at the start and frames to keep, from iTunes' `iTunSMPB` tag.
    pub gapless: Option<(u64, u64)>,
    /// The file ends within one of its boxes.
    pub cut_short: bool,
    /// More audio comes in fragments than the moov box tells of.
    pub is_fragmented: bool,
    /// There were too many fragments to look at all.
    pub is_endless: bool,
    /// Where the names of boxes that hold tags are, in bytes from the start.
    pub tags: Vec<u64>,
    /// Where the names of indexes are, in bytes from the start.
    indexes: Vec<u64>,
    /// Per track that is continued in fragments.
    extends: Vec<Extends>,
    /// Fields of the tags, counted up to one more than are read.
    pub fields: u32,
    /// Bytes of pictures among them.
    pub picture_bytes: u64,
    /// Bytes that Symphonia is to be shown in the place of others: where, and which.
    pub patches: Vec<(u64, Vec<u8>)>,
    /// There was a movie box.
    has_movie: bool,
}

/// What was found in a track.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Mp4Track {
    /// Track number.
    pub id: u32,
    /// Where in the media the presentation starts, in ticks of the media's timescale.
    pub media_time: u64,
    /// How long it is, in ticks of the movie's timescale; only if the list has just one edit.
    pub edit_duration: Option<u64>,
    /// The codec of PCM, which Symphonia does not always get right.
    pub pcm: Option<AudioCodecId>,
    /// All packets, those in fragments included.
    pub packets: Packets,
    /// Where the name of its box is, in bytes from the start.
    name_at: u64,
    /// What kind of track it is.
    handler: [u8; 4],
    /// What its samples are.
    format: [u8; 4],
    /// Channels of its samples, where its description says so in the usual place.
    channels: u16,
    /// What `mp4a` samples are.
    object_type: Option<u8>,
}

/// How much of a track there is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Packets {
    /// How many packets.
    pub count: u64,
    /// The sum of their durations, in ticks of the media's timescale.
    pub ticks: u64,
}

impl Packets {
    fn add(&mut self, count: u64, ticks: u64) {
        self.count = self.count.saturating_add(count);
        self.ticks = self.ticks.saturating_add(ticks);
    }
}

/// What fragments are told of a track.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Extends {
    /// Where the name of its box is, in bytes from the start.
    name_at: u64,
    track: u32,
    /// Duration of packets that have none of their own.
    duration: u32,
}

/// Sample entries of audio that is decoded.
const DECODED: [&[u8; 4]; 16] = [
    b"mp4a",
    b"alac",
    b"fLaC",
    b"Opus",
    b".mp3",
    b"lpcm",
    b"raw ",
    b"sowt",
    b"twos",
    b"in24",
    b"in32",
    b"fl32",
    b"fl64",
    b"alaw",
    b"ulaw",
    b"\0\0\0\0",
];

impl Mp4 {
    /// Where the names are of boxes that the demuxer is not to be shown, in bytes from the start.
    pub fn hidden(&self) -> impl Iterator<Item = u64> {
        let is_foreign = |track: &&Mp4Track| ![[0; 4], *b"soun"].contains(&track.handler);
        let foreign = self.tracks.iter().filter(is_foreign);
        let extends = (self.extends.iter()).filter(move |extends| {
            self.track(extends.track)
                .is_some_and(|track| is_foreign(&track))
        });
        let tracks = foreign.map(|track| track.name_at);
        (self.tags.iter().chain(&self.indexes).copied())
            .chain(tracks)
            .chain(extends.map(|extends| extends.name_at))
    }

    /// Walks through the boxes of a file from its start; the position afterwards is anywhere.
    ///
    /// Returns `None` if it is not such a file. Nothing is read beyond box headers and the few
    /// fields wanted, whatever sizes the file claims.
    ///
    /// # Errors
    /// Returns an error if reading fails for another reason than the end of the file, or there are
    /// more boxes around the tables of the audio than in any real file.
    pub fn scan<R: Read + Seek>(source: &mut R, len: u64) -> io::Result<Option<Self>> {
        let mut start = [0; 8];
        source.seek(SeekFrom::Start(0))?;
        if source.read_exact(&mut start).is_err() || start[4..] != *b"ftyp" {
            return Ok(None);
        }
        let mut walk = Walk {
            source: BufReader::with_capacity(BUFFER, source),
            position: start.len() as u64,
            boxes_left: MAX_BOXES,
            run: Extends::default(),
            found: Self::default(),
        };
        match walk.children(0, len, &mut Vec::new()) {
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
            _ => Ok(Some(walk.found)),
        }
    }

    /// Returns the name of the first audio track's codec if it is known not to be decoded.
    pub fn unsupported(&self) -> Option<String> {
        let track = self.tracks.iter().find(|track| &track.handler == b"soun")?;
        let known = unsupported::four_letters(&track.format)
            .or_else(|| unsupported::object_type(track.object_type?));
        if let Some(name) = known {
            return Some(name.to_owned());
        }
        let is_pcm = track.pcm.is_some() || [b"sowt", b"twos", b"raw "].contains(&&track.format);
        if is_pcm && track.channels > 2 {
            return Some("PCM of more than two channels in MOV or MP4".into());
        }
        let name = String::from_utf8_lossy(&track.format);
        let is_decoded = DECODED.contains(&&track.format);
        (!is_decoded).then(|| format!("the codec \u{201C}{}\u{201D}", name.escape_default()))
    }

    /// Returns whether the table of where the audio is was found.
    pub fn has_movie(&self) -> bool {
        self.has_movie
    }

    /// Returns the track of a number.
    pub fn track(&self, id: u32) -> Option<&Mp4Track> {
        self.tracks.iter().find(|track| track.id == id)
    }
}

struct Walk<'a, R> {
    source: BufReader<&'a mut R>,
    /// In bytes from the start.
    position: u64,
    boxes_left: u32,
    /// What the packets of a fragment have in common.
    run: Extends,
    found: Mp4,
}

impl<R: Read + Seek> Walk<'_, R> {
    /// Visits the boxes from `at` to `end`; `path` names the boxes around them.
    fn children(&mut self, mut at: u64, end: u64, path: &mut Vec<[u8; 4]>) -> io::Result<()> {
        while at.saturating_add(8) <= end && self.boxes_left > 0 {
            self.boxes_left -= 1;
            self.go_to(at)?;
            let mut body = at + 8;
            let size = u64::from(self.u32()?);
            let name = self.bytes::<4>()?;
            let size = match size {
                0 => end - at,
                1 => {
                    body += 8;
                    u64::from_be_bytes(self.bytes()?)
                }
                size => size,
            };
            let next = at.saturating_add(size);
            if next < body {
                return Ok(());
            }
            if path.is_empty() && next > end {
                self.found.cut_short = true;
                if &name == b"mdat" {
                    // What goes on to the end of the file is read as far as it is there.
                    self.found.patches.push((at, vec![0; 4]));
                }
            }
            let next = next.min(end).max(body);
            path.push(name);
            if [b"udta", b"meta"].contains(&&name) {
                if self.found.tags.len() == MAX_TAG_BOXES {
                    return Err(absurd("MP4: too many boxes of tags"));
                }
                self.found.tags.push(at + 4);
            }
            self.visit(at + 4, body, next, path)?;
            path.pop();
            at = next;
            if path.is_empty() && name == *b"moov" && !self.found.has_movie {
                self.found.has_movie = true;
                self.boxes_left = MAX_FRAGMENT_BOXES;
            }
            if path.last().is_some_and(|name| name == b"ilst") {
                self.found.fields += 1;
                if name == *b"covr" {
                    self.found.picture_bytes += next - body;
                }
                if self.found.fields > MAX_FIELDS {
                    return Ok(());
                }
            }
        }
        // Fragments go on for as long as they like.
        if self.boxes_left == 0 && at.saturating_add(8) <= end {
            if !self.found.has_movie {
                return Err(absurd("MP4: too many boxes before the audio"));
            }
            self.found.is_endless = true;
        }
        // A few bytes that are no box, at the top: the header of a box that was cut off.
        if path.is_empty() && at < end && self.boxes_left > 0 {
            self.found.cut_short = true;
        }
        Ok(())
    }

    /// Looks at a box of which the name, the content and the end are at these places.
    fn visit(
        &mut self,
        name_at: u64,
        body: u64,
        end: u64,
        path: &mut Vec<[u8; 4]>,
    ) -> io::Result<()> {
        let names: Vec<&[u8]> = path.iter().map(|name| name.as_slice()).collect();
        let track = self.found.tracks.last_mut();
        match (names.as_slice(), track) {
            ([b"moov", b"trak"], _) => {
                if self.found.tracks.len() == MAX_TRACKS {
                    return Err(absurd("MP4: too many tracks"));
                }
                self.found.tracks.push(Mp4Track {
                    name_at,
                    ..Mp4Track::default()
                });
                self.children(body, end, path)
            }
            ([b"moof"], _) if end - body > MAX_FRAGMENT => Err(absurd("MP4: too large a fragment")),
            ([b"moof"], _) => {
                self.found.is_fragmented = true;
                self.children(body, end, path)
            }
            (
                [b"moov"]
                | [b"moov", b"mvex"]
                | [b"moof", b"traf"]
                | [b"moov", b"udta"]
                | [b"moov", b"udta", b"meta", b"ilst"]
                | [b"moov", b"trak", b"edts" | b"mdia"]
                | [b"moov", b"trak", b"mdia", b"minf"]
                | [b"moov", b"trak", b"mdia", b"minf", b"stbl"],
                _,
            ) => self.children(body, end, path),
            // A full box: version and flags come first.
            ([b"moov", b"udta", b"meta"], _) => self.children(body + 4, end, path),
            // The demuxer passes over those behind the first fragment.
            ([b"sidx"], _) if !self.found.is_fragmented => {
                if self.found.indexes.len() == MAX_TAG_BOXES {
                    return Err(absurd("MP4: too many indexes"));
                }
                self.found.indexes.push(name_at);
                Ok(())
            }
            ([b"moov", b"mvex", b"trex"], _) => {
                if self.found.extends.len() == MAX_TRACKS {
                    return Err(absurd("MP4: too many tracks"));
                }
                self.version()?;
                let [track, _, duration] = [self.u32()?, self.u32()?, self.u32()?];
                self.found.extends.push(Extends {
                    name_at,
                    track,
                    duration,
                });
                Ok(())
            }
            ([b"moof", b"traf", b"tfhd"], _) => self.fragment_header(),
            ([b"moof", b"traf", b"trun"], _) => self.fragment_run(end),
            ([b"moov", b"mvhd"], _) => {
                let version = self.version()?;
                self.skip(if version == 1 { 16 } else { 8 })?;
                self.found.movie_timescale = self.u32()?;
                Ok(())
            }
            ([b"moov", b"trak", b"tkhd"], Some(_)) => {
                let version = self.version()?;
                self.skip(if version == 1 { 16 } else { 8 })?;
                let id = self.u32()?;
                self.with_track(|track| track.id = id)
            }
            ([b"moov", b"trak", b"mdia", b"hdlr"], Some(_)) => {
                self.skip(8)?;
                let handler = self.bytes()?;
                self.with_track(|track| track.handler = handler)
            }
            ([b"moov", b"trak", b"edts", b"elst"], Some(_)) => self.edit_list(),
            ([b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stts"], Some(_)) => {
                self.packet_times(end)
            }
            ([b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"], Some(_)) => {
                self.sample_description(body, end)
            }
            ([b"moov", b"udta", b"meta", b"ilst", b"----"], _) => self.itunes_tag(body, end),
            _ => Ok(()),
        }
    }

    /// Counts the packets that the moov box tells of.
    fn packet_times(&mut self, end: u64) -> io::Result<()> {
        self.version()?;
        let count = self.u32()?;
        let mut packets = Packets::default();
        for _ in 0..u64::from(count).min(end.saturating_sub(self.position) / 8) {
            let [count, ticks] = [u64::from(self.u32()?), u64::from(self.u32()?)];
            packets.add(count, count * ticks);
        }
        self.with_track(|track| track.packets = packets)
    }

    /// Reads which track a part of a fragment is of.
    fn fragment_header(&mut self) -> io::Result<()> {
        let flags = self.u32()?;
        let track = self.u32()?;
        let known = self.found.extends.iter().find(|known| known.track == track);
        self.run = Extends {
            track,
            ..known.cloned().unwrap_or_default()
        };
        if flags & 8 != 0 {
            let offset = if flags & 1 != 0 { 8 } else { 0 };
            self.skip(offset + if flags & 2 != 0 { 4 } else { 0 })?;
            self.run.duration = self.u32()?;
        }
        Ok(())
    }

    /// Counts the packets of a run within a fragment, which ends there.
    fn fragment_run(&mut self, end: u64) -> io::Result<()> {
        let flags = self.u32()?;
        let count = self.u32()?;
        let mut ticks = u64::from(count) * u64::from(self.run.duration);
        if flags & 0x100 != 0 {
            self.skip(4 * i64::from((flags & 1) + (flags >> 2 & 1)))?;
            let others = 4 * i64::from((flags >> 9 & 7).count_ones());
            ticks = 0;
            let room = end.saturating_sub(self.position) / (4 + others.cast_unsigned());
            for _ in 0..room.min(count.into()) {
                ticks += u64::from(self.u32()?);
                self.skip(others)?;
            }
        }
        let track = self.run.track;
        let track = self.found.tracks.iter_mut().find(|known| known.id == track);
        if let Some(track) = track {
            track.packets.add(count.into(), ticks);
        }
        Ok(())
    }

    fn edit_list(&mut self) -> io::Result<()> {
        let version = self.version()?;
        let count = self.u32()?;
        let mut edits = 0;
        let mut first = None;
        if count > MAX_EDITS {
            return Err(absurd("MP4: too many edits"));
        }
        // What counts is the first that is not empty.
        for _ in 0..count.min(64) {
            let (duration, media_time) = if version == 1 {
                let duration = u64::from_be_bytes(self.bytes()?);
                (duration, i64::from_be_bytes(self.bytes()?))
            } else {
                let duration = u64::from(self.u32()?);
                (duration, i64::from(i32::from_be_bytes(self.bytes()?)))
            };
            self.skip(4)?;
            if let Ok(media_time) = u64::try_from(media_time) {
                edits += 1;
                first.get_or_insert((duration, media_time));
            }
        }
        let Some((duration, media_time)) = first else {
            return Ok(());
        };
        self.with_track(|track| {
            track.media_time = media_time;
            track.edit_duration = (edits == 1 && duration > 0).then_some(duration);
        })
    }

    /// Looks at the first sample entry: what it is, and what boxes in it say of that.
    fn sample_description(&mut self, body: u64, end: u64) -> io::Result<()> {
        self.skip(12)?;
        let mut format = self.bytes::<4>()?;
        // The sample entry is small; its boxes start at a place that depends on its version.
        let mut entry = vec![0; usize::try_from(end - body).unwrap_or(usize::MAX).min(1024)];
        self.go_to(body)?;
        self.read(&mut entry)?;
        let behind = |name: &[u8; 4]| {
            let at = entry.windows(4).position(|bytes| bytes == name)?;
            Some(&entry[at + 4..])
        };
        let number = |at| Some(u16::from_be_bytes([*entry.get(at)?, *entry.get(at + 1)?]));
        let (version, mut bits) = (number(24).unwrap_or(0), number(34).unwrap_or(0));
        let channels = number(32).filter(|_| version < 2).unwrap_or(0);
        self.with_track(|track| track.channels = channels)?;
        // QuickTime puts what the decoder needs in a box within a box, behind fields that only its
        // version of the entry has: all in front of it becomes an empty space.
        if &format == b"alac"
            && version == 1
            && let Some(name) = entry.windows(4).rposition(|bytes| bytes == b"alac")
            && let Some(space) = name.checked_sub(48).filter(|&space| space >= 24)
        {
            let space = u32::try_from(space).unwrap_or(0).to_be_bytes();
            let patches = &mut self.found.patches;
            patches.push((body + 24, vec![0, 0]));
            patches.push((body + 44, [space, *b"free"].concat()));
        }
        // QuickTime's formats are big-endian unless a box says otherwise.
        let mut is_little = behind(b"enda").is_some_and(|value| value.starts_with(&[0, 1]));
        if let Some([_, _, _, _, flags, coded, ..]) = behind(b"pcmC") {
            (is_little, bits) = (flags & 1 != 0, (*coded).into());
        }
        if let Some((name, bytes, codec)) = pcm(&format, bits, is_little) {
            let patches = &mut self.found.patches;
            patches.push((body + 12, name.to_vec()));
            match version {
                0 => patches.push((body + 34, vec![0, 8 * bytes])),
                _ => patches.push((body + 48, vec![0, 0, 0, bytes])),
            }
            return self.with_track(|track| {
                track.format = *name;
                track.pcm = Some(codec);
            });
        }
        let object_type = behind(b"esds").and_then(object_type);
        // An encrypted track tells what it would be.
        if &format == b"enca" || behind(b"sinf").is_some() {
            format = *b"enca";
        }
        self.with_track(|track| {
            track.format = format;
            track.object_type = object_type;
        })
    }

    /// Reads `iTunSMPB`: hexadecimal numbers, the second the delay, the third the padding, the
    /// fourth the length without either, in frames.
    fn itunes_tag(&mut self, body: u64, end: u64) -> io::Result<()> {
        let mut tag = vec![
            0;
            usize::try_from(end - body)
                .unwrap_or(usize::MAX)
                .min(MAX_TAG)
        ];
        self.go_to(body)?;
        self.read(&mut tag)?;
        let text = String::from_utf8_lossy(&tag);
        let Some((_, after)) = text.split_once("iTunSMPB") else {
            return Ok(());
        };
        let Some((_, value)) = after.split_once("data") else {
            return Ok(());
        };
        let mut numbers = value
            .split([' ', '\0'])
            .filter(|word| word.len() >= 8)
            .filter_map(|word| u64::from_str_radix(word, 16).ok());
        if let (Some(delay), Some(frames)) = (numbers.nth(1), numbers.nth(1))
            && frames > 0
        {
            self.found.gapless = Some((delay, frames));
        }
        Ok(())
    }

    fn with_track(&mut self, change: impl FnOnce(&mut Mp4Track)) -> io::Result<()> {
        self.found.tracks.last_mut().map(change);
        Ok(())
    }

    /// Version of a full box; its flags are read past.
    fn version(&mut self) -> io::Result<u8> {
        Ok(self.bytes::<4>()?[0])
    }

    fn u32(&mut self) -> io::Result<u32> {
        Ok(u32::from_be_bytes(self.bytes()?))
    }

    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.read(&mut bytes)?;
        Ok(bytes)
    }

    fn read(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.source.read_exact(bytes)?;
        self.position += bytes.len() as u64;
        Ok(())
    }

    fn skip(&mut self, bytes: i64) -> io::Result<()> {
        self.go_to(self.position.saturating_add_signed(bytes))
    }

    fn go_to(&mut self, at: u64) -> io::Result<()> {
        // No file is so long that this is not so.
        let by = i64::try_from(at).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let position = i64::try_from(self.position).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        self.source.seek_relative(by - position)?;
        self.position = at;
        Ok(())
    }
}

/// What Symphonia is to take a kind of PCM for, so that it finds the samples: a name of QuickTime's
/// and the bytes of a sample; and what it is. `ipcm` and `fpcm` are as in ISO/IEC 23003-5.
fn pcm(
    format: &[u8; 4],
    bits: u16,
    is_little: bool,
) -> Option<(&'static [u8; 4], u8, AudioCodecId)> {
    Some(match (format, bits, is_little) {
        (b"ipcm", 16, true) => (b"sowt", 2, CODEC_ID_PCM_S16LE),
        (b"ipcm", 16, false) => (b"twos", 2, CODEC_ID_PCM_S16BE),
        (b"in24", _, true) | (b"ipcm", 24, true) => (b"in24", 3, CODEC_ID_PCM_S24LE),
        (b"in24", _, false) | (b"ipcm", 24, false) => (b"in24", 3, CODEC_ID_PCM_S24BE),
        (b"in32", _, true) | (b"ipcm", 32, true) => (b"in32", 4, CODEC_ID_PCM_S32LE),
        (b"in32", _, false) | (b"ipcm", 32, false) => (b"in32", 4, CODEC_ID_PCM_S32BE),
        (b"fl32", _, true) | (b"fpcm", 32, true) => (b"fl32", 4, CODEC_ID_PCM_F32LE),
        (b"fl32", _, false) | (b"fpcm", 32, false) => (b"fl32", 4, CODEC_ID_PCM_F32BE),
        (b"fl64", _, true) | (b"fpcm", 64, true) => (b"fl64", 8, CODEC_ID_PCM_F64LE),
        (b"fl64", _, false) | (b"fpcm", 64, false) => (b"fl64", 8, CODEC_ID_PCM_F64BE),
        (b"sowt" | b"twos" | b"ipcm", 8, _) => (b"raw ", 1, CODEC_ID_PCM_S8),
        (b"alaw", ..) => (b"raw ", 1, CODEC_ID_PCM_ALAW),
        (b"ulaw", ..) => (b"raw ", 1, CODEC_ID_PCM_MULAW),
        _ => return None,
    })
}

/// Returns the object type in what follows the name of an `esds` box (ISO/IEC 14496-1, 7.2.6).
fn object_type(mut bytes: &[u8]) -> Option<u8> {
    const STREAM: u8 = 3;
    const DECODER: u8 = 4;
    let skip_size = |bytes: &mut &[u8]| {
        while bytes.split_off_first()? & 0x80 != 0 {}
        Some(())
    };
    bytes = bytes.get(4..)?;
    if *bytes.split_off_first()? == STREAM {
        skip_size(&mut bytes)?;
        // Those with flags, of which nothing writes any, have more between.
        bytes = bytes.get(3..)?;
        if *bytes.split_off_first()? == DECODER {
            skip_size(&mut bytes)?;
            return bytes.first().copied();
        }
    }
    None
}
