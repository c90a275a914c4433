//! Cue sheets (`.cue`) for one audio file: `INDEX nn mm:ss:ff` with 75 frames per second.

use std::path::Path;

use super::Broken;
use crate::clock::Clock;

const FRAMES_PER_SECOND: u64 = 75;

/// Returns the text with every time moved.
pub(super) fn moved(text: &str, clock: &mut Clock<'_>) -> Result<String, Broken> {
    let (mut moved, mut indices, mut files) = (String::with_capacity(text.len()), 0, 0);
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let content = line.trim_end_matches(['\r', '\n']);
        let mut words = content.split_whitespace();
        match words.next().map(str::to_ascii_uppercase).as_deref() {
            Some("FILE") => files += 1,
            Some("INDEX") => {
                let time = words.nth(1).and_then(|time| Some((time, parse(time)?)));
                let (time, frames) = time.ok_or(Broken::Line(number))?;
                let frames = clock.units(frames, FRAMES_PER_SECOND);
                let at = content.rfind(time).expect("it is a word of the line");
                let (seconds, frames) = (frames / FRAMES_PER_SECOND, frames % FRAMES_PER_SECOND);
                let (minutes, seconds) = (seconds / 60, seconds % 60);
                moved.push_str(&content[..at]);
                moved.push_str(&format!("{minutes:02}:{seconds:02}:{frames:02}"));
                moved.push_str(&line[content.len()..]);
                indices += 1;
                continue;
            }
            // This silence is not part of the audio file, so it cannot be stretched.
            Some("PREGAP" | "POSTGAP") => {
                return Err(Broken::Other("has silence that is not in the audio"));
            }
            _ => {}
        }
        moved.push_str(line);
    }
    match (indices, files) {
        (0, _) => Err(Broken::NoTimes),
        (_, 0 | 1) => Ok(moved),
        _ => Err(Broken::Other("is for several files")),
    }
}

/// Returns the text with the file name replaced by that of `output`.
pub(super) fn renamed(text: &str, output: &Path) -> String {
    let Some(name) = output.file_name().and_then(|name| name.to_str()) else {
        return text.to_owned();
    };
    // A cue sheet cannot escape these, and control characters could start a new line.
    let name = name.replace(|c: char| c == '"' || c.is_control(), "_");
    let kind = match output.extension().and_then(|extension| extension.to_str()) {
        Some("mp3") => "MP3",
        Some("aiff" | "aif") => "AIFF",
        // By convention, any other format too.
        _ => "WAVE",
    };
    let line = |line: &str| match line.trim_start().get(..5) {
        Some(word) if word.eq_ignore_ascii_case("FILE ") => format!("FILE \"{name}\" {kind}\n"),
        _ => line.to_owned(),
    };
    text.split_inclusive('\n').map(line).collect()
}

/// Parses `mm:ss:ff` into a number of cue sheet frames.
fn parse(time: &str) -> Option<u64> {
    let mut parts = time.split(':').map(|part| part.parse::<u64>().ok());
    let (minutes, seconds, frames) = (parts.next()??, parts.next()??, parts.next()??);
    let valid = parts.next().is_none() && minutes < 1_000_000 && seconds < 60 && frames < 75;
    valid.then(|| (minutes * 60 + seconds) * FRAMES_PER_SECOND + frames)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_of_one_file_are_taken() {
        let sheet = "FILE \"a.wav\" WAVE\r\n  TRACK 01 AUDIO\r\n    INDEX 01 01:02:03\r\n";
        assert_eq!(moved(sheet, &mut Clock::asking(7500)).as_deref(), Ok(sheet));
        let renamed = renamed(sheet, Path::new("x/b.mp3"));
        assert!(renamed.starts_with("FILE \"b.mp3\" MP3\n"));
        let renamed = super::renamed(sheet, Path::new("x\"\nREM y.wav"));
        assert!(renamed.starts_with("FILE \"x__REM y.wav\" WAVE\n"));
        let two = format!("{sheet}{sheet}");
        let why = |text| moved(text, &mut Clock::asking(1000)).unwrap_err();
        assert_eq!(why(""), Broken::NoTimes);
        assert_eq!(why("FILE x\nINDEX 01 1:2"), Broken::Line(2));
        assert!(matches!(why(&two), Broken::Other(_)));
    }
}
