//! What comes before the residual blocks.

use super::block::{conv, norm};
use crate::blur_pool::blur_pool;
use crate::layers::{Execution, Then};
use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, PaddingConfig2d, Relu};
use burn::tensor::{Device, Tensor};

/// The first convolutions. Their places are those of `nn.Sequential` in timm.
#[allow(clippy::large_enum_variant, reason = "a network has one")]
#[derive(Module, Debug)]
pub enum FirstConvolutions {
    /// 7x7 with stride 2.
    Single(Conv2d),
    /// Three of 3x3, the first with stride 2, with batch norm and ReLU between them.
    Deep((Conv2d, BatchNorm, Relu, Conv2d, BatchNorm, Relu, Conv2d)),
}

impl FirstConvolutions {
    pub(super) fn new(deep: bool, channels: usize, device: &Device) -> Self {
        if !deep {
            return Self::Single(conv(channels, 64, 7, 2, 1, device));
        }
        Self::Deep((
            conv(channels, 32, 3, 2, 1, device),
            norm(32, device),
            Relu::new(),
            conv(32, 32, 3, 1, 1, device),
            norm(32, device),
            Relu::new(),
            conv(32, 64, 3, 1, 1, device),
        ))
    }

    /// The convolutions, the batch norm behind them and ReLU.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to `[batch, 64, height / 2, width / 2]`.
    pub(super) fn forward(
        &self,
        bn1: &BatchNorm,
        input: Tensor<4>,
        execution: &Execution,
    ) -> Tensor<4> {
        match self {
            Self::Single(conv) => execution.conv_norm((conv, bn1), input, Then::RELU),
            Self::Deep((first, first_norm, _, second, second_norm, _, third)) => {
                let x = execution.conv_norm((first, first_norm), input, Then::RELU);
                let x = execution.conv_norm((second, second_norm), x, Then::RELU);
                execution.conv_norm((third, bn1), x, Then::RELU)
            }
        }
    }

    /// The state-dict name of the first convolution's weight.
    pub(super) fn first_weight(&self) -> &'static str {
        match self {
            Self::Single(_) => "conv1.weight",
            Self::Deep(_) => "conv1.0.weight",
        }
    }
}

/// Max pooling of 3x3 pixels that halves the map.
pub(super) fn max_pool(blurred: bool) -> MaxPool2d {
    // A blurred pool takes the maximum of every pixel's neighbourhood and leaves the halving to the blur.
    let stride = if blurred { 1 } else { 2 };
    MaxPool2dConfig::new([3, 3])
        .with_strides([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
        .init()
}

/// [`max_pool`] run.
pub(super) fn pool(
    pool: &MaxPool2d,
    blurred: bool,
    x: Tensor<4>,
    execution: &Execution,
) -> Tensor<4> {
    let x = execution.max_pool(pool, x);
    if blurred { blur_pool(x) } else { x }
}
