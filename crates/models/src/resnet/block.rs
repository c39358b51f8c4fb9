//! The two residual blocks of He et al., "Deep Residual Learning for Image Recognition", 2015.

use super::shortcut::Shortcut;
use crate::blur_pool::blur_pool;
use crate::channel_dropout::ChannelDropout;
use crate::layers::{Execution, Input, Then};
use crate::squeeze_excite::{Between, SqueezeExcite};
use crate::stochastic_depth::StochasticDepth;
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
    groups: usize,
    device: &Device,
) -> Conv2d {
    let pad = kernel / 2;
    Conv2dConfig::new([inputs, outputs], [kernel, kernel])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
        .with_groups(groups)
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
    pub(crate) fn forward(&self, input: Tensor<4>, execution: &Execution) -> Tensor<4> {
        match self {
            Self::Basic(block) => block.forward(input, execution),
            Self::Bottleneck(block) => block.forward(input, execution),
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

/// Where a block sits: its channels, stride and what else the settings ask for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockShape {
    pub(crate) inputs: usize,
    /// Of the layer; the same for all variants.
    pub(crate) width: usize,
    /// Channels of a bottleneck's 3x3 convolution, and its groups.
    pub(crate) inner: usize,
    pub(crate) groups: usize,
    pub(crate) stride: usize,
    pub(crate) dropout: f64,
    pub(crate) stochastic_depth: f64,
    pub(crate) avg_down: bool,
    pub(crate) blur_pool: bool,
    pub(crate) squeeze_excite: bool,
}

impl BlockShape {
    /// Whether a blur halves the map, and then no convolution does.
    fn blurs(self) -> bool {
        self.blur_pool && self.stride != 1
    }

    fn convolution_stride(self) -> usize {
        if self.blurs() { 1 } else { self.stride }
    }

    /// Gates at the block's end, a 16th of the channels wide inside, in eights, as in timm.
    fn gates(self, outputs: usize, device: &Device) -> Option<SqueezeExcite> {
        let hidden = ((outputs / 16 + 4) / 8 * 8).max(8);
        self.squeeze_excite.then(|| SqueezeExcite::new(outputs, hidden, Between::Relu, device))
    }
}

/// What a block ends with: its last convolution and norm, gates, stochastic depth, the sum and ReLU.
struct Ending<'a> {
    last: (&'a Conv2d, &'a BatchNorm),
    se: Option<&'a SqueezeExcite>,
    stochastic_depth: &'a StochasticDepth,
    shortcut: Option<&'a Shortcut>,
}

impl Ending<'_> {
    /// Lets the two layers that take a block's input share it: `first` and the shortcut's, or the sum at the end.
    fn share(&self, first: &BatchNorm, input: Tensor<4>, execution: &Execution) -> Input {
        let second = match self.shortcut {
            Some(shortcut) => shortcut.input_norm(),
            // Only a sum in the batch norm's own pass takes part.
            None => Some(self.last.1).filter(|_| self.is_plain(&input, execution)),
        };
        match second {
            Some(second) => execution.share(input, [first, second]),
            None => input.into(),
        }
    }

    fn is_plain(&self, branch: &Tensor<4>, execution: &Execution) -> bool {
        self.se.is_none() && !self.stochastic_depth.acts_on(branch, execution)
    }

    fn forward(&self, branch: Tensor<4>, input: Input, execution: &Execution) -> Tensor<4> {
        let plain = self.is_plain(&branch, execution);
        let shortcut: Input = match self.shortcut {
            None => input,
            Some(shortcut) => shortcut.forward(input, execution).into(),
        };
        if plain {
            return execution.conv_norm(self.last, branch, Then::add_relu(shortcut));
        }
        let branch = execution.conv_norm(self.last, branch, Then::NOTHING);
        let branch = match self.se {
            Some(se) => execution.squeeze_excite(se, branch),
            None => branch,
        };
        let branch = self.stochastic_depth.forward(branch, execution);
        burn::tensor::activation::relu(branch + shortcut.map())
    }
}

/// Two 3x3 convolutions; channel dropout between them, as in wide residual networks.
#[derive(Module, Debug)]
pub struct Basic {
    conv1: Conv2d,
    bn1: BatchNorm,
    dropout: ChannelDropout,
    conv2: Conv2d,
    bn2: BatchNorm,
    se: Option<SqueezeExcite>,
    stochastic_depth: StochasticDepth,
    downsample: Option<Shortcut>,
    #[module(skip)]
    blurs: bool,
}

impl Basic {
    pub(crate) const EXPANSION: usize = 1;

    pub(crate) fn new(shape: BlockShape, device: &Device) -> Self {
        let BlockShape { inputs, width, .. } = shape;
        Self {
            conv1: conv(inputs, width, 3, shape.convolution_stride(), 1, device),
            bn1: norm(width, device),
            dropout: ChannelDropout::new(shape.dropout),
            conv2: conv(width, width, 3, 1, 1, device),
            bn2: norm(width, device),
            se: shape.gates(width, device),
            stochastic_depth: StochasticDepth::new(shape.stochastic_depth),
            downsample: Shortcut::of(shape, width, device),
            blurs: shape.blurs(),
        }
    }

    fn forward(&self, input: Tensor<4>, execution: &Execution) -> Tensor<4> {
        let ending = Ending {
            last: (&self.conv2, &self.bn2),
            se: self.se.as_ref(),
            stochastic_depth: &self.stochastic_depth,
            shortcut: self.downsample.as_ref(),
        };
        let input = ending.share(&self.bn1, input, execution);
        let x = execution.conv_norm((&self.conv1, &self.bn1), input.clone(), Then::RELU);
        let x = self.dropout.forward(x, execution);
        let x = if self.blurs { blur_pool(x) } else { x };
        ending.forward(x, input, execution)
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
    se: Option<SqueezeExcite>,
    stochastic_depth: StochasticDepth,
    downsample: Option<Shortcut>,
    #[module(skip)]
    blurs: bool,
}

impl Bottleneck {
    pub(crate) const EXPANSION: usize = 4;

    pub(crate) fn new(shape: BlockShape, device: &Device) -> Self {
        let BlockShape { inputs, width, inner, groups, .. } = shape;
        let outputs = width * Self::EXPANSION;
        Self {
            conv1: conv(inputs, inner, 1, 1, 1, device),
            bn1: norm(inner, device),
            conv2: conv(inner, inner, 3, shape.convolution_stride(), groups, device),
            bn2: norm(inner, device),
            dropout: ChannelDropout::new(shape.dropout),
            conv3: conv(inner, outputs, 1, 1, 1, device),
            bn3: norm(outputs, device),
            se: shape.gates(outputs, device),
            stochastic_depth: StochasticDepth::new(shape.stochastic_depth),
            downsample: Shortcut::of(shape, outputs, device),
            blurs: shape.blurs(),
        }
    }

    fn forward(&self, input: Tensor<4>, execution: &Execution) -> Tensor<4> {
        let ending = Ending {
            last: (&self.conv3, &self.bn3),
            se: self.se.as_ref(),
            stochastic_depth: &self.stochastic_depth,
            shortcut: self.downsample.as_ref(),
        };
        let input = ending.share(&self.bn1, input, execution);
        let x = execution.conv_norm((&self.conv1, &self.bn1), input.clone(), Then::RELU);
        let x = execution.conv_norm((&self.conv2, &self.bn2), x, Then::RELU);
        let x = self.dropout.forward(x, execution);
        let x = if self.blurs { blur_pool(x) } else { x };
        ending.forward(x, input, execution)
    }
}
