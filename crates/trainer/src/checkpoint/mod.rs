//! Checkpoints: complete sets or nothing.
//!
//! A set is a folder `stage-epoch-step` with `model.safetensors` (torchvision's names, the [`crate::ModelCard`] in its
//! metadata), `optimizer.safetensors`, `state.json`, where a stage averages weights `average.safetensors`, the run's
//! `config.toml`, `origin.json` (format, experiment, fingerprints of the pictures) and `SHA256SUMS` over all of them.
//! A [`Snapshot`] is taken between two steps; a [`Writer`] writes it beside the training: to a hidden folder, synced and
//! renamed. What is read is checked against `SHA256SUMS` first.

mod set;
mod snapshot;
mod state;
mod sums;
mod tensors;
mod weights;
mod write;
mod writer;

pub(crate) use set::{CheckpointSet, Newest, newest, step_back};
pub(crate) use snapshot::{Contents, Origin, Snapshot};
pub(crate) use state::{TrainState, TrainingRanks, UnloggedSteps};
pub(crate) use sums::sha256;
pub(crate) use tensors::{from_bytes as tensors_from_bytes, to_bytes as tensors_to_bytes};
pub(crate) use weights::{Weights, find, load_model, model_bytes, read_into};
pub(crate) use write::{clean, sync_folder};
pub(crate) use writer::{Keep, Writer};
