//! The operations as an extension of Burn's backends: what Burn's CPU backend, flex, does with its tensors.
//!
//! `backend_extension` writes the same traits for the backend that Burn's `Tensor` stands for; [`crate::autodiff`] adds
//! the gradients.

// The attribute generates public items without documentation.
#![allow(missing_docs, reason = "private module; the generated code has no place for comments")]

use crate::activation::Activation;
use crate::batch_norm::{Norm, Statistics, SyncNorm, statistics};
use crate::buffers::Buffer;
use crate::convolution::{self, ConvShape, Epilogue};
use crate::maps::{channels_last, contiguous, dims, from_buffer, matrix, slice, vector};
use crate::shared_input::SharedInput;
use crate::{depthwise, max_pool, squeeze_excite};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, ExtensionType, Flex, backend_extension};
use std::sync::Arc;

/// A map that is added before the activation. An enum of its own, for the extension's attribute takes no `Option`.
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
    /// What follows, after the sum with a residual.
    pub activation: Activation,
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
        activation: Activation,
    ) -> FloatTensor<Self>;

    fn kernel_depthwise_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        window: Window,
    ) -> FloatTensor<Self>;

    fn kernel_depthwise_conv2d_affine(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        window: Window,
        activation: Activation,
    ) -> FloatTensor<Self>;

    fn kernel_batch_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        #[extension_type] residual: Residual<Self>,
        settings: NormSettings,
        shared: Option<SharedInput>,
        sync: Option<SyncNorm>,
    ) -> Normalized<Self>;

    fn kernel_max_pool2d(x: FloatTensor<Self>, window: Window) -> FloatTensor<Self>;

    fn kernel_channel_means(x: FloatTensor<Self>, gate: SharedInput) -> FloatTensor<Self>;

    fn kernel_scale_channels(
        x: FloatTensor<Self>,
        gate: FloatTensor<Self>,
        means: SharedInput,
    ) -> FloatTensor<Self>;
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

    fn depthwise_input_gradient(
        shape: ConvShape,
        weight: FloatTensor<Self>,
        dy: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    fn depthwise_weight_gradient(
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

    /// Of the gates, `[batch, channels]`.
    fn gate_gradient(x: FloatTensor<Self>, dy: FloatTensor<Self>) -> FloatTensor<Self>;

    /// Of the map `[batch, channels, height, width]` that was scaled.
    fn scaled_gradient(scaled: ScaledGradient<Self>) -> FloatTensor<Self>;

    /// Of a map whose channels' means have this gradient, and that may have been scaled too.
    fn means_gradient(
        dims: [usize; 4],
        dmeans: FloatTensor<Self>,
        scaled: Option<ScaledGradient<Self>>,
    ) -> FloatTensor<Self>;
}

/// The gradient of a scaled map, and the gates.
#[derive(Debug, Clone)]
pub(crate) struct ScaledGradient<B: Backend> {
    pub dy: FloatTensor<B>,
    pub gate: FloatTensor<B>,
}

/// What the backward step of a batch norm remembers.
#[derive(Debug, Clone)]
pub(crate) struct SavedNorm<B: Backend> {
    pub x: FloatTensor<B>,
    pub gamma: FloatTensor<B>,
    pub beta: FloatTensor<B>,
    pub mean: FloatTensor<B>,
    pub variance: FloatTensor<B>,
    /// What was added before an activation.
    pub residual: Option<FloatTensor<B>>,
    pub settings: NormSettings,
    /// The ranks whose batch it was, and how many values of each channel they had.
    pub sync: Option<(SyncNorm, usize)>,
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

/// A depthwise convolution with an epilogue.
fn convolve_depthwise(
    x: FlexTensor,
    weight: FlexTensor,
    window: Window,
    end: &Epilogue<'_>,
) -> FlexTensor {
    let (x, weight) = (channels_last(x), contiguous(weight));
    let shape = shape_of(dims(&x), dims(&x)[1], window);
    let mut y = Buffer::of(shape.batch * shape.output.len());
    depthwise::forward(shape, slice(&x), slice(&weight), end, y.as_mut_slice());
    from_buffer(y, output_dims(shape))
}

/// A map times a gate for each picture and channel, plus a value for each.
fn scale(x: FlexTensor, gate: FlexTensor, added: Option<&[f32]>) -> FlexTensor {
    let (x, gate) = (channels_last(x), contiguous(gate));
    let dims @ [_, channels, height, width] = dims(&x);
    let mut y = Buffer::of(slice(&x).len());
    let pixels = height * width;
    squeeze_excite::scale(slice(&x), slice(&gate), added, pixels, channels, y.as_mut_slice());
    from_buffer(y, dims)
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
        activation: Activation,
    ) -> FlexTensor {
        let (scale, shift) = (contiguous(scale), contiguous(shift));
        let residual = channels_last_residual(residual);
        let end = Epilogue {
            affine: Some((slice(&scale), slice(&shift))),
            residual: residual.as_ref().map(slice),
            activation,
        };
        convolve(x, weight, window, &end)
    }

    fn kernel_depthwise_conv2d(x: FlexTensor, weight: FlexTensor, window: Window) -> FlexTensor {
        convolve_depthwise(x, weight, window, &Epilogue::default())
    }

    fn kernel_depthwise_conv2d_affine(
        x: FlexTensor,
        weight: FlexTensor,
        scale: FlexTensor,
        shift: FlexTensor,
        window: Window,
        activation: Activation,
    ) -> FlexTensor {
        let (scale, shift) = (contiguous(scale), contiguous(shift));
        let affine = Some((slice(&scale), slice(&shift)));
        convolve_depthwise(x, weight, window, &Epilogue { affine, residual: None, activation })
    }

    fn kernel_batch_norm(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        residual: Residual<Self>,
        settings: NormSettings,
        _: Option<SharedInput>,
        sync: Option<SyncNorm>,
    ) -> Normalized<Self> {
        let (x, gamma, beta) = (channels_last(x), contiguous(gamma), contiguous(beta));
        let residual = channels_last_residual(residual);
        let dims = dims(&x);
        let mut statistics = statistics(slice(&x), dims[1]);
        if let Some(sync) = sync {
            statistics = sync.statistics(statistics, slice(&x).len() / dims[1]);
        }
        let mut y = Buffer::of(slice(&x).len());
        let norm = Norm {
            x: slice(&x),
            statistics: &statistics,
            gamma: slice(&gamma),
            beta: slice(&beta),
            residual: residual.as_ref().map(slice),
            activation: settings.activation,
            epsilon: settings.epsilon,
        };
        norm.forward(y.as_mut_slice());
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

    fn kernel_channel_means(x: FlexTensor, _: SharedInput) -> FlexTensor {
        let x = channels_last(x);
        let [pictures, channels, height, width] = dims(&x);
        let means = squeeze_excite::means(slice(&x), pictures, height * width, channels);
        matrix(means, [pictures, channels])
    }

    fn kernel_scale_channels(x: FlexTensor, gate: FlexTensor, _: SharedInput) -> FlexTensor {
        scale(x, gate, None)
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

    fn depthwise_input_gradient(
        shape: ConvShape,
        weight: FlexTensor,
        dy: FlexTensor,
    ) -> FlexTensor {
        let (weight, dy) = (contiguous(weight), channels_last(dy));
        let mut dx = Buffer::of(shape.batch * shape.input.len());
        depthwise::input_gradient(shape, slice(&dy), slice(&weight), dx.as_mut_slice());
        from_buffer(dx, input_dims(shape))
    }

    fn depthwise_weight_gradient(shape: ConvShape, x: FlexTensor, dy: FlexTensor) -> FlexTensor {
        let (x, dy) = (channels_last(x), channels_last(dy));
        let dims = [shape.input.channels, 1, shape.kernel[0], shape.kernel[1]];
        let mut dw = vec![0.0; dims.iter().product()];
        depthwise::weight_gradient(shape, slice(&x), slice(&dy), &mut dw);
        FlexTensor::from_data(burn::tensor::TensorData::new(dw, dims))
    }

    fn batch_norm_backward(
        saved: SavedNorm<Self>,
        dy: FlexTensor,
        needs_residual: bool,
    ) -> NormGradients<Self> {
        let (x, dy) = (channels_last(saved.x), channels_last(dy));
        let (gamma, beta) = (contiguous(saved.gamma), contiguous(saved.beta));
        let residual = saved.residual.map(channels_last);
        let statistics = Statistics {
            mean: slice(&saved.mean).to_vec(),
            variance: slice(&saved.variance).to_vec(),
        };
        let norm = Norm {
            x: slice(&x),
            statistics: &statistics,
            gamma: slice(&gamma),
            beta: slice(&beta),
            residual: residual.as_ref().map(slice),
            activation: saved.settings.activation,
            epsilon: saved.settings.epsilon,
        };
        let sums = norm.parameter_gradients(slice(&dy));
        let mut dx = Buffer::of(slice(&x).len());
        // Without an activation the residual's gradient is the result's.
        let cuts = residual.is_some();
        let mut dresidual = (needs_residual && cuts).then(|| Buffer::of(slice(&x).len()));
        let d = dresidual.as_mut().map(Buffer::as_mut_slice);
        let own = slice(&x).len() / norm.gamma.len();
        let of_all = saved.sync.map(|(sync, count)| (sync.sums(&sums), count));
        let over = of_all.as_ref().map_or((&sums, own), |(sums, count)| (sums, *count));
        norm.input_gradient(slice(&dy), over, dx.as_mut_slice(), d);
        let dims = dims(&x);
        let dresidual = dresidual.map(|map| from_buffer(map, dims));
        NormGradients {
            x: from_buffer(dx, dims),
            gamma: vector(sums.gamma),
            beta: vector(sums.beta),
            residual: dresidual.or((needs_residual && !cuts).then_some(dy)),
        }
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

    fn gate_gradient(x: FlexTensor, dy: FlexTensor) -> FlexTensor {
        let dims @ [pictures, channels, height, width] = dims(&x);
        debug_assert_eq!(dims, self::dims(&dy));
        let (x, dy) = (channels_last(x), channels_last(dy));
        let sums = squeeze_excite::gate_gradient(
            slice(&x),
            slice(&dy),
            pictures,
            height * width,
            channels,
        );
        matrix(sums, [pictures, channels])
    }

    fn scaled_gradient(scaled: ScaledGradient<Self>) -> FlexTensor {
        scale(scaled.dy, scaled.gate, None)
    }

    fn means_gradient(
        dims: [usize; 4],
        dmeans: FlexTensor,
        scaled: Option<ScaledGradient<Self>>,
    ) -> FlexTensor {
        let [_, channels, height, width] = dims;
        let dmeans = contiguous(dmeans);
        let shares = squeeze_excite::mean_shares(slice(&dmeans), height * width);
        if let Some(ScaledGradient { dy, gate }) = scaled {
            return scale(dy, gate, Some(&shares));
        }
        let mut dx = Buffer::of(dims.iter().product());
        squeeze_excite::spread(&shares, height * width, channels, dx.as_mut_slice());
        from_buffer(dx, dims)
    }
}
