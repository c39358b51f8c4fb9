//! The classifier behind the pooled features.

use crate::error::{Error, check_probability};
use crate::layers::{Execution, scaled};
use burn::module::{Initializer, Module};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// The `head` table of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum HeadSpec {
    /// One linear layer, as the reference networks have.
    Linear(LinearHead),
    /// A hidden layer with ReLU and dropout before it.
    Mlp(MlpHead),
}

impl Default for HeadSpec {
    fn default() -> Self {
        Self::Linear(LinearHead {})
    }
}

/// No settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearHead {}

/// Linear, ReLU, dropout, linear.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MlpHead {
    /// Features of the hidden layer.
    pub hidden: usize,
    /// Probability of dropping a hidden feature.
    pub dropout: f64,
}

impl Default for MlpHead {
    fn default() -> Self {
        Self { hidden: 512, dropout: 0.3 }
    }
}

impl HeadSpec {
    /// # Errors
    /// [`Error::OutOfRange`] when the hidden layer is empty or huge, or the dropout not in `[0, 1)`.
    pub fn validate(&self) -> Result<(), Error> {
        match self {
            Self::Linear(LinearHead {}) => Ok(()),
            Self::Mlp(mlp) if !(1..=65_536).contains(&mlp.hidden) => Err(Error::OutOfRange {
                field: "head.hidden",
                must_be: "from 1 to 65536",
                found: mlp.hidden as f64,
            }),
            Self::Mlp(mlp) => check_probability("head.dropout", mlp.dropout),
        }
    }

    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// From features to logits.
///
/// # Shapes
/// `[batch, features]` to `[batch, classes]`.
///
/// # Weights
/// `weight` and `bias`; with a hidden layer `0.weight`, `0.bias`, `3.weight` and `3.bias`, as
/// `nn.Sequential(Linear, ReLU, Dropout, Linear)` calls them.
#[allow(clippy::large_enum_variant, reason = "a network has one")]
#[derive(Module, Debug)]
pub enum Head {
    /// One layer.
    Linear(Linear),
    /// Two layers.
    Mlp(Mlp),
}

/// The two layers of [`Head::Mlp`].
#[derive(Module, Debug)]
pub struct Mlp {
    // `0` and `3` on disk.
    first: Linear,
    dropout: Dropout,
    last: Linear,
}

impl Head {
    pub(crate) fn new(spec: &HeadSpec, features: usize, classes: usize, device: &Device) -> Self {
        let linear = |inputs, outputs| {
            LinearConfig::new(inputs, outputs).with_initializer(Initializer::Zeros).init(device)
        };
        match spec {
            HeadSpec::Linear(LinearHead {}) => Self::Linear(linear(features, classes)),
            HeadSpec::Mlp(mlp) => Self::Mlp(Mlp {
                first: linear(features, mlp.hidden),
                dropout: DropoutConfig::new(mlp.dropout).init(),
                last: linear(mlp.hidden, classes),
            }),
        }
    }

    /// # Shapes
    /// `[batch, features]` to `[batch, classes]`.
    pub(crate) fn forward(&self, features: Tensor<2>, execution: &Execution) -> Tensor<2> {
        match self {
            Self::Linear(linear) => linear.forward(features),
            Self::Mlp(Mlp { first, dropout, last }) => {
                let dropout = scaled(dropout, execution.drops.dropout);
                last.forward(dropout.forward(relu(first.forward(features))))
            }
        }
    }
}
