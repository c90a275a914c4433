//! Writes metadata into a finished file, each format in its own way.

use std::borrow::Cow;
use std::fs::File;
use std::io;

use lofty::tag::TagType;

use audiostretchy_containers::riff;
use audiostretchy_containers::warning::Warning;
use audiostretchy_media::format::Format;

use crate::chapter::Chapter;
use crate::families::cue::CueSheet;
use crate::families::{aiff, flac, id3, mp4, ogg, vorbis, wav};
use crate::metadata::{Metadata, tags_not_written};
use crate::splice::{self, TagFile};

impl Metadata {
    /// Writes all metadata into a finished file of the given format.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read or written. Metadata that the format cannot hold
    /// gives a warning.
    pub fn write(&self, file: &File, format: Format) -> io::Result<Vec<Warning>> {
        let handle: &mut dyn TagFile = &mut &*file;
        match format {
            Format::Mp3 => self.write_mp3(handle),
            Format::Wav => self.write_wav(handle),
            Format::Aiff => self.write_aiff(handle),
            Format::Flac => self.write_flac(handle),
            Format::Ogg | Format::Opus => self.write_ogg(handle),
            Format::M4a | Format::M4b => mp4::write(self, file),
            other => Ok(vec![tags_not_written(&format!(
                "there is no way yet to put them into {}",
                other.name()
            ))]),
        }
    }

    fn write_mp3(&self, file: &mut dyn TagFile) -> io::Result<Vec<Warning>> {
        let mut warnings = Vec::new();
        let tag = self.id3_tag(true, &mut warnings);
        splice::replace(file, 0, 0, &tag)?;
        Ok(warnings)
    }

    fn write_wav(&self, file: &mut dyn TagFile) -> io::Result<Vec<Warning>> {
        let mut warnings = Vec::new();
        let riff = self.riff.as_ref();
        let info = match riff.filter(|riff| !riff.info.is_empty()) {
            Some(riff) => Cow::Borrowed(&riff.info),
            None => Cow::Owned(wav::info_of(&self.common)),
        };
        let mut chunks = wav::info_chunk(&info);
        match riff {
            Some(riff) => chunks.extend(riff.cues.chunks()),
            None => chunks.extend(CueSheet::of_chapters(&self.chapters).chunks()),
        }
        for (id, chunk) in [
            (b"bext", riff.and_then(|riff| riff.bext.as_ref())),
            (b"smpl", riff.and_then(|riff| riff.smpl.as_ref())),
        ] {
            if let Some(chunk) = chunk {
                riff::push_chunk(&mut chunks, *id, chunk);
            }
        }
        let says_all = riff.is_some() || self.is_told_by_info();
        if self.id3.is_some() || !says_all {
            let tag = self.id3_chunk(&mut warnings);
            riff::push_chunk(&mut chunks, *b"id3 ", &tag);
        }
        if !wav::append(file, &chunks)? {
            warnings.push(tags_not_written("the file would outgrow 4 GiB"));
        }
        Ok(warnings)
    }

    fn write_aiff(&self, file: &mut dyn TagFile) -> io::Result<Vec<Warning>> {
        let mut warnings = Vec::new();
        let mut chunks = aiff::marker_chunk(&self.chapters);
        chunks.extend(aiff::text_chunks(&self.common));
        // Few programs read markers, and those that do ignore chapters in the ID3v2 tag.
        let tag = self.id3_tag(true, &mut warnings);
        aiff::push_chunk(&mut chunks, *b"ID3 ", &tag);
        if !aiff::append(file, &chunks)? {
            warnings.push(tags_not_written("the file would outgrow 4 GiB"));
        }
        Ok(warnings)
    }

    fn write_flac(&self, file: &mut dyn TagFile) -> io::Result<Vec<Warning>> {
        let mut warnings = Vec::new();
        let old = flac::read_blocks(file)?;
        let (vendor, mask) = flac::encoder_comments(&old.0);
        let mut comments = self.comments(self.cue_sheet.is_some());
        if let Some((key, value)) = mask.as_deref().and_then(|mask| mask.split_once('=')) {
            comments.push(key.to_owned(), value.to_owned());
        }
        let mut comments = vorbis::to_bytes(&comments, &[], &vendor);
        if comments.len() > flac::MAX_BLOCK {
            warnings.push(tags_not_written("FLAC holds text of 16 MiB at most"));
            comments = vorbis::to_bytes(&vorbis::empty(), &[], &vendor);
        }
        let pictures = self.pictures.iter();
        let pictures =
            pictures.map(|picture| picture.as_flac_bytes(vorbis::information(picture), false));
        let (pictures, too_large): (Vec<_>, Vec<_>) =
            pictures.partition(|picture| picture.len() <= flac::MAX_BLOCK);
        if !too_large.is_empty() {
            warnings.push(tags_not_written("FLAC holds pictures of 16 MiB at most"));
        }
        flac::write(file, old, comments, pictures, self.cue_sheet.clone())?;
        Ok(warnings)
    }

    /// Writes the comments of Ogg Vorbis and Opus files.
    fn write_ogg(&self, file: &mut dyn TagFile) -> io::Result<Vec<Warning>> {
        let comments = self.comments(false);
        ogg::write(file, |vendor| {
            vorbis::to_bytes(&comments, &self.pictures, vendor)
        })?;
        Ok(Vec::new())
    }

    /// Returns the input's Vorbis comments, or ones built from the common fields. Includes the
    /// chapters unless a cue sheet holds them.
    fn comments(&self, has_cue_sheet: bool) -> lofty::ogg::tag::VorbisComments {
        let mut comments = match &self.vorbis {
            Some(comments) => comments.clone(),
            None => vorbis::from_common(&self.common, &self.custom),
        };
        if let Some((_, rate)) = self.end
            && !(has_cue_sheet && self.chapters_are_cues)
        {
            vorbis::add_chapters(&mut comments, &self.chapters, rate);
        }
        comments
    }

    /// Returns whether LIST INFO fields and cue points can hold all metadata.
    fn is_told_by_info(&self) -> bool {
        let simple = |text: Option<&str>| text.is_some_and(str::is_ascii);
        self.pictures.is_empty()
            && self.custom.is_empty()
            && !self.chapters.iter().any(Chapter::has_more_than_title)
            && self.common.items().all(|item| {
                let is_alone = self.common.get_items(item.key()).count() == 1;
                is_alone
                    && simple(item.value().text())
                    && item.key().map_key(TagType::RiffInfo).is_some()
            })
    }

    /// Returns an ID3v2 tag for a file that also has chapters in a chunk of their own. The tag
    /// repeats them only if that chunk cannot hold them fully, as players would show them twice.
    fn id3_chunk(&self, warnings: &mut Vec<Warning>) -> Vec<u8> {
        let in_tag = self.chapters.iter().any(Chapter::has_more_than_title);
        self.id3_tag(in_tag, warnings)
    }

    /// Returns the bytes of the input's ID3v2 tag, or of one built from the common fields.
    fn id3_tag(&self, with_chapters: bool, warnings: &mut Vec<Warning>) -> Vec<u8> {
        let mut tag = match &self.id3 {
            Some(tag) => {
                let mut tag = tag.clone();
                id3::fill_gaps(&mut tag, &self.common);
                tag
            }
            None => id3::from_common(&self.common, &self.custom, &self.pictures),
        };
        if !with_chapters {
            id3::remove_chapters(&mut tag);
        } else if let Some((end, rate)) = self.end
            && !id3::has_chapters(&tag)
        {
            id3::add_chapters(&mut tag, &self.chapters, end, rate);
        }
        let (bytes, left_out) = id3::to_bytes(&tag);
        if left_out > 0 {
            warnings.push(tags_not_written(&format!(
                "{left_out} ID3v2 frames cannot be written again"
            )));
        }
        bytes
    }
}
