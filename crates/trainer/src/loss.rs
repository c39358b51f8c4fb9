//! Cross entropy with soft targets: label smoothing, and pictures mixed of two.

use burn::tensor::activation::log_softmax;
use burn::tensor::{DType, Device, Tensor, TensorData};

/// The target distributions of `labels`: `1 - smoothing` on the class, `smoothing` spread evenly over all classes,
/// the class included (Szegedy et al., 2015).
///
/// # Shapes
/// `[labels, classes]`.
///
/// # Parity
/// `torch.nn.functional.cross_entropy(..., label_smoothing=...)`.
pub fn smoothed_targets(
    labels: &[u32],
    classes: usize,
    smoothing: f64,
    device: &Device,
) -> Tensor<2> {
    #[allow(clippy::cast_possible_truncation, reason = "the loss is computed in f32")]
    let (spread, hit) = (
        (smoothing / classes as f64) as f32,
        (1.0 - smoothing + smoothing / classes as f64) as f32,
    );
    let mut values = vec![spread; labels.len() * classes];
    for (row, &label) in values.chunks_exact_mut(classes).zip(labels) {
        row[label as usize] = hit;
    }
    Tensor::from_data(TensorData::new(values, [labels.len(), classes]), (device, DType::F32))
}

/// Cross entropy summed over the pictures; divide by their number for the mean.
///
/// # Shapes
/// `logits` and `targets`: `[batch, classes]`; result: `[1]`.
pub fn cross_entropy_sum(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    (log_softmax(logits, 1) * targets).sum().neg()
}
