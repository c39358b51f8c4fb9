//! What other crates call, on Burn's tensors.

use crate::activation::Activation;
use crate::backend::{KernelBackend, NormSettings, Residual, Window, output_dims, shape_of};
use crate::batch_norm::SyncNorm;
use crate::shared_input::SharedInput;
use burn::backend::{Dispatch, DispatchTensorKind};
use burn::tensor::{DType, Tensor};

/// Whether these operations can take a tensor: it lies on flex, with or without autodiff, in f32.
pub fn supports(x: &Tensor<4>) -> bool {
    let tensor = x.clone().into_dispatch();
    let on_flex = match &tensor.kind {
        DispatchTensorKind::Flex(_) => true,
        DispatchTensorKind::Autodiff(inner) => matches!(**inner, DispatchTensorKind::Flex(_)),
        #[allow(unreachable_patterns, reason = "with flex alone there is no other kind")]
        _ => false,
    };
    on_flex && x.dtype() == DType::F32
}

/// 2-D convolution without bias, groups or dilation.
///
/// `y[n, o, h, w] = sum over (i, kh, kw) of x[n, i, h * stride + kh - padding, ...] * weight[o, i, kh, kw]`.
/// Kernels of 3x3 at stride 1 with one pixel of padding and at least 32 channels (multiples of 16) go through Winograd's
/// F(4x4, 3x3) on maps of at least 4x4, whose rounding error is some 1e-5 of the largest value; all others are summed
/// directly, as exactly as a matrix product.
///
/// # Shapes
/// `x`: `[batch, inputs, height, width]`; `weight`: `[outputs, inputs, kernel height, kernel width]`; result:
/// `[batch, outputs, (height + 2 * padding - kernel) / stride + 1, ...]`.
///
/// # Panics
/// When [`supports`] denies a tensor, or the shapes do not fit.
///
/// # Parity
/// `torch.nn.functional.conv2d`, to f32 rounding.
pub fn conv2d(x: Tensor<4>, weight: Tensor<4>, window: Window) -> Tensor<4> {
    convolve(x, weight, window, None)
}

/// [`conv2d`] of an input that another operation uses as well: see [`SharedInput`].
///
/// # Shapes
/// As [`conv2d`].
///
/// # Panics
/// As [`conv2d`].
pub fn conv2d_shared(
    x: Tensor<4>,
    weight: Tensor<4>,
    window: Window,
    shared: &SharedInput,
) -> Tensor<4> {
    convolve(x, weight, window, Some(shared.clone()))
}

fn convolve(
    x: Tensor<4>,
    weight: Tensor<4>,
    window: Window,
    shared: Option<SharedInput>,
) -> Tensor<4> {
    check_convolution(&x, &weight, window);
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(Dispatch::kernel_conv2d(x, weight, window, shared))
}

/// `f(scale * conv2d(x, weight) + shift + residual)`, `f` being the activation, in one pass, for inference: a batch norm with running statistics
/// is `scale = gamma / sqrt(var + eps)` and `shift = beta - mean * scale`. Under autodiff it runs, and has its gradients,
/// in single steps.
///
/// # Shapes
/// `x` and `weight` as in [`conv2d`]; `scale` and `shift`: `[outputs]`; `residual`: as the result.
///
/// # Panics
/// As [`conv2d`].
pub fn conv2d_affine(
    x: Tensor<4>,
    weight: Tensor<4>,
    [scale, shift]: [Tensor<1>; 2],
    residual: Option<Tensor<4>>,
    window: Window,
    activation: Activation,
) -> Tensor<4> {
    check_convolution(&x, &weight, window);
    let [outputs, ..] = weight.dims();
    assert_eq!(
        [scale.dims(), shift.dims()],
        [[outputs]; 2],
        "scale and shift have a value for each output"
    );
    let result = output_dims(shape_of(x.dims(), outputs, window));
    let fits = residual.as_ref().is_none_or(|residual| residual.dims() == result);
    assert!(fits, "the residual has the shape of the result");
    Tensor::from_dispatch(Dispatch::kernel_conv2d_affine(
        x.into_dispatch(),
        weight.into_dispatch(),
        scale.into_dispatch(),
        shift.into_dispatch(),
        added(residual),
        window,
        activation,
    ))
}

/// 2-D convolution of every channel by a filter of its own, without bias.
///
/// `y[n, c, h, w] = sum over (kh, kw) of x[n, c, h * stride + kh - padding, ...] * weight[c, 0, kh, kw]`.
///
/// # Shapes
/// `x`: `[batch, channels, height, width]`; `weight`: `[channels, 1, kernel height, kernel width]`; result:
/// `[batch, channels, (height + 2 * padding - kernel) / stride + 1, ...]`.
///
/// # Panics
/// When [`supports`] denies a tensor, the shapes do not fit, or the kernel is higher or wider than 12 pixels.
///
/// # Parity
/// `torch.nn.functional.conv2d(groups=channels)`, to f32 rounding.
pub fn depthwise_conv2d(x: Tensor<4>, weight: Tensor<4>, window: Window) -> Tensor<4> {
    check_depthwise(&x, &weight, window);
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(Dispatch::kernel_depthwise_conv2d(x, weight, window))
}

/// `f(scale * depthwise_conv2d(x, weight) + shift)`, `f` being the activation, in one pass, for inference: see
/// [`conv2d_affine`].
///
/// # Shapes
/// `x` and `weight` as in [`depthwise_conv2d`]; `scale` and `shift`: `[channels]`.
///
/// # Panics
/// As [`depthwise_conv2d`].
pub fn depthwise_conv2d_affine(
    x: Tensor<4>,
    weight: Tensor<4>,
    [scale, shift]: [Tensor<1>; 2],
    window: Window,
    activation: Activation,
) -> Tensor<4> {
    check_depthwise(&x, &weight, window);
    let channels = weight.dims()[0];
    assert_eq!(
        [scale.dims(), shift.dims()],
        [[channels]; 2],
        "scale and shift have a value for each channel"
    );
    Tensor::from_dispatch(Dispatch::kernel_depthwise_conv2d_affine(
        x.into_dispatch(),
        weight.into_dispatch(),
        scale.into_dispatch(),
        shift.into_dispatch(),
        window,
        activation,
    ))
}

/// A map that waits for the gates that are computed from its channels' means.
#[derive(Debug)]
pub struct SqueezeExcite {
    x: Tensor<4>,
    link: SharedInput,
}

/// The mean of every picture's channels, and the map that the gates computed from them will scale (Hu et al. 2018,
/// "Squeeze-and-Excitation Networks"). What lies between, two small layers and a sigmoid, is the caller's.
///
/// # Shapes
/// `[batch, channels, height, width]` to `[batch, channels]`.
///
/// # Panics
/// When [`supports`] denies the tensor.
///
/// # Parity
/// `x.mean((2, 3))` in PyTorch, to f32 rounding.
pub fn squeeze(x: Tensor<4>) -> (Tensor<2>, SqueezeExcite) {
    assert!(!x.dims().contains(&0), "a map has at least one value");
    let link = SharedInput::default();
    let means = Dispatch::kernel_channel_means(x.clone().into_dispatch(), link.clone());
    (Tensor::from_dispatch(means), SqueezeExcite { x, link })
}

impl SqueezeExcite {
    /// `x[n, c, ...] * gate[n, c]`. The gates have to be computed from the means: the map's gradient waits for theirs, so
    /// that both are written in one pass.
    ///
    /// # Shapes
    /// `gate`: `[batch, channels]`; the result is as large as the map.
    ///
    /// # Panics
    /// When the gates do not fit the map.
    ///
    /// # Parity
    /// `x * gate[:, :, None, None]` in PyTorch.
    pub fn excite(self, gate: Tensor<2>) -> Tensor<4> {
        let Self { x, link } = self;
        let [batch, channels, ..] = x.dims();
        assert_eq!(gate.dims(), [batch, channels], "a gate for each picture and channel");
        let (x, gate) = (x.into_dispatch(), gate.into_dispatch());
        Tensor::from_dispatch(Dispatch::kernel_scale_channels(x, gate, link))
    }
}

/// `x[n, c, ...] * factors[n, c]`, for factors that do not come from the map itself; [`squeeze`] has those that do.
///
/// # Shapes
/// `factors`: `[batch, channels]`; the result is as large as the map.
///
/// # Panics
/// When [`supports`] denies the map, or the factors do not fit it.
///
/// # Parity
/// `x * factors[:, :, None, None]` in PyTorch.
pub fn scale_channels(x: Tensor<4>, factors: Tensor<2>) -> Tensor<4> {
    SqueezeExcite { x, link: SharedInput::default() }.excite(factors)
}

/// A batch's normalised map and its statistics.
#[derive(Debug, Clone)]
pub struct Normalized {
    /// `[batch, channels, height, width]`.
    pub output: Tensor<4>,
    /// Mean of each channel; a constant to autodiff.
    pub mean: Tensor<1>,
    /// Biased variance of each channel; a constant to autodiff.
    pub variance: Tensor<1>,
}

/// Batch norm by the batch's own statistics, then the sum with a residual, then an activation:
/// `f(gamma * (x - mean) / sqrt(var + eps) + beta + residual)`. Running statistics are the caller's.
///
/// # Shapes
/// `x`, `residual` and the result: `[batch, channels, height, width]`; `gamma` and `beta`: `[channels]`.
///
/// # Panics
/// When [`supports`] denies a tensor, or the shapes do not fit.
///
/// # Parity
/// `torch.nn.functional.batch_norm(training=True)`, to f32 rounding.
pub fn batch_norm(
    x: Tensor<4>,
    [gamma, beta]: [Tensor<1>; 2],
    residual: Option<Tensor<4>>,
    settings: NormSettings,
) -> Normalized {
    batch_norm_linked(x, [gamma, beta], residual, settings, NormLinks::default())
}

/// What a batch norm has in common with something else.
#[derive(Debug, Clone, Copy, Default)]
pub struct NormLinks<'a> {
    /// Its residual is the input of another operation as well.
    pub shared: Option<&'a SharedInput>,
    /// Its batch is that of several ranks.
    pub sync: Option<&'a SyncNorm>,
}

/// [`batch_norm`] with links to another operation or other ranks.
///
/// # Shapes
/// As [`batch_norm`].
///
/// # Panics
/// As [`batch_norm`].
pub fn batch_norm_linked(
    x: Tensor<4>,
    [gamma, beta]: [Tensor<1>; 2],
    residual: Option<Tensor<4>>,
    settings: NormSettings,
    links: NormLinks<'_>,
) -> Normalized {
    let [_, channels, ..] = x.dims();
    assert!(!x.dims().contains(&0), "a map has at least one value");
    assert_eq!(
        [gamma.dims(), beta.dims()],
        [[channels]; 2],
        "gamma and beta have a value for each channel"
    );
    let fits = residual.as_ref().is_none_or(|residual| residual.dims() == x.dims());
    assert!(fits, "the residual has the shape of the map");
    let found = Dispatch::kernel_batch_norm(
        x.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        added(residual),
        settings,
        links.shared.cloned(),
        links.sync.cloned(),
    );
    Normalized {
        output: Tensor::from_dispatch(found.output),
        mean: Tensor::from_dispatch(found.mean),
        variance: Tensor::from_dispatch(found.variance),
    }
}

/// 2-D max pooling: the largest value of each window, pixels outside of the map ignored; NaN as soon as there is one. The
/// gradient goes to the first of equal values.
///
/// # Shapes
/// `[batch, channels, height, width]` to `[batch, channels, (height + 2 * padding - kernel) / stride + 1, ...]`.
///
/// # Panics
/// When [`supports`] denies the tensor, a window has more than 256 pixels, or half of it fits into the padding.
///
/// # Parity
/// `torch.nn.functional.max_pool2d`: values bit for bit, gradients to rounding where windows overlap.
pub fn max_pool2d(x: Tensor<4>, window: Window) -> Tensor<4> {
    let Window { kernel, padding, .. } = window;
    assert!(kernel[0] * kernel[1] <= 256, "a window has at most 256 pixels");
    let half = padding[0] * 2 <= kernel[0] && padding[1] * 2 <= kernel[1];
    assert!(half, "the padding is at most half of the window");
    check_window(x.dims(), window);
    Tensor::from_dispatch(Dispatch::kernel_max_pool2d(x.into_dispatch(), window))
}

fn added(residual: Option<Tensor<4>>) -> Residual<Dispatch> {
    residual.map_or(Residual::Nothing, |map| Residual::Add(map.into_dispatch()))
}

fn check_convolution(x: &Tensor<4>, weight: &Tensor<4>, window: Window) {
    let [_, inputs, kernel_height, kernel_width] = weight.dims();
    assert_eq!(x.dims()[1], inputs, "the input has as many channels as the weight takes");
    assert_eq!(
        window.kernel,
        [kernel_height, kernel_width],
        "the window is as large as the weight"
    );
    check_window(x.dims(), window);
}

fn check_depthwise(x: &Tensor<4>, weight: &Tensor<4>, window: Window) {
    let [channels, one, kernel_height, kernel_width] = weight.dims();
    assert_eq!([x.dims()[1], 1], [channels, one], "each channel of the input has one filter");
    assert_eq!(
        window.kernel,
        [kernel_height, kernel_width],
        "the window is as large as the weight"
    );
    assert!(kernel_height.max(kernel_width) <= 12, "a kernel of at most 12 x 12");
    check_window(x.dims(), window);
}

fn check_window(dims @ [.., height, width]: [usize; 4], window: Window) {
    assert!(!dims.contains(&0), "a map has at least one value");
    let Window { kernel, stride, padding } = window;
    assert!(stride[0] > 0 && stride[1] > 0, "the stride is at least 1");
    let fits = height + 2 * padding[0] >= kernel[0] && width + 2 * padding[1] >= kernel[1];
    assert!(fits, "the kernel fits into the padded map");
}
