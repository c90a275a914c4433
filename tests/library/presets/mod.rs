//! Tests of presets: the built-in ones, which layer of settings takes precedence, where names are
//! looked up, and the messages for mistakes.

mod any_values;
mod layers;
mod lookup;
mod mistakes;
mod result;
mod values;

use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use audiostretchy::preset::{Entry, Layer, PresetError, PresetStore, Resolved, Source, Value};
use audiostretchy::{Engine, StretchOptions, Style};
use audiostretchy_media::format::{BitDepth, Format, OutputChannels, OutputOptions};
use proptest::prelude::*;
use tempfile::TempDir;

/// Two folders of presets, `first` and `second`, searched in this order.
struct Folders {
    root: TempDir,
}

impl Folders {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        for name in ["first", "second"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        Self { root }
    }

    fn with(files: &[(&str, &str)]) -> Self {
        let folders = Self::new();
        for (path, text) in files {
            folders.write(path, text);
        }
        folders
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(path), content).unwrap();
    }

    fn store(&self) -> PresetStore {
        PresetStore::new([self.path("first"), self.path("second")])
    }

    fn resolve(&self, name: &str) -> Result<Resolved, PresetError> {
        self.store().resolve(Some(name.as_ref()), &Layer::default())
    }

    fn stretch(&self, name: &str) -> StretchOptions {
        self.resolve(name).unwrap().settings.stretch
    }

    /// Returns the error message for a preset, without the path of the temporary folder.
    fn error(&self, name: &str) -> String {
        self.plain(self.resolve(name).unwrap_err())
    }

    fn plain(&self, error: PresetError) -> String {
        let root = format!("{}/", self.root.path().display());
        error.to_string().replace(&root, "")
    }

    /// Returns the source of a key, without the path of the temporary folder.
    fn source(&self, resolved: &Resolved, key: &str) -> String {
        let root = format!("{}/", self.root.path().display());
        let source = resolved.entry(key).unwrap().source.to_string();
        source.replace(&root, "")
    }
}

/// Returns the error message for a file `first/a.toml` with this text.
fn error_in(text: &str) -> String {
    Folders::with(&[("first/a.toml", text)]).error("a")
}

fn built_in(name: &str) -> Resolved {
    under(name, &Layer::default())
}

fn under(name: &str, command_line: &Layer) -> Resolved {
    PresetStore::new([])
        .resolve(Some(name.as_ref()), command_line)
        .unwrap()
}

fn command_line(pairs: &[(&str, Value)]) -> Layer {
    let mut layer = Layer::command_line();
    for (key, value) in pairs {
        layer.set(key, value.clone()).unwrap();
    }
    layer
}

fn value(resolved: &Resolved, key: &str) -> Option<Value> {
    resolved.entry(key).unwrap().value.clone()
}
