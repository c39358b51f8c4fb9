//! EfficientNet-B0 to B7.

mod block;
mod conv_norm;
mod network;
mod scaling;
mod spec;

pub use block::{Body, InvertedResidual};
pub use conv_norm::ConvNorm;
pub use network::{EfficientNet, Part};
pub use scaling::EfficientNetVariant;
pub use spec::{Constants, EfficientNetSpec};
