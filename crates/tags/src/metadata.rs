//! Copies tags, pictures and chapters from input to output, and moves every time in them to the
//! output's time scale.
//!
//! Within a family (ID3v2, Vorbis comments, RIFF) a tag is kept whole. Between families, only the
//! fields that all families share are converted. lofty parses and serializes the tags; this crate
//! writes them into output files itself, because lofty would hold whole files in memory.

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

/// All metadata of an audio file.
#[derive(Clone)]
pub struct Metadata {
    /// The fields that all families share, without pictures.
    pub(crate) common: Tag,
    /// Fields with custom names.
    pub(crate) custom: Custom,
    pub(crate) pictures: Vec<Picture>,
    /// In order of time; nested chapters are listed among the others.
    pub(crate) chapters: Vec<Chapter>,
    pub(crate) id3: Option<Id3v2Tag>,
    pub(crate) vorbis: Option<VorbisComments>,
    pub(crate) riff: Option<RiffChunks>,
    /// The content of a FLAC cue sheet block.
    pub(crate) cue_sheet: Option<Vec<u8>>,
    /// Whether the chapters were made from the tracks of the cue sheet.
    pub(crate) chapters_are_cues: bool,
    /// Length of the output in frames and its sample rate in Hz, once times have been moved.
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

    /// Collects every position that is needed, or moves every time, depending on the mode of
    /// `clock`.
    ///
    /// `ratio` is output length divided by input length; it scales the tempo.
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

/// Warns that some tags could not be written to the output.
pub(crate) fn tags_not_written(why: &str) -> Warning {
    let message = format!("not all tags could be written: {why}");
    Warning::new("tags-not-written", message)
}
