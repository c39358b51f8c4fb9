//! Every model by the name that a configuration uses.
//!
//! A new model is one file with its `mod` line and a row of [`ModelSpec`]'s table; a new kind of network, as opposed to
//! another depth of a known one, is also named in [`Network`]'s.

use crate::cifar_resnet::{CifarResNet, CifarResNetSpec};
use crate::efficientnet::{Constants, EfficientNet, EfficientNetSpec, EfficientNetVariant};
use crate::error::Error;
use crate::init::{LinearInit, UnitSource, initialize};
use crate::layers::{DropScale, Kernels};
use crate::names::parameter_names;
use crate::resnet::{ResNet, ResNetSpec, ResNetVariant};
use burn::module::{Module, ParamId};
use burn::tensor::{Device, Tensor};
use kiln_kernels::SyncNorm;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::ops::Range;

/// Writes [`ModelSpec`]: `Variant(Settings) => Kind::new(which);`. The variant in snake case is the name in TOML.
macro_rules! models {
    ($($(#[$doc:meta])* $variant:ident($spec:ty) => $kind:ident::new($which:expr);)*) => {
        /// The `[model]` table of an experiment: `type` and the settings of that type.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "type", rename_all = "snake_case")]
        pub enum ModelSpec {
            $($(#[$doc])* $variant($spec),)*
        }

        impl ModelSpec {
            /// The network for pictures of `channels` channels with all tensors zero or one, for values from a file.
            pub fn build_for(&self, channels: usize, classes: usize, device: &Device) -> Network {
                match self {
                    $(Self::$variant(spec) => {
                        Network::$kind($kind::new($which, spec, channels, classes, device))
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
                    $(Self::$variant(spec) => spec.zero_init_last_gamma(),)*
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
    Resnet18(ResNetSpec) => ResNet::new(ResNetVariant::ResNet18);
    /// ResNet-34 v1.5.
    Resnet34(ResNetSpec) => ResNet::new(ResNetVariant::ResNet34);
    /// ResNet-50 v1.5.
    Resnet50(ResNetSpec) => ResNet::new(ResNetVariant::ResNet50);
    /// ResNet-101 v1.5.
    Resnet101(ResNetSpec) => ResNet::new(ResNetVariant::ResNet101);
    /// ResNet-152 v1.5.
    Resnet152(ResNetSpec) => ResNet::new(ResNetVariant::ResNet152);
    /// Wide ResNet-50-2.
    #[serde(rename = "wide_resnet50_2")]
    WideResnet50x2(ResNetSpec) => ResNet::new(ResNetVariant::WideResNet50x2);
    /// ResNeXt-50 32x4d.
    #[serde(rename = "resnext50_32x4d")]
    Resnext50x32x4d(ResNetSpec) => ResNet::new(ResNetVariant::ResNeXt50x32x4d);
    /// ResNet-20 for 32 px pictures.
    Resnet20(CifarResNetSpec) => CifarResNet::new(3);
    /// ResNet-32 for 32 px pictures.
    Resnet32(CifarResNetSpec) => CifarResNet::new(5);
    /// ResNet-44 for 32 px pictures.
    Resnet44(CifarResNetSpec) => CifarResNet::new(7);
    /// ResNet-56 for 32 px pictures.
    Resnet56(CifarResNetSpec) => CifarResNet::new(9);
    /// EfficientNet-B0, made for 224 px.
    EfficientnetB0(EfficientNetSpec) => EfficientNet::new(EfficientNetVariant::B0);
    /// EfficientNet-B1, made for 240 px.
    EfficientnetB1(EfficientNetSpec) => EfficientNet::new(EfficientNetVariant::B1);
    /// EfficientNet-B2, made for 260 px.
    EfficientnetB2(EfficientNetSpec) => EfficientNet::new(EfficientNetVariant::B2);
    /// EfficientNet-B3, made for 300 px.
    EfficientnetB3(EfficientNetSpec) => EfficientNet::new(EfficientNetVariant::B3);
    /// EfficientNet-B4, made for 380 px.
    EfficientnetB4(EfficientNetSpec) => EfficientNet::new(EfficientNetVariant::B4);
    /// EfficientNet-B5, made for 456 px.
    EfficientnetB5(EfficientNetSpec) => EfficientNet::new(EfficientNetVariant::B5);
    /// EfficientNet-B6, made for 528 px.
    EfficientnetB6(EfficientNetSpec) => EfficientNet::new(EfficientNetVariant::B6);
    /// EfficientNet-B7, made for 600 px.
    EfficientnetB7(EfficientNetSpec) => EfficientNet::new(EfficientNetVariant::B7);
}

impl ModelSpec {
    /// The name in a configuration, such as `resnet18`.
    pub fn name(&self) -> String {
        let table = serde_json::to_value(self).unwrap_or_default();
        table["type"].as_str().unwrap_or_default().to_owned()
    }

    /// The same model with an EfficientNet's constants; any other model as it is.
    pub fn with_constants(mut self, constants: Constants) -> Self {
        match &mut self {
            Self::EfficientnetB0(spec)
            | Self::EfficientnetB1(spec)
            | Self::EfficientnetB2(spec)
            | Self::EfficientnetB3(spec)
            | Self::EfficientnetB4(spec)
            | Self::EfficientnetB5(spec)
            | Self::EfficientnetB6(spec)
            | Self::EfficientnetB7(spec) => spec.constants = constants,
            _ => {}
        }
        self
    }

    /// The network for colour pictures with all tensors zero or one, for values from a file.
    pub fn build(&self, classes: usize, device: &Device) -> Network {
        self.build_for(3, classes, device)
    }

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
        let zeroed = network.zeroed_gammas(self);
        let linear = network.linear_init();
        initialize(network, linear, &zeroed, source)
    }
}

/// Writes [`Network`]: one variant for each kind of network, and calls passed on to it.
macro_rules! networks {
    ($($kind:ident),*) => {
        /// Any network of the catalog.
        #[allow(clippy::large_enum_variant, reason = "a program has a few of them")]
        #[derive(Module, Debug)]
        pub enum Network {
            $(
                #[doc = concat!("A [`", stringify!($kind), "`].")]
                $kind($kind),
            )*
        }

        impl Network {
            fn forward_stage(&self, stage: usize, map: Tensor<4>) -> Tensor<4> {
                match self { $(Self::$kind(network) => network.forward_stage(stage, map),)* }
            }

            /// Pooling, dropout and the classifier.
            ///
            /// # Shapes
            /// `[batch, features, height', width']` to `[batch, classes]`.
            pub fn forward_head(&self, features: Tensor<4>) -> Tensor<2> {
                match self { $(Self::$kind(network) => network.forward_head(features),)* }
            }

            /// How much of a batch's statistics goes into the running ones.
            pub fn batch_norm_momentum(&self) -> f64 {
                match self { $(Self::$kind(network) => network.batch_norm_momentum(),)* }
            }

            /// The same network on other kernels.
            pub fn with_kernels(mut self, kernels: Kernels) -> Self {
                match &mut self { $(Self::$kind(network) => network.execution.kernels = kernels,)* }
                self
            }

            /// The same network with batch norms over the pictures of several ranks in training, where it runs on
            /// [`Kernels::Fast`] on the CPU; without, over its own.
            pub fn with_sync_norm(mut self, sync: Option<SyncNorm>) -> Self {
                match &mut self { $(Self::$kind(network) => network.execution.sync = sync,)* }
                self
            }

            /// The same network with other drop probabilities in training.
            pub fn with_drop_scale(mut self, scale: DropScale) -> Self {
                match &mut self { $(Self::$kind(network) => network.execution.drops = scale,)* }
                self
            }
        }
    };
}

networks!(ResNet, CifarResNet, EfficientNet);

impl Network {
    /// The stages before the classifier, in order: the stem, then layers of blocks.
    pub fn stage_names(&self) -> Vec<String> {
        match self {
            Self::ResNet(_) => ResNet::STAGES.map(str::to_owned).to_vec(),
            Self::CifarResNet(_) => CifarResNet::STAGES.map(str::to_owned).to_vec(),
            Self::EfficientNet(network) => network.stage_names(),
        }
    }

    /// Everything before the classifier.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to `[batch, features, height', width']`.
    pub fn forward_features(&self, input: Tensor<4>) -> Tensor<4> {
        self.forward_between(0..self.stage_names().len(), input)
    }

    /// The stages of a range, from the map before the first of them, of stage 0 the picture, to the map after the last;
    /// what lies past the end does nothing.
    ///
    /// # Shapes
    /// `[batch, features, height, width]` to `[batch, features', height', width']`.
    pub fn forward_between(&self, stages: Range<usize>, map: Tensor<4>) -> Tensor<4> {
        stages.fold(map, |map, stage| self.forward_stage(stage, map))
    }

    /// The map after each stage, the last one being what the classifier takes.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to maps `[batch, features, height', width']`.
    pub fn forward_stages(&self, input: Tensor<4>) -> Vec<Tensor<4>> {
        let mut map = input;
        let stages = 0..self.stage_names().len();
        let mut next = |stage| {
            map = self.forward_stage(stage, map.clone());
            map.clone()
        };
        stages.map(&mut next).collect()
    }

    /// What the state-dict names of the classifier's tensors begin with.
    pub fn head_prefix(&self) -> &'static str {
        match self {
            Self::ResNet(_) | Self::CifarResNet(_) => "fc.",
            Self::EfficientNet(_) => "classifier.",
        }
    }

    /// The classifier's parameters.
    pub fn head_parameters(&self) -> HashSet<ParamId> {
        let named = parameter_names(self).into_iter();
        let of_head = named.filter(|named| named.name.starts_with(self.head_prefix()));
        of_head.map(|named| named.id).collect()
    }

    /// The state-dict name of the weight that takes the pictures.
    pub fn first_weight(&self) -> &'static str {
        match self {
            Self::ResNet(network) => network.first_weight(),
            Self::CifarResNet(_) => "conv1.weight",
            Self::EfficientNet(_) => "features.0.0.weight",
        }
    }

    fn linear_init(&self) -> LinearInit {
        match self {
            Self::ResNet(_) | Self::CifarResNet(_) => LinearInit::Inputs,
            Self::EfficientNet(_) => LinearInit::Outputs,
        }
    }

    /// Names of the batch norms' weights that start at zero, if the settings ask for it.
    fn zeroed_gammas(&self, spec: &ModelSpec) -> Vec<String> {
        let all = match self {
            Self::ResNet(network) => network.last_gammas(),
            Self::CifarResNet(network) => network.last_gammas(),
            Self::EfficientNet(_) => Vec::new(),
        };
        if spec.zero_init_last_gamma() { all } else { Vec::new() }
    }

    /// From pictures to logits. Build the input on an autodiff device to train: on a plain device batch norm and
    /// dropout behave as in evaluation.
    ///
    /// The network computes in the input's number format, f32, bf16 or f16, but for batch norm, pooling and the classifier,
    /// which are f32 like the logits and all parameters.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]`, normalised, to `[batch, classes]`.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<2> {
        self.forward_head(self.forward_features(input))
    }
}
