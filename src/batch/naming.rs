//! What outputs are called.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use super::file_settings::FileSettings;
use super::plan_error::PlanError;
use super::portable;
use super::request::PlanRequest;
use super::selection::is_audio;
use audiostretchy_media::format::Format;

impl PlanRequest {
    /// Returns the output of an input that belongs at `place` in the output folder.
    pub(super) fn output_of(&self, place: &Path, format: Format, suffix: &OsStr) -> PathBuf {
        let name = Path::new(place.file_name().unwrap_or_default());
        // In a name like "take 1.5" what follows the dot is no extension.
        let extension = name.extension().filter(|extension| is_audio(extension));
        let stem = match extension {
            Some(_) => name.file_stem().unwrap_or_default(),
            None => name.as_os_str(),
        };
        let mut output = stem.to_owned();
        output.push(suffix);
        output.push(".");
        output.push(match extension {
            Some(extension) if format_of(place) == Some(format) => extension,
            _ => OsStr::new(format.extensions()[0]),
        });
        let folder = place.parent().filter(|_| !self.flatten);
        let folder = folder.unwrap_or(Path::new(""));
        match self.portable_names {
            true => (self.output.join(portable::folders(folder))).join(portable::name(&output)),
            false => self.output.join(folder).join(output),
        }
    }

    /// Returns the format of a single output file, as far as its name or the option tells; `None`
    /// where outputs go into a folder.
    pub fn single_format(&self) -> Option<Format> {
        let is_single = !self.writes_folder();
        is_single
            .then(|| self.output_format(&self.settings).ok())
            .flatten()
    }

    /// Returns the format of a single output file: the one that its name or the option tells.
    ///
    /// # Errors
    /// Returns an error if they disagree, or neither tells one.
    pub(super) fn output_format(&self, settings: &FileSettings) -> Result<Format, PlanError> {
        let path = self.output.clone();
        match (format_of(&path), settings.encoding.format) {
            (Some(name), Some(option)) if name != option => {
                Err(PlanError::FormatMismatch { path, name, option })
            }
            (Some(format), _) | (None, Some(format)) => Ok(format),
            (None, None) => Err(PlanError::UnknownOutputFormat { path }),
        }
    }
}

/// Where a file that a list names belongs in the output folder.
///
/// # Errors
/// Returns an error if its path leads upwards.
pub(super) fn listed_place(path: &Path) -> Result<PathBuf, PlanError> {
    if path.is_absolute() {
        return Ok(path.file_name().map(PathBuf::from).unwrap_or_default());
    }
    let mut place = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => place.push(name),
            Component::CurDir => {}
            _ => {
                return Err(PlanError::ListedOutside {
                    path: path.to_owned(),
                });
            }
        }
    }
    Ok(place)
}

fn format_of(path: &Path) -> Option<Format> {
    Format::from_extension(path.extension()?.to_str()?)
}

/// Returns the format in which a file of that name is kept.
pub(super) fn kept_format_of(path: &Path) -> Option<Format> {
    Format::kept_from_extension(path.extension()?.to_str()?)
}
