//! Weights in files: PyTorch's and safetensors, with torchvision's and timm's names.

mod error;
mod file;
mod first_convolution;
mod layout;
mod load;
mod save;

pub use error::{Mismatch, WeightsError};
pub use file::{Format, NumberType, StoredTensor, WeightsFile};
pub use layout::Layout;
pub use load::{LoadReport, LoadSettings, load_weights};
pub use save::{in_layout, to_safetensors};
