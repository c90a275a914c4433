//! Finds presets and resolves which others they extend.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::file::{Preset, line_of};
use super::{Layer, PresetError, Resolved, Source};

/// The built-in presets.
const BUILT_IN: [(&str, &str); 7] = [
    ("fast", include_str!("../../presets/fast.toml")),
    ("music", include_str!("../../presets/music.toml")),
    ("natural", include_str!("../../presets/natural.toml")),
    (
        "natural-music",
        include_str!("../../presets/natural-music.toml"),
    ),
    ("phone", include_str!("../../presets/phone.toml")),
    ("podcast", include_str!("../../presets/podcast.toml")),
    ("speech", include_str!("../../presets/speech.toml")),
];

/// The largest preset file in bytes, so that an audio file given by mistake is not read to its end.
const LARGEST_PRESET: u64 = 1 << 20;

/// A preset that can be selected by name.
#[derive(Debug)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its own description.
    pub description: Option<String>,
    /// Its file; `None` for a built-in preset.
    pub file: Option<PathBuf>,
    /// The reason why it cannot be used, if any.
    pub problem: Option<PresetError>,
}

/// The places where presets are looked up by name: folders in order, then the built-in presets.
///
/// In a folder, the preset `lecture` is the file `lecture.toml`. The name in `extends` is looked up
/// in the same way, with two differences:
///
/// - If a preset extends its own name, this is the next preset of that name:
///   `./presets/speech.toml` can extend the `speech` of the user's folder, or the built-in one.
/// - A built-in preset extends only built-in presets, so it has the documented values even if other
///   presets have the same name.
#[derive(Debug, Clone, Default)]
pub struct PresetStore {
    folders: Vec<PathBuf>,
}

impl PresetStore {
    /// Creates a store that searches these folders in order. A folder that does not exist counts as
    /// empty.
    pub fn new(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        Self {
            folders: folders.into_iter().collect(),
        }
    }

    /// Creates the program's default store: `preset_dir` if given, `./presets`, and the user's
    /// folder `audiostretchy/presets` in `$XDG_CONFIG_HOME` or `~/.config`, on macOS in
    /// `~/Library/Application Support`, on Windows in `%APPDATA%`.
    ///
    /// # Errors
    /// Returns [`PresetError::Read`] if `preset_dir` is not a folder or cannot be read: a folder
    /// that was requested is not ignored silently.
    pub fn from_environment(preset_dir: Option<&Path>) -> Result<Self, PresetError> {
        if let Some(folder) = preset_dir {
            fs::read_dir(folder).map_err(|source| PresetError::Read {
                place: Source::CommandLine,
                path: folder.to_owned(),
                source,
            })?;
        }
        let user = user_folder(std::env::consts::OS, |name| std::env::var_os(name));
        let folders = [preset_dir.map(PathBuf::from), Some("presets".into()), user];
        Ok(Self::new(folders.into_iter().flatten()))
    }

    /// Returns the folders in search order.
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// Returns every preset that can be selected by name, sorted by name. Presets hidden by another
    /// of the same name are left out.
    ///
    /// # Errors
    /// Returns [`PresetError::Read`] if a folder cannot be read. A broken preset is not an error
    /// here: see [`Listed::problem`].
    pub fn list(&self) -> Result<Vec<Listed>, PresetError> {
        let mut listed = BTreeMap::new();
        for folder in &self.folders {
            let files = preset_files(folder).map_err(|source| PresetError::Read {
                place: Source::CommandLine,
                path: folder.clone(),
                source,
            })?;
            for file in files {
                let name = name_of(&file);
                if !listed.contains_key(&name) {
                    let resolved = self.check(&file);
                    listed.insert(name.clone(), Listed::new(name, Some(file), resolved));
                }
            }
        }
        for (name, text) in BUILT_IN {
            if !listed.contains_key(name) {
                let resolved = Preset::parse(name.into(), None, text)
                    .and_then(|preset| self.finish(Some(preset), &Layer::default()));
                listed.insert(name.into(), Listed::new(name.into(), None, resolved));
            }
        }
        Ok(listed.into_values().collect())
    }

    /// Returns the settings of a preset, if one is given, with those of the command line on top.
    ///
    /// A preset that ends in `.toml` or contains a path separator is a file; otherwise it is a
    /// name.
    ///
    /// # Errors
    /// Returns an error that names the place of whatever cannot be used; see [`PresetError`].
    pub fn resolve(
        &self,
        name_or_file: Option<&OsStr>,
        command_line: &Layer,
    ) -> Result<Resolved, PresetError> {
        let named = name_or_file.map(|wanted| (wanted, &Source::CommandLine));
        self.resolve_at(named, command_line)
    }

    /// As [`resolve`](Self::resolve), for a preset that is named in some place.
    pub(crate) fn resolve_at(
        &self,
        name_or_file: Option<(&OsStr, &Source)>,
        top: &Layer,
    ) -> Result<Resolved, PresetError> {
        let preset = match name_or_file {
            Some((wanted, place)) if is_file(wanted) => Some(read_preset(wanted.into(), place)?),
            Some((name, place)) => Some(self.find(name, &self.folders, place)?),
            None => None,
        };
        self.finish(preset, top)
    }

    /// Checks a preset file and all presets that it extends. Returns the settings it resolves to by
    /// itself.
    ///
    /// # Errors
    /// See [`resolve`](Self::resolve).
    pub fn check(&self, file: &Path) -> Result<Resolved, PresetError> {
        let preset = read_preset(file.to_owned(), &Source::CommandLine)?;
        self.finish(Some(preset), &Layer::default())
    }

    fn finish(
        &self,
        preset: Option<Preset>,
        command_line: &Layer,
    ) -> Result<Resolved, PresetError> {
        let chain = preset.map_or(Ok(Vec::new()), |preset| self.chain(preset))?;
        let mut layer = Layer::default();
        for preset in chain.iter().rev() {
            layer.cover(&preset.layer);
        }
        layer.cover(command_line);
        let (settings, entries) = layer.settle()?;
        let asked_for = chain.into_iter().next();
        Ok(Resolved {
            preset: asked_for.as_ref().map(|preset| preset.name.clone()),
            description: asked_for.and_then(|preset| preset.description),
            settings,
            entries,
        })
    }

    /// Returns the preset, the one that it extends, and so on.
    fn chain(&self, first: Preset) -> Result<Vec<Preset>, PresetError> {
        let mut chain = vec![first];
        while let Some(last) = chain.last()
            && let Some((wanted, place)) = &last.extends
        {
            let next = self.extended(last, wanted, place)?;
            if chain.iter().any(|preset| same_preset(preset, &next)) {
                return Err(PresetError::Circular {
                    place: place.clone(),
                    chain: chain.iter().chain([&next]).map(Preset::label).collect(),
                });
            }
            chain.push(next);
        }
        Ok(chain)
    }

    /// Returns the preset that `preset` extends, given its name or path `wanted`.
    fn extended(
        &self,
        preset: &Preset,
        wanted: &str,
        place: &Source,
    ) -> Result<Preset, PresetError> {
        let wanted = OsStr::new(wanted);
        let Some(file) = &preset.file else {
            return self.find(wanted, &[], place);
        };
        if is_file(wanted) {
            let folder = file.parent().unwrap_or(Path::new(""));
            return read_preset(folder.join(wanted), place);
        }
        let mut folders = self.folders.as_slice();
        if wanted == OsStr::new(&preset.name) {
            // The last folder that contains this file, as the list may contain a folder twice.
            let own = |folder: &PathBuf| same_file(&file_in(folder, wanted), file);
            if let Some(own) = folders.iter().rposition(own) {
                folders = &folders[own + 1..];
            }
        }
        self.find(wanted, folders, place)
    }

    /// Finds the first preset of a name in these folders, or else among the built-in ones.
    fn find(
        &self,
        name: &OsStr,
        folders: &[PathBuf],
        place: &Source,
    ) -> Result<Preset, PresetError> {
        for folder in folders {
            match read_preset(file_in(folder, name), place) {
                Err(PresetError::Read { source, .. }) if is_absent(&source) => {}
                found => return found,
            }
        }
        match BUILT_IN.iter().find(|(built_in, _)| name == *built_in) {
            Some((name, text)) => Preset::parse((*name).to_owned(), None, text),
            None => Err(PresetError::Unknown {
                place: place.clone(),
                name: name.to_string_lossy().into_owned(),
                known: self.names(),
            }),
        }
    }

    /// Returns all names, for a message. Folders that cannot be read are ignored.
    fn names(&self) -> Vec<String> {
        let in_folders = (self.folders.iter())
            .flat_map(|folder| preset_files(folder).unwrap_or_default())
            .map(|file| name_of(&file));
        let built_in = BUILT_IN.iter().map(|(name, _)| (*name).to_owned());
        let mut names: Vec<String> = in_folders.chain(built_in).collect();
        names.sort();
        names.dedup();
        names
    }
}

impl Listed {
    fn new(name: String, file: Option<PathBuf>, resolved: Result<Resolved, PresetError>) -> Self {
        let (description, problem) = match resolved {
            Ok(resolved) => (resolved.description, None),
            Err(error) => (None, Some(error)),
        };
        Self {
            name,
            description,
            file,
            problem,
        }
    }
}

fn is_file(wanted: &OsStr) -> bool {
    let wanted = wanted.to_string_lossy();
    wanted.to_ascii_lowercase().ends_with(".toml") || wanted.contains(std::path::is_separator)
}

fn file_in(folder: &Path, name: &OsStr) -> PathBuf {
    let mut file = OsString::from(name);
    file.push(".toml");
    folder.join(file)
}

fn name_of(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or(file.as_os_str());
    stem.to_string_lossy().into_owned()
}

/// Returns the files in a folder that can be selected by name, sorted; none if the folder does not
/// exist.
fn preset_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if is_absent(&error) => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new("toml")) && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename
    )
}

fn read_preset(file: PathBuf, place: &Source) -> Result<Preset, PresetError> {
    let bytes = match read_bytes(&file) {
        Ok(bytes) => bytes,
        Err(source) => {
            return Err(PresetError::Read {
                place: place.clone(),
                path: file,
                source,
            });
        }
    };
    match std::str::from_utf8(&bytes) {
        Ok(text) => Preset::parse(name_of(&file), Some(file), text),
        Err(error) => Err(PresetError::NotText {
            line: line_of(&bytes, error.valid_up_to()),
            path: file,
        }),
    }
}

/// Reads a file of settings.
pub(crate) fn read_bytes(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?
        .take(LARGEST_PRESET + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_PRESET {
        return Err(io::Error::new(
            ErrorKind::FileTooLarge,
            "larger than 1 MiB: this is no file of settings",
        ));
    }
    Ok(bytes)
}

fn same_preset(a: &Preset, b: &Preset) -> bool {
    match (&a.file, &b.file) {
        (Some(a), Some(b)) => same_file(a, b),
        (None, None) => a.name == b.name,
        _ => false,
    }
}

/// Returns whether two paths refer to the same file, also through links.
fn same_file(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// Returns the user's preset folder on an operating system, given its environment variables.
///
/// A relative base folder is ignored, as the XDG specification requires.
fn user_folder(os: &str, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = |name| {
        variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let base = match os {
        "windows" => folder("APPDATA"),
        "macos" => folder("HOME").map(|home| home.join("Library/Application Support")),
        _ => folder("XDG_CONFIG_HOME").or_else(|| folder("HOME").map(|home| home.join(".config"))),
    }?;
    Some(base.join("audiostretchy").join("presets"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_of(os: &str, variables: &[(&str, &str)]) -> Option<PathBuf> {
        user_folder(os, |wanted| {
            (variables.iter())
                .find(|(name, _)| *name == wanted)
                .map(|(_, value)| value.into())
        })
    }

    #[cfg(unix)]
    #[test]
    fn the_users_folder_is_where_the_system_keeps_settings() {
        let home = ("HOME", "/home/ann");
        let folder = |os, variables: &[_]| folder_of(os, variables).unwrap();
        assert_eq!(
            folder("linux", &[home]),
            Path::new("/home/ann/.config/audiostretchy/presets")
        );
        assert_eq!(
            folder("linux", &[home, ("XDG_CONFIG_HOME", "/settings")]),
            Path::new("/settings/audiostretchy/presets")
        );
        assert_eq!(
            folder("macos", &[home, ("XDG_CONFIG_HOME", "/settings")]),
            Path::new("/home/ann/Library/Application Support/audiostretchy/presets")
        );
        assert_eq!(
            folder("windows", &[home, ("APPDATA", "/data")]),
            Path::new("/data/audiostretchy/presets")
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_relative_or_empty_base_folder_is_passed_over() {
        let home = ("HOME", "/home/ann");
        assert_eq!(
            folder_of("linux", &[home, ("XDG_CONFIG_HOME", "settings")]),
            folder_of("linux", &[home])
        );
        assert_eq!(folder_of("linux", &[("HOME", "")]), None);
    }

    #[test]
    fn a_path_separator_or_toml_at_the_end_makes_it_a_file() {
        for file in ["a.toml", "A.TOML", "./a", "presets/a", ".toml"] {
            assert!(is_file(OsStr::new(file)), "{file}");
        }
        for name in ["speech", "toml", "v1.5", "my speech"] {
            assert!(!is_file(OsStr::new(name)), "{name}");
        }
    }
}
