//! Reads the metadata of a file, each tag family in its own way.

use std::error::Error;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use lofty::config::{GlobalOptions, apply_global_options};
use lofty::file::{AudioFile, FileType, TaggedFileExt};
use lofty::flac::FlacFile;
use lofty::id3::v2::Id3v2Tag;
use lofty::mp4::{AtomData, AtomIdent, Mp4File};
use lofty::mpeg::MpegFile;
use lofty::ogg::tag::VorbisComments;
use lofty::ogg::{OggPictureStorage, OpusFile, VorbisFile};
use lofty::probe::Probe;
use lofty::tag::{ItemKey, Tag, TagType};

use audiostretchy_containers::input::Input;
use audiostretchy_containers::limits::{MAX_APE_ITEMS, MAX_FIELDS, MAX_TAG_BYTES, Meter};
use audiostretchy_containers::mp4::Mp4;
use audiostretchy_containers::sanitize::SanitizedSource;
use audiostretchy_containers::warning::Warning;

use crate::budget::Budget;
use crate::chapter::{self, Chapter, MAX_CHAPTERS};
use crate::families::{aiff, demuxer, flac, id3, ogg, vorbis, wav};
use crate::fields;
use crate::metadata::Metadata;

/// Bytes of an APE tag's footer, and of an ID3v1 tag, which may follow it.
const APE_FOOTER: u64 = 32;
const ID3V1: u64 = 128;

/// A file without the ID3v2 tags at its start.
type TagReader = Budget<BufReader<SanitizedSource>>;

type Result<T> = std::result::Result<T, Unreadable>;

impl Metadata {
    /// Reads all metadata of an input. `container` is the decoder's short name of its format, and
    /// `rate` the audio's sample rate in Hz.
    ///
    /// Metadata that cannot be read is left out with a warning: a broken tag never stops the audio.
    pub fn read(input: &Input, container: &str, rate: u32) -> (Self, Vec<Warning>) {
        read(input, container, rate)
    }
}

/// Warns that tags of the input could not be read.
fn tags_unreadable(why: &str) -> Warning {
    let message = format!("tags of the input cannot be read and were left out: {why}");
    Warning::new("tags-unreadable", message)
}

/// Warns that tags of the input are damaged.
fn tags_damaged() -> Warning {
    Warning::new(
        "tags-damaged",
        "the ID3v2 tag of the input is damaged: what cannot be read of it was left out",
    )
}

/// Warns that tags of the input exceed the size limit; `most` is in bytes.
fn tags_too_large(most: u64) -> Warning {
    let most = most >> 20;
    let message = format!("tags or pictures of the input beyond {most} MiB were left out");
    Warning::new("tags-too-large", message)
}

/// Warns that chapters were left out because their times could not be parsed.
fn chapters_unreadable(count: usize) -> Warning {
    let message = format!(
        "{count} chapters of the input were left out, as their times are not understood: they \
         should be like 01:23:45.678"
    );
    Warning::new("chapters-unreadable", message)
}

fn read(input: &Input, container: &str, rate: u32) -> (Metadata, Vec<Warning>) {
    let options = GlobalOptions::new().allocation_limit(MAX_TAG_BYTES as usize);
    apply_global_options(options);
    let mut reader = Reader::new(rate);
    // A panic in a parser must not stop the audio either.
    let result = catch_unwind(AssertUnwindSafe(|| reader.read(input, container)));
    apply_global_options(GlobalOptions::new());
    let Reader {
        mut metadata,
        mut warnings,
        ..
    } = reader;
    let failed = || Unreadable("they are damaged".into());
    if let Err(Unreadable(why)) = result.unwrap_or_else(|_| Err(failed())) {
        warnings.push(tags_unreadable(&why));
    }
    limit(&mut metadata, &mut warnings);
    (metadata, warnings)
}

/// The reason why tags could not be read, worded for users.
struct Unreadable(String);

impl<E: Error + 'static> From<E> for Unreadable {
    fn from(error: E) -> Self {
        let error: &(dyn Error + 'static) = &error;
        // I/O errors and this crate's own limits are clear to users; parser messages are not.
        Self(match error.downcast_ref::<io::Error>() {
            Some(error) if error.kind() != io::ErrorKind::UnexpectedEof => error.to_string(),
            Some(_) => "they end too early".into(),
            None => "they are damaged".into(),
        })
    }
}

/// Reads the last `len` bytes of a file.
fn read_end(file: &mut TagReader, len: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::End(-len.cast_signed()))?;
    let mut bytes = Vec::new();
    file.take(len).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn limit(metadata: &mut Metadata, warnings: &mut Vec<Warning>) {
    let mut room = MAX_TAG_BYTES;
    let before = metadata.pictures.len();
    metadata.pictures.retain(|picture| {
        let fits = picture.data().len() as u64 <= room;
        room = room.saturating_sub(picture.data().len() as u64);
        fits
    });
    if metadata.pictures.len() < before {
        warnings.push(tags_too_large(MAX_TAG_BYTES));
    }
    if metadata.chapters.len() > MAX_CHAPTERS {
        warnings.push(chapter::too_many(metadata.chapters.len()));
        metadata.chapters.truncate(MAX_CHAPTERS);
        if let Some(id3) = &mut metadata.id3 {
            id3::truncate_chapters(id3, MAX_CHAPTERS);
        }
    }
}

struct Reader {
    rate: u32,
    metadata: Metadata,
    warnings: Vec<Warning>,
}

impl Reader {
    fn new(rate: u32) -> Self {
        Self {
            rate,
            metadata: Metadata::default(),
            warnings: Vec::new(),
        }
    }

    fn read(&mut self, input: &Input, container: &str) -> Result<()> {
        let source = SanitizedSource::new(Box::new(input.reopen()), Meter::default())?;
        if source.hides_ape_items() {
            let why = format!("an APE tag of more than {MAX_APE_ITEMS} items");
            self.warnings.push(tags_unreadable(&why));
        }
        let start = source.audio_start();
        for tag in &start.tags {
            self.read_id3(&mut input.reopen(), tag, start.is_damaged)?;
        }
        let mut file = Budget::new(BufReader::new(source));
        match container {
            "wave" | "rf64" => self.read_wav(&mut file),
            "mp1" | "mp2" | "mp3" | "aac" => self.read_mpeg(&mut file),
            "flac" => self.read_flac(&mut file),
            "ogg" => self.read_ogg(input, &mut file),
            "aiff" => self.read_aiff(&mut file),
            "isomp4" => self.read_mp4(&mut file),
            _ => self.read_other(input, file),
        }
    }

    /// Reads an ID3v2 tag at the start of a file.
    fn read_id3(&mut self, file: &mut Input, tag: &Range<u64>, is_damaged: bool) -> Result<()> {
        if tag.end - tag.start > MAX_TAG_BYTES {
            self.warnings.push(tags_too_large(MAX_TAG_BYTES));
            return Ok(());
        }
        let mut bytes = vec![0; (tag.end - tag.start) as usize];
        file.seek(SeekFrom::Start(tag.start))?;
        file.read_exact(&mut bytes)?;
        self.add_id3_bytes(&bytes, is_damaged);
        Ok(())
    }

    fn add_id3_bytes(&mut self, bytes: &[u8], is_damaged: bool) {
        let (tag, is_partial) = id3::parse(bytes);
        if is_damaged || is_partial {
            self.warnings.push(tags_damaged());
        }
        if let Some(mut tag) = tag {
            if let Some(mut first) = self.metadata.id3.take() {
                id3::merge(&mut first, tag);
                tag = first;
                // The pictures are in the tag and are read again from there.
                self.metadata.pictures.clear();
            }
            self.add_id3(tag);
        }
    }

    fn read_wav(&mut self, file: &mut TagReader) -> Result<()> {
        let mut chunks = wav::read(file)?;
        if chunks.too_large {
            self.warnings.push(tags_too_large(MAX_TAG_BYTES));
        }
        let common = chunks.to_common();
        self.metadata.chapters = chunks.cues.chapters();
        let id3 = chunks.id3.take();
        self.metadata.riff = Some(chunks);
        self.set_common(common);
        if let Some(bytes) = id3 {
            self.add_id3_bytes(&bytes, false);
        }
        Ok(())
    }

    /// Reads the tags at the end of a file, which fill in what those at the start lack.
    fn read_mpeg(&mut self, file: &mut TagReader) -> Result<()> {
        let len = file.seek(SeekFrom::End(0))?;
        let mut end = read_end(file, len.min(APE_FOOTER + ID3V1))?;
        let ape = end.windows(8).rposition(|bytes| bytes == b"APETAGEX");
        if let Some(size) = ape.and_then(|at| end.get(at + 12..)?.first_chunk()) {
            let size = u64::from(u32::from_le_bytes(*size)) + 2 * APE_FOOTER + ID3V1;
            if size > MAX_TAG_BYTES {
                self.warnings.push(tags_too_large(MAX_TAG_BYTES));
            } else {
                end = read_end(file, size.min(len))?;
            }
        }
        // lofty looks for audio first and would scan the whole file, so it gets two empty frames.
        let mut frame = b"\xFF\xFB\x90\0".to_vec();
        frame.resize(417, 0);
        let bytes = [frame.repeat(2), end].concat();
        let file = MpegFile::read_from(&mut Cursor::new(bytes), id3::parse_options())?;
        let ape = file.ape().cloned();
        for item in ape.iter().flat_map(|ape| ape.clone()) {
            let Metadata { common, custom, .. } = &mut self.metadata;
            let is_own = ItemKey::from_key(TagType::Ape, item.key()).is_none()
                && !custom
                    .iter()
                    .any(|(key, _)| key.eq_ignore_ascii_case(item.key()));
            if let Some(values) = item.text_values().filter(|_| is_own) {
                fields::add_free_texts(common, custom, item.key(), values);
            }
        }
        let ape = ape.map(Tag::from);
        let id3v1 = file.id3v1().cloned().map(Tag::from);
        for tag in [ape, id3v1].into_iter().flatten() {
            self.fill_common(tag);
        }
        Ok(())
    }

    fn read_flac(&mut self, file: &mut (impl Read + Seek)) -> Result<()> {
        let (blocks, _) = flac::read_blocks(file)?;
        if flac::comment_count(&blocks) > MAX_FIELDS {
            return Err(Unreadable(format!("more than {MAX_FIELDS} fields")));
        }
        self.metadata.cue_sheet = flac::cue_sheet(&blocks);
        file.seek(SeekFrom::Start(0))?;
        let file = FlacFile::read_from(file, id3::parse_options())?;
        let pictures = file.pictures().iter().map(|(picture, _)| picture.clone());
        let pictures: Vec<_> = pictures.collect();
        if let Some(comments) = file.vorbis_comments().cloned() {
            // FLAC players read the Vorbis comments; an ID3v2 tag only fills in what they lack.
            let has_tag = self.metadata.id3.take().is_some();
            let chapters = std::mem::take(&mut self.metadata.chapters);
            self.add_vorbis(comments);
            if has_tag {
                // Built again later from both tags.
                self.metadata.vorbis = None;
            }
            if self.metadata.chapters.is_empty() {
                self.metadata.chapters = chapters;
            }
            if !pictures.is_empty() {
                self.metadata.pictures.clear();
            }
        }
        self.metadata.pictures.extend(pictures);
        if let Some(sheet) = &self.metadata.cue_sheet
            && self.metadata.chapters.is_empty()
        {
            self.metadata.chapters = flac::cue_chapters(sheet);
            self.metadata.chapters_are_cues = true;
        }
        Ok(())
    }

    fn read_aiff(&mut self, file: &mut TagReader) -> Result<()> {
        let chunks = aiff::read(file)?;
        self.metadata.chapters = chunks.markers;
        if let Some(text) = chunks.text {
            self.set_common(text);
        }
        if let Some(bytes) = chunks.id3 {
            self.add_id3_bytes(&bytes, false);
        }
        Ok(())
    }

    fn read_mp4(&mut self, file: &mut TagReader) -> Result<()> {
        let len = file.seek(SeekFrom::End(0))?;
        if Mp4::scan(file, len)?.is_some_and(|mp4| mp4.fields > MAX_FIELDS) {
            return Err(Unreadable(format!("more than {MAX_FIELDS} fields")));
        }
        file.rewind()?;
        let mp4 = Mp4File::read_from(file, id3::parse_options())?;
        if let Some(ilst) = mp4.ilst() {
            for atom in ilst {
                if let AtomIdent::Freeform { mean, name } = atom.ident()
                    && ItemKey::from_key(TagType::Mp4Ilst, &format!("----:{mean}:{name}")).is_none()
                {
                    let Metadata { common, custom, .. } = &mut self.metadata;
                    let texts = atom.data().filter_map(|data| match data {
                        AtomData::UTF8(text) => Some(text.as_str()),
                        _ => None,
                    });
                    fields::add_free_texts(common, custom, name, texts);
                }
            }
            self.set_common(Tag::from(ilst.clone()));
        }
        file.rewind()?;
        let found = mp4ameta::Tag::read_from(file)?;
        let rate = f64::from(self.rate);
        // A chapter list holds at most 255 chapters, a chapter track any number.
        let (list, track) = (found.chapter_list(), found.chapter_track());
        let chapters = match track.len() > list.len() {
            // A track must start with the audio, so its first entry may only be filler.
            true => {
                let is_none = |first: &mp4ameta::Chapter| {
                    list.first().is_some_and(|list| list.start > first.start)
                };
                &track[usize::from(track.first().is_some_and(is_none))..]
            }
            false => list,
        };
        let chapters = chapters.iter().map(|chapter| {
            let start = (chapter.start.as_secs_f64() * rate).round() as u64;
            Chapter::new(start, chapter.title.clone())
        });
        self.metadata.chapters = chapters.collect();
        self.metadata.chapters.sort_by_key(|chapter| chapter.start);
        Ok(())
    }

    fn read_ogg(&mut self, input: &Input, file: &mut TagReader) -> Result<()> {
        let kind = Probe::new(&mut *file).guess_file_type()?.file_type();
        file.seek(SeekFrom::Start(0))?;
        match kind {
            Some(FileType::Opus) => {
                let file = OpusFile::read_from(file, id3::parse_options())?;
                self.add_vorbis(file.vorbis_comments().clone());
            }
            Some(FileType::Vorbis) => {
                let file = VorbisFile::read_from(file, id3::parse_options())?;
                self.add_vorbis(file.vorbis_comments().clone());
            }
            _ => {
                return match ogg::flac_headers(file)? {
                    Some(headers) => self.read_flac(&mut Cursor::new(headers)),
                    None => self.read_by_demuxer(input),
                };
            }
        }
        Ok(())
    }

    fn read_by_demuxer(&mut self, input: &Input) -> Result<()> {
        let found = demuxer::read(input.reopen(), self.rate)?;
        if let Some(most) = found.most_tags {
            self.warnings.push(tags_too_large(most));
        }
        self.metadata.chapters = found.chapters;
        self.metadata.pictures = found.pictures;
        self.metadata.custom = found.custom;
        self.set_common(found.common);
        Ok(())
    }

    fn read_other(&mut self, input: &Input, file: TagReader) -> Result<()> {
        let probe = Probe::new(file)
            .options(id3::parse_options())
            .guess_file_type()?;
        if probe.file_type().is_none() {
            return self.read_by_demuxer(input);
        }
        let tagged = probe.read()?;
        if let Some(tag) = tagged.primary_tag().or_else(|| tagged.first_tag()) {
            self.set_common(tag.clone());
        }
        Ok(())
    }

    fn add_id3(&mut self, mut tag: Id3v2Tag) {
        id3::clean(&mut tag);
        let (common, custom) = id3::to_common(&tag);
        let chapters = id3::chapters(&tag, self.rate);
        if !chapters.is_empty() {
            self.metadata.chapters = chapters;
        }
        self.set_common(common);
        self.metadata.custom = custom;
        self.metadata.id3 = Some(tag);
    }

    fn add_vorbis(&mut self, mut comments: VorbisComments) {
        let (chapters, unclear) = vorbis::chapters(&comments, self.rate);
        if unclear > 0 {
            self.warnings.push(chapters_unreadable(unclear));
        }
        self.metadata.chapters = chapters;
        vorbis::clean(&mut comments);
        let pictures = comments.remove_pictures();
        let (common, custom) = vorbis::to_common(&comments);
        self.set_common(common);
        self.metadata.custom = custom;
        let pictures = pictures.into_iter().map(|(picture, _)| picture);
        self.metadata.pictures.extend(pictures);
        self.metadata.vorbis = Some(comments);
    }

    /// Sets common fields; the previous values fill in what `tag` lacks.
    fn set_common(&mut self, tag: Tag) {
        let old = std::mem::replace(&mut self.metadata.common, Tag::new(tag.tag_type()));
        self.fill_common(tag);
        self.fill_common(old);
    }

    /// Sets the common fields that are not set yet.
    fn fill_common(&mut self, mut tag: Tag) {
        fields::clean(&mut tag);
        fields::split_numbers(&mut tag);
        fields::make_date(&mut tag);
        while tag.picture_count() > 0 {
            self.metadata.pictures.push(tag.remove_picture(0));
        }
        let common = &self.metadata.common;
        let gaps = tag.items().filter(|item| common.get(item.key()).is_none());
        let gaps: Vec<_> = gaps.cloned().collect();
        for item in gaps {
            self.metadata.common.push_unchecked(item);
        }
    }
}
