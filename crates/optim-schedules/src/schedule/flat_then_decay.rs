//! Level, and down at the end.

use super::catalog::{Rates, Schedule};
use super::checks::{check_eta_min, check_rate};
use crate::error::{Error, check};
use crate::span::{Span, Timeline};
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// Stays at `lr`, then falls along half a cosine (fastai's `fit_flat_cos`).
///
/// # Formula
/// `lr` before `flat`; then `eta_min + (lr - eta_min) * (1 + cos(pi * part)) / 2`, `part` being the passed part of the
/// rest.
///
/// # Parity
/// `torch.optim.lr_scheduler.SequentialLR` of `ConstantLR` and `CosineAnnealingLR`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlatCosine {
    /// The first learning rate, at least 0.
    pub lr: f64,
    /// How long it stays.
    #[serde(default = "three_quarters")]
    pub flat: Span,
    /// The rate that the fall leads to, at least 0.
    #[serde(default)]
    pub eta_min: f64,
}

/// fastai's default.
fn three_quarters() -> Span {
    Span::Fraction(0.75)
}

/// The curve of a fall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decay {
    /// A straight line.
    #[default]
    Linear,
    /// Half a cosine.
    Cosine,
    /// One minus the square root of the passed part (Hägele et al., "Scaling Laws and Compute-Optimal Training Beyond
    /// Fixed Training Durations", 2024).
    Sqrt,
}

impl Decay {
    /// What is left after `part` of the fall.
    fn left(self, part: f64) -> f64 {
        match self {
            Self::Linear => 1.0 - part,
            Self::Cosine => f64::midpoint(1.0, (PI * part).cos()),
            Self::Sqrt => 1.0 - part.sqrt(),
        }
    }
}

/// Stays at `lr` and falls over the last part of the stage: warm-up, stable, decay, the warm-up being the stage's (Hu et
/// al., "`MiniCPM`", 2024).
///
/// # Formula
/// `lr` before the fall; then `eta_min + (lr - eta_min) * left(part)`, with `left` being `1 - part`,
/// `(1 + cos(pi * part)) / 2` or `1 - sqrt(part)`, and `part` the passed part of `decay_for`.
///
/// # Parity
/// The formula; linear, `torch.optim.lr_scheduler.SequentialLR` of `ConstantLR` and `LinearLR`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarmupStableDecay {
    /// The learning rate before the fall, at least 0.
    pub lr: f64,
    /// How long the fall takes; it ends with the stage.
    #[serde(default = "fifth")]
    pub decay_for: Span,
    /// Its curve.
    #[serde(default)]
    pub decay: Decay,
    /// The rate that the fall leads to, at least 0.
    #[serde(default)]
    pub eta_min: f64,
}

fn fifth() -> Span {
    Span::Fraction(0.2)
}

#[derive(Debug)]
struct Resolved {
    lr: f64,
    flat: u64,
    total: u64,
    decay: Decay,
    eta_min: f64,
}

impl FlatCosine {
    pub(super) fn build(&self, timeline: Timeline) -> Result<Box<dyn Schedule>, Error> {
        let flat = self.flat.steps(timeline)?;
        let total = timeline.total_steps;
        let found = format_args!("{flat} of {total} steps");
        check(flat < total, "flat", "shorter than the stage", found)?;
        fall(self.lr, flat, total, Decay::Cosine, self.eta_min)
    }
}

impl WarmupStableDecay {
    pub(super) fn build(&self, timeline: Timeline) -> Result<Box<dyn Schedule>, Error> {
        let falling = self.decay_for.steps(timeline)?;
        let total = timeline.total_steps;
        let found = format_args!("{falling} of {total} steps");
        let must_be = "at least a step and no longer than what the warm-up leaves of the stage";
        check((1..=total).contains(&falling), "decay_for", must_be, found)?;
        fall(self.lr, total - falling, total, self.decay, self.eta_min)
    }
}

fn fall(
    lr: f64,
    flat: u64,
    total: u64,
    decay: Decay,
    eta_min: f64,
) -> Result<Box<dyn Schedule>, Error> {
    check_rate(lr)?;
    check_eta_min(eta_min)?;
    Ok(Box::new(Resolved { lr, flat, total, decay, eta_min }))
}

impl Schedule for Resolved {
    fn at(&self, step: u64) -> Rates {
        if step < self.flat {
            return Rates { lr: self.lr, momentum: None };
        }
        let passed = step.min(self.total) - self.flat;
        let part = passed as f64 / (self.total - self.flat) as f64;
        let lr = self.eta_min + (self.lr - self.eta_min) * self.decay.left(part);
        Rates { lr, momentum: None }
    }
}
