//! The settings of a residual network.

use crate::error::{Error, check_probability};
use crate::head::HeadSpec;
use serde::{Deserialize, Serialize};

/// Settings of a ResNet beside its depth.
#[allow(
    clippy::struct_excessive_bools,
    reason = "independent switches, each with its name in TOML"
)]
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ResNetSpec {
    /// Probability of dropping a channel inside every block.
    pub block_dropout: f64,
    /// Probability of dropping a feature before the classifier.
    pub dropout: f64,
    /// Probability of leaving out the last block's branch; it rises linearly from 0 at the first block.
    #[serde(skip_serializing_if = "is_zero")]
    pub stochastic_depth: f64,
    /// Start every residual block as the identity (torchvision's `zero_init_residual`).
    pub zero_init_last_gamma: bool,
    /// Three 3x3 convolutions at the start instead of one of 7x7 (ResNet-C of He et al., "Bag of Tricks for Image
    /// Classification", 2018; with `avg_down` it is ResNet-D, timm's `resnet50d`).
    #[serde(skip_serializing_if = "is_false")]
    pub deep_stem: bool,
    /// Shortcuts that halve the map average 2x2 pixels before their 1x1 convolution.
    #[serde(skip_serializing_if = "is_false")]
    pub avg_down: bool,
    /// Smooth maps before they are halved (Zhang 2019; timm's `resnetblur50`).
    #[serde(skip_serializing_if = "is_false")]
    pub blur_pool: bool,
    /// Gates for the channels at the end of every block (Hu et al. 2018; timm's `seresnet50`).
    #[serde(skip_serializing_if = "is_false")]
    pub squeeze_excite: bool,
    /// The classifier.
    #[serde(skip_serializing_if = "HeadSpec::is_default")]
    pub head: HeadSpec,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !value
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

impl ResNetSpec {
    /// Whether residual blocks start as the identity.
    pub(crate) fn zero_init_last_gamma(&self) -> bool {
        self.zero_init_last_gamma
    }

    /// # Errors
    /// [`Error::OutOfRange`] when a probability is not in `[0, 1)`.
    pub fn validate(&self) -> Result<(), Error> {
        check_probability("block_dropout", self.block_dropout)?;
        check_probability("dropout", self.dropout)?;
        check_probability("stochastic_depth", self.stochastic_depth)?;
        self.head.validate()
    }
}
