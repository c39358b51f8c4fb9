//! The settings of an EfficientNet.

use super::scaling::EfficientNetVariant;
use crate::error::{Error, check_probability};
use crate::head::HeadSpec;
use serde::{Deserialize, Serialize};

/// Whose batch norm and padding a network has, which its weights were trained with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Constants {
    /// torchvision's: epsilon 1e-5 and momentum 0.1 up to B4, 1e-3 and 0.01 from B5 on; padding alike on both sides.
    #[default]
    Torchvision,
    /// timm's `efficientnet_b*`: epsilon 1e-5, momentum 0.1; padding alike on both sides.
    Timm,
    /// The authors': epsilon 1e-3, momentum 0.01; `SAME` padding, which puts the odd pixel behind. timm's
    /// `tf_efficientnet_b*` have these too, but for the momentum, which `bn_momentum` sets there.
    Tensorflow,
}

impl Constants {
    /// Batch norm's epsilon, and the part of a batch's statistics in the running ones.
    pub(super) fn batch_norm(self, variant: EfficientNetVariant) -> (f64, f64) {
        match self {
            Self::Torchvision if variant.is_large() => (1e-3, 0.01),
            Self::Torchvision | Self::Timm => (1e-5, 0.1),
            Self::Tensorflow => (1e-3, 0.01),
        }
    }
}

/// Settings of an EfficientNet beside its size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EfficientNetSpec {
    /// Whose constants.
    pub constants: Constants,
    /// Probability of dropping a feature before the classifier; absent: the network's own, 0.2 for B0 to 0.5 for B7.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropout: Option<f64>,
    /// Probability of leaving out the last block's branch; it rises linearly from 0 at the first block.
    pub stochastic_depth: f64,
    /// The classifier.
    #[serde(skip_serializing_if = "HeadSpec::is_default")]
    pub head: HeadSpec,
}

impl Default for EfficientNetSpec {
    fn default() -> Self {
        Self {
            constants: Constants::default(),
            dropout: None,
            stochastic_depth: 0.2,
            head: HeadSpec::default(),
        }
    }
}

impl EfficientNetSpec {
    /// Inverted residual blocks start as their initial values make them.
    #[allow(clippy::unused_self, reason = "the catalog asks every model")]
    pub(crate) fn zero_init_last_gamma(&self) -> bool {
        false
    }

    /// # Errors
    /// [`Error::OutOfRange`] when a probability is not in `[0, 1)`.
    pub fn validate(&self) -> Result<(), Error> {
        check_probability("dropout", self.dropout.unwrap_or(0.0))?;
        check_probability("stochastic_depth", self.stochastic_depth)?;
        self.head.validate()
    }
}
