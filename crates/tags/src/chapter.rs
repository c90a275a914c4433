//! Chapters, independent of the tag family.

use lofty::picture::Picture;

use audiostretchy_containers::warning::Warning;

use crate::clock::Clock;

/// The most chapters that are kept per file.
pub const MAX_CHAPTERS: usize = 10_000;

/// A chapter. Positions are in frames of the file that it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct Chapter {
    /// Start in frames.
    pub start: u64,
    /// End in frames, if the file gives one.
    pub end: Option<u64>,
    /// Title; may be empty.
    pub title: String,
    /// Link of this chapter.
    pub url: Option<String>,
    /// Picture of this chapter.
    pub picture: Option<Picture>,
}

impl Chapter {
    /// Creates a chapter with only a start in frames and a title.
    pub fn new(start: u64, title: impl Into<String>) -> Self {
        Self {
            start,
            end: None,
            title: title.into(),
            url: None,
            picture: None,
        }
    }

    /// Returns whether the chapter has data that plain chapter formats cannot hold.
    pub fn has_more_than_title(&self) -> bool {
        self.url.is_some() || self.picture.is_some()
    }
}

/// Moves chapters to their output positions. Removes those that start at or after the end of the
/// audio, and returns how many were removed.
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

/// Returns the end of each chapter in frames: its own if it has one, otherwise the start of the
/// next chapter, or the end of the audio for the last one.
pub(crate) fn ends(chapters: &[Chapter], audio_end: u64) -> Vec<u64> {
    let next = |index: usize| chapters.get(index + 1).map_or(audio_end, |next| next.start);
    let ends = chapters.iter().enumerate();
    ends.map(|(index, chapter)| {
        let end = chapter.end.unwrap_or_else(|| next(index));
        end.clamp(chapter.start, audio_end.max(chapter.start))
    })
    .collect()
}

/// Warns that the file has more chapters than are kept.
pub(crate) fn too_many(found: usize) -> Warning {
    let message = format!("only the first {MAX_CHAPTERS} of {found} chapters were kept");
    Warning::new("too-many-chapters", message)
}

/// Warns that chapters start after the end of the audio.
pub(crate) fn past_end(count: usize) -> Warning {
    let message = match count {
        1 => "1 chapter that starts behind the end of the audio was left out".into(),
        _ => format!("{count} chapters that start behind the end of the audio were left out"),
    };
    Warning::new("chapters-past-end", message)
}
