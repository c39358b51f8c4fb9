//! What a block sums up, and back to f32.

/// Two sums for each channel.
pub(super) type Sums = (Vec<f32>, Vec<f32>);

#[allow(clippy::cast_possible_truncation, reason = "results are f32")]
pub(super) fn narrow(value: f64) -> f32 {
    value as f32
}
