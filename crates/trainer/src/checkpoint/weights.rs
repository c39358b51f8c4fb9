//! The weights of a set as a network, and a network as a file.

use super::set::{CheckpointSet, newest_state};
use super::snapshot::{AVERAGE, MODEL};
use super::state::{FinishedStage, TrainState};
use super::sums::Sums;
use super::tensors::{Stored, TensorFile, Tensors, from_bytes, to_bytes};
use crate::card::ModelCard;
use crate::early_stopping::Best;
use crate::error::Error;
use crate::run_directory::RunDirectory;
use crate::weights::{CARD, Take};
use burn::tensor::Device;
use kiln_models::{NamedTensor, Network, load_state_dict, state_dict};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

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

    /// The best ones of a run whose stages up to that of `state` are over.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when there is no such stage.
    pub(crate) fn of_run(folder: &Path, state: &TrainState) -> Result<Self, Error> {
        let last = state.finished.last();
        let last = last.ok_or_else(|| Error::checkpoint(folder, "no stage is over"))?;
        Ok(Self::choose(folder, Take::Best, state.best.as_ref(), &last.newest))
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

    fn name(&self) -> &'static str {
        if self.averaged { AVERAGE } else { MODEL }
    }

    /// Their file.
    pub(crate) fn file(&self) -> PathBuf {
        self.set.join(self.name())
    }

    /// The file's contents, checked.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when it is missing or damaged.
    pub(crate) fn read(&self) -> Result<Vec<u8>, Error> {
        Sums::of_set(&self.set)?.read(&self.set, self.name())
    }
}

/// A run's best or newest weights.
///
/// # Errors
/// [`Error::Checkpoint`] when there are none yet.
pub(crate) fn find(directory: &RunDirectory, take: Take) -> Result<Weights, Error> {
    let folder = directory.checkpoints();
    let CheckpointSet { path, state } = newest_state(&folder)?
        .ok_or_else(|| Error::checkpoint(&folder, "the run has no checkpoint yet"))?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(Weights::choose(&folder, take, state.best.as_ref(), &name.unwrap_or_default()))
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
    let TensorFile { tensors, metadata } = from_bytes(&path, &weights.read()?)?;
    let card = metadata.get(CARD).ok_or_else(|| fault(&"no model card in the metadata"))?;
    let card: ModelCard = serde_json::from_str(card).map_err(|error| fault(&error))?;
    let network = card.model.build(card.class_names.len(), device);
    Ok((fill(network, tensors).map_err(|problem| fault(&problem))?, card))
}

/// `network` with the values of a file, whose contents are `bytes`.
///
/// # Errors
/// [`Error::Checkpoint`] when they are damaged or of another model.
pub(crate) fn read_into(network: Network, path: &Path, bytes: &[u8]) -> Result<Network, Error> {
    let TensorFile { tensors, .. } = from_bytes(path, bytes)?;
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

/// A file of weights with their card.
///
/// # Errors
/// [`Error::Checkpoint`] when they cannot be encoded.
pub(crate) fn model_bytes(
    path: &Path,
    network: &Network,
    card: &ModelCard,
) -> Result<Vec<u8>, Error> {
    model_file(path, state_dict(network), card)
}

/// The same for weights that are copied already.
pub(super) fn model_file(
    path: &Path,
    weights: Vec<NamedTensor>,
    card: &ModelCard,
) -> Result<Vec<u8>, Error> {
    let card = serde_json::to_string(card).map_err(|error| Error::checkpoint(path, error))?;
    let weights = weights
        .into_iter()
        .map(|tensor| -> (String, Stored) { (tensor.name, (tensor.shape, tensor.values)) });
    to_bytes(path, weights, metadata(CARD, card))
}

/// Metadata of one entry: equal states give equal files, which a map of several would not.
pub(super) fn metadata(key: &str, text: String) -> HashMap<String, String> {
    HashMap::from([(key.to_owned(), text)])
}
