//! Layers of settings, and how they are combined.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::keys::{self, KEYS, Key, Refused};
use super::{Entry, PresetError, Settings, Source};
use audiostretchy_engine::options::RATIO;
use audiostretchy_engine::{Engine, OptionError};
use audiostretchy_media::format::{BitDepth, Format};

/// A value as the user gave it. Its `Display` is TOML.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Value {
    /// A whole number.
    Whole(i64),
    /// Any other number.
    Number(f64),
    /// A boolean.
    Flag(bool),
    /// A string.
    Text(String),
}

impl Value {
    /// Returns whether this value excludes the key's rival: all values but a flag that is off do.
    fn excludes_rival(&self) -> bool {
        *self != Self::Flag(false)
    }

    /// Returns the number, if it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Whole(whole) => Some(*whole as f64),
            Self::Number(number) => Some(*number),
            Self::Flag(_) | Self::Text(_) => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(whole) => write!(f, "{whole}"),
            // `Debug` writes 1e300 as such instead of with 300 zeros.
            Self::Number(number) => write!(f, "{number:?}"),
            Self::Flag(on) => write!(f, "{on}"),
            Self::Text(text) => write!(f, "{text:?}"),
        }
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Whole(value.into())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Whole(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<f32> for Value {
    /// Uses the shortest decimal form, not the exact `f32` value: 0.1, not 0.10000000149.
    fn from(value: f32) -> Self {
        let written = value.to_string().parse();
        Self::Number(written.unwrap_or_else(|_| value.into()))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Format> for Value {
    fn from(value: Format) -> Self {
        value.name().into()
    }
}

impl From<BitDepth> for Value {
    fn from(value: BitDepth) -> Self {
        value.name().into()
    }
}

/// A set of settings, each with its place. Settings that are not set come from the layers below.
#[derive(Debug, Clone, Default)]
pub struct Layer {
    said: BTreeMap<&'static str, Said>,
}

/// A valid value, and the place that set it.
#[derive(Debug, Clone)]
struct Said {
    key: &'static Key,
    value: Value,
    place: Source,
}

impl Said {
    /// Returns the format, if this sets one.
    fn format(&self) -> Option<Format> {
        match (self.key.name, &self.value) {
            ("format", Value::Text(name)) => Format::from_name(name),
            _ => None,
        }
    }

    /// Returns the engine, if this sets one.
    fn engine(&self) -> Option<Engine> {
        match (self.key.name, &self.value) {
            ("engine", Value::Text(name)) => {
                Engine::ALL.into_iter().find(|engine| engine.name() == name)
            }
            _ => None,
        }
    }

    /// Returns whether this requests something that only another engine has.
    fn is_useless_with(&self, engine: Engine) -> bool {
        self.value.excludes_rival() && self.key.engine.is_some_and(|only| only != engine)
    }

    /// Returns whether this requests something that only formats of the other kind support.
    fn is_useless_in(&self, format: Format) -> bool {
        let is_asked_for = match &self.value {
            Value::Text(name) => name != "keep",
            value => *value != Value::Flag(false),
        };
        let is_for_lossless = match self.key.name {
            "bit_depth" | "dither" => true,
            "bitrate_kbps" | "quality" => false,
            _ => return false,
        };
        is_asked_for && is_for_lossless != format.is_lossless()
    }
}

impl Layer {
    /// Creates an empty layer for the command line, which takes precedence over all presets.
    pub fn command_line() -> Self {
        Self::default()
    }

    /// Returns the first of these keys that is set.
    #[cfg(feature = "cli")]
    pub(crate) fn first_of(&self, keys: &[&'static str]) -> Option<&'static str> {
        keys.iter().copied().find(|key| self.said.contains_key(key))
    }

    /// Returns whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.said.is_empty()
    }

    /// Sets a key (in snake case, as in a preset) for the command line. Setting it again replaces
    /// the value.
    ///
    /// # Errors
    /// Returns an error that names the option if there is no such key, the value is of the wrong
    /// type or out of range, or the layer already sets a key that excludes this one or a format
    /// that does not support it.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) -> Result<(), PresetError> {
        self.set_at(key, value.into(), Source::CommandLine)
    }

    /// Like [`set`](Self::set), for a value from `place`.
    pub(crate) fn set_at(
        &mut self,
        key: &str,
        value: Value,
        place: Source,
    ) -> Result<(), PresetError> {
        let Some(key) = keys::find(key) else {
            let key = key.to_owned();
            return Err(PresetError::UnknownKey { place, key });
        };
        // Written to temporary settings only to check it, so that the error can name the place.
        if let Err(refused) = (key.write)(&mut Settings::default(), &value) {
            return Err(refuse(key, &value, place, refused));
        }
        let rival = (key.rivals.iter().filter_map(|rival| self.said.get(rival)))
            .find(|rival| rival.value.excludes_rival() && value.excludes_rival());
        if let Some(rival) = rival {
            return Err(PresetError::Conflict {
                place,
                key: key.name,
                rival: rival.key.name,
                rival_line: match rival.place {
                    Source::Preset { line, .. } | Source::Project { line, .. } => Some(line),
                    _ => None,
                },
            });
        }
        let said = Said { key, value, place };
        self.check_format(&said)?;
        if let Some(engine) = said.engine().or_else(|| self.engine()) {
            let all = self.said.values().chain([&said]);
            check_engine(engine, all)?;
        }
        self.said.insert(key.name, said);
        Ok(())
    }

    /// Checks that the layer's format, if it sets one, supports its other keys together with `new`.
    fn check_format(&self, new: &Said) -> Result<(), PresetError> {
        let unfit = match (new.format(), self.format()) {
            (Some(format), _) => {
                let unfit = self.said.values().find(|said| said.is_useless_in(format));
                unfit.map(|said| (said, format))
            }
            (None, Some(format)) => new.is_useless_in(format).then_some((new, format)),
            (None, None) => None,
        };
        match unfit {
            Some((said, format)) => Err(PresetError::Unfit {
                place: new.place.clone(),
                key: said.key.name,
                kind: if format.is_lossless() {
                    "lossy"
                } else {
                    "lossless"
                },
                format,
            }),
            None => Ok(()),
        }
    }

    /// Returns the format that the layer sets.
    fn format(&self) -> Option<Format> {
        self.said.get("format")?.format()
    }

    /// Returns the engine that the layer sets.
    fn engine(&self) -> Option<Engine> {
        self.said.get("engine")?.engine()
    }

    /// Applies `higher` on top of this layer.
    pub(crate) fn cover(&mut self, higher: &Self) {
        // First removes keys, then adds keys, so that a layer that turns one flag on and its rival
        // off keeps both.
        for said in higher.said.values() {
            if said.value.excludes_rival() {
                for rival in said.key.rivals {
                    self.said.remove(rival);
                }
            }
        }
        if let Some(format) = higher.format() {
            self.said.retain(|_, said| !said.is_useless_in(format));
        }
        if let Some(engine) = higher.engine() {
            self.said.retain(|_, said| !said.is_useless_with(engine));
        }
        self.said.extend(higher.said.clone());
    }

    /// Applies this layer to the defaults. Returns the settings, and every key with value and
    /// source.
    pub(super) fn settle(&self) -> Result<(Settings, Vec<Entry>), PresetError> {
        check_engine(self.engine().unwrap_or_default(), self.said.values())?;
        let mut settings = Settings::default();
        for Said { key, value, place } in self.said.values() {
            (key.write)(&mut settings, value)
                .map_err(|refused| refuse(key, value, place.clone(), refused))?;
        }
        if let Some(scale) = self
            .said
            .get("gap_scale")
            .and_then(|said| said.value.number())
        {
            settings.stretch.gap_ratio = (settings.stretch.ratio * scale).max(*RATIO.start());
        }
        self.check_length(&settings)?;
        let entries: Vec<Entry> = (KEYS.iter())
            .filter(|key| {
                let is_other_way = ["speed", "duration", "gap_scale"].contains(&key.name);
                !is_other_way || self.said.contains_key(key.name)
            })
            .filter(|key| key.name != "ratio" || !self.said.contains_key("duration"))
            .filter(|key| {
                key.engine
                    .is_none_or(|only| only == settings.stretch.engine)
            })
            .map(|key| self.entry(key, &settings))
            .collect();
        (settings.stretch.validate()).map_err(|source| combination(source, &entries))?;
        Ok((settings, entries))
    }

    /// Checks that pauses do not decide about a length that is given.
    fn check_length(&self, settings: &Settings) -> Result<(), PresetError> {
        if settings.stretch.duration == 0.0 && !settings.stretch.exact_length {
            return Ok(());
        }
        let is_on = |said: &&Said| said.value.number() != Some(0.0);
        let pauses = ["gap_ratio", "gap_scale", "max_pause"];
        let mut pauses = pauses.into_iter().filter_map(|key| self.said.get(key));
        match pauses.find(is_on) {
            None => Ok(()),
            Some(said) => Err(PresetError::LengthAndPauses {
                place: said.place.clone(),
                key: said.key.name,
            }),
        }
    }

    fn entry(&self, key: &Key, settings: &Settings) -> Entry {
        let said = self.said.get(key.name);
        let decided_by = match key.name {
            "ratio" => said.or_else(|| self.said.get("speed")),
            "gap_ratio" => said.or_else(|| self.said.get("gap_scale")),
            _ => said,
        };
        Entry {
            key: key.name,
            value: said.map_or_else(|| (key.read)(settings), |said| Some(said.value.clone())),
            source: decided_by.map_or(Source::Default, |said| said.place.clone()),
        }
    }
}

/// Checks that an engine has everything that is requested.
fn check_engine<'a>(
    engine: Engine,
    mut said: impl Iterator<Item = &'a Said>,
) -> Result<(), PresetError> {
    match said.find(|said| said.is_useless_with(engine)) {
        Some(said) => Err(PresetError::WrongEngine {
            place: said.place.clone(),
            key: said.key.name,
            engine,
        }),
        None => Ok(()),
    }
}

fn refuse(key: &Key, value: &Value, place: Source, refused: Refused) -> PresetError {
    let value = value.to_string();
    match refused {
        Refused::Type => PresetError::WrongType {
            place,
            key: key.name,
            expected: key.expects,
            found: value,
        },
        Refused::Range(allowed) => PresetError::OutOfRange {
            place,
            key: key.name,
            value,
            allowed,
        },
    }
}

/// Converts an error of the engine. Every value is valid individually, so the error is a conflict
/// between two of them: the two that the engine's message names.
fn combination(source: OptionError, entries: &[Entry]) -> PresetError {
    let message = source.to_string();
    let origins: Vec<String> = (entries.iter())
        .filter(|entry| message.contains(entry.key))
        .map(|entry| format!("{} from {}", entry.key, entry.source))
        .collect();
    PresetError::Combination {
        origins: origins.join(", "),
        source,
    }
}
