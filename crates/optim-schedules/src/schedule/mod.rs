//! Learning rates (and momenta) as pure functions of the step.

mod catalog;
mod constant;
mod cosine_annealing;
mod linear_warmup;
mod one_cycle;

pub use catalog::{Rates, Schedule, ScheduleSpec};
pub use constant::Constant;
pub use cosine_annealing::CosineAnnealing;
pub use linear_warmup::LinearWarmup;
pub use one_cycle::{Anneal, OneCycle};
