//! Leaving out whole residual branches.

use crate::layers::{Execution, scaled};
use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::Tensor;

/// Zeroes the branch of single pictures at random while training and scales the others by `1 / (1 - p)` (Huang et al.,
/// "Deep Networks with Stochastic Depth", 2016).
///
/// # Parity
/// `torchvision.ops.StochasticDepth(p, "row")` and timm's `DropPath`, up to the random numbers.
#[derive(Module, Debug)]
pub struct StochasticDepth {
    dropout: Dropout,
}

impl StochasticDepth {
    /// Drops each picture's branch with probability `p`, in `[0, 1)`.
    pub fn new(p: f64) -> Self {
        Self { dropout: DropoutConfig::new(p).init() }
    }

    /// Whether it does anything to `branch`.
    pub(crate) fn acts_on(&self, branch: &Tensor<4>, execution: &Execution) -> bool {
        let dropout = self.at(execution);
        dropout.prob > 0.0 && dropout.training.is_enabled() && branch.device().is_autodiff()
    }

    fn at(&self, execution: &Execution) -> Dropout {
        scaled(&self.dropout, execution.drops.stochastic_depth)
    }

    /// # Shapes
    /// `branch` and output: `[batch, channels, height, width]`.
    pub(crate) fn forward(&self, branch: Tensor<4>, execution: &Execution) -> Tensor<4> {
        if !self.acts_on(&branch, execution) {
            return branch;
        }
        let [batch, channels, _, _] = branch.dims();
        let mask = Tensor::<2>::ones([batch, 1], &branch.device());
        let mask = self.at(execution).forward(mask);
        execution.scale_channels(branch, mask.expand([batch, channels]))
    }
}
