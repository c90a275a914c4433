//! Chapters, whatever family they come from.

use lofty::picture::Picture;

use audiostretchy_containers::warning::Warning;

use crate::clock::Clock;

/// The most chapters that are kept of a file.
pub const MAX_CHAPTERS: usize = 10_000;

/// A chapter: positions are frames of the file that it is in.
#[derive(Debug, Clone, PartialEq)]
pub struct Chapter {
    /// Where it starts, in frames.
    pub start: u64,
    /// Where it ends, in frames, if the file says so.
    pub end: Option<u64>,
    /// Its title; may be empty.
    pub title: String,
    /// A link of its own.
    pub url: Option<String>,
    /// A picture of its own.
    pub picture: Option<Picture>,
}

impl Chapter {
    /// A chapter with nothing but a start, in frames, and a title.
    pub fn new(start: u64, title: impl Into<String>) -> Self {
        Self {
            start,
            end: None,
            title: title.into(),
            url: None,
            picture: None,
        }
    }

    /// Returns whether there is more to it than families with plain chapters can say.
    pub fn has_more_than_title(&self) -> bool {
        self.url.is_some() || self.picture.is_some()
    }
}

/// Moves chapters to where their audio went; returns how many start behind the end and were
/// left out.
pub(crate) fn visit(chapters: &mut Vec<Chapter>, clock: &mut Clock<'_>) -> usize {
    let before = chapters.len();
    chapters.retain_mut(|chapter| {
        let inside = !clock.is_past_end(chapter.start);
        chapter.start = clock.frames(chapter.start);
        chapter.end = chapter.end.map(|end| clock.frames(end));
        inside
    });
    before - chapters.len()
}

/// Where each chapter ends, in frames: where it says, else where the next one starts, at last at
/// the end of the audio.
pub(crate) fn ends(chapters: &[Chapter], audio_end: u64) -> Vec<u64> {
    let next = |index: usize| chapters.get(index + 1).map_or(audio_end, |next| next.start);
    let ends = chapters.iter().enumerate();
    ends.map(|(index, chapter)| {
        let end = chapter.end.unwrap_or_else(|| next(index));
        end.clamp(chapter.start, audio_end.max(chapter.start))
    })
    .collect()
}

/// There are more chapters than are kept.
pub(crate) fn too_many(found: usize) -> Warning {
    let message = format!("only the first {MAX_CHAPTERS} of {found} chapters were kept");
    Warning::new("too-many-chapters", message)
}

/// Chapters start where there is no audio.
pub(crate) fn past_end(count: usize) -> Warning {
    let message = match count {
        1 => "1 chapter that starts behind the end of the audio was left out".into(),
        _ => format!("{count} chapters that start behind the end of the audio were left out"),
    };
    Warning::new("chapters-past-end", message)
}
