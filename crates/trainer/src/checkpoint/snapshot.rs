//! What a set is made of, copied between two steps, so that training can go on while it is written.

use super::state::TrainState;
use super::tensors::{Stored, to_bytes};
use super::weights::{metadata, model_file};
use crate::card::ModelCard;
use crate::error::Error;
use crate::run_directory::RunIdentity;
use kiln_models::{NamedTensor, Network, parameter_names, state_dict};
use kiln_optim_schedules::{Averaged, Optimizer, SavedSlot};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

pub(super) const MODEL: &str = "model.safetensors";
pub(super) const AVERAGE: &str = "average.safetensors";
pub(super) const OPTIMIZER: &str = "optimizer.safetensors";
pub(super) const STATE: &str = "state.json";
pub(super) const CONFIG: &str = "config.toml";
pub(super) const ORIGIN: &str = "origin.json";
/// Key of the number of updates that each parameter has had, in the metadata of the optimizer's state.
pub(super) const STEPS: &str = "kiln.steps";

/// Whose set it is.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// The run's.
    pub(crate) identity: RunIdentity,
    /// The resolved configuration, as TOML.
    pub(crate) config: String,
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

/// A copy of it.
pub(crate) struct Snapshot {
    model: Vec<NamedTensor>,
    average: Option<Vec<NamedTensor>>,
    card: ModelCard,
    slots: Vec<SavedSlot>,
    pub(super) state: TrainState,
    origin: Arc<Origin>,
}

impl Snapshot {
    /// Copies the tensors to this machine's memory.
    pub(crate) fn take(contents: Contents<'_>, origin: &Arc<Origin>) -> Self {
        let Contents { network, average, card, optimizer, state } = contents;
        let names = parameter_names(network);
        Self {
            model: state_dict(network),
            average: average.map(|average| state_dict(&average.network)),
            card: card.clone(),
            slots: optimizer.save(names.iter().map(|named| (named.id, named.name.as_str()))),
            state: state.clone(),
            origin: origin.clone(),
        }
    }

    /// Hands the files over one by one, so that only one is in memory twice. `place` is named in errors.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when one cannot be encoded, and those of `write`.
    pub(super) fn encode(
        self,
        place: &Path,
        mut write: impl FnMut(&'static str, &[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Self { model, average, card, slots, state, origin } = self;
        let fault = |error: serde_json::Error| Error::checkpoint(place, error);
        write(MODEL, &model_file(place, model, &card)?)?;
        if let Some(average) = average {
            write(AVERAGE, &model_file(place, average, &card)?)?;
        }
        let steps: BTreeMap<&str, u64> =
            slots.iter().map(|slot| (slot.parameter.as_str(), slot.step)).collect();
        let steps = metadata(STEPS, serde_json::to_string(&steps).map_err(fault)?);
        let slots = slots.into_iter().map(|slot| -> (String, Stored) {
            let shape = vec![slot.values.len()];
            (format!("{}/{}", slot.parameter, slot.slot), (shape, slot.values))
        });
        write(OPTIMIZER, &to_bytes(place, slots, steps)?)?;
        write(STATE, serde_json::to_string_pretty(&state).map_err(fault)?.as_bytes())?;
        write(CONFIG, origin.config.as_bytes())?;
        write(ORIGIN, serde_json::to_string_pretty(&origin.identity).map_err(fault)?.as_bytes())
    }
}
