//! The ResNets for 32 px pictures.

use crate::channel_dropout::ChannelDropout;
use crate::error::{Error, check_probability};
use crate::head::{Head, HeadSpec};
use crate::layers::{Execution, Then, channel_means, scaled};
use crate::resnet::{conv, norm};
use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, Dropout, DropoutConfig};
use burn::tensor::ops::PadMode;
use burn::tensor::{Device, Tensor, s};
use serde::{Deserialize, Serialize};

/// Settings of a ResNet for 32 px pictures beside its depth.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CifarResNetSpec {
    /// Probability of dropping a channel inside every block.
    pub block_dropout: f64,
    /// Probability of dropping a feature before the classifier.
    pub dropout: f64,
    /// Start every residual block as the identity.
    pub zero_init_last_gamma: bool,
    /// The classifier.
    #[serde(skip_serializing_if = "HeadSpec::is_default")]
    pub head: HeadSpec,
}

impl CifarResNetSpec {
    /// Whether residual blocks start as the identity.
    pub(crate) fn zero_init_last_gamma(&self) -> bool {
        self.zero_init_last_gamma
    }

    /// # Errors
    /// [`Error::OutOfRange`] when a probability is not in `[0, 1)`.
    pub fn validate(&self) -> Result<(), Error> {
        check_probability("block_dropout", self.block_dropout)?;
        check_probability("dropout", self.dropout)?;
        self.head.validate()
    }
}

/// The ResNets of He et al. 2015, section 4.2: three layers of basic blocks (3, 5, 7 or 9 of them for 20, 32, 44 or 56
/// layers) with 16, 32 and 64 channels and shortcuts without parameters (option A: every second pixel, new channels
/// zero).
///
/// # Shapes
/// `[batch, channels, height, width]` to `[batch, classes]`; the last map is a 4th of the input's size.
///
/// # Weights
/// `conv1`, `bn1`, `layer1.0.conv1`, ..., `fc`, in PyTorch's layouts.
///
/// # Parity
/// The paper's network as `akamaster/pytorch_resnet_cifar10` writes it: 269,722 parameters at 10 classes.
#[derive(Module, Debug)]
pub struct CifarResNet {
    conv1: Conv2d,
    bn1: BatchNorm,
    layer1: Vec<CifarBlock>,
    layer2: Vec<CifarBlock>,
    layer3: Vec<CifarBlock>,
    dropout: Dropout,
    fc: Head,
    #[module(skip)]
    pub(crate) execution: Execution,
}

impl CifarResNet {
    /// A network of `6 * blocks + 2` layers with all tensors zero or one; see [`crate::initialize`].
    pub fn new(
        blocks: usize,
        spec: &CifarResNetSpec,
        channels: usize,
        classes: usize,
        device: &Device,
    ) -> Self {
        let layer = |inputs: usize, width: usize| -> Vec<CifarBlock> {
            (0..blocks)
                .map(|i| CifarBlock::new(if i == 0 { inputs } else { width }, width, spec, device))
                .collect()
        };
        Self {
            conv1: conv(channels, 16, 3, 1, 1, device),
            bn1: norm(16, device),
            layer1: layer(16, 16),
            layer2: layer(16, 32),
            layer3: layer(32, 64),
            dropout: DropoutConfig::new(spec.dropout).init(),
            fc: Head::new(&spec.head, 64, classes, device),
            execution: Execution::default(),
        }
    }

    /// The stem and the layers, whose maps are of the picture's full size, full, half and a 4th of it.
    pub(crate) const STAGES: [&str; 4] = ["stem", "layer1", "layer2", "layer3"];

    /// From the map before a stage, of the first one the picture, to the map after it.
    pub(crate) fn forward_stage(&self, stage: usize, x: Tensor<4>) -> Tensor<4> {
        let execution = &self.execution;
        let layer = match stage {
            0 => return execution.conv_norm((&self.conv1, &self.bn1), x, Then::RELU),
            1 => &self.layer1,
            2 => &self.layer2,
            3 => &self.layer3,
            _ => return x,
        };
        layer.iter().fold(x, |x, block| block.forward(x, execution))
    }

    /// # Shapes
    /// `[batch, 64, height, width]` to `[batch, classes]`.
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
        (1..=3)
            .flat_map(|layer| (0..self.layer1.len()).map(move |i| (layer, i)))
            .map(|(layer, i)| format!("layer{layer}.{i}.bn2.weight"))
            .collect()
    }
}

/// Two 3x3 convolutions beside a shortcut without parameters.
#[derive(Module, Debug)]
pub struct CifarBlock {
    conv1: Conv2d,
    bn1: BatchNorm,
    dropout: ChannelDropout,
    conv2: Conv2d,
    bn2: BatchNorm,
}

impl CifarBlock {
    fn new(inputs: usize, width: usize, spec: &CifarResNetSpec, device: &Device) -> Self {
        let stride = width / inputs;
        Self {
            conv1: conv(inputs, width, 3, stride, 1, device),
            bn1: norm(width, device),
            dropout: ChannelDropout::new(spec.block_dropout),
            conv2: conv(width, width, 3, 1, 1, device),
            bn2: norm(width, device),
        }
    }

    /// # Shapes
    /// `[batch, inputs, height, width]` to `[batch, width, height / stride, width / stride]`.
    pub(crate) fn forward(&self, input: Tensor<4>, execution: &Execution) -> Tensor<4> {
        let (input, shortcut) = if self.conv1.stride[0] == 1 {
            let shared = execution.share(input, [&self.bn1, &self.bn2]);
            (shared.clone(), shared)
        } else {
            (input.clone().into(), self.smaller(input).into())
        };
        let x = execution.conv_norm((&self.conv1, &self.bn1), input, Then::RELU);
        let x = self.dropout.forward(x, execution);
        execution.conv_norm((&self.conv2, &self.bn2), x, Then::add_relu(shortcut))
    }

    /// Every second pixel, with new channels of zeros on both sides.
    fn smaller(&self, input: Tensor<4>) -> Tensor<4> {
        let added = self.bn2.gamma.dims()[0] - input.dims()[1];
        let pixels = input.slice(s![.., .., ..;2, ..;2]);
        pixels.pad([(added / 2, added / 2), (0, 0), (0, 0)], PadMode::Constant(0.0))
    }
}
