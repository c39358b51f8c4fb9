//! Image classifiers on Burn with torchvision's names and numerics.
//!
//! A [`ModelSpec`] (the `[model]` table of an experiment) builds a [`Network`]; [`state_dict()`] and
//! [`load_state_dict()`] move its tensors out and in under torchvision's state-dict names.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use kiln_models::{Depth, ModelSpec, ResNetSpec};
//!
//! let device = Device::flex();
//! let network = ModelSpec::Resnet18(ResNetSpec::default()).build(10, &device);
//! let logits = network.forward(Tensor::zeros([1, 3, 64, 64], &device));
//! assert_eq!(logits.dims(), [1, 10]);
//! assert_eq!(Depth::D18.blocks(), [2, 2, 2, 2]);
//! ```

mod batch_norm;
mod catalog;
mod channel_dropout;
mod cifar_resnet;
mod error;
mod init;
mod layers;
mod names;
mod resnet;
mod state_dict;

pub use batch_norm::batch_norm;
pub use catalog::{ModelSpec, Network};
pub use channel_dropout::ChannelDropout;
pub use cifar_resnet::{CifarBlock, CifarResNet};
pub use error::Error;
pub use init::{UnitSource, initialize};
pub use layers::Kernels;
pub use names::{Named, parameter_count, parameter_names};
pub use resnet::{Block, Depth, ResNet, ResNetSpec};
pub use state_dict::{NamedTensor, load_state_dict, state_dict};
