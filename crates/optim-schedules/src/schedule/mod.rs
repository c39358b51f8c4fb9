//! Learning rates (and momenta) as pure functions of the step; only a [`Plateau`] also goes by what was measured.

mod catalog;
mod checks;
mod constant;
mod cosine_annealing;
mod cosine_warm_restarts;
mod cyclic;
mod exponential;
mod flat_then_decay;
mod one_cycle;
mod piecewise;
mod plateau;
mod polynomial;
mod sequence;
mod step;
mod warmup;

pub use catalog::{Rates, Schedule, ScheduleSpec};
pub use constant::Constant;
pub use cosine_annealing::CosineAnnealing;
pub use cosine_warm_restarts::CosineWarmRestarts;
pub use cyclic::{Cyclic, CyclicMode};
pub use exponential::Exponential;
pub use flat_then_decay::{Decay, FlatCosine, WarmupStableDecay};
pub use one_cycle::{Anneal, OneCycle};
pub use piecewise::{Piecewise, Point};
pub use plateau::{Plateau, PlateauMode, PlateauState, ThresholdMode};
pub use polynomial::Polynomial;
pub use sequence::{Part, Sequence};
pub use step::{MultiStep, Step};
pub use warmup::{Warmup, WarmupCurve};
