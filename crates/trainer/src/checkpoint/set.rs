//! Writing, finding, reading and pruning checkpoint sets.

use super::state::{FinishedStage, TrainState};
use super::tensors::{TensorFile, Tensors, from_bytes, to_bytes};
use crate::card::ModelCard;
use crate::early_stopping::Best;
use crate::error::Error;
use crate::run_directory::RunDirectory;
use crate::weights::{CARD, Take};
use burn::module::Module as _;
use burn::tensor::Device;
use kiln_models::{NamedTensor, Network, load_state_dict, parameter_names, state_dict};
use kiln_optim_schedules::{Averaged, Optimizer, SavedSlot};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

const MODEL: &str = "model.safetensors";
const AVERAGE: &str = "average.safetensors";
const OPTIMIZER: &str = "optimizer.safetensors";
const STATE: &str = "state.json";
/// Key of the number of updates that each parameter has had, in the metadata of the optimizer's state.
const STEPS: &str = "kiln.steps";

/// A complete checkpoint on disk, its tensors not yet read.
#[derive(Debug, Clone)]
pub(crate) struct CheckpointSet {
    /// The folder.
    pub(crate) path: PathBuf,
    /// Where the run was.
    pub(crate) state: TrainState,
}

/// What a set is made of.
#[derive(Clone, Copy)]
pub(crate) struct Contents<'a> {
    pub(crate) network: &'a Network,
    /// If it has been updated.
    pub(crate) average: Option<&'a Averaged<Network>>,
    pub(crate) card: &'a ModelCard,
    pub(crate) optimizer: &'a Optimizer,
    pub(crate) state: &'a TrainState,
}

/// Writes a set under `folder` and returns its path: to a temporary folder, synced, renamed.
///
/// # Errors
/// [`Error::Checkpoint`] when anything cannot be written; nothing is left behind then.
pub(crate) fn write(folder: &Path, contents: Contents<'_>) -> Result<PathBuf, Error> {
    let name = contents.state.checkpoint_name();
    let path = folder.join(&name);
    let partial = folder.join(format!(".{name}.partial"));
    let written = write_files(&partial, contents)
        .and_then(|()| replace(&partial, &path).map_err(|error| Error::checkpoint(&path, error)));
    if let Err(error) = written {
        // The disk may be full: give its space back. The error to report is the first one.
        let _ = fs::remove_dir_all(&partial);
        return Err(error);
    }
    Ok(path)
}

fn write_files(partial: &Path, contents: Contents<'_>) -> Result<(), Error> {
    let Contents { network, average, card, optimizer, state } = contents;
    let fault = |error: &dyn std::fmt::Display| Error::checkpoint(partial, error);
    if partial.exists() {
        fs::remove_dir_all(partial).map_err(|error| fault(&error))?;
    }
    fs::create_dir_all(partial).map_err(|error| fault(&error))?;

    let average = average.map(|average| (AVERAGE, &average.network));
    for (file, network) in [(MODEL, network)].into_iter().chain(average) {
        sync_write(&partial.join(file), &model_bytes(partial, network, card)?)?;
    }

    let names = parameter_names(network);
    let slots = optimizer.save(names.iter().map(|named| (named.id, named.name.as_str())));
    let steps: BTreeMap<&str, u64> =
        slots.iter().map(|slot| (slot.parameter.as_str(), slot.step)).collect();
    let steps = serde_json::to_string(&steps).map_err(|error| fault(&error))?;
    let slots = slots.into_iter().map(|slot| {
        (format!("{}/{}", slot.parameter, slot.slot), (vec![slot.values.len()], slot.values))
    });
    sync_write(&partial.join(OPTIMIZER), &to_bytes(partial, slots, metadata(STEPS, steps))?)?;

    let state = serde_json::to_string_pretty(state).map_err(|error| fault(&error))?;
    sync_write(&partial.join(STATE), state.as_bytes())?;
    sync_folder(partial).map_err(|error| fault(&error))
}

/// A file of weights with their card.
///
/// # Errors
/// [`Error::Checkpoint`] when they cannot be encoded.
pub(crate) fn model_bytes(
    path: &Path,
    network: &Network,
    card: &ModelCard,
) -> Result<Vec<u8>, Error> {
    let card = serde_json::to_string(card).map_err(|error| Error::checkpoint(path, error))?;
    let weights = state_dict(network).into_iter();
    let weights = weights.map(|tensor| (tensor.name, (tensor.shape, tensor.values)));
    to_bytes(path, weights, metadata(CARD, card))
}

/// Metadata of one entry: equal states give equal files, which a map of several would not.
fn metadata(key: &str, text: String) -> HashMap<String, String> {
    HashMap::from([(key.to_owned(), text)])
}

/// Puts the folder in its place. One of that name is from the same step: written when somebody asked to stop before the
/// validation that a resumed run then does. It goes out of sight before it is removed, so that no half of it is ever seen.
fn replace(partial: &Path, path: &Path) -> std::io::Result<()> {
    if path.exists() {
        hide_and_remove(path)?;
    }
    fs::rename(partial, path)?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Removes a set so that one half removed is never taken for a whole one.
fn hide_and_remove(path: &Path) -> std::io::Result<()> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let hidden = path.with_file_name(format!(".{}.removed", name.unwrap_or_default()));
    if hidden.exists() {
        fs::remove_dir_all(&hidden)?;
    }
    fs::rename(path, &hidden)?;
    fs::remove_dir_all(&hidden)
}

fn sync_write(path: &Path, contents: &[u8]) -> Result<(), Error> {
    File::create(path)
        .and_then(|mut file| file.write_all(contents).and_then(|()| file.sync_all()))
        .map_err(|error| Error::checkpoint(path, error))
}

/// A rename is only on disk once its folder is. Windows cannot open folders and does not need it.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

/// The newest set under `folder`; none when there is no set yet.
///
/// # Errors
/// [`Error::Checkpoint`] when the newest set's state cannot be read.
pub(crate) fn newest(folder: &Path) -> Result<Option<CheckpointSet>, Error> {
    names(folder)?.pop().map(|name| CheckpointSet::open(&folder.join(name))).transpose()
}

/// The weights of a set: those that trained or, if they are the best, their average.
#[derive(Debug, Clone)]
pub(crate) struct Weights {
    /// The set's folder.
    pub(crate) set: PathBuf,
    /// Whether they are its average.
    pub(crate) averaged: bool,
}

impl Weights {
    /// Those of a stage that is over.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when no epoch of it is on record.
    pub(crate) fn of_stage(
        directory: &RunDirectory,
        finished: Option<&FinishedStage>,
        take: Take,
    ) -> Result<Self, Error> {
        let folder = directory.checkpoints();
        let finished =
            finished.ok_or_else(|| Error::checkpoint(&folder, "the stage is not on record"))?;
        Ok(Self::choose(&folder, take, finished.best.as_ref(), &finished.newest))
    }

    /// The best ones under `folder` if they are asked for and known, else those of the set called `newest`.
    fn choose(folder: &Path, take: Take, best: Option<&Best>, newest: &str) -> Self {
        match (take, best) {
            (Take::Best, Some(best)) => {
                Self { set: folder.join(&best.checkpoint), averaged: best.averaged }
            }
            _ => Self { set: folder.join(newest), averaged: false },
        }
    }

    /// Their file.
    pub(crate) fn file(&self) -> PathBuf {
        self.set.join(if self.averaged { AVERAGE } else { MODEL })
    }
}

/// A run's best or newest weights.
///
/// # Errors
/// [`Error::Checkpoint`] when there are none yet.
pub(crate) fn find(directory: &RunDirectory, take: Take) -> Result<Weights, Error> {
    let folder = directory.checkpoints();
    let newest = newest(&folder)?
        .ok_or_else(|| Error::checkpoint(&folder, "the run has no checkpoint yet"))?;
    Ok(Weights::choose(&folder, take, newest.state.best.as_ref(), &newest.name()))
}

impl CheckpointSet {
    /// The set in `path`.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when its state cannot be read.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let file = path.join(STATE);
        let text = fs::read_to_string(&file).map_err(|error| {
            Error::checkpoint(
                &file,
                format!("{error}; remove the checkpoint's folder to use the one before"),
            )
        })?;
        let state = serde_json::from_str(&text).map_err(|error| Error::checkpoint(&file, error))?;
        Ok(Self { path: path.to_owned(), state })
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
        // Into a copy, whose parameters are known by the same ids.
        let network = read_into(network.valid(), &self.path.join(AVERAGE))?;
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
        let bytes = fs::read(&path).map_err(|error| Error::checkpoint(&path, error))?;
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

/// The network and card of the weights.
///
/// # Errors
/// [`Error::Checkpoint`] when the file is missing or damaged.
pub(crate) fn load_model(
    weights: &Weights,
    device: &Device,
) -> Result<(Network, ModelCard), Error> {
    let path = weights.file();
    let fault = |error: &dyn std::fmt::Display| Error::checkpoint(&path, error);
    let bytes = fs::read(&path).map_err(|error| fault(&error))?;
    let TensorFile { tensors, metadata } = from_bytes(&path, &bytes)?;
    let card = metadata.get(CARD).ok_or_else(|| fault(&"no model card in the metadata"))?;
    let card: ModelCard = serde_json::from_str(card).map_err(|error| fault(&error))?;
    let network = card.model.build(card.class_names.len(), device);
    Ok((fill(network, tensors).map_err(|problem| fault(&problem))?, card))
}

/// `network` with the values of a file.
///
/// # Errors
/// [`Error::Checkpoint`] when the file is missing, damaged or of another model.
pub(crate) fn read_into(network: Network, path: &Path) -> Result<Network, Error> {
    let bytes = fs::read(path).map_err(|error| Error::checkpoint(path, error))?;
    let TensorFile { tensors, .. } = from_bytes(path, &bytes)?;
    fill(network, tensors).map_err(|problem| Error::checkpoint(path, problem))
}

/// `network` with all of the tensors, and no others, as its values.
fn fill(network: Network, mut tensors: Tensors) -> Result<Network, String> {
    let network = load_state_dict(network, |name, _| {
        let (shape, values) = tensors.remove(name)?;
        Some(NamedTensor { name: name.to_owned(), shape, values })
    })
    .map_err(|error| error.to_string())?;
    match tensors.keys().min() {
        Some(stray) => Err(format!("`{stray}` does not fit the model")),
        None => Ok(network),
    }
}

/// Removes all sets but the newest `keep` and those that are `needed`.
///
/// # Errors
/// [`Error::Checkpoint`] when one cannot be removed.
pub(crate) fn prune<'a>(
    folder: &Path,
    keep: usize,
    needed: impl Iterator<Item = &'a str>,
) -> Result<(), Error> {
    let needed: HashSet<&str> = needed.collect();
    let names = names(folder)?;
    let old = names.len().saturating_sub(keep);
    for name in names[..old].iter().filter(|name| !needed.contains(name.as_str())) {
        let path = folder.join(name);
        hide_and_remove(&path).map_err(|error| Error::checkpoint(&path, error))?;
    }
    Ok(())
}

/// Names of the complete sets, oldest first: they sort as their stages and steps do.
fn names(folder: &Path) -> Result<Vec<String>, Error> {
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
        if is_set && name.starts_with("stage") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
