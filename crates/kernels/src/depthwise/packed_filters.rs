//! Depthwise filters turned so that the channels of one tap lie side by side.

use crate::convolution::ConvShape;

/// `[tap, channel]`, each tap's row padded with zeros to whole vectors.
#[derive(Debug)]
pub(super) struct PackedFilters {
    values: Vec<f32>,
    /// Floats from one tap to the next.
    pitch: usize,
}

/// Rows end on a multiple of this, at least as long as a tile's vectors.
const WHOLE: usize = 64;

impl PackedFilters {
    /// From `[channel, 1, kernel height, kernel width]`.
    pub(super) fn of(shape: ConvShape, weight: &[f32]) -> Self {
        let (taps, channels) = (shape.taps(), shape.input.channels);
        let pitch = channels.next_multiple_of(WHOLE);
        let mut values = vec![0.0; taps * pitch];
        for (channel, filter) in weight.chunks_exact(taps).enumerate() {
            for (tap, &value) in filter.iter().enumerate() {
                values[tap * pitch + channel] = value;
            }
        }
        Self { values, pitch }
    }

    /// The filters' values of one tap, from a channel on.
    #[inline(always)]
    pub(super) fn from(&self, tap: usize, channel: usize) -> &[f32] {
        &self.values[tap * self.pitch + channel..(tap + 1) * self.pitch]
    }
}
