//! Up and down again and again.

use super::catalog::{Rates, Schedule};
use super::checks::check_momenta;
use crate::error::{Error, check};
use crate::span::{Span, Timeline};
use serde::{Deserialize, Serialize};

/// How the peaks change from cycle to cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CyclicMode {
    /// They stay.
    #[default]
    Triangular,
    /// Each is half as high above the base as the last.
    Triangular2,
    /// They fall by `gamma` with each step.
    ExpRange,
}

/// Straight up from `base_lr` to `max_lr` and down, over and over (Smith, "Cyclical Learning Rates", 2015), with momentum
/// the other way round.
///
/// # Formula
/// `lr(step) = base_lr + (max_lr - base_lr) * height * scale`: `height` rises from 0 to 1 over `step_size_up` and falls
/// back over `step_size_down`; `scale` is 1, `1 / 2 ^ cycle` or `gamma ^ step`.
///
/// # Parity
/// `torch.optim.lr_scheduler.CyclicLR`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cyclic {
    /// The lowest learning rate, at least 0.
    pub base_lr: f64,
    /// The highest, at least the lowest.
    pub max_lr: f64,
    /// From the lowest to the highest.
    pub step_size_up: Span,
    /// Back again; absent: as long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_size_down: Option<Span>,
    /// How the peaks change.
    #[serde(default)]
    pub mode: CyclicMode,
    /// The factor of each step in mode `exp_range`, above 0 and at most 1.
    #[serde(default = "one")]
    pub gamma: f64,
    /// Whether momentum (SGD) or the first beta (Adam) moves the other way round.
    #[serde(default = "yes")]
    pub cycle_momentum: bool,
    /// Momentum at the highest rate.
    #[serde(default = "base_momentum")]
    pub base_momentum: f64,
    /// Momentum at the lowest rate.
    #[serde(default = "max_momentum")]
    pub max_momentum: f64,
}

fn one() -> f64 {
    1.0
}

fn yes() -> bool {
    true
}

fn base_momentum() -> f64 {
    0.8
}

fn max_momentum() -> f64 {
    0.9
}

#[derive(Debug)]
struct Resolved {
    spec: Cyclic,
    up: u64,
    cycle: u64,
}

impl Cyclic {
    pub(super) fn build(&self, timeline: Timeline) -> Result<Box<dyn Schedule>, Error> {
        let Self { base_lr, max_lr, gamma, .. } = *self;
        check(base_lr >= 0.0 && base_lr.is_finite(), "base_lr", "at least 0", base_lr)?;
        check(max_lr >= base_lr && max_lr.is_finite(), "max_lr", "at least base_lr", max_lr)?;
        check(gamma > 0.0 && gamma <= 1.0, "gamma", "above 0 and at most 1", gamma)?;
        check_momenta(self.base_momentum, self.max_momentum)?;
        let up = self.step_size_up.steps(timeline)?;
        check(up > 0, "step_size_up", "at least one step", up)?;
        let down = self.step_size_down.map_or(Ok(up), |down| down.steps(timeline))?;
        check(down > 0, "step_size_down", "at least one step", down)?;
        Ok(Box::new(Resolved { spec: self.clone(), up, cycle: up + down }))
    }
}

impl Schedule for Resolved {
    fn at(&self, step: u64) -> Rates {
        let (cycle, within) = (step / self.cycle, step % self.cycle);
        let height = if within <= self.up {
            within as f64 / self.up as f64
        } else {
            (self.cycle - within) as f64 / (self.cycle - self.up) as f64
        };
        let scale = match self.spec.mode {
            CyclicMode::Triangular => 1.0,
            CyclicMode::Triangular2 => 0.5_f64.powf(cycle as f64),
            CyclicMode::ExpRange => self.spec.gamma.powf(step as f64),
        };
        let Cyclic { base_lr, max_lr, base_momentum, max_momentum, .. } = self.spec;
        let height = height * scale;
        let momentum = max_momentum - (max_momentum - base_momentum) * height;
        Rates {
            lr: base_lr + (max_lr - base_lr) * height,
            momentum: self.spec.cycle_momentum.then_some(momentum),
        }
    }
}
