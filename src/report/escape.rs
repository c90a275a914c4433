//! Escapes names and messages, which may contain any characters, for safe display.

use std::io::{self, Write};

use serde_json::ser::Formatter;

/// Makes text safe to show on one line. Control characters, which a terminal might execute, and
/// characters that break lines or reorder text are written as escapes (`\n`, `\u{1b}`).
pub fn visible(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if deceives(character) {
            safe.extend(character.escape_default());
        } else {
            safe.push(character);
        }
    }
    safe
}

/// Returns whether a character controls a terminal, breaks the line, or changes the direction of
/// the text around it, so that a name looks like another.
fn deceives(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// A JSON formatter that also escapes the characters that [`visible`] escapes. Programs read the
/// same text, and it is safe to show in a terminal.
///
/// JSON itself requires escapes only below U+0020, but terminals treat U+009B as the start of a
/// command.
pub(super) struct VisibleJson<F>(pub(super) F);

impl<F: Formatter> Formatter for VisibleJson<F> {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        to: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(deceives) {
            let (plain, tail) = rest.split_at(at);
            let mut characters = tail.chars();
            let code = characters.next().map_or(0, u32::from);
            to.write_all(plain.as_bytes())?;
            // All of them are at most U+FFFF, so one escape is enough.
            write!(to, "\\u{code:04x}")?;
            rest = characters.as_str();
        }
        to.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.begin_array(to)
    }

    fn end_array<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.end_array(to)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(to, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.end_array_value(to)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.begin_object(to)
    }

    fn end_object<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.end_object(to)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(to, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.begin_object_value(to)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.end_object_value(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_a_terminal_nor_a_reader_is_fooled() {
        assert_eq!(visible("a\u{1b}[2Jb\nc ü"), "a\\u{1b}[2Jb\\nc ü");
        assert_eq!(visible("a\u{202e}vaw.3pm"), "a\\u{202e}vaw.3pm");
        assert_eq!(
            visible("\u{9b}31m\u{2028}\u{200f}"),
            "\\u{9b}31m\\u{2028}\\u{200f}"
        );
    }
}
