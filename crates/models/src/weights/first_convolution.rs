//! The first convolution of a network whose pictures have another number of channels than the weights were trained on.

/// Weights `[outputs, 3, height, width]` for pictures of `channels` channels.
///
/// One channel gets the sum of the three: a grey picture gives what the same picture in colour gave. More channels get
/// the three in turn, scaled by `3 / channels`, so that the sums keep their size.
///
/// # Parity
/// timm's `adapt_input_conv`.
pub(super) fn adapt(values: &[f32], taps: usize, channels: usize) -> Vec<f32> {
    let filters = values.chunks_exact(3 * taps);
    if channels == 1 {
        let sum = |filter: &[f32], tap: usize| -> f32 {
            (0..3).map(|channel| filter[channel * taps + tap]).sum()
        };
        return filters.flat_map(|filter| (0..taps).map(move |tap| sum(filter, tap))).collect();
    }
    let scale = 3.0 / channels as f32;
    filters
        .flat_map(|filter| {
            (0..channels).flat_map(move |channel| {
                filter[channel % 3 * taps..][..taps].iter().map(move |value| value * scale)
            })
        })
        .collect()
}
