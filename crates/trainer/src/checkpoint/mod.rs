//! Checkpoints: complete sets or nothing.
//!
//! A set is a folder `stage-step` with `model.safetensors` (torchvision's names, the [`crate::ModelCard`] in its
//! metadata), `optimizer.safetensors` and `state.json`. It is written to a temporary folder, synced and renamed.

mod set;
mod state;
mod tensors;

pub(crate) use set::{CheckpointSet, find, load_model, model_file, newest, prune, write};
pub(crate) use state::TrainState;
