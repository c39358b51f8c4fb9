//! Adam, and Adam with decoupled weight decay.

use super::update::{Update, UpdateRule, check_weight_decay};
use crate::error::{Error, check};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// Adam (Kingma and Ba, 2014), weight decay added to the gradient.
///
/// # Parity
/// `torch.optim.Adam` with its defaults, update for update. A schedule that cycles momentum replaces the first beta,
/// also in the bias correction, as PyTorch does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Adam {
    /// Decay of the running mean of gradients and of their squares.
    pub betas: [f64; 2],
    /// Added to the denominator.
    pub eps: f64,
    /// L2 penalty.
    pub weight_decay: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Self { betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0.0 }
    }
}

/// Adam with decoupled weight decay (Loshchilov and Hutter, 2017).
///
/// # Parity
/// `torch.optim.AdamW` with its defaults, update for update.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdamW {
    /// Decay of the running mean of gradients and of their squares.
    pub betas: [f64; 2],
    /// Added to the denominator.
    pub eps: f64,
    /// Part of the weights removed in each step, times the learning rate.
    pub weight_decay: f64,
}

impl Default for AdamW {
    fn default() -> Self {
        Self { betas: [0.9, 0.999], eps: 1e-8, weight_decay: 1e-2 }
    }
}

/// What Adam and its relatives keep.
pub(super) const MOMENTS: &[&str] = &["exp_avg", "exp_avg_sq"];

pub(super) fn check_betas(betas: [f64; 2]) -> Result<(), Error> {
    for beta in betas {
        check((0.0..1.0).contains(&beta), "betas", "at least 0 and below 1", beta)?;
    }
    Ok(())
}

pub(super) fn check_moments(betas: [f64; 2], eps: f64) -> Result<(), Error> {
    check_betas(betas)?;
    check(eps >= 0.0 && eps.is_finite(), "eps", "at least 0", eps)
}

/// The mean gradient over the root of the mean square, without the correction of the mean's first steps, and that
/// correction. The order of operations is PyTorch's.
fn direction(
    gradient: Tensor<1>,
    slots: &mut Vec<Tensor<1>>,
    update: Update,
    ([beta1, beta2], eps): ([f64; 2], f64),
) -> (Tensor<1>, f64) {
    let beta1 = update.momentum.unwrap_or(beta1);
    let mut kept = slots.drain(..);
    let mean = kept.next().unwrap_or_else(|| gradient.zeros_like());
    let square = kept.next().unwrap_or_else(|| gradient.zeros_like());
    drop(kept);
    let mean = mean.clone() + (gradient.clone() - mean) * (1.0 - beta1);
    let square = square * beta2 + gradient.clone() * gradient * (1.0 - beta2);
    slots.extend([mean.clone(), square.clone()]);

    let updates = update.number as f64;
    let correction1 = 1.0 - beta1.powf(updates);
    let correction2 = (1.0 - beta2.powf(updates)).sqrt();
    let denominator = square.sqrt() / correction2 + eps;
    (mean / denominator, correction1)
}

/// Adam's direction, all corrected.
pub(super) fn adaptive_direction(
    gradient: Tensor<1>,
    slots: &mut Vec<Tensor<1>>,
    update: Update,
    settings: ([f64; 2], f64),
) -> Tensor<1> {
    let (direction, correction) = direction(gradient, slots, update, settings);
    direction / correction
}

/// The adaptive part, common to both.
pub(super) fn adapt(
    parameter: Tensor<1>,
    gradient: Tensor<1>,
    slots: &mut Vec<Tensor<1>>,
    update: Update,
    settings: ([f64; 2], f64),
) -> Tensor<1> {
    let (direction, correction) = direction(gradient, slots, update, settings);
    parameter - direction * (update.lr / correction)
}

impl Adam {
    pub(super) fn validate(&self) -> Result<(), Error> {
        check_moments(self.betas, self.eps)?;
        check_weight_decay(self.weight_decay)
    }
}

impl UpdateRule for Adam {
    fn weight_decay(&self) -> f64 {
        self.weight_decay
    }

    fn slots(&self, _: bool) -> &'static [&'static str] {
        MOMENTS
    }

    fn update(
        &self,
        parameter: Tensor<1>,
        gradient: Tensor<1>,
        slots: &mut Vec<Tensor<1>>,
        update: Update,
    ) -> Tensor<1> {
        let gradient = update.with_penalty(gradient, &parameter);
        adapt(parameter, gradient, slots, update, (self.betas, self.eps))
    }
}

impl AdamW {
    pub(super) fn validate(&self) -> Result<(), Error> {
        check_moments(self.betas, self.eps)?;
        check_weight_decay(self.weight_decay)
    }
}

impl UpdateRule for AdamW {
    fn weight_decay(&self) -> f64 {
        self.weight_decay
    }

    fn slots(&self, _: bool) -> &'static [&'static str] {
        MOMENTS
    }

    fn update(
        &self,
        parameter: Tensor<1>,
        gradient: Tensor<1>,
        slots: &mut Vec<Tensor<1>>,
        update: Update,
    ) -> Tensor<1> {
        adapt(update.decayed(parameter), gradient, slots, update, (self.betas, self.eps))
    }
}
