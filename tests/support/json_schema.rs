//! The part of JSON Schema that the shipped schemas use. Any other keyword is a failure, so that no
//! rule is silently left unchecked.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

/// A schema file, and which of its properties have been found in checked values.
pub(crate) struct Schema {
    name: &'static str,
    root: Value,
    others: Vec<Schema>,
    pub seen: BTreeSet<String>,
}

impl Schema {
    /// Reads a schema of the `schema` folder, and those that it refers to.
    pub(crate) fn read(name: &'static str, others: &[&'static str]) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("schema")
            .join(name);
        Self {
            name,
            root: serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap(),
            others: others.iter().map(|name| Self::read(name, &[])).collect(),
            seen: BTreeSet::new(),
        }
    }

    /// Panics if `value` does not match the schema or has a property that the schema does not name.
    pub(crate) fn check(&mut self, value: &Value) {
        let mut seen = BTreeSet::new();
        let result = self.matches(&self.root, value, "", &mut seen);
        result.unwrap_or_else(|error| panic!("{error} in {value:#}"));
        self.seen.append(&mut seen);
    }

    /// Returns all properties, as `file name#definition/property`. Panics if one has no
    /// description.
    pub(crate) fn properties(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let definitions = self.root["$defs"].as_object().unwrap();
        let definitions = definitions
            .iter()
            .map(|(name, schema)| (name.as_str(), schema));
        for (name, schema) in definitions.chain([("", &self.root)]) {
            assert!(schema["description"].is_string(), "{name} is not described");
            self.collect(name, schema, &mut found);
        }
        found
    }

    fn collect(&self, definition: &str, schema: &Value, found: &mut BTreeSet<String>) {
        for (property, schema) in schema["properties"].as_object().into_iter().flatten() {
            let described = schema["description"].as_str().unwrap_or_default();
            assert!(
                described.ends_with('.'),
                "{definition}/{property}: {described}"
            );
            found.insert(format!("{}#{definition}/{property}", self.name));
        }
        for schema in schema["oneOf"].as_array().into_iter().flatten() {
            self.collect(definition, schema, found);
        }
    }

    fn matches(
        &self,
        schema: &Value,
        value: &Value,
        definition: &str,
        seen: &mut BTreeSet<String>,
    ) -> Result<(), String> {
        for (keyword, argument) in schema.as_object().unwrap() {
            let good = match keyword.as_str() {
                "$schema" | "$defs" | "title" | "description" | "format" | "properties" => true,
                "$ref" => {
                    let (file, name) = argument.as_str().unwrap().split_once("#/$defs/").unwrap();
                    let other = self.others.iter().find(|other| other.name == file);
                    let schema = other.unwrap_or(self);
                    schema.matches(&schema.root["$defs"][name], value, name, seen)?;
                    true
                }
                "type" => match argument {
                    Value::Array(types) => types.iter().any(|name| is_a(value, name)),
                    name => is_a(value, name),
                },
                "const" => value == argument,
                "enum" => argument.as_array().unwrap().contains(value),
                "minimum" => value
                    .as_f64()
                    .is_none_or(|x| x >= argument.as_f64().unwrap()),
                "maximum" => value
                    .as_f64()
                    .is_none_or(|x| x <= argument.as_f64().unwrap()),
                "items" => {
                    for item in value.as_array().into_iter().flatten() {
                        self.matches(argument, item, definition, seen)?;
                    }
                    true
                }
                "required" => {
                    let mut names = argument.as_array().unwrap().iter();
                    names.all(|name| value.get(name.as_str().unwrap()).is_some())
                }
                "additionalProperties" => {
                    for value in value.as_object().unwrap().values() {
                        self.matches(argument, value, definition, seen)?;
                    }
                    true
                }
                "oneOf" => {
                    let alternatives = argument.as_array().unwrap().iter();
                    let mut fitting = alternatives.filter_map(|schema| {
                        let mut seen = BTreeSet::new();
                        let result = self.matches(schema, value, definition, &mut seen);
                        result.is_ok().then_some(seen)
                    });
                    match (fitting.next(), fitting.next()) {
                        (Some(mut only), None) => seen.append(&mut only),
                        _ => return Err(format!("{definition}: {value} fits not one alternative")),
                    }
                    true
                }
                _ => panic!("{keyword} is not checked"),
            };
            if !good {
                return Err(format!("{definition}: {value} breaks {keyword} {argument}"));
            }
        }
        // An object with named properties must have no others.
        if let (Some(known), Some(object)) = (schema.get("properties"), value.as_object()) {
            for (name, value) in object {
                let schema = known.get(name);
                let schema = schema.ok_or_else(|| format!("{definition}/{name} is unknown"))?;
                self.matches(schema, value, definition, seen)?;
                seen.insert(format!("{}#{definition}/{name}", self.name));
            }
        }
        Ok(())
    }
}

fn is_a(value: &Value, name: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{other} is not checked"),
    }
}
