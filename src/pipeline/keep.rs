//! What is kept beside the audio.

use serde::Serialize;

/// What is kept beside the audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Keep {
    /// Tags, pictures, chapters and cue points, with their times moved.
    pub tags: bool,
    /// Subtitles, lyrics and the like that lie beside an input, with their times moved.
    pub sidecars: bool,
    /// The whole time map, for whoever wants to move times of their own.
    pub time_map: bool,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            tags: true,
            sidecars: true,
            time_map: false,
        }
    }
}

impl Keep {
    /// Keeps the audio alone.
    pub const NOTHING: Self = Self {
        tags: false,
        sidecars: false,
        time_map: false,
    };
}
