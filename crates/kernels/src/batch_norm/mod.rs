//! Batch normalisation in training, with an optional sum and activation behind it, in one operation.
//!
//! Forward: `y = f(z)`, `z = gamma * (x - mean) / sqrt(var + eps) + beta + residual` with the batch's mean and biased
//! variance of each channel (Ioffe and Szegedy, 2015); the activation `f` and the residual may be missing.
//! Backward, with `d = f'(z) * dy`, `x^ = (x - mean) / sqrt(var + eps)` and means over the batch:
//! `dbeta = sum(d)`, `dgamma = sum(d * x^)`, `dx = gamma / sqrt(var + eps) * (d - mean(d) - x^ * mean(d * x^))`,
//! `dresidual = d`.
//!
//! Cost: forward reads `x` twice (statistics, then result) and writes `y`; backward reads `x` and `dy` twice and writes
//! `dx`. Both passes of it compute `z` anew, for memory is slower than that. Separate operations make about ten passes.
//!
//! Sums are taken over blocks of rows that the shape alone decides, and blocks are added in order in f64: the results
//! do not depend on the number of threads.

mod gradient;
mod norm;
mod statistics;
mod sums;
mod sync;

pub(crate) use norm::Norm;
pub(crate) use statistics::{Statistics, statistics};
pub use sync::SyncNorm;
