//! ResNet v1.5 and its relatives for pictures of 64 px and more.

mod block;
mod network;
mod shortcut;
mod spec;
mod stem;
mod variant;

pub use block::Block;
pub(crate) use block::{conv, norm};
pub use network::ResNet;
pub use shortcut::Shortcut;
pub use spec::ResNetSpec;
pub use stem::FirstConvolutions;
pub use variant::ResNetVariant;
