//! Averages of weights over training: what follows them, and when.

mod averaged;
mod spec;

pub use averaged::{Averaged, Pace};
pub use spec::{AverageSpec, Ema, Swa};
