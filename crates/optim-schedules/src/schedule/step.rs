//! Down in equal steps, or at chosen places.

use super::catalog::{Rates, Schedule};
use super::checks::{check_gamma, check_rate};
use crate::error::{Error, check};
use crate::span::{Span, Timeline};
use serde::{Deserialize, Serialize};

/// Falls by the factor `gamma` every `step_size`.
///
/// # Formula
/// `lr(step) = lr * gamma ^ floor(step / step_size)`
///
/// # Parity
/// `torch.optim.lr_scheduler.StepLR`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The first learning rate, at least 0.
    pub lr: f64,
    /// From one fall to the next.
    pub step_size: Span,
    /// What remains after a fall, above 0.
    #[serde(default = "tenth")]
    pub gamma: f64,
}

/// Falls by the factor `gamma` at each of the `milestones`.
///
/// # Formula
/// `lr(step) = lr * gamma ^ (number of milestones that are not after step)`
///
/// # Parity
/// `torch.optim.lr_scheduler.MultiStepLR`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MultiStep {
    /// The first learning rate, at least 0.
    pub lr: f64,
    /// When it falls, in rising order and before the stage's end.
    pub milestones: Vec<Span>,
    /// What remains after a fall, above 0.
    #[serde(default = "tenth")]
    pub gamma: f64,
}

/// PyTorch's default.
fn tenth() -> f64 {
    0.1
}

#[derive(Debug)]
struct EqualSteps {
    lr: f64,
    step_size: u64,
    gamma: f64,
}

#[derive(Debug)]
struct ChosenSteps {
    lr: f64,
    milestones: Vec<u64>,
    gamma: f64,
}

impl Step {
    pub(super) fn build(&self, timeline: Timeline) -> Result<Box<dyn Schedule>, Error> {
        check_rate(self.lr)?;
        check_gamma(self.gamma)?;
        let step_size = self.step_size.steps(timeline)?;
        check(step_size > 0, "step_size", "at least one step", step_size)?;
        Ok(Box::new(EqualSteps { lr: self.lr, step_size, gamma: self.gamma }))
    }
}

impl MultiStep {
    pub(super) fn build(&self, timeline: Timeline) -> Result<Box<dyn Schedule>, Error> {
        check_rate(self.lr)?;
        check_gamma(self.gamma)?;
        let milestones: Vec<u64> =
            self.milestones.iter().map(|at| at.steps(timeline)).collect::<Result<_, _>>()?;
        let rising = milestones.is_sorted_by(|a, b| a < b);
        check(rising, "milestones", "in rising order", format_args!("steps {milestones:?}"))?;
        let last = milestones.last().copied().unwrap_or(0);
        let found = format_args!("step {last} of {}", timeline.total_steps);
        check(last < timeline.total_steps, "milestones", "before the stage's end", found)?;
        Ok(Box::new(ChosenSteps { lr: self.lr, milestones, gamma: self.gamma }))
    }
}

impl Schedule for EqualSteps {
    fn at(&self, step: u64) -> Rates {
        let falls = (step / self.step_size) as f64;
        Rates { lr: self.lr * self.gamma.powf(falls), momentum: None }
    }
}

impl Schedule for ChosenSteps {
    fn at(&self, step: u64) -> Rates {
        let falls = self.milestones.partition_point(|&milestone| milestone <= step) as f64;
        Rates { lr: self.lr * self.gamma.powf(falls), momentum: None }
    }
}
