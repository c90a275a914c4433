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
use lofty::tag::{Accessor, ItemKey, Tag, TagType};

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

    /// Returns what the file of one of several chapters is to have: all but the chapters, with a
    /// title, a number (from 1) and how many there are. Where there was no album, the title of the
    /// whole becomes it.
    #[must_use]
    pub fn of_part(&self, number: usize, count: usize, title: &str) -> Self {
        let mut part = Self {
            chapters: Vec::new(),
            cue_sheet: None,
            riff: None,
            ..self.clone()
        };
        let album = self.common.get_string(ItemKey::AlbumTitle);
        let album = album.or_else(|| self.common.get_string(ItemKey::TrackTitle));
        let album = album.map(str::to_owned);
        if let Some(id3) = &mut part.id3 {
            id3::remove_timed(id3);
            describe(id3, number, count, title, album.as_deref());
        }
        if let Some(vorbis) = &mut part.vorbis {
            describe(vorbis, number, count, title, album.as_deref());
        }
        describe(&mut part.common, number, count, title, album.as_deref());
        part
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

fn describe(
    tag: &mut impl Accessor,
    number: usize,
    count: usize,
    title: &str,
    album: Option<&str>,
) {
    tag.set_title(title.to_owned());
    tag.set_track(number as u32);
    tag.set_track_total(count as u32);
    if let Some(album) = album {
        tag.set_album(album.to_owned());
    }
}

/// Warns that some tags could not be written to the output.
pub(crate) fn tags_not_written(why: &str) -> Warning {
    let message = format!("not all tags could be written: {why}");
    Warning::new("tags-not-written", message)
}
