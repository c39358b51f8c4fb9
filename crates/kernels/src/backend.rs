//! The operations as an extension of Burn's backends: what Burn's CPU backend, flex, does with its tensors.
//!
//! `backend_extension` writes the same traits for the backend that Burn's `Tensor` stands for; [`crate::autodiff`] adds
//! the gradients.

// The attribute generates public items without documentation.
#![allow(missing_docs, reason = "private module; the generated code has no place for comments")]

use crate::batch_norm::{Norm, ParameterGradients, Statistics, statistics};
use crate::buffers::Buffer;
use crate::convolution::{self, ConvShape, Epilogue};
use crate::maps::{channels_last, contiguous, dims, from_buffer, slice, vector};
use crate::max_pool;
use crate::shared_input::SharedInput;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, ExtensionType, Flex, backend_extension};
use std::sync::Arc;

/// A map that is added before the ReLU. An enum of its own, for the extension's attribute takes no `Option`.
#[derive(ExtensionType, Debug, Clone)]
pub(crate) enum Residual<B: Backend> {
    Add(FloatTensor<B>),
    Nothing,
}

/// The result of a batch norm and the batch's statistics, which are constants to autodiff.
#[derive(ExtensionType, Debug, Clone)]
pub(crate) struct Normalized<B: Backend> {
    pub output: FloatTensor<B>,
    pub mean: FloatTensor<B>,
    pub variance: FloatTensor<B>,
}

/// How a kernel moves over a map; height before width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Size of the kernel.
    pub kernel: [usize; 2],
    /// Pixels from one output to the next.
    pub stride: [usize; 2],
    /// Pixels added around the map, before and behind alike.
    pub padding: [usize; 2],
}

/// What happens behind a normalisation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NormSettings {
    /// Added to the variance.
    pub epsilon: f64,
    /// Whether a ReLU follows.
    pub relu: bool,
}

#[backend_extension(Flex, Autodiff)]
pub(crate) trait KernelBackend: Backend {
    fn kernel_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        window: Window,
        shared: Option<SharedInput>,
    ) -> FloatTensor<Self>;

    fn kernel_conv2d_affine(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        #[extension_type] residual: Residual<Self>,
        window: Window,
        relu: bool,
    ) -> FloatTensor<Self>;

    fn kernel_batch_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        #[extension_type] residual: Residual<Self>,
        settings: NormSettings,
        shared: Option<SharedInput>,
    ) -> Normalized<Self>;

    fn kernel_max_pool2d(x: FloatTensor<Self>, window: Window) -> FloatTensor<Self>;
}

/// What the gradients need from the backend under autodiff.
pub(crate) trait KernelGradients: KernelBackend {
    /// Plus a gradient that is there already.
    fn conv2d_input_gradient(
        shape: ConvShape,
        weight: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        other: Option<FloatTensor<Self>>,
    ) -> FloatTensor<Self>;

    fn conv2d_weight_gradient(
        shape: ConvShape,
        x: FloatTensor<Self>,
        dy: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    fn batch_norm_backward(
        saved: SavedNorm<Self>,
        dy: FloatTensor<Self>,
        needs_residual: bool,
    ) -> NormGradients<Self>;

    /// The pooled map and the winners that [`Self::max_pool2d_backward`] needs.
    fn max_pool2d_with_winners(
        shape: ConvShape,
        x: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, Arc<Vec<u8>>);

    fn max_pool2d_backward(
        shape: ConvShape,
        winners: &[u8],
        dy: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

/// What the backward step of a batch norm remembers.
#[derive(Debug, Clone)]
pub(crate) struct SavedNorm<B: Backend> {
    pub x: FloatTensor<B>,
    pub gamma: FloatTensor<B>,
    pub mean: FloatTensor<B>,
    pub variance: FloatTensor<B>,
    /// The result, if a ReLU cut it.
    pub y: Option<FloatTensor<B>>,
    pub epsilon: f64,
}

#[derive(Debug)]
pub(crate) struct NormGradients<B: Backend> {
    pub x: FloatTensor<B>,
    pub gamma: FloatTensor<B>,
    pub beta: FloatTensor<B>,
    pub residual: Option<FloatTensor<B>>,
}

/// The sizes of a convolution or pooling.
pub(crate) fn shape_of(x: [usize; 4], outputs: usize, window: Window) -> ConvShape {
    let [kernel_height, kernel_width] = window.kernel;
    ConvShape::new(x, [outputs, x[1], kernel_height, kernel_width], window.stride, window.padding)
}

pub(crate) fn output_dims(shape: ConvShape) -> [usize; 4] {
    [shape.batch, shape.output.channels, shape.output.height, shape.output.width]
}

fn input_dims(shape: ConvShape) -> [usize; 4] {
    [shape.batch, shape.input.channels, shape.input.height, shape.input.width]
}

fn channels_last_residual(residual: Residual<Flex>) -> Option<FlexTensor> {
    match residual {
        Residual::Add(map) => Some(channels_last(map)),
        Residual::Nothing => None,
    }
}

/// A convolution with an epilogue.
fn convolve(x: FlexTensor, weight: FlexTensor, window: Window, end: &Epilogue<'_>) -> FlexTensor {
    let (x, weight) = (channels_last(x), contiguous(weight));
    let shape = shape_of(dims(&x), dims(&weight)[0], window);
    let mut y = Buffer::of(shape.batch * shape.output.len());
    convolution::forward(shape, slice(&x), slice(&weight), end, y.as_mut_slice());
    from_buffer(y, output_dims(shape))
}

impl KernelBackend for Flex {
    fn kernel_conv2d(
        x: FlexTensor,
        weight: FlexTensor,
        window: Window,
        _: Option<SharedInput>,
    ) -> FlexTensor {
        convolve(x, weight, window, &Epilogue::default())
    }

    fn kernel_conv2d_affine(
        x: FlexTensor,
        weight: FlexTensor,
        scale: FlexTensor,
        shift: FlexTensor,
        residual: Residual<Self>,
        window: Window,
        relu: bool,
    ) -> FlexTensor {
        let (scale, shift) = (contiguous(scale), contiguous(shift));
        let residual = channels_last_residual(residual);
        let end = Epilogue {
            affine: Some((slice(&scale), slice(&shift))),
            residual: residual.as_ref().map(slice),
            relu,
        };
        convolve(x, weight, window, &end)
    }

    fn kernel_batch_norm(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        residual: Residual<Self>,
        settings: NormSettings,
        _: Option<SharedInput>,
    ) -> Normalized<Self> {
        let (x, gamma, beta) = (channels_last(x), contiguous(gamma), contiguous(beta));
        let residual = channels_last_residual(residual);
        let dims = dims(&x);
        let statistics = statistics(slice(&x), dims[1]);
        let mut y = Buffer::of(slice(&x).len());
        let norm = Norm { x: slice(&x), statistics: &statistics, epsilon: settings.epsilon };
        let affine = [slice(&gamma), slice(&beta)];
        norm.forward(affine, residual.as_ref().map(slice), settings.relu, y.as_mut_slice());
        Normalized {
            output: from_buffer(y, dims),
            mean: vector(statistics.mean),
            variance: vector(statistics.variance),
        }
    }

    fn kernel_max_pool2d(x: FlexTensor, window: Window) -> FlexTensor {
        let shape = shape_of(dims(&x), dims(&x)[1], window);
        Self::max_pool2d_with_winners(shape, x).0
    }
}

impl KernelGradients for Flex {
    fn conv2d_input_gradient(
        shape: ConvShape,
        weight: FlexTensor,
        dy: FlexTensor,
        other: Option<FlexTensor>,
    ) -> FlexTensor {
        let (weight, dy, other) = (contiguous(weight), channels_last(dy), other.map(channels_last));
        let end = Epilogue { residual: other.as_ref().map(slice), ..Epilogue::default() };
        let mut dx = Buffer::of(shape.batch * shape.input.len());
        convolution::input_gradient(shape, slice(&dy), slice(&weight), &end, dx.as_mut_slice());
        from_buffer(dx, input_dims(shape))
    }

    fn conv2d_weight_gradient(shape: ConvShape, x: FlexTensor, dy: FlexTensor) -> FlexTensor {
        let (x, dy) = (channels_last(x), channels_last(dy));
        let dims = [shape.output.channels, shape.input.channels, shape.kernel[0], shape.kernel[1]];
        let mut dw = vec![0.0; dims.iter().product()];
        convolution::weight_gradient(shape, slice(&x), slice(&dy), &mut dw);
        FlexTensor::from_data(burn::tensor::TensorData::new(dw, dims))
    }

    fn batch_norm_backward(
        saved: SavedNorm<Self>,
        dy: FlexTensor,
        needs_residual: bool,
    ) -> NormGradients<Self> {
        let x = channels_last(saved.x);
        let gamma = contiguous(saved.gamma);
        let statistics = Statistics {
            mean: slice(&saved.mean).to_vec(),
            variance: slice(&saved.variance).to_vec(),
        };
        let dy = channels_last(dy);
        let norm = Norm { x: slice(&x), statistics: &statistics, epsilon: saved.epsilon };
        let y = saved.y.as_ref().map(slice);
        let mut d = Buffer::of(slice(&x).len());
        let sums = norm.backward_parameters(y, slice(&dy), d.as_mut_slice());
        let (dx, residual) = if needs_residual {
            let mut dx = Buffer::of(slice(&x).len());
            norm.backward_input(slice(&gamma), &sums, Some(d.as_slice()), dx.as_mut_slice());
            (dx, Some(from_buffer(d, dims(&x))))
        } else {
            norm.backward_input(slice(&gamma), &sums, None, d.as_mut_slice());
            (d, None)
        };
        let dx = from_buffer(dx, dims(&x));
        let ParameterGradients { gamma, beta } = sums;
        NormGradients { x: dx, gamma: vector(gamma), beta: vector(beta), residual }
    }

    fn max_pool2d_with_winners(shape: ConvShape, x: FlexTensor) -> (FlexTensor, Arc<Vec<u8>>) {
        let x = channels_last(x);
        let len = shape.batch * shape.output.len();
        let (mut y, mut winners) = (Buffer::of(len), vec![0; len]);
        max_pool::forward(shape, slice(&x), y.as_mut_slice(), &mut winners);
        (from_buffer(y, output_dims(shape)), Arc::new(winners))
    }

    fn max_pool2d_backward(shape: ConvShape, winners: &[u8], dy: FlexTensor) -> FlexTensor {
        let dy = channels_last(dy);
        let mut dx = Buffer::of(shape.batch * shape.input.len());
        max_pool::backward(shape, slice(&dy), winners, dx.as_mut_slice());
        from_buffer(dx, input_dims(shape))
    }
}
