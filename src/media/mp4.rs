//! What Symphonia leaves unread in MP4 and MOV files: edit lists, iTunes' gapless tag, the byte
//! order of QuickTime PCM, how much the fragments hold, and whether the file is whole; and what it
//! had better not be shown: tags, of which it makes more than it takes to read them, tracks that are
//! no audio, for which it refuses some files, and indexes, whose clock it takes for the audio's.
//!
//! Boxes are as in ISO/IEC 14496-12; `enda` is from the QuickTime File Format specification.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use super::limits::{MAX_FIELDS, absurd};

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

/// Most bytes read from one iTunes tag in search of the gapless one.
const MAX_TAG: usize = 512;

/// What was found in a file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Mp4 {
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
    /// There was a movie box.
    has_movie: bool,
}

/// What was found in a track.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Mp4Track {
    /// Track number.
    pub id: u32,
    /// Where in the media the presentation starts, in ticks of the media's timescale.
    pub media_time: u64,
    /// How long it is, in ticks of the movie's timescale; only if the list has just one edit.
    pub edit_duration: Option<u64>,
    /// QuickTime PCM that is big-endian unless it says otherwise, and does not.
    pub is_big_endian: bool,
    /// All packets, those in fragments included.
    pub packets: Packets,
    /// Where the name of its box is, in bytes from the start.
    name_at: u64,
    /// What kind of media it is of.
    handler: [u8; 4],
}

/// How much of a track there is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packets {
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

impl Mp4 {
    /// Where the names are of boxes that the demuxer is not to be shown, in bytes from the start.
    pub(crate) fn hidden(&self) -> impl Iterator<Item = u64> {
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
    /// Where reading fails for another reason than the end of the file, or there are more boxes
    /// around the tables of the audio than in any real file.
    pub(crate) fn scan<R: Read + Seek>(source: &mut R, len: u64) -> io::Result<Option<Self>> {
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

    /// The track of a number.
    pub(crate) fn track(&self, id: u32) -> Option<&Mp4Track> {
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
                if self.found.extends.len() == MAX_TAG_BOXES {
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
            ([b"moof", b"traf", b"trun"], _) => self.fragment_run(),
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
            ([b"moov", b"trak", b"edts", b"elst"], Some(_)) => self.edit_list(),
            ([b"moov", b"trak", b"mdia", b"hdlr"], Some(_)) => {
                self.skip(8)?;
                let handler = self.bytes()?;
                self.with_track(|track| track.handler = handler)
            }
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

    /// Counts the packets of a run within a fragment.
    fn fragment_run(&mut self) -> io::Result<()> {
        let flags = self.u32()?;
        let count = self.u32()?;
        let mut ticks = u64::from(count) * u64::from(self.run.duration);
        if flags & 0x100 != 0 {
            self.skip(4 * i64::from((flags & 1) + (flags >> 2 & 1)))?;
            let others = 4 * i64::from((flags >> 9 & 7).count_ones());
            ticks = 0;
            // A fragment is small: where it claims more, the file ends.
            for _ in 0..count.min((MAX_FRAGMENT / 4) as u32) {
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

    /// Looks for the `enda` box of QuickTime PCM: in the sample entry or its `wave` box.
    fn sample_description(&mut self, body: u64, end: u64) -> io::Result<()> {
        self.skip(12)?;
        let format = self.bytes::<4>()?;
        if ![b"in24", b"in32", b"fl32", b"fl64"].contains(&&format) {
            return Ok(());
        }
        // The sample entry is small; its boxes start at a place that depends on its version.
        let mut entry = vec![0; usize::try_from(end - body).unwrap_or(usize::MAX).min(1024)];
        self.go_to(body)?;
        self.read(&mut entry)?;
        let little = entry
            .windows(6)
            .any(|bytes| bytes[..4] == *b"enda" && bytes[4..] == [0, 1]);
        self.with_track(|track| track.is_big_endian = !little)
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
