//! Every optimizer by the name that a configuration uses.
//!
//! A new optimizer is one file and two lines: a `mod` line in the folder's `mod.rs` and a row of the table here.

use super::adam::{Adam, AdamW};
use super::lamb::Lamb;
use super::lion::Lion;
use super::muon::Muon;
use super::rms_prop::{RmsProp, RmsPropTf};
use super::sgd::Sgd;
use super::update::Optimizer;
use crate::error::Error;
use serde::{Deserialize, Serialize};

/// Writes [`OptimizerSpec`]: `Variant(Settings);`. The variant in lower case is the name in TOML.
macro_rules! optimizers {
    ($($(#[$doc:meta])* $variant:ident($rule:ty);)*) => {
        /// The `optimizer` of a stage: `type` and the settings of that type.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "type", rename_all = "lowercase")]
        pub enum OptimizerSpec {
            $($(#[$doc])* $variant($rule),)*
        }

        impl OptimizerSpec {
            /// An optimizer without any state yet.
            ///
            /// # Errors
            /// [`Error::OutOfRange`] naming the setting.
            pub fn build(&self) -> Result<Optimizer, Error> {
                match self {
                    $(Self::$variant(rule) => {
                        rule.validate()?;
                        Ok(Optimizer::new(Box::new(rule.clone())))
                    })*
                }
            }
        }
    };
}

optimizers! {
    /// Adam.
    Adam(Adam);
    /// Adam with decoupled weight decay.
    AdamW(AdamW);
    /// Stochastic gradient descent.
    Sgd(Sgd);
    /// Gradients over the root of their mean square, as in PyTorch.
    RmsProp(RmsProp);
    /// The same as in TensorFlow.
    RmsPropTf(RmsPropTf);
    /// Adam's direction, scaled for each layer.
    Lamb(Lamb);
    /// The sign of the momentum.
    Lion(Lion);
    /// Momentum made orthogonal, and AdamW.
    Muon(Muon);
}
