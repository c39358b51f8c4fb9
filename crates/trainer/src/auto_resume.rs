//! The same command again and again: begin a run, or continue the newest one of its name.

use crate::changes::changes;
use crate::error::Error;
use crate::observer::Observer;
use crate::prepared::recorded_layers;
use crate::resume::{ResumeOptions, resume};
use crate::run::{Destination, Outcome, RunSettings, absolute, begin};
use crate::run_directory::RunDirectory;
use crate::spec::Layers;
use std::path::{Path, PathBuf};

/// Continues the newest run of the experiment `name` at `destination` if there is one, else begins one. Of a run that is
/// finished it gives the result again.
///
/// # Errors
/// Any [`Error`]; [`Error::Config`] when that run was begun with settings that would lead to another result.
pub fn begin_or_resume(
    name: &str,
    layers: &Layers,
    destination: &Destination,
    settings: &RunSettings,
    observer: &mut dyn Observer,
) -> Result<Outcome, Error> {
    let Some(path) = newest_run(name, destination)? else {
        return begin(name, layers, destination, settings, observer);
    };
    let (directory, _) = RunDirectory::open(&path)?;
    let asked = absolute(layers.resolve()?);
    let recorded = recorded_layers(&directory)?.resolve()?;
    let changes = changes(&recorded, &asked)?;
    let changes: Vec<String> =
        changes.iter().filter(|change| !change.is_free()).map(ToString::to_string).collect();
    if !changes.is_empty() {
        return Err(Error::Config {
            origin: path.display().to_string(),
            path: "--auto-resume".to_owned(),
            problem: format!(
                "the run was begun with other settings ({}); continue it by name with `kiln resume`, or choose another --out",
                changes.join("; ")
            ),
        });
    }
    if let Some(evaluation) = directory.evaluation()? {
        observer.note(&format!("{} is finished", path.display()));
        return Ok(Outcome::Finished { directory: path, evaluation });
    }
    resume(&path, &ResumeOptions::default(), settings, observer)
}

/// The run to continue. A folder in which nothing was begun, left by a kill, is removed.
fn newest_run(name: &str, destination: &Destination) -> Result<Option<PathBuf>, Error> {
    let path = match destination {
        Destination::Exactly(path) => Some(path.clone()).filter(|path| path.exists()),
        Destination::Numbered(parent) => RunDirectory::newest_numbered(parent, name)?,
    };
    let Some(path) = path else { return Ok(None) };
    if path.join("run.json").is_file() || !is_unbegun(&path) {
        return Ok(Some(path));
    }
    std::fs::remove_dir_all(&path).map_err(|error| Error::run_directory(&path, error))?;
    Ok(None)
}

/// Whether a folder holds nothing but what a run writes before its `run.json`.
fn is_unbegun(path: &Path) -> bool {
    let before = ["config.toml", ".config.toml.partial", ".run.json.partial", "lock"];
    std::fs::read_dir(path).is_ok_and(|mut entries| {
        entries.all(|entry| {
            entry.is_ok_and(|entry| before.iter().any(|name| entry.file_name() == *name))
        })
    })
}
