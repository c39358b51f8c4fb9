//! Cosines that begin anew.

use super::catalog::{Rates, Schedule};
use super::checks::{check_eta_min, check_rate};
use super::cosine_annealing::annealed;
use crate::error::{Error, check};
use crate::span::{Span, Timeline};
use serde::{Deserialize, Serialize};

/// Half cosines from `lr` to `eta_min` one after the other, each `t_mult` times as long as the one before (Loshchilov
/// and Hutter, "SGDR", 2016).
///
/// # Formula
/// `lr(step) = eta_min + (lr - eta_min) * (1 + cos(pi * part)) / 2`, `part` being the passed part of the current cosine.
///
/// # Parity
/// `torch.optim.lr_scheduler.CosineAnnealingWarmRestarts`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosineWarmRestarts {
    /// The learning rate at each start, at least 0.
    pub lr: f64,
    /// Length of the first cosine.
    pub t_0: Span,
    /// By how much each cosine is longer than the last, at least 1.
    #[serde(default = "one")]
    pub t_mult: u64,
    /// The lowest learning rate, at least 0.
    #[serde(default)]
    pub eta_min: f64,
}

fn one() -> u64 {
    1
}

#[derive(Debug)]
struct Resolved {
    lr: f64,
    t_0: u64,
    t_mult: u64,
    eta_min: f64,
}

impl CosineWarmRestarts {
    pub(super) fn build(&self, timeline: Timeline) -> Result<Box<dyn Schedule>, Error> {
        let Self { lr, t_0, t_mult, eta_min } = *self;
        check_rate(lr)?;
        check_eta_min(eta_min)?;
        check(t_mult > 0, "t_mult", "at least 1", t_mult)?;
        let t_0 = t_0.steps(timeline)?;
        check(t_0 > 0, "t_0", "at least one step", t_0)?;
        Ok(Box::new(Resolved { lr, t_0, t_mult, eta_min }))
    }
}

impl Schedule for Resolved {
    fn at(&self, step: u64) -> Rates {
        let (mut since, mut length) = (step, self.t_0);
        if self.t_mult == 1 {
            since %= length;
        }
        while since >= length {
            since -= length;
            length = length.saturating_mul(self.t_mult);
        }
        Rates { lr: annealed(self.lr, self.eta_min, since, length), momentum: None }
    }
}
