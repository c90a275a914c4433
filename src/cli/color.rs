//! Colours: decided once, for the help, the bars and our own words alike.

use std::ffi::OsStr;
use std::io;

use anstream::AutoStream;
use clap::builder::styling::{AnsiColor, Style};
use clap::{ColorChoice, ValueEnum};

/// How words are shown; without colours, the styles do nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    pub done: Style,
    pub warning: Style,
    pub failed: Style,
    /// What is done of a bar.
    pub bar: Style,
}

impl Palette {
    /// No colours.
    pub(super) const NONE: Self = Self {
        done: Style::new(),
        warning: Style::new(),
        failed: Style::new(),
        bar: Style::new(),
    };

    /// Colours for standard error.
    pub(super) fn of_stderr() -> Self {
        Self::of(AutoStream::choice(&io::stderr()))
    }

    /// Colours for standard output.
    pub(super) fn of_stdout() -> Self {
        Self::of(AutoStream::choice(&io::stdout()))
    }

    fn of(choice: anstream::ColorChoice) -> Self {
        if choice == anstream::ColorChoice::Never {
            return Self::NONE;
        }
        Self {
            done: AnsiColor::Green.on_default(),
            warning: AnsiColor::Yellow.on_default(),
            failed: AnsiColor::Red.on_default().bold(),
            // Seen on light as on dark.
            bar: AnsiColor::Green.on_default(),
        }
    }
}

/// Makes everything that is shown follow `--color`; `auto` asks the terminal and `NO_COLOR`.
pub(super) fn set(choice: ColorChoice) {
    let choice = match choice {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
    // The bars ask `console`, which reads the environment in a way of its own.
    let on = AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    console::set_colors_enabled_stderr(on);
}

/// What `--color` says, found without parsing: the parser's own errors are to follow it too.
pub(super) fn asked_for(arguments: impl Iterator<Item = impl AsRef<OsStr>>) -> ColorChoice {
    let mut choice = ColorChoice::Auto;
    let mut arguments = arguments.skip(1);
    while let Some(argument) = arguments.next() {
        let Some(argument) = argument.as_ref().to_str() else {
            continue;
        };
        let value = match argument.split_once('=') {
            Some(("--color", value)) => Some(value.to_owned()),
            None if argument == "--color" => {
                let next = arguments.next();
                next.and_then(|next| next.as_ref().to_str().map(str::to_owned))
            }
            None if argument == "--" => break,
            _ => None,
        };
        let value = value.and_then(|value| ColorChoice::from_str(&value, false).ok());
        choice = value.unwrap_or(choice);
    }
    choice
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_is_found_before_parsing() {
        let asked_for = |line: &str| asked_for(line.split(' '));
        assert_eq!(asked_for("x a b"), ColorChoice::Auto);
        assert_eq!(asked_for("x --color never a b"), ColorChoice::Never);
        assert_eq!(asked_for("x a --color=always b"), ColorChoice::Always);
        assert_eq!(asked_for("x a -- --color=always"), ColorChoice::Auto);
        assert_eq!(asked_for("x a --color"), ColorChoice::Auto);
    }
}
