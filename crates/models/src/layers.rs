//! The layers that every network is made of, on Kiln's kernels where they apply and on Burn's operations elsewhere.
//!
//! Parameters stay in Burn's own modules, so records, optimizers and freezing do not know the difference.

use crate::batch_norm::{batch_norm, update_running};
use crate::squeeze_excite::SqueezeExcite;
use burn::nn::conv::Conv2d;
use burn::nn::pool::MaxPool2d;
use burn::nn::{BatchNorm, Dropout, PaddingConfig2d};
use burn::tensor::activation::{relu, silu};
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{DType, Tensor};
use kiln_kernels::{Activation, NormLinks, NormSettings, SharedInput, SyncNorm, Window};
use serde::{Deserialize, Serialize};

/// Which implementation of convolution, batch norm, squeeze-excite and max pooling a network runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kernels {
    /// `kiln-kernels` for f32 on the CPU, Burn's operations elsewhere.
    #[default]
    Fast,
    /// Burn's operations everywhere.
    Reference,
}

/// Factors of the probabilities that a network's settings give, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DropScale {
    /// Of the dropout of features and of channels.
    pub dropout: f64,
    /// Of stochastic depth.
    pub stochastic_depth: f64,
}

impl Default for DropScale {
    fn default() -> Self {
        Self { dropout: 1.0, stochastic_depth: 1.0 }
    }
}

/// How a network runs, handed from the network down to every layer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Execution {
    pub(crate) kernels: Kernels,
    pub(crate) drops: DropScale,
    /// The ranks over whose pictures batch norms take their statistics, if not only this one's.
    pub(crate) sync: Option<SyncNorm>,
}

/// A dropout at a part of its probability.
pub(crate) fn scaled(dropout: &Dropout, scale: f64) -> Dropout {
    Dropout { prob: dropout.prob * scale, training: dropout.training.clone() }
}

/// A map that a layer takes, and whether another layer of the same block takes it too.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    map: Tensor<4>,
    shared: Option<SharedInput>,
}

impl From<Tensor<4>> for Input {
    fn from(map: Tensor<4>) -> Self {
        Self { map, shared: None }
    }
}

impl Input {
    /// The map, for an operation that does not share.
    pub(crate) fn map(self) -> Tensor<4> {
        self.map
    }
}

/// What follows a normalisation.
#[derive(Debug)]
pub(crate) struct Then {
    /// A map that is added.
    residual: Option<Input>,
    /// What comes after the sum.
    activation: Activation,
}

impl Then {
    pub(crate) const NOTHING: Self = Self { residual: None, activation: Activation::None };
    pub(crate) const RELU: Self = Self { residual: None, activation: Activation::Relu };
    pub(crate) const SILU: Self = Self { residual: None, activation: Activation::Silu };

    /// The sum with `residual`: the end of an inverted residual block.
    pub(crate) fn add(residual: impl Into<Input>) -> Self {
        Self { residual: Some(residual.into()), activation: Activation::None }
    }

    /// The sum with `residual`, and ReLU: the end of a residual block.
    pub(crate) fn add_relu(residual: impl Into<Input>) -> Self {
        Self { residual: Some(residual.into()), activation: Activation::Relu }
    }

    fn apply(self, x: Tensor<4>) -> Tensor<4> {
        let x = match self.residual {
            Some(residual) => x + residual.map,
            None => x,
        };
        match self.activation {
            Activation::None => x,
            Activation::Relu => relu(x),
            Activation::Silu => silu(x),
        }
    }
}

/// Whether a layer normalises by the batch's statistics.
fn trains(norm: &BatchNorm, x: &Tensor<4>) -> bool {
    x.device().is_autodiff() && norm.training.is_enabled()
}

impl Execution {
    fn apply_to(&self, x: &Tensor<4>) -> bool {
        self.kernels == Kernels::Fast && kiln_kernels::supports(x)
    }

    /// The input of a block, for exactly two layers: those that belong to `norms`.
    pub(crate) fn share(&self, map: Tensor<4>, norms: [&BatchNorm; 2]) -> Input {
        // With statistics that stand still, a layer runs in other steps, which do not share.
        let shares = self.apply_to(&map) && norms.iter().all(|norm| trains(norm, &map));
        Input { map, shared: shares.then(SharedInput::default) }
    }

    /// Convolution, batch norm and what follows them.
    ///
    /// # Shapes
    /// `[batch, inputs, height, width]` to `[batch, outputs, height / stride, width / stride]`.
    pub(crate) fn conv_norm(
        &self,
        (conv, norm): (&Conv2d, &BatchNorm),
        input: impl Into<Input>,
        then: Then,
    ) -> Tensor<4> {
        let input = input.into();
        if !self.apply_to(&input.map) {
            return then.apply(batch_norm(norm, stock_convolution(conv, input.map)));
        }
        if trains(norm, &input.map) {
            let y = convolve(conv, input);
            return normalize(norm, y, then, self.sync.as_ref());
        }
        folded(conv, norm, input.map, then)
    }

    /// Gates for the channels of a map, computed from it.
    ///
    /// # Shapes
    /// `map` and output: `[batch, channels, height, width]`.
    pub(crate) fn squeeze_excite(&self, layer: &SqueezeExcite, map: Tensor<4>) -> Tensor<4> {
        if self.apply_to(&map) {
            let (means, map) = kiln_kernels::squeeze(map);
            return map.excite(layer.gates(means));
        }
        let means = channel_means(map.clone());
        let gates = layer.gates(means).cast(map.dtype());
        map * gates.unsqueeze_dims::<4>(&[2, 3])
    }

    /// A map times a constant for each picture and channel.
    ///
    /// # Shapes
    /// `map` and output: `[batch, channels, height, width]`; `factors`: `[batch, channels]`.
    pub(crate) fn scale_channels(&self, map: Tensor<4>, factors: Tensor<2>) -> Tensor<4> {
        if self.apply_to(&map) {
            return kiln_kernels::scale_channels(map, factors);
        }
        let factors = factors.cast(map.dtype());
        map * factors.unsqueeze_dims::<4>(&[2, 3])
    }

    /// Max pooling.
    pub(crate) fn max_pool(&self, pool: &MaxPool2d, x: Tensor<4>) -> Tensor<4> {
        let padding =
            symmetric_padding(&pool.padding).filter(|_| pool.dilation == [1, 1] && !pool.ceil_mode);
        match padding {
            Some(padding) if self.apply_to(&x) => {
                let window = Window { kernel: pool.kernel_size, stride: pool.stride, padding };
                kiln_kernels::max_pool2d(x, window)
            }
            _ => pool.forward(x),
        }
    }
}

/// The mean of every picture's channels in f32: global average pooling, on Burn's operations.
///
/// # Shapes
/// `[batch, channels, height, width]` to `[batch, channels]`.
pub(crate) fn channel_means(map: Tensor<4>) -> Tensor<2> {
    map.cast(DType::F32).flatten::<3>(2, 3).mean_dim(2).squeeze_dim::<2>(2)
}

/// A convolution that the kernels can do.
enum Kernel {
    /// Every output takes every input.
    Full(Window),
    /// Every output takes the input of its own channel.
    Depthwise(Window),
}

impl Kernel {
    /// None for a convolution with bias, dilation or other groups, or of each channel by a large kernel.
    fn of(conv: &Conv2d) -> Option<Self> {
        let padding = symmetric_padding(&conv.padding)?;
        if conv.bias.is_some() || conv.dilation != [1, 1] {
            return None;
        }
        let window = Window { kernel: conv.kernel_size, stride: conv.stride, padding };
        let [outputs, inputs, height, width] = conv.weight.dims();
        let by_channel = conv.groups == outputs && inputs == 1 && height.max(width) <= 12;
        match conv.groups {
            1 => Some(Self::Full(window)),
            _ if by_channel => Some(Self::Depthwise(window)),
            _ => None,
        }
    }
}

/// Burn's convolution in the map's number format, to which a copy of the weights is brought; the weights themselves and
/// their gradients stay in f32.
fn stock_convolution(conv: &Conv2d, map: Tensor<4>) -> Tensor<4> {
    let dtype = map.dtype();
    match symmetric_padding(&conv.padding) {
        Some(padding) if dtype != DType::F32 => {
            let options = ConvOptions::new(conv.stride, padding, conv.dilation, conv.groups);
            let bias = conv.bias.as_ref().map(|bias| bias.val().cast(dtype));
            conv2d(map, conv.weight.val().cast(dtype), bias, options)
        }
        _ => conv.forward(map),
    }
}

/// The convolution alone.
fn convolve(conv: &Conv2d, Input { map, shared }: Input) -> Tensor<4> {
    match (Kernel::of(conv), shared) {
        (Some(Kernel::Full(window)), Some(shared)) => {
            kiln_kernels::conv2d_shared(map, conv.weight.val(), window, &shared)
        }
        (Some(Kernel::Full(window)), None) => kiln_kernels::conv2d(map, conv.weight.val(), window),
        (Some(Kernel::Depthwise(window)), _) => {
            kiln_kernels::depthwise_conv2d(map, conv.weight.val(), window)
        }
        (None, _) => stock_convolution(conv, map),
    }
}

/// Batch norm by the batch's statistics, and what follows it.
fn normalize(
    norm: &BatchNorm,
    y: Tensor<4>,
    Then { residual, activation }: Then,
    sync: Option<&SyncNorm>,
) -> Tensor<4> {
    let affine = [norm.gamma.val(), norm.beta.val()];
    let own = y.shape().num_elements() / norm.gamma.dims()[0];
    let settings = NormSettings { epsilon: norm.epsilon, activation };
    let (map, shared) = residual.map_or((None, None), |input| (Some(input.map), input.shared));
    let links = NormLinks { shared: shared.as_ref(), sync };
    let found = kiln_kernels::batch_norm_linked(y, affine, map, settings, links);
    let count = sync.map_or(own, SyncNorm::latest_count);
    if count > 0 {
        update_running(norm, found.mean, found.variance, count);
    }
    found.output
}

/// Convolution and batch norm by running statistics in one pass.
fn folded(conv: &Conv2d, norm: &BatchNorm, x: Tensor<4>, then: Then) -> Tensor<4> {
    let weight = conv.weight.val();
    let scale = norm.gamma.val() / norm.running_var.value().add_scalar(norm.epsilon).sqrt();
    let shift = norm.beta.val() - norm.running_mean.value() * scale.clone();
    match (Kernel::of(conv), then) {
        (Some(Kernel::Full(window)), Then { residual, activation }) => {
            let residual = residual.map(|residual| residual.map);
            let affine = [scale, shift];
            kiln_kernels::conv2d_affine(x, weight, affine, residual, window, activation)
        }
        (Some(Kernel::Depthwise(window)), Then { residual: None, activation }) => {
            kiln_kernels::depthwise_conv2d_affine(x, weight, [scale, shift], window, activation)
        }
        (_, then) => then.apply(norm.forward(conv.forward(x))),
    }
}

/// Rows and columns of padding, if there are as many before as behind.
fn symmetric_padding(padding: &PaddingConfig2d) -> Option<[usize; 2]> {
    match padding {
        PaddingConfig2d::Valid => Some([0, 0]),
        PaddingConfig2d::Explicit(top, left, bottom, right) if top == bottom && left == right => {
            Some([*top, *left])
        }
        _ => None,
    }
}
