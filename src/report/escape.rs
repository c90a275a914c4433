//! Names and messages may hold anything; what is shown to people may not.

/// Makes text safe to show on one line: control characters, which a terminal might obey, and the
/// characters that reorder text are written as escapes (`\n`, `\u{1b}`).
pub fn visible(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || reorders(character) {
            safe.extend(character.escape_default());
        } else {
            safe.push(character);
        }
    }
    safe
}

/// Whether a character turns the direction of the text behind it, so that a name reads as another.
fn reorders(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_a_terminal_nor_a_reader_is_fooled() {
        assert_eq!(visible("a\u{1b}[2Jb\nc ü"), "a\\u{1b}[2Jb\\nc ü");
        assert_eq!(visible("a\u{202e}vaw.3pm"), "a\\u{202e}vaw.3pm");
    }
}
