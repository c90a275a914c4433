//! Text files next to the audio that contain times: subtitles, lyrics, transcripts, cue sheets,
//! labels.
//!
//! A file is used if it lies next to the input and has the same name with another extension, and with
//! a language in front of that or not. A file that does not parse completely is left out with a
//! warning, and never copied: a wrong time is worse than none.

mod cue_sheet;
mod labels;
mod lyrics;
mod styled;
mod subtitles;
mod text_grid;
mod transcript;
mod ttml;

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::clock::Clock;
use audiostretchy_containers::input::{is_out_of_room, open_file};
use audiostretchy_containers::warning::Warning;

/// The largest file that is used, in bytes.
const MAX_BYTES: u64 = 8 << 20;

/// The most bytes that a time in brackets may take, with its closing bracket.
const MAX_TIME: usize = 32;

/// What is behind the name of audio in that of its labels, as people export them from Audacity.
const AUDACITY_LABELS: &str = " labels.txt";

/// The extensions that are looked for, in lower case, and the kind of file for each.
const KINDS: [(&str, Kind); 11] = [
    ("srt", Kind::Srt),
    ("vtt", Kind::Vtt),
    ("sbv", Kind::Sbv),
    ("ttml", Kind::Ttml),
    ("ass", Kind::Styled),
    ("ssa", Kind::Styled),
    ("textgrid", Kind::TextGrid),
    ("lrc", Kind::Lyrics),
    ("json", Kind::Transcript),
    ("cue", Kind::CueSheet),
    ("txt", Kind::Labels),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Srt,
    Vtt,
    Sbv,
    Ttml,
    Styled,
    TextGrid,
    Lyrics,
    Transcript,
    CueSheet,
    Labels,
}

impl Kind {
    fn of(path: &Path) -> Option<Self> {
        Self::of_extension(path.extension()?.to_str()?)
    }

    fn of_extension(extension: &str) -> Option<Self> {
        let mut kinds = KINDS.into_iter();
        let (_, kind) = kinds.find(|(known, _)| extension.eq_ignore_ascii_case(known))?;
        Some(kind)
    }

    /// Returns whether the text can be divided by time: the times of a whole frame others, or count
    /// them.
    fn has_parts(self) -> bool {
        !matches!(self, Self::CueSheet | Self::TextGrid)
    }

    /// Returns whether there may be one for each of several languages.
    fn has_languages(self) -> bool {
        !matches!(self, Self::CueSheet | Self::Labels)
    }
}

/// Why a text file is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    /// There is not one time in it.
    NoTimes,
    /// A line, counted from 1, is not as it should be.
    Line(usize),
    /// An entry of a list, counted from 1, has no time.
    Item(usize),
    /// Something else, said of the file.
    Other(&'static str),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTimes => f.write_str("has no times"),
            Self::Line(line) => write!(f, "cannot be read in line {line}"),
            Self::Item(item) => write!(f, "has no time in entry {item}"),
            Self::Other(what) => f.write_str(what),
        }
    }
}

/// Splits the text at the closing bracket, if it comes within the first [`MAX_TIME`] bytes.
fn split_soon(text: &str, close: char) -> Option<(&str, &str)> {
    let mut bytes = text.bytes().take(MAX_TIME);
    let at = bytes.position(|byte| char::from(byte) == close)?;
    Some((&text[..at], &text[at + 1..]))
}

/// A text file that contains times.
#[derive(Debug, Clone)]
pub struct Sidecar {
    path: PathBuf,
    kind: Kind,
    text: String,
}

/// A text file next to an input that is not used.
#[derive(Debug, Clone)]
pub struct LeftBehind {
    /// The file.
    pub path: PathBuf,
    /// Why, said of the file: `cannot be read in line 3`.
    pub reason: String,
    /// Whether it was to be expected that it is used.
    pub is_broken: bool,
}

impl LeftBehind {
    /// Returns the warning about a file that should have been used.
    pub fn warning(&self) -> Option<Warning> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let message = format!(
            "{name} beside the input was left behind: it {}",
            self.reason
        );
        (self.is_broken).then(|| Warning::new("sidecar-unreadable", message))
    }
}

impl Sidecar {
    /// Reads the text files next to an input. Returns those that are used, and the others.
    ///
    /// # Errors
    /// Returns an error if no more files can be opened at the moment.
    pub fn read_all(paths: &[PathBuf]) -> io::Result<(Vec<Self>, Vec<LeftBehind>)> {
        let (mut found, mut left) = (Vec::new(), Vec::new());
        for path in paths {
            let Some(kind) = Kind::of(path) else { continue };
            let mut leave = |reason: String, is_broken| {
                left.push(LeftBehind {
                    path: path.clone(),
                    reason,
                    is_broken,
                });
            };
            match read(path) {
                Ok(Some(text)) => {
                    let sidecar = Self {
                        path: path.clone(),
                        kind,
                        text,
                    };
                    match sidecar.moved(&mut Clock::asking(1000)) {
                        Ok(_) => found.push(sidecar),
                        Err(broken) => leave(broken.to_string(), sidecar.is_timed(broken)),
                    }
                }
                Ok(None) => leave(format!("is no text of up to {} MiB", MAX_BYTES >> 20), true),
                Err(error) if is_out_of_room(&error) => return Err(error),
                Err(error) => leave(format!("cannot be read: {error}"), true),
            }
        }
        Ok((found, left))
    }

    /// Returns whether a file that is broken somewhere is of its kind all the same: other text and
    /// JSON without times may lie next to the audio.
    fn is_timed(&self, broken: Broken) -> bool {
        match self.kind {
            Kind::Labels => {
                let name = self.path.file_name().unwrap_or_default();
                matches!(broken, Broken::Line(2..))
                    || name
                        .as_encoded_bytes()
                        .ends_with(AUDACITY_LABELS.as_bytes())
            }
            Kind::Transcript => match broken {
                Broken::Line(_) => self.text.contains("\"segments\""),
                Broken::Item(item) => item > 1,
                _ => false,
            },
            _ => true,
        }
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Collects every position that is needed.
    pub fn visit(&self, clock: &mut Clock<'_>) {
        let _ = self.moved(clock);
    }

    /// Returns the text with every time moved.
    fn moved(&self, clock: &mut Clock<'_>) -> Result<String, Broken> {
        match self.kind {
            Kind::Srt => subtitles::moved(&self.text, subtitles::Dialect::Srt, clock),
            Kind::Vtt => subtitles::moved(&self.text, subtitles::Dialect::Vtt, clock),
            Kind::Sbv => subtitles::moved_sbv(&self.text, clock),
            Kind::Ttml => ttml::moved(&self.text, clock),
            Kind::Styled => styled::moved(&self.text, clock),
            Kind::TextGrid => text_grid::moved(&self.text, clock),
            Kind::Lyrics => lyrics::moved(&self.text, clock),
            Kind::Transcript => transcript::moved(&self.text, clock),
            Kind::CueSheet => cue_sheet::moved(&self.text, clock),
            Kind::Labels => labels::moved(&self.text, clock),
        }
    }

    /// Returns what to write next to an output; `None` if there is nothing in the clock's part.
    pub fn finish(&self, output: &Path, clock: &mut Clock<'_>) -> Option<String> {
        let text = self.moved(clock).ok()?;
        if clock.is_of_part() && !clock.has_found_spans() {
            return None;
        }
        Some(match self.kind {
            Kind::CueSheet => cue_sheet::renamed(&text, output),
            _ => text,
        })
    }
}

/// Returns the path next to `output` of a text file that is called like its input but for the
/// [`tail`].
pub fn counterpart(tail: &str, output: &Path) -> PathBuf {
    let mut name = output.file_stem().unwrap_or_default().to_owned();
    name.push(tail);
    output.with_file_name(name)
}

/// Returns what is behind the input's name in that of a text file in the same folder that belongs to
/// it: another extension, in lower or upper case or as Praat writes it, with or without a language
/// in front, such as `.srt` and `.pt-BR.srt`; or ` labels.txt`.
pub fn tail<'a>(name: &'a OsStr, input: &Path) -> Option<&'a str> {
    let stem = input.file_stem()?.as_encoded_bytes();
    let tail = std::str::from_utf8(name.as_encoded_bytes().strip_prefix(stem)?).ok()?;
    if tail == AUDACITY_LABELS {
        return Some(tail);
    }
    let ending = tail.strip_prefix('.')?;
    let (language, extension) = match ending.rsplit_once('.') {
        Some((language, extension)) => (Some(language), extension),
        None => (None, ending),
    };
    let kind = Kind::of_extension(extension)?;
    let one_case = [extension.to_lowercase(), extension.to_uppercase()];
    let is_named = one_case.iter().any(|case| case == extension) || extension == "TextGrid";
    let is_ours = match language {
        Some(language) => kind.has_languages() && is_language(language),
        None => Some(name) != input.file_name(),
    };
    (is_named && is_ours).then_some(tail)
}

/// Returns whether this looks like a language (RFC 5646), with or without what players add behind
/// it, such as `en.forced`.
fn is_language(text: &str) -> bool {
    let mut parts = text.split('.');
    let is_word = |part: &str| {
        (1..=12).contains(&part.len())
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    parts.clone().count() <= 2 && parts.all(is_word)
}

/// Returns whether a text file of that name can be divided among the chapters of the audio.
pub fn has_parts(name: &Path) -> bool {
    Kind::of(name).is_some_and(Kind::has_parts)
}

/// Returns whether a path has one of the extensions of text files that are used.
pub fn may_be_sidecar(path: &Path) -> bool {
    Kind::of(path).is_some()
}

/// Returns the text of a file below the size limit, read as UTF-8, or as Latin-1 if it is not.
fn read(path: &Path) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let Some(file) = open_file(path)? else {
        return Ok(None);
    };
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES || bytes.contains(&0) {
        return Ok(None);
    }
    Ok(Some(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => error
            .as_bytes()
            .iter()
            .map(|&byte| char::from(byte))
            .collect(),
    }))
}

/// Parses `[[hours:]minutes:]seconds` with a fraction after one of `marks` into milliseconds.
fn parse_time(text: &str, marks: &[char]) -> Option<u64> {
    let (whole, fraction) = match text.split_once(marks) {
        Some((whole, fraction)) => (whole, fraction),
        None => (text, "0"),
    };
    let digits = |part: &str| {
        let valid = !part.is_empty() && part.len() < 8 && part.bytes().all(|b| b.is_ascii_digit());
        valid.then(|| part.parse::<u64>().ok()).flatten()
    };
    let mut seconds = 0;
    let parts: Vec<_> = whole.split(':').collect();
    if parts.len() > 3 {
        return None;
    }
    for part in parts {
        seconds = seconds * 60 + digits(part)?;
    }
    let millis: u64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    digits(fraction)?;
    Some(seconds * 1000 + millis)
}

/// Returns a time in seconds in units of which there are `per_second`; `None` if it is none.
fn to_units(seconds: f64, per_second: u64) -> Option<u64> {
    let units = || (seconds * per_second as f64).round() as u64;
    (0.0..1e9).contains(&seconds).then(units)
}

/// Returns a time as `00:00:01.000`, with `mark` in front of the milliseconds.
fn written_clock(millis: u64, mark: char) -> String {
    let (hours, minutes, seconds, millis) = split_millis(millis);
    format!("{hours:02}:{minutes:02}:{seconds:02}{mark}{millis:03}")
}

/// Splits a time into hours, minutes, seconds and milliseconds.
fn split_millis(millis: u64) -> (u64, u64, u64, u64) {
    let (seconds, rest) = (millis / 1000, millis % 1000);
    (seconds / 3600, seconds / 60 % 60, seconds % 60, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_may_stand_before_the_extension() {
        let tail = |name: &str, input: &str| {
            super::tail(name.as_ref(), input.as_ref()).map(ToOwned::to_owned)
        };
        for (name, expected) in [
            ("a.srt", Some(".srt")),
            ("a.SRT", Some(".SRT")),
            ("a.Srt", None),
            ("a.TextGrid", Some(".TextGrid")),
            ("a.en.srt", Some(".en.srt")),
            ("a.pt-BR.vtt", Some(".pt-BR.vtt")),
            ("a.en.forced.ass", Some(".en.forced.ass")),
            ("a.b.c.d.srt", None),
            ("a..srt", None),
            ("a.a language.srt", None),
            ("a.en.cue", None),
            ("a labels.txt", Some(" labels.txt")),
            ("a other.txt", None),
            ("ab.srt", None),
            ("a.mp3", None),
            ("b.srt", None),
        ] {
            assert_eq!(tail(name, "x/a.mp3").as_deref(), expected, "{name}");
        }
        assert_eq!(tail("a.txt", "a.txt"), None);
        assert_eq!(
            counterpart(".en.srt", "out/b.fast.mp3".as_ref()),
            Path::new("out/b.fast.en.srt")
        );
    }

    #[test]
    fn times_of_all_notations_are_read() {
        assert_eq!(parse_time("01:02:03,450", &[',']), Some(3_723_450));
        assert_eq!(parse_time("02:03.45", &['.']), Some(123_450));
        assert_eq!(parse_time("75", &['.']), Some(75_000));
        for wrong in ["", "a:b", "1:2:3:4", "-1", "1.-2", "1:+2"] {
            assert_eq!(parse_time(wrong, &['.']), None, "{wrong}");
        }
    }
}
