//! Times in WAV chunks: cue points with their labels, broadcast extension, sampler loops.
//!
//! Layouts: Microsoft's "Multimedia Programming Interface and Data Specifications 1.0" for `cue `
//! and `LIST adtl`, its "New Multimedia Data Types and Data Techniques" for `smpl`, EBU Tech 3285
//! for `bext`.

use std::collections::HashMap;

use lofty::tag::{ItemKey, Tag};

use super::chapter::{Chapter, MAX_CHAPTERS};
use super::clock::{Clock, rescale};
use super::fields;
use super::riff::{decode_text, push_chunk, sub_chunks, terminated, u32_at};

const CUE_POINT_LEN: usize = 24;
/// Bytes of a region before its text: cue point, length, purpose, country, language, code page.
const LTXT_LEN: usize = 20;
/// Bytes of a broadcast extension before its coding history.
pub const BEXT_LEN: usize = 602;
const BEXT_TIME: std::ops::Range<usize> = 338..346;
const BEXT_UMID: std::ops::Range<usize> = 348..412;
const SMPL_LEN: usize = 36;
const LOOP_LEN: usize = 24;

/// A cue point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CuePoint {
    /// What labels name it by.
    pub id: u32,
    /// Where it is, in frames.
    pub position: u64,
}

/// A label, note or region of a cue point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// `labl`, `note`, `ltxt` or `file`.
    pub kind: [u8; 4],
    /// The cue point.
    pub id: u32,
    /// The end of a region, in frames.
    pub end: Option<u64>,
    /// What stands behind the cue point's number (and a region's length).
    pub body: Vec<u8>,
}

/// The cue points of a WAV file and what is said of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CueSheet {
    /// The points, in the file's order.
    pub points: Vec<CuePoint>,
    /// What is said of them.
    pub annotations: Vec<Annotation>,
}

impl CueSheet {
    /// Reads the bodies of a `cue ` and a `LIST adtl` chunk, as far as they are whole.
    pub fn parse(cue: &[u8], adtl: &[u8]) -> Self {
        let points = cue.get(4..).unwrap_or_default().chunks_exact(CUE_POINT_LEN);
        let points: Vec<_> = points
            .take((u32_at(cue, 0) as usize).min(MAX_CHAPTERS))
            .map(|point| CuePoint {
                id: u32_at(point, 0),
                // Some writers fill in the play order only, which is the same without a playlist.
                position: match (u32_at(point, 20), u32_at(point, 4)) {
                    (0, order) => order.into(),
                    (offset, _) => offset.into(),
                },
            })
            .collect();
        // The first of equals.
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

    /// Cue points and labels for chapters; chapters with an end of their own become regions.
    pub fn of_chapters(chapters: &[Chapter]) -> Self {
        let mut sheet = Self::default();
        // From 0, as ffmpeg counts ID3v2 chapters: it takes the same number for the same chapter.
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

    /// The cue points as chapters, in order of time.
    pub fn chapters(&self) -> Vec<Chapter> {
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

    /// Moves all points and ends of regions.
    pub fn visit(&mut self, clock: &mut Clock<'_>) {
        for point in &mut self.points {
            point.position = clock.frames(point.position);
        }
        for annotation in &mut self.annotations {
            annotation.end = annotation.end.map(|end| clock.frames(end));
        }
    }

    /// The `cue ` and `LIST adtl` chunks; points that 32 bits cannot tell are left out.
    pub fn chunks(&self) -> Vec<u8> {
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
        // ffmpeg reads labels up to the first annotation that is none.
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

/// Puts a broadcast extension's description and date where all families look for them.
pub fn describe_bext(bext: &[u8], tag: &mut Tag) {
    let description = decode_text(&bext[..256]);
    if tag.get(ItemKey::Comment).is_none() && !description.is_empty() {
        fields::set(tag, ItemKey::Comment, description);
    }
    let date = decode_text(&bext[320..330]);
    let is_date = date.len() == 10 && date.starts_with(|first: char| first.is_ascii_digit());
    if tag.get(ItemKey::RecordingDate).is_none() && is_date {
        fields::set(
            tag,
            ItemKey::RecordingDate,
            date.replace([':', '_', '/'], "-"),
        );
    }
}

/// Brings a broadcast extension up to date: the audio starts at the same time of day, counted in
/// the output's sample rate; the material's unique number is not this file's; the coding history
/// grows by a line.
pub fn move_bext(bext: &mut Vec<u8>, clock: &Clock<'_>) {
    if clock.output_end().is_none() {
        return;
    }
    let time: [u8; 8] = bext[BEXT_TIME].try_into().unwrap_or_default();
    let rates = (clock.input_rate().into(), clock.output_rate().into());
    let time = rescale(u64::from_le_bytes(time), rates.0, rates.1);
    bext[BEXT_TIME].copy_from_slice(&time.to_le_bytes());
    bext[BEXT_UMID].fill(0);
    let history_end = bext[BEXT_LEN..].iter().rposition(|&byte| byte != 0);
    bext.truncate(BEXT_LEN + history_end.map_or(0, |last| last + 1));
    let line = format!("A=PCM,F={},T={}\r\n", rates.1, fields::ENCODER);
    bext.extend(line.as_bytes());
}

/// Moves the loops of a sampler chunk and sets its sample period.
pub fn move_loops(smpl: &mut [u8], clock: &mut Clock<'_>) {
    if smpl.len() < SMPL_LEN {
        return;
    }
    let count = u32_at(smpl, 28) as usize;
    if clock.output_end().is_some() {
        let period = 1_000_000_000 / clock.output_rate().max(1);
        smpl[8..12].copy_from_slice(&period.to_le_bytes());
    }
    for looped in smpl[SMPL_LEN..].chunks_exact_mut(LOOP_LEN).take(count) {
        for at in [8, 12] {
            let moved = clock.frames(u32_at(looped, at).into());
            let moved = u32::try_from(moved).unwrap_or(u32::MAX);
            looped[at..at + 4].copy_from_slice(&moved.to_le_bytes());
        }
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
