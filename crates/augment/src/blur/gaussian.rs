//! The bell curve as albumentations samples it.

/// Pixels on either side of the centre: `kernel` is the whole length, 0 for that which fits `sigma`.
pub(crate) fn radius(sigma: f64, kernel: u32) -> usize {
    if kernel == 0 { crate::round::pixel_at(sigma * 3.5) } else { kernel as usize / 2 }
}

/// Weights of the centre and of the pixels beside it, which sum to 1 when both sides are counted.
pub(crate) fn weights(sigma: f64, radius: usize) -> Vec<f32> {
    #[allow(clippy::cast_precision_loss, reason = "no kernel is that long")]
    let heights = (0..=radius).map(|away| (-0.5 * (away as f64 / sigma).powi(2)).exp());
    let heights: Vec<f64> = heights.collect();
    let sum = heights[0] + 2.0 * heights[1..].iter().sum::<f64>();
    #[allow(clippy::cast_possible_truncation, reason = "to the nearest f32, as OpenCV does")]
    heights.into_iter().map(|height| (height / sum) as f32).collect()
}
