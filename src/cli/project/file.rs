//! Reading a project file.

use std::path::{Path, PathBuf};

use audiostretchy::preset::{Layer, PresetError, Source, Value};
use clap::Args;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::options::{self, Given, OPTIONS};
use crate::cli::args::{FileArgs, RunArgs};
use crate::cli::text;
use crate::preset::{key_names, line_of, nearest, read_bytes, simple};

/// A project file cannot be used. Nothing has been written.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProjectError {
    #[error("cannot read {}", text::path(path))]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{}:{line}: {what}", text::path(path))]
    At {
        path: PathBuf,
        line: usize,
        what: String,
    },
    #[error(transparent)]
    Setting(#[from] PresetError),
}

/// What a project file says.
pub(super) struct Project {
    /// Where the JSON report goes, if that is said.
    pub(super) report: Option<PathBuf>,
    pub(super) defaults: Table,
    pub(super) jobs: Vec<Job>,
}

/// A `[[job]]`.
pub(super) struct Job {
    pub(super) line: usize,
    pub(super) name: String,
    pub(super) inputs: Vec<PathBuf>,
    pub(super) output: PathBuf,
    pub(super) table: Table,
    pub(super) rules: Vec<Rule>,
}

/// A `[[job.rule]]`.
pub(super) struct Rule {
    pub(super) line: usize,
    pub(super) globs: Vec<String>,
    pub(super) table: Table,
}

/// What a table says of how files are converted, and which.
#[derive(Default)]
pub(super) struct Table {
    pub(super) preset: Option<(String, Source)>,
    pub(super) preset_dir: Option<PathBuf>,
    /// What presets can hold too.
    pub(super) layer: Layer,
    options: Vec<(&'static options::Option, Given)>,
    /// What only this kind of table has, with its place.
    own: Vec<(String, Given, usize)>,
}

impl Table {
    /// Sets the options that the table sets.
    pub(super) fn apply(&self, args: &mut FileArgs) {
        for (option, value) in &self.options {
            // They were tried where they were read.
            let _ = option.set(args, value);
        }
    }
}

/// The kinds of tables.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Defaults,
    Job,
    Rule,
}

impl Kind {
    /// Keys that only this kind of table has.
    fn own_keys(self) -> &'static [&'static str] {
        match self {
            Self::Defaults => &["report", "preset", "preset_dir"],
            Self::Job => &["name", "inputs", "output", "rule", "preset", "preset_dir"],
            Self::Rule => &["glob", "preset"],
        }
    }

    fn keys(self) -> impl Iterator<Item = &'static str> {
        let options = OPTIONS.iter();
        let options = options.filter(move |option| self != Self::Rule || option.is_for_rules);
        (self.own_keys().iter().copied())
            .chain(setting_keys())
            .chain(options.map(|option| option.name))
    }
}

/// Returns the keys of presets that hold settings.
fn setting_keys() -> impl Iterator<Item = &'static str> {
    key_names().filter(|name| !["description", "extends"].contains(name))
}

/// Returns whether an option is one that a run has and files do not.
fn is_run_option(name: &str) -> bool {
    let command = RunArgs::augment_args(clap::Command::new(""));
    command
        .get_arguments()
        .any(|argument| argument.get_id() == name)
}

type Pairs<'a> = Vec<(Spanned<std::borrow::Cow<'a, str>>, Spanned<DeValue<'a>>)>;

impl Project {
    /// Reads a project file.
    ///
    /// # Errors
    /// Returns an error if it cannot be read, or says something that has no meaning.
    pub(super) fn read(path: &Path) -> Result<Self, ProjectError> {
        let read = |source| ProjectError::Read {
            path: path.to_owned(),
            source,
        };
        let bytes = read_bytes(path).map_err(read)?;
        let text = std::str::from_utf8(&bytes).map_err(|error| ProjectError::At {
            path: path.to_owned(),
            line: line_of(&bytes, error.valid_up_to()),
            what: "this is not UTF-8 text: save the file as UTF-8".into(),
        })?;
        // Windows editors may write a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Reader { path, text }.project()
    }
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
}

impl<'a> Reader<'a> {
    fn line(&self, byte: usize) -> usize {
        line_of(self.text.as_bytes(), byte)
    }

    fn error(&self, byte: usize, what: impl Into<String>) -> ProjectError {
        ProjectError::At {
            path: self.path.to_owned(),
            line: self.line(byte),
            what: what.into(),
        }
    }

    fn project(&self) -> Result<Project, ProjectError> {
        let table = DeTable::parse(self.text).map_err(|error| {
            let at = error.span().map_or(self.text.len(), |span| span.start);
            let message = error.message().lines().collect::<Vec<_>>().join("; ");
            self.error(at, format!("not valid TOML: {message}"))
        })?;
        let mut project = Project {
            report: None,
            defaults: Table::default(),
            jobs: Vec::new(),
        };
        for (key, value) in in_order(table.into_inner()) {
            let at = key.span().start;
            match (key.get_ref().as_ref(), value.into_inner()) {
                ("defaults", DeValue::Table(table)) => {
                    project.defaults = self.table(in_order(table), Kind::Defaults)?;
                    for (key, value, at) in &project.defaults.own {
                        let path = options::path(value);
                        project.report = Some(self.must(key, value, *at, path)?);
                    }
                }
                ("job", DeValue::Array(jobs)) => {
                    for (at, table) in self.tables(jobs, "job", at)? {
                        let number = project.jobs.len() + 1;
                        let job = self.job(number, at, table)?;
                        let known = project.jobs.iter().find(|known| known.name == job.name);
                        if let Some(known) = known {
                            let what = format!(
                                "the job in line {} is called {} too; give one of them another \
                                 name",
                                known.line, job.name
                            );
                            return Err(self.error(at, what));
                        }
                        project.jobs.push(job);
                    }
                }
                ("defaults", _) => return Err(self.error(at, "defaults is a table: [defaults]")),
                ("job", _) => return Err(self.error(at, "job is a list of tables: [[job]]")),
                (other, _) => {
                    let other = other.escape_debug();
                    let what = match nearest(&other.to_string(), ["defaults", "job"]) {
                        Some(near) => format!("unknown key \"{other}\": did you mean {near}?"),
                        None => format!(
                            "unknown key \"{other}\": at the top are [defaults] and [[job]]; \
                             options belong into these"
                        ),
                    };
                    return Err(self.error(at, what));
                }
            }
        }
        match project.jobs.is_empty() {
            true => Err(self.error(0, "there is no job; add one with [[job]]")),
            false => Ok(project),
        }
    }

    fn job(&self, number: usize, at: usize, pairs: Pairs<'_>) -> Result<Job, ProjectError> {
        let (mut name, mut inputs, mut output) = (None, None, None);
        let mut rules = Vec::new();
        let (mut rest, mut found) = (Vec::new(), Vec::new());
        for (key, value) in pairs {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("rule", DeValue::Array(_)) => found.push((key, value)),
                ("rule", _) => {
                    let what = "rule is a list of tables: [[job.rule]]";
                    return Err(self.error(key.span().start, what));
                }
                _ => rest.push((key, value)),
            }
        }
        for (key, value) in found {
            let at = key.span().start;
            let DeValue::Array(tables) = value.into_inner() else {
                continue;
            };
            for (at, table) in self.tables(tables, "rule", at)? {
                rules.push(self.rule(at, table)?);
            }
        }
        let table = self.table(rest, Kind::Job)?;
        for (key, value, at) in &table.own {
            match key.as_str() {
                "name" => name = Some(self.must(key, value, *at, not_empty(value))?),
                "inputs" => inputs = Some(self.must(key, value, *at, paths(value))?),
                _ => output = Some(self.must(key, value, *at, options::path(value))?),
            }
        }
        let name = name.unwrap_or_else(|| number.to_string());
        let has_list = |table: &Table| {
            let mut args = FileArgs::default();
            table.apply(&mut args);
            args.files_from.is_some() || args.files_from0.is_some()
        };
        let missing = |key: &str, such: &str| {
            let what = format!("the job {name} has no {key}; add one, such as {key} = {such}");
            self.error(at, what)
        };
        Ok(Job {
            line: self.line(at),
            inputs: match inputs {
                Some(inputs) => inputs,
                None if has_list(&table) => Vec::new(),
                None => return Err(missing("inputs", "[\"audio\"]")),
            },
            output: output.ok_or_else(|| missing("output", "\"out\""))?,
            name,
            table,
            rules,
        })
    }

    fn rule(&self, at: usize, pairs: Pairs<'_>) -> Result<Rule, ProjectError> {
        let mut globs = Vec::new();
        let table = self.table(pairs, Kind::Rule)?;
        for (key, value, at) in &table.own {
            globs = self.must(key, value, *at, options::texts(value))?;
        }
        match globs.is_empty() {
            true => {
                let what = "the rule has no glob; add one, such as glob = \"music/**\"";
                Err(self.error(at, what))
            }
            false => Ok(Rule {
                line: self.line(at),
                globs,
                table,
            }),
        }
    }

    /// Reads a table.
    fn table(&self, pairs: Pairs<'_>, kind: Kind) -> Result<Table, ProjectError> {
        let mut table = Table::default();
        for (key, value) in pairs {
            let at = key.span().start;
            let key = key.get_ref().as_ref();
            let place = Source::Project {
                file: self.path.to_owned(),
                line: self.line(at),
            };
            // As the option is called.
            let setting = match key {
                "bitrate" => "bitrate_kbps",
                key => key,
            };
            let is_setting = setting_keys().any(|name| name == setting);
            let option = OPTIONS.iter().find(|option| option.name == key);
            let value = given(value.into_inner())
                .map_err(|found| self.error(at, format!("{key} is {found}: no key takes that")));
            if kind.own_keys().contains(&key) {
                let value = value?;
                match key {
                    "preset" => {
                        let name = self.must(key, &value, at, not_empty(&value))?;
                        table.preset = Some((name, place));
                    }
                    "preset_dir" => {
                        let path = options::path(&value);
                        table.preset_dir = Some(self.must(key, &value, at, path)?);
                    }
                    _ => table.own.push((key.to_owned(), value, at)),
                }
            } else if is_setting {
                let is_set = table.layer.first_of(&["bitrate_kbps"]).is_some();
                if setting == "bitrate_kbps" && is_set {
                    let what = "bitrate and bitrate_kbps are the same: keep one of them";
                    return Err(self.error(at, what));
                }
                match value? {
                    Given::One(value) => table.layer.set_at(setting, value, place)?,
                    list => return Err(self.error(at, format!("{key} is {list}: give one value"))),
                }
            } else if let Some(option) = option {
                if kind == Kind::Rule && !option.is_for_rules {
                    let what = format!(
                        "{key} is for whole jobs, and a rule tells how files are converted; put it \
                         into the [[job]]"
                    );
                    return Err(self.error(at, what));
                }
                let value = value?;
                let tried = option.set(&mut FileArgs::default(), &value);
                self.must(key, &value, at, tried)?;
                table.options.push((option, value));
            } else {
                return Err(self.error(at, unknown(key, kind)));
            }
        }
        Ok(table)
    }

    /// Returns what a value was read as, or the error that says what it must be.
    fn must<T>(
        &self,
        key: &str,
        value: &Given,
        at: usize,
        read: Result<T, String>,
    ) -> Result<T, ProjectError> {
        read.map_err(|allowed| self.error(at, format!("{key} is {value}: it must be {allowed}")))
    }

    /// Returns the tables of a list, with their places.
    fn tables<'b>(
        &self,
        list: DeArray<'b>,
        name: &str,
        at: usize,
    ) -> Result<Vec<(usize, Pairs<'b>)>, ProjectError> {
        let tables = list.into_iter().map(|item| {
            let start = item.span().start;
            match item.into_inner() {
                DeValue::Table(table) => Ok((start, in_order(table))),
                _ => Err(self.error(at, format!("{name} is a list of tables"))),
            }
        });
        tables.collect()
    }
}

/// Returns the pairs of a table in the order of the file, so that the first error is told first.
fn in_order(table: DeTable<'_>) -> Pairs<'_> {
    let mut pairs: Pairs<'_> = table.into_iter().collect();
    pairs.sort_by_key(|(key, _)| key.span().start);
    pairs
}

fn given(value: DeValue<'_>) -> Result<Given, &'static str> {
    let DeValue::Array(items) = value else {
        return simple(value).map(Given::One);
    };
    let items = items
        .into_iter()
        .map(|item| match simple(item.into_inner()) {
            Ok(Value::Text(text)) => Ok(text),
            _ => Err("a list of something else than texts in quotes"),
        });
    items.collect::<Result<_, _>>().map(Given::List)
}

fn not_empty(value: &Given) -> Result<String, String> {
    match options::text(value)? {
        text if text.is_empty() => Err("a text in quotes, and not empty".into()),
        text => Ok(text),
    }
}

fn paths(value: &Given) -> Result<Vec<PathBuf>, String> {
    let paths = options::texts(value)?;
    match paths.is_empty() || paths.iter().any(|path| path.is_empty() || path == "-") {
        true => Err("files or folders".into()),
        false => Ok(paths.into_iter().map(PathBuf::from).collect()),
    }
}

fn unknown(key: &str, kind: Kind) -> String {
    let plain = key.replace('-', "_");
    if is_run_option(&plain) {
        let option = plain.replace('_', "-");
        let and_report = match plain.as_str() {
            "report" => ", or put it into [defaults]",
            _ => "",
        };
        return format!(
            "{key} is for the whole run: give it on the command line, as in audiostretchy run \
             --{option}{and_report}"
        );
    }
    let key = key.escape_debug();
    match nearest(&plain, kind.keys()) {
        Some(near) => format!("unknown key \"{key}\": did you mean {near}?"),
        None => {
            let known: Vec<&str> = kind.keys().collect();
            format!("unknown key \"{key}\": known are {}", known.join(", "))
        }
    }
}
