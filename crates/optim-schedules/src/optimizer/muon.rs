//! Momentum made orthogonal, matrix by matrix.

use super::adam::{MOMENTS, adapt, check_moments};
use super::update::{Update, UpdateRule, check_weight_decay};
use crate::error::{Error, check};
use crate::gradients::sum_of_squares;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// Muon (Jordan et al., 2024): each layer's momentum, as a matrix with a row for each output, is replaced by the nearest
/// orthogonal one, found by Newton-Schulz iterations. For weights before the classifier; `rest` is for the others.
///
/// # Parity
/// `torch.optim.Muon`, update for update, with the iterations in f32 instead of bf16; convolutions are flattened to
/// `[outputs, inputs x height x width]`, as in timm's. The rest: `torch.optim.AdamW`. A schedule that cycles momentum
/// replaces Muon's and the first beta.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Muon {
    /// Part of the momentum that is kept, at least 0 and below 1.
    pub momentum: f64,
    /// Whether the gradient is added once more to the momentum.
    pub nesterov: bool,
    /// Newton-Schulz iterations, from 1 to 99.
    pub ns_steps: usize,
    /// The iterations' polynomial.
    pub ns_coefficients: [f64; 3],
    /// The least norm that a momentum is divided by.
    pub eps: f64,
    /// How the learning rate depends on the matrix.
    pub adjust_lr: AdjustLr,
    /// Part of the weights removed in each step, times the learning rate.
    pub weight_decay: f64,
    /// What biases, norms and the classifier follow.
    pub rest: MuonRest,
}

/// The factor of a matrix with so many `rows` and `columns`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdjustLr {
    /// `sqrt(max(1, rows / columns))`.
    #[default]
    Original,
    /// `0.2 sqrt(max(rows, columns))`, so that steps are as long as AdamW's at the same rate.
    MatchRmsAdamw,
}

/// AdamW for what Muon does not take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MuonRest {
    /// Its learning rate over Muon's, above 0.
    pub lr_scale: f64,
    /// Decay of the running mean of gradients and of their squares.
    pub betas: [f64; 2],
    /// Added to the denominator.
    pub eps: f64,
}

impl Default for Muon {
    fn default() -> Self {
        Self {
            momentum: 0.95,
            nesterov: true,
            ns_steps: 5,
            ns_coefficients: [3.4445, -4.775, 2.0315],
            eps: 1e-7,
            adjust_lr: AdjustLr::Original,
            weight_decay: 0.1,
            rest: MuonRest::default(),
        }
    }
}

impl Default for MuonRest {
    fn default() -> Self {
        Self { lr_scale: 1.0, betas: [0.9, 0.999], eps: 1e-8 }
    }
}

impl Muon {
    pub(super) fn validate(&self) -> Result<(), Error> {
        let momentum = self.momentum;
        check((0.0..1.0).contains(&momentum), "momentum", "at least 0 and below 1", momentum)?;
        check((1..100).contains(&self.ns_steps), "ns_steps", "from 1 to 99", self.ns_steps)?;
        check(self.eps > 0.0 && self.eps.is_finite(), "eps", "above 0", self.eps)?;
        check_weight_decay(self.weight_decay)?;
        let scale = self.rest.lr_scale;
        check(scale > 0.0 && scale.is_finite(), "rest.lr_scale", "above 0", scale)?;
        check_moments(self.rest.betas, self.rest.eps)
    }

    /// The orthogonal matrix near `matrix`; its singular values are about 1.
    fn orthogonal(&self, matrix: Tensor<2>) -> Tensor<2> {
        let [rows, columns] = matrix.dims();
        // The smaller side's products are the cheaper ones.
        let is_tall = rows > columns;
        let matrix = if is_tall { matrix.transpose() } else { matrix };
        let norm = sum_of_squares(matrix.clone().reshape([rows * columns])).sqrt();
        let mut x = matrix / norm.clamp_min(self.eps).reshape([1, 1]);
        let [a, b, c] = self.ns_coefficients;
        for _ in 0..self.ns_steps {
            let gram = x.clone().matmul(x.clone().transpose());
            let change = gram.clone() * b + gram.clone().matmul(gram) * c;
            x = x.clone() * a + change.matmul(x);
        }
        if is_tall { x.transpose() } else { x }
    }

    fn adjusted(&self, lr: f64, [rows, columns]: [usize; 2]) -> f64 {
        let (rows, columns) = (rows as f64, columns as f64);
        lr * match self.adjust_lr {
            AdjustLr::Original => (rows / columns).max(1.0).sqrt(),
            AdjustLr::MatchRmsAdamw => 0.2 * rows.max(columns).sqrt(),
        }
    }
}

impl UpdateRule for Muon {
    fn weight_decay(&self) -> f64 {
        self.weight_decay
    }

    fn slots(&self, is_rest: bool) -> &'static [&'static str] {
        if is_rest { MOMENTS } else { &["momentum_buffer"] }
    }

    fn update(
        &self,
        parameter: Tensor<1>,
        gradient: Tensor<1>,
        slots: &mut Vec<Tensor<1>>,
        update: Update,
    ) -> Tensor<1> {
        if update.is_rest {
            let MuonRest { lr_scale, betas, eps } = self.rest;
            let update = Update { lr: update.lr * lr_scale, ..update };
            return adapt(update.decayed(parameter), gradient, slots, update, (betas, eps));
        }
        let momentum = update.momentum.unwrap_or(self.momentum);
        let buffer = slots.pop().unwrap_or_else(|| gradient.zeros_like());
        // The weight of the new gradient is small, so this is how `lerp` rounds.
        let buffer = buffer.clone() + (gradient.clone() - buffer) * (1.0 - momentum);
        slots.push(buffer.clone());
        let direction = if self.nesterov {
            buffer.clone() - (buffer - gradient) * (1.0 - momentum)
        } else {
            buffer
        };
        let [count] = direction.dims();
        let shape = [update.rows, count / update.rows];
        let direction = self.orthogonal(direction.reshape(shape)).reshape([count]);
        update.decayed(parameter) - direction * self.adjusted(update.lr, shape)
    }
}
