//! The two residual blocks of He et al., "Deep Residual Learning for Image Recognition", 2015.

use crate::channel_dropout::ChannelDropout;
use crate::layers::{Input, Kernels, Then};
use burn::module::{Initializer, Module};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, PaddingConfig2d};
use burn::tensor::{Device, Tensor};

/// A square convolution without bias that keeps the map's size at stride 1. Values come from
/// [`crate::initialize`] or a file, never from here.
pub(crate) fn conv(
    inputs: usize,
    outputs: usize,
    kernel: usize,
    stride: usize,
    device: &Device,
) -> Conv2d {
    let pad = kernel / 2;
    Conv2dConfig::new([inputs, outputs], [kernel, kernel])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
        .with_bias(false)
        .with_initializer(Initializer::Zeros)
        .init(device)
}

/// Batch norm with PyTorch's constants: epsilon 1e-5, momentum 0.1.
pub(crate) fn norm(channels: usize, device: &Device) -> BatchNorm {
    BatchNormConfig::new(channels).init(device)
}

/// A residual block: convolutions beside a shortcut.
#[allow(clippy::large_enum_variant, reason = "a network has at most a few dozen blocks")]
#[derive(Module, Debug)]
pub enum Block {
    /// Two 3x3 convolutions, in ResNet-18 and 34.
    Basic(Basic),
    /// 1x1, 3x3, 1x1 convolutions, the last one four times as wide, in ResNet-50 and deeper.
    Bottleneck(Bottleneck),
}

impl Block {
    /// # Shapes
    /// `[batch, inputs, height, width]` to `[batch, outputs, height / stride, width / stride]`.
    pub fn forward(&self, input: Tensor<4>, kernels: Kernels) -> Tensor<4> {
        match self {
            Self::Basic(block) => block.forward(input, kernels),
            Self::Bottleneck(block) => block.forward(input, kernels),
        }
    }

    /// The name of the batch norm that closes the block.
    pub(crate) fn last_norm(&self) -> &'static str {
        match self {
            Self::Basic(_) => "bn2",
            Self::Bottleneck(_) => "bn3",
        }
    }
}

/// Where a block sits: its channels, stride and dropout.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockShape {
    pub(crate) inputs: usize,
    pub(crate) width: usize,
    pub(crate) stride: usize,
    pub(crate) dropout: f64,
}

/// Projection shortcut; a pair, so that its parts are called `downsample.0` and `downsample.1`.
type Downsample = Option<(Conv2d, BatchNorm)>;

fn downsample(shape: BlockShape, outputs: usize, device: &Device) -> Downsample {
    (shape.stride != 1 || shape.inputs != outputs)
        .then(|| (conv(shape.inputs, outputs, 1, shape.stride, device), norm(outputs, device)))
}

fn shortcut(downsample: &Downsample, input: Input, kernels: Kernels) -> Input {
    match downsample {
        None => input,
        Some((conv, bn)) => kernels.conv_norm((conv, bn), input, Then::NOTHING).into(),
    }
}

/// The batch norm behind the second layer that takes a block's input: the projection's, or the last, which adds it.
fn second_norm<'a>(downsample: &'a Downsample, last: &'a BatchNorm) -> &'a BatchNorm {
    downsample.as_ref().map_or(last, |(_, bn)| bn)
}

/// Two 3x3 convolutions; channel dropout between them, as in wide residual networks.
#[derive(Module, Debug)]
pub struct Basic {
    conv1: Conv2d,
    bn1: BatchNorm,
    dropout: ChannelDropout,
    conv2: Conv2d,
    bn2: BatchNorm,
    downsample: Downsample,
}

impl Basic {
    pub(crate) const EXPANSION: usize = 1;

    pub(crate) fn new(shape: BlockShape, device: &Device) -> Self {
        let BlockShape { inputs, width, stride, dropout } = shape;
        Self {
            conv1: conv(inputs, width, 3, stride, device),
            bn1: norm(width, device),
            dropout: ChannelDropout::new(dropout),
            conv2: conv(width, width, 3, 1, device),
            bn2: norm(width, device),
            downsample: downsample(shape, width, device),
        }
    }

    fn forward(&self, input: Tensor<4>, kernels: Kernels) -> Tensor<4> {
        let norms = [&self.bn1, second_norm(&self.downsample, &self.bn2)];
        let input = kernels.share(input, norms);
        let x = kernels.conv_norm((&self.conv1, &self.bn1), input.clone(), Then::RELU);
        let x = self.dropout.forward(x);
        let shortcut = shortcut(&self.downsample, input, kernels);
        kernels.conv_norm((&self.conv2, &self.bn2), x, Then::add_relu(shortcut))
    }
}

/// 1x1, 3x3, 1x1 convolutions with the stride on the 3x3 (v1.5); channel dropout before the last.
#[derive(Module, Debug)]
pub struct Bottleneck {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: BatchNorm,
    dropout: ChannelDropout,
    conv3: Conv2d,
    bn3: BatchNorm,
    downsample: Downsample,
}

impl Bottleneck {
    pub(crate) const EXPANSION: usize = 4;

    pub(crate) fn new(shape: BlockShape, device: &Device) -> Self {
        let BlockShape { inputs, width, stride, dropout } = shape;
        let outputs = width * Self::EXPANSION;
        Self {
            conv1: conv(inputs, width, 1, 1, device),
            bn1: norm(width, device),
            conv2: conv(width, width, 3, stride, device),
            bn2: norm(width, device),
            dropout: ChannelDropout::new(dropout),
            conv3: conv(width, outputs, 1, 1, device),
            bn3: norm(outputs, device),
            downsample: downsample(shape, outputs, device),
        }
    }

    fn forward(&self, input: Tensor<4>, kernels: Kernels) -> Tensor<4> {
        let norms = [&self.bn1, second_norm(&self.downsample, &self.bn3)];
        let input = kernels.share(input, norms);
        let x = kernels.conv_norm((&self.conv1, &self.bn1), input.clone(), Then::RELU);
        let x = kernels.conv_norm((&self.conv2, &self.bn2), x, Then::RELU);
        let x = self.dropout.forward(x);
        let shortcut = shortcut(&self.downsample, input, kernels);
        kernels.conv_norm((&self.conv3, &self.bn3), x, Then::add_relu(shortcut))
    }
}
