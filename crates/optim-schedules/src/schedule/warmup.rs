//! A slow beginning before another schedule.

use super::catalog::{Rates, Schedule};
use crate::error::{Error, check};
use crate::span::{Span, Timeline};
use serde::{Deserialize, Serialize};

/// The `warmup` of a stage: lower rates before the schedule that follows, which then runs over the rest of the stage.
///
/// # Formula
/// `lr(step) = next(0) * factor(step)` for `step < steps`, then `next(step - steps)`. The factor rises straight,
/// `start_factor + (1 - start_factor) * step / steps`, or is `start_factor` throughout.
///
/// # Parity
/// `torch.optim.lr_scheduler.SequentialLR` of `LinearLR` or `ConstantLR` and the next scheduler.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warmup {
    /// How long it takes.
    pub span: Span,
    /// The first step's rate as a part of the full one, above 0 and at most 1.
    #[serde(default = "third")]
    pub start_factor: f64,
    /// How it rises.
    #[serde(default)]
    pub curve: WarmupCurve,
}

/// How the rates of a [`Warmup`] rise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarmupCurve {
    /// A straight line.
    #[default]
    Linear,
    /// Level, and a jump at the end.
    Constant,
}

/// PyTorch's default for `LinearLR` and `ConstantLR`.
fn third() -> f64 {
    1.0 / 3.0
}

#[derive(Debug)]
struct Resolved {
    steps: u64,
    start_factor: f64,
    curve: WarmupCurve,
    next: Box<dyn Schedule>,
}

impl Warmup {
    /// What it leaves of the stage, for the schedule that follows.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] when it takes the whole stage.
    pub fn rest(&self, timeline: Timeline) -> Result<Timeline, Error> {
        let steps = self.span.steps(timeline)?;
        let total = timeline.total_steps;
        let found = format_args!("{steps} of {total} steps");
        check(steps < total, "span", "shorter than the stage", found)?;
        Ok(Timeline { total_steps: total - steps, ..timeline })
    }

    /// The warm-up followed by `next`, which is built for the [`rest`](Self::rest).
    ///
    /// # Errors
    /// [`Error::OutOfRange`] naming the setting.
    pub fn before(
        &self,
        next: Box<dyn Schedule>,
        timeline: Timeline,
    ) -> Result<Box<dyn Schedule>, Error> {
        let start_factor = self.start_factor;
        let valid = start_factor > 0.0 && start_factor <= 1.0;
        check(valid, "start_factor", "above 0 and at most 1", start_factor)?;
        let steps = timeline.total_steps - self.rest(timeline)?.total_steps;
        Ok(Box::new(Resolved { steps, start_factor, curve: self.curve, next }))
    }
}

impl Schedule for Resolved {
    fn at(&self, step: u64) -> Rates {
        if step >= self.steps {
            return self.next.at(step - self.steps);
        }
        let risen = match self.curve {
            WarmupCurve::Linear => step as f64 / self.steps as f64,
            WarmupCurve::Constant => 0.0,
        };
        let Rates { lr, momentum } = self.next.at(0);
        Rates { lr: lr * (self.start_factor + (1.0 - self.start_factor) * risen), momentum }
    }
}
