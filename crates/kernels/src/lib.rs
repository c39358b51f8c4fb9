//! Convolution, batch norm, max pooling and squeeze-excite for Burn's CPU backend (flex) in f32, with their gradients.
//!
//! Burn's own modules keep the parameters; these functions only compute, on Burn's tensors, with and without autodiff.
//! Ask [`supports`] first: on any other backend or number format they panic, and Burn's operation is the one to call.
//!
//! ```
//! use burn::tensor::{Device, Distribution, Tensor};
//! use kiln_kernels::{Window, conv2d, supports};
//!
//! let device = Device::flex().autodiff();
//! let x = Tensor::<4>::random([2, 3, 8, 8], Distribution::Default, &device);
//! let weight = Tensor::<4>::random([4, 3, 3, 3], Distribution::Default, &device).require_grad();
//! assert!(supports(&x));
//! let window = Window { kernel: [3, 3], stride: [1, 1], padding: [1, 1] };
//! let y = conv2d(x, weight.clone(), window);
//! assert_eq!(y.dims(), [2, 4, 8, 8]);
//! let gradients = y.sum().backward();
//! assert_eq!(weight.grad(&gradients).map(|dw| dw.dims()), Some([4, 3, 3, 3]));
//! ```
//!
//! Results are maps whose values lie channels-last in memory, `[batch, height, width, channels]`; to Burn they are
//! permuted tensors of the usual shape. A chain of these functions never turns a map around; any other operation takes
//! one as it takes every permuted tensor.
//!
//! Every result is the same, bit for bit, for any number of threads. Threads are rayon's. Gradients are of the first
//! order.
//!
//! One file holds one operation, its formula and its cost at the top, forward beside backward: `convolution/`
//! (`direct.rs`, `weight_gradient.rs`, `winograd/`), `depthwise/`, `batch_norm.rs`, `max_pool.rs`, `squeeze_excite.rs`. `functions.rs` takes
//! Burn's tensors to them, through `backend.rs` and `autodiff.rs`; `product.rs` has the two matrix products below them.

#![allow(
    clippy::inline_always,
    reason = "what is not inlined into a vectorised pass is not compiled for its vectors"
)]
#![allow(
    clippy::needless_range_loop,
    reason = "indexed loops of constant length unroll, and their tiles stay in registers"
)]

mod activation;
mod autodiff;
mod backend;
mod batch_norm;
mod buffers;
mod convolution;
mod depthwise;
mod functions;
mod maps;
mod max_pool;
mod parallel;
mod passes;
mod product;
mod shared_input;
mod squeeze_excite;

pub use activation::Activation;
pub use backend::{NormSettings, Window};
pub use batch_norm::SyncNorm;
pub use functions::{
    NormLinks, Normalized, SqueezeExcite, batch_norm, batch_norm_linked, conv2d, conv2d_affine,
    conv2d_shared, depthwise_conv2d, depthwise_conv2d_affine, max_pool2d, scale_channels, squeeze,
    supports,
};
pub use shared_input::SharedInput;
