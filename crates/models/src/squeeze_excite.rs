//! Squeeze-excite: gates for the channels, computed from their means.

use burn::module::{Initializer, Module};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::activation::{relu, sigmoid, silu};
use burn::tensor::{Device, Tensor};

/// What follows the first layer of a squeeze-excite block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Between {
    /// In residual networks.
    Relu,
    /// In EfficientNets.
    Silu,
}

/// Two 1x1 convolutions from the channels' means to a gate for each (Hu et al., "Squeeze-and-Excitation Networks", 2018).
///
/// # Weights
/// `fc1.weight`, `fc1.bias`, `fc2.weight`, `fc2.bias`, in PyTorch's layouts.
///
/// # Parity
/// `torchvision.ops.SqueezeExcitation` and timm's `SEModule`, with a sigmoid at the end.
#[derive(Module, Debug)]
pub struct SqueezeExcite {
    fc1: Conv2d,
    fc2: Conv2d,
    #[module(skip)]
    between: Between,
}

impl SqueezeExcite {
    pub(crate) fn new(channels: usize, hidden: usize, between: Between, device: &Device) -> Self {
        let layer = |inputs, outputs| {
            Conv2dConfig::new([inputs, outputs], [1, 1])
                .with_initializer(Initializer::Zeros)
                .init(device)
        };
        Self { fc1: layer(channels, hidden), fc2: layer(hidden, channels), between }
    }

    /// A gate in `(0, 1)` for each picture's channels.
    ///
    /// # Shapes
    /// `means` and output: `[batch, channels]`.
    pub(crate) fn gates(&self, means: Tensor<2>) -> Tensor<2> {
        let hidden = pointwise(&self.fc1, means);
        let hidden = match self.between {
            Between::Relu => relu(hidden),
            Between::Silu => silu(hidden),
        };
        sigmoid(pointwise(&self.fc2, hidden))
    }
}

/// A 1x1 convolution of maps of one pixel, which is a matrix product.
fn pointwise(layer: &Conv2d, input: Tensor<2>) -> Tensor<2> {
    let [outputs, inputs, ..] = layer.weight.dims();
    let weight = layer.weight.val().reshape([outputs, inputs]);
    let output = input.matmul(weight.transpose());
    match &layer.bias {
        Some(bias) => output + bias.val().unsqueeze(),
        None => output,
    }
}
