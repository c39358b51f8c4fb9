//! Mixing each pixel with those around it.
#![allow(
    clippy::inline_always,
    reason = "what is not inlined into `with_simd` is not compiled for the processor's vectors"
)]

pub(crate) mod border;
pub(crate) mod box_blur;
pub(crate) mod disk;
pub(crate) mod gaussian;
pub(crate) mod kernel_size;
pub(crate) mod median;
pub(crate) mod pillow;
pub(crate) mod separable;
mod sorted;
pub(crate) mod taps;
