//! Class activation maps: which parts of a picture speak for a class.

mod activations;
mod color;
mod eigen;
mod explanation;
mod heat_map;
mod method;
mod overlay;
mod perturbation;
mod trust;

pub use activations::{Activations, Explainer};
pub use explanation::{Explanation, explain};
pub use heat_map::HeatMap;
pub use method::CamMethod;
pub use overlay::{overlay, panel};
pub use trust::{Trust, trust};
