//! Tags, pictures and chapters on their way from input to output, every time moved to where its
//! audio went.
//!
//! Within a family (ID3v2, Vorbis comments, RIFF) a tag is kept whole; between families it goes
//! through the fields that all of them know. The text of tags is read and made by lofty; they are
//! put into output files by code of our own, because that would hold whole files in memory.

mod aiff;
mod budget;
mod chapter;
mod clock;
mod cue;
mod fields;
mod flac;
mod foreign;
mod id3;
mod id3_bodies;
mod id3_frames;
mod id3_parse;
mod matroska;
mod mp4;
mod ogg;
mod place;
mod read;
mod riff;
mod vorbis;
mod write;

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, Write};

use lofty::id3::v2::Id3v2Tag;
use lofty::ogg::tag::VorbisComments;
use lofty::picture::Picture;
use lofty::tag::{Tag, TagType};

pub use chapter::{Chapter, MAX_CHAPTERS};
pub(crate) use clock::rescale;
pub use clock::{Clock, MovedPositions};
pub use fields::ENCODER;

use crate::media::format::Format;
use crate::media::input::Input;
use crate::warning::Warning;
use fields::Custom;
use riff::RiffChunks;

/// The most bytes of tags, and of pictures, that are read of a file.
pub const MAX_TAG_BYTES: u64 = 64 << 20;

/// A file that tags are put into.
pub trait TagFile: Read + Write + Seek {}
impl<T: Read + Write + Seek> TagFile for T {}

/// All that a file says of its audio.
#[derive(Clone)]
pub struct Metadata {
    /// The fields that all families know, without pictures.
    common: Tag,
    /// Fields with names of their own.
    custom: Custom,
    pictures: Vec<Picture>,
    /// In order of time; those of nested lists stand among the others.
    chapters: Vec<Chapter>,
    id3: Option<Id3v2Tag>,
    vorbis: Option<VorbisComments>,
    riff: Option<RiffChunks>,
    /// The content of a FLAC cue sheet block.
    cue_sheet: Option<Vec<u8>>,
    /// Whether the chapters are the tracks of the cue sheet.
    chapters_are_cues: bool,
    /// The output's length in frames and its sample rate, once times have been moved.
    end: Option<(u64, u32)>,
}

impl Default for Metadata {
    fn default() -> Self {
        Self {
            common: Tag::new(TagType::VorbisComments),
            custom: Custom::new(),
            pictures: Vec::new(),
            chapters: Vec::new(),
            id3: None,
            vorbis: None,
            riff: None,
            cue_sheet: None,
            chapters_are_cues: false,
            end: None,
        }
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metadata")
            .field("fields", &self.common.item_count())
            .field("custom", &self.custom.len())
            .field("pictures", &self.pictures.len())
            .field("chapters", &self.chapters.len())
            .finish_non_exhaustive()
    }
}

impl Metadata {
    /// Reads all that an input says of its audio; `container` is the decoder's short name of its
    /// format and `rate` the audio's sample rate in Hz.
    ///
    /// What cannot be read is left out with a warning: audio is never lost to a broken tag.
    pub fn read(input: &Input, container: &str, rate: u32) -> (Self, Vec<Warning>) {
        read::read(input, container, rate)
    }

    /// The chapters, in order of time.
    pub fn chapters(&self) -> &[Chapter] {
        &self.chapters
    }

    /// Asks for every position that will be needed, or moves every time, as `clock` is.
    ///
    /// `ratio` is output length divided by input length: it scales the tempo.
    pub fn visit(&mut self, clock: &mut Clock<'_>, ratio: f64) -> Vec<Warning> {
        let mut left_out = chapter::visit(&mut self.chapters, clock);
        if let Some(id3) = &mut self.id3 {
            left_out = left_out.max(id3::visit(id3, clock));
        }
        if let Some(riff) = &mut self.riff {
            riff.visit(clock);
        }
        if let Some(sheet) = &mut self.cue_sheet {
            flac::visit_cue_sheet(sheet, clock);
        }
        let Some(end) = clock.output_end() else {
            return Vec::new();
        };
        let rate = clock.output_rate();
        self.end = Some((end, rate));
        let (tempo, seconds) = (1.0 / ratio, end as f64 / f64::from(rate));
        fields::retime(&mut self.common, tempo, seconds);
        if let Some(id3) = &mut self.id3 {
            id3::retime(id3, tempo, seconds);
        }
        if let Some(vorbis) = &mut self.vorbis {
            vorbis::retime(vorbis, tempo, seconds);
        }
        match left_out {
            0 => Vec::new(),
            count => vec![Warning::chapters_past_end(count)],
        }
    }

    /// Puts everything into a finished file of a format.
    ///
    /// # Errors
    /// Where the file cannot be read or written; what the format cannot hold is a warning.
    pub fn write(&self, file: &File, format: Format) -> io::Result<Vec<Warning>> {
        write::write(self, file, format)
    }
}
