//! Finding, checking and reading sets.

use super::snapshot::{AVERAGE, CONFIG, MODEL, OPTIMIZER, ORIGIN, STATE, STEPS};
use super::state::TrainState;
use super::sums::Sums;
use super::tensors::{TensorFile, from_bytes};
use super::weights::{Weights, read_into};
use crate::early_stopping::Best;
use crate::error::Error;
use crate::run_directory::check_format;
use burn::module::Module as _;
use burn::tensor::Device;
use kiln_models::{Network, parameter_names};
use kiln_optim_schedules::{Averaged, Optimizer, SavedSlot};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What the names of sets begin with.
pub(super) const SET: &str = "stage";
/// What a set that cannot be used is renamed to begin with.
const DAMAGED: &str = "damaged-";
/// The same for one whose weights led to a loss that is no number.
const DIVERGED: &str = "diverged-";

/// A complete checkpoint on disk, its tensors not yet read.
#[derive(Debug, Clone)]
pub(crate) struct CheckpointSet {
    /// The folder.
    pub(crate) path: PathBuf,
    /// Where the run was.
    pub(crate) state: TrainState,
}

/// The newest set that is intact, and those that are not.
#[derive(Debug)]
pub(crate) struct Newest {
    /// It; absent when there is no set yet.
    pub(crate) set: Option<CheckpointSet>,
    /// What is wrong with newer ones, newest first.
    pub(crate) skipped: Vec<Error>,
}

/// The newest intact set under `folder`, every file of it checked. Newer ones are renamed to `damaged-...`, so that nothing
/// takes them for sets.
///
/// # Errors
/// [`Error::NewerFormat`] for a set of a newer Kiln, whose work must not be lost; [`Error::Checkpoint`] when there are sets but
/// not one is intact.
pub(crate) fn newest(folder: &Path) -> Result<Newest, Error> {
    let mut skipped = Vec::new();
    let mut damaged = Vec::new();
    let mut set = None;
    for name in names(folder)?.into_iter().rev() {
        match CheckpointSet::intact(&folder.join(&name)) {
            Ok(found) => {
                set = Some(found);
                break;
            }
            Err(error @ Error::NewerFormat { .. }) => return Err(error),
            Err(error) => {
                skipped.push(error);
                damaged.push(name);
            }
        }
    }
    if set.is_none() && !skipped.is_empty() {
        let reasons: Vec<String> = skipped.iter().map(ToString::to_string).collect();
        let problem = format!(
            "no checkpoint is intact; remove the folder to train from the start: {}",
            reasons.join("; ")
        );
        return Err(Error::checkpoint(folder, problem));
    }
    for name in damaged {
        set_aside(folder, &name, DAMAGED)?;
    }
    Ok(Newest { set, skipped })
}

/// The newest intact set before the one called `name`; that one is then renamed to `diverged-...`.
///
/// # Errors
/// [`Error::Checkpoint`] when the folder cannot be read or the set not renamed.
pub(crate) fn step_back(folder: &Path, name: &str) -> Result<Option<CheckpointSet>, Error> {
    let names = names(folder)?;
    let older = names.iter().rev().skip_while(|found| *found != name).skip(1);
    let mut intact = older.filter_map(|name| CheckpointSet::intact(&folder.join(name)).ok());
    let found = intact.next();
    if found.is_some() {
        set_aside(folder, name, DIVERGED)?;
    }
    Ok(found)
}

/// Renames a set so that its name begins with `prefix`, in the place of one that has that name.
fn set_aside(folder: &Path, name: &str, prefix: &str) -> Result<(), Error> {
    let (path, aside) = (folder.join(name), folder.join(format!("{prefix}{name}")));
    let fault = |error: std::io::Error| Error::checkpoint(&path, error);
    if aside.exists() {
        fs::remove_dir_all(&aside).map_err(fault)?;
    }
    fs::rename(&path, &aside).map_err(fault)
}

/// The newest set under `folder`, of which only the state is checked; none when there is no set yet.
///
/// # Errors
/// [`Error::Checkpoint`] when the newest set's state cannot be read.
pub(super) fn newest_state(folder: &Path) -> Result<Option<CheckpointSet>, Error> {
    names(folder)?.pop().map(|name| CheckpointSet::open(&folder.join(name))).transpose()
}

impl CheckpointSet {
    /// The set in `path`.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when its state cannot be read, [`Error::NewerFormat`] when a newer Kiln wrote it.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let sums = Sums::of_set(path)?;
        let origin = path.join(ORIGIN);
        let found = serde_json::from_slice(&sums.read(path, ORIGIN)?)
            .map_err(|error| Error::checkpoint(&origin, error))?;
        check_format(&origin, &found)?;
        let state = serde_json::from_slice(&sums.read(path, STATE)?)
            .map_err(|error| Error::checkpoint(&path.join(STATE), error))?;
        Ok(Self { path: path.to_owned(), state })
    }

    /// The set in `path`, every file of which is there and as it was written.
    ///
    /// # Errors
    /// Those of [`open`](Self::open), and [`Error::Checkpoint`] naming the file that is not.
    pub(crate) fn intact(path: &Path) -> Result<Self, Error> {
        let set = Self::open(path)?;
        let sums = Sums::of_set(path)?;
        let average = (set.state.average_updates > 0).then_some(AVERAGE);
        for name in [MODEL, OPTIMIZER, CONFIG].into_iter().chain(average) {
            sums.read(path, name)?;
        }
        Ok(set)
    }

    /// Forgets best sets that are damaged or not there any more; says which. They can be missing after a newer set was
    /// skipped, for which they had been removed.
    pub(crate) fn forget_damaged_best(&mut self, folder: &Path) -> Vec<String> {
        let TrainState { best, stage_best, also_best, .. } = &mut self.state;
        let fault = |best: &Best| Self::intact(&folder.join(&best.checkpoint)).err();
        let mut lines = Vec::new();
        let mut note = |error: &Error| {
            lines.push(format!("the best of the epochs that follow counts, as {error}"));
        };
        if let Some(error) = best.as_ref().and_then(fault) {
            note(&error);
            let lost = best.take().map(|best| best.checkpoint);
            *stage_best = stage_best.take().filter(|best| Some(&best.checkpoint) != lost.as_ref());
        }
        also_best.retain(|best| match fault(best) {
            Some(error) => {
                note(&error);
                false
            }
            None => true,
        });
        lines
    }

    /// Forgets the best set of the stage that the run is in, which a later one starts from, if it is damaged; says so.
    pub(crate) fn forget_damaged_stage_best(&mut self, folder: &Path) -> Option<String> {
        let name = self.state.stage_best.as_ref().map(|best| folder.join(&best.checkpoint))?;
        let error = Self::intact(&name).err()?;
        self.state.stage_best = None;
        Some(format!("the best of the epochs of the stage that follow counts, as {error}"))
    }

    /// The configuration that the run had.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when it is missing or damaged.
    pub(crate) fn config(&self) -> Result<String, Error> {
        let path = self.path.join(CONFIG);
        String::from_utf8(Sums::of_set(&self.path)?.read(&self.path, CONFIG)?)
            .map_err(|error| Error::checkpoint(&path, error))
    }

    /// The weights that trained.
    pub(crate) fn weights(&self) -> Weights {
        Weights { set: self.path.clone(), averaged: false }
    }

    /// The average of weights of `network`'s training as it was, if it had begun.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when the file is missing, damaged or of another model.
    pub(crate) fn load_average(
        &self,
        network: &Network,
    ) -> Result<Option<Averaged<Network>>, Error> {
        let updates = self.state.average_updates;
        if updates == 0 {
            return Ok(None);
        }
        let weights = Weights { set: self.path.clone(), averaged: true };
        // Into a copy, whose parameters are known by the same ids.
        let network = read_into(network.valid(), &weights.file(), &weights.read()?)?;
        Ok(Some(Averaged { network, updates }))
    }

    /// The folder's name.
    pub(crate) fn name(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Restores the optimizer's state for the parameters of `network`.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when the file is damaged or of another model.
    pub(crate) fn load_optimizer(
        &self,
        optimizer: &mut Optimizer,
        network: &Network,
        device: &Device,
    ) -> Result<(), Error> {
        let path = self.path.join(OPTIMIZER);
        let bytes = Sums::of_set(&self.path)?.read(&self.path, OPTIMIZER)?;
        let TensorFile { mut tensors, metadata } = from_bytes(&path, &bytes)?;
        let steps = metadata
            .get(STEPS)
            .ok_or_else(|| Error::checkpoint(&path, "no update counts in the metadata"))?;
        let steps: BTreeMap<String, u64> =
            serde_json::from_str(steps).map_err(|error| Error::checkpoint(&path, error))?;
        let fault = |problem: String| Error::checkpoint(&path, problem);
        let names = parameter_names(network);
        let mut saved = Vec::new();
        for named in &names {
            let Some(&step) = steps.get(&named.name) else { continue };
            for slot in optimizer.slots(named.id, named.shape.len()) {
                let key = format!("{}/{slot}", named.name);
                let (_, values) =
                    tensors.remove(&key).ok_or_else(|| fault(format!("`{key}` is missing")))?;
                let expected = named.shape.iter().product::<usize>();
                if values.len() != expected {
                    let found = values.len();
                    return Err(fault(format!("`{key}` has {found} values, expected {expected}")));
                }
                let (parameter, slot) = (named.name.clone(), (*slot).to_owned());
                saved.push(SavedSlot { parameter, slot, step, values });
            }
        }
        if let Some(stray) = tensors.keys().min() {
            return Err(fault(format!("`{stray}` does not fit the model")));
        }
        let ids = names.iter().map(|named| (named.id, named.name.as_str(), named.shape.len()));
        optimizer.restore(saved, ids, device).map_err(|error| Error::checkpoint(&path, error))
    }
}

/// The numbers in a set's name: its stage, epoch and step.
fn numbers(name: &str) -> Vec<u64> {
    let digits = name.split(|c: char| !c.is_ascii_digit());
    digits.filter_map(|digits| digits.parse().ok()).collect()
}

/// Names of the complete sets, oldest first.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::checkpoint(folder, error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| Error::checkpoint(folder, error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_set = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_set && name.starts_with(SET) {
            names.push(name);
        }
    }
    names.sort_by_cached_key(|name| numbers(name));
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn sets_sort_as_their_numbers_do() {
        let mut names = [
            "stage01-epoch10000-step00000010",
            "stage01-epoch9999-step00000009",
            "stage100-epoch0000-step00000011",
        ];
        names.sort_by_cached_key(|name| numbers(name));
        assert_eq!(names.map(|name| numbers(name)[2]), [9, 10, 11]);
    }
}
