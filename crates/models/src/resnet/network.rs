//! The network around the blocks: stem, four layers, head.

use super::block::{Basic, Block, BlockShape, Bottleneck, norm};
use super::spec::ResNetSpec;
use super::stem::{FirstConvolutions, max_pool, pool};
use super::variant::ResNetVariant;
use crate::head::Head;
use crate::layers::{Execution, channel_means, scaled};
use burn::module::Module;
use burn::nn::pool::MaxPool2d;
use burn::nn::{BatchNorm, Dropout, DropoutConfig};
use burn::tensor::{Device, Tensor};

/// ResNet v1.5 (the stride sits on the 3x3 convolution of a bottleneck).
///
/// # Shapes
/// `[batch, channels, height, width]` to `[batch, classes]`; the last map is a 32nd of the input's size.
///
/// # Weights
/// State-dict names and layouts are torchvision's; timm's where a setting has no counterpart there.
///
/// # Parity
/// `torchvision.models.resnet18 / 34 / 50 / 101 / 152`, `wide_resnet50_2` and `resnext50_32x4d`, and timm's `resnet50d`,
/// `resnetblur50` and `seresnet50`: logits, batch norm statistics and gradients agree to f32 rounding.
#[derive(Module, Debug)]
pub struct ResNet {
    conv1: FirstConvolutions,
    bn1: BatchNorm,
    maxpool: MaxPool2d,
    layer1: Vec<Block>,
    layer2: Vec<Block>,
    layer3: Vec<Block>,
    layer4: Vec<Block>,
    dropout: Dropout,
    fc: Head,
    #[module(skip)]
    blurs: bool,
    #[module(skip)]
    pub(crate) execution: Execution,
}

impl ResNet {
    /// A network for pictures of `channels` channels with all tensors zero or one; see [`crate::initialize`].
    pub fn new(
        variant: ResNetVariant,
        spec: &ResNetSpec,
        channels: usize,
        classes: usize,
        device: &Device,
    ) -> Self {
        let bottlenecks = variant.has_bottlenecks();
        let expansion = if bottlenecks { Bottleneck::EXPANSION } else { Basic::EXPANSION };
        let blocks = variant.blocks();
        let last = blocks.iter().sum::<usize>().saturating_sub(1).max(1);
        let layer = |index: usize| -> Vec<Block> {
            let width = 64 << index;
            let before = if index == 0 { 64 } else { (width / 2) * expansion };
            let blocks_before: usize = blocks[..index].iter().sum();
            (0..blocks[index])
                .map(|i| {
                    let depth = (blocks_before + i) as f64 / last as f64;
                    let shape = BlockShape {
                        inputs: if i == 0 { before } else { width * expansion },
                        width,
                        inner: variant.inner_width(width),
                        groups: variant.groups(),
                        stride: if i == 0 && index > 0 { 2 } else { 1 },
                        dropout: spec.block_dropout,
                        stochastic_depth: spec.stochastic_depth * depth,
                        avg_down: spec.avg_down,
                        blur_pool: spec.blur_pool,
                        squeeze_excite: spec.squeeze_excite,
                    };
                    if bottlenecks {
                        Block::Bottleneck(Bottleneck::new(shape, device))
                    } else {
                        Block::Basic(Basic::new(shape, device))
                    }
                })
                .collect()
        };
        Self {
            conv1: FirstConvolutions::new(spec.deep_stem, channels, device),
            bn1: norm(64, device),
            maxpool: max_pool(spec.blur_pool),
            layer1: layer(0),
            layer2: layer(1),
            layer3: layer(2),
            layer4: layer(3),
            dropout: DropoutConfig::new(spec.dropout).init(),
            fc: Head::new(&spec.head, 512 * expansion, classes, device),
            blurs: spec.blur_pool,
            execution: Execution::default(),
        }
    }

    /// The stem and the layers, whose maps are a 4th, 4th, 8th, 16th and 32nd of the picture's size.
    pub(crate) const STAGES: [&str; 5] = ["stem", "layer1", "layer2", "layer3", "layer4"];

    /// From the map before a stage, of the first one the picture, to the map after it.
    pub(crate) fn forward_stage(&self, stage: usize, x: Tensor<4>) -> Tensor<4> {
        let execution = &self.execution;
        let layer = match stage {
            0 => {
                let x = self.conv1.forward(&self.bn1, x, execution);
                return pool(&self.maxpool, self.blurs, x, execution);
            }
            1 => &self.layer1,
            2 => &self.layer2,
            3 => &self.layer3,
            4 => &self.layer4,
            _ => return x,
        };
        layer.iter().fold(x, |x, block| block.forward(x, execution))
    }

    /// # Shapes
    /// `[batch, features, height, width]` to `[batch, classes]`.
    pub fn forward_head(&self, features: Tensor<4>) -> Tensor<2> {
        let pooled = channel_means(features);
        let dropout = scaled(&self.dropout, self.execution.drops.dropout);
        self.fc.forward(dropout.forward(pooled), &self.execution)
    }

    pub(crate) fn batch_norm_momentum(&self) -> f64 {
        self.bn1.momentum
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

    /// The state-dict name of the first convolution's weight.
    pub(crate) fn first_weight(&self) -> &'static str {
        self.conv1.first_weight()
    }
}
