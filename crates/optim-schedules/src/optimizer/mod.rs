//! Update rules and the optimizer that applies them to a model.

mod adam;
mod catalog;
mod sgd;
mod update;

pub use adam::{Adam, AdamW};
pub use catalog::OptimizerSpec;
pub use sgd::Sgd;
pub use update::{Optimizer, ParameterGroup, SavedSlot, Update, UpdateRule};
