//! Down by the same factor again and again.

use super::catalog::{Rates, Schedule};
use super::checks::{check_gamma, check_rate};
use crate::error::{Error, check};
use crate::span::{Span, Timeline};
use serde::{Deserialize, Serialize};

/// Falls by the factor `gamma` for each `every`, evenly in between.
///
/// # Formula
/// `lr(step) = lr * gamma ^ (step / every)`
///
/// # Parity
/// `torch.optim.lr_scheduler.ExponentialLR` stepped once for each `every`, at whose multiples both agree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exponential {
    /// The first learning rate, at least 0.
    pub lr: f64,
    /// What remains after each `every`, above 0.
    pub gamma: f64,
    /// How long a fall by `gamma` takes.
    #[serde(default = "epoch")]
    pub every: Span,
}

fn epoch() -> Span {
    Span::Epochs(1.0)
}

#[derive(Debug)]
struct Resolved {
    lr: f64,
    gamma: f64,
    every: u64,
}

impl Exponential {
    pub(super) fn build(&self, timeline: Timeline) -> Result<Box<dyn Schedule>, Error> {
        check_rate(self.lr)?;
        check_gamma(self.gamma)?;
        let every = self.every.steps(timeline)?;
        check(every > 0, "every", "at least one step", every)?;
        Ok(Box::new(Resolved { lr: self.lr, gamma: self.gamma, every }))
    }
}

impl Schedule for Resolved {
    fn at(&self, step: u64) -> Rates {
        let falls = step as f64 / self.every as f64;
        Rates { lr: self.lr * self.gamma.powf(falls), momentum: None }
    }
}
