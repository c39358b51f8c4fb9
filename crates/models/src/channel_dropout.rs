//! Dropout of whole channels.

use crate::layers::{Execution, scaled};
use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::Tensor;

/// Zeroes whole channels of single pictures at random while training and scales the others by
/// `1 / (1 - p)` (Tompson et al., "Efficient Object Localization Using Convolutional Networks", 2015).
///
/// # Parity
/// `torch.nn.Dropout2d`, up to the random numbers.
#[derive(Module, Debug)]
pub struct ChannelDropout {
    dropout: Dropout,
}

impl ChannelDropout {
    /// Drops each channel with probability `p`, in `[0, 1)`.
    pub fn new(p: f64) -> Self {
        Self { dropout: DropoutConfig::new(p).init() }
    }

    /// # Shapes
    /// `input` and output: `[batch, channels, height, width]`.
    pub(crate) fn forward(&self, input: Tensor<4>, execution: &Execution) -> Tensor<4> {
        let drops = self.dropout.training.is_enabled() && input.device().is_autodiff();
        let dropout = scaled(&self.dropout, execution.drops.dropout);
        if dropout.prob == 0.0 || !drops {
            return input;
        }
        let [batch, channels, _, _] = input.dims();
        let mask = Tensor::<2>::ones([batch, channels], &input.device());
        execution.scale_channels(input, dropout.forward(mask))
    }
}
