//! ResNet v1.5 for pictures of 64 px and more.

mod block;
mod network;

pub use block::Block;
pub(crate) use block::{conv, norm};
pub use network::{Depth, ResNet, ResNetSpec};
