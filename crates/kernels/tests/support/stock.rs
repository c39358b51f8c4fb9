//! The operations as Burn has them.

use burn::tensor::Tensor;
use burn::tensor::activation::{relu, silu};
use burn::tensor::module;
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use kiln_kernels::{Activation, NormSettings, Window};

pub(crate) fn conv2d(x: Tensor<4>, weight: Tensor<4>, window: Window) -> Tensor<4> {
    let options = ConvOptions::new(window.stride, window.padding, [1, 1], 1);
    module::conv2d(x, weight, None, options)
}

pub(crate) fn conv2d_affine(
    x: Tensor<4>,
    weight: Tensor<4>,
    [scale, shift]: [Tensor<1>; 2],
    residual: Option<Tensor<4>>,
    window: Window,
    activation: Activation,
) -> Tensor<4> {
    let channels = scale.dims()[0];
    let wide = |vector: Tensor<1>| vector.reshape([1, channels, 1, 1]);
    let y = conv2d(x, weight, window) * wide(scale) + wide(shift);
    then(y, residual, activation)
}

pub(crate) fn batch_norm(
    x: Tensor<4>,
    [gamma, beta]: [Tensor<1>; 2],
    residual: Option<Tensor<4>>,
    settings: NormSettings,
) -> Tensor<4> {
    let y = module::batch_norm_train(x, gamma, beta, settings.epsilon).output;
    then(y, residual, settings.activation)
}

pub(crate) fn depthwise_conv2d(x: Tensor<4>, weight: Tensor<4>, window: Window) -> Tensor<4> {
    let groups = weight.dims()[0];
    let options = ConvOptions::new(window.stride, window.padding, [1, 1], groups);
    module::conv2d(x, weight, None, options)
}

pub(crate) fn max_pool2d(x: Tensor<4>, window: Window) -> Tensor<4> {
    let options =
        MaxPoolOptions::new(window.kernel).with_stride(window.stride).with_padding(window.padding);
    module::max_pool2d(x, options)
}

pub(crate) fn then(y: Tensor<4>, residual: Option<Tensor<4>>, activation: Activation) -> Tensor<4> {
    let y = match residual {
        Some(residual) => y + residual,
        None => y,
    };
    match activation {
        Activation::None => y,
        Activation::Relu => relu(y),
        Activation::Silu => silu(y),
    }
}
