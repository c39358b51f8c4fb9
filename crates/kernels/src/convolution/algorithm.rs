//! Which algorithm a convolution takes.

use super::epilogue::Epilogue;
use super::shape::ConvShape;
use super::{direct, weight_gradient as sums, winograd};

/// `y = conv2d(x, w)`, then the epilogue.
pub(crate) fn forward(
    shape: ConvShape,
    x: &[f32],
    weight: &[f32],
    end: &Epilogue<'_>,
    y: &mut [f32],
) {
    if winograd::suits(shape) {
        winograd::forward(shape, x, weight, end, y);
    } else {
        direct::forward(shape, x, weight, end, y);
    }
}

/// `dx`, the gradient of the input, of `dy`, the gradient of the output; then the epilogue.
pub(crate) fn input_gradient(
    shape: ConvShape,
    dy: &[f32],
    weight: &[f32],
    end: &Epilogue<'_>,
    dx: &mut [f32],
) {
    if winograd::suits(shape) {
        winograd::input_gradient(shape, dy, weight, end, dx);
    } else {
        direct::input_gradient(shape, dy, weight, end, dx);
    }
}

/// `dw`, the gradient of the weight, as `[o, i, kh, kw]`.
pub(crate) fn weight_gradient(shape: ConvShape, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    if winograd::suits(shape) {
        winograd::weight_gradient(shape, x, dy, dw);
    } else {
        sums::weight_gradient(shape, x, dy, dw);
    }
}
