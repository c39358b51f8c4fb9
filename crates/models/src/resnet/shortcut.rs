//! The way around a residual block.

use super::block::{BlockShape, conv, norm};
use crate::layers::{Execution, Input, Then};
use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::pool::{AvgPool2d, AvgPool2dConfig};
use burn::nn::{BatchNorm, PaddingConfig2d};
use burn::tensor::{Device, Tensor};

/// A projection of a block's input to its output's size; tuples, so that the parts have the names of `nn.Sequential`.
#[allow(clippy::large_enum_variant, reason = "a network has four")]
#[derive(Module, Debug)]
pub enum Shortcut {
    /// A 1x1 convolution with the block's stride.
    Projected((Conv2d, BatchNorm)),
    /// Means of 2x2 pixels where the block halves the map, then a 1x1 convolution (ResNet-D).
    Averaged((Option<AvgPool2d>, Conv2d, BatchNorm)),
}

impl Shortcut {
    /// None for a block whose input can be added as it is.
    pub(super) fn of(shape: BlockShape, outputs: usize, device: &Device) -> Option<Self> {
        let BlockShape { inputs, stride, .. } = shape;
        if stride == 1 && inputs == outputs {
            return None;
        }
        if !shape.avg_down {
            let conv = conv(inputs, outputs, 1, stride, 1, device);
            return Some(Self::Projected((conv, norm(outputs, device))));
        }
        let pool = (stride != 1).then(|| {
            AvgPool2dConfig::new([2, 2])
                .with_strides([stride, stride])
                .with_padding(PaddingConfig2d::Valid)
                .with_count_include_pad(false)
                .with_ceil_mode(true)
                .init()
        });
        Some(Self::Averaged((pool, conv(inputs, outputs, 1, 1, 1, device), norm(outputs, device))))
    }

    /// The batch norm, if it belongs to a layer that takes the block's input itself.
    pub(super) fn input_norm(&self) -> Option<&BatchNorm> {
        match self {
            Self::Projected((_, norm)) | Self::Averaged((None, _, norm)) => Some(norm),
            Self::Averaged((Some(_), ..)) => None,
        }
    }

    pub(super) fn forward(&self, input: Input, execution: &Execution) -> Tensor<4> {
        match self {
            Self::Projected((conv, norm)) | Self::Averaged((None, conv, norm)) => {
                execution.conv_norm((conv, norm), input, Then::NOTHING)
            }
            Self::Averaged((Some(pool), conv, norm)) => {
                execution.conv_norm((conv, norm), pool.forward(input.map()), Then::NOTHING)
            }
        }
    }
}
