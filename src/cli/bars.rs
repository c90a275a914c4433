//! The lines of a running batch, as wide as the terminal and never wider.

use std::ffi::OsString;

use audiostretchy_containers::figures;
use console::measure_text_width;

use super::color::Palette;

/// Bars of files leave out what does not fit before a name is cut to less than this.
const SHORTEST_NAME: usize = 14;
/// Columns for a speed such as `1043x`.
const SPEED: usize = 5;
/// Columns for `100%`.
const PERCENT: usize = 4;
/// Between columns.
const GAP: &str = "  ";

/// The characters that bars are made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Glyphs {
    done: &'static str,
    rest: &'static str,
    ellipsis: &'static str,
}

const UNICODE: Glyphs = Glyphs {
    done: "━",
    rest: "─",
    ellipsis: "…",
};

const ASCII: Glyphs = Glyphs {
    done: "#",
    rest: "-",
    ellipsis: "~",
};

impl Glyphs {
    /// Those that the locale has.
    pub(super) fn of_locale() -> Self {
        Self::of(|name| std::env::var_os(name))
    }

    fn of(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find_map(|name| variable(name).filter(|value| !value.is_empty()));
        let locale = locale.unwrap_or_default().to_string_lossy().to_lowercase();
        match locale.contains("utf-8") || locale.contains("utf8") {
            true => UNICODE,
            false => ASCII,
        }
    }
}

/// How everything is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub glyphs: Glyphs,
    pub colors: Palette,
    /// Columns of the widest name.
    pub widest_name: usize,
    /// Seconds of the longest file.
    pub longest: f64,
}

/// A file at work. Lengths are in seconds of audio.
#[derive(Debug, Clone, Copy)]
pub(super) struct File<'a> {
    pub name: &'a str,
    pub position: f64,
    /// 0 if not known.
    pub length: f64,
    /// Times as fast as it plays, once that is known.
    pub speed: Option<f64>,
}

/// The run as a whole.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Total {
    pub finished: usize,
    pub files: usize,
    pub up_to_date: usize,
    pub failed: usize,
    pub position: f64,
    pub length: f64,
    pub speed: Option<f64>,
    pub is_stopping: bool,
}

impl Look {
    /// Returns the line of a file, in at most `width` columns.
    pub(super) fn file(&self, file: File<'_>, width: usize) -> String {
        let clock = figures::clock(self.longest).len();
        let is_known = file.length > 0.0;
        let share = if is_known {
            (file.position / file.length).clamp(0.0, 1.0)
        } else {
            0.0
        };
        let percent = match is_known {
            true => format!("{:.0}%", (share * 100.0).floor()),
            false => String::new(),
        };
        let position = figures::clock(file.position);
        let times = match is_known {
            true => format!(
                "{position:>clock$} / {:>clock$}",
                figures::clock(file.length)
            ),
            false => format!("{position:>clock$}{:clock$}", "   "),
        };
        let speed = file.speed.map_or(String::new(), figures::times);

        let wanted = self.widest_name.min(SHORTEST_NAME);
        let full = [format!("{times}{GAP}{speed:>SPEED$}"), times, String::new()];
        let choices = [(24, 0), (12, 0), (0, 0), (0, 1), (0, 2)];
        let columns_of = |(bar, texts): (usize, usize)| {
            let column = |columns: usize| match columns {
                0 => 0,
                columns => columns + GAP.len(),
            };
            column(bar) + column(full[texts].len()) + GAP.len() + PERCENT
        };
        let fits = |choice: &(usize, usize)| columns_of(*choice) + wanted <= width;
        let Some(choice @ (bar, texts)) = choices.into_iter().find(fits) else {
            return cut_in_middle(file.name, width, self.glyphs.ellipsis);
        };
        let room = (width - columns_of(choice)).min(self.widest_name);
        let name = cut_in_middle(file.name, room, self.glyphs.ellipsis);
        let padding = " ".repeat(room.saturating_sub(measure_text_width(&name)));
        let mut line = format!("{name}{padding}");
        for part in [
            self.bar(share, bar),
            format!("{percent:>PERCENT$}"),
            full[texts].clone(),
        ] {
            if !part.is_empty() {
                line += GAP;
                line += &part;
            }
        }
        line
    }

    /// Returns the line of the whole run, in at most `width` columns.
    pub(super) fn total(&self, total: Total, width: usize) -> String {
        let share = match total.length > 0.0 {
            true => (total.position / total.length).clamp(0.0, 1.0),
            false => 0.0,
        };
        let files = format!("{}/{} files", total.finished, total.files);
        let count = |number, what: &str| match number {
            0 => String::new(),
            _ => format!(", {number} {what}"),
        };
        let up_to_date = count(total.up_to_date, "up to date");
        let failed = count(total.failed, "failed");
        let [position, length] = [total.position, total.length].map(figures::clock);
        let audio = format!("{position} / {length}");
        let speed = total.speed.map_or(String::new(), figures::times);
        let left = match total.speed {
            _ if total.is_stopping => "stopping".into(),
            Some(speed) if speed > 0.0 => {
                let left = (total.length - total.position) / speed;
                format!("{} left", figures::rough(left))
            }
            _ => String::new(),
        };
        let all = format!("{files}{up_to_date}{failed}");
        let some = format!("{files}{failed}");
        let choices = [
            (24, vec![&all, &audio, &speed, &left]),
            (12, vec![&all, &audio, &speed, &left]),
            (0, vec![&all, &audio, &speed, &left]),
            (0, vec![&some, &audio, &speed, &left]),
            (0, vec![&some, &speed, &left]),
            (0, vec![&some, &left]),
            (0, vec![&files, &left]),
        ];
        let mut line = String::new();
        for (bar, parts) in choices {
            let parts = parts.into_iter().map(String::as_str);
            let bar = self.bar(share, bar);
            let parts: Vec<&str> = std::iter::once(bar.as_str())
                .chain(parts)
                .filter(|part| !part.is_empty())
                .collect();
            line = parts.join(GAP);
            if measure_text_width(&line) <= width {
                return line;
            }
        }
        cut_in_middle(&line, width, self.glyphs.ellipsis)
    }

    fn bar(&self, share: f64, width: usize) -> String {
        let done = (share * width as f64) as usize;
        let (style, glyphs) = (self.colors.bar, self.glyphs);
        let rest = glyphs.rest.repeat(width - done);
        match done {
            0 => rest,
            _ => format!("{style}{}{style:#}{rest}", glyphs.done.repeat(done)),
        }
    }
}

/// A text of at most so many columns, with what is in the middle left out if it is longer: names
/// differ at their ends.
fn cut_in_middle(text: &str, columns: usize, ellipsis: &str) -> String {
    if measure_text_width(text) <= columns {
        return text.to_owned();
    }
    let width_of = |character: char| measure_text_width(character.encode_utf8(&mut [0; 4]));
    // Some characters are wider after others than by themselves.
    for room in (0..columns).rev() {
        let mut tail_room = room.div_ceil(2);
        let mut head_room = room - tail_room;
        let takes = |room: &mut usize, character: char| {
            let left = room.checked_sub(width_of(character));
            *room = left.unwrap_or(*room);
            left.is_some()
        };
        let head = (text.char_indices())
            .find(|&(_, character)| !takes(&mut head_room, character))
            .map_or(text.len(), |(index, _)| index);
        let tail = (text.char_indices().rev())
            .take_while(|&(_, character)| takes(&mut tail_room, character))
            .last()
            .map_or(text.len(), |(index, _)| index);
        // An accent without its letter would sit on the ellipsis.
        let tail = text[tail..].trim_start_matches(|character| width_of(character) == 0);
        let cut = format!("{}{ellipsis}{tail}", &text[..head]);
        if measure_text_width(&cut) <= columns {
            return cut;
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Look = Look {
        glyphs: UNICODE,
        colors: Palette::NONE,
        widest_name: 60,
        longest: 1244.0,
    };

    const FILE: File<'static> = File {
        name: "podcasts/2024/interview with somebody who has a long name.mp3",
        position: 723.0,
        length: 1244.0,
        speed: Some(64.2),
    };

    const TOTAL: Total = Total {
        finished: 22,
        files: 40,
        up_to_date: 10,
        failed: 1,
        position: 3723.0,
        length: 15022.0,
        speed: Some(64.2),
        is_stopping: false,
    };

    #[test]
    fn a_file_keeps_to_one_line_of_any_width() {
        let bar = format!("{}{}", "━".repeat(6), "─".repeat(6));
        for (width, expected) in [
            (
                59,
                format!("podcasts…name.mp3  {bar}   58%  12:03 / 20:44    64x"),
            ),
            (39, "podcasts… name.mp3   58%  12:03 / 20:44".into()),
            (14, "podcas…ame.mp3".into()),
            (1, "…".into()),
            (0, String::new()),
        ] {
            assert_eq!(LOOK.file(FILE, width), expected);
        }
        let wide = LOOK.file(FILE, 99);
        assert!(wide.starts_with("podcasts/2024/inter"), "{wide}");
        assert!(wide.ends_with("   58%  12:03 / 20:44    64x"), "{wide}");
        for width in 0..200 {
            for line in [LOOK.file(FILE, width), LOOK.total(TOTAL, width)] {
                assert!(measure_text_width(&line) <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn the_total_leaves_out_what_does_not_fit() {
        let bar = format!("{}{}", "━".repeat(5), "─".repeat(19));
        let all = "22/40 files, 10 up to date, 1 failed  1:02:03 / 4:10:22  64x  3 min left";
        for (width, expected) in [
            (99, format!("{bar}  {all}")),
            (
                59,
                "22/40 files, 1 failed  1:02:03 / 4:10:22  64x  3 min left".into(),
            ),
            (39, "22/40 files, 1 failed  64x  3 min left".into()),
        ] {
            assert_eq!(LOOK.total(TOTAL, width), expected);
        }
        let stopping = Total {
            is_stopping: true,
            ..TOTAL
        };
        assert!(LOOK.total(stopping, 39).ends_with("64x  stopping"));
    }

    #[test]
    fn wide_characters_and_accents_count_as_they_are_shown() {
        let names = [
            "日本語のとても長いポッドキャストの名前です.mp3",
            "e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}.wav",
            "❤\u{fe0f}❤\u{fe0f}❤\u{fe0f}❤\u{fe0f}❤\u{fe0f}❤\u{fe0f}❤\u{fe0f}❤\u{fe0f}.wav",
        ];
        for name in names {
            for columns in 0..20 {
                let cut = cut_in_middle(name, columns, "…");
                assert!(measure_text_width(&cut) <= columns, "{columns}: {cut}");
                assert!(!cut.contains("…\u{301}"), "{cut}");
            }
        }
        let cut = cut_in_middle(names[0], 13, "…");
        assert_eq!(cut, "日本語…す.mp3");
    }

    #[test]
    fn a_file_of_unknown_length_has_no_share() {
        let file = File {
            length: 0.0,
            ..FILE
        };
        let line = LOOK.file(file, 99);
        assert!(line.contains("12:03") && !line.contains('%'), "{line}");
    }

    #[test]
    fn only_a_utf8_locale_has_more_than_ascii() {
        let is_ascii = |set: &[(&str, &str)]| {
            let glyphs = Glyphs::of(|name| {
                let found = set.iter().find(|(variable, _)| *variable == name);
                found.map(|(_, value)| value.into())
            });
            let look = Look { glyphs, ..LOOK };
            look.file(FILE, 99).is_ascii() && look.total(TOTAL, 99).is_ascii()
        };
        assert!(is_ascii(&[]));
        assert!(is_ascii(&[("LANG", "C")]));
        assert!(is_ascii(&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "POSIX")]));
        assert!(!is_ascii(&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "")]));
        assert!(!is_ascii(&[("LANG", "C"), ("LC_CTYPE", "C.utf8")]));
    }
}
