//! The layers that every network is made of, on Kiln's kernels where they apply and on Burn's operations elsewhere.
//!
//! Parameters stay in Burn's own modules, so records, optimizers and freezing do not know the difference.

use crate::batch_norm::{batch_norm, update_running};
use burn::nn::conv::Conv2d;
use burn::nn::pool::MaxPool2d;
use burn::nn::{BatchNorm, PaddingConfig2d};
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use kiln_kernels::{Activation, NormSettings, SharedInput, Window};
use serde::{Deserialize, Serialize};

/// Which implementation of convolution, batch norm and max pooling a network runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kernels {
    /// `kiln-kernels` for f32 on the CPU, Burn's operations elsewhere.
    #[default]
    Fast,
    /// Burn's operations everywhere.
    Reference,
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

/// What follows a normalisation.
#[derive(Debug)]
pub(crate) struct Then {
    /// A map that is added.
    residual: Option<Input>,
    /// Whether negative values become zero, after the sum.
    relu: bool,
}

impl Then {
    pub(crate) const NOTHING: Self = Self { residual: None, relu: false };
    pub(crate) const RELU: Self = Self { residual: None, relu: true };

    /// The sum with `residual`, and ReLU: the end of a residual block.
    pub(crate) fn add_relu(residual: impl Into<Input>) -> Self {
        Self { residual: Some(residual.into()), relu: true }
    }

    fn apply(self, x: Tensor<4>) -> Tensor<4> {
        let x = match self.residual {
            Some(residual) => x + residual.map,
            None => x,
        };
        if self.relu { relu(x) } else { x }
    }
}

/// Whether a layer normalises by the batch's statistics.
fn trains(norm: &BatchNorm, x: &Tensor<4>) -> bool {
    x.device().is_autodiff() && norm.training.is_enabled()
}

impl Kernels {
    fn apply_to(self, x: &Tensor<4>) -> bool {
        self == Self::Fast && kiln_kernels::supports(x)
    }

    /// The input of a block, for exactly two layers: those that belong to `norms`.
    pub(crate) fn share(self, map: Tensor<4>, norms: [&BatchNorm; 2]) -> Input {
        // With statistics that stand still, a layer runs in other steps, which do not share.
        let shares = self.apply_to(&map) && norms.iter().all(|norm| trains(norm, &map));
        Input { map, shared: shares.then(SharedInput::default) }
    }

    /// Convolution, batch norm and what follows them.
    ///
    /// # Shapes
    /// `[batch, inputs, height, width]` to `[batch, outputs, height / stride, width / stride]`.
    pub(crate) fn conv_norm(
        self,
        (conv, norm): (&Conv2d, &BatchNorm),
        input: impl Into<Input>,
        then: Then,
    ) -> Tensor<4> {
        let Input { map: x, shared } = input.into();
        let window = match conv_window(conv) {
            Some(window) if self.apply_to(&x) => window,
            _ => return then.apply(batch_norm(norm, conv.forward(x))),
        };
        let weight = conv.weight.val();
        let affine = [norm.gamma.val(), norm.beta.val()];
        let Then { residual, relu } = then;
        if !trains(norm, &x) {
            let [gamma, beta] = affine;
            let scale = gamma / norm.running_var.value().add_scalar(norm.epsilon).sqrt();
            let shift = beta - norm.running_mean.value() * scale.clone();
            let residual = residual.map(|residual| residual.map);
            let activation = if relu { Activation::Relu } else { Activation::None };
            return kiln_kernels::conv2d_affine(
                x,
                weight,
                [scale, shift],
                residual,
                window,
                activation,
            );
        }
        let x = match shared {
            Some(shared) => kiln_kernels::conv2d_shared(x, weight, window, &shared),
            None => kiln_kernels::conv2d(x, weight, window),
        };
        let count = x.shape().num_elements() / norm.gamma.dims()[0];
        let activation = if relu { Activation::Relu } else { Activation::None };
        let settings = NormSettings { epsilon: norm.epsilon, activation };
        let found = match residual {
            Some(Input { map, shared: Some(shared) }) => {
                kiln_kernels::batch_norm_shared(x, affine, map, settings, &shared)
            }
            other => kiln_kernels::batch_norm(x, affine, other.map(|input| input.map), settings),
        };
        update_running(norm, found.mean, found.variance, count);
        found.output
    }

    /// Max pooling.
    pub(crate) fn max_pool(self, pool: &MaxPool2d, x: Tensor<4>) -> Tensor<4> {
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

/// How a convolution moves, if the kernels can do it: without bias, groups or dilation.
fn conv_window(conv: &Conv2d) -> Option<Window> {
    let plain = conv.bias.is_none() && conv.groups == 1 && conv.dilation == [1, 1];
    let padding = symmetric_padding(&conv.padding).filter(|_| plain)?;
    Some(Window { kernel: conv.kernel_size, stride: conv.stride, padding })
}

/// Rows and columns of padding, if there are as many before as behind.
fn symmetric_padding(padding: &PaddingConfig2d) -> Option<[usize; 2]> {
    match padding {
        PaddingConfig2d::Explicit(top, left, bottom, right) if top == bottom && left == right => {
            Some([*top, *left])
        }
        _ => None,
    }
}
