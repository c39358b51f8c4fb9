//! The same command again and again: begin a run, or continue the newest one of its name.

use crate::changes::{Change, changes};
use crate::error::Error;
use crate::observer::Observer;
use crate::prepared::recorded_layers;
use crate::ranks::from_first;
use crate::resume::{ResumeOptions, resume};
use crate::run::{Destination, Outcome, RunSettings, absolute, begin, begin_in, common_spec};
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
    // What the first rank finds, for it may begin to write before the others look.
    let found = from_first(&settings.ranks, || {
        let newest = newest_run(name, destination)?;
        Ok(newest.map(|path| (is_unbegun(&path), path)))
    })?;
    let Some((is_unbegun, path)) = found else {
        return begin(name, layers, destination, settings, observer);
    };
    if is_unbegun {
        let spec = common_spec(layers, &settings.ranks)?;
        let directory = RunDirectory::unbegun(path);
        return begin_in(&directory, name, layers, &spec, settings, observer);
    }
    let (directory, _) = RunDirectory::open(&path)?;
    let asked = absolute(layers.resolve()?);
    let recorded = recorded_layers(&directory)?.resolve()?;
    let changes = changes(&recorded, &asked)?;
    let (free, others): (Vec<_>, Vec<_>) = changes.iter().partition(|change| change.is_free());
    if !others.is_empty() {
        let others: Vec<String> = others.iter().map(ToString::to_string).collect();
        return Err(Error::Config {
            origin: path.display().to_string(),
            path: "--auto-resume".to_owned(),
            problem: format!(
                "the run was begun with other settings ({}); continue it by name with `kiln resume`, or choose another --out",
                others.join("; ")
            ),
        });
    }
    if let Some(evaluation) = directory.evaluation()? {
        observer.note(&format!("{} is finished", path.display()));
        return Ok(Outcome::Finished { directory: path, evaluation });
    }
    let free = free.into_iter().map(Change::as_layer).collect::<Result<Vec<_>, _>>()?;
    let changes = free.into_iter().flatten().collect();
    let options = ResumeOptions { changes, ..ResumeOptions::default() };
    resume(&path, &options, settings, observer)
}

/// The run to continue, or a folder in which a kill left nothing begun.
fn newest_run(name: &str, destination: &Destination) -> Result<Option<PathBuf>, Error> {
    match destination {
        Destination::Exactly(path) => Ok(Some(path.clone()).filter(|path| path.exists())),
        Destination::Numbered(parent) => {
            Ok(RunDirectory::newest_numbered(parent, name)?.map(|(_, path)| path))
        }
    }
}

/// Whether a folder holds nothing but what a run writes before its `run.json`.
fn is_unbegun(path: &Path) -> bool {
    let before = ["config.toml", ".config.toml.partial", ".run.json.partial", "lock"];
    let Ok(entries) = std::fs::read_dir(path) else { return false };
    let Ok(names) =
        entries.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<Vec<_>, _>>()
    else {
        return false;
    };
    let is_ours = names.is_empty() || names.iter().any(|name| name == "lock");
    is_ours && names.iter().all(|name| before.iter().any(|before| name == before))
}
