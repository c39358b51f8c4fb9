//! Stochastic gradient descent.

use super::update::{Update, UpdateRule, check_weight_decay};
use crate::error::{Error, check};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// Stochastic gradient descent with momentum.
///
/// # Parity
/// `torch.optim.SGD` with its defaults, update for update: the first momentum buffer is the gradient itself, undamped.
/// A schedule that cycles momentum replaces `momentum`, also one of 0, as PyTorch's does.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sgd {
    /// Part of the last direction that is kept.
    pub momentum: f64,
    /// Part of the gradient that does not enter the momentum buffer.
    pub dampening: f64,
    /// Whether to look ahead along the momentum (Nesterov).
    pub nesterov: bool,
    /// L2 penalty.
    pub weight_decay: f64,
}

impl Sgd {
    pub(super) fn validate(&self) -> Result<(), Error> {
        let Self { momentum, dampening, nesterov, weight_decay } = *self;
        check((0.0..1.0).contains(&momentum), "momentum", "at least 0 and below 1", momentum)?;
        check((0.0..=1.0).contains(&dampening), "dampening", "from 0 to 1", dampening)?;
        check_weight_decay(weight_decay)?;
        let nesterov_valid = !nesterov || (momentum > 0.0 && dampening == 0.0);
        check(nesterov_valid, "nesterov", "used with momentum and without dampening", nesterov)
    }
}

impl UpdateRule for Sgd {
    fn weight_decay(&self) -> f64 {
        self.weight_decay
    }

    fn slots(&self, _: bool) -> &'static [&'static str] {
        &["momentum_buffer"]
    }

    fn update(
        &self,
        parameter: Tensor<1>,
        gradient: Tensor<1>,
        slots: &mut Vec<Tensor<1>>,
        update: Update,
    ) -> Tensor<1> {
        let gradient = update.with_penalty(gradient, &parameter);
        let momentum = update.momentum.unwrap_or(self.momentum);
        let direction = if momentum == 0.0 {
            gradient
        } else {
            let buffer = match slots.pop() {
                None => gradient.clone(),
                Some(buffer) => buffer * momentum + gradient.clone() * (1.0 - self.dampening),
            };
            slots.push(buffer.clone());
            if self.nesterov { gradient + buffer * momentum } else { buffer }
        };
        parameter - direction * update.lr
    }
}
