//! Up and down once.

use super::catalog::{Rates, Schedule};
use super::checks::check_momenta;
use crate::error::{Error, check};
use crate::span::Timeline;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// The curve between two rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anneal {
    /// Half a cosine.
    #[default]
    Cos,
    /// A straight line.
    Linear,
}

impl Anneal {
    fn between(self, start: f64, end: f64, part: f64) -> f64 {
        match self {
            Self::Cos => end + (start - end) / 2.0 * (1.0 + (PI * part).cos()),
            Self::Linear => start + (end - start) * part,
        }
    }
}

/// Rises to `max_lr` and falls far below the start, with momentum (SGD) or the first beta (Adam) the other way round
/// (Smith and Topin, "Super-Convergence", 2017).
///
/// # Formula
/// From `max_lr / div_factor` to `max_lr` over the first `pct_start` of the steps, then to
/// `max_lr / div_factor / final_div_factor`, along `anneal`. With `three_phase`, down to the start over another
/// `pct_start`, then to the end.
///
/// # Parity
/// `torch.optim.lr_scheduler.OneCycleLR` with the stage's number of steps, defaults included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OneCycle {
    /// The highest learning rate, above 0.
    #[serde(default = "unset")]
    pub max_lr: f64,
    /// Part of the steps spent rising, from 0 to 1.
    pub pct_start: f64,
    /// The curve.
    pub anneal: Anneal,
    /// `max_lr` over the first rate.
    pub div_factor: f64,
    /// The first rate over the last.
    pub final_div_factor: f64,
    /// Whether momentum moves the other way round.
    pub cycle_momentum: bool,
    /// Momentum at the highest rate.
    pub base_momentum: f64,
    /// Momentum at the ends.
    pub max_momentum: f64,
    /// Whether the fall has two parts.
    pub three_phase: bool,
}

/// `max_lr` has no default: `build` refuses this value.
fn unset() -> f64 {
    f64::NAN
}

impl Default for OneCycle {
    fn default() -> Self {
        Self {
            max_lr: unset(),
            pct_start: 0.3,
            anneal: Anneal::Cos,
            div_factor: 25.0,
            final_div_factor: 1e4,
            cycle_momentum: true,
            base_momentum: 0.85,
            max_momentum: 0.95,
            three_phase: false,
        }
    }
}

/// One leg of the cycle.
#[derive(Debug)]
struct Leg {
    end_step: f64,
    lr: (f64, f64),
    momentum: (f64, f64),
}

#[derive(Debug)]
struct Resolved {
    legs: Vec<Leg>,
    last_step: u64,
    anneal: Anneal,
    cycle_momentum: bool,
}

impl OneCycle {
    pub(super) fn build(&self, timeline: Timeline) -> Result<Box<dyn Schedule>, Error> {
        let positive = |value: f64| value > 0.0 && value.is_finite();
        check(positive(self.max_lr), "max_lr", "given and above 0", self.max_lr)?;
        let pct = self.pct_start;
        check((0.0..=1.0).contains(&pct), "pct_start", "from 0 to 1", pct)?;
        check(positive(self.div_factor), "div_factor", "above 0", self.div_factor)?;
        check(
            positive(self.final_div_factor),
            "final_div_factor",
            "above 0",
            self.final_div_factor,
        )?;
        check_momenta(self.base_momentum, self.max_momentum)?;
        check(timeline.total_steps > 0, "run_for", "at least one step", timeline.total_steps)?;

        let total = timeline.total_steps as f64;
        let (first, top) = (self.max_lr / self.div_factor, self.max_lr);
        let last = first / self.final_div_factor;
        let (low, high) = (self.base_momentum, self.max_momentum);
        let leg = |end_step, lr, momentum| Leg { end_step, lr, momentum };
        let mut legs = vec![leg(pct * total - 1.0, (first, top), (high, low))];
        if self.three_phase {
            legs.push(leg(2.0 * pct * total - 2.0, (top, first), (low, high)));
            legs.push(leg(total - 1.0, (first, last), (high, high)));
        } else {
            legs.push(leg(total - 1.0, (top, last), (low, high)));
        }
        Ok(Box::new(Resolved {
            legs,
            last_step: timeline.total_steps - 1,
            anneal: self.anneal,
            cycle_momentum: self.cycle_momentum,
        }))
    }
}

impl Schedule for Resolved {
    fn at(&self, step: u64) -> Rates {
        let step = step.min(self.last_step) as f64;
        let mut start = 0.0;
        let mut rates = (0.0, 0.0);
        for leg in &self.legs {
            let length = leg.end_step - start;
            let part = if length > 0.0 { (step - start) / length } else { 1.0 };
            rates = (
                self.anneal.between(leg.lr.0, leg.lr.1, part),
                self.anneal.between(leg.momentum.0, leg.momentum.1, part),
            );
            if step <= leg.end_step {
                break;
            }
            start = leg.end_step;
        }
        Rates { lr: rates.0, momentum: self.cycle_momentum.then_some(rates.1) }
    }
}
