//! Cross entropy with soft targets: label smoothing, and pictures mixed of two.

use burn::tensor::activation::log_softmax;
use burn::tensor::{DType, Device, Tensor, TensorData};
use kiln_augment::mix::MixedLabel;

/// The target distributions of `labels`: `1 - smoothing` on the class, `smoothing` spread evenly over all classes,
/// the class included (Szegedy et al., 2015). A mixed picture has the distributions of both of its classes by their
/// parts.
///
/// # Shapes
/// `[labels, classes]`.
///
/// # Parity
/// `torch.nn.functional.cross_entropy(..., label_smoothing=...)`; for mixed pictures timm's `mixup_target`.
pub fn soft_targets(
    labels: &[MixedLabel],
    classes: usize,
    smoothing: f64,
    device: &Device,
) -> Tensor<2> {
    let spread = smoothing / classes as f64;
    #[allow(clippy::cast_possible_truncation, reason = "the loss is computed in f32")]
    let target = |part: f64| (part * (1.0 - smoothing) + spread) as f32;
    let mut values = vec![target(0.0); labels.len() * classes];
    for (row, label) in values.chunks_exact_mut(classes).zip(labels) {
        if label.class == label.partner {
            row[label.class as usize] = target(1.0);
        } else {
            row[label.class as usize] = target(label.lambda);
            row[label.partner as usize] = target(1.0 - label.lambda);
        }
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
