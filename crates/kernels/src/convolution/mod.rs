//! 2-D convolution of channels-last maps: forward and both gradients.

mod algorithm;
mod direct;
mod epilogue;
mod shape;
mod weight_gradient;
mod winograd;

pub(crate) use algorithm::{forward, input_gradient, weight_gradient};
pub(crate) use epilogue::Epilogue;
pub(crate) use shape::{AxisTaps, ConvShape, MapSize};
