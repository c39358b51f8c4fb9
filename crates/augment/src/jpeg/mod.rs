//! What JPEG does to a picture, without the file.
//!
//! Entropy coding loses nothing, so it is left out: a picture goes from RGB to coefficients and back as in an encoder
//! followed by a decoder. The arithmetic is that of libjpeg-turbo with its defaults: baseline, chroma subsampled 4:2:0,
//! the accurate integer transform, smooth upsampling.
#![allow(
    clippy::inline_always,
    reason = "what is not inlined into `with_simd` is not compiled for the processor's vectors"
)]

pub(crate) mod color;
pub(crate) mod compress;
pub(crate) mod dct;
pub(crate) mod quantization;
pub(crate) mod sampling;
pub(crate) mod transpose;
