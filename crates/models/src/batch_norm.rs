//! Batch normalisation with PyTorch's running variance.

use burn::nn::BatchNorm;
use burn::tensor::module::batch_norm_train;
use burn::tensor::{DType, Tensor};

/// Normalises `input` per channel: batch statistics while training, running statistics otherwise.
///
/// Burn's own `BatchNorm::forward` blends the biased variance of the batch into the running one; PyTorch
/// blends the unbiased one (times `n / (n - 1)` over the `n` values of a channel). The two differ visibly
/// on small maps: by 0.8 % at 32 pictures of 2x2. This function is PyTorch's, on Burn's module.
///
/// # Shapes
/// `input` and output: `[batch, channels, height, width]`.
///
/// # Parity
/// `torch.nn.BatchNorm2d` with the module's epsilon and momentum.
pub fn batch_norm(layer: &BatchNorm, input: Tensor<4>) -> Tensor<4> {
    let dtype = input.dtype();
    if dtype != DType::F32 {
        // Statistics of 16-bit maps are taken, and kept, in f32.
        return batch_norm(layer, input.cast(DType::F32)).cast(dtype);
    }
    if !(input.device().is_autodiff() && layer.training.is_enabled()) {
        return layer.forward(input);
    }
    let [batch, _, height, width] = input.dims();
    let normalised = batch_norm_train(input, layer.gamma.val(), layer.beta.val(), layer.epsilon);
    update_running(layer, normalised.mean, normalised.variance, batch * height * width);
    normalised.output
}

/// Blends a batch's mean and biased variance, of `count` values in each channel, into the running ones.
pub(crate) fn update_running(
    layer: &BatchNorm,
    mean: Tensor<1>,
    variance: Tensor<1>,
    count: usize,
) {
    let count = count as f64;
    let unbias = if count > 1.0 { count / (count - 1.0) } else { 1.0 };
    let keep = 1.0 - layer.momentum;
    let mean = layer.running_mean.value_sync().mul_scalar(keep) + mean.mul_scalar(layer.momentum);
    let var = layer.running_var.value_sync().mul_scalar(keep)
        + variance.mul_scalar(layer.momentum * unbias);
    layer.running_mean.update(mean.detach());
    layer.running_var.update(var.detach());
}
