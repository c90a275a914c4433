//! Tags, pictures and chapters on their way from input to output, every time moved to where its
//! audio went.
//!
//! Within a family (ID3v2, Vorbis comments, RIFF) a tag is kept whole; between families it goes
//! through the fields that all of them know. The text of tags is read and made by lofty; they are
//! put into output files by code of our own, because that would hold whole files in memory.

use std::fmt;

use lofty::id3::v2::Id3v2Tag;
use lofty::ogg::tag::VorbisComments;
use lofty::picture::Picture;
use lofty::tag::{Tag, TagType};

use audiostretchy_containers::warning::Warning;

use crate::chapter::{self, Chapter};
use crate::clock::Clock;
use crate::families::wav::RiffChunks;
use crate::families::{flac, id3, vorbis};
use crate::fields::{self, Custom};

/// All that a file says of its audio.
#[derive(Clone)]
pub struct Metadata {
    /// The fields that all families know, without pictures.
    pub(crate) common: Tag,
    /// Fields with names of their own.
    pub(crate) custom: Custom,
    pub(crate) pictures: Vec<Picture>,
    /// In order of time; those of nested lists stand among the others.
    pub(crate) chapters: Vec<Chapter>,
    pub(crate) id3: Option<Id3v2Tag>,
    pub(crate) vorbis: Option<VorbisComments>,
    pub(crate) riff: Option<RiffChunks>,
    /// The content of a FLAC cue sheet block.
    pub(crate) cue_sheet: Option<Vec<u8>>,
    /// Whether the chapters are the tracks of the cue sheet.
    pub(crate) chapters_are_cues: bool,
    /// The output's length in frames and its sample rate, once times have been moved.
    pub(crate) end: Option<(u64, u32)>,
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
    /// Returns the chapters, in order of time.
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
            count => vec![chapter::past_end(count)],
        }
    }
}

/// Tags cannot be written to the output.
pub(crate) fn tags_not_written(why: &str) -> Warning {
    let message = format!("not all tags could be written: {why}");
    Warning::new("tags-not-written", message)
}
