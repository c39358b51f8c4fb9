//! The network around the blocks: stem, seven stages, last convolution, head.

use super::block::InvertedResidual;
use super::conv_norm::{ConvNorm, Layers};
use super::scaling::EfficientNetVariant;
use super::spec::EfficientNetSpec;
use crate::head::Head;
use crate::layers::{Execution, Then, channel_means, scaled};
use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::{Device, Tensor};

/// EfficientNet (Tan and Le 2019).
///
/// # Shapes
/// `[batch, channels, height, width]` to `[batch, classes]`; the last map is a 32nd of the input's size.
///
/// # Weights
/// State-dict names and layouts are torchvision's: `features.0.0.weight`, `features.1.0.block.0.0.weight`, ...,
/// `classifier.1.weight`. [`Layout`](crate::Layout) has timm's names for them.
///
/// # Parity
/// `torchvision.models.efficientnet_b0` to `b7` and timm's `efficientnet_b*` and `tf_efficientnet_b*`: logits, batch norm
/// statistics and gradients agree to f32 rounding.
#[derive(Module, Debug)]
pub struct EfficientNet {
    features: Vec<Part>,
    classifier: (Dropout, Head),
    #[module(skip)]
    momentum: f64,
    #[module(skip)]
    pub(crate) execution: Execution,
}

/// A part of the network, in torchvision's numbering.
#[allow(clippy::large_enum_variant, reason = "a network has nine")]
#[derive(Module, Debug)]
pub enum Part {
    /// The stem and the last convolution.
    Convolution(ConvNorm),
    /// A stage's blocks.
    Blocks(Vec<InvertedResidual>),
}

impl EfficientNet {
    /// A network for pictures of `channels` channels with all tensors zero or one; see [`crate::initialize`].
    pub fn new(
        variant: EfficientNetVariant,
        spec: &EfficientNetSpec,
        channels: usize,
        classes: usize,
        device: &Device,
    ) -> Self {
        let layers = Layers { variant, constants: spec.constants, device };
        let stages = variant.stages();
        let blocks = stages.iter().map(|stage| stage.blocks).sum::<usize>() as f64;
        let mut before = 0_u32;
        let mut features =
            Vec::from([Part::Convolution(layers.conv_norm([channels, stages[0].inputs], 3, 2, 1))]);
        for stage in stages {
            let block = |i: usize| {
                let (inputs, stride) =
                    if i == 0 { (stage.inputs, stage.stride) } else { (stage.outputs, 1) };
                let dropped = spec.stochastic_depth * f64::from(before) / blocks;
                before += 1;
                InvertedResidual::new(layers, stage, inputs, stride, dropped)
            };
            features.push(Part::Blocks((0..stage.blocks).map(block).collect()));
        }
        let last = stages[stages.len() - 1].outputs;
        features.push(Part::Convolution(layers.conv_norm([last, variant.features()], 1, 1, 1)));
        let dropout = DropoutConfig::new(spec.dropout.unwrap_or(variant.dropout())).init();
        let head = Head::new(&spec.head, variant.features(), classes, device);
        let (_, momentum) = spec.constants.batch_norm(variant);
        Self { features, classifier: (dropout, head), momentum, execution: Execution::default() }
    }

    /// The stem, the stages and the last convolution, whose maps are a half, half, 4th, 8th, 16th, 16th, 32nd, 32nd and 32nd
    /// of the picture's size.
    pub(crate) fn stage_names(&self) -> Vec<String> {
        (0..self.features.len()).map(|stage| format!("features.{stage}")).collect()
    }

    /// From the map before a stage, of the first one the picture, to the map after it.
    pub(crate) fn forward_stage(&self, stage: usize, x: Tensor<4>) -> Tensor<4> {
        match self.features.get(stage) {
            None => x,
            Some(Part::Convolution(layer)) => layer.forward(x, Then::SILU, &self.execution),
            Some(Part::Blocks(blocks)) => {
                blocks.iter().fold(x, |x, block| block.forward(x, &self.execution))
            }
        }
    }

    pub(crate) fn batch_norm_momentum(&self) -> f64 {
        self.momentum
    }

    /// # Shapes
    /// `[batch, features, height, width]` to `[batch, classes]`.
    pub fn forward_head(&self, features: Tensor<4>) -> Tensor<2> {
        let pooled = channel_means(features);
        let (dropout, head) = &self.classifier;
        let dropout = scaled(dropout, self.execution.drops.dropout);
        head.forward(dropout.forward(pooled), &self.execution)
    }
}
