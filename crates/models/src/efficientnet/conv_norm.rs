//! A convolution with its batch norm, and the paddings that EfficientNets come with.

use super::scaling::EfficientNetVariant;
use super::spec::Constants;
use crate::layers::{Execution, Input, Then};
use burn::module::{Initializer, Module};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, PaddingConfig2d};
use burn::tensor::ops::PadMode;
use burn::tensor::{Device, Tensor};

/// `0` and `1` of torchvision's `Conv2dNormActivation`.
#[derive(Module, Debug)]
pub struct ConvNorm {
    // `0` and `1` on disk.
    conv: Conv2d,
    norm: BatchNorm,
}

/// Makes the layers of one network.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layers<'a> {
    pub(super) variant: EfficientNetVariant,
    pub(super) constants: Constants,
    pub(super) device: &'a Device,
}

impl Layers<'_> {
    /// A square convolution without bias and its batch norm.
    pub(super) fn conv_norm(
        self,
        [inputs, outputs]: [usize; 2],
        kernel: usize,
        stride: usize,
        groups: usize,
    ) -> ConvNorm {
        let (epsilon, momentum) = self.constants.batch_norm(self.variant);
        // At stride 1 both paddings are the same; `SAME` depends on the map's size otherwise.
        let padding = if self.constants == Constants::Tensorflow && stride > 1 {
            PaddingConfig2d::Valid
        } else {
            let pad = kernel / 2;
            PaddingConfig2d::Explicit(pad, pad, pad, pad)
        };
        ConvNorm {
            conv: Conv2dConfig::new([inputs, outputs], [kernel, kernel])
                .with_stride([stride, stride])
                .with_padding(padding)
                .with_groups(groups)
                .with_bias(false)
                .with_initializer(Initializer::Zeros)
                .init(self.device),
            norm: BatchNormConfig::new(outputs)
                .with_epsilon(epsilon)
                .with_momentum(momentum)
                .init(self.device),
        }
    }
}

impl ConvNorm {
    /// # Shapes
    /// `[batch, inputs, height, width]` to `[batch, outputs, ceil(height / stride), ceil(width / stride)]`.
    pub(super) fn forward(
        &self,
        input: impl Into<Input>,
        then: Then,
        execution: &Execution,
    ) -> Tensor<4> {
        let input = input.into();
        let pads = self.conv.padding == PaddingConfig2d::Valid && self.conv.kernel_size != [1, 1];
        let input = if pads { self.pad_same(input.map()).into() } else { input };
        execution.conv_norm((&self.conv, &self.norm), input, then)
    }

    /// Zeros around a map so that a strided convolution reaches all of it, the odd pixel behind.
    fn pad_same(&self, map: Tensor<4>) -> Tensor<4> {
        let [_, _, height, width] = map.dims();
        let zeros = |size: usize, axis: usize| {
            let (kernel, stride) = (self.conv.kernel_size[axis], self.conv.stride[axis]);
            let all = ((size.div_ceil(stride) - 1) * stride + kernel).saturating_sub(size);
            (all / 2, all - all / 2)
        };
        map.pad([zeros(height, 0), zeros(width, 1)], PadMode::Constant(0.0))
    }

    /// The batch norm.
    pub(super) fn norm(&self) -> &BatchNorm {
        &self.norm
    }
}
