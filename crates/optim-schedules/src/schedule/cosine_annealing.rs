//! Down along half a cosine.

use super::catalog::{Rates, Schedule};
use super::checks::{check_eta_min, check_rate};
use crate::error::{Error, check};
use crate::span::{Span, Timeline};
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// From `lr` to `eta_min` along half a cosine (Loshchilov and Hutter, "SGDR", 2016, without restarts).
///
/// # Formula
/// `lr(step) = eta_min + (lr - eta_min) * (1 + cos(pi * step / t_max)) / 2`, also beyond `t_max`, where it rises again.
///
/// # Parity
/// `torch.optim.lr_scheduler.CosineAnnealingLR` stepped once for each optimizer step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosineAnnealing {
    /// The first learning rate, at least 0.
    pub lr: f64,
    /// When the lowest rate is reached.
    #[serde(default = "Span::whole_stage")]
    pub t_max: Span,
    /// The lowest learning rate, at least 0.
    #[serde(default)]
    pub eta_min: f64,
}

#[derive(Debug)]
struct Resolved {
    lr: f64,
    t_max: u64,
    eta_min: f64,
}

impl CosineAnnealing {
    pub(super) fn build(&self, timeline: Timeline) -> Result<Box<dyn Schedule>, Error> {
        check_rate(self.lr)?;
        check_eta_min(self.eta_min)?;
        let t_max = self.t_max.steps(timeline)?;
        check(t_max > 0, "t_max", "at least one step", t_max)?;
        Ok(Box::new(Resolved { lr: self.lr, t_max, eta_min: self.eta_min }))
    }
}

impl Schedule for Resolved {
    fn at(&self, step: u64) -> Rates {
        Rates { lr: annealed(self.lr, self.eta_min, step, self.t_max), momentum: None }
    }
}

/// The rate `step` steps down a half cosine of `length` steps.
pub(super) fn annealed(lr: f64, eta_min: f64, step: u64, length: u64) -> f64 {
    let cosine = (PI * step as f64 / length as f64).cos();
    eta_min + (lr - eta_min) * (1.0 + cosine) / 2.0
}
