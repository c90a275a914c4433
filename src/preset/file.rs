//! Reads a single preset file.

use std::borrow::Cow;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Layer, PresetError, Source, Value, keys};

/// A single preset, without those that it extends.
#[derive(Debug)]
pub(super) struct Preset {
    pub name: String,
    /// `None` for a built-in preset.
    pub file: Option<PathBuf>,
    pub description: Option<String>,
    /// The preset that this one extends, and the place of its `extends` key.
    pub extends: Option<(String, Source)>,
    pub layer: Layer,
}

impl Preset {
    /// Parses the text of a preset.
    pub(super) fn parse(
        name: String,
        file: Option<PathBuf>,
        text: &str,
    ) -> Result<Self, PresetError> {
        let mut preset = Self {
            name,
            file,
            description: None,
            extends: None,
            layer: Layer::default(),
        };
        // Windows editors may write a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let table = DeTable::parse(text).map_err(|source| PresetError::Syntax {
            place: preset.place(text, source.span().map_or(text.len(), |span| span.start)),
            message: source.message().to_owned(),
            source: source.into(),
        })?;
        // In file order, so that the first error reported is the first in the file.
        let mut pairs: Vec<_> = table.into_inner().into_iter().collect();
        pairs.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in pairs {
            let place = preset.place(text, key.span().start);
            preset.take(key, value.into_inner(), place)?;
        }
        Ok(preset)
    }

    fn take(
        &mut self,
        key: Spanned<Cow<'_, str>>,
        value: DeValue<'_>,
        place: Source,
    ) -> Result<(), PresetError> {
        match key.get_ref().as_ref() {
            "description" => self.description = Some(text("description", value, &place)?),
            "extends" => self.extends = Some((text("extends", value, &place)?, place)),
            key => match simple(value) {
                Ok(value) => self.layer.set_at(key, value, place)?,
                Err(found) => return Err(not_simple(key, found, place)),
            },
        }
        Ok(())
    }

    /// Returns the place of a byte offset in the text.
    fn place(&self, text: &str, byte: usize) -> Source {
        Source::Preset {
            name: self.name.clone(),
            file: self.file.clone(),
            line: line_of(text.as_bytes(), byte),
        }
    }

    /// Returns how messages name the preset: its file, or its name if it is built in.
    pub(super) fn label(&self) -> String {
        match &self.file {
            Some(file) => file.display().to_string(),
            None => format!("built-in {}", self.name),
        }
    }
}

/// Returns the line of a byte offset, starting at 1.
pub(crate) fn line_of(text: &[u8], byte: usize) -> usize {
    let before = &text[..byte.min(text.len())];
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

fn text(key: &'static str, value: DeValue<'_>, place: &Source) -> Result<String, PresetError> {
    let found = match simple(value) {
        Ok(Value::Text(text)) => return Ok(text),
        Ok(other) => other.to_string(),
        Err(type_name) => type_name.to_owned(),
    };
    Err(PresetError::WrongType {
        place: place.clone(),
        key,
        expected: "a text in quotes",
        found,
    })
}

fn not_simple(key: &str, found: &str, place: Source) -> PresetError {
    match keys::find(key) {
        Some(key) => PresetError::WrongType {
            place,
            key: key.name,
            expected: key.expects,
            found: found.to_owned(),
        },
        None => PresetError::UnknownKey {
            place,
            key: key.to_owned(),
        },
    }
}

/// Returns the value, or the name of its type if presets do not support it.
pub(crate) fn simple(value: DeValue<'_>) -> Result<Value, &'static str> {
    match value {
        DeValue::String(text) => Ok(Value::Text(text.into_owned())),
        DeValue::Boolean(on) => Ok(Value::Flag(on)),
        // Nothing beyond 64 bits is in range, so the extreme value is rejected just the same.
        DeValue::Integer(digits) => Ok(Value::Whole(
            i64::from_str_radix(digits.as_str(), digits.radix()).unwrap_or_else(|_| {
                match digits.as_str().starts_with('-') {
                    true => i64::MIN,
                    false => i64::MAX,
                }
            }),
        )),
        DeValue::Float(digits) => Ok(Value::Number(digits.as_str().parse().unwrap_or(f64::NAN))),
        DeValue::Datetime(_) => Err("a date or time"),
        DeValue::Array(_) => Err("a list"),
        DeValue::Table(_) => Err("a table"),
    }
}
