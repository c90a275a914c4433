//! Chapters of Matroska and WebM files (RFC 9559, section 5.1.7), which are hidden
//! from the demuxer.

use std::io::{self, Read, Seek, SeekFrom};

use crate::chapter::{Chapter, MAX_CHAPTERS};
use crate::clock::rescale;
use audiostretchy_containers::ebml::{elements, unsigned};
use audiostretchy_containers::limits::MAX_TAG_BYTES;
use audiostretchy_containers::matroska::Mkv;

const EDITION: u64 = 0x45b9;
const EDITION_IS_DEFAULT: u64 = 0x45db;
const ATOM: u64 = 0xb6;
const START: u64 = 0x91;
const END: u64 = 0x92;
const IS_HIDDEN: u64 = 0x98;
const IS_ENABLED: u64 = 0x4598;
const DISPLAY: u64 = 0x80;
const TITLE: u64 = 0x85;

/// The deepest level of nested chapters that is read.
const MAX_DEPTH: u32 = 16;
const NANOSECONDS: u64 = 1_000_000_000;

/// Returns the chapters of a file in order of time, with nested ones among the others. If there are
/// several editions, uses the default one, or else the first.
///
/// # Errors
/// Returns an error if reading fails.
pub(crate) fn chapters(
    file: &mut (impl Read + Seek),
    mkv: &Mkv,
    rate: u32,
) -> io::Result<Vec<Chapter>> {
    let mut chapters = Vec::new();
    let mut bytes = Vec::new();
    for element in &mkv.chapters {
        file.seek(SeekFrom::Start(element.body))?;
        let room = MAX_TAG_BYTES.saturating_sub(bytes.len() as u64);
        let length = (element.end - element.body).min(room);
        (&mut *file).take(length).read_to_end(&mut bytes)?;
    }
    let editions = || elements(&bytes).filter(|(id, _)| *id == EDITION);
    let is_default = |(_, edition): &(u64, &[u8])| flag(edition, EDITION_IS_DEFAULT, false);
    if let Some((_, edition)) = editions().find(is_default).or_else(|| editions().next()) {
        collect(edition, rate, MAX_DEPTH, &mut chapters);
    }
    chapters.sort_by_key(|chapter| chapter.start);
    Ok(chapters)
}

fn collect(list: &[u8], rate: u32, depth: u32, chapters: &mut Vec<Chapter>) {
    for (_, atom) in elements(list).filter(|(id, _)| *id == ATOM) {
        if chapters.len() > MAX_CHAPTERS || depth == 0 {
            return;
        }
        let position = |bytes| rescale(unsigned(bytes), NANOSECONDS, rate.into());
        let is_shown = !flag(atom, IS_HIDDEN, false) && flag(atom, IS_ENABLED, true);
        if let Some(start) = child(atom, START).map(position)
            && is_shown
        {
            let title = child(atom, DISPLAY).and_then(|display| child(display, TITLE));
            let title = String::from_utf8_lossy(title.unwrap_or_default());
            let mut chapter = Chapter::new(start, title.trim_end_matches('\0'));
            chapter.end = child(atom, END).map(position).filter(|&end| end > start);
            chapters.push(chapter);
        }
        collect(atom, rate, depth - 1, chapters);
    }
}

fn child(bytes: &[u8], wanted: u64) -> Option<&[u8]> {
    let found = elements(bytes).find(|(id, _)| *id == wanted);
    found.map(|(_, body)| body)
}

fn flag(bytes: &[u8], wanted: u64, default: bool) -> bool {
    child(bytes, wanted).map_or(default, |body| unsigned(body) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(id: &[u8], body: &[u8]) -> Vec<u8> {
        [id, &[0x80 | body.len() as u8], body].concat()
    }

    fn atom(start: u8, more: &[u8]) -> Vec<u8> {
        let title = element(&[0x80], &element(&[0x85], "漢字".as_bytes()));
        let body = [element(&[0x91], &[start]), title, more.to_vec()].concat();
        element(&[0xb6], &body)
    }

    #[test]
    fn nested_chapters_are_found_and_hidden_ones_are_not() {
        let hidden = atom(9, &element(&[0x98], &[1]));
        let list = [atom(4, &atom(2, &[])), hidden].concat();
        let mut chapters = Vec::new();
        collect(&list, 1_000_000_000, MAX_DEPTH, &mut chapters);
        assert_eq!(chapters, [4, 2].map(|start| Chapter::new(start, "漢字")));
    }

    #[test]
    fn broken_elements_do_no_harm() {
        let whole = atom(4, &atom(2, &[]));
        for end in 0..whole.len() {
            collect(&whole[..end], 1000, MAX_DEPTH, &mut Vec::new());
        }
        let mut deep = Vec::new();
        for _ in 0..40 {
            deep = atom(1, &deep[..deep.len().min(100)]);
        }
        collect(&deep, 1000, MAX_DEPTH, &mut Vec::new());
    }
}
