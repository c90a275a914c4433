//! The `presets` subcommand.

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;

use audiostretchy::preset::{Layer, PresetStore, Resolved};

use super::commands::PresetsCommand;
use super::{exit_code, text};

pub(super) fn run(command: &PresetsCommand) -> Result<u8, Box<dyn Error>> {
    let mut out = io::stdout().lock();
    match command {
        PresetsCommand::List { preset_dir } => list(&store(preset_dir.as_deref())?, &mut out)?,
        PresetsCommand::Show { name, preset_dir } => {
            let store = store(preset_dir.as_deref())?;
            show(&store.resolve(Some(name), &Layer::default())?, &mut out)?;
        }
        PresetsCommand::Check { file, preset_dir } => {
            store(preset_dir.as_deref())?.check(file)?;
            writeln!(out, "{}: good", text::path(file))?;
        }
    }
    Ok(exit_code::SUCCESS)
}

fn store(preset_dir: Option<&Path>) -> Result<PresetStore, Box<dyn Error>> {
    Ok(PresetStore::from_environment(preset_dir)?)
}

fn list(store: &PresetStore, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let presets = store.list()?;
    let width = presets.iter().map(|preset| preset.name.len()).max();
    for preset in presets {
        let from = preset
            .file
            .map_or("built in".into(), |file| text::path(&file));
        let about = match (&preset.problem, preset.description) {
            (Some(problem), _) => format!("BROKEN: {}", text::with_causes(problem)),
            (None, description) => text::escape(&description.unwrap_or_default()),
        };
        let name = text::escape(&preset.name);
        writeln!(out, "{name:<0$}  {about} ({from})", width.unwrap_or(0))?;
    }
    Ok(())
}

/// Prints TOML that could be a preset file, with the source of every value behind it.
fn show(preset: &Resolved, out: &mut impl Write) -> io::Result<()> {
    if let Some(description) = &preset.description {
        writeln!(out, "description = {description:?}")?;
    }
    for entry in &preset.entries {
        let setting = match &entry.value {
            Some(value) => format!("{} = {value}", entry.key),
            None => format!("# {}: as the input", entry.key),
        };
        // What says the same in another way is not given twice.
        let is_derived = entry.key == "ratio" && preset.entry("speed").is_some();
        let comment = if is_derived { "# " } else { "" };
        let source = text::escape(&entry.source.to_string());
        writeln!(out, "{:<28} # {source}", format!("{comment}{setting}"))?;
    }
    Ok(())
}
