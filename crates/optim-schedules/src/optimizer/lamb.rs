//! Adam's direction at a length that suits each layer.

use super::adam::{MOMENTS, adaptive_direction, check_moments};
use super::update::{Update, UpdateRule, check_weight_decay};
use crate::error::Error;
use crate::gradients::sum_of_squares;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// LAMB (You et al., "Large Batch Optimization for Deep Learning", 2019): Adam's direction with the weight decay, scaled by
/// the norm of the parameter over the direction's.
///
/// # Parity
/// timm's `Lamb` with its defaults but without its clipping by the global norm, which is the stage's
/// `clip_grad_norm`, update for update. Parameters without weight decay are not scaled. A schedule that cycles momentum
/// replaces the first beta.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lamb {
    /// Decay of the running mean of gradients and of their squares.
    pub betas: [f64; 2],
    /// Added to the denominator.
    pub eps: f64,
    /// Part of the weights added to the direction.
    pub weight_decay: f64,
    /// Whether the scale is at most 1.
    pub trust_clip: bool,
}

impl Default for Lamb {
    fn default() -> Self {
        Self { betas: [0.9, 0.999], eps: 1e-6, weight_decay: 0.01, trust_clip: false }
    }
}

impl Lamb {
    pub(super) fn validate(&self) -> Result<(), Error> {
        check_moments(self.betas, self.eps)?;
        check_weight_decay(self.weight_decay)
    }
}

impl UpdateRule for Lamb {
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
        let direction = adaptive_direction(gradient, slots, update, (self.betas, self.eps));
        if update.weight_decay == 0.0 {
            return parameter - direction * update.lr;
        }
        let direction = direction + parameter.clone() * update.weight_decay;
        let (weights, way) = (norm(parameter.clone()), norm(direction.clone()));
        // Where either is zero the direction keeps its length.
        let unscaled = (weights.clone() * way.clone()).equal_elem(0.0);
        let trust = (weights / way).mask_fill(unscaled, 1.0);
        let trust = if self.trust_clip { trust.clamp_max(1.0) } else { trust };
        parameter - direction * trust * update.lr
    }
}

/// `[1]`.
fn norm(values: Tensor<1>) -> Tensor<1> {
    sum_of_squares(values).sqrt()
}
