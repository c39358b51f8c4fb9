//! Down to zero along a power.

use super::catalog::{Rates, Schedule};
use super::checks::check_rate;
use crate::error::{Error, check};
use crate::span::{Span, Timeline};
use serde::{Deserialize, Serialize};

/// Falls to 0 along a power of what is left; a straight line by default.
///
/// # Formula
/// `lr(step) = lr * (1 - min(step, over) / over) ^ power`
///
/// # Parity
/// `torch.optim.lr_scheduler.PolynomialLR`, `over` being its `total_iters`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Polynomial {
    /// The first learning rate, at least 0.
    pub lr: f64,
    /// The exponent, above 0.
    #[serde(default = "one")]
    pub power: f64,
    /// How long the fall takes.
    #[serde(default = "Span::whole_stage")]
    pub over: Span,
}

fn one() -> f64 {
    1.0
}

#[derive(Debug)]
struct Resolved {
    lr: f64,
    power: f64,
    over: u64,
}

impl Polynomial {
    pub(super) fn build(&self, timeline: Timeline) -> Result<Box<dyn Schedule>, Error> {
        check_rate(self.lr)?;
        check(self.power > 0.0 && self.power.is_finite(), "power", "above 0", self.power)?;
        let over = self.over.steps(timeline)?;
        check(over > 0, "over", "at least one step", over)?;
        Ok(Box::new(Resolved { lr: self.lr, power: self.power, over }))
    }
}

impl Schedule for Resolved {
    fn at(&self, step: u64) -> Rates {
        let left = 1.0 - step.min(self.over) as f64 / self.over as f64;
        Rates { lr: self.lr * left.powf(self.power), momentum: None }
    }
}
