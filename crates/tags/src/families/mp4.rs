//! Fields, pictures and chapters of finished MP4 files.
//!
//! lofty maps the fields. mp4ameta writes them, as it also supports chapters, both as a list
//! (`chpl`) and as a text track.

use std::fs::File;
use std::io;
use std::time::Duration;

use lofty::mp4::{AtomData, AtomIdent, DataType, Ilst};
use lofty::picture::MimeType;
use lofty::tag::TagType;
use mp4ameta::{Chapter, Data, DataIdent, ErrorKind, Fourcc};

use audiostretchy_containers::warning::Warning;

use crate::fields;
use crate::metadata::{Metadata, tags_not_written};

/// The most entries of a chapter list: their number is a byte.
const LIST_ENTRIES: usize = 255;

/// The namespace of free-text fields that all players read.
const MEAN: &str = "com.apple.iTunes";

/// Writes all metadata into a finished file; fields that the encoder wrote already are kept.
///
/// # Errors
/// Returns an error if the file cannot be read or written.
pub(crate) fn write(metadata: &Metadata, file: &File) -> io::Result<Vec<Warning>> {
    let mut file = file.try_clone()?;
    let result = mp4ameta::Tag::read_from(&mut file).and_then(|mut tag| {
        let (common, rest) = fields::for_family(&metadata.common, TagType::Mp4Ilst);
        for atom in &Ilst::from(common) {
            let ident = ident(atom.ident());
            for data in atom.data().filter_map(data) {
                tag.userdata.add_data(ident.clone(), data);
            }
        }
        for (key, value) in rest.iter().chain(&metadata.custom) {
            let ident = DataIdent::freeform(MEAN, key.clone());
            tag.userdata.add_data(ident, Data::Utf8(value.clone()));
        }
        for picture in &metadata.pictures {
            let bytes = picture.data().to_vec();
            let data = match picture.mime_type() {
                Some(MimeType::Png) => Data::Png(bytes),
                Some(MimeType::Bmp) => Data::Bmp(bytes),
                _ => Data::Jpeg(bytes),
            };
            tag.userdata.add_data(Fourcc(*b"covr"), data);
        }
        let encoder = Data::Utf8(fields::ENCODER.into());
        tag.userdata.set_data(Fourcc(*b"\xA9too"), encoder);
        if let Some((_, rate)) = metadata.end {
            let chapter = |chapter: &crate::Chapter| {
                let start = chapter.start as f64 / f64::from(rate);
                Chapter::new(Duration::from_secs_f64(start), chapter.title.clone())
            };
            let mut chapters: Vec<_> = metadata.chapters.iter().map(chapter).collect();
            let list = chapters.iter().take(LIST_ENTRIES).cloned();
            *tag.userdata.chapter_list_mut() = list.collect();
            // A text track has no gaps, so players would show the first chapter from the start of
            // the audio.
            let from_start = metadata.chapters.first().is_some_and(|c| c.start == 0);
            if !from_start && chapters.len() > LIST_ENTRIES {
                chapters.insert(0, Chapter::new(Duration::ZERO, ""));
            } else if !from_start {
                chapters.clear();
            }
            *tag.userdata.chapter_track_mut() = chapters;
        }
        tag.userdata.write_to(&mut file)
    });
    match result {
        Ok(()) => Ok(Vec::new()),
        Err(error) => match error.kind {
            ErrorKind::Io(error) => Err(error),
            _ => Ok(vec![tags_not_written(
                "M4A cannot hold all of them; choose another --format to keep them",
            )]),
        },
    }
}

fn ident(ident: &AtomIdent<'_>) -> DataIdent {
    match ident {
        AtomIdent::Fourcc(name) => Fourcc(*name).into(),
        AtomIdent::Freeform { mean, name } => {
            DataIdent::freeform(mean.to_string(), name.to_string())
        }
    }
}

fn data(data: &AtomData) -> Option<Data> {
    Some(match data {
        AtomData::UTF8(text) => Data::Utf8(text.clone()),
        AtomData::UTF16(text) => Data::Utf16(text.clone()),
        AtomData::SignedInteger(number) => Data::BeSigned(shortest(*number)),
        AtomData::UnsignedInteger(number) => Data::BeSigned(shortest(i32::try_from(*number).ok()?)),
        AtomData::Bool(flag) => Data::BeSigned(vec![u8::from(*flag)]),
        AtomData::Unknown {
            code: DataType::Reserved,
            data,
        } => Data::Reserved(data.clone()),
        _ => return None,
    })
}

/// Returns a number in the fewest big-endian bytes that hold it: 1, 2 or 4.
fn shortest(number: i32) -> Vec<u8> {
    match (i8::try_from(number), i16::try_from(number)) {
        (Ok(number), _) => number.to_be_bytes().to_vec(),
        (_, Ok(number)) => number.to_be_bytes().to_vec(),
        _ => number.to_be_bytes().to_vec(),
    }
}
