//! The inverted residual block: Sandler et al., "MobileNetV2", 2018, with the gates of "MnasNet" (Tan et al. 2019).

use super::conv_norm::{ConvNorm, Layers};
use super::scaling::Stage;
use crate::layers::{Execution, Input, Then};
use crate::squeeze_excite::{Between, SqueezeExcite};
use crate::stochastic_depth::StochasticDepth;
use burn::module::Module;
use burn::tensor::Tensor;

/// Expansion, depthwise convolution, gates, projection; beside it the way around where sizes agree.
#[derive(Module, Debug)]
pub struct InvertedResidual {
    block: Body,
    stochastic_depth: StochasticDepth,
    #[module(skip)]
    adds_input: bool,
}

/// The layers in their order: tuples, so that they have torchvision's numbers.
#[allow(
    clippy::large_enum_variant,
    reason = "a network has one without expansion per block of its first stage"
)]
#[derive(Module, Debug)]
pub enum Body {
    /// Without expansion.
    Plain((ConvNorm, SqueezeExcite, ConvNorm)),
    /// With expansion.
    Expanded((ConvNorm, ConvNorm, SqueezeExcite, ConvNorm)),
}

impl Body {
    /// Expansion, if there is one, depthwise convolution, gates, projection.
    fn layers(&self) -> (Option<&ConvNorm>, &ConvNorm, &SqueezeExcite, &ConvNorm) {
        match self {
            Self::Plain((depthwise, gates, projection)) => (None, depthwise, gates, projection),
            Self::Expanded((expansion, depthwise, gates, projection)) => {
                (Some(expansion), depthwise, gates, projection)
            }
        }
    }
}

impl InvertedResidual {
    /// A block of `stage` that takes `inputs` channels and drops its branch with probability `dropped`.
    pub(super) fn new(
        layers: Layers<'_>,
        stage: Stage,
        inputs: usize,
        stride: usize,
        dropped: f64,
    ) -> Self {
        let inner = inputs * stage.expansion;
        let depthwise = layers.conv_norm([inner, inner], stage.kernel, stride, inner);
        let hidden = (inputs / 4).max(1);
        let gates = SqueezeExcite::new(inner, hidden, Between::Silu, layers.device);
        let projection = layers.conv_norm([inner, stage.outputs], 1, 1, 1);
        let block = if stage.expansion == 1 {
            Body::Plain((depthwise, gates, projection))
        } else {
            let expansion = layers.conv_norm([inputs, inner], 1, 1, 1);
            Body::Expanded((expansion, depthwise, gates, projection))
        };
        Self {
            block,
            stochastic_depth: StochasticDepth::new(dropped),
            adds_input: stride == 1 && inputs == stage.outputs,
        }
    }

    /// # Shapes
    /// `[batch, inputs, height, width]` to `[batch, outputs, ceil(height / stride), ceil(width / stride)]`.
    pub(crate) fn forward(&self, input: Tensor<4>, execution: &Execution) -> Tensor<4> {
        let drops = self.adds_input && self.stochastic_depth.acts_on(&input, execution);
        let (expansion, depthwise, gates, projection) = self.block.layers();
        let input: Input = match expansion {
            Some(expansion) if self.adds_input && !drops => {
                execution.share(input, [expansion.norm(), projection.norm()])
            }
            // A depthwise convolution does not share its input.
            _ => input.into(),
        };
        let x = match expansion {
            Some(expansion) => expansion.forward(input.clone(), Then::SILU, execution).into(),
            None => input.clone(),
        };
        let x = depthwise.forward(x, Then::SILU, execution);
        let x = execution.squeeze_excite(gates, x);
        if !self.adds_input {
            return projection.forward(x, Then::NOTHING, execution);
        }
        if !drops {
            return projection.forward(x, Then::add(input), execution);
        }
        let branch = projection.forward(x, Then::NOTHING, execution);
        self.stochastic_depth.forward(branch, execution) + input.map()
    }
}
