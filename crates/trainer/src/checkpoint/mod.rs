//! Checkpoints: complete sets or nothing.
//!
//! A set is a folder `stage-step` with `model.safetensors` (torchvision's names, the [`crate::ModelCard`] in its
//! metadata), `optimizer.safetensors`, `state.json` and, where a stage averages weights,
//! `average.safetensors`. It is written to a temporary folder, synced and renamed.

mod set;
mod state;
mod tensors;

pub(crate) use set::{
    CheckpointSet, Contents, Weights, find, load_model, model_bytes, newest, prune, read_into,
    write,
};
pub(crate) use state::TrainState;
