//! Gradients divided by the root of their mean square.

use super::update::{Update, UpdateRule, check_weight_decay};
use crate::error::{Error, check};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// RMSprop (Tieleman and Hinton, 2012).
///
/// # Parity
/// `torch.optim.RMSprop` with its defaults, update for update. A schedule that cycles momentum
/// replaces `momentum`, also one of 0; the buffer is kept for that in any case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RmsProp {
    /// Decay of the running mean of squared gradients.
    pub alpha: f64,
    /// Added to the denominator.
    pub eps: f64,
    /// L2 penalty.
    pub weight_decay: f64,
    /// Part of the last direction that is kept.
    pub momentum: f64,
    /// Whether the mean gradient is subtracted: the variance instead of the mean square.
    pub centered: bool,
}

impl Default for RmsProp {
    fn default() -> Self {
        Self { alpha: 0.99, eps: 1e-8, weight_decay: 0.0, momentum: 0.0, centered: false }
    }
}

/// RMSprop as in TensorFlow, on which EfficientNets were trained: the mean square begins at 1, `eps` is under the root,
/// and the momentum holds steps that the rate of their time has scaled.
///
/// # Parity
/// timm's `RMSpropTF` with its defaults, update for update. A schedule that cycles momentum
/// replaces `momentum`, also one of 0; the buffer is kept for that in any case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RmsPropTf {
    /// Decay of the running mean of squared gradients.
    pub alpha: f64,
    /// Added to the mean square.
    pub eps: f64,
    /// L2 penalty.
    pub weight_decay: f64,
    /// Part of the last step that is kept.
    pub momentum: f64,
    /// Whether the mean gradient is subtracted: the variance instead of the mean square.
    pub centered: bool,
}

impl Default for RmsPropTf {
    fn default() -> Self {
        Self { alpha: 0.9, eps: 1e-10, weight_decay: 0.0, momentum: 0.0, centered: false }
    }
}

fn validate(alpha: f64, eps: f64, weight_decay: f64, momentum: f64) -> Result<(), Error> {
    check((0.0..1.0).contains(&alpha), "alpha", "at least 0 and below 1", alpha)?;
    check(eps >= 0.0 && eps.is_finite(), "eps", "at least 0", eps)?;
    check((0.0..1.0).contains(&momentum), "momentum", "at least 0 and below 1", momentum)?;
    check_weight_decay(weight_decay)
}

fn slots(centered: bool) -> &'static [&'static str] {
    if centered {
        &["square_avg", "grad_avg", "momentum_buffer"]
    } else {
        &["square_avg", "momentum_buffer"]
    }
}

/// The mean square or variance, and what was kept of earlier steps; `slots` then lacks the latter, its last.
fn moments(
    gradient: &Tensor<1>,
    slots: &mut Vec<Tensor<1>>,
    (alpha, centered): (f64, bool),
    first_square: impl FnOnce() -> Tensor<1>,
) -> (Tensor<1>, Tensor<1>) {
    let mut kept = std::mem::take(slots).into_iter();
    let towards = |mean: Tensor<1>, to: Tensor<1>| mean.clone() + (to - mean) * (1.0 - alpha);
    let square = kept.next().unwrap_or_else(first_square);
    let square = towards(square, gradient.clone() * gradient.clone());
    slots.push(square.clone());
    let mut spread = square;
    if centered {
        let mean = kept.next().unwrap_or_else(|| gradient.zeros_like());
        let mean = towards(mean, gradient.clone());
        slots.push(mean.clone());
        spread = spread - mean.clone() * mean;
    }
    (spread, kept.next().unwrap_or_else(|| gradient.zeros_like()))
}

impl RmsProp {
    pub(super) fn validate(&self) -> Result<(), Error> {
        validate(self.alpha, self.eps, self.weight_decay, self.momentum)
    }
}

impl UpdateRule for RmsProp {
    fn weight_decay(&self) -> f64 {
        self.weight_decay
    }

    fn slots(&self, _: bool) -> &'static [&'static str] {
        slots(self.centered)
    }

    fn update(
        &self,
        parameter: Tensor<1>,
        gradient: Tensor<1>,
        slots: &mut Vec<Tensor<1>>,
        update: Update,
    ) -> Tensor<1> {
        let gradient = update.with_penalty(gradient, &parameter);
        let settings = (self.alpha, self.centered);
        let (spread, buffer) = moments(&gradient, slots, settings, || gradient.zeros_like());
        let momentum = update.momentum.unwrap_or(self.momentum);
        let direction = buffer * momentum + gradient / (spread.sqrt() + self.eps);
        slots.push(direction.clone());
        parameter - direction * update.lr
    }
}

impl RmsPropTf {
    pub(super) fn validate(&self) -> Result<(), Error> {
        validate(self.alpha, self.eps, self.weight_decay, self.momentum)
    }
}

impl UpdateRule for RmsPropTf {
    fn weight_decay(&self) -> f64 {
        self.weight_decay
    }

    fn slots(&self, _: bool) -> &'static [&'static str] {
        slots(self.centered)
    }

    fn update(
        &self,
        parameter: Tensor<1>,
        gradient: Tensor<1>,
        slots: &mut Vec<Tensor<1>>,
        update: Update,
    ) -> Tensor<1> {
        let gradient = update.with_penalty(gradient, &parameter);
        let settings = (self.alpha, self.centered);
        let (spread, buffer) = moments(&gradient, slots, settings, || gradient.ones_like());
        let momentum = update.momentum.unwrap_or(self.momentum);
        let step = buffer * momentum + gradient / (spread + self.eps).sqrt() * update.lr;
        slots.push(step.clone());
        parameter - step
    }
}
