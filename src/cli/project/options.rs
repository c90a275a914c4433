//! What tables of a project file can hold besides what presets can: options that act on files.

use std::path::PathBuf;

use audiostretchy::preset::Value;
use clap::ValueEnum;

use crate::cli::args::{FileArgs, SplitArg};
use crate::preset::nearest;

/// A value of a project file.
#[derive(Debug, Clone)]
pub(super) enum Given {
    One(Value),
    List(Vec<String>),
}

impl std::fmt::Display for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::One(value) => value.fmt(f),
            Self::List(_) => f.write_str("a list"),
        }
    }
}

/// A key, and what it sets.
pub(super) struct Option {
    pub(super) name: &'static str,
    /// Whether rules can have it too.
    pub(super) is_for_rules: bool,
    set: fn(&mut FileArgs, &Given) -> Result<(), String>,
}

impl Option {
    /// Sets the option.
    ///
    /// # Errors
    /// Returns what is allowed, to follow "it must be", if the value is something else.
    pub(super) fn set(&self, args: &mut FileArgs, value: &Given) -> Result<(), String> {
        (self.set)(args, value)
    }
}

/// All of them, named like the options of the command line.
pub(super) const OPTIONS: [Option; 24] = [
    option("durations", |args, value| {
        path(value).map(|path| args.durations = Some(path))
    }),
    option("if_exists", |args, value| {
        choice(value).map(|what| args.if_exists = what)
    }),
    of_rule("no_tags", |args, value| {
        flag(value).map(|on| args.no_tags = on)
    }),
    of_rule("no_sidecars", |args, value| {
        flag(value).map(|on| args.no_sidecars = on)
    }),
    option("time_map", |args, value| {
        path(value).map(|path| args.time_map = Some(path))
    }),
    of_rule("suffix", |args, value| {
        text(value).map(|text| args.suffix = text.into())
    }),
    of_rule("split", |args, value| {
        choice::<SplitArg>(value).map(|what| args.split = Some(what))
    }),
    option("portable_names", |args, value| {
        flag(value).map(|on| args.portable_names = on)
    }),
    option("flatten", |args, value| {
        flag(value).map(|on| args.flatten = on)
    }),
    of_rule("keep_mtime", |args, value| {
        flag(value).map(|on| args.keep_mtime = on)
    }),
    option("extension", |args, value| {
        let names = texts(value)?;
        let names = names.iter().flat_map(|name| name.split(','));
        args.extension = names.map(String::from).collect();
        Ok(())
    }),
    option("glob", |args, value| {
        texts(value).map(|globs| args.glob = globs)
    }),
    option("exclude", |args, value| {
        texts(value).map(|globs| args.exclude = globs)
    }),
    option("max_depth", |args, value| {
        let depth = match value {
            Given::One(Value::Whole(depth)) => usize::try_from(*depth).ok(),
            _ => None,
        };
        args.max_depth = Some(depth.ok_or("a whole number")?);
        Ok(())
    }),
    option("hidden", |args, value| {
        flag(value).map(|on| args.hidden = on)
    }),
    option("follow", |args, value| {
        flag(value).map(|on| args.follow = on)
    }),
    option("files_from", |args, value| {
        path(value).map(|path| args.files_from = Some(path))
    }),
    option("files_from0", |args, value| {
        path(value).map(|path| args.files_from0 = Some(path))
    }),
    option("no_files", |args, value| {
        choice(value).map(|what| args.no_files = what)
    }),
    option("only_new", |args, value| {
        flag(value).map(|on| args.only_new = on)
    }),
    option("prune", |args, value| flag(value).map(|on| args.prune = on)),
    of_rule("strict", |args, value| {
        flag(value).map(|on| args.strict = on)
    }),
    option("temp_dir", |args, value| {
        path(value).map(|path| args.temp_dir = Some(path))
    }),
    option("checksum", |args, value| {
        flag(value).map(|on| args.checksum = on)
    }),
];

type Set = fn(&mut FileArgs, &Given) -> Result<(), String>;

/// An option of a job alone.
const fn option(name: &'static str, set: Set) -> Option {
    Option {
        name,
        is_for_rules: false,
        set,
    }
}

/// An option of jobs and rules.
const fn of_rule(name: &'static str, set: Set) -> Option {
    Option {
        name,
        is_for_rules: true,
        set,
    }
}

fn flag(value: &Given) -> Result<bool, String> {
    match value {
        Given::One(Value::Flag(on)) => Ok(*on),
        _ => Err("true or false".into()),
    }
}

/// A text.
pub(super) fn text(value: &Given) -> Result<String, String> {
    match value {
        Given::One(Value::Text(text)) => Ok(text.clone()),
        _ => Err("a text in quotes".into()),
    }
}

/// One text or a list of them.
pub(super) fn texts(value: &Given) -> Result<Vec<String>, String> {
    match value {
        Given::List(texts) => Ok(texts.clone()),
        one => Ok(vec![
            text(one).map_err(|text| text + ", or a list of them")?,
        ]),
    }
}

/// A file or folder; standard input and output are not for files that anybody may run at any time.
pub(super) fn path(value: &Given) -> Result<PathBuf, String> {
    match text(value)?.as_str() {
        "" | "-" => Err("a file or a folder".into()),
        path => Ok(path.into()),
    }
}

fn choice<T: ValueEnum>(value: &Given) -> Result<T, String> {
    let names = T::value_variants().iter();
    let names = names.filter_map(|what| Some(what.to_possible_value()?.get_name().to_owned()));
    let names: Vec<String> = names.collect();
    let allowed = || match &names[..] {
        [only] => format!("{only:?}"),
        names => format!("one of \"{}\"", names.join("\", \"")),
    };
    let wanted = text(value).map_err(|_| allowed())?;
    T::from_str(&wanted, false).map_err(|_| {
        match nearest(&wanted, names.iter().map(String::as_str)) {
            Some(near) => format!("{} (did you mean {near:?}?)", allowed()),
            None => allowed(),
        }
    })
}

#[cfg(test)]
mod tests {
    use clap::Args;

    use super::*;

    #[test]
    fn every_option_that_acts_on_files_has_a_key() {
        let command = FileArgs::augment_args(clap::Command::new(""));
        let arguments = command.get_arguments();
        let mut arguments: Vec<&str> = arguments.map(|option| option.get_id().as_str()).collect();
        arguments.sort_unstable();
        let mut keys = OPTIONS.each_ref().map(|option| option.name);
        keys.sort_unstable();
        assert_eq!(keys.to_vec(), arguments);
    }
}
