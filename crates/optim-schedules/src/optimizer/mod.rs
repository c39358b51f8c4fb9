//! Update rules and the optimizer that applies them to a model.

mod adam;
mod catalog;
mod lamb;
mod lion;
mod muon;
mod rms_prop;
mod sgd;
mod update;

pub use adam::{Adam, AdamW};
pub use catalog::OptimizerSpec;
pub use lamb::Lamb;
pub use lion::Lion;
pub use muon::{AdjustLr, Muon, MuonRest};
pub use rms_prop::{RmsProp, RmsPropTf};
pub use sgd::Sgd;
pub use update::{Optimizer, ParameterGroup, SavedSlot, Update, UpdateRule};
