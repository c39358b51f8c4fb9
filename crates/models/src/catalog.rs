//! Every model by the name that a configuration uses.
//!
//! A new model is one file with its `mod` line and a row of [`ModelSpec`]'s table; a new kind of network, as opposed to
//! another depth of a known one, is also named in [`Network`]'s.

use crate::cifar_resnet::CifarResNet;
use crate::error::Error;
use crate::init::{UnitSource, initialize};
use crate::layers::Kernels;
use crate::resnet::{Depth, ResNet, ResNetSpec};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// Writes [`ModelSpec`]: `Variant(Settings) => Kind, how to build it;`. The variant in snake case is the name in TOML.
macro_rules! models {
    ($($(#[$doc:meta])* $variant:ident($spec:ty) => $kind:ident, $build:expr;)*) => {
        /// The `[model]` table of an experiment: `type` and the settings of that type.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "type", rename_all = "snake_case")]
        pub enum ModelSpec {
            $($(#[$doc])* $variant($spec),)*
        }

        impl ModelSpec {
            /// The network with all tensors zero or one, for values from a file.
            pub fn build(&self, classes: usize, device: &Device) -> Network {
                match self {
                    $(Self::$variant(spec) => {
                        let build: fn(&$spec, usize, &Device) -> $kind = $build;
                        Network::$kind(build(spec, classes, device))
                    })*
                }
            }

            /// # Errors
            /// [`Error::OutOfRange`] naming the setting.
            pub fn validate(&self) -> Result<(), Error> {
                match self {
                    $(Self::$variant(spec) => spec.validate(),)*
                }
            }

            /// Whether residual blocks start as the identity.
            fn zero_init_last_gamma(&self) -> bool {
                match self {
                    $(Self::$variant(spec) => spec.zero_init_last_gamma,)*
                }
            }

            /// One of every model with its default settings, in the catalog's order.
            pub fn all() -> Vec<Self> {
                vec![$(Self::$variant(<$spec>::default()),)*]
            }
        }
    };
}

models! {
    /// ResNet-18 v1.5.
    Resnet18(ResNetSpec) => ResNet, |spec, classes, device| ResNet::new(Depth::D18, spec, classes, device);
    /// ResNet-34 v1.5.
    Resnet34(ResNetSpec) => ResNet, |spec, classes, device| ResNet::new(Depth::D34, spec, classes, device);
    /// ResNet-50 v1.5.
    Resnet50(ResNetSpec) => ResNet, |spec, classes, device| ResNet::new(Depth::D50, spec, classes, device);
    /// ResNet-101 v1.5.
    Resnet101(ResNetSpec) => ResNet, |spec, classes, device| ResNet::new(Depth::D101, spec, classes, device);
    /// ResNet-20 for 32 px pictures.
    Resnet20(ResNetSpec) => CifarResNet, |spec, classes, device| CifarResNet::new(3, spec, classes, device);
}

impl ModelSpec {
    /// The network with initial values drawn from the source that `source` makes for each tensor's name.
    ///
    /// # Errors
    /// None for a catalogued model; see [`initialize`].
    pub fn initialize(
        &self,
        classes: usize,
        device: &Device,
        source: impl Fn(&str) -> UnitSource,
    ) -> Result<Network, Error> {
        let network = self.build(classes, device);
        let zeroed = if self.zero_init_last_gamma() { network.last_gammas() } else { Vec::new() };
        initialize(network, &zeroed, source)
    }
}

/// Writes [`Network`]: one variant for each kind of network, and calls passed on to it.
macro_rules! networks {
    ($($kind:ident),*) => {
        /// Any network of the catalog.
        #[derive(Module, Debug)]
        pub enum Network {
            $(
                #[doc = concat!("A [`", stringify!($kind), "`].")]
                $kind($kind),
            )*
        }

        impl Network {
            /// Everything before the classifier.
            ///
            /// # Shapes
            /// `[batch, 3, height, width]` to `[batch, features, height', width']`.
            pub fn forward_features(&self, input: Tensor<4>) -> Tensor<4> {
                match self { $(Self::$kind(network) => network.forward_features(input),)* }
            }

            /// Pooling, dropout and the classifier.
            ///
            /// # Shapes
            /// `[batch, features, height', width']` to `[batch, classes]`.
            pub fn forward_head(&self, features: Tensor<4>) -> Tensor<2> {
                match self { $(Self::$kind(network) => network.forward_head(features),)* }
            }

            /// The same network on other kernels.
            pub fn with_kernels(mut self, kernels: Kernels) -> Self {
                match &mut self { $(Self::$kind(network) => network.kernels = kernels,)* }
                self
            }

            fn last_gammas(&self) -> Vec<String> {
                match self { $(Self::$kind(network) => network.last_gammas(),)* }
            }
        }
    };
}

networks!(ResNet, CifarResNet);

impl Network {
    /// From pictures to logits. Build the input on an autodiff device to train: on a plain device batch norm and
    /// dropout behave as in evaluation.
    ///
    /// # Shapes
    /// `[batch, 3, height, width]`, normalised, to `[batch, classes]`.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<2> {
        self.forward_head(self.forward_features(input))
    }
}
