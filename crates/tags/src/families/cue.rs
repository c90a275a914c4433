//! Cue points of WAV files with their labels.
//!
//! Layouts: Microsoft's "Multimedia Programming Interface and Data Specifications 1.0" for `cue `
//! and `LIST adtl`.

use std::collections::HashMap;

use crate::chapter::{Chapter, MAX_CHAPTERS};
use crate::clock::Clock;
use audiostretchy_containers::riff::{decode_text, push_chunk, sub_chunks, terminated, u32_at};

const CUE_POINT_LEN: usize = 24;
/// Bytes before the text of a region: cue point, length, purpose, country, language, code page.
const LTXT_LEN: usize = 20;

/// A cue point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CuePoint {
    /// The number by which labels refer to it.
    pub id: u32,
    /// Position in frames.
    pub position: u64,
}

/// A label, note or region of a cue point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Annotation {
    /// `labl`, `note`, `ltxt` or `file`.
    pub kind: [u8; 4],
    /// The number of the cue point.
    pub id: u32,
    /// End of a region, in frames.
    pub end: Option<u64>,
    /// The data after the cue point's number (and a region's length).
    pub body: Vec<u8>,
}

/// The cue points of a WAV file and their annotations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CueSheet {
    /// The points, in the file's order.
    pub points: Vec<CuePoint>,
    /// Labels, notes and regions of the points.
    pub annotations: Vec<Annotation>,
}

impl CueSheet {
    /// Parses the bodies of a `cue ` and a `LIST adtl` chunk, as far as they are complete.
    pub(crate) fn parse(cue: &[u8], adtl: &[u8]) -> Self {
        let points = cue.get(4..).unwrap_or_default().chunks_exact(CUE_POINT_LEN);
        let points: Vec<_> = points
            .take((u32_at(cue, 0) as usize).min(MAX_CHAPTERS))
            .map(|point| CuePoint {
                id: u32_at(point, 0),
                // Some writers set only the play order, which is the same value without a playlist.
                position: match (u32_at(point, 20), u32_at(point, 4)) {
                    (0, order) => order.into(),
                    (offset, _) => offset.into(),
                },
            })
            .collect();
        // Of points with the same number, the first one counts.
        let positions = points.iter().rev().map(|point| (point.id, point.position));
        let positions: HashMap<_, _> = positions.collect();
        let annotations = sub_chunks(adtl).filter_map(|(kind, body)| {
            let id = u32_at(body, 0);
            let start = positions.get(&id)?;
            let (end, rest) = match &kind {
                b"ltxt" => (Some(start + u64::from(u32_at(body, 4))), body.get(8..)?),
                _ => (None, body.get(4..)?),
            };
            Some(Annotation {
                kind,
                id,
                end,
                body: rest.to_vec(),
            })
        });
        Self {
            annotations: annotations.take(4 * MAX_CHAPTERS).collect(),
            points,
        }
    }

    /// Creates cue points and labels for chapters. Chapters with an end of their own become
    /// regions.
    pub(crate) fn of_chapters(chapters: &[Chapter]) -> Self {
        let mut sheet = Self::default();
        // Starts at 0, as in ffmpeg's numbering of ID3v2 chapters, so both give a chapter the same
        // number.
        for (id, chapter) in (0..).zip(chapters) {
            sheet.points.push(CuePoint {
                id,
                position: chapter.start,
            });
            let mut annotate = |kind, end, body| {
                sheet.annotations.push(Annotation {
                    kind,
                    id,
                    end,
                    body,
                });
            };
            annotate(*b"labl", None, terminated(&chapter.title));
            if let Some(end) = chapter.end {
                let mut body = b"rgn ".to_vec();
                body.resize(LTXT_LEN - 8, 0);
                annotate(*b"ltxt", Some(end), body);
            }
        }
        sheet
    }

    /// Returns the cue points as chapters, in order of time.
    pub(crate) fn chapters(&self) -> Vec<Chapter> {
        let chapter = |point: &CuePoint| {
            let of_point = |kind: &[u8; 4]| {
                let mut found = self.annotations.iter();
                let kind = *kind;
                found.find(move |note| note.id == point.id && note.kind == kind)
            };
            let title = of_point(b"labl").map(|label| decode_text(&label.body));
            let mut chapter = Chapter::new(point.position, title.unwrap_or_default());
            let end = of_point(b"ltxt").and_then(|region| region.end);
            chapter.end = end.filter(|&end| end > point.position);
            chapter
        };
        let mut chapters: Vec<_> = self.points.iter().map(chapter).collect();
        chapters.sort_by_key(|chapter| chapter.start);
        chapters
    }

    /// Moves all points and the ends of regions.
    pub(crate) fn visit(&mut self, clock: &mut Clock<'_>) {
        for point in &mut self.points {
            point.position = clock.frames(point.position);
        }
        for annotation in &mut self.annotations {
            annotation.end = annotation.end.map(|end| clock.frames(end));
        }
    }

    /// Returns the `cue ` and `LIST adtl` chunks. Points beyond the range of 32 bits are left out.
    pub(crate) fn chunks(&self) -> Vec<u8> {
        let points: Vec<_> = self
            .points
            .iter()
            .filter_map(|point| Some((point.id, u32::try_from(point.position).ok()?)))
            .collect();
        let mut chunks = Vec::new();
        if points.is_empty() {
            return chunks;
        }
        let mut cue = (points.len() as u32).to_le_bytes().to_vec();
        for (id, position) in &points {
            cue.extend(id.to_le_bytes());
            cue.extend(position.to_le_bytes());
            cue.extend(b"data\0\0\0\0\0\0\0\0");
            cue.extend(position.to_le_bytes());
        }
        push_chunk(&mut chunks, *b"cue ", &cue);
        let mut adtl = b"adtl".to_vec();
        // ffmpeg stops reading at the first annotation that is not a label, so labels come first.
        let is_label = |note: &&Annotation| &note.kind == b"labl";
        let labels = self.annotations.iter().filter(is_label);
        let others = self.annotations.iter().filter(|note| !is_label(note));
        for note in labels.chain(others) {
            let Some((_, start)) = points.iter().find(|(id, _)| *id == note.id) else {
                continue;
            };
            let mut body = note.id.to_le_bytes().to_vec();
            if let Some(end) = note.end {
                let length = end.saturating_sub(u64::from(*start));
                body.extend(u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
            }
            body.extend(&note.body);
            push_chunk(&mut adtl, note.kind, &body);
        }
        if adtl.len() > 4 {
            push_chunk(&mut chunks, *b"LIST", &adtl);
        }
        chunks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cue_points_and_regions_are_read_as_they_were_written() {
        let mut chapters = vec![Chapter::new(0, "Intro"), Chapter::new(44_100, "Öl")];
        chapters[1].end = Some(88_200);
        let bytes = CueSheet::of_chapters(&chapters).chunks();
        let bodies: Vec<_> = sub_chunks(&bytes).collect();
        let read = CueSheet::parse(bodies[0].1, &bodies[1].1[4..]);
        assert_eq!(read.chapters(), chapters);
    }

    #[test]
    fn broken_cue_chunks_do_no_harm() {
        assert_eq!(CueSheet::parse(&[9], b"lab"), CueSheet::default());
        let sheet = CueSheet::parse(&[255; 30], b"labl\xFF\0\0\0abc");
        assert_eq!(sheet.points.len(), 1);
    }
}
