//! The boxes of an MP4 file with one AAC track: samples first, tables at the end.

use super::spec::EncodeSpec;
use crate::format::Format;

/// Frames of an AAC unit.
pub(super) const UNIT_FRAMES: usize = 1024;
/// Units of a chunk: about half a second.
const CHUNK_UNITS: usize = 21;
/// Where the 64-bit size of the box of samples is.
pub(super) const DATA_LEN_AT: u64 = FILE_TYPE.len() as u64 + 8;
/// Bytes of the header of the box of samples.
const DATA_HEADER_LEN: u64 = 16;

const FILE_TYPE: [u8; 28] = *b"\0\0\0\x1CftypM4A \0\0\x02\0M4A mp42isom";
/// By this brand players know audio books.
const BOOK_FILE_TYPE: [u8; FILE_TYPE.len()] = *b"\0\0\0\x1CftypM4B \0\0\x02\0M4B mp42isom";

/// Returns the file up to the first unit.
pub(super) fn head(format: Format) -> Vec<u8> {
    let mut head = match format {
        Format::M4b => BOOK_FILE_TYPE.to_vec(),
        _ => FILE_TYPE.to_vec(),
    };
    // A size of 1 stands for a 64-bit one behind the name.
    head.extend(1u32.to_be_bytes());
    head.extend(b"mdat");
    head.extend(0u64.to_be_bytes());
    head
}

/// What the tables tell of the units.
pub(super) struct Track {
    /// Frames of audio, without what the encoder adds before and behind.
    pub frames: u64,
    /// Frames that the encoder puts before the audio.
    pub priming: u64,
    sample_rate: u32,
    channels: u16,
    /// AudioSpecificConfig (ISO 14496-3, section 1.6.2.1).
    config: Vec<u8>,
    /// Bytes of each unit: at most 768 for each channel.
    units: Vec<u16>,
}

impl Track {
    pub(super) fn new(spec: &EncodeSpec, config: &[u8]) -> Self {
        Self {
            frames: 0,
            priming: 0,
            sample_rate: spec.sample_rate,
            channels: spec.channels as u16,
            config: config.to_vec(),
            units: Vec::new(),
        }
    }

    /// Notes that a unit of `len` bytes follows.
    pub(super) fn add_unit(&mut self, len: usize) {
        self.units.push(len as u16);
    }

    /// Size of the box of samples.
    pub(super) fn data_len(&self) -> u64 {
        DATA_HEADER_LEN + self.units.iter().map(|&len| u64::from(len)).sum::<u64>()
    }

    /// Frames up to the end of the audio, with those that the encoder puts before it.
    fn media_frames(&self) -> u64 {
        self.priming + self.frames
    }

    /// Frames with all that the encoder adds.
    fn coded_frames(&self) -> u64 {
        (self.units.len() * UNIT_FRAMES) as u64
    }

    /// Returns the box of tables.
    pub(super) fn moov(&self) -> Vec<u8> {
        let mut moov = Boxes::default();
        moov.within(b"moov", |moov| {
            moov.timed(b"mvhd", self.frames, |mvhd, wide| {
                mvhd.u32(self.sample_rate);
                mvhd.time(self.frames, wide);
                mvhd.u32(0x1_0000); // playing speed 1
                mvhd.u16(0x100); // volume 1
                mvhd.zeros(10);
                mvhd.unity_matrix();
                mvhd.zeros(24);
                mvhd.u32(2); // the next track's number
            });
            moov.within(b"trak", |trak| self.track(trak));
            moov.within(b"udta", |udta| self.gapless_tag(udta));
        });
        moov.0
    }

    fn track(&self, trak: &mut Boxes) {
        // Flags: enabled, in movie.
        trak.timed_with_flags(b"tkhd", 3, self.frames, |tkhd, wide| {
            tkhd.u32(1); // track number
            tkhd.u32(0);
            tkhd.time(self.frames, wide);
            tkhd.zeros(12);
            tkhd.u16(0x100); // volume 1
            tkhd.u16(0);
            tkhd.unity_matrix();
            tkhd.zeros(8);
        });
        // The edit list cuts off what the encoder adds (ISO 14496-12, section 8.6.6).
        trak.within(b"edts", |edts| {
            let wide = u8::from(self.frames > u32::MAX.into());
            edts.full(b"elst", wide, 0, |elst| {
                elst.u32(1);
                elst.time(self.frames, wide == 1);
                elst.time(self.priming, wide == 1);
                elst.u32(0x1_0000); // playing speed 1
            });
        });
        trak.within(b"mdia", |mdia| {
            mdia.timed(b"mdhd", self.media_frames(), |mdhd, wide| {
                mdhd.u32(self.sample_rate);
                mdhd.time(self.media_frames(), wide);
                mdhd.u16(0x55C4); // language: undetermined
                mdhd.u16(0);
            });
            mdia.full(b"hdlr", 0, 0, |hdlr| {
                hdlr.bytes(b"\0\0\0\0soun\0\0\0\0\0\0\0\0\0\0\0\0\0")
            });
            mdia.within(b"minf", |minf| {
                minf.full(b"smhd", 0, 0, |smhd| smhd.zeros(4));
                minf.within(b"dinf", |dinf| {
                    dinf.full(b"dref", 0, 0, |dref| {
                        dref.u32(1);
                        // Flag: the samples are in this file.
                        dref.full(b"url ", 0, 1, |_| ());
                    });
                });
                minf.within(b"stbl", |stbl| self.tables(stbl));
            });
        });
    }

    fn tables(&self, stbl: &mut Boxes) {
        let units = self.units.len() as u32;
        stbl.full(b"stsd", 0, 0, |stsd| {
            stsd.u32(1);
            stsd.within(b"mp4a", |mp4a| {
                mp4a.zeros(6);
                mp4a.u16(1); // data reference
                mp4a.zeros(8);
                mp4a.u16(self.channels);
                mp4a.u16(16); // bits, always so for AAC
                mp4a.zeros(4);
                // The upper half of a 32-bit number; 0 where the rate does not fit.
                mp4a.u16(self.sample_rate.try_into().unwrap_or(0));
                mp4a.u16(0);
                mp4a.full(b"esds", 0, 0, |esds| self.stream_descriptor(esds));
            });
        });
        stbl.full(b"stts", 0, 0, |stts| {
            // The last unit is said to be as long as there is audio in it, as ffmpeg writes it:
            // readers that know nothing of the edit list's end find the end here.
            let before = units.saturating_sub(1);
            let last = self.media_frames() - u64::from(before) * UNIT_FRAMES as u64;
            stts.u32(u32::from(before > 0) + u32::from(units > 0));
            if before > 0 {
                stts.u32(before);
                stts.u32(UNIT_FRAMES as u32);
            }
            if units > 0 {
                stts.u32(1);
                stts.u32(last as u32);
            }
        });
        stbl.full(b"stsc", 0, 0, |stsc| {
            let (full, rest) = (units / CHUNK_UNITS as u32, units % CHUNK_UNITS as u32);
            stsc.u32(u32::from(full > 0) + u32::from(rest > 0));
            if full > 0 {
                stsc.words(&[1, CHUNK_UNITS as u32, 1]);
            }
            if rest > 0 {
                stsc.words(&[full + 1, rest, 1]);
            }
        });
        stbl.full(b"stsz", 0, 0, |stsz| {
            stsz.u32(0);
            stsz.u32(units);
            self.units.iter().for_each(|&len| stsz.u32(len.into()));
        });
        let wide = DATA_LEN_AT + self.data_len() > u32::MAX.into();
        stbl.full(if wide { b"co64" } else { b"stco" }, 0, 0, |offsets| {
            offsets.u32(self.units.len().div_ceil(CHUNK_UNITS) as u32);
            let mut offset = FILE_TYPE.len() as u64 + DATA_HEADER_LEN;
            for chunk in self.units.chunks(CHUNK_UNITS) {
                offsets.time(offset, wide);
                offset += chunk.iter().map(|&len| u64::from(len)).sum::<u64>();
            }
        });
    }

    /// ISO 14496-1, section 7.2.6.
    fn stream_descriptor(&self, esds: &mut Boxes) {
        let mean_rate = match self.coded_frames() {
            0 => 0,
            frames => {
                (self.data_len() - DATA_HEADER_LEN) * 8 * u64::from(self.sample_rate) / frames
            }
        };
        let config_len = self.config.len() as u8;
        esds.bytes(&[3, 23 + config_len, 0, 1, 0]);
        // AAC, audio stream; the size of the decoder's buffer in three bytes.
        esds.bytes(&[4, 15 + config_len, 0x40, 0x15, 0, 0x18, 0]);
        esds.u32(mean_rate as u32);
        esds.u32(mean_rate as u32);
        esds.bytes(&[5, config_len]);
        esds.bytes(&self.config);
        esds.bytes(&[6, 1, 2]);
    }

    /// iTunes' tag, for players that do not read edit lists.
    fn gapless_tag(&self, udta: &mut Boxes) {
        let behind = self.coded_frames().saturating_sub(self.media_frames());
        let value = format!(
            " 00000000 {:08X} {behind:08X} {:016X}{}",
            self.priming,
            self.frames,
            " 00000000".repeat(8)
        );
        udta.full(b"meta", 0, 0, |meta| {
            meta.full(b"hdlr", 0, 0, |hdlr| {
                hdlr.bytes(b"\0\0\0\0mdirappl\0\0\0\0\0\0\0\0\0")
            });
            meta.within(b"ilst", |ilst| {
                ilst.within(b"----", |tag| {
                    tag.full(b"mean", 0, 0, |mean| mean.bytes(b"com.apple.iTunes"));
                    tag.full(b"name", 0, 0, |name| name.bytes(b"iTunSMPB"));
                    // Type: UTF-8.
                    tag.full(b"data", 0, 1, |data| {
                        data.u32(0);
                        data.bytes(value.as_bytes());
                    });
                });
            });
        });
    }
}

/// Boxes one behind or within the other.
#[derive(Default)]
struct Boxes(Vec<u8>);

impl Boxes {
    /// A box whose content `fill` writes.
    fn within(&mut self, name: &[u8; 4], fill: impl FnOnce(&mut Self)) {
        let start = self.0.len();
        self.u32(0);
        self.bytes(name);
        fill(self);
        let len = (self.0.len() - start) as u32;
        self.0[start..start + 4].copy_from_slice(&len.to_be_bytes());
    }

    /// A box with a version and flags.
    fn full(&mut self, name: &[u8; 4], version: u8, flags: u32, fill: impl FnOnce(&mut Self)) {
        self.within(name, |content| {
            content.u32(u32::from(version) << 24 | flags);
            fill(content);
        });
    }

    /// A box that begins with the times of making and changing, which are left out; its times
    /// have 64 bits where `duration` needs them.
    fn timed(&mut self, name: &[u8; 4], duration: u64, fill: impl FnOnce(&mut Self, bool)) {
        self.timed_with_flags(name, 0, duration, fill);
    }

    fn timed_with_flags(
        &mut self,
        name: &[u8; 4],
        flags: u32,
        duration: u64,
        fill: impl FnOnce(&mut Self, bool),
    ) {
        let wide = duration > u32::MAX.into();
        self.full(name, wide.into(), flags, |content| {
            content.time(0, wide);
            content.time(0, wide);
            fill(content, wide);
        });
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn zeros(&mut self, count: usize) {
        self.0.resize(self.0.len() + count, 0);
    }

    fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    fn words(&mut self, values: &[u32]) {
        values.iter().for_each(|&value| self.u32(value));
    }

    /// A time or place, of 64 bits if `wide`.
    fn time(&mut self, value: u64, wide: bool) {
        if wide {
            self.bytes(&value.to_be_bytes());
        } else {
            self.u32(value as u32);
        }
    }

    fn unity_matrix(&mut self) {
        self.words(&[0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000]);
    }
}
