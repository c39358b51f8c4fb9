//! The network around the blocks: stem, four layers, head.

use super::block::{Basic, Block, BlockShape, Bottleneck, conv, norm};
use crate::error::{Error, check_probability};
use crate::layers::{Kernels, Then};
use burn::module::{Initializer, Module};
use burn::nn::conv::Conv2d;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, Dropout, DropoutConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// The depths of He et al., table 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// 11.7M parameters at 1000 classes.
    D18,
    /// 21.8M parameters.
    D34,
    /// 25.6M parameters.
    D50,
    /// 44.5M parameters.
    D101,
}

impl Depth {
    /// Blocks in each of the four layers.
    pub const fn blocks(self) -> [usize; 4] {
        match self {
            Self::D18 => [2, 2, 2, 2],
            Self::D34 | Self::D50 => [3, 4, 6, 3],
            Self::D101 => [3, 4, 23, 3],
        }
    }

    const fn has_bottlenecks(self) -> bool {
        matches!(self, Self::D50 | Self::D101)
    }
}

/// Settings of a ResNet beside its depth.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ResNetSpec {
    /// Probability of dropping a channel inside every block.
    pub block_dropout: f64,
    /// Probability of dropping a feature before the classifier.
    pub dropout: f64,
    /// Start every residual block as the identity (torchvision's `zero_init_residual`).
    pub zero_init_last_gamma: bool,
}

impl ResNetSpec {
    /// # Errors
    /// [`Error::OutOfRange`] when a probability is not in `[0, 1)`.
    pub fn validate(&self) -> Result<(), Error> {
        check_probability("block_dropout", self.block_dropout)?;
        check_probability("dropout", self.dropout)
    }
}

/// ResNet v1.5 (the stride sits on the 3x3 convolution of a bottleneck).
///
/// # Shapes
/// `[batch, 3, height, width]` to `[batch, classes]`; the last map is a 32nd of the input's size.
///
/// # Weights
/// State-dict names and layouts are torchvision's.
///
/// # Parity
/// `torchvision.models.resnet18 / 34 / 50 / 101`: logits, batch norm statistics and gradients agree to f32 rounding.
#[derive(Module, Debug)]
pub struct ResNet {
    conv1: Conv2d,
    bn1: BatchNorm,
    maxpool: MaxPool2d,
    layer1: Vec<Block>,
    layer2: Vec<Block>,
    layer3: Vec<Block>,
    layer4: Vec<Block>,
    dropout: Dropout,
    fc: Linear,
    #[module(skip)]
    pub(crate) kernels: Kernels,
}

impl ResNet {
    /// A network with all tensors zero or one; see [`crate::initialize`].
    pub fn new(depth: Depth, spec: &ResNetSpec, classes: usize, device: &Device) -> Self {
        let expansion =
            if depth.has_bottlenecks() { Bottleneck::EXPANSION } else { Basic::EXPANSION };
        let blocks = depth.blocks();
        let layer = |index: usize| -> Vec<Block> {
            let width = 64 << index;
            let before = if index == 0 { 64 } else { (width / 2) * expansion };
            (0..blocks[index])
                .map(|i| BlockShape {
                    inputs: if i == 0 { before } else { width * expansion },
                    width,
                    stride: if i == 0 && index > 0 { 2 } else { 1 },
                    dropout: spec.block_dropout,
                })
                .map(|shape| {
                    if depth.has_bottlenecks() {
                        Block::Bottleneck(Bottleneck::new(shape, device))
                    } else {
                        Block::Basic(Basic::new(shape, device))
                    }
                })
                .collect()
        };
        Self {
            conv1: conv(3, 64, 7, 2, device),
            bn1: norm(64, device),
            maxpool: MaxPool2dConfig::new([3, 3])
                .with_strides([2, 2])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(),
            layer1: layer(0),
            layer2: layer(1),
            layer3: layer(2),
            layer4: layer(3),
            dropout: DropoutConfig::new(spec.dropout).init(),
            fc: LinearConfig::new(512 * expansion, classes)
                .with_initializer(Initializer::Zeros)
                .init(device),
            kernels: Kernels::default(),
        }
    }

    /// The five maps of the network: after the stem and after each layer.
    ///
    /// # Shapes
    /// `[batch, 3, height, width]` to maps of a 4th, 4th, 8th, 16th and 32nd of the size.
    pub fn forward_stages(&self, input: Tensor<4>) -> [Tensor<4>; 5] {
        let kernels = self.kernels;
        let x = kernels.conv_norm((&self.conv1, &self.bn1), input, Then::RELU);
        let stem = kernels.max_pool(&self.maxpool, x);
        let run = |layer: &[Block], x: &Tensor<4>| {
            layer.iter().fold(x.clone(), |x, block| block.forward(x, kernels))
        };
        let first = run(&self.layer1, &stem);
        let second = run(&self.layer2, &first);
        let third = run(&self.layer3, &second);
        let fourth = run(&self.layer4, &third);
        [stem, first, second, third, fourth]
    }

    /// # Shapes
    /// `[batch, 3, height, width]` to `[batch, features, height / 32, width / 32]`.
    pub fn forward_features(&self, input: Tensor<4>) -> Tensor<4> {
        let [_, _, _, _, features] = self.forward_stages(input);
        features
    }

    /// # Shapes
    /// `[batch, features, height, width]` to `[batch, classes]`.
    pub fn forward_head(&self, features: Tensor<4>) -> Tensor<2> {
        let pooled = features.flatten::<3>(2, 3).mean_dim(2).squeeze_dim::<2>(2);
        self.fc.forward(self.dropout.forward(pooled))
    }

    /// Names of the weights of each block's last batch norm.
    pub(crate) fn last_gammas(&self) -> Vec<String> {
        let layers = [&self.layer1, &self.layer2, &self.layer3, &self.layer4];
        let mut names = Vec::new();
        for (layer, number) in layers.into_iter().zip(1..) {
            for (i, block) in layer.iter().enumerate() {
                names.push(format!("layer{number}.{i}.{}.weight", block.last_norm()));
            }
        }
        names
    }
}
