//! Steps of one length, in the direction of the sign of the momentum.

use super::adam::check_betas;
use super::update::{Update, UpdateRule, check_weight_decay};
use crate::error::Error;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// Lion (Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023): every value moves by the learning rate, up
/// or down. Rates are three to ten times lower than Adam's, weight decay as much higher.
///
/// # Parity
/// timm's `Lion` with its defaults, update for update. A schedule that cycles momentum replaces the first beta.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lion {
    /// How much of the running mean of gradients enters the direction, and how much of it is kept.
    pub betas: [f64; 2],
    /// Part of the weights removed in each step, times the learning rate.
    pub weight_decay: f64,
}

impl Default for Lion {
    fn default() -> Self {
        Self { betas: [0.9, 0.99], weight_decay: 0.0 }
    }
}

impl Lion {
    pub(super) fn validate(&self) -> Result<(), Error> {
        check_betas(self.betas)?;
        check_weight_decay(self.weight_decay)
    }
}

impl UpdateRule for Lion {
    fn weight_decay(&self) -> f64 {
        self.weight_decay
    }

    fn slots(&self, _: bool) -> &'static [&'static str] {
        &["exp_avg"]
    }

    fn update(
        &self,
        parameter: Tensor<1>,
        gradient: Tensor<1>,
        slots: &mut Vec<Tensor<1>>,
        update: Update,
    ) -> Tensor<1> {
        let [beta1, beta2] = self.betas;
        let beta1 = update.momentum.unwrap_or(beta1);
        let mean = slots.pop().unwrap_or_else(|| gradient.zeros_like());
        let apart = gradient - mean.clone();
        let direction = (mean.clone() + apart.clone() * (1.0 - beta1)).sign();
        slots.push(mean + apart * (1.0 - beta2));
        update.decayed(parameter) - direction * update.lr
    }
}
