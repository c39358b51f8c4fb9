//! Depthwise convolution of channels-last maps: every channel has a filter of its own.
//!
//! Forward: `y[n, oh, ow, c] = sum over (kh, kw) of x[n, oh * s + kh - p, ow * s + kw - p, c] * w[c, kh, kw]`.
//! Neighbouring channels lie side by side, so vectors run along them and no value is ever moved within one.

mod gather;
mod packed_filters;
mod weight_gradient;

pub(crate) use gather::{forward, input_gradient};
pub(crate) use weight_gradient::weight_gradient;
