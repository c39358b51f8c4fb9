//! Image classifiers on Burn with torchvision's names and numerics.
//!
//! A [`ModelSpec`] (the `[model]` table of an experiment) builds a [`Network`]; [`state_dict()`] and
//! [`load_state_dict()`] move its tensors out and in under torchvision's state-dict names; [`WeightsFile`],
//! [`load_weights`] and [`to_safetensors`] do so with files.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use kiln_models::{ModelSpec, ResNetSpec};
//!
//! let device = Device::flex();
//! let network = ModelSpec::Resnet18(ResNetSpec::default()).build(10, &device);
//! let logits = network.forward(Tensor::zeros([1, 3, 64, 64], &device));
//! assert_eq!(logits.dims(), [1, 10]);
//! ```

mod batch_norm;
mod blur_pool;
mod catalog;
mod channel_dropout;
mod cifar_resnet;
mod depth;
mod efficientnet;
mod error;
mod freeze;
mod head;
mod init;
mod layers;
mod names;
mod resnet;
mod squeeze_excite;
mod state_dict;
mod statistics;
mod stochastic_depth;
mod weights;

pub use batch_norm::batch_norm;
pub use blur_pool::blur_pool;
pub use catalog::{ModelSpec, Network};
pub use channel_dropout::ChannelDropout;
pub use cifar_resnet::{CifarBlock, CifarResNet, CifarResNetSpec};
pub use efficientnet::{
    Body, Constants, ConvNorm, EfficientNet, EfficientNetSpec, EfficientNetVariant,
    InvertedResidual, Part,
};
pub use error::Error;
pub use freeze::Freeze;
pub use head::{Head, HeadSpec, LinearHead, Mlp, MlpHead};
pub use init::{LinearInit, UnitSource, initialize};
pub use kiln_kernels::SyncNorm;
pub use layers::{DropScale, Kernels};
pub use names::{Named, parameter_count, parameter_names};
pub use resnet::{Block, FirstConvolutions, ResNet, ResNetSpec, ResNetVariant, Shortcut};
pub use squeeze_excite::SqueezeExcite;
pub use state_dict::{NamedTensor, load_state_dict, state_dict, state_dict_shapes};
pub use statistics::{RunningStatistics, StatisticsPass};
pub use stochastic_depth::StochasticDepth;
pub use weights::{
    Format, Layout, LoadReport, LoadSettings, Mismatch, NumberType, StoredTensor, WeightsError,
    WeightsFile, in_layout, load_weights, to_safetensors,
};
